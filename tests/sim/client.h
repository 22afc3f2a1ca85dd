#pragma once

// A client of the coordinator, as `waggle state` is one: it says hello, asks one thing, and asks
// the same again until it is answered. A writer makes one increment with seq 1 under an incarnation
// of its own; a compactor asks to raise the floor.
//
// One thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/message.h"
#include "base/prng.h"
#include "tests/sim/timeline.h"

namespace waggle::sim {

class SimClient {
 public:
  using Send = std::function<void(MessagePtr)>;
  using Done = std::function<void(const MutationResult& result)>;
  struct Ask {
    std::vector<Entry> entries;  // of a write; empty: compact
    Hlc hlc;
  };

  SimClient(Timeline& timeline, Prng& random, Send send, std::string name);

  // REQUIRES: idle().
  void write(std::vector<Entry> entries, Hlc hlc,
             std::function<void(const Mutation&)> about_to_send, Done done);
  void compact(Revision floor);
  void arrive(const Message& message);
  void give_up();

  [[nodiscard]] bool idle() const { return !busy_; }
  [[nodiscard]] const AgentId& agent() const { return agent_; }

 private:
  void go_on();
  void schedule();

  Timeline& timeline_;
  Prng& random_;
  Send send_;
  const AgentId agent_;
  Token token_{};

  bool busy_ = false;
  bool compacts_ = false;
  std::uint64_t attempt_ = 0;
  SessionId session_;
  Epoch epoch_;
  std::optional<Mutation> mutation_;
  bool has_context_ = false;
  Revision floor_;
  RequestId request_;
  std::function<void(const Mutation&)> about_to_send_;
  Done done_;
};

}  // namespace waggle::sim
