#pragma once

// The bare baseline: the legs of Waggle through ZeroMQ sockets without any logic. Same sockets (one
// ROUTER, one XPUB; a DEALER and a SUB for each agent), same sizes, same processes (the server in
// its own, all agents on one thread of ours that waits by epoll), nothing decoded, stored or
// decided.
//
//   round    caller -> server, server => all, all -> server; with updates: server => all and a
//            result to each; the report to the caller
//   write    caller -> server, server => all, the result to the caller

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/process.h"

namespace waggle::bench {

// Serves until standard input ends. Says one line: the ports of ROUTER and XPUB.
int serve_bare();

struct Legs {
  std::size_t command = 0;  // bytes of the caller's frame
  std::size_t request = 0;  // 0: not a round
  std::size_t answer = 0;
  std::size_t update = 0;  // 0: nothing is published
  std::size_t result = 0;  // a round's results for each agent; 0: none
  std::size_t report = 0;  // to the caller
};

class BareSwarm {
 public:
  explicit BareSwarm(std::size_t agents);
  ~BareSwarm();
  BareSwarm(const BareSwarm&) = delete;
  BareSwarm& operator=(const BareSwarm&) = delete;

  // Microseconds until the last agent has the update (if there is one) and the caller its report
  // (if it is a round).
  [[nodiscard]] double exchange(const Legs& legs);

 private:
  struct Agent {
    void* dealer = nullptr;
    void* sub = nullptr;
  };
  void pump(int timeout_millis);
  void read_dealer(std::size_t agent);
  void read_sub(std::size_t agent);
  void join();

  Child server_;
  void* context_ = nullptr;
  int epoll_ = -1;
  std::vector<Agent> agents_;
  std::string answer_;
  std::size_t updates_ = 0;
  std::size_t reports_ = 0;
  std::size_t results_ = 0;
  std::size_t hellos_ = 0;
  std::size_t probes_ = 0;
  std::vector<bool> probed_;
};

}  // namespace waggle::bench
