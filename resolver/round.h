#pragma once

// What a full synchronisation decides about one key: the table "strategy x round" as pure
// functions.
//
//           | taken                                                    | nobody's value is taken
//   lww     | the greatest (HLC, agent id) of the offers and the       | the committed one is
//   greatest
//           | committed value                                          |
//   quorum  | the value that at least the threshold of the roster      | `otherwise`; with keep:
//           | holds; `same` votes for the committed one                | no_quorum
//   keep    | never                                                    | always
//
// The committed value is an input of weight 0: that the coordinator has a copy adds nothing to
// those who hold it. Offers are for registers: on a counter or a set, or where the policy wants
// one, they are lost. `no_quorum` needs an offer: without one nothing is in question, and it is
// `unchanged`. `timeout` is: members were asked, and not one answered. `partial` is: some did, and
// a missing answer could have changed the decision.
//
// Safety: a round never overwrites a commit that it did not ask about. When the key moved since the
// request, lww joins with the present value (which is an input like any other), keep takes nothing
// anyhow, and quorum says `moved` and is asked again once.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/message.h"
#include "base/record.h"
#include "resolver/policy.h"

namespace waggle {

struct RoundInput {
  AgentId agent;
  AnswerKind kind = AnswerKind::kSame;
  Offer offer;  // with kOffer
};

struct RoundQuestion {
  Revision asked;         // the key's version in the request; 0: no live record
  const Record* present;  // the record now; null or a tombstone: absent
  const Policy* policy;
  std::vector<RoundInput> answers;  // one for each member that answered, in roster order
  std::uint32_t roster = 0;
};

struct RoundDecision {
  RoundOutcome outcome = RoundOutcome::kUnchanged;
  std::optional<std::size_t> winner;  // index of the answer whose offer is the value now
  bool commit = false;                // false with a winner: it offered what stands already
  std::string rule;                   // for the receipt, when offers were weighed
};

// True iff no missing answer can change the decision. A round of one key is over then.
[[nodiscard]] bool settled(const RoundQuestion& question);
[[nodiscard]] RoundDecision decide(const RoundQuestion& question);

}  // namespace waggle
