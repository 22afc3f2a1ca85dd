#pragma once

// Plants a bug between a core and its ports, so that a checker can be shown to catch it. A saboteur
// changes what is stored, recovered, sent or told; the cores themselves stay as they are.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "memory/commit_store.h"
#include "tests/sim/story.h"

namespace waggle::sim {

inline constexpr std::string_view kCoordinatorMachine = "c";

class Saboteur {
 public:
  virtual ~Saboteur() = default;
  // Before a batch goes to the journal of `machine`.
  virtual void store(const std::string& machine, Batch& batch) {
    (void)machine;
    (void)batch;
  }
  // Before something is sent. False: it isn't.
  virtual bool send(const std::string& machine, Send& send) {
    (void)machine;
    (void)send;
    return true;
  }
  // What an agent's application is told in the place of `delivery`.
  virtual std::vector<Delivery> deliver(const std::string& machine, const Delivery& delivery) {
    (void)machine;
    return {delivery};
  }
  // What the coordinator finds on its disk when it starts.
  virtual void recover(CoordinatorState& state) { (void)state; }
  // True: the coordinator's disk says `done` without having synced.
  [[nodiscard]] virtual bool disk_lies() const { return false; }
};

// A bug and the checker that must find it.
struct PlantedBug {
  std::string name;
  CheckerName checker;
  std::string says;  // part of what is found, where the checker has several promises
  std::function<std::unique_ptr<Saboteur>()> make;
};
[[nodiscard]] const std::vector<PlantedBug>& planted_bugs();

}  // namespace waggle::sim
