#pragma once

// Two writers of one key who do not know of each other, on top of bench_of_rounds.h.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench_of_rounds.h"

namespace waggle {

// Policies: "m/" manual, "p/" manual for two seconds, "j/" merge, "j1/" merge with one earlier
// version, "jm/" merge and then manual, "jl/" merge and then lww, "k/" keep, "t/" lives two
// seconds.
class ConflictBench : public RoundBench {
 public:
  explicit ConflictBench(CoordinatorState state = {})
      : RoundBench({"a", "b"}, with_policies(), std::move(state)) {}

  static CoordinatorOptions with_policies() {
    CoordinatorOptions options = defaults();
    const auto add = [&](const char* prefix, Strategy strategy, const auto& more) {
      Policy policy;
      policy.prefix = prefix;
      policy.strategy = strategy;
      more(policy);
      (void)options.policies.add(std::move(policy));
    };
    add("m/", Strategy::kManual, [](Policy&) {});
    add("p/", Strategy::kManual, [](Policy& policy) { policy.parked_millis = 2'000; });
    add("j/", Strategy::kMerge, [](Policy&) {});
    add("j1/", Strategy::kMerge, [](Policy& policy) { policy.history = 1; });
    add("jm/", Strategy::kMerge, [](Policy& policy) { policy.otherwise = Strategy::kManual; });
    add("jl/", Strategy::kMerge, [](Policy& policy) { policy.otherwise = Strategy::kLww; });
    add("k/", Strategy::kKeep, [](Policy&) {});
    add("t/", Strategy::kLww, [](Policy& policy) { policy.live_millis = 2'000; });
    return options;
  }

  // One entry, under the agent's next seq.
  Outcome send(const std::string& agent, Entry entry, std::uint64_t seen) {
    const Welcome& welcome = welcomes.at(agent);
    Mutation mutation = put(++seqs_[agent], entry.key.value(), {}, welcome, seen);
    mutation.entries = {std::move(entry)};
    const auto results = submit(agent, welcome, {std::move(mutation)});
    return results.empty() ? Outcome{} : results.back().outcome;
  }
  Outcome put_text(const std::string& agent, const char* key, std::string value,
                   std::uint64_t seen) {
    return send(agent, {Key(key), {}, PutOp{ContentType::kText, std::move(value)}, {}}, seen);
  }
  Outcome put_json(const std::string& agent, const char* key, std::string value,
                   std::uint64_t seen) {
    return send(agent, {Key(key), {}, PutOp{ContentType::kJson, std::move(value)}, {}}, seen);
  }
  Outcome settle(const char* key, SettleOp how, Expect expect = {}, Metadata metadata = {}) {
    return send("a", {Key(key), expect, std::move(how), std::move(metadata)}, head());
  }
  // "a" wrote, and "b" did not know of it. Gives what b is told.
  Outcome park(const char* key, std::string first = "A", std::string second = "B") {
    (void)put_text("a", key, std::move(first), head());
    return put_text("b", key, std::move(second), 0);
  }

  [[nodiscard]] RecordPtr record(const char* key) const {
    return core.swarm(SwarmId("s"))->find(Key(key));
  }
  const QueryResult& query(Ask ask) {
    receive("a", Query{session("a"), RequestId(5), std::move(ask)});
    close();
    return *to<QueryResult>("a");
  }
  [[nodiscard]] std::vector<ParkedConflict> parked(std::string glob = {}) {
    return query(ConflictsQuery{std::move(glob), {}, {}}).conflicts;
  }

 private:
  std::map<std::string, std::uint64_t> seqs_;
};

}  // namespace waggle
