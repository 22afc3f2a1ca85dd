// What sequence_format.h says, written.

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/sequence.h"
#include "base/sequence_format.h"
#include "base/sequence_runs.h"

namespace waggle {
namespace {

using namespace sequence_format;
using Kind = UnitRef::Kind;

struct Columns {
  ByteWriter name_flags, name_counts, distances, revisions, name_dots;
  ByteWriter deletion_flags, deletion_counts, deletion_dots;
};

class Encoder {
 public:
  Encoder(const SequenceTree& tree, Revision base)
      : tree_(tree), base_(base), runs_(runs_of(tree)), index_(runs_.names) {}

  std::string write() {
    sort_writers();
    ByteWriter out(runs_.content.size() + runs_.names.size() * 8 + 64);
    out.u8(kFormat);
    out.u8(static_cast<std::uint8_t>(tree_.unit()));
    out.number(base_.value());
    out.number(by_name_.size());
    for (const std::uint32_t writer : by_name_) {
      out.string(tree_.writers()[writer].agent.value());
      out.fixed64(tree_.writers()[writer].incarnation.value());
    }
    Expected expected(by_name_.size());
    for (std::size_t i = 0; i < runs_.names.size(); ++i) names(i, expected);
    Expected expected_deletion(by_name_.size());
    std::uint64_t start = 0;
    for (const SequenceSpan& run : runs_.deletions) {
      deletions(run, start, expected_deletion);
      start += run.count;
    }
    for (ByteWriter* column :
         {&to_.name_flags, &to_.name_counts, &to_.distances, &to_.revisions, &to_.name_dots,
          &to_.deletion_flags, &to_.deletion_counts, &to_.deletion_dots})
      out.string(column->take());
    out.string(runs_.content);
    return out.take();
  }

 private:
  void sort_writers() {
    places_.assign(tree_.writers().size(), 0);
    std::vector<bool> used(places_.size(), false);
    for (const SequenceSpan& run : runs_.names)
      if (!run.base()) used[run.dot.writer] = true;
    for (const SequenceSpan& run : runs_.deletions) {
      if (run.deleted && !run.gone()) used[run.deletion.writer] = true;
      if (run.later)
        for (const SpanDot& dot : *run.later) used[dot.writer] = true;
    }
    for (std::uint32_t writer = 0; writer < used.size(); ++writer)
      if (used[writer]) by_name_.push_back(writer);
    std::ranges::sort(by_name_, [&](auto a, auto b) { return tree_.writer_less(a, b); });
    for (std::uint32_t i = 0; i < by_name_.size(); ++i) places_[by_name_[i]] = i;
  }

  [[nodiscard]] SpanDot with_place(SpanDot dot) const {
    dot.writer = places_[dot.writer];
    return dot;
  }

  void names(std::size_t at, Expected& expected) {
    const SequenceSpan& run = runs_.names[at];
    std::uint8_t flags = run.rising ? kRising : 0;
    to_.name_counts.number(run.count);
    if (run.base()) {
      flags |= kBase;
    } else if (const SequenceSpan* before = continued(run)) {
      flags |= kContinued;
      if (run.dot.revision != before->dot_of(before->find(run.left)).revision) flags |= kNextCommit;
      to_.distances.number(index_.start_of(at) - *index_.position(run.left));
    } else {
      flags |= kNew;
      flags |= origin(run.left, index_.start_of(at), true) << kLeftShift;
      flags |= origin(run.right, index_.start_of(at) + run.count, false) << kRightShift;
      if (new_dot(with_place(run.dot), run, expected)) flags |= kOtherDot;
    }
    to_.name_flags.u8(flags);
  }

  // The run that this one goes on after what came between.
  [[nodiscard]] const SequenceSpan* continued(const SequenceSpan& run) const {
    if (run.left.kind != Kind::kUnit) return nullptr;
    const auto position = index_.position(run.left);
    WAGGLE_CHECK(position.has_value(), "an origin that is not there");
    const NameIndex::Found found = index_.at(*position);
    const SequenceSpan& before = runs_.names[found.run];
    if (before.right != run.right) return nullptr;
    const SpanDot dot = before.dot_of(found.unit);
    const std::uint32_t offset = run.left.offset;
    if (run.dot == dot && run.offset == offset + 1) return &before;
    if (run.dot == dot.after(1) && run.offset == offset) return &before;
    return nullptr;
  }

  // `edge`: the number of the run's first unit, or of the one behind its last.
  std::uint8_t origin(const UnitRef& ref, std::uint64_t edge, bool left) {
    if (ref.kind == Kind::kNear) return kNearest;
    if (ref.kind == Kind::kFar) return kBeyond;
    const auto position = index_.position(ref);
    WAGGLE_CHECK(position.has_value(), "an origin that is not there");
    const std::uint64_t distance = left ? edge - *position : *position - edge;
    if (distance == (left ? 1 : 0)) return kNeighbour;
    to_.distances.number(distance);
    return kDistant;
  }

  bool new_dot(const SpanDot& dot, const SequenceSpan& run, Expected& expected) {
    to_.revisions.signed_number(static_cast<std::int64_t>(dot.revision - revision_));
    revision_ = run.dot_of(run.count - 1).revision + 1;
    const bool other = dot.writer != expected.writer || dot.index != 0 || run.offset != 0 ||
                       dot.seq != expected.seq(dot.revision, dot.writer);
    if (other) {
      put_dot(to_.name_dots, dot, expected);
      to_.name_dots.number(run.offset);
    }
    expected.saw(dot);
    return other;
  }

  static void put_dot(ByteWriter& out, const SpanDot& dot, Expected& expected) {
    out.number(dot.writer);
    out.number(dot.index);
    out.signed_number(static_cast<std::int64_t>(dot.seq - expected.seq(dot.revision, dot.writer)));
  }

  void deletions(const SequenceSpan& run, std::uint64_t start, Expected& expected) {
    to_.deletion_counts.number(run.count);
    std::uint8_t flags = 0;
    if (run.gone()) {
      flags = kDeleted | kGone;
    } else if (run.deleted) {
      flags = static_cast<std::uint8_t>(kDeleted | ((run.step + 1) << kStepShift));
      const NameIndex::Found found = index_.at(start);
      const SequenceSpan& names = runs_.names[found.run];
      const std::uint64_t from = names.base() ? base_.value() : names.dot_of(found.unit).revision;
      const SpanDot dot = with_place(run.deletion);
      ByteWriter& out = to_.deletion_dots;
      out.number(dot.revision - from);
      if (dot.writer != expected.writer || dot.index != 0 ||
          dot.seq != expected.seq(dot.revision, dot.writer)) {
        flags |= kOtherDot;
        put_dot(out, dot, expected);
      }
      expected.saw(dot);
      if (run.later) {
        flags |= kLater;
        out.number(run.later->size());
        std::uint64_t revision = dot.revision;
        for (const SpanDot& each : *run.later) {
          const SpanDot later = with_place(each);
          out.number(later.revision - revision);
          revision = later.revision;
          put_dot(out, later, expected);
          expected.saw(later);
        }
      }
    }
    to_.deletion_flags.u8(flags);
  }

  const SequenceTree& tree_;
  Revision base_;
  SequenceRuns runs_;
  NameIndex index_;
  std::vector<std::uint32_t> by_name_;
  std::vector<std::uint32_t> places_;
  std::uint64_t revision_ = 0;
  Columns to_;
};

}  // namespace

std::string encode(const Sequence& sequence) {
  return Encoder(sequence.tree_, sequence.base_).write();
}

}  // namespace waggle
