#pragma once

// How the parts of a value are written and read, for base/value_bytes and base/value_delta, which
// both put one table of writers before what they write. Inner header.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/dot.h"
#include "base/value.h"

namespace waggle {

// Collects the writers first and then gives each its place.
class ValueWriter {
 public:
  // First pass: every dot that will be written.
  void collect(const Dot& dot);
  void collect(const Dots& dots);
  void collect(const Field& field);
  void collect(const Value& value);

  // Between the passes: the format and the table.
  void begin();

  // Second pass.
  ByteWriter& out() { return out_; }
  void dot(const Dot& dot);
  void dots(const Dots& dots);
  void field(const FieldId& id, const Field& field);
  void body(const Value& value);
  [[nodiscard]] std::string take() { return out_.take(); }

 private:
  // A row of the table; ordered as (agent, incarnation).
  using TableRow = std::pair<std::string_view, std::uint64_t>;
  static TableRow row_of(const Writer& writer);

  std::map<TableRow, std::size_t> places_;
  ByteWriter out_{256};
};

class ValueReader {
 public:
  // Reads the format and the table.
  ValueReader(std::string_view what, std::string_view bytes);

  ByteReader& in() { return in_; }
  [[nodiscard]] Dot dot();
  [[nodiscard]] Dots dots(std::size_t least);
  [[nodiscard]] std::string element(std::size_t least);
  [[nodiscard]] FieldId field_id();
  [[nodiscard]] Field field(ValueType type, std::size_t depth);
  [[nodiscard]] Value body(ValueType type, std::size_t depth);
  // All was read, and every writer of the table was in use.
  [[nodiscard]] Status finish();

  // What a decoded value may count for, all of it together.
  void spend(std::size_t bytes);

 private:
  ResettableCounter resettable();
  BoundedCounter bounded();
  MultiRegister multi();
  Sequence sequence(SequenceUnit unit);

  ByteReader in_;
  std::vector<Writer> table_;  // without seqs
  std::vector<bool> used_;
  std::size_t spent_ = 0;
};

}  // namespace waggle
