#pragma once

// What a full synchronisation decides about one key: the table "strategy x round" as pure
// functions. The chain of strategies of the key's policy is asked one after the other.
//
//           | taken                                                    | hands over
//   lww     | the greatest (HLC, agent id) of the offers and the       | the two greatest are
//   within
//           | committed value                                          | the conflict window
//   fww     | the committed value, else the least (HLC, agent id)      | (the same, of the least)
//   vector  | the offer that is based on a strictly greater version    | two offers are, or none is
//           | than all others, and not below the committed one         | on the committed version
//   quorum  | the value that at least the threshold of the roster's    | no value has so many, or
//   too
//           | votes holds; `same` votes for the committed one          | few votes were cast at all
//   merge   | three-way, offer by offer in roster order, each with     | both changed the same, or
//   an
//           | what it is based on                                      | ancestor is not kept any
//           more
//   custom  | the joined value, offer by offer                         | the merger failed
//   manual  | nobody's value: parked                                   |
//   keep    | the committed value                                      |
//
// The committed value is an input of weight 0: that the coordinator has a copy adds nothing to
// those who hold it. Offers are for registers: on a key of another type, or where the policy wants
// one, they are lost. Where a quorum could not decide and `keep` ends the chain the outcome is
// `no_quorum`; that needs an offer: without one nothing is in question, and it is `unchanged`.
// `timeout` is: members were asked, and not one answered. `partial` is: some did, and a missing
// answer could have changed the decision.
//
// Safety: a round never overwrites a commit that it did not ask about. When the key moved since the
// request, a chain that begins with lww or fww joins with the present value (which is an input like
// any other), keep takes nothing anyhow, and every other one says `moved` and is asked again once.

#include <cstdint>
#include <functional>
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
  std::uint64_t electorate = 0;        // votes of the roster by the policy's weights; 0: one each
  const Policies* policies = nullptr;  // of the mergers; null: none
  // The record of that version where the key's history is kept; empty or null: it isn't.
  std::function<RecordPtr(Revision)> history = {};
};

struct RoundDecision {
  RoundOutcome outcome = RoundOutcome::kUnchanged;
  std::optional<std::size_t> winner;  // index of the answer whose offer is the value now
  std::optional<Register> made;       // the value now, where it is nobody's offer but made of them
  bool commit = false;                // false with a winner: it offered what stands already
  // A person decides among all offers and the committed value; with `partial` not yet.
  bool park = false;
  std::string rule;  // for the receipt, when offers were weighed
};

// True iff no missing answer can change the decision. A round of one key is over then.
[[nodiscard]] bool settled(const RoundQuestion& question);
[[nodiscard]] RoundDecision decide(const RoundQuestion& question);

}  // namespace waggle
