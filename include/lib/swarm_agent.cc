#include <algorithm>
#include <utility>

#include <waggle/agent.h>

#include "base/shape.h"
#include "consensus/claim_record.h"
#include "include/lib/agent_desk.h"
#include "include/lib/agent_runtime.h"
#include "include/lib/convert.h"
#include "include/lib/proposal_view.h"
#include "resolver/update.h"

namespace waggle {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What an answer that needs no network may take on a busy machine.
constexpr milliseconds kOwnTime = std::chrono::seconds(30);
constexpr milliseconds kSyncTime = std::chrono::seconds(30);

// Far away, not overflowed, for any time that a caller gives.
AgentDesk::Deadline after(milliseconds time) {
  constexpr milliseconds kLongest = std::chrono::hours(24 * 365);
  return steady_clock::now() + std::clamp(time, milliseconds(0), kLongest);
}

// What the caller's function makes, be it a failure or thrown.
Result<std::vector<Entry>> entries_made(
    const std::function<Expected<WriteGroup>(const StateItem&)>& make, const StateItem& item) {
  const InCallback in_callback;
  try {
    const Expected<WriteGroup> group = make(item);
    if (group) return entries_of(*group);
    return failed(static_cast<Code>(group.error().code), group.error().text);
  } catch (const std::exception& thrown) {
    return failed(Code::kRejected, std::string("the update's function threw: ") + thrown.what());
  } catch (...) {
    return failed(Code::kRejected, "the update's function threw");
  }
}

}  // namespace

std::string_view name_of(LinkState state) {
  return to_text(static_cast<Link>(state));
}

// ---- host --------------------------------------------------------------------------------------

struct SwarmHost::Parts {
  std::shared_ptr<AgentLoop> loop = std::make_shared<AgentLoop>();
};
SwarmHost::SwarmHost() : parts_(std::make_unique<Parts>()) {}
SwarmHost::~SwarmHost() = default;

// ---- opening and closing -----------------------------------------------------------------------

struct SwarmAgent::Parts {
  std::shared_ptr<AgentDesk> desk;
  std::unique_ptr<AgentRuntime> runtime;
  std::string id;
  std::shared_ptr<ProposalAnswers> answers;  // null: nobody wants to be asked

  // Posts a command and waits for its answer.
  template <typename Asked>
  [[nodiscard]] Expected<Delivery> ask(Asked command, milliseconds time, std::string_view what) {
    if (Expected<void> may = may_block(what); !may) return std::unexpected(std::move(may.error()));
    const RequestId request = command.request = runtime->next_request();
    desk->expect(request);
    if (!runtime->post(std::move(command))) {
      desk->forget(request);
      return failure(StatusCode::kOverloaded, "too many commands wait for this agent's thread");
    }
    return desk->wait(request, after(time), what);
  }
  template <typename Write>
  [[nodiscard]] Expected<WriteTicket> post_write(Write command) {
    const RequestId request = command.request = runtime->next_request();
    desk->expect_write(request);
    if (!runtime->post(std::move(command))) {
      desk->forget(request);
      return failure(StatusCode::kOverloaded, "too many commands wait for this agent's thread");
    }
    return WriteTicket{request.value()};
  }
  [[nodiscard]] Expected<HeldClaim> claim(ClaimCommand command, std::string_view pattern,
                                          std::optional<std::string> checkpoint,
                                          std::string_view what);
  // The same, and within a callback without waiting: nobody hears then what is wrong with it.
  [[nodiscard]] Expected<void> tell(OfferCommand command, std::string_view what) {
    if (!InCallback::here()) {
      const Expected<Delivery> answer = ask(std::move(command), kOwnTime, what);
      if (!answer) return std::unexpected(answer.error());
      return {};
    }
    command.request = runtime->next_request();
    if (!runtime->post(std::move(command)))
      return failure(StatusCode::kOverloaded, "too many commands wait for this agent's thread");
    return {};
  }
};

namespace {

// Tells of claims "leader/NAME" when their holder or token changes. The agent's thread.
class Leaders {
 public:
  explicit Leaders(std::function<void(const LeaderChange&)> tell) : tell_(std::move(tell)) {}
  void look(const StateChange& change) {
    for (const StateItem& item : change.items) {
      if (!item.key.starts_with(kLeaderKeys)) continue;
      LeaderChange now{.name = item.key.substr(kLeaderKeys.size())};
      const auto holder = item.metadata.find("holder");
      const auto token = item.metadata.find("token");
      if (item.exists && holder != item.metadata.end() && token != item.metadata.end()) {
        now.leader = holder->second;
        now.token = std::strtoull(token->second.c_str(), nullptr, 10);
      }
      std::uint64_t& known = tokens_[now.name];
      if (std::exchange(known, now.token) != now.token) tell_(now);
    }
  }

 private:
  static constexpr std::string_view kLeaderKeys = "~claim/leader/";
  std::function<void(const LeaderChange&)> tell_;
  std::map<std::string, std::uint64_t> tokens_;
};

}  // namespace

Expected<std::unique_ptr<SwarmAgent>> SwarmAgent::open(const AgentConfig& config,
                                                       AgentEvents events) {
  if (Expected<void> may = may_block("open()"); !may)
    return std::unexpected(std::move(may.error()));
  AgentRuntimeOptions options;
  options.coordinator = config.coordinator;
  options.key = config.key;
  options.coordinator_key = config.coordinator_key;
  options.swarm = SwarmId(config.swarm);
  options.agent = AgentId(config.agent);
  options.role = config.observer ? Role::kObserver : Role::kMember;
  options.data = config.data;
  options.start_from_head = config.start_from_head;
  auto parts = std::make_unique<Parts>();
  parts->id = config.agent;
  if (events.on_leader)
    events.on_change = [leaders = Leaders(std::move(events.on_leader)),
                        user = std::move(events.on_change)](const StateChange& change) mutable {
      if (user) user(change);
      leaders.look(change);
    };
  if (events.on_proposal || events.on_choice) {
    parts->answers = std::make_shared<ProposalAnswers>(config.agent, std::move(events.on_proposal),
                                                       std::move(events.on_choice));
    events.on_change = [answers = parts->answers,
                        user = std::move(events.on_change)](const StateChange& change) {
      if (user) user(change);
      answers->look(change);
    };
  }
  parts->desk = std::make_shared<AgentDesk>(std::move(events));
  std::shared_ptr<AgentLoop> loop =
      config.host ? config.host->parts().loop : std::make_shared<AgentLoop>();
  Result<std::unique_ptr<AgentRuntime>> runtime = AgentRuntime::open(
      options, std::move(loop),
      [desk = parts->desk](const Delivery& delivery) { desk->deliver(delivery); });
  if (!runtime) return failure_of(runtime);
  parts->runtime = std::move(*runtime);
  std::unique_ptr<SwarmAgent> agent(new SwarmAgent(std::move(parts)));
  if (agent->parts_->answers) agent->parts_->answers->set_agent(agent.get());
  return agent;
}

const std::string& SwarmAgent::id() const {
  return parts_->id;
}

SwarmAgent::SwarmAgent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SwarmAgent::~SwarmAgent() {
  // A question behind all writes: when it is answered, they are in the outbox.
  if (!InCallback::here())
    static_cast<void>(parts_->ask(StatusCommand{}, std::chrono::seconds(10), "closing"));
  parts_->desk->close();
}

Expected<void> SwarmAgent::leave(milliseconds timeout) {
  if (Expected<void> may = may_block("leave()"); !may) return may;
  if (!parts_->runtime->post(LeaveCommand{}))
    return failure(StatusCode::kOverloaded, "too many commands wait for this agent's thread");
  return parts_->desk->wait_ended(after(timeout));
}

// ---- writing -----------------------------------------------------------------------------------

Expected<WriteTicket> SwarmAgent::write(const WriteGroup& group) {
  Result<std::vector<Entry>> entries = entries_of(group);
  if (!entries) return failure_of(entries);
  return parts_->post_write(WriteCommand{{}, std::move(*entries)});
}

Expected<WriteTicket> SwarmAgent::patch(std::string_view key, std::string_view patch,
                                        PatchRule rule) {
  if (const Status shape = check_key(key); !shape)
    return std::unexpected(to_failure(shape.error()));
  const Result<PatchForm> form = patch_form_of(patch);
  if (!form) return std::unexpected(to_failure(form.error()));
  const Expect expect = rule == PatchRule::kUnchanged ? Expect(ExpectUnchanged{}) : Expect();
  return parts_->post_write(UpdateCommand{
      {},
      Key(key),
      [key = Key(key), form = *form, expect,
       text = std::string(patch)](const Record* standing) -> Result<std::vector<Entry>> {
        Result<Op> op = patch_op(standing, {}, form, text);
        if (!op) return std::unexpected(std::move(op.error()));
        return std::vector{Entry{key, expect, *std::move(op), {}}};
      }});
}

Expected<WriteTicket> SwarmAgent::update(
    std::string_view key, std::function<Expected<WriteGroup>(const StateItem&)> make) {
  if (const Status shape = check_key(key); !shape)
    return std::unexpected(to_failure(shape.error()));
  return parts_->post_write(
      UpdateCommand{{}, Key(key), [key = Key(key), make = std::move(make)](const Record* standing) {
                      return entries_made(make, to_item(key, standing));
                    }});
}

Expected<WriteTicket> SwarmAgent::append(const std::string& key, std::vector<std::string> field,
                                         std::vector<std::string> inserted, ItemType type) {
  if (const Status shape = check_key(key); !shape)
    return std::unexpected(to_failure(shape.error()));
  return parts_->post_write(
      UpdateCommand{{},
                    Key(key),
                    [key = Key(key), field = std::move(field), inserted = std::move(inserted),
                     type](const Record* standing) -> Result<std::vector<Entry>> {
                      Op op = append_op(standing, field, inserted, static_cast<ValueType>(type));
                      return std::vector{Entry{key, {}, std::move(op), {}}};
                    }});
}

Expected<WriteTicket> SwarmAgent::write_ephemeral(const std::string& key,
                                                  std::optional<ContentKind> content,
                                                  std::string bytes) {
  EphemeralCommand command;
  command.key = Key(key);
  if (content) command.value = Register{static_cast<ContentType>(*content), std::move(bytes)};
  return parts_->post_write(std::move(command));
}

Expected<WriteTicket> SwarmAgent::put(std::string_view key, std::string_view text) {
  return write(WriteGroup().put(key, text));
}
Expected<WriteTicket> SwarmAgent::put_json(std::string_view key, std::string_view json) {
  return write(WriteGroup().put_json(key, json));
}
Expected<WriteTicket> SwarmAgent::put_bytes(std::string_view key, std::string_view bytes) {
  return write(WriteGroup().put_bytes(key, bytes));
}
Expected<WriteTicket> SwarmAgent::incr(std::string_view key, std::int64_t amount) {
  return write(WriteGroup().incr(key, amount));
}
Expected<WriteTicket> SwarmAgent::add(std::string_view key, std::string_view element) {
  return write(WriteGroup().add(key, element));
}
Expected<WriteTicket> SwarmAgent::remove(std::string_view key, std::string_view element) {
  return write(WriteGroup().remove(key, element));
}
Expected<WriteTicket> SwarmAgent::erase(std::string_view key) {
  return write(WriteGroup().erase(key));
}

Expected<WriteResult> SwarmAgent::wait(WriteTicket ticket, milliseconds timeout) {
  if (Expected<void> may = may_block("wait()"); !may)
    return std::unexpected(std::move(may.error()));
  return parts_->desk->wait_write(RequestId(ticket.number), after(timeout));
}

Expected<WriteResult> SwarmAgent::commit(const WriteGroup& group, milliseconds timeout) {
  if (Expected<void> may = may_block("commit()"); !may)
    return std::unexpected(std::move(may.error()));
  const Expected<WriteTicket> ticket = write(group);
  if (!ticket) return std::unexpected(ticket.error());
  return wait(*ticket, timeout);
}

Expected<void> SwarmAgent::flush(milliseconds timeout) {
  if (Expected<void> may = may_block("flush()"); !may) return may;
  return parts_->desk->wait_all_writes(after(timeout));
}

// ---- reading -----------------------------------------------------------------------------------

Expected<StateItem> SwarmAgent::get(std::string_view key, std::uint64_t at_least,
                                    milliseconds timeout) {
  ReadCommand read;
  read.keys = {Key(key)};
  read.at_least = Revision(at_least);
  read.timeout_millis = timeout.count();
  // The agent itself tells when the revision does not come.
  Expected<Delivery> answer = parts_->ask(std::move(read), timeout + kOwnTime, "get()");
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto& done = std::get<ReadDone>(*answer);
  StateItem item = to_item(done.changes.front().key, done.changes.front().record.get());
  item.pending = done.pending;
  return item;
}

Expected<ItemList> SwarmAgent::list(std::string_view pattern, std::uint64_t at_least,
                                    milliseconds timeout) {
  ReadCommand read;
  read.glob = pattern;
  read.at_least = Revision(at_least);
  read.timeout_millis = timeout.count();
  Expected<Delivery> answer = parts_->ask(std::move(read), timeout + kOwnTime, "list()");
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto& done = std::get<ReadDone>(*answer);
  return ItemList{to_version(done.at), done.pending, to_items(done.changes)};
}

// ---- handles -----------------------------------------------------------------------------------

AgentCounter SwarmAgent::counter(std::string key) {
  return {*this, std::move(key)};
}
AgentGrowCounter SwarmAgent::grow_counter(std::string key) {
  return {*this, std::move(key)};
}
AgentResettableCounter SwarmAgent::resettable_counter(std::string key) {
  return {*this, std::move(key)};
}
AgentBoundedCounter SwarmAgent::bounded_counter(std::string key) {
  return {*this, std::move(key)};
}
AgentSet SwarmAgent::set(std::string key) {
  return {*this, std::move(key)};
}
AgentGrowSet SwarmAgent::grow_set(std::string key) {
  return {*this, std::move(key)};
}
AgentRemoveWinsSet SwarmAgent::remove_wins_set(std::string key) {
  return {*this, std::move(key)};
}
AgentFlag SwarmAgent::flag(std::string key) {
  return {*this, std::move(key)};
}
AgentDisableFlag SwarmAgent::disable_flag(std::string key) {
  return {*this, std::move(key)};
}
AgentOnce SwarmAgent::once(std::string key) {
  return {*this, std::move(key)};
}
AgentMax SwarmAgent::max(std::string key) {
  return {*this, std::move(key)};
}
AgentMin SwarmAgent::min(std::string key) {
  return {*this, std::move(key)};
}
AgentEphemeral SwarmAgent::ephemeral(std::string key) {
  return {*this, std::move(key)};
}
AgentMulti SwarmAgent::multi(std::string key) {
  return {*this, std::move(key)};
}
AgentMap SwarmAgent::map(std::string key) {
  return {*this, std::move(key)};
}
AgentList SwarmAgent::list_of(std::string key) {
  return {*this, std::move(key)};
}
AgentText SwarmAgent::text(std::string key) {
  return {*this, std::move(key)};
}

// ---- rounds ------------------------------------------------------------------------------------

Expected<void> SwarmAgent::offer(std::string_view key, std::string_view text) {
  OfferCommand offer;
  offer.key = Key(key);
  offer.value = Register{ContentType::kText, std::string(text)};
  return parts_->tell(std::move(offer), "offer()");
}

Expected<void> SwarmAgent::withdraw(std::string_view key) {
  OfferCommand offer;
  offer.key = Key(key);
  return parts_->tell(std::move(offer), "withdraw()");
}

namespace {

SyncCommand to_command(const SyncOptions& options) {
  SyncCommand command;
  command.timeout_millis = options.timeout.count();
  command.priority_given = options.priority.has_value();
  if (options.priority) command.priority = static_cast<Priority>(*options.priority);
  return command;
}

Expected<SyncResult> to_result(const Expected<Delivery>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return to_result(std::get<SyncDone>(*answer).report);
}

}  // namespace

Expected<SyncResult> SwarmAgent::synchronize(const std::vector<std::string>& keys,
                                             SyncOptions options) {
  SyncCommand command = to_command(options);
  command.keys = to_keys(keys);
  return to_result(parts_->ask(std::move(command), std::max(options.timeout, kSyncTime) + kOwnTime,
                               "synchronize()"));
}

Expected<SyncResult> SwarmAgent::synchronize_all(SyncOptions options) {
  SyncCommand command = to_command(options);
  command.all = true;
  return to_result(parts_->ask(std::move(command), std::max(options.timeout, kSyncTime) + kOwnTime,
                               "synchronize_all()"));
}

// ---- claims ------------------------------------------------------------------------------------

Expected<HeldClaim> SwarmAgent::Parts::claim(ClaimCommand command, std::string_view pattern,
                                             std::optional<std::string> checkpoint,
                                             std::string_view what) {
  command.pattern = pattern;
  if (checkpoint) command.checkpoint = Register{ContentType::kText, *std::move(checkpoint)};
  const milliseconds wait(command.wait_millis);
  Expected<Delivery> answer = ask(std::move(command), wait + kOwnTime, what);
  if (!answer) return std::unexpected(std::move(answer.error()));
  return to_result(std::get<ClaimDone>(*answer).result);
}

Expected<HeldClaim> SwarmAgent::claim(std::string_view pattern, ClaimOptions options) {
  ClaimCommand command;
  command.ttl_millis = options.ttl.count();
  command.wait_millis = options.wait.count();
  command.renews = options.renew;
  command.can = std::move(options.can);
  return parts_->claim(std::move(command), pattern, {}, "claim()");
}

Expected<HeldClaim> SwarmAgent::renew_claim(std::string_view pattern,
                                            std::optional<std::string> checkpoint) {
  ClaimCommand command;
  command.verb = ClaimVerb::kRenew;
  return parts_->claim(std::move(command), pattern, std::move(checkpoint), "renew_claim()");
}

Expected<void> SwarmAgent::release_claim(std::string_view pattern,
                                         std::optional<std::string> checkpoint) {
  ClaimCommand command;
  command.verb = ClaimVerb::kRelease;
  const Expected<HeldClaim> done =
      parts_->claim(std::move(command), pattern, std::move(checkpoint), "release_claim()");
  if (!done) return std::unexpected(done.error());
  return {};
}

Expected<void> SwarmAgent::hand_over_claim(std::string_view pattern, std::string_view to,
                                           std::optional<std::string> checkpoint) {
  ClaimCommand command;
  command.verb = ClaimVerb::kHandover;
  command.to = AgentId(to);
  const Expected<HeldClaim> done =
      parts_->claim(std::move(command), pattern, std::move(checkpoint), "hand_over_claim()");
  if (!done) return std::unexpected(done.error());
  return {};
}

Expected<ClaimState> SwarmAgent::claim_state(std::string_view pattern) {
  ReadCommand command;
  command.keys = {claim_key(pattern)};
  Expected<Delivery> answer = parts_->ask(std::move(command), kOwnTime, "claim_state()");
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto& done = std::get<ReadDone>(*answer);
  ClaimState state;
  if (done.changes.empty() || !done.changes.front().record) return state;
  const Record& record = *done.changes.front().record;
  state.checkpoint = to_text_of(checkpoint_of(&record));
  const std::optional<Claim> claim = claim_of(done.changes.front().key, record);
  if (!claim) return state;
  state.held = true;
  state.holder = claim->holder.agent.value();
  state.label = claim->label;
  state.token = claim->token.value();
  return state;
}

// ---- the link ----------------------------------------------------------------------------------

Expected<CatchUpReport> SwarmAgent::catch_up(milliseconds timeout) {
  Expected<Delivery> answer = parts_->ask(CatchUpCommand{}, timeout, "catch_up()");
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto& done = std::get<CaughtUp>(*answer);
  return CatchUpReport{.from = to_version(done.from),
                       .to = to_version(done.to),
                       .snapshot = done.snapshot,
                       .changes = done.changes,
                       .bytes = done.bytes,
                       .state_bytes = done.state_bytes};
}

Expected<void> SwarmAgent::wait_attached(milliseconds timeout) {
  if (Expected<void> may = may_block("wait_attached()"); !may) return may;
  return parts_->desk->wait_attached(after(timeout));
}

Expected<AgentStatus> SwarmAgent::status() {
  Expected<Delivery> answer = parts_->ask(StatusCommand{}, kOwnTime, "status()");
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto& done = std::get<StatusDone>(*answer);
  AgentStatus status;
  status.link = parts_->desk->link();
  status.cursor = to_version(done.cursor);
  status.digest = to_hex(done.digest);
  status.keys = done.keys;
  status.state_bytes = done.state_bytes;
  status.unsent = done.outbox;
  for (const NamedCount& count : done.counters) status.counters[count.name] = count.count;
  return status;
}

}  // namespace waggle
