#pragma once

// The claims of one agent: what it asks for, what it holds, and until when it may believe so.
//
//   asked --(result: granted)--> held --(renewed, again and again)--> released, handed over, lost
//      \--(result: place)--> waits --/
//
// What is asked is asked again until it is answered, under the same number. What is held is renewed
// at a third of its time. It is lost when the coordinator says so, in an answer or by the claim's
// record, or when no renewal was answered within its time, counted from when that one was sent:
// then another agent may have it already. Until the agent knows, the coordinator refuses its writes
// by their token.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/ids.h"
#include "base/message.h"
#include "base/mutation.h"
#include "base/status.h"
#include "base/time.h"
#include "consensus/claims.h"

namespace waggle {

class OwnClaims {
 public:
  explicit OwnClaims(Claimant self) : self_(std::move(self)) {}

  // `number`: drawn at random. Errors: kRejected for a shape or a claim that is not held,
  // kOverloaded when too much waits.
  [[nodiscard]] Status ask(const ClaimCommand& command, RequestId number, Instant now);
  // What is to be sent now, without its session.
  [[nodiscard]] std::vector<ClaimRequest> to_send(Instant now);
  // That one is not taken before, and is sent again then.
  void come_back(RequestId request, Instant at);
  // The link is up again: all that was asked is sent again.
  void ask_again(Instant now);
  [[nodiscard]] std::vector<Delivery> on_result(const ClaimResult& result, Instant now);
  // Of a claim's key. `number`: for a release of what nobody here asked for any more.
  [[nodiscard]] std::vector<Delivery> on_record(const Change& change, RequestId number,
                                                Instant now);
  // `number` gives one for each renewal.
  template <typename Draw>
  void renew_due(Instant now, const Draw& number) {
    for (auto& [pattern, own] : held_)
      if (own.renews && !own.leaving && now >= own.renew_at) renew(pattern, own, number(), now);
  }
  // What was not answered in its time, what could not be renewed in its time.
  [[nodiscard]] std::vector<Delivery> tick(Instant now);
  // The agent ends: nothing is held or answered any more.
  [[nodiscard]] std::vector<Delivery> end(const Error& why);
  // Resending only while the link is up.
  [[nodiscard]] Instant next_wake(bool attached) const;

  // The token of the own claim that covers the keys; 0: none does. Of one that was lost it is the
  // old token, so that the write is refused, until the application takes it again or releases it:
  // what it writes it may decide on the belief that it holds the claim. Errors: kRejected for keys
  // of two claims.
  [[nodiscard]] Result<FenceToken> fence_of(const std::vector<Entry>& entries) const;
  // A write that ends a claim with its commit, the report on a task, is on its way, or settled.
  void reports(const Mutation& mutation);
  [[nodiscard]] std::vector<Delivery> reported(const Mutation& mutation, const Outcome& outcome);
  struct Own {
    FenceToken token;
    std::int64_t ttl_millis = 0;
    Revision since;  // its record's version
    bool renews = false;
    bool leaving = false;  // its release or handover is under way
    int reports = 0;       // under way: what becomes of them is told as of every write
    Instant renew_at = Instant::never();
    Instant lasts_until;
  };
  [[nodiscard]] const std::map<std::string, Own>& held() const { return held_; }
  // Nothing that the application asked waits for its answer.
  [[nodiscard]] bool idle() const;

 private:
  struct Asking {
    ClaimRequest request;
    RequestId command;  // 0: of this class itself
    bool renews = false;
    bool waited = false;
    std::string trouble;  // why it can't be done at present
    FenceToken granted;   // by its record; an answer of before is of no use any more
    Instant sent;
    Instant resend_at;
    Instant deadline;
  };

  void lose(const std::string& pattern, const Own& own, std::string why,
            std::vector<Delivery>& told);
  void tell_lost(const std::string& pattern, FenceToken token, std::string why,
                 std::vector<Delivery>& told);
  void renew(const std::string& pattern, Own& own, RequestId number, Instant now);
  // Null: nobody here asks for it any more.
  [[nodiscard]] Asking* asking_for(const Claim& claim);
  // What was asked to give a claim away is answered by its record too: the answer may be lost.
  void settle_given(const std::string& pattern, FenceToken token, const Record& record,
                    const std::optional<Claim>& now, std::vector<Delivery>& told);
  void settle(const Asking& asking, const ClaimResult& result, Instant now,
              std::vector<Delivery>& told);

  Claimant self_;
  std::map<RequestId, Asking> asking_;
  std::map<std::string, Own> held_;
  std::map<std::string, FenceToken> lost_;
  // Lost, or ended by a report, while such were under way: the outcome of the last one says which.
  struct Unsettled {
    FenceToken token;
    int reports = 0;
    Revision since;
    std::string why;  // it would be lost
  };
  std::map<std::string, Unsettled> unsettled_;
};

}  // namespace waggle
