#pragma once

// The claims of a history, commit by commit: no two that share a key are held at one moment of the
// coordinator's time, tokens only grow, and every write under a held claim brought its token, as it
// was at that moment; and none ends because its time is over before it is.
//
// One thread.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/mutation.h"
#include "consensus/claim_record.h"
#include "tests/sim/story.h"

namespace waggle::sim {

class ClaimTruth {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  // Of a claim's key.
  void take(const Key& key, const Record& record, std::int64_t now, const Found& found);
  // Of any other: by that mutation, or by the coordinator itself (null).
  void check_write(const std::string& what, const Key& key, const Mutation* mutation,
                   const Found& found) const;
  void clear(const std::string& what, const Found& found);
  [[nodiscard]] const std::map<std::string, Claim>& held() const { return held_; }

 private:
  [[nodiscard]] const Claim* over(const Key& key) const;

  std::map<std::string, Claim> held_;
  std::map<std::string, std::int64_t> since_;  // when it was granted, in virtual time
  FenceToken last_;
};

}  // namespace waggle::sim
