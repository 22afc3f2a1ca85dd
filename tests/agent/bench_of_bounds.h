#pragma once

// Drives an agent's core by hand, as the bench of agent_test.cc does, and keeps all that comes out.

#include <string>
#include <utility>
#include <vector>

#include "agent/agent.h"

namespace waggle {

class BoundsBench {
 public:
  static constexpr Epoch kEpoch{8};
  static constexpr StartId kStart{3};

  explicit BoundsBench(AgentState state = {}) : core(options(), std::move(state)) {}

  static AgentOptions options() {
    AgentOptions options;
    options.seed = 3;
    options.swarm = SwarmId("s");
    options.agent = AgentId("a");
    return options;
  }

  void feed(Event event) {
    core.step(event, now, actions);
    core.finish(now, actions);
    last = std::exchange(actions, {});
  }
  void receive(Message message) { feed(Received{PeerId(), make_message(std::move(message))}); }
  void hear(Message message) { feed(BroadcastReceived{make_message(std::move(message))}); }
  void wait(std::int64_t millis) {
    now.monotonic = now.monotonic + Millis{millis};
    now.wall_millis += millis;
    feed(Tick{});
  }

  // All messages of a kind that went up in the last step.
  template <typename T>
  [[nodiscard]] std::vector<const T*> ups() const {
    std::vector<const T*> found;
    for (const Send& send : last.send)
      if (const auto* one = std::get_if<SendUp>(&send))
        if (const auto* message = std::get_if<T>(one->message.get())) found.push_back(message);
    return found;
  }
  template <typename T>
  [[nodiscard]] const T* up() const {
    const auto found = ups<T>();
    return found.empty() ? nullptr : found.back();
  }
  template <typename T>
  [[nodiscard]] std::vector<const T*> all_told() const {
    std::vector<const T*> found;
    for (const Delivery& delivery : last.deliver)
      if (const auto* one = std::get_if<T>(&delivery)) found.push_back(one);
    return found;
  }
  template <typename T>
  [[nodiscard]] const T* told() const {
    const auto found = all_told<T>();
    return found.empty() ? nullptr : found.back();
  }
  template <typename T>
  [[nodiscard]] bool sent() const {
    for (const Send& send : last.send)
      if (std::holds_alternative<T>(send)) return true;
    return false;
  }
  template <typename T>
  [[nodiscard]] std::size_t rows() const {
    std::size_t count = 0;
    for (const Row& row : last.persist.rows) count += std::holds_alternative<T>(row) ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::uint64_t counter(const char* name) const {
    const auto found = core.counters().find(name);
    return found == core.counters().end() ? 0 : found->second;
  }

  [[nodiscard]] Welcome welcome_to(std::uint64_t session, std::uint64_t head) const {
    Welcome welcome;
    welcome.session = SessionId(session);
    welcome.nonce = Nonce(100 + session);
    welcome.start = kStart;
    welcome.epoch = kEpoch;
    welcome.head = Revision(head);
    welcome.wall_millis = now.wall_millis;
    welcome.channel = "tcp:4711";
    return welcome;
  }
  // Attached, holding what the coordinator has at `head`: nothing but these changes.
  void attach(std::uint64_t head = 0, std::vector<Change> changes = {}) {
    feed(Tick{});
    receive(welcome_to(1, head));
    receive(Attached{SessionId(1), Revision(head), {}});
    if (up<DeltaRequest>() == nullptr) return;
    DeltaChunk chunk = this->chunk(0, head, true);
    chunk.changes = std::move(changes);
    receive(std::move(chunk));
  }
  // Answers the newest request that went up in the last step.
  [[nodiscard]] DeltaChunk chunk(std::uint64_t from, std::uint64_t to, bool complete,
                                 std::uint64_t session = 1) const {
    DeltaChunk chunk;
    chunk.session = SessionId(session);
    chunk.request = up<DeltaRequest>()->request;
    chunk.epoch = kEpoch;
    chunk.from = Revision(from);
    chunk.to = chunk.head = Revision(to);
    chunk.complete = complete;
    return chunk;
  }
  static Change change(const std::string& key, std::uint64_t version, std::string text) {
    auto record = std::make_shared<Record>();
    record->value = Register{ContentType::kText, std::move(text)};
    record->version = Revision(version);
    record->content = content_hash(*record->value);
    record->writer = {AgentId("b"), Incarnation(99), Seq(version)};
    return {Key(key), std::move(record)};
  }
  static StateUpdate update(std::uint64_t from, std::uint64_t to, std::vector<Change> changes) {
    StateUpdate update;
    update.swarm = SwarmId("s");
    update.start = kStart;
    update.broadcast = BroadcastNo(to);
    update.epoch = kEpoch;
    update.from = Revision(from);
    update.to = Revision(to);
    update.changes = std::move(changes);
    return update;
  }
  static Heartbeat heartbeat(std::uint64_t head, Hash128 digest) {
    return {SwarmId("s"), kStart, BroadcastNo(1), kEpoch, Revision(head), digest};
  }

  void write(std::uint64_t request, Op op, const char* key = "x") {
    feed(Command{WriteCommand{RequestId(request), {Entry{Key(key), {}, std::move(op), {}}}}});
  }
  void offer(std::uint64_t request, const std::string& key, std::optional<std::string> text) {
    OfferCommand command{RequestId(request), Key(key), {}};
    if (text) command.value = Register{ContentType::kText, *std::move(text)};
    feed(Command{std::move(command)});
  }
  [[nodiscard]] std::string view(const char* key) const {
    const RecordPtr record = core.view(Key(key));
    return record ? std::get<Register>(*record->value).bytes : "(absent)";
  }
  [[nodiscard]] std::uint64_t cursor() const { return core.replica().cursor().revision.value(); }

  Now now{Instant{1'000}, 1'000'000};
  Agent core;
  Actions actions;
  Actions last;
};

}  // namespace waggle
