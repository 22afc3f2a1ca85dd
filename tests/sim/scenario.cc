#include "tests/sim/scenario.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "coordinator/proposal.h"
#include "coordinator/task.h"
#include "resolver/json_document.h"
#include "tests/sim/world.h"

namespace waggle::sim {
namespace {

constexpr std::int64_t kSettleMillis = 120'000;

using Words = std::vector<std::string>;

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    throw std::runtime_error("'" + text + "' is no number");
  return value;
}

std::int64_t millis(const std::string& text) {
  if (text.ends_with("ms")) return number(text.substr(0, text.size() - 2));
  if (text.ends_with("s")) return number(text.substr(0, text.size() - 1)) * 1'000;
  throw std::runtime_error("'" + text + "' is no time: write 500ms or 3s");
}

std::string text_of(const RecordPtr& record) {
  if (!record || !record->live()) return "-";
  if (const auto* reg = std::get_if<Register>(&*record->value)) return reg->bytes;
  if (const auto* counter = std::get_if<Counter>(&*record->value))
    return fmt::to_string(counter->total);
  std::string text;
  for (const auto& [element, dots] : std::get<OrSet>(*record->value).elements)
    text += (text.empty() ? "" : ",") + element;
  return text.empty() ? "empty" : text;
}

class Interpreter {
 public:
  explicit Interpreter(bool told) : told_(told) {}

  void run(const Words& words);
  void end();
  [[nodiscard]] std::vector<std::string> findings() const;

 private:
  struct Rule {  // for frames of one way and name
    Leg leg;
    std::size_t peer;
    std::string name;
    std::int64_t left = 1;
    bool holds = false;
    bool passes = false;
  };

  World& world() {
    if (!world_) throw std::runtime_error("`agents N` comes first");
    return *world_;
  }
  std::size_t agent(const std::string& name);
  void make_world(std::size_t agents);
  void agent_asks(std::size_t n, const Words& words);
  void add_rule(const Words& words, bool holds, bool passes);
  bool tap(Leg leg, std::size_t peer, const MessagePtr& message);
  void release();
  void expect(bool holds, const std::string& text);
  void expect_value(const Words& words, bool committed);
  void expect_field(const Words& words);
  void expect_claim(const Words& words);
  void expect_settled(const Words& words);
  void expect_other(const Words& words);
  void settle();

  const bool told_;
  std::unique_ptr<World> world_;
  std::vector<Rule> rules_;
  std::vector<std::function<void()>> held_;
  std::map<std::size_t, std::vector<RequestId>> writes_;  // of the present process
};

std::size_t Interpreter::agent(const std::string& name) {
  if (name.size() >= 2 && name[0] == 'a') {
    const auto n = static_cast<std::size_t>(number(name.substr(1)));
    if (n >= 1 && n <= world().agents()) return n - 1;
  }
  throw std::runtime_error("there is no agent '" + name + "'");
}

void Interpreter::make_world(std::size_t agents) {
  Plan plan = Plan::calm(agents);
  world_ = std::make_unique<World>(plan, told_);
  world_->keep_what_is_heard();
  world_->network().set_tap([this](Leg leg, std::size_t peer, const MessagePtr& message) {
    return tap(leg, peer, message);
  });
}

bool Interpreter::tap(Leg leg, std::size_t peer, const MessagePtr& message) {
  for (Rule& rule : rules_) {
    if (rule.left == 0 || rule.leg != leg || rule.peer != peer) continue;
    if (rule.name != "*" && rule.name != name_of(*message)) continue;
    --rule.left;
    if (rule.holds)
      held_.push_back(
          [this, leg, peer, message] { world_->network().put_back(leg, peer, message); });
    return rule.passes;
  }
  return true;
}

void Interpreter::release() {
  for (const auto& frame : std::exchange(held_, {})) frame();
}

void Interpreter::add_rule(const Words& words, bool holds, bool passes) {
  const std::string& way = words.at(1);
  Rule rule;
  rule.holds = holds;
  rule.passes = passes;
  rule.name = words.at(2);
  if (words.size() > 3) rule.left = number(words[3]);
  if (way.ends_with("->c")) {
    rule.leg = Leg::kUp;
    rule.peer = way.starts_with("client") ? world().client_peer()
                                          : world().peer(agent(way.substr(0, way.size() - 3)));
  } else if (way.starts_with("c->") || way.starts_with("c=>")) {
    rule.leg = way[1] == '-' ? Leg::kDown : Leg::kBroadcast;
    rule.peer =
        way.substr(3) == "client" ? world().client_peer() : world().peer(agent(way.substr(3)));
  } else {
    throw std::runtime_error("'" + way + "' is no way: write a1->c, c->a1 or c=>a1");
  }
  rules_.push_back(rule);
}

void Interpreter::agent_asks(std::size_t n, const Words& words) {
  const std::string& what = words.at(2);
  // Of a clear the key is empty.
  const Key key(words.size() > 3 ? words[3] : std::string());
  const std::string text = words.size() > 4 ? words[4] : std::string();
  WriteCommand write;
  const auto entry = [&](Op op, Expect expect = {}) {
    write.entries.push_back({key, std::move(expect), std::move(op), {}});
  };
  std::vector<std::string> rest;
  for (std::size_t i = 4; i < words.size(); ++i) rest.push_back(words[i]);
  std::sort(rest.begin(), rest.end());
  if (what == "put") {
    entry(PutOp{ContentType::kText, text});
  } else if (what == "put-json") {
    entry(PutOp{ContentType::kJson, text});
  } else if (what == "propose" || what == "task") {
    // The rest is a document without its braces.
    const std::string document =
        fmt::format("{{{}}}", fmt::join(words.begin() + 4, words.end(), " "));
    write.entries.push_back({what == "task" ? task_key(words.at(3)) : proposal_key(words.at(3)),
                             {},
                             PutOp{ContentType::kJson, document},
                             {}});
  } else if (what == "vote") {
    const std::string& as = words.size() > 5 ? words[5] : words.at(1);
    write.entries.push_back(
        {vote_key(words.at(3), AgentId(as)), {}, PutOp{ContentType::kText, words.at(4)}, {}});
  } else if (what == "claim" || what == "release") {
    ClaimCommand claim;
    claim.pattern = words.at(3);
    claim.verb = what == "claim" ? ClaimVerb::kTake : ClaimVerb::kRelease;
    if (what == "claim") claim.ttl_millis = millis(words.at(4));
    if (words.size() > 5) claim.wait_millis = millis(words[5]);
    (void)world().command(n, claim);
    return;
  } else if (what == "delete") {
    entry(DeleteOp{});
  } else if (what == "incr") {
    entry(IncrOp{number(text)});
  } else if (what == "add") {
    entry(SetAddOp{rest});
  } else if (what == "remove") {
    entry(SetRemoveOp{rest});
  } else if (what == "cas") {
    const RecordPtr shown = world().agent(n).view(key);
    entry(PutOp{ContentType::kText, text}, ExpectVersion{shown ? shown->version : Revision{}});
  } else if (what == "group") {
    for (std::size_t i = 3; i + 1 < words.size(); i += 2)
      write.entries.push_back({Key(words[i]), {}, IncrOp{number(words[i + 1])}, {}});
  } else if (what == "clear") {
    entry(ClearOp{});
  } else if (what == "offer" || what == "withdraw") {
    OfferCommand offer;
    offer.key = key;
    if (what == "offer") offer.value = Register{ContentType::kText, text};
    (void)world().command(n, offer);
    return;
  } else if (what == "sync") {
    SyncCommand sync;
    sync.all = key.value() == "all";
    for (std::size_t i = 3; !sync.all && i < words.size(); ++i) sync.keys.emplace_back(words[i]);
    sync.timeout_millis = 2'000;
    (void)world().command(n, sync);
    return;
  } else if (what == "catch-up") {
    (void)world().command(n, CatchUpCommand{});
    return;
  } else {
    throw std::runtime_error("an agent can't '" + what + "'");
  }
  writes_[n].push_back(world().command(n, std::move(write)));
}

void Interpreter::expect(bool holds, const std::string& text) {
  if (!holds) throw std::runtime_error(text);
}

void Interpreter::expect_value(const Words& words, bool committed) {
  const Key key(words.at(2));
  RecordPtr record;
  if (words.at(1) == "c") {
    record = world().swarm() ? world().swarm()->find(key) : nullptr;
  } else {
    const Agent& core = world().agent(agent(words[1]));
    record = committed ? core.replica().find(key) : core.view(key);
  }
  const std::string found = text_of(record);
  expect(found == words.at(3), fmt::format("{} has {} = {}", words[1], key.value(), found));
}

// Of a document: a field that is a text or a number.
void Interpreter::expect_field(const Words& words) {
  const RecordPtr record = world().swarm() ? world().swarm()->find(Key(words.at(1))) : nullptr;
  const std::optional<Register> document = register_of(record.get());
  const Result<JsonValue> json = parse_json_document(document ? document->bytes : "{}");
  expect(json && json->object() != nullptr, "there is no document");
  const auto field = json->object()->find(words.at(2));
  const std::string found = field == json->object()->end()    ? "-"
                            : field->second.text() != nullptr ? *field->second.text()
                                                              : to_json(field->second);
  const std::string wanted = fmt::format("{}", fmt::join(words.begin() + 3, words.end(), " "));
  expect(found == wanted, fmt::format("{} of {} is {}", words[2], words[1], found));
}

void Interpreter::expect_claim(const Words& words) {
  const SwarmState* swarm = world().swarm();
  const Claim* claim =
      swarm != nullptr ? world().coordinator().claims(swarm->id())->find(words.at(1)) : nullptr;
  const std::string holder = claim == nullptr ? "-" : claim->holder.agent.value();
  expect(holder == words.at(2), fmt::format("{} is held by {}", words[1], holder));
}

void Interpreter::expect_settled(const Words& words) {
  const std::size_t n = agent(words.at(1));
  const auto nth = static_cast<std::size_t>(number(words.at(2)));
  const std::vector<RequestId>& writes = writes_[n];
  expect(nth >= 1 && nth <= writes.size(), fmt::format("{} writes were made", writes.size()));
  const WriteQueued* queued = nullptr;
  const WriteSettled* settled = nullptr;
  for (const Delivery& delivery : world().heard(n)) {
    if (const auto* told = std::get_if<WriteQueued>(&delivery);
        told && told->request == writes[nth - 1])
      queued = told;
    if (const auto* told = std::get_if<WriteSettled>(&delivery);
        told && told->request == writes[nth - 1])
      settled = told;
  }
  if (words[0] == "expect-number") {
    expect(queued && settled, fmt::format("write {} was not answered", nth));
    const bool kept = queued->incarnation == settled->incarnation && queued->seq == settled->seq;
    expect(words.at(3) == (kept ? "kept" : "anew"),
           fmt::format("write {} {} its number", nth, kept ? "kept" : "changed"));
    return;
  }
  std::string found = settled ? std::string(to_text(settled->outcome.code)) : "nothing";
  if (settled && settled->outcome.reason != Reason::kNone) found = to_text(settled->outcome.reason);
  expect(found == words.at(3), fmt::format("write {} was answered {}", nth, found));
}

void Interpreter::expect_other(const Words& words) {
  const std::string& what = words[0];
  if (what == "expect-count") {
    const auto& counters = words.at(1) == "c" ? world().coordinator().counters()
                                              : world().agent(agent(words[1])).counters();
    const auto found = counters.find(words.at(2));
    const std::uint64_t count = found == counters.end() ? 0 : found->second;
    expect(count >= static_cast<std::uint64_t>(number(words.at(3))),
           fmt::format("{} is {}", words[2], count));
  } else if (what == "expect-outbox") {
    const std::size_t found = world().agent(agent(words.at(1))).outbox().unanswered();
    expect(found == static_cast<std::size_t>(number(words.at(2))),
           fmt::format("{} writes wait", found));
  } else if (what == "expect-link") {
    const Link link = world().agent(agent(words.at(1))).link();
    expect(to_text(link) == words.at(2), fmt::format("{} is {}", words[1], to_text(link)));
  } else if (what == "expect-client") {
    const auto& heard = world().client_heard();
    const std::string found = heard ? std::string(to_text(heard->outcome.code)) : "nothing";
    expect(found == words.at(1), "the client heard " + found);
  } else if (what == "expect-lost") {
    std::size_t lost = 0;
    for (const Delivery& delivery : world().heard(agent(words.at(1))))
      if (const auto* told = std::get_if<WritesLost>(&delivery)) lost += told->writes.size();
    expect(lost == static_cast<std::size_t>(number(words.at(2))),
           fmt::format("{} were lost", lost));
  } else {
    throw std::runtime_error("unknown command '" + what + "'");
  }
}

void Interpreter::settle() {
  const std::int64_t until = world().now() + kSettleMillis;
  std::string restless = "never looked";
  while (world().now() < until && !restless.empty()) {
    world().run_for(100);
    restless = world().restless();
  }
  expect(restless.empty(), "never quiet: " + restless);
}

void Interpreter::run(const Words& words) {
  const std::string& what = words.at(0);
  if (what == "agents") return make_world(static_cast<std::size_t>(number(words.at(1))));
  if (world().story().told()) world().story().say(fmt::format("> {}", fmt::join(words, " ")));
  if (what == "repeat") {
    const Words repeated(words.begin() + 2, words.end());
    for (std::int64_t n = number(words.at(1)); n > 0; --n) run(repeated);
    return;
  }
  const bool of_coordinator = words.size() > 1 && words[1] == "c";
  if (what == "start") {
    if (of_coordinator) return world().start_coordinator();
    const std::size_t n = agent(words.at(1));
    writes_[n].clear();
    world().start_agent(n);
  } else if (what == "crash" || what == "kill") {
    if (of_coordinator) return world().stop_coordinator(what == "crash");
    world().stop_agent(agent(words.at(1)), what == "crash");
  } else if (what == "agent") {
    agent_asks(agent(words.at(1)), words);
  } else if (what == "client") {
    if (words.at(1) == "clear") return world().write_by_client({{{}, {}, ClearOp{}, {}}});
    world().write_by_client({{Key(words.at(2)), {}, IncrOp{number(words.at(3))}, {}}});
  } else if (what == "compact") {
    world().compact(words.size() > 1 ? Revision(static_cast<std::uint64_t>(number(words[1])))
                                     : Revision{});
  } else if (what == "drop" || what == "hold" || what == "double") {
    add_rule(words, what != "drop", what == "double");
  } else if (what == "release") {
    release();
  } else if (what == "drop-no-more") {
    rules_.clear();
  } else if (what == "cut" || what == "mend") {
    const std::size_t peer = world().peer(agent(words.at(1)));
    for (const Leg leg : {Leg::kUp, Leg::kDown, Leg::kBroadcast})
      if (what == "mend" || words.size() < 3 || words[2] == to_text(leg))
        world().network().cut(peer, leg, what == "cut");
  } else if (what == "reconnect") {
    world().network().reconnect(world().peer(agent(words.at(1))));
  } else if (what == "lose-data") {
    if (of_coordinator) return world().lose_coordinator_data();
    world().lose_data(agent(words.at(1)));
  } else if (what == "back-up") {
    world().back_up();
  } else if (what == "restore") {
    expect(world().restore(), "there is no backup");
  } else if (what == "advance") {
    world().run_for(millis(words.at(1)));
  } else if (what == "settle") {
    settle();
  } else if (what == "expect" || what == "committed") {
    expect_value(words, what == "committed");
  } else if (what == "expect-field") {
    expect_field(words);
  } else if (what == "expect-claim") {
    expect_claim(words);
  } else if (what == "expect-settled" || what == "expect-number") {
    expect_settled(words);
  } else {
    expect_other(words);
  }
}

void Interpreter::end() {
  rules_.clear();
  release();
  world().heal();
  settle();
  world().check_end();
}

std::vector<std::string> Interpreter::findings() const {
  std::vector<std::string> found;
  if (world_)
    for (const Finding& finding : world_->story().findings())
      found.push_back(finding.checker + ": " + finding.text);
  return found;
}

}  // namespace

std::vector<std::string> run_scenario(const std::string& path, bool told) {
  std::ifstream file(path);
  if (!file) return {path + ": can't be read"};
  Interpreter interpreter(told);
  std::string line;
  int at = 0;
  try {
    while (std::getline(file, line)) {
      ++at;
      std::istringstream stream(line.substr(0, line.find('#')));
      Words words;
      for (std::string word; stream >> word;) words.push_back(word);
      if (!words.empty()) interpreter.run(words);
    }
    line = "the end";
    interpreter.end();
  } catch (const std::exception& error) {
    std::vector<std::string> found = interpreter.findings();
    found.insert(found.begin(), fmt::format("{}:{}: {}: {}", path, at, line, error.what()));
    return found;
  }
  return interpreter.findings();
}

}  // namespace waggle::sim
