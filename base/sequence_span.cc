#include "base/sequence_span.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace waggle {
namespace {

std::size_t scalar_bytes(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

std::size_t element_bytes(const std::string& bytes, std::size_t at) {
  std::size_t length = 0;
  unsigned shift = 0;
  std::size_t size = 0;
  while (true) {
    const auto byte = static_cast<unsigned char>(bytes[at + size++]);
    length |= std::size_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return size + length;
    shift += 7;
  }
}

// How the dots of a run go on from its first `count` units to `next`; nothing: they don't.
std::optional<std::int8_t> step_to(const SpanDeletion& run, std::uint32_t count,
                                   const SpanDot& next) {
  if (count > 1) return run.of(count) == next ? std::optional(run.step) : std::nullopt;
  if (run.dot == next) return 0;
  if (run.dot.revision == 0) return std::nullopt;
  for (const std::int8_t step : {1, -1})
    if (run.dot.after(step) == next) return step;
  return std::nullopt;
}

// Settles what one unit leaves open: equal spans have equal fields.
void normalise(SequenceSpan& span) {
  if (span.count > 1) return;
  span.rising = false;
  for (SpanDeletion& deletion : span.deletions) deletion.step = 0;
}

struct Joint {
  bool rising = false;
  std::vector<std::int8_t> steps;
};

// How the first unit of `next` continues the run; nothing: it doesn't.
std::optional<Joint> joint_of(const SequenceSpan& run, const SequenceSpan& next) {
  if (next.right != run.right || next.left != run.id_of(run.count - 1) ||
      run.deletions.size() != next.deletions.size())
    return std::nullopt;
  Joint joint;
  const bool same_commit = next.dot == run.dot && next.offset == run.offset + run.count;
  const bool next_commit =
      !run.folded() && next.dot == run.dot.after(run.count) && next.offset == run.offset;
  if (same_commit && (run.count == 1 || !run.rising)) {
    joint.rising = false;
  } else if (next_commit && (run.count == 1 || run.rising)) {
    joint.rising = true;
  } else {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < run.deletions.size(); ++i) {
    const auto step = step_to(run.deletions[i], run.count, next.deletions[i].dot);
    if (!step) return std::nullopt;
    joint.steps.push_back(*step);
  }
  return joint;
}

bool goes_on_so(const SequenceSpan& next, const Joint& joint) {
  if (next.count == 1) return true;
  if (next.rising != joint.rising) return false;
  for (std::size_t i = 0; i < joint.steps.size(); ++i)
    if (next.deletions[i].step != joint.steps[i]) return false;
  return true;
}

}  // namespace

std::uint64_t SequenceSpan::newest() const {
  std::uint64_t newest = dot_of(count - 1).revision;
  for (const SpanDeletion& deletion : deletions)
    newest = std::max({newest, deletion.dot.revision, deletion.of(count - 1).revision});
  return newest;
}

std::size_t unit_bytes(const std::string& bytes, std::size_t at, bool scalars) {
  return scalars ? scalar_bytes(static_cast<unsigned char>(bytes[at])) : element_bytes(bytes, at);
}

std::size_t prefix_bytes(const SequenceSpan& span, std::uint32_t units, bool scalars) {
  if (!span.visible()) return 0;  // of tombstones nothing is kept
  if (units == span.count) return span.bytes.size();
  if (scalars && span.bytes.size() == span.count) return units;
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < units; ++i) size += unit_bytes(span.bytes, size, scalars);
  return size;
}

SequenceSpan split_span(SequenceSpan& span, std::uint32_t units, bool scalars) {
  SequenceSpan rest;
  rest.dot = span.dot_of(units);
  rest.offset = span.id_of(units).offset;
  rest.rising = span.rising;
  rest.count = span.count - units;
  rest.left = span.id_of(units - 1);
  rest.right = span.right;
  rest.deletions = span.deletions;
  for (SpanDeletion& deletion : rest.deletions) deletion.dot = deletion.of(units);
  const std::size_t bytes = prefix_bytes(span, units, scalars);
  rest.bytes = span.bytes.substr(bytes);
  span.bytes.resize(bytes);
  span.count = units;
  normalise(span);
  normalise(rest);
  return rest;
}

bool extend_span(SequenceSpan& span, SequenceSpan& next, std::uint32_t most, bool scalars) {
  while (next.count > 0 && span.count < most) {
    const std::optional<Joint> joint = joint_of(span, next);
    if (!joint) return false;
    const std::uint32_t units =
        goes_on_so(next, *joint) ? std::min(most - span.count, next.count) : 1;
    const bool all = units == next.count;
    SequenceSpan rest;
    if (!all) rest = split_span(next, units, scalars);
    span.rising = joint->rising;
    for (std::size_t i = 0; i < joint->steps.size(); ++i) span.deletions[i].step = joint->steps[i];
    span.bytes += next.bytes;
    span.count += units;
    if (all) {
      next.count = 0;
      return true;
    }
    next = std::move(rest);
  }
  return next.count == 0;
}

}  // namespace waggle
