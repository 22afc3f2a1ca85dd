#pragma once

// What must hold, watched from outside of the cores: on what the coordinator lets out, on what the
// agents tell their applications, and on what an application could see at any moment. The commits
// themselves are checked where they are replayed (history.h). Each checker has a planted bug that
// it must catch (saboteur.h).
//
//   visible    nothing leaves the coordinator that a crash could still undo
//   readers    every state shown is a committed one, whole; never back within an epoch, no hole
//   groups     two counters that are always written together are always equal
//   views      an agent's own writes are in its view exactly once
//   outcomes   each write is answered exactly once a process; each answer is true
//   answers    reads, synchronisations and offers are answered once, and sanely
//   rounds     a quorum never overwrites what came after it was asked
//   lost       what is acknowledged stays; what a restore undid is told to whoever was told of it
//   overruled  whose committed write a rule put aside is told so, once, when it shows
//   order      what begins after an acknowledgement is committed later; see order_checker.h
//   claims     a token lets write, and only one; see claim_checker.h and claim_truth.h
//   decisions  one outcome of the votes that were, what it writes once; see decision_truth.h
//   tasks      each is done once, by who held it, with its effect; see task_truth.h
//   stamps     the later write wins, none is from the future; see stamp_truth.h
//   links      who is cut off says so, also where one way still works
//   ephemeral  what lives in memory only is told without a hole, and is in nothing durable
//   limits     nobody is told that it sent too much but who did; see limit_checker.h
//   recovery   a coordinator that starts finds exactly what its disk held for certain
//   equal      after healing all hold the same
//   progress   after healing nothing is left to do within a bound
//
// One thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/event.h"
#include "tests/sim/history.h"
#include "tests/sim/story.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

// What all checkers look at.
struct Truth {
  Timeline& timeline;
  Story& story;
  Ledger ledger;
  Chronicle chronicle;
  std::unique_ptr<History> history;
  std::uint64_t restores = 0;  // and losses: how often a history was given up
  bool tight_limits = false;   // anybody may be over one

  void found(CheckerName checker, std::string text) const {
    story.found(checker, timeline.now(), std::move(text));
  }
};

// One running agent, as its application and we see it.
struct AgentSeen {
  std::string name;
  AgentId id;
  std::uint64_t life = 0;
  const Agent* core = nullptr;
  bool told = true;  // everything that it decided was told; false while a batch is on its way
  bool observes = false;
  bool blind = false;  // may not read what is_hidden()
};

class Checker {
 public:
  explicit Checker(Truth& truth) : truth_(truth) {}
  virtual ~Checker() = default;

  virtual void on_start(const AgentSeen& agent, const AgentState& recovered) {
    (void)agent;
    (void)recovered;
  }
  virtual void on_command(const AgentSeen& agent, const Command& command) {
    (void)agent;
    (void)command;
  }
  virtual void on_delivery(const AgentSeen& agent, const Delivery& delivery) {
    (void)agent;
    (void)delivery;
  }
  // After a turn: whatever an application could read now.
  virtual void on_turn(const AgentSeen& agent) { (void)agent; }
  virtual void on_stop(const AgentSeen& agent) { (void)agent; }
  // What the coordinator lets out.
  virtual void on_send(const Send& send) { (void)send; }
  virtual void on_restore() {}
  // For so long nothing came to it from the coordinator but broadcasts, and what is on its way is
  // there by now.
  virtual void on_deaf(const AgentSeen& agent, std::int64_t millis) {
    (void)agent;
    (void)millis;
  }
  // After healing.
  virtual void at_end(const std::vector<AgentSeen>& agents) { (void)agents; }

 protected:
  Truth& truth_;
};

[[nodiscard]] std::vector<std::unique_ptr<Checker>> all_checkers(Truth& truth);

inline constexpr const char* kFlooderName = "flooder";

// The keys of which checkers know more.
[[nodiscard]] Key own_counter(const AgentId& agent);
[[nodiscard]] bool is_quorum_key(const Key& key);  // by policies_of_the_world()
[[nodiscard]] std::pair<Key, Key> group_pair(std::uint64_t n);
inline constexpr std::uint64_t kGroupPairs = 2;

}  // namespace waggle::sim
