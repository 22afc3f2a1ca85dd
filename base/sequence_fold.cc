// Forgetting the names of what everybody has seen.
//
// Everybody who still writes has seen the base units and, of the gone ones, that they are deleted.
// So a new unit never has a gone unit as its left origin, and never comes to stand between two base
// units with nothing between them. Safety, why what later authors do comes out the same:
//
//  - An origin that becomes a base unit is compared only with base units next to what is looked at:
//    it is the nearest one on its side, or beyond.
//  - Of neighbouring gone units the first ends every walk that would reach the others: one is
//  enough.
//  - A gone unit before a base unit: the base unit ends the walk as well, and stands in for it.
//  - A gone unit before a named unit stays. It keeps that one apart from what is before it, and it
//    is the right origin of whoever writes there, whether he knows the named one or not. A unit
//    that was put behind it has no left origin that anybody could have: it is `kFar`.

#include <algorithm>
#include <utility>
#include <vector>

#include "base/sequence.h"

namespace waggle {
namespace {

struct Piece {
  SequenceSpan span;
  std::string_view content;
  bool dropped = false;
};

// Where the other side of the floor begins in what rises or falls from `first` by `step` a unit.
std::uint32_t units_on_side(std::uint64_t first, std::int64_t step, std::uint32_t count,
                            std::uint64_t floor) {
  const bool below = first <= floor;
  if (step == 0 || below == (step < 0)) return count;
  const std::uint64_t units = below ? floor - first + 1 : first - floor;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(units, count));
}

// The spans, cut so that each one's names and earliest deletions are on one side of the floor.
std::vector<Piece> pieces_of(const SequenceTree& tree, std::uint64_t floor) {
  std::vector<Piece> pieces;
  tree.for_each([&](const SequenceSpan& span, std::string_view content) {
    SequenceSpan rest = span;
    while (true) {
      std::uint32_t units =
          units_on_side(rest.dot.revision, rest.rising ? 1 : 0, rest.count, floor);
      if (rest.deleted)
        units =
            std::min(units, units_on_side(rest.deletion.revision, rest.step, rest.count, floor));
      if (units == rest.count) break;
      const std::size_t bytes = rest.deleted ? 0 : prefix_bytes(content, units, tree.unit());
      SequenceSpan next = split_span(rest, units, static_cast<std::uint32_t>(bytes));
      pieces.push_back({std::move(rest), content.substr(0, bytes)});
      content.remove_prefix(bytes);
      rest = std::move(next);
    }
    pieces.push_back({std::move(rest), content});
  });
  return pieces;
}

// One side of what is around a piece: the nearest unit that is base or becomes it.
class Side {
 public:
  explicit Side(std::uint64_t floor) : floor_(floor) {}
  // `name` of the unit nearest to what comes; kNear: it had none.
  void pass(const UnitRef& name) { nearest_ = name; }
  [[nodiscard]] UnitRef folded(UnitRef origin) const {
    if (origin.kind == UnitRef::Kind::kFar) return origin;
    if (origin.kind == UnitRef::Kind::kUnit && origin.revision > floor_) return origin;
    if (origin == nearest_) return {};
    return {UnitRef::Kind::kFar, 0, 0, 0};
  }

 private:
  std::uint64_t floor_;
  UnitRef nearest_;
};

void fold_left_origins(std::vector<Piece>& pieces, std::uint64_t floor) {
  Side side(floor);
  bool behind_gone = false;
  for (Piece& piece : pieces) {
    SequenceSpan& span = piece.span;
    if (span.dot.revision > floor) {
      span.left = side.folded(span.left);
      if (behind_gone && span.left.kind == UnitRef::Kind::kNear)
        span.left.kind = UnitRef::Kind::kFar;
      continue;
    }
    side.pass(span.name_of(span.count - 1));
    behind_gone = span.deleted && span.deletion.revision <= floor;
  }
}

void fold_right_origins(std::vector<Piece>& pieces, std::uint64_t floor) {
  Side side(floor);
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    SequenceSpan& span = piece->span;
    if (span.dot.revision > floor)
      span.right = side.folded(span.right);
    else
      side.pass(span.name_of(0));
  }
}

}  // namespace

void Sequence::fold(Revision floor) {
  if (floor <= base_) return;
  base_ = floor;
  if (tree_.sum().total == tree_.sum().visible && tree_.sum().base == tree_.sum().total) return;
  std::vector<Piece> pieces = pieces_of(tree_, floor.value());
  fold_left_origins(pieces, floor.value());
  fold_right_origins(pieces, floor.value());
  SequenceTree folded(unit());
  const auto named = [&](SpanDot& dot) {
    if (dot.revision == 0) return;
    const SequenceWriter& writer = tree_.writers()[dot.writer];
    dot.writer = folded.writer_place(writer.agent, writer.incarnation);
  };
  // A gone unit waits for what follows: a named one keeps it.
  bool gone_waits = false;
  for (Piece& piece : pieces) {
    SequenceSpan& span = piece.span;
    const bool base = span.dot.revision <= floor.value();
    if (base && span.deleted && span.deletion.revision <= floor.value()) {
      gone_waits = true;
      continue;
    }
    if (gone_waits && !base) {
      SequenceSpan gone;
      gone.count = 1;
      gone.deleted = true;
      folded.append(std::move(gone), {});
    }
    gone_waits = false;
    if (base) {
      span.dot = {};
      span.offset = 0;
      span.rising = false;
      span.left = span.right = {};
    }
    named(span.dot);
    named(span.deletion);
    if (span.later) {
      auto later = std::make_shared<std::vector<SpanDot>>(*span.later);
      std::ranges::for_each(*later, named);
      span.later = std::move(later);
    }
    folded.append(std::move(span), piece.content);
  }
  folded.recount();
  tree_ = std::move(folded);
}

// A name goes when the floor has passed its commit, a tombstone when it has passed the deletion.
Revision Sequence::fold_point(std::size_t target) const {
  std::vector<std::pair<std::uint64_t, std::size_t>> costs;
  std::size_t kept = history_bytes();
  tree_.for_each([&](const SequenceSpan& span, std::string_view) {
    const std::uint64_t last =
        std::max(span.dot_of(span.count - 1).revision, span.deletion.revision);
    if (last > base_.value()) costs.emplace_back(last, 1);
  });
  if (kept <= target || costs.empty()) return base_;
  std::ranges::sort(costs);
  // Each run takes its part of the whole.
  const std::size_t drop = costs.size() - costs.size() * target / kept;
  return Revision(costs[std::min(drop, costs.size()) - 1].first);
}

}  // namespace waggle
