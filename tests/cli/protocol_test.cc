// Peers of another version, against the real program.

#include <cstdio>
#include <cstdlib>

#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "cli/json.h"
#include "include/lib/message_port.h"

namespace waggle::cli {
namespace {

// `waggle serve --memory` on a free port, ended with its object.
class Served {
 public:
  Served() {
    int out[2];
    BOOST_REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    std::string words[] = {std::getenv("WAGGLE_PROGRAM"),
                           "serve",
                           "--memory",
                           "--json",
                           "--listen",
                           "tcp://127.0.0.1:0"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    BOOST_REQUIRE(posix_spawn(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) ==
                  0);
    posix_spawn_file_actions_destroy(&files);
    close(out[1]);
    std::FILE* lines = fdopen(out[0], "r");
    char line[4'096] = {};
    BOOST_REQUIRE(std::fgets(line, sizeof line, lines) != nullptr);
    std::fclose(lines);
    endpoint_ = *parse_json(line)->find("endpoint")->text();
  }
  ~Served() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

 private:
  pid_t pid_ = -1;
  std::string endpoint_;
};

BOOST_AUTO_TEST_CASE(a_hello_of_another_protocol_is_refused_with_both_versions) {
  const Served served;
  auto port = dial_port(served.endpoint(), nullptr);
  BOOST_REQUIRE(port);
  Hello hello;
  hello.protocol = 99;
  hello.swarm = SwarmId("s");
  hello.agent = AgentId("~client-1");
  hello.role = Role::kClient;
  for (int i = 0; i < 50; ++i) {
    (void)(*port)->send(hello);
    const auto message = (*port)->receive(std::chrono::milliseconds(200));
    if (!message || *message == nullptr) continue;
    const auto* refused = std::get_if<Refused>(message->get());
    BOOST_REQUIRE(refused != nullptr);
    BOOST_TEST((refused->code == Code::kUnsupported));
    BOOST_TEST(refused->retry_millis == 0);
    BOOST_TEST(refused->text.contains("protocol 1"));
    BOOST_TEST(refused->text.contains("protocol 99"));
    return;
  }
  BOOST_FAIL("no answer");
}

}  // namespace
}  // namespace waggle::cli
