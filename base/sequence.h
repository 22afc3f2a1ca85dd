#pragma once
// STAND-IN until the sequence lands.
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "base/dot.h"
#include "base/hash.h"
#include "base/status.h"
namespace waggle {
enum class SequenceUnit : std::uint8_t { kScalar = 0, kElement = 1 };
struct SequenceEdit {
  std::uint64_t at = 0;
  std::uint64_t removed = 0;
  std::vector<std::string> inserted;
  friend bool operator==(const SequenceEdit&, const SequenceEdit&) = default;
};
using SeenDot = std::function<bool(const Dot&)>;
class Sequence {
 public:
  explicit Sequence(SequenceUnit unit = SequenceUnit::kScalar) : unit_(unit) {}
  SequenceUnit unit() const { return unit_; }
  std::uint64_t size() const { return 0; }
  std::string text() const { return {}; }
  std::vector<std::string> elements() const { return {}; }
  struct Author { Revision seen; SeenDot seen_dot; };
  Status edit(const std::vector<SequenceEdit>&, const Dot&, const Author&) { return {}; }
  bool remove_seen(const Author&, const Dot&) { return false; }
  Revision base() const { return {}; }
  bool reaches(Revision) const { return true; }
  void fold(Revision) {}
  Revision fold_point(std::size_t) const { return {}; }
  std::size_t bytes() const { return 0; }
  std::size_t history_bytes() const { return 0; }
  Hash128 hash() const { return {}; }
  void check_invariants() const {}
  friend bool operator==(const Sequence&, const Sequence&) = default;
 private:
  SequenceUnit unit_;
};
inline std::string encode(const Sequence&) { return {}; }
inline Result<Sequence> decode_sequence(std::string_view, std::size_t) { return Sequence(); }
inline std::string diff(const Sequence&, const Sequence&) { return {}; }
inline Result<Sequence> apply_diff(const Sequence& from, std::string_view, std::size_t) { return from; }
}  // namespace waggle
