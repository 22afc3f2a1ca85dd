#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <waggle/state_synchronizer.h>

#include "base/glob.h"
#include "base/shape.h"
#include "include/lib/convert.h"
#include "include/lib/coordinator_runtime.h"
#include "include/lib/key_rule.h"
#include "include/lib/memory_provider_parts.h"
#include "include/lib/patch_key.h"
#include "include/lib/request_client.h"
#include "include/lib/synchronizer_parts.h"

namespace waggle {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kSyncMillis = 30'000;

static_assert(static_cast<int>(Compress::kZstd) == static_cast<int>(Packing::kZstd));

// Null: there are none.
Result<AccessRulesPtr> to_access(const std::vector<AccessGrant>& grants, const Policies& policies) {
  if (grants.empty()) return nullptr;
  auto rules = std::make_shared<AccessRules>();
  for (const AccessGrant& grant : grants) {
    AccessRule rule{.agents = grant.agents, .swarms = grant.swarms, .keys = grant.keys};
    for (const std::string& name : grant.roles) {
      const VotingRole* role = policies.role(name);
      if (role == nullptr)
        return failed(Code::kRejected,
                      fmt::format("access: there is no role '{}' among `roles`", name));
      rule.members.insert(rule.members.end(), role->agents.begin(), role->agents.end());
    }
    for (const std::string& word : grant.allow) {
      const std::optional<Act> act = act_of(word);
      if (!act)
        return failed(
            Code::kRejected,
            fmt::format("access: '{}' is nothing that can be allowed; expected some of {}", word,
                        act_names()));
      rule.allow.push_back(*act);
    }
    if (Status added = rules->add(std::move(rule)); !added)
      return std::unexpected(std::move(added.error()));
  }
  return rules;
}

Status take_limits(const AgentLimit& limit, CoordinatorRuntimeOptions& options) {
  const auto outside = [](const char* name, const char* expected) {
    return failed(Code::kRejected, fmt::format("limit.{}: expected {}", name, expected));
  };
  if (limit.burst.count() <= 0) return outside("burst", "a time above 0");
  if (limit.value_bytes == 0 || limit.value_bytes > limits::kValueBytes)
    return outside("value_bytes", "1 to 1 MiB");
  if (limit.history > limits::kHistoryVersions) return outside("history", "at most 64");
  if (limit.queue_bytes <= limits::kFrameBytes) return outside("queue_bytes", "more than 4 MiB");
  AgentLimits& core = options.core.limits;
  core.messages = limit.messages_per_second;
  core.writes = limit.writes_per_second;
  core.bytes = limit.bytes_per_second;
  core.burst_millis = limit.burst.count();
  core.rounds = limit.rounds;
  core.keys = limit.keys;
  core.value_bytes = limit.value_bytes;
  core.history = limit.history;
  options.peer_queue_bytes = limit.queue_bytes;
  return {};
}

Result<CoordinatorRuntimeOptions> to_options(const SynchronizerConfig& config) {
  CoordinatorRuntimeOptions options;
  options.listen = config.listen;
  options.allow_remote = config.allow_remote;
  if (config.key.empty() != config.authorized_keys.empty())
    return failed(Code::kRejected, "key and authorized_keys: expected both or none");
  options.key = config.key;
  options.authorized_keys = config.authorized_keys;
  options.data = config.data;
  options.sync = config.sync;
  options.accept_rollback = config.accept_rollback;
  options.disk_reserve_bytes = config.disk_reserve_bytes;
  if (config.round_timeout.count() <= 0 || config.heartbeat.count() <= 0)
    return failed(Code::kRejected, "round_timeout and heartbeat must be above 0");
  options.core.round_timeout_millis = config.round_timeout.count();
  options.core.beat.interval_millis = config.heartbeat.count();
  if (const Status limits = take_limits(config.limit, options); !limits)
    return std::unexpected(limits.error());
  if (const Status added = add_mergers(config.mergers, options.core.policies); !added)
    return std::unexpected(added.error());
  for (const KeyRule& rule : config.rules) {
    Policy policy = to_policy(rule.resolve);
    policy.prefix = rule.prefix;
    if (rule.type) policy.type = static_cast<ValueType>(*rule.type);
    if (rule.timeout) policy.timeout_millis = rule.timeout->count();
    if (rule.priority) policy.priority = static_cast<Priority>(*rule.priority);
    policy.history = rule.history;
    policy.amend_millis = rule.amend.count();
    if (rule.parked_for) policy.parked_millis = rule.parked_for->count();
    policy.ephemeral = rule.ephemeral;
    if (rule.time_to_live) policy.live_millis = rule.time_to_live->count();
    policy.elements_max = rule.elements_max;
    policy.late_write = rule.apply_late_writes ? LateWrite::kApply : LateWrite::kConflict;
    policy.packing = static_cast<Packing>(rule.compress);
    policy.vote_permille = rule.vote_permille;
    for (const std::string& voter : rule.voters) policy.voters.insert(AgentId(voter));
    policy.claim_grace_millis = rule.claim_grace.count();
    if (policy.uses(Strategy::kCustom) && !policy.merger.empty() &&
        options.core.policies.merger(policy.merger) == nullptr)
      return failed(Code::kRejected, fmt::format("the rule for '{}' names the merger '{}', which "
                                                 "is not among `mergers`",
                                                 policy.prefix, policy.merger));
    if (Status added = options.core.policies.add(std::move(policy)); !added)
      return std::unexpected(std::move(added.error()));
  }
  for (const VotingRoleRule& rule : config.roles) {
    VotingRole role;
    for (const std::string& agent : rule.agents) role.agents.insert(AgentId(agent));
    if (!(rule.weight >= 0 && rule.weight <= limits::kVoteWeight))
      return failed(Code::kRejected, fmt::format("the role '{}': expected a weight from 0 to 1000, "
                                                 "got {}",
                                                 rule.name, rule.weight));
    role.weight = to_thousandths(rule.weight);
    if (Status added = options.core.policies.add_role(rule.name, std::move(role)); !added)
      return std::unexpected(std::move(added.error()));
  }
  Result<AccessRulesPtr> access = to_access(config.access, options.core.policies);
  if (!access) return std::unexpected(std::move(access.error()));
  options.core.access = std::move(*access);
  return options;
}

std::string as_text(const Comparable& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* real = std::get_if<double>(&value)) return fmt::to_string(*real);
  if (const auto* natural = std::get_if<std::uint64_t>(&value)) return fmt::to_string(*natural);
  return fmt::to_string(std::get<std::int64_t>(value));
}

// What a MemoryProvider shows of an item: the bare value; what holds several, one a line.
std::string as_text(const StateItem& item) {
  std::string lines;
  switch (item.type) {
    case ItemType::kRegister:
    case ItemType::kText:
      return item.bytes;
    case ItemType::kCounter:
    case ItemType::kGrowCounter:
    case ItemType::kResettableCounter:
    case ItemType::kBoundedCounter:
      return std::to_string(item.number);
    case ItemType::kMax:
    case ItemType::kMin:
      return as_text(item.comparable);
    case ItemType::kOnceFlag:
    case ItemType::kEnableFlag:
    case ItemType::kDisableFlag:
      return item.on ? "true" : "false";
    case ItemType::kSet:
    case ItemType::kGrowSet:
    case ItemType::kRemoveWinsSet:
    case ItemType::kList:
      for (const std::string& element : item.elements) lines += element + "\n";
      return lines;
    case ItemType::kMultiRegister:
      for (const SiblingValue& sibling : item.siblings) lines += sibling.bytes + "\n";
      return lines;
    case ItemType::kMap:
      for (const StateItem& field : item.fields) lines += field.key + "\t" + as_text(field) + "\n";
      return lines;
  }
  return lines;
}

}  // namespace

// ---- opening and closing -----------------------------------------------------------------------

Expected<std::unique_ptr<StateSynchronizer>> StateSynchronizer::open(
    const SynchronizerConfig& config) {
  Result<CoordinatorRuntimeOptions> options = to_options(config);
  if (!options) return failure_of(options);
  Result<std::unique_ptr<CoordinatorRuntime>> runtime = CoordinatorRuntime::open(*options);
  if (!runtime) return failure_of(runtime);
  auto parts = std::make_unique<Parts>();
  parts->runtime = std::move(*runtime);
  parts->thread = std::thread([parts = parts.get()] {
    Status ended = parts->runtime->run();
    const std::lock_guard lock(parts->mutex);
    parts->ended = std::move(ended);
    parts->stopped = true;
  });
  return std::unique_ptr<StateSynchronizer>(new StateSynchronizer(std::move(parts)));
}

StateSynchronizer::StateSynchronizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
StateSynchronizer::~StateSynchronizer() = default;

Expected<void> StateSynchronizer::stop() {
  parts_->runtime->stop();
  if (parts_->thread.joinable()) parts_->thread.join();
  const std::lock_guard lock(parts_->mutex);
  parts_->idle.clear();
  if (!parts_->ended) return failure_of(parts_->ended);
  return {};
}

Expected<void> StateSynchronizer::reload_keys() {
  if (Status read = parts_->runtime->reload(); !read) return failure_of(read);
  return {};
}

std::string StateSynchronizer::endpoint() const {
  return parts_->runtime->endpoint();
}
Durability StateSynchronizer::durability() const {
  return static_cast<Durability>(parts_->runtime->level());
}
std::string StateSynchronizer::notice() const {
  return parts_->runtime->notice();
}

// ---- full synchronisation ----------------------------------------------------------------------

namespace {

SyncRequest to_request(const SyncOptions& options) {
  SyncRequest request;
  request.timeout_millis = options.timeout.count();
  request.priority_given = options.priority.has_value();
  if (options.priority) request.priority = static_cast<Priority>(*options.priority);
  return request;
}

}  // namespace

Expected<SyncResult> StateSynchronizer::synchronize_state(const std::string& swarm,
                                                          const std::string& key,
                                                          milliseconds timeout) {
  return synchronize_state(swarm, std::vector<std::string>{key}, SyncOptions{.timeout = timeout});
}

Expected<SyncResult> StateSynchronizer::synchronize_state(const std::string& swarm,
                                                          const std::vector<std::string>& keys,
                                                          const SyncOptions& options) {
  SyncRequest request = to_request(options);
  request.keys = to_keys(keys);
  const std::int64_t time = std::max(options.timeout.count(), kSyncMillis) + kAnswerMillis;
  const Expected<SyncReport> report = parts_->with_client<SyncReport>(
      swarm, "synchronize_state()",
      [&](RequestClient& client) { return client.synchronise(request, time); });
  if (!report) return std::unexpected(report.error());
  return to_result(*report);
}

Expected<SyncResult> StateSynchronizer::synchronize_swarm(const std::string& swarm,
                                                          const SyncOptions& options) {
  SyncRequest request = to_request(options);
  request.all = true;
  const std::int64_t time = std::max(options.timeout.count(), kSyncMillis) + kAnswerMillis;
  const Expected<SyncReport> report = parts_->with_client<SyncReport>(
      swarm, "synchronize_swarm()",
      [&](RequestClient& client) { return client.synchronise(request, time); });
  if (!report) return std::unexpected(report.error());
  return to_result(*report);
}

// ---- the state ---------------------------------------------------------------------------------

namespace {

// When commits come in between the pages of a list: the keys as they were at one revision.
Result<ItemList> list_at_once(RequestClient& client, const std::string& pattern) {
  const std::string_view glob = pattern.empty() ? "*" : std::string_view(pattern);
  Result<RequestClient::Delta> state =
      client.delta({}, std::string(glob_prefix(glob)), true, kAnswerMillis);
  if (!state) return std::unexpected(std::move(state.error()));
  ItemList items;
  items.at = to_version(state->to);
  for (const Change& change : state->changes)
    if (glob_match(glob, change.key.value()))
      items.items.push_back(to_item(change.key, change.record.get()));
  std::ranges::sort(items.items, {}, &StateItem::key);
  return items;
}

}  // namespace

Expected<DeltaResult> StateSynchronizer::delta_sync(const std::string& swarm,
                                                    const StateVersion& since) {
  const Expected<RequestClient::Delta> delta =
      parts_->with_client<RequestClient::Delta>(swarm, "delta_sync()", [&](RequestClient& client) {
        return client.delta(to_cursor(since), {}, true, kAnswerMillis);
      });
  if (!delta) return std::unexpected(delta.error());
  DeltaResult result;
  result.from = since;
  result.to = to_version(delta->to);
  result.snapshot = delta->snapshot;
  result.text = delta->text;
  result.changes = to_items(delta->changes);
  result.bytes = delta->bytes;
  return result;
}

Expected<StateItem> StateSynchronizer::get_state(const std::string& swarm, const std::string& key,
                                                 std::uint64_t at_least) {
  const Expected<QueryResult> result =
      parts_->with_client<QueryResult>(swarm, "get_state()", [&](RequestClient& client) {
        return client.query(GetQuery{{Key(key)}, Revision(at_least)}, kAnswerMillis);
      });
  if (!result) return std::unexpected(result.error());
  if (result->changes.empty())
    return failure(StatusCode::kInternal, "the answer does not hold the key that was asked for");
  return to_item(result->changes.front().key, result->changes.front().record.get());
}

Expected<ItemList> StateSynchronizer::list_state(const std::string& swarm,
                                                 const std::string& pattern) {
  return parts_->with_client<ItemList>(
      swarm, "list_state()", [&](RequestClient& client) -> Result<ItemList> {
        ItemList items;
        ListQuery page;
        page.glob = pattern;
        while (true) {
          Result<QueryResult> result = client.query(page, kAnswerMillis);
          if (!result) return std::unexpected(std::move(result.error()));
          const StateVersion at = to_version(result->at);
          if (!items.items.empty() && at != items.at) return list_at_once(client, pattern);
          items.at = at;
          for (StateItem& item : to_items(result->changes)) items.items.push_back(std::move(item));
          if (!result->more || result->changes.empty()) return items;
          page.after = result->changes.back().key;
        }
      });
}

Expected<StateVersion> StateSynchronizer::get_state_version(const std::string& swarm) {
  const Expected<QueryResult> result = parts_->with_client<QueryResult>(
      swarm, "get_state_version()",
      [&](RequestClient& client) { return client.query(GetQuery{}, kAnswerMillis); });
  if (!result) return std::unexpected(result.error());
  return to_version(result->at);
}

Expected<std::uint64_t> StateSynchronizer::get_state_version(const std::string& swarm,
                                                             const std::string& key) {
  const Expected<StateItem> item = get_state(swarm, key);
  if (!item) return std::unexpected(item.error());
  return item->exists ? item->version : 0;
}

Expected<WriteResult> StateSynchronizer::write(const std::string& swarm, const WriteGroup& group) {
  Result<std::vector<Entry>> entries = entries_of(group);
  if (!entries) return failure_of(entries);
  for (const Entry& entry : *entries)
    if (std::holds_alternative<ExpectUnchanged>(entry.expect))
      return failure(StatusCode::kRejected,
                     "if_unchanged() speaks of an agent's view, and the synchronizer has none; "
                     "give if_version()");
  const Expected<Outcome> outcome = parts_->with_client<Outcome>(
      swarm, "write()",
      [&](RequestClient& client) { return client.write(std::move(*entries), kAnswerMillis); });
  if (!outcome) return std::unexpected(outcome.error());
  return to_result(*outcome);
}

Expected<WriteResult> StateSynchronizer::put_state(const std::string& swarm, const std::string& key,
                                                   const std::string& text) {
  return write(swarm, WriteGroup().put(key, text));
}

Expected<WriteResult> StateSynchronizer::patch_state(const std::string& swarm,
                                                     const std::string& key,
                                                     const std::string& patch) {
  if (const Status shape = check_key(key); !shape)
    return std::unexpected(to_failure(shape.error()));
  const Result<PatchForm> form = patch_form_of(patch);
  if (!form) return std::unexpected(to_failure(form.error()));
  const Expected<Outcome> outcome =
      parts_->with_client<Outcome>(swarm, "patch_state()", [&](RequestClient& client) {
        return patch_key(client, {Key(key), {}, *form, patch, {}}, kAnswerMillis);
      });
  if (!outcome) return std::unexpected(outcome.error());
  return to_result(*outcome);
}

Expected<WriteResult> StateSynchronizer::clear_state(const std::string& swarm,
                                                     const std::string& key) {
  return write(swarm, WriteGroup().erase(key));
}

Expected<WriteResult> StateSynchronizer::clear_state(const std::string& swarm) {
  const Expected<Outcome> outcome =
      parts_->with_client<Outcome>(swarm, "clear_state()", [&](RequestClient& client) {
        return client.write({Entry{Key(), {}, ClearOp{}, {}}}, kAnswerMillis);
      });
  if (!outcome) return std::unexpected(outcome.error());
  return to_result(*outcome);
}

// ---- members -----------------------------------------------------------------------------------

Expected<std::vector<AgentPresence>> StateSynchronizer::agents(const std::string& swarm) {
  const Expected<QueryResult> result = parts_->with_client<QueryResult>(
      swarm, "agents()",
      [&](RequestClient& client) { return client.query(AgentsQuery{}, kAnswerMillis); });
  if (!result) return std::unexpected(result.error());
  std::vector<AgentPresence> agents;
  for (const AgentInfo& info : result->agents)
    agents.push_back({.agent = info.agent.value(),
                      .observer = info.role == Role::kObserver,
                      .attached = info.attached,
                      .health = std::string(to_text(info.health)),
                      .cursor = to_version(info.cursor),
                      .heard_ago = milliseconds(info.heard_millis_ago)});
  return agents;
}

Expected<std::string> StateSynchronizer::digest(const std::string& swarm) {
  const Expected<QueryResult> result = parts_->with_client<QueryResult>(
      swarm, "digest()",
      [&](RequestClient& client) { return client.query(StatusQuery{}, kAnswerMillis); });
  if (!result) return std::unexpected(result.error());
  for (const SwarmInfo& info : result->swarms)
    if (info.swarm.value() == swarm) return to_hex(info.digest);
  return failure(StatusCode::kNotFound, fmt::format("there is no swarm '{}' here", swarm));
}

std::unique_ptr<MemoryProvider> StateSynchronizer::memory(const std::string& swarm) {
  auto parts = std::make_unique<MemoryProvider::Parts>();
  const auto blame = [failure = parts->window_failure](const Failure& why) {
    // A swarm that is not there yet is an empty one.
    if (why.code != StatusCode::kNotFound) *failure = Error{static_cast<Code>(why.code), why.text};
  };
  StateWindow window;
  window.retrieve = [this, swarm, blame](const std::string& key) -> std::optional<std::string> {
    const Expected<StateItem> item = get_state(swarm, key);
    if (!item) blame(item.error());
    if (!item || !item->exists) return std::nullopt;
    return as_text(*item);
  };
  window.list_keys = [this, swarm, blame](const std::string& pattern) {
    std::vector<std::string> keys;
    const Expected<ItemList> list = list_state(swarm, pattern);
    if (!list) blame(list.error());
    if (list)
      for (const StateItem& item : list->items) keys.push_back(item.key);
    return keys;
  };
  // In memory: nothing that could fail.
  parts->memory = *open_namespace_memory(std::move(window), {});
  return std::make_unique<MemoryProvider>(std::move(parts));
}

}  // namespace waggle
