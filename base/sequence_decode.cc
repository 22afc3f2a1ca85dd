// What sequence_format.h says, read. Whatever is not as encode() writes it is refused: what can't
// be is found on the way, and what is written differently because encoding it again gives other
// bytes.

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/sequence.h"
#include "base/sequence_format.h"
#include "base/sequence_runs.h"
#include "base/shape.h"

namespace waggle {
namespace {

using namespace sequence_format;

// The columns in their order.
struct ColumnReaders {
  ByteReader name_flags, name_counts, distances, revisions, name_dots;
  ByteReader deletion_flags, deletion_counts, deletion_dots;
};

class Decoder {
 public:
  Decoder(std::string_view bytes, std::size_t bytes_max)
      : in_("sequence", bytes), bytes_max_(bytes_max) {}

  // Nothing: see error().
  bool read() {
    if (in_.u8() != kFormat) in_.fail("expected format 1");
    unit_ = in_.u8() == 0 ? SequenceUnit::kScalar : SequenceUnit::kElement;
    base_ = in_.number(limits::kNumberMax);
    writers_.resize(in_.count(9));
    for (auto& [agent, incarnation] : writers_) {
      agent = AgentId(in_.string(limits::kIdBytes));
      incarnation = Incarnation(in_.fixed64());
    }
    if (std::ranges::adjacent_find(writers_, std::greater_equal()) != writers_.end())
      return fail("sequence: expected writers in their order");
    const auto column = [this] { return ByteReader("sequence", in_.string(UINT32_MAX)); };
    ColumnReaders from{column(), column(), column(), column(),
                       column(), column(), column(), column()};
    content_ = in_.string(bytes_max_);
    if (const Status end = in_.finish(); !end) return fail(end.error().text);
    return read_names(from) && resolve_origins() && read_deletions(from) && finish(from) &&
           check_content();
  }

  // REQUIRES: read() was true.
  void build(SequenceTree& tree) {
    for (const auto& [agent, incarnation] : writers_) (void)tree.writer_place(agent, incarnation);
    std::string_view content = content_;
    std::size_t n = 0;
    std::size_t d = 0;
    while (n < names_.size()) {
      std::uint32_t units = std::min(names_[n].count, deletions_[d].count);
      std::string_view piece;
      if (!deletions_[d].deleted) {
        piece = content.substr(0, piece_bytes(content, unit_));
        if (const std::uint32_t most = units_in(piece, unit_); most <= units)
          units = most;
        else
          piece = piece.substr(0, prefix_bytes(piece, units, unit_));
        content.remove_prefix(piece.size());
      }
      SequenceSpan span = take(names_, n, units);
      const SequenceSpan deletion = take(deletions_, d, units);
      span.bytes = static_cast<std::uint32_t>(piece.size());
      span.deleted = deletion.deleted;
      span.step = deletion.step;
      span.deletion = deletion.deletion;
      span.later = deletion.later;
      tree.append(std::move(span), piece);
    }
    tree.recount();
  }

  [[nodiscard]] SequenceUnit unit() const { return unit_; }
  [[nodiscard]] Revision base() const { return Revision(base_); }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Origins {
    bool continued = false;
    std::uint8_t left = kNearest;
    std::uint8_t right = kNearest;
    std::uint64_t left_distance = 0;
    std::uint64_t right_distance = 0;
  };

  bool fail(std::string_view text) {
    if (error_.empty()) error_ = std::string(text);
    return false;
  }

  static SequenceSpan take(std::vector<SequenceSpan>& runs, std::size_t& at, std::uint32_t units) {
    if (units == runs[at].count) return std::move(runs[at++]);
    SequenceSpan rest = split_span(runs[at], units, 0);
    return std::exchange(runs[at], std::move(rest));
  }

  // What it gives is good only if saw() says so.
  void dot(ByteReader& in, SpanDot& dot, Expected& expected) {
    dot.writer = static_cast<std::uint32_t>(in.number(UINT32_MAX));
    dot.index = static_cast<std::uint32_t>(in.number(UINT32_MAX));
    if (dot.writer >= writers_.size()) return in.fail("expected a writer of the table");
    dot.seq =
        expected.seq(dot.revision, dot.writer) + static_cast<std::uint64_t>(in.signed_number());
  }
  bool saw(const SpanDot& dot, std::uint64_t commits, Expected& expected) {
    if (dot.writer >= writers_.size()) return fail("sequence: expected a writer of the table");
    if (dot.revision <= base_ || dot.revision > limits::kNumberMax - commits ||
        dot.seq > limits::kNumberMax)
      return fail("sequence: expected a dot above the base");
    expected.saw(dot);
    return true;
  }

  bool read_names(ColumnReaders& from) {
    Expected expected(writers_.size());
    std::uint64_t revision = 0;
    std::uint64_t start = 0;
    while (!from.name_flags.at_end()) {
      const std::uint8_t flags = from.name_flags.u8();
      SequenceSpan run;
      Origins origins;
      const std::uint64_t count = from.name_counts.number(bytes_max_);
      if (count == 0 || count > bytes_max_ - start) return fail("sequence: expected fewer units");
      run.count = static_cast<std::uint32_t>(count);
      run.rising = (flags & kRising) != 0;
      if (run.rising && count == 1) return fail("sequence: one unit does not rise");
      starts_.push_back(start);
      if ((flags & kWhat) == kContinued) {
        origins = {true, kDistant, kNearest, from.distances.number(), 0};
        const SequenceSpan* before = nullptr;
        std::uint32_t unit = 0;
        if (!named_unit(start, origins.left_distance, before, unit))
          return fail("sequence: expected a run to go on with");
        const bool next = (flags & kNextCommit) != 0;
        run.left = before->name_of(unit);
        run.dot = before->dot_of(unit);
        if (next) run.dot = run.dot.after(1);
        run.offset = run.left.offset + (next ? 0 : 1);
      } else if ((flags & kWhat) == kNew) {
        origins.left = (flags >> kLeftShift) & 3U;
        origins.right = (flags >> kRightShift) & 3U;
        if (origins.left == kDistant) origins.left_distance = from.distances.number();
        if (origins.right == kDistant) origins.right_distance = from.distances.number();
        run.dot.revision = revision + static_cast<std::uint64_t>(from.revisions.signed_number());
        if ((flags & kOtherDot) != 0) {
          dot(from.name_dots, run.dot, expected);
          run.offset = static_cast<std::uint32_t>(from.name_dots.number(UINT32_MAX));
        } else if (!writers_.empty()) {
          run.dot.writer = expected.writer;
          run.dot.seq = expected.seq(run.dot.revision, expected.writer);
        }
        if (!saw(run.dot, count, expected)) return false;
        revision = run.dot_of(run.count - 1).revision + 1;
      } else if (flags != kBase) {
        return fail("sequence: expected flags of a run of names");
      }
      if (!run.base() &&
          (run.dot.revision > limits::kNumberMax - count || run.offset > UINT32_MAX - count))
        return fail("sequence: expected smaller numbers");
      names_.push_back(std::move(run));
      origins_.push_back(origins);
      start += count;
    }
    total_ = start;
    return true;
  }

  // The unit so far before a run's first one; it has a name.
  bool named_unit(std::uint64_t start, std::uint64_t distance, const SequenceSpan*& run,
                  std::uint32_t& unit) const {
    if (distance == 0 || distance > start) return false;
    return unit_at(start - distance, run, unit);
  }
  bool unit_at(std::uint64_t position, const SequenceSpan*& run, std::uint32_t& unit) const {
    const auto behind = std::ranges::upper_bound(starts_, position);
    const auto at = static_cast<std::size_t>(behind - starts_.begin()) - 1;
    if (at >= names_.size() || position - starts_[at] >= names_[at].count) return false;
    run = &names_[at];
    unit = static_cast<std::uint32_t>(position - starts_[at]);
    return !run->base();
  }

  // Those behind a run are known only when all runs are.
  bool resolve_origins() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      SequenceSpan& run = names_[i];
      const Origins& origins = origins_[i];
      const SequenceSpan* other = nullptr;
      std::uint32_t unit = 0;
      if (origins.continued) {
        // It stands before this one, so it is resolved.
        (void)named_unit(starts_[i], origins.left_distance, other, unit);
        run.right = other->right;
        continue;
      }
      if (run.base()) continue;
      if (origins.left == kBeyond) run.left.kind = UnitRef::Kind::kFar;
      if (origins.right == kBeyond) run.right.kind = UnitRef::Kind::kFar;
      if (origins.left >= kNeighbour) {
        const std::uint64_t distance = origins.left == kNeighbour ? 1 : origins.left_distance;
        if (!named_unit(starts_[i], distance, other, unit))
          return fail("sequence: expected a left origin with a name");
        run.left = other->name_of(unit);
      }
      if (origins.right >= kNeighbour) {
        const std::uint64_t behind = starts_[i] + run.count;
        if (origins.right_distance >= total_ - behind + (behind == total_ ? 1 : 0) ||
            !unit_at(behind + origins.right_distance, other, unit))
          return fail("sequence: expected a right origin with a name");
        run.right = other->name_of(unit);
      }
    }
    const NameIndex index(names_);
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (origins_[i].continued && names_[i].right.kind == UnitRef::Kind::kUnit &&
          index.position(names_[i].right).value_or(0) < starts_[i] + names_[i].count)
        return fail("sequence: expected a run to end before its right origin");
    return index.unique() || fail("sequence: expected each unit once, got one twice");
  }

  bool read_deletions(ColumnReaders& from) {
    Expected expected(writers_.size());
    std::uint64_t start = 0;
    std::size_t name = 0;
    while (!from.deletion_flags.at_end()) {
      const std::uint8_t flags = from.deletion_flags.u8();
      const std::uint64_t count = from.deletion_counts.number(bytes_max_);
      if (count == 0 || count > total_ - start) return fail("sequence: expected fewer deletions");
      SequenceSpan run;
      run.count = static_cast<std::uint32_t>(count);
      run.deleted = (flags & kDeleted) != 0;
      while (starts_[name] + names_[name].count <= start) ++name;
      const SequenceSpan& first = names_[name];
      if (run.deleted && (flags & kGone) != 0) {
        const bool last = count == 1 && start + 1 == starts_[name] + first.count;
        if (!last || !first.base() || name + 1 == names_.size())
          return fail("sequence: expected a gone unit before one with a name");
      } else if (run.deleted) {
        const auto unit = static_cast<std::uint32_t>(start - starts_[name]);
        run.step = static_cast<std::int8_t>(((flags >> kStepShift) & 3U) - 1);
        run.deletion.revision = first.base() ? base_ : first.dot_of(unit).revision;
        if (run.step > 1 || (run.step != 0 && count == 1) ||
            !deletion(from.deletion_dots, flags, run, expected))
          return fail("sequence: expected a deletion");
      } else {
        visible_ += count;
      }
      deletions_.push_back(std::move(run));
      start += count;
    }
    return start == total_ || fail("sequence: expected all units to be there or deleted");
  }

  bool deletion(ByteReader& in, std::uint8_t flags, SequenceSpan& run, Expected& expected) {
    run.deletion.revision += in.number(limits::kNumberMax);
    if ((flags & kOtherDot) != 0) {
      dot(in, run.deletion, expected);
    } else if (!writers_.empty()) {
      run.deletion.writer = expected.writer;
      run.deletion.seq = expected.seq(run.deletion.revision, expected.writer);
    }
    if (in.failed() || !saw(run.deletion, run.count, expected)) return false;
    if (run.step < 0 && run.deletion.revision - base_ < run.count) return false;
    if ((flags & kLater) == 0) return true;
    auto later = std::make_shared<std::vector<SpanDot>>();
    later->resize(in.count(4));
    std::uint64_t revision = run.deletion.revision;
    for (SpanDot& each : *later) {
      each.revision = revision + in.number(limits::kNumberMax);
      dot(in, each, expected);
      if (in.failed() || !saw(each, 0, expected)) return false;
      revision = each.revision;
    }
    if (later->empty()) return false;
    run.later = std::move(later);
    return true;
  }

  bool finish(ColumnReaders& from) {
    for (ByteReader* column :
         {&from.name_flags, &from.name_counts, &from.distances, &from.revisions, &from.name_dots,
          &from.deletion_flags, &from.deletion_counts, &from.deletion_dots})
      if (const Status end = column->finish(); !end) return fail(end.error().text);
    return true;
  }

  bool check_content() {
    std::uint64_t units = 0;
    if (unit_ == SequenceUnit::kScalar) {
      if (!is_utf8(content_)) return fail("sequence: expected UTF-8, got other bytes");
      units = units_in(content_, unit_);
    } else {
      ByteReader content("sequence", content_);
      for (; !content.at_end(); ++units) (void)content.string(limits::kElementBytes);
      if (const Status end = content.finish(); !end) return fail(end.error().text);
    }
    return units == visible_ ||
           fail(fmt::format("sequence: expected content of {} units, got {}", visible_, units));
  }

  ByteReader in_;
  std::size_t bytes_max_;
  SequenceUnit unit_ = SequenceUnit::kScalar;
  std::uint64_t base_ = 0;
  std::vector<std::pair<AgentId, Incarnation>> writers_;
  std::string_view content_;
  std::vector<SequenceSpan> names_;
  std::vector<Origins> origins_;
  std::vector<std::uint64_t> starts_;
  std::vector<SequenceSpan> deletions_;
  std::uint64_t total_ = 0;
  std::uint64_t visible_ = 0;
  std::string error_;
};

}  // namespace

Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max) {
  // Counts of units are 32 bits wide.
  Decoder decoder(bytes, std::min<std::size_t>(bytes_max, UINT32_MAX));
  if (!decoder.read()) return failed(Code::kRejected, decoder.error());
  Sequence sequence(decoder.unit());
  sequence.base_ = decoder.base();
  decoder.build(sequence.tree_);
  if (sequence.bytes() > bytes_max)
    return failed(Code::kRejected, fmt::format("sequence: expected at most {} bytes, got {}",
                                               bytes_max, sequence.bytes()));
  if (encode(sequence) != bytes)
    return failed(Code::kRejected, "sequence: expected its canonical bytes");
  return sequence;
}

}  // namespace waggle
