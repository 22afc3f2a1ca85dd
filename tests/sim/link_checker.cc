#include "tests/sim/link_checker.h"

#include <fmt/format.h>

namespace waggle::sim {

void LinkChecker::on_start(const AgentSeen& agent, const AgentState& recovered) {
  (void)recovered;
  told_[agent.name] = {Link::kJoining, truth_.timeline.now()};
}

void LinkChecker::on_delivery(const AgentSeen& agent, const Delivery& delivery) {
  const auto* changed = std::get_if<LinkChanged>(&delivery);
  if (changed != nullptr) told_[agent.name] = {changed->link, truth_.timeline.now()};
}

void LinkChecker::on_deaf(const AgentSeen& agent, std::int64_t millis) {
  const Told& told = told_[agent.name];
  if (told.link == Link::kAttached || told.link == Link::kBehind)
    truth_.found("links", fmt::format("{} hears nothing for {} ms and says that it is {}",
                                      agent.name, millis, to_text(told.link)));
}

}  // namespace waggle::sim
