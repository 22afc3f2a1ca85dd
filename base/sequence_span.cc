#include "base/sequence_span.h"

#include <algorithm>
#include <optional>

#include "base/sequence_joints.h"

namespace waggle {
namespace {

std::size_t scalar_size(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

// An element stands behind its length, a varint of one or two bytes (limits::kElementBytes).
std::size_t element_size(std::string_view content, std::size_t at) {
  const auto low = static_cast<unsigned char>(content[at]);
  if (low < 0x80) return 1 + std::size_t{low};
  return 2 + ((low & 0x7fU) | (std::size_t{static_cast<unsigned char>(content[at + 1])} << 7));
}

// What one unit leaves open is settled.
void normalise(SequenceSpan& span) {
  if (span.count > 1) return;
  span.rising = false;
  span.step = 0;
}

}  // namespace

std::uint32_t SequenceSpan::find(const UnitRef& name) const {
  if (base() || name.kind != UnitRef::Kind::kUnit || name.index != dot.index) return count;
  if (rising) {
    if (name.offset != offset || name.revision < dot.revision) return count;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, name.revision - dot.revision));
  }
  if (name.revision != dot.revision || name.offset < offset) return count;
  return std::min(count, name.offset - offset);
}

std::uint64_t SequenceSpan::newest() const {
  std::uint64_t newest = std::max(dot_of(count - 1).revision, deletion.revision);
  if (deleted) newest = std::max(newest, deletion_of(count - 1).revision);
  return later ? std::max(newest, later->back().revision) : newest;
}

bool same_later(const LaterDeletions& a, const LaterDeletions& b) {
  return a == b || (a && b && *a == *b);
}

std::size_t prefix_bytes(std::string_view content, std::uint32_t units, SequenceUnit unit) {
  std::size_t size = 0;
  if (unit == SequenceUnit::kScalar) {
    for (; units > 0; --units) size += scalar_size(static_cast<unsigned char>(content[size]));
  } else {
    for (; units > 0; --units) size += element_size(content, size);
  }
  return size;
}

std::size_t piece_bytes(std::string_view content, SequenceUnit unit) {
  std::size_t size = 0;
  for (std::uint32_t units = 0; units < kSpanUnits && size < content.size(); ++units) {
    const std::size_t next = size + prefix_bytes(content.substr(size), 1, unit);
    if (next > kSpanBytes && units > 0) break;
    size = next;
  }
  return size;
}

std::uint32_t units_in(std::string_view content, SequenceUnit unit) {
  if (unit == SequenceUnit::kScalar)
    return static_cast<std::uint32_t>(std::ranges::count_if(
        content, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
  std::uint32_t units = 0;
  for (std::size_t at = 0; at < content.size(); ++units) at += element_size(content, at);
  return units;
}

SequenceSpan split_span(SequenceSpan& span, std::uint32_t units, std::uint32_t bytes) {
  SequenceSpan rest = span;
  rest.dot = span.dot_of(units);
  rest.offset += span.rising || span.base() ? 0 : units;
  rest.count -= units;
  rest.bytes -= bytes;
  rest.left = span.name_of(units - 1);
  if (span.deleted) rest.deletion = span.deletion_of(units);
  span.count = units;
  span.bytes = bytes;
  normalise(span);
  normalise(rest);
  return rest;
}

// ---- joints ------------------------------------------------------------------------------------

std::optional<bool> name_joint(const SequenceSpan& span, const SequenceSpan& next) {
  if (span.base() || next.base())
    return span.base() && next.base() ? std::optional(false) : std::nullopt;
  const std::uint32_t last = span.count - 1;
  const SpanDot dot = span.dot_of(last);
  if (next.right != span.right || next.left != span.name_of(last)) return std::nullopt;
  if (next.dot == dot && next.offset == span.offset + (span.rising ? 0 : last) + 1) return false;
  if (next.dot == dot.after(1) && next.offset == span.offset + (span.rising ? 0 : last))
    return true;
  return std::nullopt;
}

std::optional<std::int8_t> deletion_joint(const SequenceSpan& span, const SequenceSpan& next) {
  if (span.deleted != next.deleted) return std::nullopt;
  if (!span.deleted) return 0;
  if (!same_later(span.later, next.later)) return std::nullopt;
  const SpanDot last = span.deletion_of(span.count - 1);
  if (next.deletion == last) return 0;
  if (span.gone() || next.gone()) return std::nullopt;
  if (next.deletion == last.after(1)) return 1;
  if (next.deletion == last.after(-1)) return -1;
  return std::nullopt;
}

std::uint32_t names_continue(const SequenceSpan& span, const SequenceSpan& next) {
  const std::optional<bool> rising = name_joint(span, next);
  if (!rising || (span.count > 1 && span.rising != *rising)) return 0;
  return next.count == 1 || next.rising == *rising ? next.count : 1;
}

std::uint32_t deletions_continue(const SequenceSpan& span, const SequenceSpan& next) {
  const std::optional<std::int8_t> step = deletion_joint(span, next);
  if (!step || (span.count > 1 && span.step != *step)) return 0;
  return next.count == 1 || next.step == *step ? next.count : 1;
}

bool join_span(SequenceSpan& span, const SequenceSpan& next) {
  if (names_continue(span, next) != next.count || deletions_continue(span, next) != next.count)
    return false;
  // Tombstones have no content, so nothing makes a long one costly.
  if (!span.deleted &&
      (span.count + next.count > kSpanUnits || span.bytes + next.bytes > kSpanBytes))
    return false;
  if (span.count > UINT32_MAX - next.count) return false;
  span.rising = *name_joint(span, next);
  span.step = *deletion_joint(span, next);
  span.count += next.count;
  span.bytes += next.bytes;
  return true;
}

}  // namespace waggle
