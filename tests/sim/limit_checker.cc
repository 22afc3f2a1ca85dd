#include "tests/sim/limit_checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace waggle::sim {
namespace {

bool over_limit(const Message& message) {
  if (const auto* error = std::get_if<ErrorReply>(&message)) return error->retry_millis > 0;
  if (const auto* refused = std::get_if<Refused>(&message))
    return refused->code == Code::kOverloaded;
  const auto* result = std::get_if<SubmitResult>(&message);
  return result != nullptr && std::ranges::any_of(result->results, [](const MutationResult& one) {
           return one.outcome.reason == Reason::kRateLimit;
         });
}

}  // namespace

void LimitChecker::on_send(const Send& send) {
  const auto* ignored = std::get_if<IgnorePeer>(&send);
  const auto* to = std::get_if<SendTo>(&send);
  if (ignored == nullptr && (to == nullptr || !over_limit(*to->message))) return;
  const PeerId& peer = ignored != nullptr ? ignored->peer : to->peer;
  const bool floods = peer.value().starts_with(kFlooderName);
  truth_.story.count(floods ? "floods refused" : "refused by tight limits");
  if (truth_.tight_limits || floods) return;
  truth_.found("limits", fmt::format("{} is told that it sends too much", peer.value()));
}

}  // namespace waggle::sim
