#include "worker.h"

#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>

#include <poll.h>
#include <unistd.h>
#include <waggle/agent.h>

#include "tasks.h"

namespace word_count {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

std::mutex output;

void say(const json& line) {
  const std::lock_guard lock(output);
  std::cout << line.dump() << std::endl;
}

// A line that has come on standard input, after waiting at most so long.
std::optional<std::string> command(std::chrono::milliseconds wait) {
  static std::string buffer;
  pollfd in{STDIN_FILENO, POLLIN, 0};
  if (buffer.find('\n') == std::string::npos &&
      ::poll(&in, 1, static_cast<int>(wait.count())) > 0) {
    char bytes[512];
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (got <= 0) return "leave";
    buffer.append(bytes, static_cast<std::size_t>(got));
  }
  const std::size_t newline = buffer.find('\n');
  if (newline == std::string::npos) return std::nullopt;
  std::string line = buffer.substr(0, newline);
  buffer.erase(0, newline + 1);
  return line;
}

struct Found {
  std::string key;
  std::uint64_t version = 0;
  Task task;
};

// Its own slice from before a crash, else some open one. Every agent looks from another place, so
// that they seldom want the same.
std::optional<Found> look_for_work(waggle::SwarmAgent& agent, const std::string& id) {
  const auto tasks = agent.list("task/*");
  if (!tasks || tasks->items.empty()) return std::nullopt;
  std::optional<Found> open;
  const std::size_t count = tasks->items.size();
  const std::size_t start = std::hash<std::string>{}(id) % count;
  for (std::size_t i = 0; i < count; ++i) {
    const waggle::StateItem& item = tasks->items[(start + i) % count];
    Found found{item.key, item.version, task_of(item.bytes)};
    if (found.task.state == "taken" && found.task.by == id) return found;
    if (!open && found.task.state == "open") open = std::move(found);
  }
  return open;
}

// True: this agent has it now.
bool take(waggle::SwarmAgent& agent, const std::string& id, Found& found) {
  if (found.task.state == "taken") {
    say({{"event", "resumed"}, {"task", found.key}});
    return true;
  }
  found.task.state = "taken";
  found.task.by = id;
  waggle::WriteGroup claim;
  claim.put_json(found.key, to_json(found.task)).if_version(found.version);
  const auto ticket = agent.write(claim);
  if (!ticket) return false;
  while (true) {
    const auto result = agent.wait(*ticket, 5s);
    if (!result && result.error().code == waggle::StatusCode::kTimeout) continue;
    if (!result || !result->ok()) return false;  // somebody else was faster
    found.version = result->revision;
    return true;
  }
}

void report(waggle::SwarmAgent& agent, const std::string& id, const Found& found,
            const std::string& text) {
  const Counts counts = count(text);
  Task done = found.task;
  done.state = "done";
  done.by = id;
  waggle::WriteGroup group;
  group.put_json(found.key, to_json(done)).if_version(found.version);
  group.incr(kLines, counts.lines).incr(kWords, counts.words).incr(kBytes, counts.bytes);
  std::map<std::string, std::vector<std::string>> known;
  if (auto sets = agent.list("vocabulary/*"))
    for (waggle::StateItem& item : sets->items) known[item.key] = std::move(item.elements);
  for (const auto& [letters, words] : vocabulary(text)) {
    const std::string key = "vocabulary/" + letters;
    const std::vector<std::string>& held = known[key];
    for (const std::string& word : words)
      if (!std::binary_search(held.begin(), held.end(), word)) group.add(key, word);
  }
  const auto ticket = agent.write(group);
  if (!ticket) return;
  while (true) {
    const auto result = agent.wait(*ticket, 5s);
    if (!result && result.error().code == waggle::StatusCode::kTimeout) continue;
    if (result && result->ok())
      say({{"event", "counted"}, {"task", found.key}, {"revision", result->revision}});
    return;
  }
}

}  // namespace

int work(const WorkerOptions& options) {
  waggle::AgentEvents events;
  events.on_caught_up = [](const waggle::CatchUpReport& report) {
    say({{"event", "caught_up"},
         {"from", report.from.revision},
         {"revision", report.to.revision},
         {"changes", report.changes},
         {"bytes", report.bytes},
         {"state_bytes", report.state_bytes},
         {"snapshot", report.snapshot}});
  };
  events.on_link = [](const waggle::LinkStatus& link) {
    say({{"event", "link"}, {"state", waggle::name_of(link.state)}, {"text", link.text}});
  };
  events.on_offer = [](const waggle::OfferSettlement& offer) {
    say({{"event", "offer"}, {"took", offer.took}, {"version", offer.version}});
  };
  waggle::AgentConfig config;
  config.coordinator = options.coordinator;
  config.swarm = options.swarm;
  config.agent = options.id;
  config.data = options.data;
  auto opened = waggle::SwarmAgent::open(config, std::move(events));
  if (!opened) {
    std::cerr << options.id << ": " << opened.error().text << "\n";
    return 1;
  }
  waggle::SwarmAgent& agent = **opened;
  while (!agent.wait_attached(5s)) {
  }
  if (!options.offer.empty()) (void)agent.offer(kHeadline, options.offer);
  // Writes of an earlier process go first, so that their slices are not counted in vain.
  (void)agent.flush(10s);

  while (true) {
    if (const auto line = command(0ms)) {
      if (line->starts_with("finish ")) {
        // Hold what the demo has seen committed, then say what is held.
        const std::uint64_t revision = std::stoull(line->substr(7));
        (void)agent.get(kLines, revision, 20s);
        const auto status = agent.status();
        if (status)
          say({{"event", "final"},
               {"revision", status->cursor.revision},
               {"digest", status->digest},
               {"keys", status->keys}});
      } else {
        (void)agent.leave();
        return 0;
      }
    }
    std::optional<Found> found = look_for_work(agent, options.id);
    if (!found) {
      std::this_thread::sleep_for(50ms);
      continue;
    }
    if (!take(agent, options.id, *found)) continue;
    const std::string text = read_slice(found->task.slice);
    std::this_thread::sleep_for(std::chrono::milliseconds(options.pace_millis));
    report(agent, options.id, *found, text);
  }
}

}  // namespace word_count
