#include "tests/sim/workload.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "coordinator/task.h"
#include "resolver/update.h"
#include "tests/sim/decision_truth.h"
#include "tests/sim/typed_writes.h"

namespace waggle::sim {
namespace {

Entry entry(Key key, Op op, Expect expect = {}) {
  return {std::move(key), std::move(expect), std::move(op), {}};
}

}  // namespace

AccessRulesPtr access_of_the_world() {
  auto rules = std::make_shared<AccessRules>();
  AccessRule all{.agents = {"*"}};
  all.allow = {Act::kWrite, Act::kPropose, Act::kVote, Act::kClaim, Act::kSync, Act::kAdminister};
  AccessRule open{.agents = {"*"}, .keys = {"~*"}, .allow = {Act::kRead}};
  for (char letter = 'a'; letter <= 'z'; ++letter) open.keys.push_back(std::string{letter, '*'});
  AccessRule hidden{.agents = {"a1", "a3", "a5"}, .keys = {"#*"}, .allow = {Act::kRead}};
  for (AccessRule* rule : {&all, &open, &hidden})
    WAGGLE_CHECK(rules->add(std::move(*rule)).has_value());
  return rules;
}

Policies policies_of_the_world() {
  Policies policies;
  Policy keep;
  keep.prefix = "k/";
  keep.strategy = Strategy::kKeep;
  Policy quorum;
  quorum.prefix = "q/";
  quorum.strategy = Strategy::kQuorum;
  quorum.amend_millis = 8'000;
  Policy apply;
  apply.prefix = "c/late/";
  apply.late_write = LateWrite::kApply;
  const auto under = [](std::string prefix, Strategy strategy, Strategy otherwise) {
    Policy policy;
    policy.prefix = std::move(prefix);
    policy.strategy = strategy;
    policy.otherwise = otherwise;
    return policy;
  };
  Policy json = under("json/", Strategy::kMerge, Strategy::kManual);
  Policy lines = under("lines/", Strategy::kMerge, Strategy::kLww);
  lines.history = 2;  // so that an ancestor is lost now and then
  lines.amend_millis = 8'000;
  Policy plain = under("r/", Strategy::kLww, Strategy::kKeep);
  plain.amend_millis = 8'000;
  Policy aged = under("aged/", Strategy::kManual, Strategy::kKeep);
  aged.parked_millis = 3'000;
  Policy near = under("near/", Strategy::kLww, Strategy::kManual);
  near.conflict_window_millis = 400;
  Policy brief = under("brief/", Strategy::kLww, Strategy::kKeep);
  brief.live_millis = 4'000;
  Policy law;
  law.prefix = kBoundKeys;
  law.vote_permille = 510;
  Policy here;
  here.prefix = "here/";
  here.ephemeral = true;
  Policy soon = here;
  soon.prefix = "soon/";
  soon.live_millis = 3'000;
  for (Policy& policy : std::vector<Policy>{keep, quorum, apply, plain,
                                            under("fww/", Strategy::kFww, Strategy::kKeep),
                                            under("person/", Strategy::kManual, Strategy::kKeep),
                                            json, lines, aged, near, brief, law, here, soon})
    WAGGLE_CHECK(policies.add(std::move(policy)).has_value());
  return policies;
}

Key Workload::register_key() {
  constexpr const char* kFamilies[] = {"r", "r", "r", "k", "q"};
  constexpr const char* kStrategies[] = {"fww", "json", "lines", "person", "aged", "near", "brief"};
  if (plan_.strategies && random_.chance(1, 2))
    return Key(fmt::format("{}/{}", kStrategies[random_.below(7)], random_.below(2)));
  return Key(fmt::format("{}/{}", kFamilies[random_.below(5)], random_.below(4)));
}

std::string Workload::value() {
  std::string text = fmt::format("v{}", ++values_);
  // Now and then the same value as somebody else's, and now and then a longer one.
  if (random_.chance(1, 5)) text = fmt::format("same{}", random_.below(3));
  if (random_.chance(1, 20)) text += std::string(random_.below(3'000), '.');
  return text;
}

PutOp Workload::put(const Agent& agent, const Key& key) {
  const bool json = key.value().starts_with("json/");
  if (!json && !key.value().starts_with("lines/")) return {ContentType::kText, value()};
  constexpr std::size_t kParts = 4;
  std::vector<std::string> parts(kParts, "0");
  const RecordPtr seen = agent.view(key);
  const auto* reg = seen && seen->value ? std::get_if<Register>(&*seen->value) : nullptr;
  std::string_view rest = reg != nullptr ? std::string_view(reg->bytes) : std::string_view();
  for (std::size_t n = 0; n < kParts && !rest.empty(); ++n) {
    const std::size_t begin = json ? rest.find(':') + 1 : 0;
    const std::size_t end = rest.find_first_of(json ? ",}" : "\n", begin);
    if (begin > rest.size() || end == std::string_view::npos) break;
    parts[n] = rest.substr(begin, end - begin);
    rest.remove_prefix(end + 1);
  }
  parts[random_.below(kParts)] = fmt::to_string(++values_);
  if (json)
    return {ContentType::kJson, fmt::format(R"({{"a":{},"b":{},"c":{},"d":{}}})", parts[0],
                                            parts[1], parts[2], parts[3])};
  return {ContentType::kText, fmt::format("{}\n", fmt::join(parts, "\n"))};
}

std::vector<std::string> Workload::elements() {
  std::vector<std::string> elements;
  for (std::uint64_t n = random_.below(3) + 1; n > 0; --n)
    elements.push_back(fmt::format("e{}", random_.below(8)));
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

WriteCommand Workload::write(const Agent& agent, const AgentId& id) {
  WriteCommand command;
  std::vector<Entry>& entries = command.entries;
  const auto counter = [&] {
    return Key(fmt::format("{}{}", random_.chance(1, 3) ? "c/late/" : "c/", random_.below(3)));
  };
  const auto set = [&] { return Key(fmt::format("s/{}", random_.below(3))); };
  const std::int64_t amount = random_.between(-5, 20);
  if (plan_.clears && random_.chance(1, 100)) {
    entries.push_back(entry({}, ClearOp{}));
    return command;
  }
  if (plan_.hidden && random_.chance(1, 4)) {
    entries.push_back(entry(Key(fmt::format("#{}", random_.below(3))), IncrOp{amount}));
    return command;
  }
  if (plan_.proposals && random_.chance(1, 6)) {
    entries.push_back(decision(agent, id));
    return command;
  }
  if (plan_.ephemeral && random_.chance(1, 50)) {
    entries.push_back(entry(Key("here/0"), PutOp{ContentType::kText, value()}));  // is refused
    return command;
  }
  if (plan_.all_types && random_.chance(1, 2)) {
    entries.push_back(typed_write(random_, agent));
    const Cursor held = agent.replica().cursor();
    if (std::holds_alternative<EditOp>(entries.back().op) && random_.chance(1, 4))
      command.as_of = Cursor{
          {}, Revision(held.revision.value() - std::min(random_.below(20), held.revision.value()))};
    return command;
  }
  switch (random_.below(12)) {
    case 0:
    case 1: {
      const Key key = register_key();
      entries.push_back(entry(key, put(agent, key)));
      break;
    }
    case 2:
      entries.push_back(entry(random_.chance(1, 4) ? set() : register_key(), DeleteOp{}));
      break;
    case 3:
      entries.push_back(entry(counter(), IncrOp{amount}));
      break;
    case 4:
      entries.push_back(entry(own_counter(id), IncrOp{random_.between(1, 9)}));
      break;
    case 5:
    case 6:
      entries.push_back(entry(set(), SetAddOp{elements()}));
      break;
    case 7:
      entries.push_back(entry(set(), SetRemoveOp{elements()}));
      break;
    case 8: {
      const auto [left, right] = group_pair(random_.below(kGroupPairs));
      entries.push_back(entry(left, IncrOp{amount}));
      entries.push_back(entry(right, IncrOp{amount}));
      if (random_.chance(1, 2)) entries.push_back(entry(own_counter(id), IncrOp{1}));
      if (random_.chance(1, 4)) {
        const Key key = register_key();
        entries.push_back(entry(key, put(agent, key)));
      }
      if (plan_.all_types && random_.chance(1, 4)) entries.push_back(typed_write(random_, agent));
      break;
    }
    case 9: {
      const Key key = register_key();
      const RecordPtr seen = agent.view(key);
      const Revision version = seen ? seen->version : Revision{};
      const bool unchanged = random_.chance(1, 2);
      entries.push_back(entry(key, put(agent, key),
                              unchanged ? Expect(ExpectUnchanged{}) : ExpectVersion{version}));
      break;
    }
    case 10: {
      const Pending* first = agent.outbox().first_unanswered();
      if (first != nullptr && first->mutation.incarnation == agent.outbox().incarnation() &&
          std::holds_alternative<PutOp>(first->mutation.entries.front().op)) {
        entries.push_back(entry(first->mutation.entries.front().key,
                                PutOp{ContentType::kText, value()},
                                ExpectMine{first->mutation.seq}));
      } else {
        entries.push_back(entry(counter(), IncrOp{amount}));
      }
      break;
    }
    default:
      if (plan_.mixed_types) {
        entries.push_back(entry(
            Key(fmt::format("m/{}", random_.below(2))),
            random_.chance(1, 2) ? Op{PutOp{ContentType::kText, value()}} : Op{IncrOp{amount}}));
        if (random_.chance(1, 3)) entries.back().op = DeleteOp{};
      } else {
        entries.push_back(entry(counter(), IncrOp{amount}));
      }
  }
  return command;
}

EphemeralCommand Workload::ephemeral(const AgentId& id) {
  EphemeralCommand command;
  // Its own presence, what several write, and now and then a durable key.
  command.key =
      Key(random_.chance(1, 2) ? "here/" + id.value()
          : random_.chance(1, 20)
              ? "r/0"
              : fmt::format("{}/{}", random_.chance(1, 2) ? "here" : "soon", random_.below(3)));
  if (!random_.chance(1, 5)) command.value = Register{ContentType::kText, value()};
  if (random_.chance(1, 5)) command.metadata["mood"] = value();
  return command;
}

std::string Workload::proposal() {
  const std::string title = value().substr(0, 20);
  const std::int64_t longest = random_.chance(1, 2) ? 2'000 : 10'000;
  std::string text =
      fmt::format(R"({{"title":"{}","timeout_ms":{})", title, random_.between(100, longest));
  constexpr const char* kShares[] = {"0.3", "0.51", "\"strong\"", "1"};
  text += fmt::format(R"(,"threshold":{})", kShares[random_.below(4)]);
  if (random_.chance(1, 3)) text += R"(,"of":"cast")";
  if (random_.chance(1, 4)) text += R"(,"changes":false)";
  if (random_.chance(1, 4)) text += fmt::format(R"(,"groups":{})", random_.below(3));
  if (random_.chance(1, 4)) text += R"(,"participation":0.5)";
  if (random_.chance(1, 2)) {
    text += R"(,"electorate":["a1")";
    for (std::size_t n = 2; n <= plan_.agents; ++n)
      if (random_.chance(1, 2)) text += fmt::format(R"(,"a{}")", n);
    text += "]";
    if (random_.chance(1, 2)) text += fmt::format(R"(,"weights":{{"a1":{}}})", random_.below(4));
    if (random_.chance(1, 2)) text += R"(,"labels":{"a1":"m"})";
  }
  if (random_.chance(2, 3)) {
    const char* key = random_.chance(1, 2) ? "law/0" : "k/1";
    const std::uint64_t value = values_ += 2;
    text += fmt::format(R"(,"writes":[{{"key":"{}","value":"{}"}},{{"key":"r/{}","value":"{}"}}])",
                        key, value, random_.below(4), value + 1);
  }
  if (random_.chance(1, 3)) {
    text += fmt::format(
        R"(,"options":["x","y",{{"name":"z","writes":[{{"key":"q/{}","value":"{}"}}]}}])",
        random_.below(4), ++values_);
    if (random_.chance(1, 2)) text += R"(,"method":"runoff")";
  }
  return text + "}";
}

// A proposal, a vote on one that is seen, now and then another's, and what is to be refused.
Entry Workload::decision(const Agent& agent, const AgentId& id) {
  if (random_.chance(1, 10)) return entry(Key("law/0"), PutOp{ContentType::kText, value()});
  const std::vector<Change> seen = agent.view_all(fmt::format("{}*", kProposalKeys));
  if (seen.empty() || random_.chance(1, 5)) {
    const std::string name = fmt::format("p{}", random_.chance(1, 10) ? 1 : ++values_);
    return entry(proposal_key(name), PutOp{ContentType::kJson, proposal()});
  }
  const std::size_t newest = std::min<std::size_t>(seen.size(), 4);
  const Change& one = seen[seen.size() - 1 - random_.below(newest)];
  if (random_.chance(1, 12)) return entry(one.key, DeleteOp{});
  const std::string name = one.key.value().substr(kProposalKeys.size());
  constexpr const char* kWords[] = {"for", "for", "for", "against", "abstain", "maybe"};
  constexpr const char* kChoices[] = {"x",       R"(["y"])",    R"(["z","x"])", R"(["y","z","x"])",
                                      "abstain", R"(["x","x"])"};
  const std::optional<Register> document = register_of(one.record.get());
  const bool chooses = document && document->bytes.find(R"("options")") != std::string::npos &&
                       !random_.chance(1, 9);
  return entry(vote_key(name, random_.chance(1, 15) ? AgentId("a1") : id),
               PutOp{ContentType::kText, (chooses ? kChoices : kWords)[random_.below(6)]});
}

// Of what it holds, or another; short, and now and then longer than a pause.
ClaimCommand Workload::claim(const Agent& agent) {
  constexpr const char* kPatterns[] = {"r/*", "r/0", "r/1", "?/2", "k/*", "fww/0", "here/*", "q/1"};
  ClaimCommand command;
  std::vector<std::string> held;
  for (const auto& [pattern, own] : agent.claims().held())
    if (!is_task_key(pattern)) held.push_back(pattern);
  if (!held.empty() && random_.chance(2, 3)) {
    command.pattern = held[random_.below(held.size())];
    command.verb = static_cast<ClaimVerb>(random_.between(1, 3));
    if (command.verb == ClaimVerb::kHandover)
      command.to = AgentId(fmt::format("a{}", random_.below(plan_.agents + 1)));
    if (random_.chance(1, 8)) command.token = FenceToken(random_.between(1, 5));  // of nobody
    if (random_.chance(1, 3)) command.checkpoint = Register{ContentType::kText, value()};
    return command;
  }
  command.pattern = kPatterns[random_.below(8)];
  const std::int64_t longest = random_.chance(1, 4) ? 20'000 : 3'000;
  command.ttl_millis = random_.between(200, longest);
  command.wait_millis = random_.chance(1, 2) ? random_.between(100, 8'000) : 0;
  command.renews = random_.chance(2, 3);
  return command;
}

std::string Workload::task_document(const std::vector<Change>& seen) {
  std::string text = fmt::format(R"({{"title":"{}","retries":{},"backoff_ms":{})",
                                 value().substr(0, 20), random_.below(3), random_.below(2'000));
  constexpr const char* kNeeds[] = {"", R"(,"needs":["x"])", R"(,"needs":["x","y"])"};
  text += kNeeds[random_.below(3)];
  text += fmt::format(R"(,"priority":{})", random_.between(-2, 2));
  if (!seen.empty() && random_.chance(1, 3)) {
    const Change& one = seen[random_.below(seen.size())];
    text += fmt::format(R"(,"after":["{}"])", task_id_of(one.key.value()));
  }
  return text + "}";
}

// On a task that this agent holds: a report, renewed, given back, handed over.
Command Workload::work_on(const std::string& key) {
  if (random_.chance(1, 4)) {
    ClaimCommand command;
    command.pattern = key;
    command.verb = static_cast<ClaimVerb>(random_.between(1, 3));
    if (command.verb == ClaimVerb::kHandover)
      command.to = AgentId(fmt::format("a{}", random_.below(plan_.agents + 1)));
    if (random_.chance(1, 3)) command.checkpoint = Register{ContentType::kText, value()};
    return command;
  }
  std::string report = random_.chance(1, 3) ? R"({"state":"failed","retry":false})"
                                            : R"({"state":"failed","why":"so"})";
  if (random_.chance(2, 3)) {
    report = fmt::format(R"({{"state":"done","result":{})", ++values_);
    if (random_.chance(2, 3)) {
      report +=
          fmt::format(R"(,"writes":[{{"key":"done/{}","value":"{}"}})", task_id_of(key), ++values_);
      if (random_.chance(1, 3))
        report += fmt::format(R"(,{{"key":"r/{}","value":"{}","if_version":0}})", random_.below(4),
                              ++values_);
      report += "]";
    }
    report += "}";
  }
  WriteCommand command;
  command.entries.push_back(entry(Key(key), PutOp{ContentType::kJson, report}));
  if (random_.chance(1, 10)) command.fence = FenceToken(random_.between(1, 5));  // of nobody
  return command;
}

Command Workload::task(const Agent& agent) {
  std::vector<std::string> held;
  for (const auto& [pattern, own] : agent.claims().held())
    if (is_task_key(pattern)) held.push_back(pattern);
  if (!held.empty() && random_.chance(2, 3)) return work_on(held[random_.below(held.size())]);
  const std::vector<Change> seen = agent.view_all(fmt::format("{}*", kTaskKeys));
  if (random_.chance(1, 2)) {
    ClaimCommand command;
    command.pattern = random_.chance(1, 10)
                          ? task_key(fmt::format("t{}", random_.below(values_ + 1))).value()
                          : fmt::format("{}{}", kTaskKeys, random_.chance(1, 5) ? "*1*" : "*");
    const std::int64_t longest = random_.chance(1, 4) ? 20'000 : 3'000;
    command.ttl_millis = random_.between(200, longest);
    command.wait_millis = random_.chance(2, 3) ? random_.between(100, 8'000) : 0;
    command.renews = random_.chance(2, 3);
    for (const char* name : {"x", "y"})
      if (random_.chance(2, 3)) command.can.emplace_back(name);
    return command;
  }
  WriteCommand write;
  if (!seen.empty() && random_.chance(1, 4)) {
    const Key& key = seen[random_.below(seen.size())].key;
    if (random_.chance(1, 4)) return work_on(key.value());  // of which it holds nothing
    const bool cancels = random_.chance(1, 2);
    write.entries.push_back(entry(
        key, cancels ? Op{DeleteOp{}} : Op{PutOp{ContentType::kJson, R"({"state":"open"})"}}));
    return write;
  }
  const std::string id = fmt::format("t{}", random_.chance(1, 10) ? 1 : ++values_);
  write.entries.push_back(entry(task_key(id), PutOp{ContentType::kJson, task_document(seen)}));
  return write;
}

WriteCommand Workload::of_two_keys(const AgentId& id) {
  WriteCommand command;
  if (random_.chance(1, 2)) {
    command.entries.push_back(entry(own_counter(id), IncrOp{random_.between(1, 9)}));
  } else {
    const bool deletes = random_.chance(1, 5);
    command.entries.push_back(
        entry(Key("r/0"), deletes ? Op{DeleteOp{}} : Op{PutOp{ContentType::kText, value()}}));
  }
  return command;
}

Command Workload::next(const Agent& agent, const AgentId& id, bool observes) {
  if (plan_.smallest) return of_two_keys(id);
  if (plan_.ephemeral && random_.chance(1, 4)) return ephemeral(id);
  if (plan_.claims && random_.chance(1, 6)) return claim(agent);
  if (plan_.tasks && random_.chance(1, 4)) return task(agent);
  std::uint64_t draw = random_.below(100);
  if (observes && !random_.chance(1, 8)) draw = 88 + draw % 12;  // asks and reads
  if (draw < 4 && plan_.all_types) return append(value());
  if (draw < 80) return write(agent, id);
  if (draw < 88 && plan_.rounds) {
    OfferCommand offer;
    offer.key = register_key();
    if (!random_.chance(1, 6)) offer.value = Register{ContentType::kText, value()};
    return offer;
  }
  if (draw < 93 && plan_.rounds) {
    SyncCommand sync;
    sync.all = random_.chance(1, 3);
    for (std::uint64_t n = random_.below(3) + 1; !sync.all && n > 0; --n)
      sync.keys.push_back(register_key());
    // Often so short that answers come late.
    sync.timeout_millis =
        random_.chance(1, 3) ? random_.between(20, 200) : random_.between(200, 6'000);
    sync.priority_given = random_.chance(1, 2);
    sync.priority = random_.chance(1, 2) ? Priority::kHigh : Priority::kNormal;
    return sync;
  }
  if (draw < 95) return CatchUpCommand{};
  ReadCommand read;
  if (random_.chance(1, 2)) {
    read.glob = "*";
  } else {
    read.keys.push_back(register_key());
  }
  if (random_.chance(1, 2))
    read.at_least = Revision(agent.replica().cursor().revision.value() + random_.below(3));
  read.timeout_millis = random_.between(0, 5'000);
  return read;
}

Entry Workload::put_on(const Agent& agent, const Key& key) {
  return entry(key, put(agent, key));
}

UpdateCommand Workload::append(const std::string& text) {
  const Key key(fmt::format("t/{}/0", to_text(ValueType::kText)));
  return {{}, key, [key, text](const Record* standing) -> Result<std::vector<Entry>> {
            return std::vector{entry(key, append_op(standing, {}, {text}, ValueType::kText))};
          }};
}

Entry Workload::settlement(const std::vector<ParkedConflict>& waiting) {
  const ParkedConflict& conflict = waiting[random_.below(waiting.size())];
  SettleOp settle;
  settle.conflict = conflict.id;
  settle.how = static_cast<Settle>(random_.below(3));
  if (settle.how == Settle::kSide)
    settle.side = static_cast<std::uint32_t>(random_.below(conflict.sides.size()));
  if (settle.how == Settle::kValue) settle.value = {ContentType::kText, value()};
  return entry(conflict.key, std::move(settle));
}

std::vector<Entry> Workload::client_entries() {
  if (plan_.clears && random_.chance(1, 50)) return {entry({}, ClearOp{})};
  return {entry(Key(fmt::format("c/late/{}", random_.below(3))), IncrOp{random_.between(1, 100)})};
}

}  // namespace waggle::sim
