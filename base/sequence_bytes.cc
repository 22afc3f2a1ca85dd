// The bytes of a Sequence, whole and as a difference.
//
//   sequence := format(1 byte, 1) unit(1 byte) base writers count { run } content
//   diff     := format(1 byte, 1) base newest units-of-from writers
//               count { skipped removed count { run } } content
//   writers  := count { length agent incarnation(8 bytes) }        as first used
//   run      := flags(1 byte) [writer revision [index] seq [offset]] units [left] [right]
//               [count { step writer revision index seq }]
//   content  := of the visible units of the runs, in their order: UTF-8, or length and bytes of
//   each
//
// flags: 1 each unit is of the next commit, 2 `left` is given (else it is the unit before in the
// sequence), 4 `right` is the unit behind, 8 `right` is given, 16 index, 32 offset, 64 deletions,
// 128 folded text (no writer, revision, seq). Revisions are given as the difference to the run
// before, of origins and deletions to their run; a seq as its difference to what the writer's last
// one leads to. A sequence is written as the longest runs, so it has one spelling; diffs have
// several.

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sequence.h"
#include "base/shape.h"

namespace waggle {
namespace {

constexpr std::uint8_t kFormat = 1;
// Tombstones have no content, so the number of units must be bounded by itself.
constexpr std::uint64_t kUnitsMax = std::uint64_t{1} << 24;

enum Flag : std::uint8_t {
  kRising = 1,
  kLeft = 2,
  kRightNext = 4,
  kRight = 8,
  kIndex = 16,
  kOffset = 32,
  kDeletions = 64,
  kFolded = 128,
};

std::int64_t difference(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(a - b);
}

// Seqs mostly rise with the revisions: what is left is small.
struct SeqGuess {
  std::map<std::uint32_t, std::uint64_t> lead;  // seq - revision, by writer
};

class RunWriter {
 public:
  explicit RunWriter(const std::vector<Writer>* writers) : writers_(writers) {}

  // `before`: the unit before the run in the sequence; `behind`: the one behind it.
  void run(const SequenceSpan& run, const UnitId& before, const UnitId& behind) {
    std::uint8_t flags = 0;
    if (run.rising) flags |= kRising;
    if (run.left != before) flags |= kLeft;
    if (!run.right.none) flags |= run.right == behind ? kRightNext : kRight;
    if (run.dot.index != 0) flags |= kIndex;
    if (run.folded() ? !(run.left == before && follows(before, run.offset)) : run.offset != 0)
      flags |= kOffset;
    if (!run.deletions.empty()) flags |= kDeletions;
    if (run.folded()) flags |= kFolded;
    out_.u8(flags);
    if (!run.folded()) {
      out_.number(place(run.dot.writer));
      out_.signed_number(difference(run.dot.revision, revision_));
      revision_ = run.dot.revision;
      if ((flags & kIndex) != 0) out_.number(run.dot.index);
      seq(run.dot);
    }
    if ((flags & kOffset) != 0) out_.number(run.offset);
    out_.number(run.count);
    if ((flags & kLeft) != 0) id(run.left);
    if ((flags & kRight) != 0) id(run.right);
    if (!run.deletions.empty()) {
      out_.number(run.deletions.size());
      for (const SpanDeletion& deletion : run.deletions) {
        out_.u8(static_cast<std::uint8_t>(deletion.step + 1));
        out_.signed_number(difference(deletion.dot.revision, revision_));
        if (deletion.dot.revision == 0) continue;
        out_.number(place(deletion.dot.writer));
        out_.number(deletion.dot.index);
        seq(deletion.dot);
      }
    }
    content_ += run.bytes;
  }

  // The folded text numbers its units from the first on.
  static bool follows(const UnitId& before, std::uint32_t offset) {
    if (before.none) return offset == 0;
    return before.revision == 0 && before.offset + 1 == offset;
  }

  // writers, what was written, content.
  [[nodiscard]] std::string finish(ByteWriter head) {
    head.number(order_.size());
    for (const std::uint32_t writer : order_) {
      head.string((*writers_)[writer].agent.value());
      head.fixed64((*writers_)[writer].incarnation.value());
    }
    head.raw(out_.take());
    head.raw(content_);
    return head.take();
  }
  ByteWriter& out() { return out_; }

 private:
  std::uint32_t place(std::uint32_t writer) {
    const auto [found, fresh] =
        places_.try_emplace(writer, static_cast<std::uint32_t>(order_.size()));
    if (fresh) order_.push_back(writer);
    return found->second;
  }
  void seq(const SpanDot& dot) {
    std::uint64_t& lead = guess_.lead[place(dot.writer)];
    out_.signed_number(difference(dot.seq - dot.revision, lead));
    lead = dot.seq - dot.revision;
  }
  void id(const UnitId& id) {
    out_.u8(id.none ? 0 : 1);
    if (id.none) return;
    out_.signed_number(difference(id.revision, revision_));
    out_.number(id.index);
    out_.number(id.offset);
  }

  const std::vector<Writer>* writers_;
  std::map<std::uint32_t, std::uint32_t> places_;
  std::vector<std::uint32_t> order_;
  std::uint64_t revision_ = 0;
  SeqGuess guess_;
  ByteWriter out_{256};
  std::string content_;
};

class RunReader {
 public:
  explicit RunReader(ByteReader& in) : in_(in) {}

  // `intern` gives the place of a writer in the sequence's own table.
  template <typename Intern>
  void writers(const Intern& intern) {
    const std::size_t count = in_.count(9);
    for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
      const std::string_view agent = in_.string(limits::kIdBytes);
      if (!agent.empty())
        if (const Status id = check_agent_id(agent); !id) in_.fail(id.error().text);
      const Writer writer{AgentId(agent), Incarnation(in_.fixed64()), {}};
      if (!in_.failed()) places_.push_back(intern(writer));
    }
  }

  // Without its content; `right_next`: its right origin is the unit behind it.
  SequenceSpan run(const UnitId& before, bool& right_next) {
    SequenceSpan run;
    const std::uint8_t flags = in_.u8();
    run.rising = (flags & kRising) != 0;
    if ((flags & kFolded) == 0) {
      run.dot.writer = writer();
      run.dot.revision = revision_ = number_at(revision_);
      if (run.dot.revision == 0) in_.fail("expected a revision above 0");
      if ((flags & kIndex) != 0) run.dot.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
      seq(run.dot);
    }
    run.offset = (flags & kFolded) != 0 && !before.none ? before.offset + 1 : 0;
    if ((flags & kOffset) != 0) run.offset = static_cast<std::uint32_t>(in_.number(kUnitsMax));
    run.count = static_cast<std::uint32_t>(in_.number(kUnitsMax));
    units_ += run.count;
    if (run.count == 0 || units_ > kUnitsMax || run.offset + std::uint64_t{run.count} > UINT32_MAX)
      in_.fail(fmt::format("expected 1..{} units", kUnitsMax));
    run.left = (flags & kLeft) != 0 ? id() : before;
    if ((flags & kRight) != 0) run.right = id();
    right_next = (flags & kRightNext) != 0;
    if ((flags & kDeletions) != 0) {
      const std::size_t count = in_.count(2);
      if (count == 0 || count > SequenceSpan::kDeletions)
        in_.fail(fmt::format("expected 1..{} deletions", SequenceSpan::kDeletions));
      for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
        SpanDeletion deletion;
        const std::uint8_t step = in_.u8();
        if (step > 2) in_.fail("expected a step of 0..2");
        deletion.step = static_cast<std::int8_t>(step - 1);
        deletion.dot.revision = number_at(revision_);
        if (deletion.dot.revision != 0) {
          deletion.dot.writer = writer();
          deletion.dot.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
          seq(deletion.dot);
          if (deletion.step < 0 && deletion.dot.revision < run.count)
            in_.fail("expected deletions of revisions above 0");
        } else if (deletion.step != 0) {
          in_.fail("expected one deletion of folded text");
        }
        run.deletions.push_back(deletion);
      }
    }
    if (run.rising && (run.count == 1 || run.folded())) in_.fail("expected a run that rises");
    if (run.count == 1)
      for (const SpanDeletion& deletion : run.deletions)
        if (deletion.step != 0) in_.fail("expected no step of one unit");
    return run;
  }

  // The content of visible runs, in their order.
  void content(SequenceSpan& run, bool scalars) {
    if (!run.visible()) return;
    if (scalars) {
      for (std::uint32_t i = 0; i < run.count && !in_.failed(); ++i) {
        const auto first = static_cast<unsigned char>(peek());
        run.bytes += in_.take(first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
      }
      if (!in_.failed() && !is_utf8(run.bytes)) in_.fail("expected UTF-8");
      return;
    }
    ByteWriter bytes;
    for (std::uint32_t i = 0; i < run.count && !in_.failed(); ++i)
      bytes.string(in_.string(limits::kElementBytes));
    run.bytes = bytes.take();
  }

 private:
  char peek() {
    const std::string_view next = in_.ahead(1);
    return next.empty() ? '\0' : next[0];
  }
  std::uint64_t number_at(std::uint64_t from) {
    const std::uint64_t number = from + static_cast<std::uint64_t>(in_.signed_number());
    if (number > limits::kNumberMax) return in_.fail("expected a revision up to 2^62"), 0;
    return number;
  }
  std::uint32_t writer() {
    if (places_.empty()) return in_.fail("expected a writer"), 0;
    const std::size_t place = in_.number(places_.size() - 1);
    return in_.failed() ? 0 : places_[place];
  }
  void seq(SpanDot& dot) {
    if (in_.failed()) return;
    std::uint64_t& lead = guess_.lead[dot.writer];
    lead += static_cast<std::uint64_t>(in_.signed_number());
    dot.seq = dot.revision + lead;
    if (dot.seq > limits::kNumberMax) in_.fail("expected a seq up to 2^62");
  }
  UnitId id() {
    const std::uint8_t given = in_.u8();
    if (given > 1) in_.fail("expected 0 or 1");
    if (given == 0) return {};
    UnitId id;
    id.none = false;
    id.revision = number_at(revision_);
    id.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
    id.offset = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
    return id;
  }

  ByteReader& in_;
  std::vector<std::uint32_t> places_;
  std::uint64_t revision_ = 0;
  std::uint64_t units_ = 0;
  SeqGuess guess_;
};

UnitId first_id(const std::vector<SequenceSpan>& runs, std::size_t at) {
  return at < runs.size() ? runs[at].id_of(0) : UnitId{};
}

UnitId last_id(const SequenceSpan& run) {
  return run.id_of(run.count - 1);
}

// ---- comparing spans of two versions -----------------------------------------------------------

bool same_dot(const SpanDot& a, const SpanDot& b, const std::vector<Writer>* wa,
              const std::vector<Writer>* wb) {
  if (a.revision != b.revision || a.index != b.index || a.seq != b.seq) return false;
  return a.revision == 0 || wa == wb || (*wa)[a.writer] == (*wb)[b.writer];
}

}  // namespace

// ---- whole -------------------------------------------------------------------------------------

std::string encode(const Sequence& sequence) {
  const std::vector<SequenceSpan> runs = sequence.runs();
  ByteWriter head(256);
  head.u8(kFormat);
  head.u8(static_cast<std::uint8_t>(sequence.unit_));
  head.number(sequence.base_.value());
  RunWriter writer(sequence.writers_.get());
  writer.out().number(runs.size());
  UnitId before;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    writer.run(runs[i], before, first_id(runs, i + 1));
    before = last_id(runs[i]);
  }
  return writer.finish(std::move(head));
}

Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max) {
  ByteReader in("sequence", bytes);
  if (const std::uint8_t format = in.u8(); !in.failed() && format != kFormat)
    in.fail(fmt::format("expected format {}, got {}", kFormat, format));
  const std::uint8_t unit = in.u8();
  if (unit > 1) in.fail(fmt::format("expected a unit of 0 or 1, got {}", unit));
  Sequence sequence(static_cast<SequenceUnit>(unit & 1));
  sequence.base_ = Revision(in.number(limits::kNumberMax));
  RunReader reader(in);
  reader.writers([&](const Writer& writer) { return sequence.writer_place(writer); });
  std::vector<SequenceSpan> runs;
  const std::size_t count = in.count(2);
  UnitId before;
  std::vector<std::size_t> next_right;
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    bool right_next = false;
    runs.push_back(reader.run(before, right_next));
    if (in.failed()) break;
    if (right_next) next_right.push_back(i);
    before = last_id(runs.back());
  }
  for (const std::size_t i : next_right) runs[i].right = first_id(runs, i + 1);
  for (SequenceSpan& run : runs)
    if (!in.failed()) reader.content(run, sequence.unit_ == SequenceUnit::kScalar);
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  sequence.rebuild(std::move(runs));
  if (sequence.bytes() > bytes_max)
    return failed(Code::kRejected, fmt::format("sequence: expected at most {} bytes, got {}",
                                               bytes_max, sequence.bytes()));
  if (encode(sequence) != bytes)
    return failed(Code::kRejected, "sequence: expected the longest runs and the shortest spelling");
  return sequence;
}

// ---- difference --------------------------------------------------------------------------------

namespace {

// Whether unit `i` of a equals unit `j` of b, with what it follows.
bool same_unit(const SequenceSpan& a, std::uint32_t i, const SequenceSpan& b, std::uint32_t j,
               const std::vector<Writer>* wa, const std::vector<Writer>* wb, bool scalars) {
  if (a.id_of(i) != b.id_of(j) || !same_dot(a.dot_of(i), b.dot_of(j), wa, wb)) return false;
  if ((i == 0 ? a.left : a.id_of(i - 1)) != (j == 0 ? b.left : b.id_of(j - 1))) return false;
  if (a.right != b.right) return false;
  if (a.deletions.size() != b.deletions.size()) return false;
  for (std::size_t d = 0; d < a.deletions.size(); ++d)
    if (!same_dot(a.deletions[d].of(i), b.deletions[d].of(j), wa, wb)) return false;
  if (!a.visible()) return true;
  const std::size_t fa = prefix_bytes(a, i, scalars);
  const std::size_t fb = prefix_bytes(b, j, scalars);
  return std::string_view(a.bytes).substr(fa, prefix_bytes(a, i + 1, scalars) - fa) ==
         std::string_view(b.bytes).substr(fb, prefix_bytes(b, j + 1, scalars) - fb);
}

struct Flat {
  const SequenceSpan* span;
  std::uint32_t unit;
};

std::vector<Flat> flatten(const std::vector<const SequenceSpan*>& spans) {
  std::vector<Flat> units;
  for (const SequenceSpan* span : spans)
    for (std::uint32_t unit = 0; unit < span->count; ++unit) units.push_back({span, unit});
  return units;
}

}  // namespace

std::string diff(const Sequence& from, const Sequence& to) {
  const bool scalars = to.unit_ == SequenceUnit::kScalar;
  const std::vector<Writer>* wa = from.writers_.get();
  const std::vector<Writer>* wb = to.writers_.get();
  ByteWriter head(128);
  head.u8(kFormat);
  head.number(to.base_.value());
  head.number(to.newest_.value());
  head.number(from.total_);
  RunWriter writer(wb);

  std::unordered_map<const SequenceChunk*, std::size_t> places;
  for (std::size_t i = 0; i < from.chunks_.size(); ++i) places[from.chunks_[i].get()] = i;

  // Chunks that both have stay; what is between two of them is compared unit by unit.
  struct Part {
    std::uint64_t skipped = 0;
    std::uint64_t removed = 0;
    std::vector<SequenceSpan> runs;
    UnitId before;
    UnitId behind;
  };
  std::vector<Part> all;
  std::uint64_t skipped = 0;
  UnitId before;
  std::size_t f = 0;
  std::size_t t = 0;
  const auto region = [&](std::size_t f_end, std::size_t t_end) {
    std::vector<const SequenceSpan*> a;
    std::vector<const SequenceSpan*> b;
    for (; f < f_end; ++f)
      for (const SequenceSpan& span : from.chunks_[f]->spans) a.push_back(&span);
    for (; t < t_end; ++t)
      for (const SequenceSpan& span : to.chunks_[t]->spans) b.push_back(&span);
    const std::vector<Flat> ua = flatten(a);
    const std::vector<Flat> ub = flatten(b);
    std::size_t head_units = 0;
    while (head_units < ua.size() && head_units < ub.size() &&
           same_unit(*ua[head_units].span, ua[head_units].unit, *ub[head_units].span,
                     ub[head_units].unit, wa, wb, scalars))
      ++head_units;
    std::size_t tail = 0;
    while (tail < ua.size() - head_units && tail < ub.size() - head_units) {
      const Flat& x = ua[ua.size() - 1 - tail];
      const Flat& y = ub[ub.size() - 1 - tail];
      if (!same_unit(*x.span, x.unit, *y.span, y.unit, wa, wb, scalars)) break;
      ++tail;
    }
    if (head_units == ua.size() && head_units == ub.size()) {
      skipped += head_units;
    } else {
      Part part;
      part.skipped = skipped + head_units;
      part.removed = ua.size() - head_units - tail;
      const std::size_t end = ub.size() - tail;
      part.before =
          head_units > 0 ? ub[head_units - 1].span->id_of(ub[head_units - 1].unit) : before;
      for (std::size_t u = head_units; u < end;) {
        const SequenceSpan& span = *ub[u].span;
        const auto units =
            static_cast<std::uint32_t>(std::min<std::size_t>(span.count - ub[u].unit, end - u));
        SequenceSpan piece = span;
        if (ub[u].unit > 0) piece = split_span(piece, ub[u].unit, scalars);
        if (units < piece.count) (void)split_span(piece, units, scalars);
        u += units;
        if (part.runs.empty() || !extend_span(part.runs.back(), piece, UINT32_MAX, scalars))
          part.runs.push_back(std::move(piece));
      }
      if (tail > 0) {
        part.behind = ub[end].span->id_of(ub[end].unit);
      } else if (t_end < to.chunks_.size()) {
        part.behind = to.chunks_[t_end]->spans.front().id_of(0);
      }
      skipped = tail;
      all.push_back(std::move(part));
    }
    if (!ub.empty()) before = ub.back().span->id_of(ub.back().unit);
  };
  for (std::size_t end = 0; end < to.chunks_.size(); ++end) {
    const auto found = places.find(to.chunks_[end].get());
    if (found == places.end() || found->second < f) continue;
    region(found->second, end);
    skipped += to.chunks_[end]->total;
    before = last_id(to.chunks_[end]->spans.back());
    f = found->second + 1;
    t = end + 1;
  }
  region(from.chunks_.size(), to.chunks_.size());

  writer.out().number(all.size());
  for (const Part& part : all) {
    writer.out().number(part.skipped);
    writer.out().number(part.removed);
    writer.out().number(part.runs.size());
    UnitId last = part.before;
    for (std::size_t i = 0; i < part.runs.size(); ++i) {
      writer.run(part.runs[i], last,
                 i + 1 < part.runs.size() ? part.runs[i + 1].id_of(0) : part.behind);
      last = last_id(part.runs[i]);
    }
  }
  return writer.finish(std::move(head));
}

Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes, std::size_t bytes_max) {
  ByteReader in("difference", bytes);
  if (const std::uint8_t format = in.u8(); !in.failed() && format != kFormat)
    in.fail(fmt::format("expected format {}, got {}", kFormat, format));
  Sequence to = from;
  to.base_ = Revision(in.number(limits::kNumberMax));
  to.newest_ = Revision(in.number(limits::kNumberMax));
  if (const std::uint64_t units = in.number(); !in.failed() && units != from.total_)
    in.fail(fmt::format("expected one of {} units, got one of {}", from.total_, units));
  RunReader reader(in);
  reader.writers([&](const Writer& writer) { return to.writer_place(writer); });
  const bool scalars = to.unit_ == SequenceUnit::kScalar;

  // Read all first: contents come behind.
  struct Part {
    std::uint64_t skipped = 0;
    std::uint64_t removed = 0;
    std::vector<SequenceSpan> runs;
    std::vector<std::size_t> next_right;
  };
  std::vector<Part> parts;
  const std::size_t count = in.count(3);
  std::uint64_t at = 0;  // in `from`
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    Part part;
    part.skipped = in.number(from.total_);
    part.removed = in.number(from.total_);
    if (at + part.skipped + part.removed > from.total_) in.fail("expected units that are there");
    const std::size_t runs = in.count(2);
    UnitId before;
    if (!in.failed() && at + part.skipped > 0) {
      std::uint32_t within = 0;
      const Sequence::Place place = from.locate(at + part.skipped - 1, within);
      before = from.at(place)->id_of(within);
    }
    // What an earlier part put before this one.
    if (part.skipped == 0 && !parts.empty() && !parts.back().runs.empty())
      before = last_id(parts.back().runs.back());
    for (std::size_t r = 0; r < runs && !in.failed(); ++r) {
      bool right_next = false;
      part.runs.push_back(reader.run(before, right_next));
      if (in.failed()) break;
      if (right_next) part.next_right.push_back(r);
      before = last_id(part.runs.back());
    }
    at += part.skipped + part.removed;
    parts.push_back(std::move(part));
  }
  for (Part& part : parts)
    for (SequenceSpan& run : part.runs)
      if (!in.failed()) reader.content(run, scalars);
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));

  // Where a part goes on with a run, or gives back what it was split for: one span again, or the
  // spans of a text would be as many as the deltas that it came by.
  const auto join_at = [&to](std::uint64_t unit) {
    if (unit == 0 || unit >= to.total_) return;
    std::uint32_t within = 0;
    const Sequence::Place place = to.locate(unit, within);
    if (within == 0) to.join_around(place);
  };
  std::uint64_t unit = 0;  // in `to`
  for (Part& part : parts) {
    unit += part.skipped;
    const std::uint64_t begin = unit;
    std::uint64_t removed = part.removed;
    while (removed > 0) {
      const Sequence::Place place = to.split_at(unit);
      if (to.at(place)->count > removed) (void)to.split(place, static_cast<std::uint32_t>(removed));
      removed -= to.at(place)->count;
      to.cut(place);
      to.split_chunk(place.chunk);
    }
    for (const std::size_t right : part.next_right) {
      if (right + 1 < part.runs.size()) {
        part.runs[right].right = part.runs[right + 1].id_of(0);
      } else if (unit < to.total_) {
        std::uint32_t within = 0;
        const Sequence::Place behind = to.locate(unit, within);
        part.runs[right].right = to.at(behind)->id_of(within);
      }
    }
    for (SequenceSpan& run : part.runs) {
      const std::uint32_t most = run.visible() ? SequenceSpan::kUnits : UINT32_MAX;
      while (run.count > 0) {
        SequenceSpan rest;
        if (run.count > most) rest = split_span(run, most, scalars);
        const std::uint32_t units = run.count;
        const Sequence::Place place = to.split_at(unit);
        to.put(place, std::move(run));
        unit += units;
        to.split_chunk(place.chunk);
        run = std::move(rest);
      }
    }
    join_at(unit);
    join_at(begin);
  }
  // Said too low it would pass an author for one who had seen everything.
  to.newest_ = std::max(to.newest_, to.base_);
  for (const auto& chunk : to.chunks_)
    to.newest_ = std::max(to.newest_, Revision(chunk->newest));
  if (to.bytes() > bytes_max)
    return failed(Code::kRejected, fmt::format("difference: expected at most {} bytes, got {}",
                                               bytes_max, to.bytes()));
  return to;
}

}  // namespace waggle
