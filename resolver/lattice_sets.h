#pragma once

// Three sets of elements of 1..limits::kElementBytes bytes.
//
//                   | concurrent add and remove | metadata                  | a delta
//   grow-set        | there is no remove        | none                      | the new elements
//   add-wins set    | the element stays         | a dot for each element    | element, new dot,
//   dots
//                   |                           | and concurrent addition   | that it replaces
//   remove-wins set | the element goes          | the same, and a dot for   | the same
//                   |                           | each *removed* element    |
//
// The add-wins set keeps nothing of what was removed (ORSWOT: Bieniusa et al., "An optimized
// conflict-free replicated set", 2012). A removal names the element and the dots that it saw, so
// deltas may arrive in any order: an addition that comes after its own removal is known to be gone.
// The remove-wins set is its dual and can't do without tombstones: whoever adds without having seen
// the removal must learn of it. settle() drops those that everybody has seen.
// The grow-set never shrinks by definition. Bound: kGrowSetElements.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "resolver/lattice_object.h"

namespace waggle::lattice {

class AddWinsStore : public DotMap<std::string, DotSet> {
 public:
  static constexpr Type kType = Type::kAddWinsSet;
  [[nodiscard]] bool contains(std::string_view element) const { return entries_.contains(element); }
  [[nodiscard]] std::vector<std::string> elements() const;

  // Errors: kRejected for an element that is empty or too long.
  [[nodiscard]] Result<AddWinsStore> add(Mutation& m, std::string_view element) const;
  // What concurrent additions bring stays. An element that isn't there: nothing happens.
  [[nodiscard]] Result<AddWinsStore> remove(Mutation& m, std::string_view element) const;
  [[nodiscard]] Result<AddWinsStore> clear(Mutation& m) const;
};
using AddWinsSet = Causal<AddWinsStore>;

// Both kinds of dots of an element. Each write replaces all that its author saw.
class AddsAndRemovals {
 public:
  [[nodiscard]] bool present() const { return removals.empty() && !adds.empty(); }
  void join(const AddsAndRemovals& other, const Sides& sides, Join how);
  void keep_unseen(const CausalContext& seen);
  void forget_dots();
  void rename(const Renaming& renaming);
  void collect(std::vector<Dot>& into) const;
  [[nodiscard]] bool empty() const { return adds.empty() && removals.empty(); }
  void write(ByteWriter& out, const Actors& actors) const;
  void read(ByteReader& in, const Reading& reading);
  friend bool operator==(const AddsAndRemovals&, const AddsAndRemovals&) = default;

  DotSet adds;
  DotSet removals;
};

class RemoveWinsStore : public DotMap<std::string, AddsAndRemovals> {
 public:
  static constexpr Type kType = Type::kRemoveWinsSet;
  [[nodiscard]] bool contains(std::string_view element) const;
  [[nodiscard]] std::vector<std::string> elements() const;
  [[nodiscard]] std::size_t tombstones() const;

  // Errors of both: kRejected for an element that is empty or too long.
  [[nodiscard]] Result<RemoveWinsStore> add(Mutation& m, std::string_view element) const;
  [[nodiscard]] Result<RemoveWinsStore> remove(Mutation& m, std::string_view element) const;
  // Drops the removals at or below the floor. REQUIRES: every actor has seen `floor`, and nothing
  // that was written without it can arrive any more; else an addition that had to lose comes back.
  [[nodiscard]] Result<RemoveWinsStore> settle(Mutation& m, const CausalContext& floor) const;

 private:
  [[nodiscard]] Result<RemoveWinsStore> written(Mutation& m, std::string_view element,
                                                DotSet AddsAndRemovals::* kind) const;
};
using RemoveWinsSet = Causal<RemoveWinsStore>;

class GrowSet {
 public:
  static constexpr Type kType = Type::kGrowSet;
  using Delta = GrowSet;
  [[nodiscard]] bool contains(std::string_view element) const {
    return elements_.contains(element);
  }
  [[nodiscard]] const std::set<std::string, std::less<>>& elements() const { return elements_; }

  // Errors: kRejected for the element, kOverloaded beyond kGrowSetElements.
  [[nodiscard]] Result<GrowSet> add(std::string_view element);
  // Errors: kOverloaded beyond kGrowSetElements.
  [[nodiscard]] Status join(const GrowSet& other);

  [[nodiscard]] bool is_bottom() const { return elements_.empty(); }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := count { length element }, rising
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<GrowSet> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const GrowSet&, const GrowSet&) = default;

 private:
  std::set<std::string, std::less<>> elements_;
};

}  // namespace waggle::lattice
