// `waggle status`, `waggle agent ls`, `waggle compact`.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace waggle::cli {
namespace {

Json swarm_json(const SwarmInfo& swarm) {
  Json out;
  out.set("swarm", swarm.swarm.value()).set("revision", swarm.head.value());
  out.set("floor", swarm.floor.value()).set("keys", swarm.keys);
  out.set("tombstones", swarm.tombstones).set("state_bytes", swarm.state_bytes);
  out.set("agents", swarm.agents).set("open_rounds", swarm.open_rounds);
  return out.set("digest", to_hex(swarm.digest)).set("channel", swarm.channel);
}

int print_status(const CommandLine& line, const Config& config, const QueryResult& found) {
  if (line.json) {
    Json out;
    out.set("endpoint", config.coordinator).set("version", found.version);
    out.set("epoch", to_hex(found.at.epoch.value())).set("level", to_text(found.level));
    out.set("writable", found.writable).set("uptime_ms", found.uptime_millis);
    Json swarms{Json::Array{}};
    for (const SwarmInfo& swarm : found.swarms) swarms.push(swarm_json(swarm));
    out.set("swarms", std::move(swarms)).set("counters", counters_json(found.counters));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  std::string text = fmt::format("waggle {} at {}, up {}, epoch {}, level {}{}\n", found.version,
                                 config.coordinator, duration_text(found.uptime_millis),
                                 to_hex(found.at.epoch.value()), to_text(found.level),
                                 found.writable ? "" : ", REFUSES WRITES: the disk is full");
  std::vector<std::vector<std::string>> rows = {
      {"SWARM", "REVISION", "FLOOR", "KEYS", "DELETED", "STATE", "AGENTS", "ROUNDS", "DIGEST"}};
  for (const SwarmInfo& swarm : found.swarms)
    rows.push_back({swarm.swarm.value(), std::to_string(swarm.head.value()),
                    std::to_string(swarm.floor.value()), std::to_string(swarm.keys),
                    std::to_string(swarm.tombstones), size_text(swarm.state_bytes),
                    std::to_string(swarm.agents), std::to_string(swarm.open_rounds),
                    to_hex(swarm.digest)});
  text += rows.size() > 1 ? table(rows) : std::string("no swarm yet\n");
  if (line.admin.counters) {
    rows = {{"COUNTER", "VALUE"}};
    for (const NamedCount& counter : found.counters)
      rows.push_back({counter.name, std::to_string(counter.count)});
    text += '\n' + table(rows);
  }
  return print(text) ? kExitDone : kExitFailure;
}

}  // namespace

int status(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto found = (*client)->query(StatusQuery{}, config.timeout_millis);
  if (!found) return fail(found.error(), line.json);
  return print_status(line, config, *found);
}

int agent_list(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto found = (*client)->query(AgentsQuery{}, config.timeout_millis);
  if (!found) return fail(found.error(), line.json);
  if (line.json) {
    Json agents{Json::Array{}};
    for (const AgentInfo& agent : found->agents) {
      Json one;
      one.set("agent", agent.agent.value()).set("role", to_text(agent.role));
      one.set("health", to_text(agent.health)).set("attached", agent.attached);
      one.set("cursor", to_text(agent.cursor)).set("heard_ms_ago", agent.heard_millis_ago);
      one.set("over_limit", agent.over_limit);
      agents.push(one.set("session", to_hex(agent.session.value())));
    }
    Json out;
    out.set("swarm", config.swarm).set("cursor", to_text(found->at));
    return print_json(out.set("agents", std::move(agents))) ? kExitDone : kExitFailure;
  }
  if (found->agents.empty()) {
    say(fmt::format("nobody is in swarm '{}'", config.swarm));
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {
      {"AGENT", "ROLE", "HEALTH", "ATTACHED", "REVISION", "HEARD", "OVER LIMIT"}};
  for (const AgentInfo& agent : found->agents)
    rows.push_back({agent.agent.value(), std::string(to_text(agent.role)),
                    std::string(to_text(agent.health)), agent.attached ? "yes" : "no",
                    std::to_string(agent.cursor.revision.value()),
                    duration_text(agent.heard_millis_ago) + " ago",
                    agent.over_limit == 0 ? std::string("-") : std::to_string(agent.over_limit)});
  return print(table(rows)) ? kExitDone : kExitFailure;
}

int compact(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto done = (*client)->compact(Revision(line.admin.floor), config.timeout_millis);
  if (!done) return fail(done.error(), line.json);
  if (line.json) {
    Json out;
    out.set("swarm", config.swarm).set("floor", done->floor.value());
    return print_json(out.set("forgotten", done->forgotten)) ? kExitDone : kExitFailure;
  }
  return print_line(fmt::format("floor {}, forgot {}", done->floor.value(),
                                counted(done->forgotten, "deletion")))
             ? kExitDone
             : kExitFailure;
}

}  // namespace waggle::cli
