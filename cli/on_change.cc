#include "cli/on_change.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"

namespace waggle::cli {
namespace {

// The text as a file in memory, to be read from its beginning. -1 on failure.
int file_of(const std::string& text) {
  const int fd = memfd_create("waggle-change", MFD_CLOEXEC);
  if (fd < 0) return -1;
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written <= 0) {
      close(fd);
      return -1;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  (void)lseek(fd, 0, SEEK_SET);
  return fd;
}

}  // namespace

OnChange::OnChange(std::string command, Environment environment, std::function<void()> wake, Of of)
    : command_(std::move(command)),
      environment_(std::move(environment)),
      wake_(std::move(wake)),
      of_(of),
      thread_([this] { work(); }) {}

OnChange::~OnChange() {
  stop();
  thread_.join();
}

void OnChange::add(std::string key, std::uint64_t revision, const Json& change) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  waiting_.push_back({std::move(key), revision, change.dump() + '\n'});
  if (waiting_.size() > kQueueMax) {
    waiting_.pop_front();
    ++dropped_;
  }
  changed_.notify_all();
}

std::string OnChange::event(std::string_view what) const {
  return fmt::format("{}_{}", of_ == Of::kChange ? "on_change" : "on_proposal", what);
}

std::vector<std::pair<std::string, std::string>> OnChange::take_answers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

std::vector<Json> OnChange::take_reports() {
  const std::lock_guard lock(mutex_);
  std::vector<Json> reports = std::exchange(reports_, {});
  if (dropped_ > 0) {
    Json lagged;
    lagged.set("event", event("lagged")).set("dropped", std::exchange(dropped_, 0));
    lagged.set("text", fmt::format("the command is slower than the changes: more than {} waited",
                                   kQueueMax));
    reports.push_back(std::move(lagged));
  }
  return reports;
}

bool OnChange::idle() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && !busy_;
}

std::size_t OnChange::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  const std::size_t given_up = waiting_.size() + (busy_ ? 1 : 0);
  waiting_.clear();
  changed_.notify_all();
  // The command leads its own process group, so what it started ends with it.
  if (child_ > 0) kill(-child_, SIGTERM);
  changed_.wait_for(lock, std::chrono::seconds(1), [this] { return !busy_; });
  if (child_ > 0) kill(-child_, SIGKILL);
  return given_up;
}

void OnChange::report(Json event) {
  {
    const std::lock_guard lock(mutex_);
    reports_.push_back(std::move(event));
    if (reports_.size() > kQueueMax) reports_.erase(reports_.begin());
  }
  wake_();
}

void OnChange::work() {
  while (true) {
    Waiting change;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      change = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
    }
    run(change);
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
      changed_.notify_all();
    }
    wake_();
  }
}

void OnChange::run(const Waiting& change) {
  Json failure;
  failure.set("event", event("failed")).set("key", change.key).set("revision", change.revision);
  const int answer = of_ == Of::kProposal ? file_of({}) : -1;
  const pid_t child = spawn(change, answer);
  if (child < 0) {
    if (answer >= 0) close(answer);
    report(
        failure.set("text", fmt::format("/bin/sh could not be started: {}", std::strerror(errno))));
    return;
  }
  // Seen first and reaped under the lock, so that stop() never kills a number that was given anew.
  siginfo_t seen{};
  while (waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  bool stopping = false;
  int result = 0;
  {
    const std::lock_guard lock(mutex_);
    waitpid(child, &result, 0);
    child_ = -1;
    stopping = stopping_;
  }
  if (answer >= 0) {
    std::string text(kAnswerBytes, '\0');
    const ssize_t size = pread(answer, text.data(), text.size(), 0);
    close(answer);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::lock_guard lock(mutex_);
    if (result == 0 && !stopping) answers_.emplace_back(change.key, std::move(text));
  }
  if (result == 0 || stopping) return;
  if (WIFEXITED(result)) {
    failure.set("exit", WEXITSTATUS(result));
  } else {
    failure.set("signal", WTERMSIG(result));
  }
  report(std::move(failure));
}

pid_t OnChange::spawn(const Waiting& change, int answer) {
  const int input = file_of(change.input);
  if (input < 0) return -1;
  Environment own = environment_;
  own.emplace_back("WAGGLE_KEY", change.key);
  own.emplace_back("WAGGLE_REVISION", std::to_string(change.revision));
  pid_t child = -1;
  int error = ECANCELED;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      child = start_child({"/bin/sh", "-c", command_}, own,
                          {.input = input,
                           .output = answer >= 0 ? answer : STDERR_FILENO,
                           .own_group = true});
      error = errno;
    }
    child_ = child;
  }
  close(input);
  errno = error;
  return child;
}

}  // namespace waggle::cli
