#include "base/sequence.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sequence_runs.h"
#include "base/sequence_view.h"
#include "base/shape.h"

namespace waggle {

// ---- what an author sees -----------------------------------------------------------------------

bool SequenceView::sees(const SpanDot& dot) const {
  if (everything_ || dot.revision <= author_.seen.value()) return true;
  if (dot.revision == own_.revision && dot.index == own_.index) return true;
  if (!author_.seen_dot) return false;
  if (asked_writer_ != dot.writer) {
    const SequenceWriter& writer = tree_.writers()[dot.writer];
    asked_.writer = {writer.agent, writer.incarnation, {}};
    asked_writer_ = dot.writer;
  }
  asked_.revision = Revision(dot.revision);
  asked_.index = dot.index;
  asked_.writer.seq = Seq(dot.seq);
  return author_.seen_dot(asked_);
}

bool SequenceView::visible(const SequenceSpan& span, std::uint32_t unit) const {
  if (everything_) return !span.deleted;
  if (!sees(span.dot_of(unit))) return false;
  if (!span.deleted) return true;
  if (sees(span.deletion_of(unit))) return false;
  return !span.later ||
         std::ranges::none_of(*span.later, [this](const SpanDot& dot) { return sees(dot); });
}

SequenceView::Stretch SequenceView::stretch(const SequenceSpan& span, std::uint32_t from) const {
  Stretch stretch{span.count - from, visible(span, from)};
  if (everything_ || (!span.rising && span.step == 0)) return stretch;
  if (span.newest() <= author_.seen.value()) return stretch;
  std::uint32_t unit = from + 1;
  while (unit < span.count && visible(span, unit) == stretch.visible) ++unit;
  stretch.units = unit - from;
  return stretch;
}

std::uint64_t Sequence::visible_to(const SequenceView& view) const {
  if (view.sees_all_to(tree_.sum().newest)) return tree_.sum().visible;
  std::uint64_t visible = 0;
  for (const auto& group : tree_.root()) {
    if (view.sees_all_to(group.sum.newest)) {
      visible += group.sum.visible;
      continue;
    }
    for (const auto& chunk : *group.node) {
      if (view.sees_all_to(chunk.sum.newest)) {
        visible += chunk.sum.visible;
        continue;
      }
      for (const SequenceSpan& span : chunk.node->spans) {
        for (std::uint32_t unit = 0; unit < span.count;) {
          const SequenceView::Stretch stretch = view.stretch(span, unit);
          if (stretch.visible) visible += stretch.units;
          unit += stretch.units;
        }
      }
    }
  }
  return visible;
}

// The place behind so many units that the author sees; it splits a span for it.
Sequence::Place Sequence::behind(std::uint64_t units, const SequenceView& view) {
  if (units == 0) return {};
  const SequenceRoot& root = tree_.root();
  for (Place place; place.group < root.size(); place = {place.group + 1, 0, 0}) {
    const auto& group = root[place.group];
    const auto passed = [&](const SequenceSum& sum) {
      if (!view.sees_all_to(sum.newest) || sum.visible >= units) return false;
      units -= sum.visible;
      return true;
    };
    if (passed(group.sum)) continue;
    for (; place.chunk < group.node->size(); place = {place.group, place.chunk + 1, 0}) {
      const auto& chunk = (*group.node)[place.chunk];
      if (passed(chunk.sum)) continue;
      for (; place.span < chunk.node->spans.size(); ++place.span) {
        const SequenceSpan& span = chunk.node->spans[place.span];
        for (std::uint32_t unit = 0; unit < span.count;) {
          const SequenceView::Stretch stretch = view.stretch(span, unit);
          if (!stretch.visible || stretch.units < units) {
            units -= stretch.visible ? stretch.units : 0;
            unit += stretch.units;
            continue;
          }
          unit += static_cast<std::uint32_t>(units);
          if (unit < span.count) return tree_.split(place, unit);
          return {place.group, place.chunk, place.span + 1};
        }
      }
    }
  }
  WAGGLE_CHECK(false, "a position beyond what its author sees");
}

// ---- editing -----------------------------------------------------------------------------------

namespace {

// What an edit inserts as content of spans, or why it can't be.
Result<std::string> content_of(const SequenceEdit& edit, SequenceUnit unit) {
  std::string content;
  for (const std::string& piece : edit.inserted) {
    if (unit == SequenceUnit::kScalar) {
      if (!is_utf8(piece))
        return failed(Code::kRejected, "edit of a text: expected UTF-8, got other bytes");
      content += piece;
      continue;
    }
    if (piece.size() > limits::kElementBytes)
      return failed(Code::kRejected, fmt::format("element: expected at most {} bytes, got {}",
                                                 limits::kElementBytes, piece.size()));
    ByteWriter element(piece.size() + 2);
    element.string(piece);
    content += element.take();
  }
  return content;
}

SpanDot span_dot(const Dot& dot, SequenceTree& tree) {
  return {dot.revision.value(), dot.writer.seq.value(), dot.index,
          tree.writer_place(dot.writer.agent, dot.writer.incarnation)};
}

// A total order of concurrent units that does not depend on which came first.
bool goes_before(const SequenceSpan& a, const SequenceSpan& b, const SequenceTree& tree) {
  if (tree.writer_less(a.dot.writer, b.dot.writer)) return true;
  if (tree.writer_less(b.dot.writer, a.dot.writer)) return false;
  return std::tie(a.dot.seq, a.dot.index, a.offset) < std::tie(b.dot.seq, b.dot.index, b.offset);
}

bool are_among(std::span<const SequenceSpan* const> spans, const UnitRef& name) {
  return std::ranges::any_of(
      spans, [&](const SequenceSpan* span) { return span->find(name) < span->count; });
}

// How many of the spans that its author does not know come before a new one: FugueMax, told as a
// walk over the list from the left origin to the right one. What hangs on a passed unit is passed
// with it; among those with the same left origin the one whose right origin is further right comes
// first. Here a right origin is either among the unknown, so before that of the new one, or the
// same, or behind it.
std::size_t place_among(std::span<const SequenceSpan* const> unknown, const SequenceSpan& fresh,
                        const SequenceTree& tree) {
  std::size_t place = 0;
  bool scanning = false;
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const SequenceSpan& other = *unknown[i];
    if (other.left == fresh.left) {
      const bool same_right = other.right == fresh.right;
      if (same_right && goes_before(fresh, other, tree)) break;
      scanning = !same_right && are_among(unknown.subspan(i), other.right);
    } else if (!are_among(unknown.first(i), other.left)) {
      break;  // it hangs on something further left
    }
    if (!scanning) place = i + 1;
  }
  return place;
}

}  // namespace

Status Sequence::edit(const std::vector<SequenceEdit>& edits, const Dot& dot,
                      const Author& author) {
  if (!reaches(author.seen))
    return failed(
        Code::kRejected,
        fmt::format("the edit speaks of revision {}, the history is kept from revision {} "
                    "on; read it again and edit what stands now",
                    author.seen.value(), base_.value()));
  WAGGLE_CHECK(dot.revision >= newest() && dot.revision.value() > 0,
               "a dot below one that is there");
  // Named before its writer has a place, which a refused edit does not get.
  const SpanDot nobody{dot.revision.value(), 0, dot.index, 0};
  std::uint64_t visible = visible_to(SequenceView(author, tree_, nobody));
  std::vector<std::string> contents;
  contents.reserve(edits.size());
  bool nothing = true;
  for (const SequenceEdit& edit : edits) {
    if (edit.at > visible || edit.removed > visible - edit.at)
      return failed(Code::kRejected,
                    fmt::format("edit {} of {}: expected a position in what its author saw, got {} "
                                "with {} to remove; it saw {} units",
                                contents.size() + 1, edits.size(), edit.at, edit.removed, visible));
    Result<std::string> content = content_of(edit, unit());
    if (!content) return std::unexpected(content.error());
    nothing = nothing && edit.removed == 0 && content->empty();
    visible += units_in(*content, unit()) - edit.removed;
    contents.push_back(*std::move(content));
  }
  if (nothing) return {};
  const SpanDot own = span_dot(dot, tree_);
  const SequenceView view(author, tree_, own);
  std::uint32_t offset = 0;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].removed > 0) remove(edits[i].at, edits[i].removed, own, view);
    if (!contents[i].empty()) insert(edits[i].at, contents[i], own, offset, view);
  }
  return {};
}

bool Sequence::remove_seen(const Author& author, const Dot& dot) {
  WAGGLE_CHECK(reaches(author.seen), "an author below the base");
  WAGGLE_CHECK(dot.revision >= newest() && dot.revision.value() > 0,
               "a dot below one that is there");
  const SpanDot nobody{dot.revision.value(), 0, dot.index, 0};
  const std::uint64_t visible = visible_to(SequenceView(author, tree_, nobody));
  if (visible == 0) return false;
  const SpanDot own = span_dot(dot, tree_);
  remove(0, visible, own, SequenceView(author, tree_, own));
  return true;
}

void Sequence::remove(std::uint64_t at, std::uint64_t count, const SpanDot& dot,
                      const SequenceView& view) {
  Place place = behind(at, view);
  while (count > 0) {
    place = tree_.exact(place);
    const SequenceSpan& span = *tree_.at(place);
    const SequenceView::Stretch stretch = view.stretch(span, 0);
    const auto units = static_cast<std::uint32_t>(
        stretch.visible ? std::min<std::uint64_t>(stretch.units, count) : stretch.units);
    const bool whole = units == span.count;
    if (!stretch.visible) {
      place = whole ? tree_.behind(place) : tree_.split(place, units);
      continue;
    }
    if (!whole) {
      place = tree_.split(place, units);
      --place.span;  // both halves stand in one chunk, or the first at the end of its chunk
    }
    count -= units;
    tree_.remove(place, dot);
    place = tree_.join(place);
  }
  (void)tree_.join(place);
}

void Sequence::insert(std::uint64_t at, std::string_view content, const SpanDot& dot,
                      std::uint32_t& offset, const SequenceView& view) {
  Place place = behind(at, view);
  SequenceSpan span;
  span.dot = dot;
  span.offset = offset;
  if (const SequenceSpan* before = tree_.before(place); at > 0 && before != nullptr)
    span.left = before->name_of(before->count - 1);
  std::vector<const SequenceSpan*> unknown;
  Place next = place;
  const SequenceSpan* behind = tree_.at(next);
  for (; behind != nullptr && !view.sees(behind->dot); behind = tree_.at(next)) {
    unknown.push_back(behind);
    next = tree_.behind(next);
  }
  if (behind != nullptr) span.right = behind->name_of(0);
  for (std::size_t passed = place_among(unknown, span, tree_); passed > 0; --passed)
    place = tree_.behind(place);
  while (!content.empty()) {
    const std::string_view piece = content.substr(0, piece_bytes(content, unit()));
    span.count = units_in(piece, unit());
    span.bytes = static_cast<std::uint32_t>(piece.size());
    span.offset = offset;
    place = tree_.insert(place, span, piece);
    span.left = span.name_of(span.count - 1);
    offset += span.count;
    content.remove_prefix(piece.size());
  }
}

// ---- reading -----------------------------------------------------------------------------------

std::string Sequence::text() const {
  std::string text;
  text.reserve(tree_.content_bytes());
  for (const auto& group : tree_.root())
    for (const auto& chunk : *group.node) text += chunk.node->content;
  return text;
}

std::vector<std::string> Sequence::elements() const {
  std::vector<std::string> elements;
  elements.reserve(size());
  for (const auto& group : tree_.root())
    for (const auto& chunk : *group.node) {
      ByteReader content("list", chunk.node->content);
      while (!content.at_end()) elements.emplace_back(content.string(limits::kElementBytes));
    }
  return elements;
}

Revision Sequence::newest() const {
  return std::max(base_, Revision(tree_.sum().newest));
}

Hash128 Sequence::hash() const {
  CanonicalBytes head;
  head.u8(static_cast<std::uint8_t>(unit()));
  head.u64(base_.value());
  Hash128 hash = hash128(head.bytes());
  hash += tree_.hash();
  return hash;
}

std::size_t Sequence::runs() const {
  std::size_t runs = 0;
  tree_.for_each([&](const SequenceSpan&, std::string_view) { ++runs; });
  return runs;
}

bool operator==(const Sequence& a, const Sequence& b) {
  if (a.unit() != b.unit() || a.base_ != b.base_) return false;
  if (&a.tree_.root() == &b.tree_.root()) return true;
  return a.hash() == b.hash() && encode(a) == encode(b);
}

void Sequence::check_invariants() const {
  tree_.check_invariants();
  const Status sound = check_names(tree_, base_);
  WAGGLE_CHECK(sound.has_value(), sound.error().text);
}

}  // namespace waggle
