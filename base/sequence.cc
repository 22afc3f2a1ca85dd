#include "base/sequence.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace waggle {
namespace {

std::uint32_t scalars_in(std::string_view text) {
  return static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

using IdKey = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>;

IdKey key_of(const UnitId& id) {
  return {id.revision, id.index, id.offset};
}

}  // namespace

// ---- what an author sees -----------------------------------------------------------------------

Dot Sequence::dot_of(const SpanDot& dot) const {
  Writer writer = (*writers_)[dot.writer];
  writer.seq = Seq(dot.seq);
  return {Revision(dot.revision), dot.index, std::move(writer)};
}

bool Sequence::seen(const SpanDot& dot, const Author& author, const Dot& own) const {
  if (dot.revision <= author.seen.value()) return true;
  if (dot.revision == own.revision.value() && dot.index == own.index) return true;
  return author.seen_dot(dot_of(dot));
}

namespace {

// One unit of a span, by a predicate on dots.
template <typename Seen>
bool unit_visible(const SequenceSpan& span, std::uint32_t unit, const Seen& seen) {
  if (!seen(span.dot_of(unit))) return false;
  return std::none_of(span.deletions.begin(), span.deletions.end(),
                      [&](const SpanDeletion& deletion) { return seen(deletion.of(unit)); });
}

}  // namespace

// The place behind that many units that the author sees, and the last of them.
Sequence::Place Sequence::behind_visible(std::uint64_t units, const Author& author, const Dot& own,
                                         UnitId& left) {
  left = {};
  if (units == 0) return {};
  const auto sees = [&](const SpanDot& dot) { return seen(dot, author, own); };
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    const SequenceChunk& chunk = *chunks_[c];
    const bool all_seen = chunk.newest <= author.seen.value();
    if (all_seen && chunk.visible < units) {
      units -= chunk.visible;
      continue;
    }
    for (std::size_t s = 0; s < chunk.spans.size(); ++s) {
      const SequenceSpan& span = chunk.spans[s];
      std::uint32_t unit = 0;
      if (all_seen || span.newest() <= author.seen.value()) {
        if (!span.visible()) continue;
        if (span.count < units) {
          units -= span.count;
          continue;
        }
        unit = static_cast<std::uint32_t>(units - 1);
        units = 0;
      } else {
        for (; unit < span.count; ++unit)
          if (unit_visible(span, unit, sees) && --units == 0) break;
        if (units > 0) continue;
      }
      left = span.id_of(unit);
      if (unit + 1 < span.count) return split({c, s}, unit + 1);
      return {c, s + 1};
    }
  }
  WAGGLE_CHECK(false, "a position beyond what its author sees");
}

std::uint64_t Sequence::visible_to(const Author& author, const Dot& own) const {
  if (newest_ <= author.seen) return visible_;
  const auto sees = [&](const SpanDot& dot) { return seen(dot, author, own); };
  std::uint64_t visible = 0;
  for (const ChunkPtr& chunk : chunks_) {
    if (chunk->newest <= author.seen.value()) {
      visible += chunk->visible;
      continue;
    }
    for (const SequenceSpan& span : chunk->spans)
      for (std::uint32_t unit = 0; unit < span.count; ++unit)
        visible += unit_visible(span, unit, sees) ? 1 : 0;
  }
  return visible;
}

// ---- editing -----------------------------------------------------------------------------------

std::uint32_t Sequence::writer_place(const Writer& writer) {
  const Writer row{writer.agent, writer.incarnation, {}};
  const std::size_t size = writers_ ? writers_->size() : 0;
  for (std::size_t i = size; i-- > 0;)
    if ((*writers_)[i] == row) return static_cast<std::uint32_t>(i);
  auto more = writers_ ? std::make_shared<std::vector<Writer>>(*writers_)
                       : std::make_shared<std::vector<Writer>>();
  more->push_back(row);
  writers_ = std::move(more);
  return static_cast<std::uint32_t>(size);
}

Status Sequence::edit(const std::vector<SequenceEdit>& edits, const Dot& dot,
                      const Author& author) {
  std::uint64_t visible = visible_to(author, dot);
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const SequenceEdit& edit = edits[i];
    if (edit.at > visible || edit.removed > visible - edit.at)
      return failed(Code::kRejected,
                    fmt::format("{}position {}, {} to remove: its author saw {} units",
                                edits.size() > 1 ? fmt::format("edit {}: ", i + 1) : "", edit.at,
                                edit.removed, visible));
    visible -= edit.removed;
    for (const std::string& piece : edit.inserted)
      visible += unit_ == SequenceUnit::kScalar ? scalars_in(piece) : 1;
  }
  std::uint32_t offset = 0;
  for (const SequenceEdit& edit : edits) {
    if (edit.removed > 0) remove(edit.at, edit.removed, author, dot);
    if (edit.inserted.empty()) continue;
    std::string units;
    std::uint32_t count = 0;
    if (unit_ == SequenceUnit::kScalar) {
      for (const std::string& piece : edit.inserted) units += piece;
      count = scalars_in(units);
    } else {
      ByteWriter writer;
      for (const std::string& element : edit.inserted) writer.string(element);
      units = writer.take();
      count = static_cast<std::uint32_t>(edit.inserted.size());
    }
    if (count > 0) insert(edit.at, units, count, offset, author, dot);
    offset += count;
  }
  newest_ = std::max(newest_, dot.revision);
  return {};
}

void Sequence::remove(std::uint64_t at, std::uint64_t count, const Author& author, const Dot& own) {
  const auto sees = [&](const SpanDot& dot) { return seen(dot, author, own); };
  const SpanDot deleted{own.revision.value(), own.index, writer_place(own.writer),
                        own.writer.seq.value()};
  UnitId left;
  Place place = behind_visible(at, author, own, left);
  const std::size_t first_chunk = place.chunk;
  while (count > 0) {
    if (place.span >= chunks_[place.chunk]->spans.size()) {
      place = {place.chunk + 1, 0};
      continue;
    }
    const SequenceSpan& span = chunks_[place.chunk]->spans[place.span];
    // The first units that the author sees.
    std::uint32_t from = 0;
    while (from < span.count && !unit_visible(span, from, sees)) ++from;
    if (from == span.count) {
      ++place.span;
      continue;
    }
    std::uint32_t to = from;
    while (to < span.count && to - from < count && unit_visible(span, to, sees)) ++to;
    if (to < span.count) (void)split(place, to);
    if (from > 0) place = split(place, from);
    SequenceSpan gone = chunks_[place.chunk]->spans[place.span];
    cut(place);
    if (gone.deletions.size() < SequenceSpan::kDeletions) gone.deletions.push_back({deleted, 0});
    gone.bytes.clear();
    put(place, std::move(gone));
    join_around(place);
    // Joined or not, what was looked at is at or before the place: it is seen no more.
    count -= to - from;
  }
  join_around(place);
  join_around({place.chunk, place.span + 1});
  for (std::size_t c = place.chunk + 1; c-- > first_chunk;) split_chunk(c);
}

void Sequence::insert(std::uint64_t at, const std::string& units, std::uint32_t count,
                      std::uint32_t offset, const Author& author, const Dot& own) {
  SequenceSpan span;
  span.dot = {own.revision.value(), own.index, writer_place(own.writer), own.writer.seq.value()};
  span.offset = offset;
  span.count = count;
  span.bytes = units;
  Place place = behind_visible(at, author, own, span.left);
  // The next unit that the author knows of, deleted or not.
  Place known = place;
  const SequenceSpan* after = this->at(known);
  while (after != nullptr && !seen(after->dot, author, own)) {
    known = next(known);
    after = this->at(known);
  }
  if (after != nullptr) span.right = after->id_of(0);
  place = integrate(place, span, author, own);

  const std::size_t chunk = chunks_.empty() ? 0 : place.chunk;
  if (place.chunk >= chunks_.size() && !chunks_.empty())
    place = {chunks_.size() - 1, chunks_.back()->spans.size()};
  while (span.count > 0) {
    SequenceSpan rest;
    if (span.count > SequenceSpan::kUnits)
      rest = split_span(span, SequenceSpan::kUnits, unit_ == SequenceUnit::kScalar);
    put(place, std::move(span));
    ++place.span;
    span = std::move(rest);
  }
  // Only a piece of at most one span can go on with the run before it.
  if (count <= SequenceSpan::kUnits && place.span > 1) join_around({place.chunk, place.span - 1});
  split_chunk(std::min(chunk, chunks_.size() - 1));
  if (place.chunk != chunk) split_chunk(place.chunk);
}

// Where the new span goes among those that its author does not know, by FugueMax.
Sequence::Place Sequence::integrate(Place place, const SequenceSpan& fresh, const Author& author,
                                    const Dot& own) const {
  // Which of two right origins comes first; both are behind `place`.
  const auto compare = [&](const UnitId& a, const UnitId& b) {
    if (a == b) return 0;
    if (a.none) return 1;
    if (b.none) return -1;
    for (Place p = place; const SequenceSpan* span = this->at(p); p = next(p)) {
      const bool holds_a = span->holds(a);
      const bool holds_b = span->holds(b);
      if (holds_a && holds_b)
        return std::tie(a.revision, a.offset) < std::tie(b.revision, b.offset) ? -1 : 1;
      if (holds_a) return -1;
      if (holds_b) return 1;
    }
    return 1;
  };
  Place cursor = place;
  bool scanning = false;
  std::vector<const SequenceSpan*> passed;
  for (Place scan = place; const SequenceSpan* other = this->at(scan);) {
    if (seen(other->dot, author, own)) break;
    if (other->left == fresh.left) {
      const int order = compare(other->right, fresh.right);
      if (order == 0 && before(fresh, *other)) break;
      scanning = order < 0;
    } else if (std::none_of(passed.begin(), passed.end(),
                            [&](const SequenceSpan* one) { return one->holds(other->left); })) {
      break;  // it belongs to something further left
    }
    passed.push_back(other);
    scan = next(scan);
    if (!scanning) cursor = scan;
  }
  return cursor;
}

// A total order of concurrent siblings that does not depend on who came first.
bool Sequence::before(const SequenceSpan& a, const SequenceSpan& b) const {
  const Writer& first = (*writers_)[a.dot.writer];
  const Writer& second = (*writers_)[b.dot.writer];
  return std::tie(first.agent, first.incarnation, a.dot.seq, a.offset) <
         std::tie(second.agent, second.incarnation, b.dot.seq, b.offset);
}

bool Sequence::remove_seen(const Author& author, const Dot& dot) {
  const std::uint64_t visible = visible_to(author, dot);
  if (visible == 0) return false;
  remove(0, visible, author, dot);
  newest_ = std::max(newest_, dot.revision);
  return true;
}

// ---- folding -----------------------------------------------------------------------------------

namespace {

// The span cut where its units are no longer of commits up to the floor.
std::uint32_t units_up_to(const SequenceSpan& span, std::uint64_t floor) {
  if (span.dot.revision > floor) return 0;
  if (!span.rising) return span.count;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(span.count, floor - span.dot.revision + 1));
}

// The first unit for which `deletions` has another side of the floor than its first one.
std::uint32_t same_deletions(const SequenceSpan& span, std::uint64_t floor) {
  for (std::uint32_t unit = 1; unit < span.count; ++unit)
    for (const SpanDeletion& deletion : span.deletions)
      if ((deletion.of(unit).revision <= floor) != (deletion.dot.revision <= floor)) return unit;
  return span.count;
}

}  // namespace

void Sequence::fold(Revision floor) {
  if (floor <= base_) return;
  base_ = floor;
  newest_ = std::max(newest_, base_);
  const std::uint64_t limit = floor.value();
  const bool scalars = unit_ == SequenceUnit::kScalar;

  // Pieces that are on one side of the floor each, and what later units refer to.
  std::vector<SequenceSpan> pieces;
  std::set<IdKey> named;
  for (SequenceSpan& run : runs()) {
    while (run.count > 0) {
      std::uint32_t units = units_up_to(run, limit);
      const bool later = units == 0;
      if (later) units = run.count;
      SequenceSpan rest;
      if (units < run.count) rest = split_span(run, units, scalars);
      while (!later && run.count > 0) {
        SequenceSpan more;
        const std::uint32_t same = same_deletions(run, limit);
        if (same < run.count) more = split_span(run, same, scalars);
        pieces.push_back(std::move(run));
        run = std::move(more);
      }
      if (later) {
        if (!run.left.none) named.insert(key_of(run.left));
        if (!run.right.none) named.insert(key_of(run.right));
        pieces.push_back(std::move(run));
      }
      run = std::move(rest);
    }
  }

  // Everything up to the floor gets a number instead of its name; tombstones go, but those that
  // something later stands beside.
  std::vector<SequenceSpan> folded;
  std::map<IdKey, UnitId> renamed;
  std::uint32_t number = 0;
  const auto keep = [&](SequenceSpan piece) {
    for (std::uint32_t unit = 0; unit < piece.count; ++unit)
      if (named.contains(key_of(piece.id_of(unit))))
        renamed[key_of(piece.id_of(unit))] = {0, 0, number + unit, false};
    bool everybody = false;
    std::erase_if(piece.deletions, [&](const SpanDeletion& deletion) {
      const bool known = deletion.dot.revision <= limit;
      everybody = everybody || known;
      return known;
    });
    if (everybody) piece.deletions = {SpanDeletion{}};
    piece.dot = {};
    piece.rising = false;
    piece.offset = number;
    piece.left = number == 0 ? UnitId{} : UnitId{0, 0, number - 1, false};
    piece.right = {};
    number += piece.count;
    folded.push_back(std::move(piece));
  };
  for (SequenceSpan& piece : pieces) {
    if (piece.dot.revision > limit) {
      folded.push_back(std::move(piece));
      continue;
    }
    const bool known =
        std::any_of(piece.deletions.begin(), piece.deletions.end(),
                    [&](const SpanDeletion& deletion) { return deletion.dot.revision <= limit; });
    if (!known) {
      keep(std::move(piece));
      continue;
    }
    for (std::uint32_t unit = 0; unit < piece.count; ++unit) {
      if (!named.contains(key_of(piece.id_of(unit)))) continue;
      SequenceSpan one = piece;
      if (unit > 0) one = split_span(one, unit, scalars);
      if (one.count > 1) (void)split_span(one, 1, scalars);
      keep(std::move(one));
    }
  }
  for (SequenceSpan& piece : folded) {
    if (piece.folded()) continue;
    for (UnitId* id : {&piece.left, &piece.right})
      if (const auto found = renamed.find(key_of(*id)); !id->none && found != renamed.end())
        *id = found->second;
  }

  // Only writers that are still named.
  const auto old = writers_;
  writers_.reset();
  const auto intern = [&](SpanDot& dot) {
    if (dot.revision != 0) dot.writer = writer_place((*old)[dot.writer]);
  };
  for (SequenceSpan& piece : folded) {
    intern(piece.dot);
    for (SpanDeletion& deletion : piece.deletions) intern(deletion.dot);
  }
  std::vector<SequenceSpan> joined;
  for (SequenceSpan& piece : folded)
    if (joined.empty() || !extend_span(joined.back(), piece, UINT32_MAX, scalars))
      joined.push_back(std::move(piece));
  rebuild(std::move(joined));
}

Revision Sequence::fold_point(std::size_t target) const {
  std::map<std::uint64_t, std::size_t> costs;
  for (const ChunkPtr& chunk : chunks_)
    for (const SequenceSpan& span : chunk->spans)
      if (!span.folded() || !span.visible()) costs[span.newest()] += 56;
  std::size_t kept = 0;
  for (auto cost = costs.rbegin(); cost != costs.rend(); ++cost) {
    kept += cost->second;
    if (kept > target) return Revision(cost->first);
  }
  return base_;
}

bool operator==(const Sequence& a, const Sequence& b) {
  return a.unit_ == b.unit_ && a.base_ == b.base_ && a.total_ == b.total_ && a.hash_ == b.hash_ &&
         encode(a) == encode(b);
}

}  // namespace waggle
