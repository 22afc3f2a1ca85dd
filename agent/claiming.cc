// Claims: asked for, renewed, lost. The bookkeeping is in own_claims.h.

#include <utility>

#include "agent/agent.h"

namespace waggle {

void Agent::claim(const ClaimCommand& command) {
  Status asked = may_write();
  if (asked) asked = claims_.ask(command, random_.id<RequestId>(), now_.monotonic);
  if (!asked) tell(CommandFailed{command.request, std::move(asked.error())});
}

void Agent::send_claims() {
  if (!attached_) return;
  claims_.renew_due(now_.monotonic, [&] { return random_.id<RequestId>(); });
  for (ClaimRequest& request : claims_.to_send(now_.monotonic)) {
    request.session = session_;
    up(make_message(std::move(request)));
  }
}

void Agent::on_claim_result(const ClaimResult& result) {
  tell_all(claims_.on_result(result, now_.monotonic));
}

void Agent::on_claim_record(const Change& change) {
  tell_all(claims_.on_record(change, random_.id<RequestId>(), now_.monotonic));
}

void Agent::tell_all(std::vector<Delivery> told) {
  for (Delivery& delivery : told) tell(std::move(delivery));
}

}  // namespace waggle
