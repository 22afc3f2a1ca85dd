#pragma once

// What commits of the merging types must have made, replayed by rules of our own from the writes
// alone: nothing is taken over from the values that the cores made, except where it says so.
//
//   counters   the total is what was added and not taken away by a reset that had seen it; a
//   bounded
//              one is never below zero, and nobody spends what another one reserved
//   extremes   the greatest, the least of all that was committed
//   unions     a grow-set is the union of all that was added
//   flags      on iff an enabling was not seen by whoever disabled it, and its dual
//   siblings   every value that nobody had seen who wrote later
//   sets       of a remove-wins set: what was added and has no removal that a later author had not
//              seen
//   edits      what an edit inserted stands in one piece, and no more than it removed is gone
//   fields     the field that was written is there and counts the write; of what a removal had seen
//              nothing is left
//
// The last two are told from the value before and after. A model is a value, as the history is.
//
// One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/dot.h"
#include "base/ids.h"
#include "base/mutation.h"
#include "base/record.h"
#include "tests/sim/story.h"

namespace waggle::sim {

// One entry that was committed.
struct TypedCommit {
  const Key& key;
  const Entry& entry;
  const Record& record;  // live
  const Record* before;  // null: none
  Writer author;
  std::function<bool(const Dot&)> had_seen;
};

class TypedEffects {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  void take(const TypedCommit& commit, const Found& found);
  // The key was deleted.
  void forget(const Key& key) { models_.erase(key); }
  void forget_all() { models_.clear(); }

 private:
  struct Part {
    Dot dot;
    std::int64_t amount = 0;
    Register value;
  };
  struct Element {
    std::vector<Dot> adds;
    std::vector<Dot> removals;
  };
  // Of one key: what its type needs.
  struct Model {
    std::int64_t free = 0;  // of a plain total: all
    std::map<AgentId, std::int64_t> reserved;
    std::vector<Part> parts;  // increments, enablings, siblings
    std::set<Scalar> scalars;
    std::map<std::string, Element> elements;
  };

  void take_incr(Model& model, const IncrOp& op, const TypedCommit& commit, const Found& found);
  void take_reset(Model& model, const TypedCommit& commit, const Found& found);
  void take_escrow(Model& model, const EscrowOp& op, const TypedCommit& commit, const Found& found);
  void take_raise(Model& model, const RaiseOp& op, const TypedCommit& commit, const Found& found);
  void take_flag(Model& model, const FlagOp& op, const TypedCommit& commit, const Found& found);
  void take_put(Model& model, const PutOp& op, const TypedCommit& commit, const Found& found);
  void take_elements(Model& model, const std::vector<std::string>& elements, bool adds,
                     const TypedCommit& commit, const Found& found);

  std::map<Key, Model> models_;
};

}  // namespace waggle::sim
