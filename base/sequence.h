#pragma once

// An ordered sequence that many edit at once: the value of a text (units are unicode scalar values)
// and of a list (units are elements). Authors speak in positions of what they saw; an edit is
// walked forward into what stands, and whoever applies it to the same sequence gets the same one.
//
// Every unit keeps its place, deleted ones as tombstones, and knows by which commits it came and
// went. So the document as any author saw it can be told: the units of dots that it had seen,
// without those deleted by dots that it had seen. A new unit goes behind the one that its author
// saw before the position, and among what the author had not seen by the order of FugueMax, so what
// several type at one place at the same time never interleaves, forwards or backwards (Weidner and
// Kleppmann, "The Art of the Fugue", 2023; Gentle and Kleppmann, "Collaborative Text Editing with
// Eg-walker", 2024).
//
// History is bounded by fold(): what everybody has seen becomes base text whose units have no
// names, and its tombstones go. An author who has seen less than base() can't be walked forward any
// more.
//
// Cost: what one author typed in a row is one run. Runs stand in chunks of a tree that copies
// share, so a copy is a pointer and an edit of it writes one chunk and its path. The edit of an
// author who had seen everything finds its place by the counts of the tree; of another one the
// chunks with commits that it had not seen are searched span by span.
//
// Not thread-safe for writing; copies may be read and changed by different threads.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dot.h"
#include "base/hash.h"
#include "base/sequence_tree.h"
#include "base/status.h"

namespace waggle {

class SequenceView;

// In positions of what its author saw; of several edits each in the positions that the ones before
// leave. First `removed` units go from `at` on, then what is inserted comes there: of a text at
// most one piece of UTF-8, of a list elements.
struct SequenceEdit {
  std::uint64_t at = 0;
  std::uint64_t removed = 0;
  std::vector<std::string> inserted;
  friend bool operator==(const SequenceEdit&, const SequenceEdit&) = default;
};

using SeenDot = std::function<bool(const Dot&)>;

class Sequence {
 public:
  explicit Sequence(SequenceUnit unit = SequenceUnit::kScalar) : tree_(unit) {}

  [[nodiscard]] SequenceUnit unit() const { return tree_.unit(); }
  [[nodiscard]] std::uint64_t size() const { return tree_.sum().visible; }  // units
  [[nodiscard]] std::string text() const;                                   // of kScalar
  [[nodiscard]] std::vector<std::string> elements() const;                  // of kElement

  // What an author had seen: every dot up to `seen`, and those beyond for which seen_dot() holds,
  // its own. REQUIRES: of one writer's dots it holds for those up to some seq.
  struct Author {
    Revision seen;
    SeenDot seen_dot;
  };
  // All edits, or none. Errors: kRejected for a position beyond the end (the text has both
  // numbers), an author below base(), bytes that are no UTF-8, an element beyond
  // limits::kElementBytes. REQUIRES: the dot is above every one that is there.
  [[nodiscard]] Status edit(const std::vector<SequenceEdit>& edits, const Dot& dot,
                            const Author& author);
  // Deletes all that the author had seen, for itself where others have deleted it. True iff there
  // was anything. REQUIRES: reaches(author.seen), and of the dot as for edit().
  bool remove_seen(const Author& author, const Dot& dot);

  [[nodiscard]] Revision base() const { return base_; }
  [[nodiscard]] bool reaches(Revision seen) const { return seen >= base_; }
  // The greatest revision of a dot in it; base() when there is none.
  [[nodiscard]] Revision newest() const;
  // What was done up to `floor` loses its names. What authors who have seen the floor do later
  // comes out the same with or without it. Costs a pass over everything: call it when
  // history_bytes() says that it is worth it, not for each edit.
  void fold(Revision floor);
  // The least revision to which folding leaves at most about `target` of history_bytes().
  [[nodiscard]] Revision fold_point(std::size_t target) const;

  // Functions of the content, whatever spans and chunks it stands in. Constant time.
  [[nodiscard]] std::size_t bytes() const { return tree_.content_bytes() + tree_.history_bytes(); }
  [[nodiscard]] std::size_t history_bytes() const { return tree_.history_bytes(); }
  [[nodiscard]] Hash128 hash() const;  // of equal sequences equal

  [[nodiscard]] std::size_t runs() const;  // spans that it is stored in
  void check_invariants() const;           // costly
  friend bool operator==(const Sequence& a, const Sequence& b);

  // Canonical: a function of the content, and decode_sequence() refuses every other spelling. See
  // sequence_bytes.cc for the form.
  friend std::string encode(const Sequence& sequence);
  friend Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max);
  // See sequence_diff.cc.
  friend std::string diff(const Sequence& from, const Sequence& to);
  friend Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes,
                                     std::size_t bytes_max);

 private:
  using Place = SequenceTree::Place;

  [[nodiscard]] Place behind(std::uint64_t units, const SequenceView& view);
  [[nodiscard]] std::uint64_t visible_to(const SequenceView& view) const;
  void remove(std::uint64_t at, std::uint64_t count, const SpanDot& dot, const SequenceView& view);
  void insert(std::uint64_t at, std::string_view content, const SpanDot& dot, std::uint32_t& offset,
              const SequenceView& view);

  SequenceTree tree_;
  Revision base_;
};

[[nodiscard]] std::string encode(const Sequence& sequence);
// Bound: bytes() of the sequence is at most `bytes_max`. Errors: kRejected.
[[nodiscard]] Result<Sequence> decode_sequence(std::string_view bytes, std::size_t bytes_max);
// What makes `to` of `from`, whatever they are. Of two versions of one sequence it costs what
// changed between them, and a pass over everything where that includes folding.
[[nodiscard]] std::string diff(const Sequence& from, const Sequence& to);
// Gives exactly `to`. Errors: kRejected for bytes that are no difference, or one from another
// sequence than `from`. Bound: as for decode_sequence().
[[nodiscard]] Result<Sequence> apply_diff(const Sequence& from, std::string_view bytes,
                                          std::size_t bytes_max);

}  // namespace waggle
