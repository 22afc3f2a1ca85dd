#pragma once

// Full synchronisations: ask the live members what they hold of some keys, collect the answers,
// decide each key by its policy, and hand what is to be committed to the coordinator.
//
//   waiting --(no open round shares a key, a place is free)--> asked --(all settled, or the time is
//   over)--> decided --(a key moved, first time, time left)--> asked again for those keys
//
// The roster is fixed when the round is asked: the attached members, healthy or degraded. Each
// counts once, by its first answer. A member silent at a quarter of the time is asked once more by
// ROUTER. Rounds are volatile: a restart forgets them and the caller asks again.
//
// A decided round whose policies let late answers amend it is kept for that time: an answer that
// was missing is taken in, the key is decided again as it stood then, and the value that comes out
// is committed where it differs and nobody wrote the key since. Kept in memory only: after a
// restart a late answer is one to no round, and its offer waits for the next. Where the rules now
// decide nothing any more (`keep`, or a person) what the round committed stays; and of a round over
// all keys only those are decided again that somebody had named in time.
//
// The class decides nothing about messages and commits: it tells the coordinator what to ask and
// what was decided.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/message.h"
#include "base/time.h"
#include "coordinator/history.h"
#include "coordinator/swarm_state.h"
#include "resolver/policy.h"
#include "resolver/round.h"

namespace waggle {

// One round from the request to the report.
struct Round {
  RoundId id;  // a new one when keys are asked again
  SwarmId swarm;
  PeerId caller;
  SessionId caller_session;
  std::string asker;  // its rounds are counted together; empty: not counted
  RequestId request;
  Priority priority = Priority::kNormal;
  bool all = false;
  std::vector<Key> wanted;
  Instant started;
  Instant deadline;

  // Set when it is asked.
  bool asked = false;
  bool again = false;  // the second asking, of keys that moved
  bool reminded = false;
  Instant remind_at;
  Revision head;  // of the swarm at the asking
  Hash128 digest;
  std::vector<AskedKey> keys;
  std::vector<AgentId> roster;
  std::map<AgentId, StateResponse> answers;
  std::set<AgentId> late;
  std::vector<KeyReport> reports;  // of keys that are decided already
};

// A round that is over, and what it left.
struct DecidedRound {
  struct Left {
    Key key;
    Revision asked;    // what the key's version was for the decision
    RecordPtr stood;   // what the decision took in as the present record
    Revision version;  // of the record that it left, a tombstone too; 0: none
    Instant until;     // then a late answer is too late
  };
  Round round;
  Revision head;  // of the swarm when it was decided
  std::vector<Left> keys;
};

// What a decided round wants committed and told.
struct Settlement {
  struct Put {
    Key key;
    Register value;
    Hlc hlc;         // of the winning offer; of a value made of several the greatest
    AgentId winner;  // empty: made of several, or what stood before the round
    std::optional<Revision> amends;  // the version that the round had left; 0: none
  };
  std::vector<Put> puts;
  struct Weighed {  // a receipt is due
    Key key;
    std::string rule;
    std::vector<RoundInput> inputs;
    std::vector<std::uint32_t> weights;  // votes of each input's agent, where a quorum was asked
    std::uint64_t electorate = 0;
    bool park = false;    // a person decides among them
    bool merges = false;  // what the offers began from is an input too
    // The committed input, where it is not the key's record now; null: there was none.
    std::optional<RecordPtr> stood;
  };
  std::vector<Weighed> weighed;
  std::vector<KeyReport> reports;
  std::vector<Key> moved;                     // to be asked again
  std::vector<DecidedRound::Left> amendable;  // `version` and `until` are the coordinator's to say
  // No quorum, or a missing answer that a quorum or a person waits for.
  std::vector<Key> undecided;
};

class Rounds {
 public:
  explicit Rounds(const Policies& policies) : policies_(policies) {}

  // Refuses when too many wait, or `each_max` of that asker are not over; 0: any number. A repeated
  // request of the same caller is ignored.
  [[nodiscard]] Status add(Round round, std::size_t each_max = 0);
  // The next waiting round that may be asked now, by priority and then by age; removed from the
  // waiting ones, and open once the caller gave it to start().
  [[nodiscard]] std::optional<Round> next_to_ask();
  // REQUIRES: round.keys, roster and id are set.
  void start(Round round);
  // The first answer of a member of the roster. False: no such round, or not in its roster.
  bool answer(RoundId id, const SwarmId& swarm, const AgentId& agent, StateResponse response);
  // Open rounds that are over: all is settled, or the time is.
  [[nodiscard]] std::vector<RoundId> over(Instant now, const SwarmState& state) const;
  // Waiting rounds whose time was over before they could be asked; removed.
  [[nodiscard]] std::vector<Round> starved(Instant now);
  // Members to remind now, once.
  [[nodiscard]] std::vector<std::pair<RoundId, AgentId>> reminders(Instant now);
  [[nodiscard]] Round* find(RoundId id);
  [[nodiscard]] Round take(RoundId id);
  [[nodiscard]] Settlement settle(const Round& round, const SwarmState& state,
                                  const History& history) const;

  // Keeps a round that is over. Bound: limits::kOpenRounds, the oldest go.
  void keep(DecidedRound decided);
  // Lets go of those that no answer can amend any more.
  void forget_decided(Instant now);
  // The answer of a member that was missing. Null: no such round, or it can't be amended any more.
  [[nodiscard]] DecidedRound* late_answer(RoundId id, const SwarmId& swarm, const AgentId& agent,
                                          StateResponse response, Instant now);
  // What the round decides now, of keys that still stand as it left them and are not too old.
  [[nodiscard]] Settlement amend(const DecidedRound& decided, const SwarmState& state,
                                 const History& history, Instant now) const;
  [[nodiscard]] std::size_t decided() const { return decided_.size(); }
  [[nodiscard]] Instant next_wake() const;
  [[nodiscard]] std::size_t open(const SwarmId& swarm) const;
  [[nodiscard]] std::set<SwarmId> swarms_with_rounds() const;

 private:
  [[nodiscard]] std::vector<Key> questions(const Round& round) const;
  [[nodiscard]] RoundQuestion question(const Round& round, const Key& key, Revision asked,
                                       const Record* present) const;
  [[nodiscard]] std::uint64_t electorate(const Round& round, const Policy& policy) const;
  [[nodiscard]] bool overlaps_open(const Round& round) const;

  struct Asked {
    const Key& key;
    Revision version;
    const RecordPtr& present;
  };
  void settle_key(const Round& round, const Asked& asked, const History& history,
                  Settlement& settlement) const;
  // False: it is not in the roster, or has answered.
  static bool take_answer(Round& round, const AgentId& agent, StateResponse response);

  const Policies& policies_;
  std::deque<Round> waiting_;
  std::map<RoundId, Round> open_;
  std::deque<DecidedRound> decided_;  // oldest first
};

}  // namespace waggle
