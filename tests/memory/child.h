#pragma once

// The program memory_store_process as a child with a pipe each way. Killed at the end at the
// latest.

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace waggle::test {

class Child {
 public:
  Child(std::string command, std::string directory) {
    const char* program = std::getenv("WAGGLE_STORE_PROCESS");
    BOOST_REQUIRE_MESSAGE(program != nullptr, "WAGGLE_STORE_PROCESS must name the program");
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    BOOST_REQUIRE(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string name = program;
    std::array<char*, 4> arguments{name.data(), command.data(), directory.data(), nullptr};
    const int error = posix_spawn(&pid_, program, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
    BOOST_REQUIRE_MESSAGE(error == 0, "the program could not be started");
  }
  ~Child() {
    kill();
    ::close(in_);
    ::close(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int pid() const { return pid_; }

  // The next whole line; empty at the end. Blocks: the child says something or ends.
  std::string line() {
    while (text_.find('\n') == std::string::npos) {
      std::array<char, 4096> part{};
      const ssize_t count = ::read(out_, part.data(), part.size());
      if (count <= 0) return {};
      text_.append(part.data(), static_cast<std::size_t>(count));
    }
    std::string line = text_.substr(0, text_.find('\n'));
    text_.erase(0, line.size() + 1);
    return line;
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string text_;
};

}  // namespace waggle::test
