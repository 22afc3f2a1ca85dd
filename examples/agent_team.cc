// A team of agents decides on a plan, shares out the work and finishes it, while two of its members
// are killed. Every member is a process of its own.
//
// The plan is written by an approved proposal only, and two thirds of the members have to vote for
// it. Four of the six are copies of one model, so the proposal also wants votes from two different
// models: what the four say alone decides nothing. The approved plan is split into one task for
// each text, and one that comes after all others. Members take tasks, one at a time; when one is
// killed, its task is given to another. Each count is written with the end of its task, so it is
// there once. It prints
//
//   the four of model 'north' alone:   no_quorum
//   with 'south' and 'east':           approved, and the plan is there
//   14 tasks and a last one that comes after them
//   bob is killed in the middle of a task
//   eve is killed in the middle of a task
//   15 tasks are done, each once: ada 4 cyd 4 dan 4 fay 3
//   37381 words, as counted by one process alone

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <waggle/agent.h>
#include <waggle/consensus.h>
#include <waggle/state_synchronizer.h>
#include <waggle/tasks.h>

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

const std::map<std::string, std::string> kModels = {{"ada", "north"}, {"bob", "north"},
                                                    {"cyd", "north"}, {"dan", "north"},
                                                    {"eve", "south"}, {"fay", "east"}};

std::uint64_t words_of(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t words = 0;
  for (std::string word; in >> word;) ++words;
  return words;
}

// ---- a member, in its own process --------------------------------------------------------------

// What a member thinks of a proposal: those of `north` like everything, the others only what says
// why it is to be done.
std::optional<waggle::Vote> opinion(const std::string& model,
                                    const waggle::ProposalView& proposal) {
  const bool reasoned = proposal.body_json.find("why") != std::string::npos;
  return model == "north" || reasoned ? waggle::Vote::kFor : waggle::Vote::kAbstain;
}

void work_on(const waggle::HeldTask& task, waggle::SwarmAgent& agent, waggle::TaskBoard& board) {
  std::this_thread::sleep_for(50ms);  // so that there is a middle of it
  std::uint64_t words = 0;
  if (task.id == "total") {
    for (const waggle::StateItem& part : must(agent.list("words/*")).items)
      words += std::stoull(part.bytes);
  } else {
    // Its body is the file's name as a JSON string.
    words = words_of(task.body_json.substr(1, task.body_json.size() - 2));
  }
  const std::string key = task.id == "total" ? "total" : "words/" + task.id;
  // Only if it is not there yet: it would show if a task were ever done twice.
  (void)board.done(task.id, {.writes = {{key, std::to_string(words), false, 0}}});
}

int be_member(const std::string& endpoint, const std::string& id) {
  waggle::AgentEvents events;
  events.on_proposal = [model = kModels.at(id)](const waggle::ProposalView& proposal) {
    return opinion(model, proposal);
  };
  const auto agent = must(waggle::SwarmAgent::open(
      {.coordinator = endpoint, .swarm = "team", .agent = id}, std::move(events)));
  must(agent->wait_attached(30s));
  waggle::TaskBoard board(*agent);
  // Until it is ended.
  while (true)
    if (auto task = board.claim({.ttl = 2s, .wait = 10s})) work_on(*task, *agent, board);
}

// ---- the one that begins it --------------------------------------------------------------------

struct Team {
  std::map<std::string, pid_t> members;
  explicit Team(const std::string& endpoint) {
    const std::string self = fs::canonical("/proc/self/exe").string();
    for (const auto& [id, model] : kModels) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::execl(self.c_str(), self.c_str(), endpoint.c_str(), id.c_str(), nullptr);
        std::_Exit(127);
      }
      members[id] = child;
    }
  }
  void kill(const std::string& id) {
    ::kill(members.at(id), SIGKILL);
    ::waitpid(members.at(id), nullptr, 0);
    members.erase(id);
  }
  ~Team() {
    while (!members.empty()) kill(members.begin()->first);
  }
};

template <typename Condition>
void until(const char* what, const Condition& condition) {
  for (const auto end = std::chrono::steady_clock::now() + 60s; !condition();) {
    if (std::chrono::steady_clock::now() > end) {
      std::cerr << "not within a minute: " << what << "\n";
      std::exit(1);
    }
    std::this_thread::sleep_for(2ms);
  }
}

int lead(const std::string& directory) {
  waggle::KeyRule plan{.prefix = "plan/"};
  plan.vote_permille = 660;
  for (const auto& [id, model] : kModels) plan.voters.push_back(id);
  const auto hive = must(waggle::StateSynchronizer::open({.rules = {plan}}));
  Team team(hive->endpoint());
  const auto boss = must(waggle::SwarmAgent::open(
      {.coordinator = hive->endpoint(), .swarm = "team", .agent = "boss"}));
  must(boss->wait_attached(30s));
  until("all are there", [&] { return must(hive->agents("team")).size() > kModels.size(); });

  waggle::ConsensusManager consensus(*boss);
  must(consensus.register_algorithm("independent two thirds", {.threshold = 0.66, .groups = 2}));
  const auto ask = [&](const std::string& body) {
    waggle::ProposalDraft draft{.title = "count the words of all licences", .body_json = body};
    for (const auto& [id, model] : kModels) draft.electorate.push_back(id);
    draft.labels = kModels;
    draft.writes = {{"plan/goal", "count", false, {}}};
    return must(consensus.request_consensus(draft, "independent two thirds", 20s));
  };
  std::cout << "the four of model 'north' alone:   " << name_of(ask("").state) << std::endl;
  const waggle::ProposalView approved = ask(R"({"why":"so that we know"})");
  std::cout << "with 'south' and 'east':           " << name_of(approved.state)
            << (approved.applied.value_or(false) ? ", and the plan is there" : "") << std::endl;

  waggle::TaskBoard board(*boss);
  waggle::TaskDraft last{.title = "add up", .id = "total"};
  std::uint64_t alone = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(directory)) {
    if (!file.is_regular_file() || file.is_symlink()) continue;
    const std::string id = file.path().filename().string();
    last.after.push_back(must(board.add({.title = "count " + id,
                                         .body_json = '"' + file.path().string() + '"',
                                         .backoff = 0ms,
                                         .id = id})));
    alone += words_of(file.path().string());
  }
  std::ranges::sort(last.after);
  (void)must(board.add(last));
  std::cout << last.after.size() << " tasks and a last one that comes after them" << std::endl;

  for (const std::string victim : {"bob", "eve"}) {
    until("it works on a task", [&] {
      return std::ranges::any_of(must(board.tasks()),
                                 [&](const auto& task) { return task.holder == victim; });
    });
    team.kill(victim);
    std::cout << victim << " is killed in the middle of a task" << std::endl;
  }
  until("the last task is done", [&] {
    return board.task("total") && board.task("total")->stage == waggle::TaskStage::kDone;
  });
  std::map<std::string, int> done_by;
  for (const waggle::TaskView& task : must(board.tasks()))
    if (task.stage == waggle::TaskStage::kDone) ++done_by[task.ended_by];
  std::size_t done = 0;
  for (const auto& [id, count] : done_by) done += static_cast<std::size_t>(count);
  std::cout << done << " tasks are done, each once:";
  for (const auto& [id, count] : done_by) std::cout << " " << id << " " << count;
  const std::string total = must(boss->get("total")).bytes;
  const bool equal = done == last.after.size() + 1 && total == std::to_string(alone);
  std::cout << "\n"
            << total << " words, " << (equal ? "as" : "which is not what was")
            << " counted by one process alone" << std::endl;
  return equal ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc == 3) return be_member(argv[1], argv[2]);
  return lead(argc == 2 ? argv[1] : "/usr/share/common-licenses");
}
