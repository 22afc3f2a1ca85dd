// `waggle claim take|renew|release|handover|ls|run`: who may write which keys for a time.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/limits.h"
#include "base/shape.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/signals.h"
#include "consensus/claim_record.h"

namespace waggle::cli {
namespace {

constexpr std::int64_t kTtlMillis = 30'000;
constexpr std::int64_t kKillMillis = 5'000;  // between TERM and KILL
constexpr int kSignalled = 128;
// As shells have it.
constexpr int kNotExecutable = 126;
constexpr int kNoCommand = 127;

std::string own_label() {
  char host[HOST_NAME_MAX + 1] = {};
  if (gethostname(host, HOST_NAME_MAX) != 0 || host[0] == '\0') return "pid " + std::to_string(getpid());
  return fmt::format("{}:{}", std::string_view(host).substr(0, limits::kIdBytes - 12), getpid());
}

Result<ClaimRequest> request_of(const CommandLine& line) {
  const CommandLine::Claims& given = line.claim;
  if (Status shape = check_claim_pattern(given.pattern); !shape)
    return std::unexpected(std::move(shape.error()));
  ClaimRequest request;
  request.pattern = given.pattern;
  request.token = FenceToken(given.token);
  request.ttl_millis = given.ttl_millis.value_or(0);
  if (given.checkpoint) request.checkpoint = Register{ContentType::kText, *given.checkpoint};
  switch (line.verb) {
    case Verb::kClaimRenew:
      request.verb = ClaimVerb::kRenew;
      break;
    case Verb::kClaimRelease:
      request.verb = ClaimVerb::kRelease;
      break;
    case Verb::kClaimHandover:
      if (Status shape = check_agent_id(given.to); !shape)
        return std::unexpected(std::move(shape.error()));
      request.verb = ClaimVerb::kHandover;
      request.to = AgentId(given.to);
      break;
    default:
      if (given.as.size() > limits::kIdBytes || !is_utf8(given.as))
        return failed(Code::kRejected, fmt::format("--as: expected at most {} bytes of UTF-8",
                                                   limits::kIdBytes));
      request.label = given.as.empty() ? own_label() : given.as;
      request.ttl_millis = given.ttl_millis.value_or(kTtlMillis);
      request.wait_millis = given.wait_millis;
  }
  if (given.ttl_millis || request.ttl_millis != 0)
    if (Status time = check_claim_time(request.ttl_millis); !time)
      return std::unexpected(std::move(time.error()));
  return request;
}

// On standard error, where the data is not.
auto say_place(bool json) {
  return [json](const ClaimResult& waits) {
    if (!json) return say(fmt::format("place {} in line: {}", waits.place, waits.text));
    Json line;
    line.set("event", "claim_waits").set("pattern", waits.pattern);
    line.set("place", static_cast<std::uint64_t>(waits.place)).set("text", waits.text);
    (void)fputs((line.dump() + "\n").c_str(), stderr);
  };
}

// Who is interrupted in line leaves it: the client says goodbye.
class LeavesLine {
 public:
  explicit LeavesLine(RequestClient& client) : client_(client) {
    client_.stop_when([this] {
      if (const int signal = signals_.take(); signal != 0) signal_ = signal;
      return signal_ != 0;
    });
  }
  ~LeavesLine() { client_.stop_when({}); }
  LeavesLine(const LeavesLine&) = delete;
  LeavesLine& operator=(const LeavesLine&) = delete;
  [[nodiscard]] int signal() const { return signal_; }
  [[nodiscard]] Signals& signals() { return signals_; }

 private:
  RequestClient& client_;
  Signals signals_{Signals::Quit::kTaken};  // a claim that is left behind blocks others
  int signal_ = 0;
};

int ask(const CommandLine& line, const Config& config) {
  const Result<ClaimRequest> request = request_of(line);
  if (!request) return fail_usage(request.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  LeavesLine line_end(**client);
  const auto result = (*client)->claim(*request, config.timeout_millis, say_place(line.json));
  if (line_end.signal() != 0) return kSignalled + line_end.signal();
  if (!result) return fail(result.error(), line.json);
  if (line.json) {
    Json out;
    add_claim_result(out, *result);
    return print_json(out) ? exit_code(result->code) : kExitFailure;
  }
  if (exit_code(result->code) != 0) return fail({result->code, result->text}, false);
  if (result->checkpoint && line.verb == Verb::kClaimTake)
    say(fmt::format("the work stands at: {}", preview(Value(*result->checkpoint), 200)));
  if (line.verb == Verb::kClaimRelease) return kExitDone;
  return print_line(std::to_string(result->token.value())) ? kExitDone : kExitFailure;
}

// ---- ls ----------------------------------------------------------------------------------------

int list(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  ListQuery ask;
  ask.glob =
      fmt::format("{}{}", kClaimKeys, line.claim.pattern.empty() ? "*" : line.claim.pattern);
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {
      {"CLAIM", "HOLDER", "TOKEN", "TIME", "SINCE", "CHECKPOINT"}};
  while (true) {
    const Result<QueryResult> found = (*client)->query(ask, config.timeout_millis);
    if (!found) {
      if (found.error().code == Code::kNotFound) break;  // no such swarm yet
      return fail(found.error(), line.json);
    }
    for (const Change& change : found->changes) {
      ask.after = change.key;
      const std::optional<Claim> claim = claim_of(change.key, *change.record);
      const std::optional<Register> checkpoint = checkpoint_of(change.record.get());
      if (!claim && !checkpoint) continue;
      const std::string pattern(pattern_of(change.key.value()));
      Json one;
      one.set("pattern", pattern).set("held", claim.has_value());
      if (claim) {
        one.set("holder", claim->holder.agent.value());
        if (!claim->label.empty()) one.set("label", claim->label);
        one.set("token", claim->token.value()).set("ttl_ms", claim->ttl_millis);
      } else {
        const auto ended = change.record->metadata.find("ended");
        if (ended != change.record->metadata.end()) one.set("ended", ended->second);
      }
      one.set("since", wall_text(change.record->commit_wall_millis));
      if (checkpoint) {
        Json value;
        add_value(value, Value(*checkpoint));
        one.set("checkpoint", std::move(value));
      }
      all.push(std::move(one));
      rows.push_back({printable(pattern, 64),
                      !claim                 ? "-"
                      : claim->label.empty() ? writer_word(claim->holder.agent)
                                             : printable(claim->label, 64),
                      claim ? std::to_string(claim->token.value()) : "-",
                      claim ? duration_text(claim->ttl_millis) : "-",
                      wall_text(change.record->commit_wall_millis),
                      checkpoint ? preview(Value(*checkpoint), 60) : "-"});
    }
    if (!found->more || found->changes.empty()) break;
  }
  if (line.json) {
    Json out;
    out.set("claims", std::move(all));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (rows.size() == 1) {
    say(line.claim.pattern.empty()
            ? fmt::format("nothing is claimed in swarm '{}'", config.swarm)
            : fmt::format("no claim in swarm '{}' matches '{}'", config.swarm,
                          printable(line.claim.pattern, 64)));
    return kExitDone;
  }
  return print(table(rows)) ? kExitDone : kExitFailure;
}

// ---- run ---------------------------------------------------------------------------------------

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A running command and the claim that it runs under.
class ClaimedRun {
 public:
  ClaimedRun(RequestClient& client, const Config& config, ClaimRequest request)
      : client_(client), config_(config), request_(std::move(request)) {}

  int run(const CommandLine& line) {
    const auto asked = Clock::now();
    std::optional<LeavesLine> line_end(std::in_place, client_);
    const auto taken = client_.claim(request_, config_.timeout_millis, say_place(line.json));
    if (line_end->signal() != 0) return kSignalled + line_end->signal();
    client_.stop_when({});
    if (!taken) return fail(taken.error(), line.json);
    if (exit_code(taken->code) != 0) return fail({taken->code, taken->text}, line.json);
    request_.token = taken->token;
    Signals& signals = line_end->signals();
    // Of a wait the time at which it was granted is not known: the first renewal tells.
    lasts_until_ = (request_.wait_millis > 0 ? Clock::now() : asked) + ttl();
    if (const int failure = start(line, *taken); failure != 0) {
      release();
      return failure;
    }
    const int code = attend(signals);
    if (!lost_) release();
    return lost_ ? exit_code(Code::kDenied) : code;
  }

 private:
  [[nodiscard]] milliseconds ttl() const { return milliseconds(request_.ttl_millis); }

  int start(const CommandLine& line, const ClaimResult& taken) {
    Environment environment = {{"WAGGLE_FENCE_TOKEN", std::to_string(taken.token.value())},
                               {"WAGGLE_CLAIM", request_.pattern},
                               {"WAGGLE_COORDINATOR", config_.coordinator},
                               {"WAGGLE_SWARM", config_.swarm}};
    if (taken.checkpoint) environment.emplace_back("WAGGLE_CHECKPOINT", taken.checkpoint->bytes);
    // At a terminal the command stays in its foreground group, so that it may read from it.
    own_group_ = isatty(STDIN_FILENO) != 1;
    child_ = start_child(line.claim.command, environment, {.own_group = own_group_});
    if (child_ < 0) {
      const int error = errno;
      (void)fail({Code::kRejected,
                  fmt::format("'{}' could not be started: {}",
                              printable(line.claim.command.front(), 128), std::strerror(error))},
                 line.json);
      return error == ENOENT ? kNoCommand : kNotExecutable;
    }
    ended_fd_ = static_cast<int>(syscall(SYS_pidfd_open, child_, 0));
    return 0;
  }

  // Until the command ended: its exit code.
  int attend(Signals& signals) {
    auto renew_at = Clock::now() + ttl() / 3;
    Clock::time_point kill_at = Clock::time_point::max();
    while (true) {
      const auto until = std::min({renew_at, kill_at, Clock::now() + milliseconds(500)});
      const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
      pollfd wait[] = {{signals.fd(), POLLIN, 0}, {ended_fd_, POLLIN, 0}};
      (void)poll(wait, ended_fd_ >= 0 ? 2 : 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      int result = 0;
      if (waitpid(child_, &result, WNOHANG) == child_) {
        if (ended_fd_ >= 0) close(ended_fd_);
        return WIFEXITED(result) ? WEXITSTATUS(result) : kSignalled + WTERMSIG(result);
      }
      if (const int signal = signals.take(); signal != 0) {
        send(signal);
        // A second one does not wait.
        const bool again = std::exchange(signalled_, true);
        kill_at = std::min(kill_at, Clock::now() + milliseconds(again ? 0 : kKillMillis));
      }
      if (!lost_ && Clock::now() >= renew_at) {
        renew();
        renew_at = Clock::now() + (renewed_ ? ttl() / 3 : milliseconds(200));
        if (lost_) {
          send(SIGTERM);
          kill_at = std::min(kill_at, Clock::now() + milliseconds(kKillMillis));
        }
      }
      if (Clock::now() >= kill_at) {
        send(SIGKILL);
        kill_at = Clock::time_point::max();
      }
    }
  }

  void renew() {
    const auto asked = Clock::now();
    ClaimRequest request = request_;
    request.verb = ClaimVerb::kRenew;
    request.checkpoint.reset();
    const auto left = std::chrono::duration_cast<milliseconds>(lasts_until_ - asked).count();
    const auto result = client_.claim(request, std::clamp<std::int64_t>(left, 1, 2'000));
    renewed_ = result && result->code == Code::kCommitted;
    if (renewed_) lasts_until_ = asked + ttl();
    if (result && result->code == Code::kDenied) {
      lost_ = true;
      say("the claim is lost, the command is ended: " + result->text);
    } else if (!renewed_ && Clock::now() >= lasts_until_) {
      lost_ = true;
      say(fmt::format("the claim could not be renewed in its time, the command is ended: {}",
                      result ? result->text : result.error().text));
    }
  }

  void release() {
    ClaimRequest request = request_;
    request.verb = ClaimVerb::kRelease;
    request.ttl_millis = 0;
    const auto result = client_.claim(request, config_.timeout_millis);
    if (!result)
      say(fmt::format("the claim was not released and ends by itself: {}", result.error().text));
  }

  void send(int signal) const { (void)kill(own_group_ ? -child_ : child_, signal); }

  RequestClient& client_;
  const Config& config_;
  ClaimRequest request_;
  Clock::time_point lasts_until_;
  pid_t child_ = -1;
  int ended_fd_ = -1;
  bool own_group_ = false;
  bool renewed_ = true;
  bool lost_ = false;
  bool signalled_ = false;
};

int run_claimed(const CommandLine& line, const Config& config) {
  Result<ClaimRequest> request = request_of(line);
  if (!request) return fail_usage(request.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  return ClaimedRun(**client, config, *std::move(request)).run(line);
}

}  // namespace

int claim(const CommandLine& line, const Config& config) {
  if (line.verb == Verb::kClaimList) return list(line, config);
  if (line.verb == Verb::kClaimRun) return run_claimed(line, config);
  return ask(line, config);
}

}  // namespace waggle::cli
