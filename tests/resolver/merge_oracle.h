#pragma once

// The coordinator-ordered types by definition: every committed operation is kept with the set of
// operations that its author knew, and a value is told from these alone. It knows no dot, revision,
// cursor or fold, and shares no code with the rules.
//
// A value is told as text, with the names of the operations that it still rests on, so metadata is
// compared too: an element of a set with the additions that keep it, and no others.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hlc.h"
#include "base/op.h"
#include "base/value.h"
#include "resolver/verdict.h"

namespace waggle::laws {

struct Written {
  Op op;
  std::string author;
  std::uint64_t seq = 0;
  std::size_t number = 0;  // its bit in a past
  std::uint64_t past = 0;  // what the author knew, its own writes included
  Hlc hlc;

  [[nodiscard]] bool knew(const Written& other) const { return (past >> other.number & 1) != 0; }
  [[nodiscard]] std::string name() const { return author + std::to_string(seq); }
};

// An operation on one value: of a map the operation on the field.
struct Work {
  const Written* by;
  const Op* op;
};
using Works = std::vector<Work>;  // in the order of commit

// What a value is like after these operations, and why the next one would be refused.
[[nodiscard]] std::string told(ValueType type, const Works& works);
[[nodiscard]] std::optional<Reason> refusal(ValueType type, const Works& works, const Work& next);
// The same text, of what was computed. Of a remove-wins set only what is in it.
[[nodiscard]] std::string told(const Value& value);

class Oracle {
 public:
  explicit Oracle(ValueType type) : type_(type) {}

  // Nothing: it is committed or changes nothing.
  [[nodiscard]] Verdict expected(const Written& next) const;
  // True iff it would make no difference: nobody would miss it if it were not committed.
  [[nodiscard]] bool idle(const Written& next) const;
  // `next` outlives the oracle.
  void commit(const Written& next);
  [[nodiscard]] std::string value() const;

 private:
  // A field, while an update of it lives that no removal knew of.
  struct Book {
    Works updates;  // of it or below it
    Works effects;  // what its value rests on
  };
  using Place = std::pair<std::vector<std::string>, ValueType>;

  void remove(const FieldOp& op, const Written& by);
  void update(const FieldOp& op, const Written& by);

  ValueType type_;
  Works works_;                  // of other types
  std::map<Place, Book> books_;  // of a map
};

}  // namespace waggle::laws
