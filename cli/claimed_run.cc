#include "cli/claimed_run.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/json.h"
#include "cli/output.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kKillMillis = 5'000;  // between TERM and KILL
constexpr std::int64_t kGiveBackMillis = 2'000;
constexpr int kSignalled = 128;
// As shells have it.
constexpr int kNotExecutable = 126;
constexpr int kNoCommand = 127;

// The place in line, on standard error, where the data is not.
std::function<void(const ClaimResult&)> say_place(bool json) {
  return [json](const ClaimResult& waits) {
    if (!json) return say(fmt::format("place {} in line: {}", waits.place, waits.text));
    Json line;
    line.set("event", "claim_waits").set("pattern", waits.pattern);
    line.set("place", static_cast<std::uint64_t>(waits.place)).set("text", waits.text);
    (void)fputs((line.dump() + "\n").c_str(), stderr);
  };
}

}  // namespace

Result<std::string> label_of(const std::string& given) {
  if (given.size() > limits::kIdBytes || !is_utf8(given))
    return failed(Code::kRejected,
                  fmt::format("--as: expected at most {} bytes of UTF-8", limits::kIdBytes));
  if (!given.empty()) return given;
  char host[HOST_NAME_MAX + 1] = {};
  if (gethostname(host, HOST_NAME_MAX) != 0 || host[0] == '\0')
    return fmt::format("pid {}", getpid());
  return fmt::format("{}:{}", std::string_view(host).substr(0, limits::kIdBytes - 12), getpid());
}

// ---- the line ----------------------------------------------------------------------------------

LeavesLine::LeavesLine(RequestClient& client, Signals& signals)
    : client_(client), signals_(signals) {}

Result<ClaimResult> LeavesLine::ask(const ClaimRequest& request, std::int64_t timeout_millis,
                                    bool json) {
  client_.stop_when([this] {
    if (const int signal = signals_.take(); signal != 0) signal_ = signal;
    return signal_ != 0;
  });
  Result<ClaimResult> result = client_.claim(request, timeout_millis, say_place(json));
  client_.stop_when({});
  if (signal_ != 0 && request.verb == ClaimVerb::kTake) give_back(request, result);
  return result;
}

int LeavesLine::exit_code() const {
  return kSignalled + signal_;
}

void LeavesLine::give_back(ClaimRequest request, const Result<ClaimResult>& result) {
  request.wait_millis = 0;
  const auto taken = result ? result : client_.claim(request, kGiveBackMillis);
  if (!taken || taken->code != Code::kCommitted) return;
  request.verb = ClaimVerb::kRelease;
  request.request = RequestId();
  request.pattern = taken->pattern;
  request.token = taken->token;
  request.ttl_millis = 0;
  if (const auto released = client_.claim(request, kGiveBackMillis); !released)
    say(fmt::format("the claim was not released and ends by itself: {}", released.error().text));
}

// ---- a run -------------------------------------------------------------------------------------

ClaimedRun::ClaimedRun(RequestClient& client, const Config& config, Signals& signals,
                       ClaimRequest request, bool json)
    : client_(client),
      config_(config),
      request_(std::move(request)),
      json_(json),
      wanted_(request_.pattern),
      line_(client, signals) {}

milliseconds ClaimedRun::ttl() const {
  return milliseconds(request_.ttl_millis);
}

int ClaimedRun::signalled() const {
  return kSignalled + signal();
}

Result<ClaimResult> ClaimedRun::take(std::int64_t wait_millis) {
  const auto asked = Clock::now();
  request_.pattern = wanted_;
  request_.request = RequestId(random_seed());
  request_.token = {};
  request_.wait_millis = wait_millis;
  lost_ = false;
  over_ = false;
  Result<ClaimResult> taken = line_.ask(request_, config_.timeout_millis, json_);
  if (line_.signal() != 0 || !taken || taken->code != Code::kCommitted) return taken;
  request_.token = taken->token;
  request_.pattern = taken->pattern;
  // Of a wait the time at which it was granted is not known: the first renewal tells.
  lasts_until_ = (wait_millis > 0 ? Clock::now() : asked) + ttl();
  return taken;
}

int ClaimedRun::run(const std::vector<std::string>& command, Environment environment, int input) {
  environment.emplace_back("WAGGLE_FENCE_TOKEN", std::to_string(request_.token.value()));
  environment.emplace_back("WAGGLE_CLAIM", request_.pattern);
  std::ranges::move(environment_of(config_), std::back_inserter(environment));
  // At a terminal the command stays in its foreground group, so that it may read from it.
  own_group_ = input >= 0 || isatty(STDIN_FILENO) != 1;
  child_ = start_child(command, environment, {.input = input, .own_group = own_group_});
  if (child_ < 0) {
    const int error = errno;
    (void)fail(
        {Code::kRejected, fmt::format("'{}' could not be started: {}",
                                      printable(command.front(), 128), std::strerror(error))},
        json_);
    return error == ENOENT ? kNoCommand : kNotExecutable;
  }
  ended_fd_ = static_cast<int>(syscall(SYS_pidfd_open, child_, 0));
  const int code = attend();
  if (ended_fd_ >= 0) close(std::exchange(ended_fd_, -1));
  return code;
}

// Until the command ended: its exit code.
int ClaimedRun::attend() {
  auto renew_at = Clock::now() + ttl() / 3;
  Clock::time_point kill_at = Clock::time_point::max();
  Signals& signals = line_.signals();
  while (true) {
    const auto until =
        std::min({over_ ? kill_at : renew_at, kill_at, Clock::now() + milliseconds(500)});
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
    pollfd wait[] = {{signals.fd(), POLLIN, 0}, {ended_fd_, POLLIN, 0}};
    (void)poll(wait, ended_fd_ >= 0 ? 2 : 1,
               static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    int result = 0;
    if (waitpid(child_, &result, WNOHANG) == child_)
      return WIFEXITED(result) ? WEXITSTATUS(result) : kSignalled + WTERMSIG(result);
    if (const int signal = signals.take(); signal != 0) {
      send(signal);
      // A second one does not wait.
      const bool again = std::exchange(signal_, signal) != 0;
      kill_at = std::min(kill_at, Clock::now() + milliseconds(again ? 0 : kKillMillis));
    }
    if (!lost_ && !over_ && Clock::now() >= renew_at) {
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

void ClaimedRun::renew() {
  const auto asked = Clock::now();
  ClaimRequest request = request_;
  request.request = RequestId();
  request.verb = ClaimVerb::kRenew;
  request.checkpoint.reset();
  const auto left = std::chrono::duration_cast<milliseconds>(lasts_until_ - asked).count();
  const auto result = client_.claim(request, std::clamp<std::int64_t>(left, 1, 2'000));
  renewed_ = result && result->code == Code::kCommitted;
  if (renewed_) lasts_until_ = asked + ttl();
  if (result && result->code == Code::kDenied) {
    over_ = ended_by_command_ && ended_by_command_();
    lost_ = !over_;
    if (lost_) say("the claim is lost, the command is ended: " + result->text);
  } else if (!renewed_ && Clock::now() >= lasts_until_) {
    lost_ = true;
    say(fmt::format("the claim could not be renewed in its time, the command is ended: {}",
                    result ? result->text : result.error().text));
  }
}

void ClaimedRun::release() {
  ClaimRequest request = request_;
  request.request = RequestId();
  request.verb = ClaimVerb::kRelease;
  request.ttl_millis = 0;
  const auto result = client_.claim(request, config_.timeout_millis);
  if (!result)
    say(fmt::format("the claim was not released and ends by itself: {}", result.error().text));
}

void ClaimedRun::send(int signal) const {
  (void)kill(own_group_ ? -child_ : child_, signal);
}

}  // namespace waggle::cli
