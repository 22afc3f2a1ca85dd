// `waggle sync`: full synchronisations, one or periodic ones.

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace waggle::cli {
namespace {

// Without a timeout the coordinator chooses the round's time, by priority or policy.
constexpr std::int64_t kPatienceMillis = 65'000;
constexpr std::int64_t kGraceMillis = 2'000;  // for the answer after the round's end

std::string names(const std::vector<AgentId>& agents) {
  std::string text;
  for (const AgentId& agent : agents) text += (text.empty() ? "" : ", ") + agent.value();
  return text;
}

int exit_of(const SyncReport& report) {
  return exit_code(report.code) != 0 ? exit_code(report.code) : exit_code(report.outcome);
}

std::string headline(const SyncReport& report) {
  std::string text =
      fmt::format("{} in {}, revision {}: {} of {} answered", to_text(report.outcome),
                  duration_text(report.elapsed_millis), report.head.value(), report.answered.size(),
                  counted(report.expected, "member"));
  if (!report.missing.empty()) text += "; missing: " + names(report.missing);
  if (!report.late.empty()) text += "; late: " + names(report.late);
  return text;
}

std::string key_table(const SyncReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"KEY", "OUTCOME", "VERSION", "STRATEGY", "WINNER", "OFFERS", "SAME", "ABSENT", "BEHIND"}};
  for (const KeyReport& key : report.keys)
    rows.push_back({printable(key.key.value(), 64), std::string(to_text(key.outcome)),
                    key.version ? std::to_string(key.version.value()) : "-", key.strategy,
                    key.winner.empty() ? "-" : key.winner.value(), std::to_string(key.offers),
                    std::to_string(key.same), std::to_string(key.absent),
                    std::to_string(key.behind + key.differs)});
  return rows.size() > 1 ? table(rows) : std::string();
}

// Why it did not go well, and what to do.
std::string advice(const SyncReport& report, const Config& config) {
  if (exit_code(report.code) != 0) return report.text;
  switch (report.outcome) {
    case RoundOutcome::kResolved:
    case RoundOutcome::kUnchanged:
      return {};
    case RoundOutcome::kNoAgents:
      return fmt::format(
          "no member of swarm '{}' is attached; `waggle agent ls --swarm {}` shows who "
          "is there",
          config.swarm, config.swarm);
    case RoundOutcome::kTimeout:
      return report.text.empty()
                 ? fmt::format("nobody answered in time; missing: {}", names(report.missing))
                 : report.text;
    case RoundOutcome::kPartial:
      return fmt::format("partial: {} did not answer in time and could have changed the outcome",
                         names(report.missing));
    case RoundOutcome::kNoQuorum:
      return "no quorum: the policy's `otherwise` decided";
    case RoundOutcome::kParked:
      return "left to a person: `waggle conflict ls` shows what waits";
    case RoundOutcome::kMoved:
      return "writes overtook the round, or claims hold its keys, so it settled nothing; run it again";
  }
  return {};
}

class Synchroniser {
 public:
  Synchroniser(const CommandLine& line, const Config& config) : line_(line), config_(config) {
    for (const std::string& key : line.sync.keys) request_.keys.emplace_back(key);
    request_.all = line.sync.all;
    request_.timeout_millis = line.timeout_millis.value_or(0);
    request_.priority_given = line.sync.priority.has_value();
    request_.priority = line.sync.priority.value_or(Priority::kNormal);
  }

  Result<SyncReport> run() {
    if (!client_) {
      auto dialled = dial(config_);
      if (!dialled) return std::unexpected(dialled.error());
      client_ = std::move(*dialled);
    }
    auto report = client_->synchronise(
        request_, line_.timeout_millis ? *line_.timeout_millis + kGraceMillis : kPatienceMillis);
    if (!report) client_.reset();  // says hello anew next time
    return report;
  }

  int once() {
    const auto report = run();
    if (!report) return fail(report.error(), line_.json);
    if (line_.json) return print_json(as_json(*report)) ? exit_of(*report) : kExitFailure;
    if (exit_code(report->code) != 0) return fail({report->code, report->text}, false);
    if (!print(headline(*report) + '\n' + key_table(*report))) return kExitFailure;
    if (const std::string text = advice(*report, config_); !text.empty()) say(text);
    return exit_of(*report);
  }

  // One line a run. The exit code is that of the last run that did not go well.
  int again_and_again() {
    std::mt19937_64 random{std::random_device{}()};
    int exit = kExitDone;
    auto next = std::chrono::steady_clock::now();
    for (std::uint64_t number = 1;; ++number) {
      const int one = tell(number, run());
      if (one < 0) return kExitFailure;
      if (one != 0) exit = one;
      if (number == line_.sync.count) return exit;
      // From start to start, so that a long round does not move the rest; +-10 %.
      const std::int64_t tenth = line_.sync.every_millis / 10;
      const std::int64_t jitter =
          tenth == 0
              ? 0
              : static_cast<std::int64_t>(random() % (2 * static_cast<std::uint64_t>(tenth) + 1)) -
                    tenth;
      next = std::max(next + std::chrono::milliseconds(line_.sync.every_millis + jitter),
                      std::chrono::steady_clock::now());
      std::this_thread::sleep_until(next);
    }
  }

 private:
  [[nodiscard]] Json as_json(const SyncReport& report) const {
    Json out;
    out.set("event", "sync").set("swarm", config_.swarm).set("exit", exit_of(report));
    add_report(out, report);
    return out;
  }

  // The run's exit code; -1: the output is gone.
  int tell(std::uint64_t number, const Result<SyncReport>& report) {
    const std::string now = wall_text(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
    if (line_.json) {
      Json out;
      if (report) {
        out = as_json(*report);
      } else {
        out.set("event", "sync").set("swarm", config_.swarm);
        out.set("exit", exit_code(report.error().code));
        out.set("code", to_text(report.error().code)).set("text", report.error().text);
      }
      out.set("run", number).set("at", now);
      if (!print_json(out)) return -1;
    } else if (!report) {
      if (!print_line(
              fmt::format("{} {}: {}", now, to_text(report.error().code), report.error().text)))
        return -1;
    } else {
      std::string text = fmt::format("{} {}", now, headline(*report));
      for (const KeyReport& key : report->keys)
        if (key.outcome != RoundOutcome::kUnchanged)
          text += fmt::format("; {}: {}{}", printable(key.key.value(), 64), to_text(key.outcome),
                              key.winner.empty() ? "" : " by " + key.winner.value());
      if (exit_code(report->code) != 0) text += "; " + report->text;
      if (!print_line(text)) return -1;
    }
    return report ? exit_of(*report) : exit_code(report.error().code);
  }

  const CommandLine& line_;
  const Config& config_;
  SyncRequest request_;
  std::unique_ptr<RequestClient> client_;
};

}  // namespace

int synchronise(const CommandLine& line, const Config& config) {
  Synchroniser synchroniser(line, config);
  return line.sync.every_millis > 0 ? synchroniser.again_and_again() : synchroniser.once();
}

}  // namespace waggle::cli
