#pragma once

// Checkers of what readers see: `visible`, `readers`, `groups`, `views`. See checkers.h.

#include <map>
#include <string>

#include "tests/sim/checkers.h"

namespace waggle::sim {

class VisibleChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override {
    (void)recovered;
    hides_ = hides_ || agent.blind;
  }
  void on_send(const Send& send) override;

 private:
  void check_hidden(const Message& message);
  bool hides_ = false;  // there are agents that may not read everything
  void check(Cursor cursor, const char* what);
};

// Builds each reader's state from nothing but what it was told.
class ReaderChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;

 private:
  struct Reader {
    Cursor cursor;
    std::map<Key, RecordPtr> records;
    Hash128 digest;
  };
  void check(const AgentSeen& agent, const Reader& reader);

  std::map<std::string, Reader> readers_;
};

class GroupChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_turn(const AgentSeen& agent) override;
};

// A new process shows what its disk held; until it is quiet again its view may lack an answered
// write, or count one of which it does not know yet that it is committed.
class ViewChecker final : public Checker {
 public:
  using Checker::Checker;
  void on_start(const AgentSeen& agent, const AgentState& recovered) override;
  void on_delivery(const AgentSeen& agent, const Delivery& delivery) override;
  void on_turn(const AgentSeen& agent) override;
  void on_restore() override;

 private:
  struct Viewer {
    bool settled = false;  // was quiet since the last start, restore or refusal
    Epoch epoch;
  };
  std::map<std::string, Viewer> viewers_;
};

}  // namespace waggle::sim
