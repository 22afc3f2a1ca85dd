// Three agents edit one plan while none of them hears the others. They come back one after another,
// and in the end all hold the same plan, with what each of them did.
//
// The plan is a map. Its fields change on their own, each by the rule of its type: a list takes
// insertions and removals by several, a counter adds up, a set joins, a register holds one value.
// It prints
//
//   all know:       honey: 20; steps: scout, swarm, build comb
//   ada, alone:     ...; honey: 13; leader: ada; steps: scout, measure the hollow, swarm, build
//   comb bob, alone:     ...; honey: 50; steps: scout, swarm, store honey cyd, alone:     ...;
//   honey: 10; steps: scout, wait for the sun, swarm, build comb; time: noon
//   ...
//   cyd comes back: helpers: ada, bob, cyd; honey: 33; leader: ada; steps: scout, measure the
//                   hollow, wait for the sun, swarm, store honey; time: noon
//   all hold the same plan
//
// Ada and cyd insert at the same place: one of the two steps comes first, the same one everywhere.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// One line, the fields in their order.
std::string plan_of(waggle::SwarmAgent& agent) {
  std::string text;
  for (const waggle::StateItem& field : must(agent.map("plan").fields())) {
    text += (text.empty() ? "" : "; ") + field.key + ": ";
    if (field.type == waggle::ItemType::kRegister) text += field.bytes;
    if (field.type == waggle::ItemType::kCounter) text += std::to_string(field.number);
    for (const std::string& element : field.elements)
      text += (&element == &field.elements.front() ? "" : ", ") + element;
  }
  return text;
}

// What each does, alone.
using Edit = std::function<void(waggle::AgentMap)>;
const std::vector<std::pair<std::string, Edit>> kEdits = {
    {"ada",
     [](waggle::AgentMap plan) {
       must(plan.list("steps").insert(1, {"measure the hollow"}));
       must(plan.counter("honey").add(-7));
       must(plan.set("leader", "ada"));
     }},
    {"bob",
     [](waggle::AgentMap plan) {
       must(plan.list("steps").erase(2));
       must(plan.list("steps").append({"store honey"}));
       must(plan.counter("honey").add(30));
     }},
    {"cyd", [](waggle::AgentMap plan) {
       must(plan.list("steps").insert(1, {"wait for the sun"}));
       must(plan.counter("honey").add(-10));
       must(plan.set("time", "noon"));
     }}};

int main() {
  std::string directory = (fs::temp_directory_path() / "waggle-plan-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const waggle::SynchronizerConfig hive_config{.listen = "ipc://" + directory + "/hive.sock",
                                               .data = directory + "/hive"};
  auto hive = must(waggle::StateSynchronizer::open(hive_config));
  // In its own directory an agent keeps what it knew, and what it wrote while it was away.
  const auto open = [&](const std::string& name) {
    return must(waggle::SwarmAgent::open({.coordinator = hive_config.listen,
                                          .swarm = "bees",
                                          .agent = name,
                                          .data = directory + "/" + name}));
  };
  // All that this agent wrote is committed, and it holds all that anybody wrote.
  const auto settle = [&](waggle::SwarmAgent& agent) {
    must(agent.wait_attached(30s));
    while (must(agent.status()).unsent > 0) must(agent.catch_up(30s));
    must(agent.get("plan", must(hive->get_state_version("bees")).revision, 30s));
  };

  for (const auto& [name, edit] : kEdits) {
    const auto agent = open(name);
    if (name == "ada") {  // makes the plan that the others find
      must(agent->map("plan").list("steps").insert(0, {"scout", "swarm", "build comb"}));
      must(agent->map("plan").counter("honey").add(20));
    }
    settle(*agent);
    if (name == "cyd") std::cout << "all know:       " << plan_of(*agent) << "\n";
  }
  hive.reset();  // from here on nobody hears anybody
  for (const auto& [name, edit] : kEdits) {
    const auto agent = open(name);
    edit(agent->map("plan"));
    must(agent->map("plan").set("helpers").add(name));
    std::cout << name << ", alone:     " << plan_of(*agent) << "\n";
  }

  hive = must(waggle::StateSynchronizer::open(hive_config));
  std::vector<std::unique_ptr<waggle::SwarmAgent>> agents;
  for (const auto& [name, edit] : kEdits) {
    agents.push_back(open(name));
    settle(*agents.back());
    std::cout << name << " comes back: " << plan_of(*agents.back()) << "\n";
  }

  bool as_promised = true;
  for (const auto& agent : agents) {
    settle(*agent);
    const std::string plan = plan_of(*agent);
    const auto is = [&](const std::string& inserted) {
      return plan == "helpers: ada, bob, cyd; honey: 33; leader: ada; steps: scout, " + inserted +
                         ", swarm, store honey; time: noon";
    };
    as_promised = as_promised && plan == plan_of(*agents.front()) &&
                  (is("measure the hollow, wait for the sun") ||
                   is("wait for the sun, measure the hollow")) &&
                  must(agent->status()).digest == must(hive->digest("bees"));
  }
  std::cout << (as_promised ? "all hold the same plan\n" : "this is not the plan of all\n");
  fs::remove_all(directory);
  return as_promised ? 0 : 1;
}
