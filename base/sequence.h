#pragma once

// An ordered sequence that many edit at once: the value of a text (units are unicode scalar values)
// and of a list (units are elements). Authors speak in positions of what they saw; the edit is
// walked forward into what stands, and everybody who applies it to the same sequence gets the same
// one.
//
// Each unit that was ever inserted keeps its place, deleted ones as tombstones, and knows by which
// commit it came and went. So the document as any author saw it can be told: units inserted by a
// dot that it had seen and not deleted by one. A new unit goes behind the visible one before its
// position, among what the author had not seen by the rule of FugueMax, so concurrent runs never
// interleave, typed forwards or backwards (Weidner and Kleppmann, "The Art of the Fugue", 2023;
// Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker", 2024).
//
// The history is bounded by fold(): what everybody has seen becomes plain text without identities,
// and its tombstones go. An author who had seen less than base() can't be walked forward any more.
//
// Cost: units of one run of typing are one span; spans stand in chunks of at most kChunkSpans,
// which versions share. An edit by somebody who has seen everything costs one chunk and a pass over
// the chunks' counts; one by somebody who has not also looks at the spans of chunks with unseen
// commits.
//
// Not thread-safe for writing; copies share chunks, whose counts are atomic.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/dot.h"
#include "base/hash.h"
#include "base/sequence_span.h"
#include "base/status.h"

namespace waggle {

enum class SequenceUnit : std::uint8_t { kScalar = 0, kElement = 1 };

// In positions of what its author saw; of several each in the positions that the ones before leave.
// First `removed` units go from `at` on, then what is inserted comes there: of a text at most one
// piece of UTF-8, of a list elements.
struct SequenceEdit {
  std::uint64_t at = 0;
  std::uint64_t removed = 0;
  std::vector<std::string> inserted;
  friend bool operator==(const SequenceEdit&, const SequenceEdit&) = default;
};

using SeenDot = std::function<bool(const Dot&)>;

class Sequence {
 public:
  static constexpr std::size_t kChunkSpans = 64;

  explicit Sequence(SequenceUnit unit = SequenceUnit::kScalar) : unit_(unit) {}

  [[nodiscard]] SequenceUnit unit() const { return unit_; }
  [[nodiscard]] std::uint64_t size() const { return visible_; }  // units
  [[nodiscard]] std::string text() const;                        // of kScalar
  [[nodiscard]] std::vector<std::string> elements() const;       // of kElement

  // What an author had seen: every dot up to `seen`, and those for which seen_dot() holds (its
  // own).
  struct Author {
    Revision seen;
    SeenDot seen_dot;
  };
  // All edits, or none. Errors: kRejected for a position beyond the end, with both. REQUIRES:
  // reaches(author.seen); the dot is above every one that is there; texts are UTF-8.
  [[nodiscard]] Status edit(const std::vector<SequenceEdit>& edits, const Dot& dot,
                            const Author& author);
  // Deletes all that the author had seen. True iff that was anything.
  bool remove_seen(const Author& author, const Dot& dot);

  [[nodiscard]] Revision base() const { return base_; }
  [[nodiscard]] bool reaches(Revision seen) const { return seen >= base_; }
  // The greatest revision of a dot in it; base() when there is none.
  [[nodiscard]] Revision newest() const { return newest_; }
  // What was done up to `floor` loses its identity. What authors who have seen the floor do later
  // comes out the same, with or without it.
  void fold(Revision floor);
  // A revision such that folding to it leaves about `target` of history_bytes().
  [[nodiscard]] Revision fold_point(std::size_t target) const;

  [[nodiscard]] std::size_t bytes() const { return content_bytes_ + history_bytes_; }
  [[nodiscard]] std::size_t history_bytes() const { return history_bytes_; }
  // Equal content, equal hash: a sum over the units, so it does not depend on spans and chunks.
  [[nodiscard]] Hash128 hash() const { return hash_; }
  [[nodiscard]] std::size_t spans() const;

  void check_invariants() const;
  // Of the same units, however they stand in chunks.
  friend bool operator==(const Sequence& a, const Sequence& b);

  // The bytes of it, see sequence_bytes.cc for their form.
  friend std::string encode(const Sequence& sequence);
  friend Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max);
  friend std::string diff(const Sequence& from, const Sequence& to);
  friend Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes,
                                     std::size_t bytes_max);

 private:
  using ChunkPtr = std::shared_ptr<const SequenceChunk>;
  // Before a span: the end of a chunk is the beginning of the next one.
  struct Place {
    std::size_t chunk = 0;
    std::size_t span = 0;
  };

  // sequence.cc
  [[nodiscard]] bool seen(const SpanDot& dot, const Author& author, const Dot& own) const;
  [[nodiscard]] std::uint64_t visible_to(const Author& author, const Dot& own) const;
  [[nodiscard]] Place behind_visible(std::uint64_t units, const Author& author, const Dot& own,
                                     UnitId& left);
  void remove(std::uint64_t at, std::uint64_t count, const Author& author, const Dot& own);
  void insert(std::uint64_t at, const std::string& units, std::uint32_t count, std::uint32_t offset,
              const Author& author, const Dot& own);
  [[nodiscard]] Place integrate(Place place, const SequenceSpan& fresh, const Author& author,
                                const Dot& own) const;
  [[nodiscard]] bool before(const SequenceSpan& a, const SequenceSpan& b) const;
  [[nodiscard]] std::uint32_t writer_place(const Writer& writer);
  [[nodiscard]] Dot dot_of(const SpanDot& dot) const;

  // sequence_chunks.cc
  [[nodiscard]] const SequenceSpan* at(Place place) const;
  [[nodiscard]] Place next(Place place) const;
  SequenceChunk& writable(std::size_t chunk);
  [[nodiscard]] Place split(Place place, std::uint32_t units);
  void put(Place place, SequenceSpan span);
  void cut(Place place);
  void join_around(Place place);
  void split_chunk(std::size_t chunk);
  void account(const SequenceSpan& span, bool added);
  [[nodiscard]] Place locate(std::uint64_t unit, std::uint32_t& within) const;
  [[nodiscard]] Place split_at(std::uint64_t unit);
  void rebuild(std::vector<SequenceSpan> spans);
  [[nodiscard]] std::vector<SequenceSpan> runs() const;
  [[nodiscard]] Hash128 hash_of(const SequenceSpan& span) const;

  SequenceUnit unit_;
  Revision base_;
  Revision newest_;
  std::vector<ChunkPtr> chunks_;
  std::shared_ptr<const std::vector<Writer>> writers_;  // without seqs; null: none
  std::uint64_t visible_ = 0;
  std::uint64_t total_ = 0;
  std::size_t content_bytes_ = 0;
  std::size_t history_bytes_ = 0;
  Hash128 hash_;
};

// Canonical: equal sequences give equal bytes, and decode_sequence() refuses every other spelling.
[[nodiscard]] std::string encode(const Sequence& sequence);
// Bound: bytes() of the sequence is at most `bytes_max`. Errors: kRejected.
[[nodiscard]] Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max);
// What makes `to` of `from`. For two versions of one sequence it costs what changed.
[[nodiscard]] std::string diff(const Sequence& from, const Sequence& to);
// Errors: kRejected for bytes that are no such thing or don't fit `from`.
[[nodiscard]] Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes,
                                          std::size_t bytes_max);

}  // namespace waggle
