#pragma once

// The proposals of a history, commit by commit: each has at most one outcome, made of the votes
// that stood then, each of an agent of the electorate and counted once, by the rule; what an
// approval writes is in the same commit, once; a bound key is written by nothing else.
//
// One thread.

#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/record.h"
#include "coordinator/proposal.h"
#include "tests/sim/story.h"

namespace waggle::sim {

class DecisionTruth {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  // Of a proposal's or a vote's key.
  void take(const Key& key, const Record& record, const Found& found);
  // Of any other.
  void take_write(const Key& key, const Record& record, const Found& found);
  void clear();
  [[nodiscard]] const std::map<std::string, Proposal>& open() const { return open_; }

 private:
  struct Applied {
    Revision at;
    std::map<Key, Register> writes;
  };
  void take_vote(const Key& key, const Record& record, const Found& found);
  void take_outcome(const Proposal& closed, const Record& record, const Found& found);

  std::map<std::string, Proposal> open_;
  std::map<std::string, std::string> closed_;  // the document
  std::map<std::string, Votes> votes_;
  std::map<std::string, Choices> choices_;
  std::map<std::string, Applied> applied_;
};

// Written by approved proposals only.
inline constexpr const char* kBoundKeys = "law/";

}  // namespace waggle::sim
