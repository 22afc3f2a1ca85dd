#pragma once

// Drives a coordinator's core as agents that ask for claims do.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "bench_of_core.h"
#include "consensus/claim_record.h"

namespace waggle {

struct ClaimBench : CoreBench {
  static constexpr std::int64_t kTtl = 10'000;

  using CoreBench::CoreBench;

  Welcome enter(const std::string& agent, std::uint64_t process = 1, Role role = Role::kMember) {
    Hello hello = CoreBench::hello(agent, 1, role);
    hello.incarnations = {Incarnation(process)};
    receive(agent, hello);
    close();
    if (to<Welcome>(agent) == nullptr) close();
    const Welcome welcome = *to<Welcome>(agent);
    if (role != Role::kClient) feed(Subscribed{SwarmId("s"), welcome.nonce});
    close();
    sessions[agent] = welcome;
    return welcome;
  }
  ClaimResult ask(const std::string& agent, ClaimRequest request) {
    request.session = sessions.at(agent).session;
    if (!request.request) request.request = RequestId(++requests);
    receive(agent, std::move(request));
    close();
    const auto* result = to<ClaimResult>(agent);
    BOOST_REQUIRE(result != nullptr);
    return *result;
  }
  ClaimResult take(const std::string& agent, const std::string& pattern, std::int64_t wait = 0,
                   std::uint64_t request = 0) {
    ClaimRequest asked;
    asked.request = RequestId(request);
    asked.pattern = pattern;
    asked.ttl_millis = kTtl;
    asked.wait_millis = wait;
    return ask(agent, std::move(asked));
  }
  ClaimResult tell(const std::string& agent, ClaimVerb verb, const std::string& pattern,
                   FenceToken token, std::optional<std::string> checkpoint = {},
                   const char* to = "") {
    ClaimRequest asked;
    asked.verb = verb;
    asked.pattern = pattern;
    asked.token = token;
    asked.to = AgentId(to);
    if (checkpoint) asked.checkpoint = Register{ContentType::kText, *std::move(checkpoint)};
    return ask(agent, std::move(asked));
  }
  // "committed", or the reason why not.
  std::string put(const std::string& agent, const std::string& key, FenceToken token = {}) {
    Mutation mutation = CoreBench::put(++seqs[agent], key, "v", sessions.at(agent), head());
    mutation.fence = token;
    const auto results = submit(agent, sessions.at(agent), {std::move(mutation)});
    BOOST_REQUIRE(!results.empty());
    const Outcome& outcome = results.back().outcome;
    BOOST_TEST(outcome.final());
    return std::string(outcome.code == Code::kCommitted ? "committed" : to_text(outcome.reason));
  }
  // In steps, as time goes on for one that does not stand still. All but these are silent.
  void wait_with(std::int64_t millis, const std::vector<std::string>& alive) {
    for (; millis > 0; millis -= 200) {
      for (const std::string& agent : alive)
        receive(agent, AgentHeartbeat{sessions.at(agent).session, ++beats, {}, {}, {}, {}});
      wait(std::min<std::int64_t>(millis, 200));
      for (const Send& send : last.send)
        if (const auto* one = std::get_if<SendTo>(&send))
          if (const auto* result = std::get_if<ClaimResult>(one->message.get()))
            told[one->peer.value()] = *result;
    }
  }
  [[nodiscard]] std::uint64_t head() const {
    const SwarmState* swarm = core.swarm(SwarmId("s"));
    return swarm == nullptr ? 0 : swarm->head().value();
  }
  [[nodiscard]] std::optional<Claim> held(const std::string& pattern) const {
    const RecordPtr record = core.swarm(SwarmId("s"))->find(claim_key(pattern));
    return record ? claim_of(claim_key(pattern), *record) : std::nullopt;
  }
  [[nodiscard]] std::string checkpoint(const std::string& pattern) const {
    const auto found = checkpoint_of(core.swarm(SwarmId("s"))->find(claim_key(pattern)).get());
    return found ? found->bytes : "none";
  }

  std::map<std::string, ClaimResult> told;  // the newest, while waiting
  std::map<std::string, Welcome> sessions;
  std::map<std::string, std::uint64_t> seqs;
  std::uint64_t requests = 100;
  std::uint64_t beats = 0;
};

}  // namespace waggle
