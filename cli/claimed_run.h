#pragma once

// A claim that a command is run under: `waggle claim run`, `waggle task run`. While the command
// runs the claim is renewed; when it is lost, the command is ended (TERM, 5 s later KILL).

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/message.h"
#include "base/status.h"
#include "cli/child.h"
#include "cli/config.h"
#include "cli/signals.h"
#include "include/lib/request_client.h"

namespace waggle::cli {

// What a holder calls itself: as it was given, or this host and process. Errors: kRejected.
[[nodiscard]] Result<std::string> label_of(const std::string& given);

// Who is interrupted in line leaves it: the client says goodbye. What was granted meanwhile, its
// answer perhaps still on the way, is given back.
class LeavesLine {
 public:
  // Borrows both; the signals from before there was any thread, as they want it.
  LeavesLine(RequestClient& client, Signals& signals);
  LeavesLine(const LeavesLine&) = delete;
  LeavesLine& operator=(const LeavesLine&) = delete;
  // That interrupted; 0: none did.
  [[nodiscard]] int signal() const { return signal_; }
  [[nodiscard]] int exit_code() const;
  [[nodiscard]] Signals& signals() { return signals_; }
  // Asks about a claim, and waits in line as long as the request says; the place is said on
  // standard error. Interrupted: signal() says so, and of a take nothing is held.
  [[nodiscard]] Result<ClaimResult> ask(const ClaimRequest& request, std::int64_t timeout_millis,
                                        bool json);

 private:
  void give_back(ClaimRequest request, const Result<ClaimResult>& result);

  RequestClient& client_;
  Signals& signals_;
  int signal_ = 0;
};

class ClaimedRun {
 public:
  // Borrows all but the request.
  ClaimedRun(RequestClient& client, const Config& config, Signals& signals, ClaimRequest request,
             bool json);

  // Interrupted: signal() says so, and nothing is held. May be called again for the next claim.
  [[nodiscard]] Result<ClaimResult> take(std::int64_t wait_millis);
  // Runs it and gives its exit code, 128 and more by a signal; 126 and 127 where it could not be
  // started, which was said. `input`: a descriptor for its standard input; -1: ours. A signal is
  // passed on to it. REQUIRES: take() was granted.
  [[nodiscard]] int run(const std::vector<std::string>& command, Environment environment,
                        int input = -1);
  // Asked when a renewal is refused: whether the claim ended as it should, by the command itself.
  void ended_by(std::function<bool()> command) { ended_by_command_ = std::move(command); }
  // While the command ran, so that it was ended.
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] int signal() const { return signal_ != 0 ? signal_ : line_.signal(); }
  [[nodiscard]] int signalled() const;
  void release();
  [[nodiscard]] FenceToken token() const { return request_.token; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::chrono::milliseconds ttl() const;
  [[nodiscard]] int attend();
  void renew();
  void send(int signal) const;

  RequestClient& client_;
  const Config& config_;
  ClaimRequest request_;
  bool json_;
  std::string wanted_;  // the pattern that is asked for
  LeavesLine line_;
  Clock::time_point lasts_until_;
  pid_t child_ = -1;
  int ended_fd_ = -1;
  int signal_ = 0;
  bool own_group_ = false;
  bool renewed_ = true;
  bool lost_ = false;
  bool over_ = false;  // the command ended it
  std::function<bool()> ended_by_command_;
};

}  // namespace waggle::cli
