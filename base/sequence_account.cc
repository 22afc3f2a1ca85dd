// What the units of a Sequence add to its hash and to its size. Everything is a sum over units and
// over pairs of neighbours, so it does not depend on the spans that they stand in:
//
//   unit       its name, writer and origins; a base unit: its number
//   content    of a unit that is not deleted
//   deletion   each of a unit
//   neighbours each unit with the next one, and the edges: this fixes the order
//
// Sizes: a unit's content; a tombstone 1 byte; where a run of names or of deletions begins, 40
// bytes and the writer's id for each dot, as dots count everywhere.

#include <utility>

#include "base/check.h"
#include "base/sequence_joints.h"
#include "base/sequence_tree.h"

namespace waggle {
namespace {

constexpr std::size_t kDotBytes = 40;

enum class Part : std::uint64_t { kUnit = 1, kContent, kDeletion, kNeighbours };

// The finaliser of splitmix64 (Steele, Lea and Flood, 2014).
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kBegin = 0x6b62656767696e21;  // the edges as units
constexpr std::uint64_t kEnd = 0x6b656e646f667365;

Hash128 term(Part part, std::uint64_t key, std::uint64_t what) {
  const std::uint64_t tag = static_cast<std::uint64_t>(part) * kOdd;
  return {spread(spread(key + tag) + what), spread(spread(what ^ tag) - key)};
}

std::uint64_t key_of(const UnitRef& ref) {
  const std::uint64_t place = (std::uint64_t{ref.index} << 32) | ref.offset;
  return spread(spread(ref.revision + kOdd * static_cast<std::uint64_t>(ref.kind)) + place);
}

// A unit by its name, a base unit by its number.
std::uint64_t key_of(const SequenceSpan& span, std::uint32_t unit, std::uint64_t base) {
  return span.base() ? spread(~(base + unit)) : key_of(span.name_of(unit));
}

std::uint64_t code_of(const SpanDot& dot, std::uint64_t writer_hash) {
  return spread(spread(dot.revision + kOdd * dot.index) + dot.seq) ^ writer_hash;
}

std::uint64_t code_of(std::string_view content, SequenceUnit unit) {
  if (unit == SequenceUnit::kElement) return hash128(content).low;
  std::uint64_t code = 0;
  for (const char c : content) code = (code << 8) | static_cast<unsigned char>(c);
  return code;
}

void put(Hash128& hash, const Hash128& term, bool added) {
  if (added)
    hash += term;
  else
    hash -= term;
}

void put(std::size_t& bytes, std::size_t more, bool added) {
  if (added)
    bytes += more;
  else
    bytes -= more;
}

}  // namespace

std::size_t SequenceTree::dot_bytes(const SpanDot& dot) const {
  if (dot.revision == 0) return kDotBytes;
  return kDotBytes + writers()[dot.writer].agent.value().size();
}

void SequenceTree::account_units(const SequenceSpan& span, std::uint64_t base) {
  std::uint64_t left = key_of(span.left);
  const std::uint64_t right = key_of(span.right);
  const std::uint64_t writer = span.base() ? 0 : writers()[span.dot.writer].hash;
  std::uint64_t before = 0;
  for (std::uint32_t unit = 0; unit < span.count; ++unit) {
    const std::uint64_t key = key_of(span, unit, base);
    if (unit > 0) hash_ += term(Part::kNeighbours, before, key);
    if (!span.base()) {
      const std::uint64_t dot = code_of(span.dot_of(unit), writer);
      hash_ += term(Part::kUnit, key, dot + kOdd * left + spread(right));
    }
    before = left = key;
  }
}

void SequenceTree::account_content(const SequenceSpan& span, std::string_view content,
                                   std::uint64_t base, bool added) {
  put(content_bytes_, span.bytes, added);
  for (std::uint32_t unit = 0; unit < span.count; ++unit) {
    const std::size_t size = unit_ == SequenceUnit::kScalar && content.size() == span.count - unit
                                 ? 1
                                 : prefix_bytes(content, 1, unit_);
    const std::uint64_t code = code_of(content.substr(0, size), unit_);
    put(hash_, term(Part::kContent, key_of(span, unit, base), code), added);
    content.remove_prefix(size);
  }
}

void SequenceTree::account_deletions(const SequenceSpan& span, std::uint64_t base, bool added) {
  put(history_bytes_, span.count, added);
  const auto code = [&](const SpanDot& dot) {
    return dot.revision == 0 ? 0 : code_of(dot, writers()[dot.writer].hash);
  };
  for (std::uint32_t unit = 0; unit < span.count; ++unit) {
    const std::uint64_t key = key_of(span, unit, base);
    put(hash_, term(Part::kDeletion, key, code(span.deletion_of(unit))), added);
    if (!span.later) continue;
    for (const SpanDot& dot : *span.later) put(hash_, term(Part::kDeletion, key, code(dot)), added);
  }
}

void SequenceTree::account_joint(const Border& border, const SequenceSpan* span,
                                 const SequenceSpan* next, bool added) {
  const std::uint64_t before =
      span != nullptr ? key_of(*span, span->count - 1, border.base - span->count) : kBegin;
  const std::uint64_t after = next != nullptr ? key_of(*next, 0, border.base) : kEnd;
  put(hash_, term(Part::kNeighbours, before, after), added);
  if (next == nullptr) return;
  if (!next->base() && (span == nullptr || !name_joint(*span, *next)))
    put(history_bytes_, dot_bytes(next->dot), added);
  if (next->deleted && (span == nullptr || !deletion_joint(*span, *next))) {
    put(history_bytes_, dot_bytes(next->deletion), added);
    if (!next->later) return;
    for (const SpanDot& dot : *next->later) put(history_bytes_, dot_bytes(dot), added);
  }
}

void SequenceTree::account_insertion(Place place, const SequenceSpan& span,
                                     std::string_view content) {
  if (span.base()) stale_ = true;
  if (stale_) return;
  const Border border{base_before(place)};
  const SequenceSpan* const before = this->before(place);
  const SequenceSpan* const behind = at(place);
  if (before != nullptr || behind != nullptr) account_joint(border, before, behind, false);
  account_joint(border, before, &span, true);
  account_units(span, border.base);
  if (span.deleted)
    account_deletions(span, border.base, true);
  else
    account_content(span, content, border.base, true);
  account_joint(border, &span, behind, true);
}

void SequenceTree::account_deletion_change(Place place, const SequenceSpan& as) {
  if (stale_) return;
  const SequenceSpan span = *at(place);
  SequenceSpan changed = span;
  changed.deleted = true;
  changed.deletion = as.deletion;
  changed.step = as.step;
  changed.later = as.later;
  const SequenceSpan* const before = this->before(place);
  const SequenceSpan* const behind = at(this->behind(place));
  const Border front{base_before(place)};
  const Border back{front.base + (span.base() ? span.count : 0)};
  account_joint(front, before, &span, false);
  account_joint(back, &span, behind, false);
  if (span.deleted)
    account_deletions(span, front.base, false);
  else
    account_content(span, content_of(place), front.base, false);
  account_joint(front, before, &changed, true);
  account_deletions(changed, front.base, true);
  account_joint(back, &changed, behind, true);
}

void SequenceTree::recount() {
  stale_ = false;
  hash_ = {};
  content_bytes_ = history_bytes_ = 0;
  Border border;
  SequenceSum sum;
  const SequenceSpan* before = nullptr;
  for_each([&](const SequenceSpan& span, std::string_view content) {
    account_joint(border, before, &span, true);
    account_units(span, border.base);
    if (span.deleted)
      account_deletions(span, border.base, true);
    else
      account_content(span, content, border.base, true);
    border.base += span.base() ? span.count : 0;
    before = &span;
    sum.add(span);
  });
  if (before != nullptr) account_joint(border, before, nullptr, true);
  sum_ = sum;
}

}  // namespace waggle
