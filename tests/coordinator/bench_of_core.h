#pragma once

// Drives a coordinator's core by hand: feeds events, closes the group, keeps what comes out.

#include <string>
#include <utility>
#include <vector>

#include "coordinator/coordinator.h"

namespace waggle {

class CoreBench {
 public:
  explicit CoreBench(CoordinatorOptions options = defaults(), CoordinatorState state = {})
      : core(std::move(options), std::move(state)) {
    close();
  }

  static CoordinatorOptions defaults() {
    CoordinatorOptions options;
    options.seed = 7;
    return options;
  }

  void feed(Event event) { core.step(event, now, actions); }
  void receive(const std::string& peer, Message message) {
    feed(Received{PeerId(peer), make_message(std::move(message))});
  }
  // Ends the group; what it wants done is in `last`, and channels are opened as a transport would.
  void close() {
    core.finish(now, actions);
    last = std::exchange(actions, {});
    if (checks) core.check_invariants();
    for (const Send& send : last.send)
      if (const auto* open = std::get_if<OpenChannel>(&send))
        feed(ChannelOpened{open->swarm, "tcp:4711"});
  }
  void wait(std::int64_t millis) {
    now.monotonic = now.monotonic + Millis{millis};
    now.wall_millis += millis;
    feed(Tick{});
    close();
  }

  // What the disk has, for another coordinator.
  [[nodiscard]] CoordinatorState stored() const {
    CoordinatorState state;
    state.store.epoch = core.epoch();
    const SwarmState* swarm = core.swarm(SwarmId("s"));
    state.swarms = {swarm->stored_row()};
    for (const Key& key : swarm->keys_after({}, {}, SIZE_MAX))
      state.records.push_back({SwarmId("s"), key, swarm->find(key)});
    return state;
  }

  // The newest message of a kind that went to a peer in the last group.
  template <typename T>
  const T* to(const std::string& peer) const {
    const T* found = nullptr;
    for (const Send& send : last.send)
      if (const auto* one = std::get_if<SendTo>(&send); one && one->peer.value() == peer)
        if (const auto* message = std::get_if<T>(one->message.get())) found = message;
    return found;
  }
  template <typename T>
  std::vector<const T*> broadcasts() const {
    std::vector<const T*> found;
    for (const Send& send : last.send)
      if (const auto* one = std::get_if<Broadcast>(&send))
        if (const auto* message = std::get_if<T>(one->message.get())) found.push_back(message);
    return found;
  }
  template <typename T>
  std::vector<const T*> rows() const {
    std::vector<const T*> found;
    for (const Row& row : last.persist.rows)
      if (const auto* one = std::get_if<T>(&row)) found.push_back(one);
    return found;
  }

  static Hello hello(const std::string& agent, std::uint8_t token = 1, Role role = Role::kMember) {
    Hello hello;
    hello.swarm = SwarmId("s");
    hello.agent = AgentId(agent);
    hello.role = role;
    hello.token[0] = token;
    return hello;
  }
  // Says hello and reads the nonce; the peer has the agent's name.
  Welcome join(const std::string& agent) {
    receive(agent, hello(agent));
    close();
    if (to<Welcome>(agent) == nullptr) close();  // the channel had to be opened first
    const Welcome welcome = *to<Welcome>(agent);
    feed(Subscribed{SwarmId("s"), welcome.nonce});
    close();
    return welcome;
  }
  static Mutation put(std::uint64_t seq, const std::string& key, const std::string& value,
                      const Welcome& welcome, std::uint64_t seen = 0) {
    Mutation mutation;
    mutation.incarnation = Incarnation(77);
    mutation.seq = Seq(seq);
    mutation.context = {welcome.epoch, Revision(seen), {}};
    mutation.hlc = Hlc::of(1'000'000, seq);
    mutation.entries = {Entry{Key(key), {}, PutOp{ContentType::kText, value}, {}}};
    return mutation;
  }
  std::vector<MutationResult> submit(const std::string& peer, const Welcome& welcome,
                                     std::vector<Mutation> mutations, std::uint64_t confirmed = 0) {
    Submit submit{welcome.session, welcome.epoch, {}, std::move(mutations)};
    if (confirmed > 0) submit.confirmed = {{Incarnation(77), Seq(confirmed)}};
    receive(peer, std::move(submit));
    close();
    const auto* result = to<SubmitResult>(peer);
    return result == nullptr ? std::vector<MutationResult>{} : result->results;
  }

  bool checks = true;  // of invariants, after each group
  Now now{Instant{1'000}, 1'000'000};
  Coordinator core;
  Actions actions;
  Actions last;
};

}  // namespace waggle
