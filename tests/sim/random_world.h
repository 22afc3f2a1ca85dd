#pragma once

// One seed from beginning to end: chaos, in which applications write and everything that the plan
// allows goes wrong, then healing, after which all must be quiet and equal within a bound.
//
// One thread a run; runs share nothing.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/plan.h"
#include "tests/sim/saboteur.h"
#include "tests/sim/story.h"

namespace waggle::sim {

struct RunResult {
  std::vector<Finding> findings;
  std::map<std::string, std::uint64_t> faults;
  std::uint64_t fingerprint = 0;
  std::uint64_t deeds = 0;  // steps of virtual time
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;
  std::int64_t virtual_millis = 0;
  std::int64_t healed_millis = 0;  // from healing to rest
  std::uint64_t frames = 0;        // before healing
  std::uint64_t batches = 0;       // before healing, of the machine that the plan lets die
};

struct RunOptions {
  bool told = false;  // print the story
  // Goes on until this was found; null: until anything is.
  std::function<bool(const Finding&)> wanted;
  std::unique_ptr<Saboteur> saboteur;
  SimNetwork::Codec codec;  // used when the plan says so
};

[[nodiscard]] RunResult run_world(const Plan& plan, RunOptions options);

}  // namespace waggle::sim
