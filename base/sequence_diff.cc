#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/sequence.h"
#include "base/sequence_diff_format.h"

namespace waggle {
namespace {

using namespace sequence_diff_format;

// The writers of one tree by their places in the other one; UINT32_MAX: not there.
std::vector<std::uint32_t> writer_places(const SequenceTree& of, const SequenceTree& in) {
  std::vector<std::uint32_t> places;
  for (std::size_t i = 0; i < of.writers().size(); ++i) {
    const SequenceWriter& writer = of.writers()[i];
    if (i < in.writers().size() && in.writers()[i] == writer) {
      places.push_back(static_cast<std::uint32_t>(i));
      continue;
    }
    const auto found = std::ranges::find(in.writers(), writer);
    places.push_back(found == in.writers().end()
                         ? UINT32_MAX
                         : static_cast<std::uint32_t>(found - in.writers().begin()));
  }
  return places;
}

// What is left of a sequence, span by span, with the writers' places in `named`.
class Rest {
 public:
  Rest(const SequenceTree& tree, const SequenceTree& named)
      : tree_(tree), places_(writer_places(tree, named)) {
    load({});
  }

  [[nodiscard]] bool at_end() const { return place_.group == tree_.root().size(); }
  [[nodiscard]] const SequenceSpan& span() const { return span_; }
  [[nodiscard]] std::string_view content() const { return content_; }
  [[nodiscard]] std::size_t bytes_of(std::uint32_t units) const {
    if (span_.deleted) return 0;
    return units == span_.count ? content_.size() : prefix_bytes(content_, units, tree_.unit());
  }

  // The name of the unit before what is left.
  [[nodiscard]] UnitRef before() const {
    if (!whole_) return span_.base() ? UnitRef{} : span_.left;
    const SequenceSpan* const before = tree_.before(place_);
    return before != nullptr ? before->name_of(before->count - 1) : UnitRef{};
  }

  void pass(std::uint32_t units) {
    if (units == span_.count) return load(tree_.behind(place_));
    const std::size_t bytes = bytes_of(units);
    span_ = split_span(span_, units, static_cast<std::uint32_t>(bytes));
    content_.remove_prefix(bytes);
    whole_ = false;
  }

  // Passes a group or a chunk that both share and have before them. Gives its units.
  static std::uint64_t pass_shared(Rest& a, Rest& b) {
    if (a.at_end() || b.at_end() || !a.at_chunk() || !b.at_chunk()) return 0;
    const auto& group_a = a.tree_.root()[a.place_.group];
    const auto& group_b = b.tree_.root()[b.place_.group];
    if (group_a.node == group_b.node && a.place_.chunk == 0 && b.place_.chunk == 0) {
      const std::uint64_t units = group_a.sum.total;
      a.load({a.place_.group + 1, 0, 0});
      b.load({b.place_.group + 1, 0, 0});
      return units;
    }
    const auto& chunk_a = (*group_a.node)[a.place_.chunk];
    const auto& chunk_b = (*group_b.node)[b.place_.chunk];
    if (chunk_a.node != chunk_b.node) return 0;
    const std::uint64_t units = chunk_a.sum.total;
    a.load({a.place_.group, a.place_.chunk + 1, 0});
    b.load({b.place_.group, b.place_.chunk + 1, 0});
    return units;
  }

 private:
  [[nodiscard]] bool at_chunk() const { return whole_ && place_.span == 0; }
  void load(SequenceTree::Place place) {
    place_ = tree_.exact(place);
    whole_ = true;
    if (at_end()) return;
    span_ = *tree_.at(place_);
    content_ = tree_.content_of(place_);
    const auto rename = [this](SpanDot& dot) {
      if (dot.revision != 0) dot.writer = places_[dot.writer];
    };
    rename(span_.dot);
    rename(span_.deletion);
    if (!span_.later) return;
    auto later = std::make_shared<std::vector<SpanDot>>(*span_.later);
    std::ranges::for_each(*later, rename);
    span_.later = std::move(later);
  }

  const SequenceTree& tree_;
  std::vector<std::uint32_t> places_;
  SequenceTree::Place place_;
  bool whole_ = true;  // at the beginning of a span
  SequenceSpan span_;
  std::string_view content_;
};

// How many first units of both are the same; what is to be done with their deletions.
struct Match {
  std::uint32_t units = 0;
  What what = kKeep;
};

Match match(const Rest& from, const Rest& to) {
  const SequenceSpan& a = from.span();
  const SequenceSpan& b = to.span();
  if (a.dot != b.dot || a.offset != b.offset || a.left != b.left || a.right != b.right ||
      a.gone() != b.gone() || (a.deleted && !b.deleted))
    return {};
  std::uint32_t units = std::min(a.count, b.count);
  if (a.rising != b.rising) units = 1;
  if (!a.deleted && !b.deleted) {
    const auto same = [&](std::uint32_t first) {
      return from.content().substr(0, from.bytes_of(first)) ==
             to.content().substr(0, to.bytes_of(first));
    };
    if (!same(units)) units = same(1) ? 1 : 0;
    return {units, kKeep};
  }
  const bool same = a.deleted && a.deletion == b.deletion && same_later(a.later, b.later);
  if (same && a.step != b.step) units = 1;
  return {units, same ? kKeep : kMark};
}

struct Piece {
  SequenceSpan span;
  std::string_view content;
};

std::vector<Piece> pieces_of(Rest& rest) {
  std::vector<Piece> pieces;
  for (; !rest.at_end(); rest.pass(rest.span().count))
    pieces.push_back({rest.span(), rest.content()});
  return pieces;
}

// The last units of a piece; it keeps the others, if there are any.
Piece cut_end(Piece& piece, std::uint32_t units, SequenceUnit unit) {
  if (units == piece.span.count) return std::exchange(piece, {});
  const std::uint32_t others = piece.span.count - units;
  const std::size_t bytes = piece.span.deleted ? 0 : prefix_bytes(piece.content, others, unit);
  Piece end{split_span(piece.span, others, static_cast<std::uint32_t>(bytes)),
            piece.content.substr(bytes)};
  piece.content = piece.content.substr(0, bytes);
  return end;
}

bool same(const Piece& a, const Piece& b) {
  return a.span.dot == b.span.dot && a.span.offset == b.span.offset &&
         a.span.rising == b.span.rising && a.span.left == b.span.left &&
         a.span.right == b.span.right && a.span.deleted == b.span.deleted &&
         a.span.step == b.span.step && a.span.deletion == b.span.deletion &&
         same_later(a.span.later, b.span.later) && a.content == b.content;
}

// Takes off what both end with.
void cut_same_end(std::vector<Piece>& from, std::vector<Piece>& to, SequenceUnit unit) {
  while (!from.empty() && !to.empty()) {
    const std::uint32_t units = std::min(from.back().span.count, to.back().span.count);
    Piece a = from.back();
    Piece b = to.back();
    if (!same(cut_end(a, units, unit), cut_end(b, units, unit))) return;
    for (auto [pieces, head] : {std::pair(&from, &a), std::pair(&to, &b)}) {
      pieces->pop_back();
      if (head->span.count > 0) pieces->push_back(std::move(*head));
    }
  }
}

class DiffWriter {
 public:
  DiffWriter(const SequenceTree& from, const SequenceTree& to, Revision newest)
      : newest_(newest.value()), tree_(to), a_(from, to), b_(to, to) {
    last_.revision = newest_;
  }

  std::string write(ByteWriter head) {
    while (!a_.at_end() || !b_.at_end()) {
      if (const std::uint64_t units = Rest::pass_shared(a_, b_); units > 0) {
        keep(units);
      } else if (!one_step()) {
        replace_rest();
      }
    }
    say(kDrop, dropped_);
    head.number(order_.size());
    for (const std::uint32_t writer : order_) {
      head.string(tree_.writers()[writer].agent.value());
      head.fixed64(tree_.writers()[writer].incarnation.value());
    }
    head.raw(out_.take());
    return head.take();
  }

 private:
  // False when it can't be told what has become of what.
  bool one_step() {
    const Match same = a_.at_end() || b_.at_end() ? Match{} : match(a_, b_);
    if (same.units > 0) {
      if (same.what == kMark) {
        say_kept();
        out_.number(std::uint64_t{same.units} << 2 | kMark);
        SequenceSpan marked = b_.span();
        if (same.units < marked.count) (void)split_span(marked, same.units, 0);
        deletions(marked);
      } else {
        keep(same.units);
      }
      a_.pass(same.units);
      b_.pass(same.units);
      return true;
    }
    if (!b_.at_end() && (b_.span().dot.revision > newest_ || b_.span().gone())) {
      const UnitRef behind = a_.at_end() ? UnitRef{} : a_.span().name_of(0);
      put({b_.span(), b_.content()}, b_.before(), behind);
      b_.pass(b_.span().count);
      return true;
    }
    if (!a_.at_end() && a_.span().gone()) {
      drop(a_.span().count);
      a_.pass(a_.span().count);
      return true;
    }
    return false;
  }

  // Everything but what both end with is new.
  void replace_rest() {
    UnitRef before = b_.before();
    std::vector<Piece> from = pieces_of(a_);
    std::vector<Piece> to = pieces_of(b_);
    cut_same_end(from, to, tree_.unit());
    for (const Piece& piece : to) {
      put(piece, before, {});
      before = piece.span.name_of(piece.span.count - 1);
    }
    for (const Piece& piece : from) drop(piece.span.count);
  }

  // Neighbouring steps of one kind are one, and the last one to keep is left out.
  void keep(std::uint64_t units) {
    say(kDrop, dropped_);
    kept_ += units;
  }
  void drop(std::uint64_t units) {
    say(kKeep, kept_);
    dropped_ += units;
  }
  void say_kept() {
    say(kDrop, dropped_);
    say(kKeep, kept_);
  }
  void say(What what, std::uint64_t& units) {
    if (units > 0) out_.number(units << 2 | what);
    units = 0;
  }

  void put(const Piece& piece, const UnitRef& before, const UnitRef& behind) {
    const SequenceSpan& span = piece.span;
    say_kept();
    out_.number(std::uint64_t{span.count} << 2 | kPut);
    const Origin left = origin(span.left, before);
    const Origin right = origin(span.right, behind);
    out_.u8(static_cast<std::uint8_t>((span.base() ? kBase : 0) | (span.rising ? kRising : 0) |
                                      (span.deleted ? kDeleted : 0) | (left << kLeftShift) |
                                      (right << kRightShift)));
    if (!span.base()) {
      dot(span.dot);
      out_.number(span.offset);
    }
    if (left == kNamed) name(span.left, span.dot);
    if (right == kNamed) name(span.right, span.dot);
    if (span.deleted)
      deletions(span);
    else
      out_.string(piece.content);
  }

  static Origin origin(const UnitRef& ref, const UnitRef& neighbour) {
    if (ref.kind == UnitRef::Kind::kNear) return kNearest;
    if (ref.kind == UnitRef::Kind::kFar) return kBeyond;
    return ref == neighbour ? kNeighbour : kNamed;
  }
  void name(const UnitRef& ref, const SpanDot& near) {
    out_.signed_number(static_cast<std::int64_t>(ref.revision - near.revision));
    out_.number(ref.index);
    out_.number(ref.offset);
  }
  void dot(const SpanDot& dot) {
    const auto place = std::ranges::find(order_, dot.writer);
    out_.number(static_cast<std::uint64_t>(place - order_.begin()));
    if (place == order_.end()) order_.push_back(dot.writer);
    out_.signed_number(static_cast<std::int64_t>(dot.revision - last_.revision));
    out_.number(dot.index);
    out_.signed_number(static_cast<std::int64_t>(dot.seq - last_.seq));
    last_ = dot;
  }
  void deletions(const SequenceSpan& span) {
    out_.u8(static_cast<std::uint8_t>((span.gone() ? kGone : 0) | (span.later ? kLater : 0) |
                                      ((span.step + 1) << kStepShift)));
    if (!span.gone()) dot(span.deletion);
    if (!span.later) return;
    out_.number(span.later->size());
    for (const SpanDot& each : *span.later) dot(each);
  }

  std::uint64_t newest_;
  const SequenceTree& tree_;
  Rest a_;
  Rest b_;
  SpanDot last_;
  std::uint64_t kept_ = 0;
  std::uint64_t dropped_ = 0;
  std::vector<std::uint32_t> order_;  // writers as first used
  ByteWriter out_;
};

}  // namespace

std::string diff(const Sequence& from, const Sequence& to) {
  ByteWriter out;
  if (from.unit() != to.unit() || from.base_ > to.base_) {
    out.u8(kWhole);
    out.raw(encode(to));
    return out.take();
  }
  Sequence folded = from;
  folded.fold(to.base_);
  out.u8(kSteps);
  out.fixed64(check_of(from.hash(), to.hash()));
  out.number(to.base_.value());
  return DiffWriter(folded.tree_, to.tree_, from.newest()).write(std::move(out));
}

}  // namespace waggle
