#pragma once

// Agents with stale contexts and own writes that wait, and the coordinator that commits what they
// wrote one after the other: one value of one type under random or given schedules. After each step
// what the rules computed is compared with the oracle, and so are its bytes, deltas and hash.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/value.h"
#include "resolver/merge_type.h"
#include "tests/resolver/merge_oracle.h"

namespace waggle::laws {

// A schedule's violation ends it; the text says what was expected.
struct Violation {
  std::string text;
};

class World {
 public:
  World(ValueType type, std::size_t agents);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void write(std::size_t who, Op op);
  // Commits the agent's oldest waiting write. REQUIRES: one waits.
  void deliver(std::size_t who);
  // The agent's cursor reaches the head: it knows all that is committed.
  void catch_up(std::size_t who);
  // From now on what everybody has seen may be forgotten, at the next commit.
  void raise_floor();

  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  [[nodiscard]] bool waits(std::size_t who) const { return !agents_.at(who).outbox.empty(); }
  [[nodiscard]] std::size_t writes() const { return written_.size(); }
  [[nodiscard]] const std::optional<Value>& value() const { return versions_.back(); }

  // Bytes and hash of what stands, and the deltas to it from that version.
  void check_forms(std::size_t version);
  [[nodiscard]] std::size_t versions() const { return versions_.size(); }

  // What the schedules came across: a law that was never asked for holds easily.
  struct Met {
    std::uint64_t applied = 0;
    std::uint64_t nothing = 0;
    std::uint64_t rejected = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t deltas = 0;
  };
  [[nodiscard]] const Met& met() const { return met_; }

 private:
  struct Pending {
    const Written* written;
    Author author;
  };
  struct Agent {
    AgentId id;
    Revision cursor;
    Seq written;
    Seq committed;  // the last one that the coordinator stepped
    Seq reflected;  // the last one that the committed state at the cursor counts
    std::uint64_t known = 0;
    Hlc clock;  // above all that it knows
    std::deque<Pending> outbox;
  };

  void apply(const Pending& pending, Value value);
  void check_metadata() const;
  void check_delta(const Value& from, const Value& to);

  ValueType type_;
  Oracle oracle_;
  std::vector<Agent> agents_;
  std::deque<Written> written_;  // addresses stay
  std::uint64_t committed_ = 0;  // as a past
  Hlc newest_;                   // of what is committed
  Revision head_;
  Revision floor_;
  std::vector<std::optional<Value>> versions_{std::nullopt};
  Met met_;
};

}  // namespace waggle::laws
