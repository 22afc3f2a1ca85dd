#pragma once

// Members, questions and answers of full synchronisations, on top of bench_of_core.h.

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench_of_core.h"

namespace waggle {

class RoundBench : public CoreBench {
 public:
  explicit RoundBench(std::initializer_list<const char*> members,
                      CoordinatorOptions options = defaults(), CoordinatorState state = {})
      : CoreBench(std::move(options), std::move(state)) {
    for (const char* member : members) welcomes[member] = join(member);
  }

  // Keys below "q/" are decided by a quorum of more than one half.
  static CoordinatorOptions with_quorum(Strategy otherwise = Strategy::kKeep) {
    CoordinatorOptions options = defaults();
    Policy policy;
    policy.prefix = "q/";
    policy.strategy = Strategy::kQuorum;
    policy.otherwise = otherwise;
    (void)options.policies.add(std::move(policy));
    return options;
  }

  [[nodiscard]] SessionId session(const std::string& agent) const {
    return welcomes.at(agent).session;
  }
  // What a member sends to have a round held.
  [[nodiscard]] SyncRequest request(const std::string& caller, std::uint64_t number,
                                    std::initializer_list<const char*> keys,
                                    std::int64_t timeout_millis = 1'000,
                                    std::optional<Priority> priority = {}) const {
    SyncRequest request;
    request.session = session(caller);
    request.request = RequestId(number);
    for (const char* key : keys) request.keys.emplace_back(key);
    request.timeout_millis = timeout_millis;
    request.priority_given = priority.has_value();
    request.priority = priority.value_or(Priority::kNormal);
    return request;
  }
  // Asks for a round and ends the group. 0: it has to wait.
  RoundId ask(const std::string& caller, std::uint64_t number,
              std::initializer_list<const char*> keys, std::int64_t timeout_millis = 1'000,
              std::optional<Priority> priority = {}) {
    receive(caller, request(caller, number, keys, timeout_millis, priority));
    close();
    return asked();
  }
  // The newest round that was asked in the last group; 0: none.
  [[nodiscard]] RoundId asked() const {
    const auto requests = broadcasts<StateRequest>();
    return requests.empty() ? RoundId{} : requests.back()->round;
  }

  static Answer offers(const char* key, const char* value, std::uint64_t counter) {
    return {Key(key), AnswerKind::kOffer,
            Offer{{ContentType::kText, value}, {}, Hlc::of(1'000'000, counter)}};
  }
  // Does not end the group.
  void say(const std::string& agent, RoundId round, std::vector<Answer> answers = {}) {
    receive(agent, StateResponse{session(agent), round, AnswerKind::kSame, std::move(answers)});
  }
  void answer(const std::string& agent, RoundId round, std::vector<Answer> answers = {}) {
    say(agent, round, std::move(answers));
    close();
  }
  // One put that is committed under the stamp.
  void write(const std::string& agent, std::uint64_t seq, const char* key, const char* value,
             std::uint64_t counter) {
    Mutation mutation = put(seq, key, value, welcomes.at(agent), head());
    mutation.hlc = Hlc::of(1'000'000, counter);
    (void)submit(agent, welcomes.at(agent), {std::move(mutation)});
  }

  [[nodiscard]] const SyncReport* report(const std::string& caller) const {
    return to<SyncReport>(caller);
  }
  [[nodiscard]] std::uint64_t head() const { return core.swarm(SwarmId("s"))->head().value(); }
  [[nodiscard]] std::string value(const char* key) const {
    const RecordPtr record = core.swarm(SwarmId("s"))->find(Key(key));
    return record && record->live() ? std::get<Register>(*record->value).bytes : "(absent)";
  }
  [[nodiscard]] std::uint64_t counter(const char* name) const {
    const auto found = core.counters().find(name);
    return found == core.counters().end() ? 0 : found->second;
  }
  static std::string names(const std::vector<AgentId>& agents) {
    std::string joined;
    for (const AgentId& agent : agents) joined += agent.value();
    return joined;
  }

  std::map<std::string, Welcome> welcomes;
};

}  // namespace waggle
