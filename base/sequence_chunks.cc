// How a Sequence keeps its spans: chunks that versions share, with their counts.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/sequence.h"

namespace waggle {
namespace {

constexpr std::size_t kSpanBytes = 32;
constexpr std::size_t kDeletionBytes = 24;
constexpr std::uint32_t kTombstoneUnits = UINT32_MAX;

std::size_t history_cost(const SequenceSpan& span) {
  return (span.folded() ? 0 : kSpanBytes) + kDeletionBytes * span.deletions.size();
}

std::uint32_t most_units(const SequenceSpan& span) {
  return span.visible() ? SequenceSpan::kUnits : kTombstoneUnits;
}

// What is hashed of one unit, built in memory that stays: it is done for each letter typed.
class UnitBytes {
 public:
  UnitBytes() : bytes_(scratch()) { bytes_.clear(); }
  void number(std::uint64_t value) {
    char little[8];
    for (unsigned i = 0; i < 8; ++i) little[i] = static_cast<char>(value >> (8 * i));
    bytes_.append(little, sizeof little);
  }
  void id(const UnitId& id) {
    number(id.none ? UINT64_MAX : id.revision);
    number((std::uint64_t{id.index} << 32) | id.offset);
  }
  void hash(const Hash128& hash) {
    number(hash.high);
    number(hash.low);
  }
  void text(std::string_view text) { bytes_.append(text); }
  [[nodiscard]] Hash128 hash() const { return hash128(bytes_); }

 private:
  static std::string& scratch() {
    thread_local std::string bytes;
    return bytes;
  }
  std::string& bytes_;
};

}  // namespace

// ---- reading -----------------------------------------------------------------------------------

const SequenceSpan* Sequence::at(Place place) const {
  while (place.chunk < chunks_.size() && place.span >= chunks_[place.chunk]->spans.size())
    place = {place.chunk + 1, 0};
  return place.chunk < chunks_.size() ? &chunks_[place.chunk]->spans[place.span] : nullptr;
}

Sequence::Place Sequence::next(Place place) const {
  while (place.chunk < chunks_.size() && place.span >= chunks_[place.chunk]->spans.size())
    place = {place.chunk + 1, 0};
  return {place.chunk, place.span + 1};
}

std::string Sequence::text() const {
  std::string text;
  text.reserve(content_bytes_);
  for (const ChunkPtr& chunk : chunks_)
    for (const SequenceSpan& span : chunk->spans) text += span.bytes;
  return text;
}

std::vector<std::string> Sequence::elements() const {
  std::vector<std::string> elements;
  elements.reserve(visible_);
  for (const ChunkPtr& chunk : chunks_)
    for (const SequenceSpan& span : chunk->spans) {
      std::size_t at = 0;
      while (at < span.bytes.size()) {
        std::size_t length = 0;
        unsigned shift = 0;
        std::uint8_t byte = 0;
        do {
          byte = static_cast<std::uint8_t>(span.bytes[at++]);
          length |= std::size_t{byte & 0x7fU} << shift;
          shift += 7;
        } while ((byte & 0x80) != 0);
        elements.push_back(span.bytes.substr(at, length));
        at += length;
      }
    }
  return elements;
}

std::size_t Sequence::spans() const {
  std::size_t spans = 0;
  for (const ChunkPtr& chunk : chunks_) spans += chunk->spans.size();
  return spans;
}

// The span that holds a unit, by its number among all, tombstones included.
Sequence::Place Sequence::locate(std::uint64_t unit, std::uint32_t& within) const {
  WAGGLE_CHECK(unit < total_);
  Place place;
  while (unit >= chunks_[place.chunk]->total) unit -= chunks_[place.chunk++]->total;
  const SequenceChunk& chunk = *chunks_[place.chunk];
  while (unit >= chunk.spans[place.span].count) unit -= chunk.spans[place.span++].count;
  within = static_cast<std::uint32_t>(unit);
  return place;
}

// ---- changing ----------------------------------------------------------------------------------

// Of the span's units all that is summed up but the cost of the span itself.
void Sequence::account(const SequenceSpan& span, bool added) {
  const Hash128 hash = hash_of(span);
  const std::uint64_t visible = span.visible() ? span.count : 0;
  if (added) {
    hash_ += hash;
    visible_ += visible;
    total_ += span.count;
    content_bytes_ += span.bytes.size();
  } else {
    hash_ -= hash;
    visible_ -= visible;
    total_ -= span.count;
    content_bytes_ -= span.bytes.size();
  }
}

// Everything that tells a unit apart, where it belongs, who made and deleted it, and its content;
// of a deleted one no content, which nobody keeps.
Hash128 Sequence::hash_of(const SequenceSpan& span) const {
  Hash128 sum;
  const bool scalars = unit_ == SequenceUnit::kScalar;
  const auto writer_of = [this](const SpanDot& dot) {
    if (dot.revision == 0) return Hash128();
    UnitBytes bytes;
    bytes.text((*writers_)[dot.writer].agent.value());
    bytes.number((*writers_)[dot.writer].incarnation.value());
    return bytes.hash();
  };
  const Hash128 inserter = writer_of(span.dot);
  std::vector<Hash128> deleters;
  for (const SpanDeletion& deletion : span.deletions) deleters.push_back(writer_of(deletion.dot));
  std::size_t from = 0;
  for (std::uint32_t i = 0; i < span.count; ++i) {
    UnitBytes bytes;
    bytes.id(span.id_of(i));
    bytes.id(i == 0 ? span.left : span.id_of(i - 1));
    bytes.id(span.right);
    bytes.number(span.dot_of(i).seq);
    bytes.hash(inserter);
    bytes.number(span.deletions.size());
    for (std::size_t d = 0; d < deleters.size(); ++d) {
      const SpanDot dot = span.deletions[d].of(i);
      bytes.number(dot.revision);
      bytes.number(dot.index);
      bytes.number(dot.seq);
      bytes.hash(deleters[d]);
    }
    if (span.visible()) {
      const std::size_t to =
          i + 1 == span.count ? span.bytes.size() : from + unit_bytes(span.bytes, from, scalars);
      bytes.text(std::string_view(span.bytes).substr(from, to - from));
      from = to;
    }
    sum += bytes.hash();
  }
  return sum;
}

SequenceChunk& Sequence::writable(std::size_t chunk) {
  if (chunks_.empty()) chunks_.push_back(std::make_shared<SequenceChunk>());
  ChunkPtr& held = chunks_[chunk];
  if (held.use_count() != 1) held = std::make_shared<SequenceChunk>(*held);
  // It was made without const, here or where it was shared from.
  return const_cast<SequenceChunk&>(*held);
}

// Splits the span so that its first `units` stand alone; gives the place between the two.
Sequence::Place Sequence::split(Place place, std::uint32_t units) {
  SequenceChunk& chunk = writable(place.chunk);
  SequenceSpan& span = chunk.spans[place.span];
  history_bytes_ -= history_cost(span);
  SequenceSpan rest = split_span(span, units, unit_ == SequenceUnit::kScalar);
  history_bytes_ += history_cost(span) + history_cost(rest);
  chunk.spans.insert(chunk.spans.begin() + static_cast<std::ptrdiff_t>(place.span) + 1,
                     std::move(rest));
  return {place.chunk, place.span + 1};
}

void Sequence::put(Place place, SequenceSpan span) {
  SequenceChunk& chunk = writable(place.chunk);
  account(span, true);
  history_bytes_ += history_cost(span);
  chunk.visible += span.visible() ? span.count : 0;
  chunk.total += span.count;
  chunk.newest = std::max(chunk.newest, span.newest());
  chunk.spans.insert(chunk.spans.begin() + static_cast<std::ptrdiff_t>(place.span),
                     std::move(span));
}

void Sequence::cut(Place place) {
  SequenceChunk& chunk = writable(place.chunk);
  const auto span = chunk.spans.begin() + static_cast<std::ptrdiff_t>(place.span);
  account(*span, false);
  history_bytes_ -= history_cost(*span);
  chunk.visible -= span->visible() ? span->count : 0;
  chunk.total -= span->count;
  chunk.spans.erase(span);
}

// Joins the span with the one before it in its chunk, where they are one run.
void Sequence::join_around(Place place) {
  if (place.span == 0 || place.chunk >= chunks_.size() ||
      place.span >= chunks_[place.chunk]->spans.size())
    return;
  SequenceChunk& chunk = writable(place.chunk);
  SequenceSpan& first = chunk.spans[place.span - 1];
  SequenceSpan& second = chunk.spans[place.span];
  if (first.count + std::uint64_t{second.count} > most_units(first)) return;
  history_bytes_ -= history_cost(first) + history_cost(second);
  // It may take a part only; what is left is a span of its own.
  const bool all = extend_span(first, second, most_units(first), unit_ == SequenceUnit::kScalar);
  history_bytes_ += history_cost(first) + (all ? 0 : history_cost(second));
  if (all) chunk.spans.erase(chunk.spans.begin() + static_cast<std::ptrdiff_t>(place.span));
}

// Keeps the chunk within its bounds: an empty one goes, a crowded one becomes two.
void Sequence::split_chunk(std::size_t at) {
  if (at >= chunks_.size()) return;
  if (chunks_[at]->spans.empty()) {
    chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(at));
    return;
  }
  while (chunks_[at]->spans.size() > kChunkSpans) {
    SequenceChunk& chunk = writable(at);
    auto second = std::make_shared<SequenceChunk>();
    const auto middle = chunk.spans.begin() + static_cast<std::ptrdiff_t>(kChunkSpans / 2);
    second->spans.assign(std::make_move_iterator(middle),
                         std::make_move_iterator(chunk.spans.end()));
    chunk.spans.erase(middle, chunk.spans.end());
    for (SequenceChunk* half : {&chunk, second.get()}) {
      half->visible = half->total = half->newest = 0;
      for (const SequenceSpan& span : half->spans) {
        half->visible += span.visible() ? span.count : 0;
        half->total += span.count;
        half->newest = std::max(half->newest, span.newest());
      }
    }
    chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(second));
    ++at;
  }
}

Sequence::Place Sequence::split_at(std::uint64_t unit) {
  if (unit == total_)
    return {chunks_.empty() ? 0 : chunks_.size() - 1,
            chunks_.empty() ? 0 : chunks_.back()->spans.size()};
  std::uint32_t within = 0;
  const Place place = locate(unit, within);
  return within == 0 ? place : split(place, within);
}

// The spans as the longest runs that there are, whatever chunks they stand in.
std::vector<SequenceSpan> Sequence::runs() const {
  std::vector<SequenceSpan> runs;
  const bool scalars = unit_ == SequenceUnit::kScalar;
  for (const ChunkPtr& chunk : chunks_)
    for (const SequenceSpan& span : chunk->spans) {
      SequenceSpan rest = span;
      while (rest.count > 0) {
        if (!runs.empty() && extend_span(runs.back(), rest, kTombstoneUnits, scalars)) break;
        // Where a run ends within the span, the rest begins a new one.
        if (rest.count == 0) break;
        runs.push_back(std::move(rest));
        rest = SequenceSpan();
      }
    }
  return runs;
}

// From runs, in their order; the sums are made anew.
void Sequence::rebuild(std::vector<SequenceSpan> spans) {
  chunks_.clear();
  visible_ = total_ = 0;
  content_bytes_ = history_bytes_ = 0;
  hash_ = {};
  newest_ = base_;
  std::shared_ptr<SequenceChunk> chunk;
  const auto append = [&](SequenceSpan span) {
    if (!chunk || chunk->spans.size() >= kChunkSpans / 2) {
      chunk = std::make_shared<SequenceChunk>();
      chunks_.push_back(chunk);
    }
    account(span, true);
    history_bytes_ += history_cost(span);
    chunk->visible += span.visible() ? span.count : 0;
    chunk->total += span.count;
    chunk->newest = std::max(chunk->newest, span.newest());
    newest_ = std::max(newest_, Revision(span.newest()));
    chunk->spans.push_back(std::move(span));
  };
  for (SequenceSpan& span : spans) {
    while (span.count > most_units(span)) {
      SequenceSpan rest = split_span(span, most_units(span), unit_ == SequenceUnit::kScalar);
      append(std::move(span));
      span = std::move(rest);
    }
    append(std::move(span));
  }
}

void Sequence::check_invariants() const {
  Sequence again(unit_);
  again.base_ = base_;
  again.writers_ = writers_;
  std::vector<SequenceSpan> spans;
  for (const ChunkPtr& chunk : chunks_) {
    WAGGLE_CHECK(!chunk->spans.empty() && chunk->spans.size() <= kChunkSpans);
    std::uint64_t visible = 0;
    std::uint64_t total = 0;
    for (const SequenceSpan& span : chunk->spans) {
      WAGGLE_CHECK(span.count > 0 && span.newest() <= chunk->newest);
      WAGGLE_CHECK(span.visible() || span.bytes.empty(), "content of a deleted unit");
      visible += span.visible() ? span.count : 0;
      total += span.count;
      spans.push_back(span);
    }
    WAGGLE_CHECK(visible == chunk->visible && total == chunk->total);
  }
  again.rebuild(std::move(spans));
  WAGGLE_CHECK(again.hash_ == hash_ && again.visible_ == visible_ && again.total_ == total_);
  WAGGLE_CHECK(again.content_bytes_ == content_bytes_ && again.history_bytes_ == history_bytes_);
  WAGGLE_CHECK(again.newest_ <= newest_);
}

}  // namespace waggle
