#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/sequence.h"
#include "base/sequence_diff_format.h"
#include "base/sequence_runs.h"
#include "base/shape.h"

namespace waggle {
namespace {

using namespace sequence_diff_format;

bool is_content(std::string_view content, std::uint32_t units, SequenceUnit unit) {
  if (content.size() > kSpanBytes && units > 1) return false;
  if (unit == SequenceUnit::kScalar) return is_utf8(content) && units_in(content, unit) == units;
  ByteReader elements("sequence difference", content);
  std::uint32_t count = 0;
  for (; !elements.at_end(); ++count) (void)elements.string(limits::kElementBytes);
  return !elements.failed() && count == units;
}

// Carries out the steps. What the usual ones can't spoil is not looked at; after any other all of
// the sequence is, see thorough().
class DiffReader {
 public:
  // Both revisions are of the older sequence before it is folded to `base`.
  DiffReader(ByteReader& in, SequenceTree& tree, Revision newest, Revision base,
             std::size_t bytes_max)
      : in_(in), tree_(tree), newest_(std::max(newest, base).value()), bytes_max_(bytes_max) {
    last_.revision = newest.value();
  }

  bool read() {
    const std::size_t writers = in_.count(9);
    for (std::size_t i = 0; i < writers; ++i) {
      const AgentId agent(in_.string(limits::kIdBytes));
      const Incarnation incarnation(in_.fixed64());
      if (in_.failed()) return false;
      writers_.push_back(tree_.writer_place(agent, incarnation));
    }
    while (!in_.failed() && !in_.at_end()) {
      const std::uint64_t step = in_.number();
      const std::uint64_t units = step >> 2;
      if (units == 0 || units > bytes_max_) return fail("expected fewer units in a step");
      switch (step & 3U) {
        case kKeep:
          keep(units);
          break;
        case kDrop:
          drop(units);
          break;
        case kPut:
          put(static_cast<std::uint32_t>(units));
          break;
        default:
          mark(units);
      }
      if (tree_.sum().total > bytes_max_ || tree_.content_bytes() > bytes_max_)
        return fail(fmt::format("expected at most {} bytes", bytes_max_));
    }
    if (in_.failed()) return false;
    if (!NameIndex(put_).unique()) return fail("expected each unit once, got one twice");
    if (tree_.stale()) {
      tree_.recount();
      thorough_ = true;
    }
    return true;
  }

  // True when a step could have left something that is no sequence.
  [[nodiscard]] bool thorough() const { return thorough_; }

 private:
  bool fail(std::string_view text) {
    in_.fail(text);
    return false;
  }

  // Of the next span, at most so many; splits it. 0: there is none.
  std::uint32_t next_units(std::uint64_t most) {
    place_ = tree_.exact(place_);
    const SequenceSpan* const span = tree_.at(place_);
    if (span == nullptr) return fail("expected steps that fit, got one beyond the end"), 0;
    if (span->count <= most) return span->count;
    const auto units = static_cast<std::uint32_t>(most);
    place_ = tree_.split(place_, units);
    --place_.span;
    return units;
  }

  void keep(std::uint64_t units) {
    while (units > 0 && !in_.failed()) {
      place_ = tree_.exact(place_);
      if (place_.group < tree_.root().size() && place_.span == 0) {
        const auto& group = tree_.root()[place_.group];
        const std::uint64_t chunk_units = (*group.node)[place_.chunk].sum.total;
        if (place_.chunk == 0 && group.sum.total <= units) {
          units -= group.sum.total;
          place_ = {place_.group + 1, 0, 0};
          continue;
        }
        if (chunk_units <= units) {
          units -= chunk_units;
          place_ = {place_.group, place_.chunk + 1, 0};
          continue;
        }
      }
      units -= next_units(units);
      place_ = tree_.behind(place_);
    }
  }

  void drop(std::uint64_t units) {
    while (units > 0 && !in_.failed()) {
      units -= next_units(units);
      if (!in_.failed()) tree_.erase(place_);
    }
    thorough_ = true;
  }

  void mark(std::uint64_t units) {
    SequenceSpan as;
    as.count = static_cast<std::uint32_t>(units);
    deletions(as);
    while (units > 0 && !in_.failed()) {
      const std::uint32_t some = next_units(units);
      if (in_.failed()) return;
      const SequenceSpan& span = *tree_.at(place_);
      // Deletions may fall from unit to unit: both ends are looked at.
      const bool added = span.deleted ? span.deletion == as.deletion && span.step == as.step
                                      : as.deletion.revision > newest_ &&
                                            as.deletion_of(some - 1).revision > newest_;
      thorough_ = thorough_ || !added || as.gone();
      SequenceSpan rest;
      units -= some;
      if (units > 0) rest = split_span(as, some, 0);
      tree_.set_deletions(place_, as);
      place_ = tree_.join(place_);
      as = std::move(rest);
    }
    // Where the next span goes on with what was marked, it is joined as if it had been there
    // before.
  }

  void put(std::uint32_t units) {
    const std::uint8_t flags = in_.u8();
    SequenceSpan span;
    span.count = units;
    span.rising = (flags & kRising) != 0;
    if (span.rising && units == 1) return in_.fail("one unit does not rise");
    if ((flags & kBase) == 0) {
      span.dot = dot(units);
      span.offset = static_cast<std::uint32_t>(in_.number(UINT32_MAX - std::uint64_t{units}));
      thorough_ = thorough_ || span.dot.revision <= newest_;
    } else if (span.rising || flags >> kLeftShift != 0) {
      return in_.fail("expected no names of a base unit");
    }
    const SequenceSpan* const before = tree_.before(place_);
    const SequenceSpan* const behind = tree_.at(place_);
    span.left = origin((flags >> kLeftShift) & 3U, span.dot,
                       before != nullptr ? before->name_of(before->count - 1) : UnitRef{});
    span.right = origin((flags >> kRightShift) & 3U, span.dot,
                        behind != nullptr ? behind->name_of(0) : UnitRef{});
    std::string_view content;
    if ((flags & kDeleted) != 0) {
      deletions(span);
      // A base unit's is above the base.
      const std::uint64_t least = span.base() ? newest_ + 1 : span.dot_of(units - 1).revision;
      thorough_ = thorough_ || span.deletion_of(0).revision < least ||
                  span.deletion_of(units - 1).revision < least;
    } else {
      content = in_.string(bytes_max_);
      if (!in_.failed() && !is_content(content, units, tree_.unit()))
        in_.fail("expected content of as many units as are put");
    }
    if (in_.failed()) return;
    span.bytes = static_cast<std::uint32_t>(content.size());
    if (!span.base()) {
      put_.push_back(span);
      put_.back().later.reset();
    }
    place_ = tree_.insert(place_, std::move(span), content);
  }

  UnitRef origin(unsigned what, const SpanDot& near, const UnitRef& neighbour) {
    if (what == kNearest) return {};
    if (what == kBeyond) return {UnitRef::Kind::kFar, 0, 0, 0};
    if (what == kNeighbour) {
      if (neighbour.kind != UnitRef::Kind::kUnit) in_.fail("expected a neighbour with a name");
      return neighbour;
    }
    thorough_ = true;
    UnitRef name{UnitRef::Kind::kUnit, 0, 0, near.revision};
    name.revision += static_cast<std::uint64_t>(in_.signed_number());
    name.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
    name.offset = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
    return name;
  }

  // `commits`: how many of its writer's may follow from it.
  SpanDot dot(std::uint64_t commits) {
    const std::uint64_t writer = in_.number();
    if (writer >= writers_.size()) return in_.fail("expected a writer of the table"), SpanDot{};
    SpanDot dot;
    dot.writer = writers_[writer];
    dot.revision = last_.revision + static_cast<std::uint64_t>(in_.signed_number());
    dot.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
    dot.seq = last_.seq + static_cast<std::uint64_t>(in_.signed_number());
    if (dot.revision == 0 || dot.revision > limits::kNumberMax - commits ||
        dot.seq > limits::kNumberMax)
      in_.fail("expected a smaller dot");
    last_ = dot;
    return dot;
  }

  void deletions(SequenceSpan& span) {
    const std::uint8_t flags = in_.u8();
    span.deleted = true;
    span.step = static_cast<std::int8_t>((flags >> kStepShift) - 1);
    const bool gone = (flags & kGone) != 0;
    if (span.step > 1 || (span.step != 0 && (span.count == 1 || gone)))
      return in_.fail("expected another order of deletions");
    if (gone) {
      thorough_ = true;
      if ((flags & kLater) != 0) in_.fail("expected no later deletion of a gone unit");
      return;
    }
    span.deletion = dot(span.count);
    if (span.step < 0 && span.deletion.revision < span.count) in_.fail("expected a later deletion");
    if ((flags & kLater) == 0) return;
    auto later = std::make_shared<std::vector<SpanDot>>(in_.count(4));
    if (later->empty()) return in_.fail("expected later deletions");
    std::uint64_t revision = span.deletion.revision;
    for (SpanDot& each : *later) {
      each = dot(0);
      if (each.revision < revision) return in_.fail("expected deletions in their order");
      revision = each.revision;
    }
    span.later = std::move(later);
  }

  ByteReader& in_;
  SequenceTree& tree_;
  std::uint64_t newest_;
  std::size_t bytes_max_;
  SequenceTree::Place place_;
  SpanDot last_;
  std::vector<std::uint32_t> writers_;
  std::vector<SequenceSpan> put_;
  bool thorough_ = false;
};

}  // namespace

Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes, std::size_t bytes_max) {
  ByteReader in("sequence difference", bytes);
  const std::uint8_t format = in.u8();
  if (format == kWhole) return decode_sequence(bytes.substr(1), bytes_max);
  if (format != kSteps) in.fail("expected format 1 or 2");
  const std::uint64_t check = in.fixed64();
  const Revision base(in.number(limits::kNumberMax));
  if (!in.failed() && base < from.base_) in.fail("expected a base that has not gone back");
  Sequence to = from;
  DiffReader reader(in, to.tree_, from.newest(), base,
                    std::min<std::size_t>(bytes_max, UINT32_MAX / 2));
  if (!in.failed()) {
    to.fold(base);
    (void)reader.read();
  }
  if (const Status end = in.finish(); !end) return std::unexpected(end.error());
  if (check_of(from.hash(), to.hash()) != check)
    return failed(Code::kRejected, "sequence difference: it is from another sequence");
  if (to.bytes() > bytes_max)
    return failed(Code::kRejected,
                  fmt::format("sequence difference: expected at most {} bytes, got {}", bytes_max,
                              to.bytes()));
  if (!reader.thorough()) return to;
  if (const Status sound = check_names(to.tree_, to.base_); !sound)
    return std::unexpected(sound.error());
  // Also forgets writers that are not named any more.
  return decode_sequence(encode(to), bytes_max);
}

}  // namespace waggle
