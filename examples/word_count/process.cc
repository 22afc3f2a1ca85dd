#include "process.h"

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace word_count {

Process::Process(const std::vector<std::string>& command) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe can be made");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  id_ = ::fork();
  if (id_ < 0) throw std::runtime_error("no process can be made");
  if (id_ == 0) {
    // The child must not outlive the demo, however that ends.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ended_ = false;
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

Process::~Process() {
  kill();
  close();
}

Process::Process(Process&& other) noexcept {
  *this = std::move(other);
}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill();
  close();
  id_ = std::exchange(other.id_, -1);
  input_ = std::exchange(other.input_, -1);
  output_ = std::exchange(other.output_, -1);
  status_ = other.status_;
  ended_ = std::exchange(other.ended_, true);
  buffer_ = std::move(other.buffer_);
  return *this;
}

void Process::close() {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
  if (output_ >= 0) ::close(std::exchange(output_, -1));
}

void Process::write_line(const std::string& line) const {
  const std::string bytes = line + "\n";
  // A child that has just died does not matter here: whoever waits for its answer notices.
  [[maybe_unused]] const ssize_t written = ::write(input_, bytes.data(), bytes.size());
}

std::optional<std::string> Process::line() {
  char bytes[4096];
  ssize_t got = 0;
  while (output_ >= 0 && (got = ::read(output_, bytes, sizeof bytes)) > 0)
    buffer_.append(bytes, static_cast<std::size_t>(got));
  const std::size_t newline = buffer_.find('\n');
  if (newline == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, newline);
  buffer_.erase(0, newline + 1);
  return line;
}

void Process::signal(int number) const {
  if (!ended_) ::kill(id_, number);
}

bool Process::ended() {
  if (!ended_ && ::waitpid(id_, &status_, WNOHANG) == id_) ended_ = true;
  return ended_;
}

void Process::kill() {
  if (ended_) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, &status_, 0);
  ended_ = true;
}

bool Process::stop(int seconds) {
  signal(SIGTERM);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!ended() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const bool by_itself = ended();
  kill();
  return by_itself && WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
}

}  // namespace word_count
