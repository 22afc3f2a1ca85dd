#include "tests/sim/ledger.h"

#include <utility>

#include <fmt/format.h>

namespace waggle::sim {

Deed& Ledger::write(const AgentId& agent, std::uint64_t life, RequestId request,
                    std::vector<Entry>& entries) {
  std::string id = fmt::format("{}-{:05}", agent.value(), deeds_.size() + 1);
  for (Entry& entry : entries) entry.metadata[kIdName] = id;
  Deed& deed = deeds_[id];
  deed.id = std::move(id);
  deed.agent = agent;
  deed.life = life;
  deed.request = request;
  deed.entries = entries;
  by_agent_[agent].push_back(&deed);
  return deed;
}

void Ledger::stored(const AgentId& agent, const Mutation& mutation) {
  const auto id = mutation.entries.front().metadata.find(kIdName);
  if (id == mutation.entries.front().metadata.end()) return;
  by_writer_[{agent, mutation.incarnation, mutation.seq}] = id->second;
  if (Deed* deed = find(id->second)) deed->mutation = mutation;
}

void Ledger::numbered(const Writer& writer, std::uint64_t life, RequestId request) {
  if (!writer.incarnation || by_writer_.contains(writer)) return;
  for (const Deed* deed : by_agent_[writer.agent])
    if (deed->life == life && deed->request == request) by_writer_[writer] = deed->id;
}

Deed* Ledger::of(const Writer& writer) {
  const auto id = by_writer_.find(writer);
  return id == by_writer_.end() ? nullptr : find(id->second);
}

Deed* Ledger::find(const std::string& id) {
  const auto deed = deeds_.find(id);
  return deed == deeds_.end() ? nullptr : &deed->second;
}

}  // namespace waggle::sim
