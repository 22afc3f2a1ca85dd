// Claims, tasks and proposals over real sockets and a synced store: how long a grant takes, how
// many there are a second, how many tasks are done and how many proposals are decided.

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "bench/claims.h"
#include "bench/disk.h"
#include "bench/peer.h"
#include "bench/rows.h"
#include "bench/swarm.h"
#include "coordinator/proposal.h"
#include "coordinator/task.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kClaimants = 50;

// One write is answered.
void committed(Peer& peer) {
  if (peer.acknowledge(next_of<SubmitResult>(peer)) != 1)
    throw std::runtime_error("a write was not answered");
}

void measure_claims(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  ZmqContext context;
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t i = 0; i < kClaimants; ++i)
    peers.push_back(std::make_unique<Peer>(context, coordinator.endpoint(),
                                           fmt::format("~client-claimant-{}", i)));
  Samples takes;
  Samples pairs;
  for (int i = 0; i < (run.quick ? 300 : 1'500); ++i) {
    const double begin = now_micros();
    peers[0]->send(claim_request(*peers[0], ClaimVerb::kTake, "bench/one"));
    const FenceToken token = claim_granted(*peers[0]).token;
    const double taken = now_micros();
    peers[0]->send(claim_request(*peers[0], ClaimVerb::kRelease, "bench/one", token));
    (void)claim_granted(*peers[0]);
    if (i < 50) continue;  // warm-up
    takes.push_back(taken - begin);
    pairs.push_back(now_micros() - begin);
  }
  run.report.add({.name = "claims.take", .value = summarise(takes), .unit = "us"});
  run.report.add({.name = "claims.take_release", .value = summarise(pairs), .unit = "us"});

  Samples rates;
  std::vector<FenceToken> tokens(kClaimants);
  for (int block = 0; block < (run.quick ? 12 : 40); ++block) {
    constexpr int kTurns = 20;
    const double begin = now_micros();
    for (int turn = 0; turn < kTurns; ++turn) {
      for (std::size_t i = 0; i < kClaimants; ++i)
        peers[i]->send(claim_request(*peers[i], ClaimVerb::kTake, fmt::format("bench/{}", i)));
      for (std::size_t i = 0; i < kClaimants; ++i) tokens[i] = claim_granted(*peers[i]).token;
      for (std::size_t i = 0; i < kClaimants; ++i)
        peers[i]->send(
            claim_request(*peers[i], ClaimVerb::kRelease, fmt::format("bench/{}", i), tokens[i]));
      for (std::size_t i = 0; i < kClaimants; ++i) (void)claim_granted(*peers[i]);
    }
    if (block >= 2)
      rates.push_back(kTurns * static_cast<double>(kClaimants) / (now_micros() - begin) * 1e6);
  }
  run.report.add({.name = "claims.rate", .value = summarise(rates), .unit = "/s"});
}

// Each worker takes a task and reports it as done, with a write, before it takes the next one.
void measure_tasks(Run& run, std::size_t workers, int rounds) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  ZmqContext context;
  Peer adder(context, coordinator.endpoint(), "~client-adder");
  std::vector<std::unique_ptr<Peer>> team;
  for (std::size_t i = 0; i < workers; ++i)
    team.push_back(
        std::make_unique<Peer>(context, coordinator.endpoint(), fmt::format("worker-{}", i)));
  Samples rates;
  int number = 0;
  for (int round = 0; round < rounds; ++round) {
    constexpr int kTurns = 10;
    const int tasks = kTurns * static_cast<int>(workers);
    for (int n = 0; n < tasks; ++n) {
      adder.send(adder.submit({adder.put(task_key(fmt::format("t{}", ++number)).value(),
                                         R"({"title":"bench","needs":["x"]})")}));
      committed(adder);
    }
    const double begin = now_micros();
    for (int turn = 0; turn < kTurns; ++turn) {
      for (const auto& worker : team) {
        ClaimRequest request =
            claim_request(*worker, ClaimVerb::kTake, std::string(kTaskKeys) + "*");
        request.can = {"x", "y"};
        worker->send(std::move(request));
      }
      for (const auto& worker : team) {
        const ClaimResult taken = claim_granted(*worker);
        const std::string id(task_id_of(taken.pattern));
        Mutation report = worker->put(
            taken.pattern,
            fmt::format(R"({{"state":"done","writes":[{{"key":"done/{}","value":1}}]}})", id));
        report.fence = taken.token;
        worker->send(worker->submit({std::move(report)}));
      }
      for (const auto& worker : team) committed(*worker);
    }
    if (round > 0) rates.push_back(tasks / (now_micros() - begin) * 1e6);
  }
  run.report.add(
      {.name = fmt::format("tasks.{}", workers), .value = summarise(rates), .unit = "/s"});
}

void measure_proposals(Run& run, std::size_t voters, int count) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  ZmqContext context;
  Peer proposer(context, coordinator.endpoint(), "~client-proposer");
  std::vector<std::unique_ptr<Peer>> agents;
  std::string electorate;
  for (std::size_t i = 0; i < voters; ++i) {
    const std::string name = fmt::format("voter-{}", i);
    agents.push_back(std::make_unique<Peer>(context, coordinator.endpoint(), name));
    electorate += fmt::format(R"({}"{}")", i > 0 ? "," : "", name);
  }
  const std::string document =
      fmt::format(R"({{"title":"bench","threshold":1,"electorate":[{}]}})", electorate);
  Samples micros;
  for (int n = 0; n < count; ++n) {
    const std::string id = fmt::format("p{}", n);
    const double begin = now_micros();
    proposer.send(proposer.submit({proposer.put(proposal_key(id).value(), document)}));
    committed(proposer);
    // All vote at once; the last one decides, since all are needed.
    for (std::size_t i = 0; i < voters; ++i) {
      const AgentId name(fmt::format("voter-{}", i));
      agents[i]->send(agents[i]->submit({agents[i]->put(vote_key(id, name).value(), "for")}));
    }
    for (std::size_t i = 0; i < voters; ++i) committed(*agents[i]);
    if (n > 0) micros.push_back(now_micros() - begin);
    proposer.send(Query{proposer.welcome().session, RequestId(static_cast<std::uint64_t>(n) + 1),
                        GetQuery{{proposal_key(id)}, {}}});
    const QueryResult read = next_of<QueryResult>(proposer);
    const std::optional<Register> outcome =
        register_of(read.changes.empty() ? nullptr : read.changes.front().record.get());
    if (!outcome || outcome->bytes.find(R"("state":"approved")") == std::string::npos)
      throw std::runtime_error("the proposal was not approved");
  }
  Row row{.name = fmt::format("proposals.{}", voters), .value = summarise(micros), .unit = "us"};
  row.parts.emplace_back("decided a second", fmt::format("{:.0f}", 1e6 / row.value.median));
  row.parts.emplace_back("votes a second", fmt::format("{:.0f}", 1e6 / row.value.median *
                                                                     static_cast<double>(voters)));
  run.report.add(std::move(row));
}

}  // namespace

void measure_decisions(Run& run) {
  if (run.wanted("claims")) {
    run.report.section(
        "claims, over tcp, each grant and end a synced commit",
        "take: from the request to the grant of a free claim. take_release: both, one "
        "after the other. rate: grants a second of 50 clients, each on a key of its "
        "own, each released before the next.");
    measure_claims(run);
  }
  for (const std::size_t workers : {1, 10, 50}) {
    if (!run.wanted(fmt::format("tasks.{}", workers))) continue;
    if (workers == 1)
      run.report.section("tasks, over tcp, each grant and each end a synced commit",
                         "N workers take a task and report it as done with one write, again and "
                         "again: tasks done a second. The driver is one thread.");
    measure_tasks(run, workers, run.quick ? 6 : 20);
  }
  for (const auto& [voters, quick, full] :
       {std::array<std::size_t, 3>{10, 60, 300}, {100, 20, 60}, {1000, 4, 10}}) {
    const std::string name = fmt::format("proposals.{}", voters);
    if (!run.wanted(name)) continue;
    if (voters == 10)
      run.report.section(
          "proposals, over tcp, each vote a synced commit",
          "N: a proposal is opened, N agents vote at once, all of whom are needed, and "
          "all are answered. One after the other; the driver is one thread.");
    measure_proposals(run, voters, static_cast<int>(run.quick ? quick : full));
  }
}

}  // namespace waggle::bench
