#pragma once

// Where a Sequence keeps its spans: a tree of three levels, root, groups and chunks, of which
// copies share what they have in common. Inner header of base/sequence.h.
//
// A node with a single owner, whose ancestors have a single owner too, is changed in place; others
// are copied on the way down (Rodeh, "B-trees, shadowing, and clones", 2008). The content of a
// chunk's spans is one string, so copying a chunk is two allocations. Three levels are enough: a
// value has at most limits::kValueBytes, so the root stays short.
//
// The sums (sizes, hash) are functions of the units, whatever spans they stand in: each change adds
// what its units and the two neighbours at its borders bring and takes off what they brought. Base
// units count in the hash by their number among the base units, so inserting or erasing one means
// that everything is counted again, see recount().

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/dot.h"
#include "base/hash.h"
#include "base/sequence_span.h"

namespace waggle {

// What is summed up of spans below a node.
struct SequenceSum {
  std::uint64_t visible = 0;
  std::uint64_t base = 0;  // base units
  std::uint64_t total = 0;
  std::uint64_t newest = 0;  // revision of a dot
  void add(const SequenceSpan& span);
  void add(const SequenceSum& sum);
  friend bool operator==(const SequenceSum&, const SequenceSum&) = default;
};

struct SequenceChunk {
  std::vector<SequenceSpan> spans;
  std::string content;  // of the spans, in their order
};

template <typename Node>
struct SequenceSlot {
  std::shared_ptr<Node> node;  // never null
  SequenceSum sum;
};
using SequenceGroup = std::vector<SequenceSlot<SequenceChunk>>;
using SequenceRoot = std::vector<SequenceSlot<SequenceGroup>>;

// A writer without seq, and what it counts for.
struct SequenceWriter {
  AgentId agent;
  Incarnation incarnation;
  std::uint64_t hash = 0;
  friend bool operator==(const SequenceWriter&, const SequenceWriter&) = default;
};

class SequenceTree {
 public:
  static constexpr std::size_t kChunkSpans = 32;
  static constexpr std::size_t kChunkBytes = std::size_t{8} << 10;  // of content
  static constexpr std::size_t kGroupChunks = 32;

  // Before a span; or behind the last one of a chunk, which is before the first of the next.
  struct Place {
    std::size_t group = 0;
    std::size_t chunk = 0;
    std::size_t span = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  explicit SequenceTree(SequenceUnit unit) : unit_(unit) {}

  [[nodiscard]] SequenceUnit unit() const { return unit_; }
  [[nodiscard]] const SequenceSum& sum() const { return sum_; }
  [[nodiscard]] std::size_t content_bytes() const { return content_bytes_; }
  [[nodiscard]] std::size_t history_bytes() const { return history_bytes_; }
  [[nodiscard]] const Hash128& hash() const { return hash_; }

  [[nodiscard]] const SequenceRoot& root() const;
  // Null at the end.
  [[nodiscard]] const SequenceSpan* at(Place place) const;
  [[nodiscard]] const SequenceSpan* before(Place place) const;  // null at the beginning
  [[nodiscard]] Place behind(Place place) const;                // the span that is at() it
  // Where the span stands that is at() it; of the end: {groups, 0, 0}.
  [[nodiscard]] Place exact(Place place) const;
  [[nodiscard]] std::string_view content_of(Place place) const;
  // Each span with its content, in order: visit(const SequenceSpan&, std::string_view).
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const auto& group : root())
      for (const auto& chunk : *group.node) {
        std::string_view rest = chunk.node->content;
        for (const SequenceSpan& span : chunk.node->spans) {
          visit(span, rest.substr(0, span.bytes));
          rest.remove_prefix(span.bytes);
        }
      }
  }

  // Splits the span that is at() the place before the unit; gives the place between the halves.
  // REQUIRES: 0 < units < count.
  Place split(Place place, std::uint32_t units);
  // Gives the place behind it. REQUIRES: it is within kSpanUnits and kSpanBytes.
  Place insert(Place place, SequenceSpan span, std::string_view content);
  // The whole span is deleted by that dot too. REQUIRES: no dot is above it.
  void remove(Place place, const SpanDot& dot);
  // The deletions of the span become those of `as`. REQUIRES: as.deleted.
  void set_deletions(Place place, const SequenceSpan& as);
  void erase(Place place);
  // Joins the span that is at() the place with the one before it, if they are one and stand in one
  // chunk. Gives the place behind the span, joined or not.
  Place join(Place place);
  // True when base units came or went: the sums wait for recount().
  [[nodiscard]] bool stale() const { return stale_; }
  void recount();
  // From nothing, span by span, joining what is one; then recount().
  void append(SequenceSpan span, std::string_view content);

  [[nodiscard]] const std::vector<SequenceWriter>& writers() const;
  [[nodiscard]] std::uint32_t writer_place(const AgentId& agent, Incarnation incarnation);
  // By name, so that it does not depend on who came first.
  [[nodiscard]] bool writer_less(std::uint32_t a, std::uint32_t b) const;
  void check_invariants() const;

 private:
  SequenceRoot& own_root();
  SequenceGroup& own_group(std::size_t group);
  SequenceChunk& own_chunk(Place place);
  void tally(Place place, const SequenceSum& less, const SequenceSum& more);
  [[nodiscard]] std::uint64_t base_before(Place place) const;
  [[nodiscard]] std::size_t dot_bytes(const SpanDot& dot) const;
  // sequence_account.cc. `base` is the number of base units before the span; of a Border before it.
  struct Border {
    std::uint64_t base = 0;
  };
  void account_units(const SequenceSpan& span, std::uint64_t base);
  void account_content(const SequenceSpan& span, std::string_view content, std::uint64_t base,
                       bool added);
  void account_deletions(const SequenceSpan& span, std::uint64_t base, bool added);
  void account_joint(const Border& border, const SequenceSpan* span, const SequenceSpan* next,
                     bool added);
  void account_insertion(Place place, const SequenceSpan& span, std::string_view content);
  void account_deletion_change(Place place, const SequenceSpan& as);
  Place divide(Place place);

  SequenceUnit unit_;
  bool stale_ = false;
  SequenceSum sum_;
  std::size_t content_bytes_ = 0;
  std::size_t history_bytes_ = 0;
  Hash128 hash_;
  std::shared_ptr<SequenceRoot> root_;  // null: empty
  std::shared_ptr<const std::vector<SequenceWriter>> writers_;
};

}  // namespace waggle
