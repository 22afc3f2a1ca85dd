#include "tests/sim/round_checker.h"

#include <string>
#include <variant>

#include <fmt/format.h>

namespace waggle::sim {

void RoundChecker::on_send(const Send& send) {
  const auto* broadcast = std::get_if<Broadcast>(&send);
  if (broadcast == nullptr) return;
  if (const auto* request = std::get_if<StateRequest>(broadcast->message.get()))
    asked_at_[request->round] = request->head;
  const auto* update = std::get_if<StateUpdate>(broadcast->message.get());
  if (update == nullptr || !update->round) return;
  const auto asked = asked_at_.find(update->round);
  if (asked == asked_at_.end()) {
    truth_.found("rounds", fmt::format("the round of {} asked nobody", update->to.value()));
    return;
  }
  for (const Change& change : update->changes) {
    const Metadata& metadata = change.record->metadata;
    const bool amends = metadata.contains("amends");
    // Under lww an offer joins with whatever stands; but an amendment with what the round had left.
    if (!amends && !is_quorum_key(change.key)) continue;
    const Cursor before{update->epoch, Revision(change.record->version.value() - 1)};
    const RecordPtr stood = truth_.chronicle.newest_at(before, change.key);
    const Revision cleared = truth_.history->cleared_before(before.revision);
    const bool gone = stood && (!stood->live() || cleared > stood->version);
    if (amends) {
      const Revision left(std::stoull(metadata.at("amends_revision")));
      const bool stands = left ? stood && stood->version == left && cleared < left : !stood || gone;
      if (!stands)
        truth_.found("rounds", fmt::format("{} amends {}@{}, and what stood was of {}",
                                           update->to.value(), change.key.value(), left.value(),
                                           stood ? stood->version.value() : 0));
      if (left || !is_quorum_key(change.key)) continue;
    }
    if (!stood) continue;
    // Deleted by a clear counts if it stood until then.
    const Revision moved = stood->live() && cleared > stood->version ? cleared : stood->version;
    if (moved > asked->second)
      truth_.found(
          "rounds",
          fmt::format("the round of {} asked about {} at {}, and overwrote what came at {}",
                      update->to.value(), change.key.value(), asked->second.value(),
                      moved.value()));
  }
}

}  // namespace waggle::sim
