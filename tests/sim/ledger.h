#pragma once

// Every write that anyone in the world asked for, followed through its numbers. A write carries its
// own id in the metadata of its entries, so it is recognised under whatever (incarnation, seq) it
// travels: an agent that gives its writes new numbers keeps the ids.
//
// One thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/mutation.h"

namespace waggle::sim {

inline constexpr const char* kIdName = "w";

struct Deed {
  std::string id;
  AgentId agent;
  std::uint64_t life = 0;  // of the machine, when it was asked for
  RequestId request;       // of that life
  std::vector<Entry> entries;
  std::optional<Mutation> mutation;  // as it was last stored
  bool queued = false;               // the application was told so
  bool vanished = false;             // its agent died before it was on the disk, or lost the disk
  bool refused = false;              // by the coordinator, for good
  std::optional<Outcome> settled;    // the newest answer told
  Epoch settled_in;

  [[nodiscard]] bool clears() const { return std::holds_alternative<ClearOp>(entries.front().op); }
};

class Ledger {
 public:
  // Sets the id in the entries' metadata.
  Deed& write(const AgentId& agent, std::uint64_t life, RequestId request,
              std::vector<Entry>& entries);
  // Learns its numbers and context, from the disk of its agent.
  void stored(const AgentId& agent, const Mutation& mutation);
  // Learns its numbers from its request, unless they are known.
  void numbered(const Writer& writer, std::uint64_t life, RequestId request);
  // Null: nobody asked for it.
  [[nodiscard]] Deed* of(const Writer& writer);
  [[nodiscard]] Deed* find(const std::string& id);
  [[nodiscard]] std::map<std::string, Deed>& all() { return deeds_; }
  [[nodiscard]] const std::vector<Deed*>& of_agent(const AgentId& agent) {
    return by_agent_[agent];
  }

 private:
  std::map<std::string, Deed> deeds_;
  std::map<Writer, std::string> by_writer_;
  std::map<AgentId, std::vector<Deed*>> by_agent_;
};

}  // namespace waggle::sim
