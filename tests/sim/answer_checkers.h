#pragma once

// Checkers of what an application is answered: `outcomes`, `answers`, `lost`. See checkers.h.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/checkers.h"

namespace waggle::sim {

// `outcomes`: once a process; a promise that was kept in the history; told for every queued write.
class OutcomeChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_command(const AgentSeen& agent, const Command& command) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_stop(const AgentSeen& agent) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  struct Application {
    std::set<RequestId> asked;    // writes, not even queued yet
    std::set<RequestId> waiting;  // writes without a final answer
    std::set<std::pair<Incarnation, Seq>> answered;
  };
  void settled(const AgentSeen& agent, Application& application, const WriteSettled& answer);

  std::map<std::string, Application> applications_;
};

// `answers`: reads, synchronisations, catch-ups and offers.
class AnswerChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_command(const AgentSeen& agent, const Command& command) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_stop(const AgentSeen& agent) override;
  void on_send(const Send& send) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  struct Application {
    std::map<RequestId, Revision> reads;
    std::set<RequestId> syncs;
    std::set<RequestId> catch_ups;
    std::map<Key, std::vector<Register>> offers;  // the newest may be asked and not yet known
  };
  void check_report(const AgentSeen& agent, const SyncReport& report);
  void check_offer(const AgentSeen& agent, Application& application, const OfferSettled& settled);

  std::map<std::string, Application> applications_;
  std::set<std::pair<Key, Revision>> reported_;  // as made by a round
};

// `lost`: an acknowledged write is in the history; if a restore undid it, the process that had the
// acknowledgement is told.
class LostChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_stop(const AgentSeen& agent) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  // By the id of the write: of the process that is running.
  std::map<std::string, std::set<std::string>> acknowledged_;
  std::map<std::string, std::set<std::string>> told_lost_;
  std::set<std::string> ever_acknowledged_;
};

// `overruled`: an agent that was shown a register of its own, and then one that a rule chose over
// it, is told so once.
class OverruledChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void at_end(const std::vector<AgentSeen>& agents) override;

 private:
  struct Seen {
    std::map<Key, RecordPtr> held;
    // By the version that stands now.
    std::set<std::pair<Key, Revision>> due;
    std::set<std::pair<Key, Revision>> told;
  };
  std::map<std::string, Seen> seen_;
};

}  // namespace waggle::sim
