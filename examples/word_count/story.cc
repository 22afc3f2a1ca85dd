#include "story.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <thread>

#include <signal.h>
#include <unistd.h>
#include <waggle/agent.h>

#include "process.h"
#include "tasks.h"

namespace word_count {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using SteadyTime = std::chrono::steady_clock::time_point;
namespace fs = std::filesystem;

constexpr int kPatience = 60;  // seconds; nothing in this demo takes nearly so long

std::string kilobytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f KB", static_cast<double>(bytes) / 1000.0);
  return text;
}

// What a shell command prints. Throws when it fails.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("can't run: " + command);
  std::string text;
  char bytes[4096];
  std::size_t got = 0;
  while ((got = std::fread(bytes, 1, sizeof bytes, pipe)) > 0) text.append(bytes, got);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  return text;
}

class Story {
 public:
  explicit Story(const DemoOptions& options)
      : options_(options), begun_(std::chrono::steady_clock::now()) {
    std::string pattern = (fs::temp_directory_path() / "waggle-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("can't make a directory in " + fs::temp_directory_path().string());
    directory_ = pattern;
  }
  ~Story() {
    boss_.reset();
    agents_.clear();
    coordinator_ = Process();
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  int tell();

 private:
  struct Worker {
    std::string id;
    std::string offer;
    Process process;
    std::vector<json> events;
    std::uint64_t counted = 0;
  };

  void say(const std::string& text);
  void progress();
  void listen();
  void until(const char* what, const std::function<bool()>& reached);
  void look();  // at the tasks: done_ and revision_
  void start_coordinator();
  void start(Worker& worker);
  void prepare();
  void settle_headline();
  void break_agents();
  void break_coordinator();
  bool check_totals();
  bool check_digests();
  void tell_resumed(Worker& worker, const char* how);

  const DemoOptions options_;
  const SteadyTime begun_;
  fs::path directory_;
  std::string endpoint_;
  Process coordinator_;
  std::vector<Worker> agents_;
  std::unique_ptr<waggle::SwarmAgent> boss_;
  std::vector<std::string> files_;
  std::vector<Slice> slices_;
  int pace_millis_ = 0;
  std::size_t done_ = 0;
  std::uint64_t revision_ = 0;
  SteadyTime told_progress_{};
  json report_;
};

void Story::say(const std::string& text) {
  const auto since = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_);
  char time[16];
  std::snprintf(time, sizeof time, "%5.1f s  ", since.count());
  std::ostream& out = options_.json ? std::cerr : std::cout;
  const bool terminal = ::isatty(options_.json ? STDERR_FILENO : STDOUT_FILENO) == 1;
  out << (terminal ? "\r\033[K" : "") << time << text << std::endl;
}

void Story::progress() {
  const bool terminal = ::isatty(options_.json ? STDERR_FILENO : STDOUT_FILENO) == 1;
  const auto now = std::chrono::steady_clock::now();
  if (now - told_progress_ < (terminal ? 100ms : 2000ms)) return;
  told_progress_ = now;
  std::string text = std::to_string(done_) + " of " + std::to_string(slices_.size()) +
                     " slices, revision " + std::to_string(revision_) + "  |";
  for (const Worker& worker : agents_)
    text += " " + worker.id.substr(6) + ":" + std::to_string(worker.counted);
  if (!terminal) return say(text);
  (options_.json ? std::cerr : std::cout) << "\r\033[K" << text << std::flush;
}

// Reads what the agents say.
void Story::listen() {
  for (Worker& worker : agents_) {
    while (const auto line = worker.process.line()) {
      json event = json::parse(*line, nullptr, false);
      if (event.is_discarded()) continue;
      if (event["event"] == "counted") {
        ++worker.counted;
        revision_ = std::max<std::uint64_t>(revision_, event["revision"]);
      }
      worker.events.push_back(std::move(event));
    }
  }
}

void Story::look() {
  const auto tasks = boss_->list("task/*");
  if (!tasks) return;
  done_ = 0;
  for (const waggle::StateItem& item : tasks->items)
    done_ += task_of(item.bytes).state == "done" ? 1 : 0;
  revision_ = std::max(revision_, tasks->at.revision);
}

void Story::until(const char* what, const std::function<bool()>& reached) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(kPatience);
  while (!reached()) {
    if (std::chrono::steady_clock::now() > patience)
      throw std::runtime_error(std::string("waited too long for ") + what);
    listen();
    look();
    progress();
    std::this_thread::sleep_for(50ms);
  }
}

void Story::start_coordinator() {
  const std::string config = (directory_ / "waggle.toml").string();
  // A short beat, so that in 20 seconds leases can end and be taken up again.
  std::ofstream(config) << "[timing]\nheartbeat = \"400ms\"\n";
  const std::string listen = endpoint_.empty() ? "tcp://127.0.0.1:*" : endpoint_;
  coordinator_ = Process({options_.program, "serve", "--json", "--listen", listen, "--data",
                          (directory_ / "coordinator").string(), "--config", config});
  const auto patience = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < patience && !coordinator_.ended()) {
    if (const auto line = coordinator_.line()) {
      const json ready = json::parse(*line);
      endpoint_ = ready.at("endpoint");
      return;
    }
    std::this_thread::sleep_for(5ms);
  }
  throw std::runtime_error("the coordinator did not start");
}

void Story::start(Worker& worker) {
  std::vector<std::string> command = {options_.self,   "--worker",
                                      "--coordinator", endpoint_,
                                      "--swarm",       "demo",
                                      "--id",          worker.id,
                                      "--data",        (directory_ / worker.id).string(),
                                      "--pace",        std::to_string(pace_millis_)};
  if (!worker.offer.empty()) command.insert(command.end(), {"--offer", worker.offer});
  worker.process = Process(command);
}

void Story::prepare() {
  files_ = files_below(options_.input);
  slices_ = slices_of(files_);
  if (slices_.empty()) throw std::runtime_error("there is no text in " + options_.input);
  pace_millis_ = std::clamp(
      options_.seconds * 1000 * options_.agents / static_cast<int>(slices_.size()), 0, 1000);
  start_coordinator();
  say("coordinator at " + endpoint_ + ", process " + std::to_string(coordinator_.id()));

  waggle::AgentConfig config;
  config.coordinator = endpoint_;
  config.swarm = "demo";
  config.agent = "boss";
  auto opened = waggle::SwarmAgent::open(config);
  if (!opened) throw std::runtime_error(opened.error().text);
  boss_ = std::move(*opened);
  if (const auto attached = boss_->wait_attached(10s); !attached)
    throw std::runtime_error(attached.error().text);
  for (std::size_t first = 0; first < slices_.size(); first += 100) {
    waggle::WriteGroup group;
    for (std::size_t i = first; i < std::min(first + 100, slices_.size()); ++i)
      group.put_json(task_key(i), to_json({slices_[i], "open", ""})).if_absent();
    const auto written = boss_->commit(group, 10s);
    if (!written || !written->ok())
      throw std::runtime_error(written ? written->text : written.error().text);
  }
  say(std::to_string(slices_.size()) + " slices of " + std::to_string(kLinesPerSlice) +
      " lines from " + std::to_string(files_.size()) + " files are tasks in the shared state");
  agents_.resize(static_cast<std::size_t>(options_.agents));
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    agents_[i].id = "agent-" + std::to_string(i + 1);
    if (i == 0) agents_[i].offer = "A swarm reads faster than a bee";
    if (i == 1) agents_[i].offer = "Many readers, one count";
    start(agents_[i]);
  }
  say(std::to_string(agents_.size()) +
      " agent processes start; each takes slices by compare-and-set");
}

void Story::settle_headline() {
  until("all agents to be attached", [&] {
    const json found = json::parse(
        output_of(options_.program + " agent ls --json --swarm demo --coordinator " + endpoint_));
    std::size_t live = 0;
    for (const json& agent : found.at("agents"))
      live += agent.at("attached") && agent.at("health") == "healthy" ? 1 : 0;
    return live == agents_.size() + 1;
  });
  say("agent-1 offers headline = \"" + agents_[0].offer + "\"");
  say("agent-2 offers headline = \"" + agents_[1].offer + "\"");
  const auto round = boss_->synchronize({kHeadline}, {.timeout = 10s, .priority = {}});
  if (!round) throw std::runtime_error(round.error().text);
  const waggle::KeySync key = round->keys.empty() ? waggle::KeySync{} : round->keys[0];
  const auto headline = boss_->get(kHeadline, round->head);
  say("full synchronisation: asked " + std::to_string(round->expected) + ", answered " +
      std::to_string(round->answered.size()) + ", " + std::to_string(key.offers) + " offers, " +
      std::string(waggle::name_of(round->outcome)) + " by " + key.strategy + " in " +
      std::to_string(round->elapsed.count()) + " ms: " + key.winner + " wins, headline = \"" +
      (headline ? headline->bytes : "") + "\" at version " + std::to_string(key.version));
  report_["round"] = {{"asked", round->expected},
                      {"answered", round->answered.size()},
                      {"offers", key.offers},
                      {"winner", key.winner},
                      {"millis", round->elapsed.count()},
                      {"outcome", waggle::name_of(round->outcome)}};
  if (!round->settled() || key.offers != 2 || !headline || !headline->exists)
    throw std::runtime_error("the round did not settle the headline");
}

void Story::tell_resumed(Worker& worker, const char* how) {
  const json* found = nullptr;
  for (const json& event : worker.events)
    if (event["event"] == "caught_up") found = &event;
  std::string task;
  for (const json& event : worker.events)
    if (event["event"] == "resumed")
      task = ", goes on with its " + event["task"].get<std::string>();
  const json& event = *found;
  say(worker.id + " (" + how + ") resumed at revision " +
      std::to_string(event["revision"].get<std::uint64_t>()) + ": " +
      std::to_string(event["changes"].get<std::uint64_t>()) + " changes, " +
      kilobytes(event["bytes"]) + " instead of " + kilobytes(event["state_bytes"]) + task);
  report_["resumed"].push_back({{"agent", worker.id}, {"how", how}, {"delta", event}});
  if (event["snapshot"].get<bool>()) throw std::runtime_error(worker.id + " needed a snapshot");
}

void Story::break_agents() {
  Worker& killed = agents_[2];
  Worker& stopped = agents_[4];
  killed.process.kill();
  stopped.process.signal(SIGSTOP);
  listen();
  killed.events.clear();
  stopped.events.clear();
  const std::uint64_t before = revision_;
  say("agent-3 is killed (SIGKILL), agent-5 is stopped (SIGSTOP); the others go on");
  const auto back = std::chrono::steady_clock::now() + 4500ms;
  until("the others to go on", [&] { return std::chrono::steady_clock::now() > back; });
  start(killed);
  stopped.process.signal(SIGCONT);
  say("both come back under their ids, after " + std::to_string(revision_ - before) + " revisions");
  const auto caught_up = [](const Worker& worker) {
    return std::any_of(worker.events.begin(), worker.events.end(),
                       [](const json& event) { return event["event"] == "caught_up"; });
  };
  until("agent-3 to catch up", [&] { return caught_up(killed); });
  tell_resumed(killed, "killed");
  until("agent-5 to catch up", [&] { return caught_up(stopped); });
  tell_resumed(stopped, "stopped");
}

void Story::break_coordinator() {
  listen();
  const std::uint64_t acknowledged = revision_;
  for (Worker& worker : agents_) worker.events.clear();
  coordinator_.kill();
  say("the coordinator is killed (SIGKILL) while agents write; revision " +
      std::to_string(acknowledged) + " was acknowledged");
  std::this_thread::sleep_for(1s);
  const auto begin = std::chrono::steady_clock::now();
  start_coordinator();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  until("the agents to come back", [&] {
    return std::all_of(agents_.begin(), agents_.end(), [](const Worker& worker) {
      return std::any_of(worker.events.begin(), worker.events.end(), [](const json& event) {
        return event["event"] == "link" && event["state"] == "attached";
      });
    });
  });
  const json status =
      json::parse(output_of(options_.program + " status --json --coordinator " + endpoint_));
  const std::uint64_t head = status.at("swarms").at(0).at("revision");
  say("it is back after " + std::to_string(took.count()) + " ms, all " +
      std::to_string(agents_.size()) + " agents attached again, head " + std::to_string(head) +
      " >= " + std::to_string(acknowledged));
  report_["coordinator_restart"] = {
      {"ready_millis", took.count()}, {"acknowledged", acknowledged}, {"head", head}};
  if (head < acknowledged) throw std::runtime_error("acknowledged commits were lost");
}

bool Story::check_totals() {
  const auto total = [&](const std::string& key) {
    const auto item = boss_->get(key, revision_);
    return item ? item->number : -1;
  };
  const Counts swarm{total(kLines), total(kWords), total(kBytes)};
  std::size_t words = 0;
  if (const auto sets = boss_->list("vocabulary/*"))
    for (const waggle::StateItem& item : sets->items) words += item.elements.size();

  // The independent count: the same files through wc and sort.
  const fs::path list = directory_ / "files";
  {
    std::ofstream out(list, std::ios::binary);
    for (const std::string& file : files_) out << file << '\0';
  }
  const std::string cat = "LC_ALL=C xargs -0 cat < '" + list.string() + "' | LC_ALL=C ";
  Counts wc;
  std::sscanf(output_of(cat + "wc").c_str(), "%ld %ld %ld", &wc.lines, &wc.words, &wc.bytes);
  const std::size_t vocabulary = std::stoul(output_of(
      cat + "tr A-Z a-z | LC_ALL=C tr -cs a-z '\\n' | LC_ALL=C grep . | LC_ALL=C sort -u | wc -l"));

  const auto row = [&](const char* name, std::int64_t ours, std::int64_t theirs) {
    char text[128];
    std::snprintf(text, sizeof text, "  %-16s swarm %10ld   wc %10ld   %s", name, ours, theirs,
                  ours == theirs ? "equal" : "DIFFERENT");
    say(text);
    report_["totals"][name] = {{"swarm", ours}, {"wc", theirs}};
    return ours == theirs;
  };
  bool equal = row("lines", swarm.lines, wc.lines);
  equal = row("words", swarm.words, wc.words) && equal;
  equal = row("bytes", swarm.bytes, wc.bytes) && equal;
  return row("different words", static_cast<std::int64_t>(words),
             static_cast<std::int64_t>(vocabulary)) &&
         equal;
}

bool Story::check_digests() {
  const json status =
      json::parse(output_of(options_.program + " status --json --coordinator " + endpoint_));
  const json& swarm = status.at("swarms").at(0);
  const std::string digest = swarm.at("digest");
  const std::uint64_t revision = swarm.at("revision");
  report_["coordinator"] = {{"revision", revision}, {"digest", digest}};
  say("  coordinator  revision " + std::to_string(revision) + "  " + digest);
  for (Worker& worker : agents_) {
    worker.events.clear();
    worker.process.write_line("finish " + std::to_string(revision));
  }
  bool equal = true;
  for (Worker& worker : agents_) {
    const json* final = nullptr;
    until(worker.id.c_str(), [&] {
      listen();
      for (const json& event : worker.events)
        if (event["event"] == "final") final = &event;
      return final != nullptr;
    });
    const bool same = (*final)["digest"] == digest && (*final)["revision"] == revision;
    say("  " + worker.id + "      revision " +
        std::to_string((*final)["revision"].get<std::uint64_t>()) + "  " +
        (*final)["digest"].get<std::string>() + (same ? "  equal" : "  DIFFERENT"));
    report_["agents"].push_back({{"agent", worker.id},
                                 {"revision", (*final)["revision"]},
                                 {"digest", (*final)["digest"]},
                                 {"counted", worker.counted}});
    equal = equal && same;
  }
  return equal;
}

int Story::tell() {
  prepare();
  const std::size_t all = slices_.size();
  until("the first slices", [&] { return done_ * 100 >= all * 15; });
  settle_headline();
  until("half of the slices", [&] { return done_ * 100 >= all * 50; });
  break_agents();
  until("most of the slices", [&] { return done_ * 100 >= all * 80 || done_ == all; });
  break_coordinator();
  until("all slices", [&] { return done_ == all; });
  say("all slices are counted");
  const bool totals = check_totals();
  const bool digests = check_digests();
  for (Worker& worker : agents_) worker.process.write_line("leave");
  for (Worker& worker : agents_) (void)worker.process.stop(5);
  (void)boss_->leave();
  const bool drained = coordinator_.stop(10);
  const bool good = totals && digests && drained;
  say(good ? "everything is equal: no slice was lost, none was counted twice"
           : "SOMETHING IS DIFFERENT, see above");
  if (options_.json) {
    report_["equal"] = good;
    report_["slices"] = all;
    report_["files"] = files_.size();
    report_["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
    std::cout << report_.dump(2) << std::endl;
  }
  return good ? 0 : 1;
}

}  // namespace

int run_demo(const DemoOptions& options) {
  try {
    return Story(options).tell();
  } catch (const std::exception& error) {
    std::cerr << "waggle demo: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace word_count
