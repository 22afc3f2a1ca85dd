#include "bench/swarm.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <variant>

#include <fmt/format.h>

#include "include/lib/coordinator_runtime.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kValueBytes = 256;
constexpr const char* kRoundKey = "bench/round";
constexpr const char* kWriteKey = "bench/write";

std::string value_of(std::uint64_t number) {
  std::string value = fmt::format("{:016x}", number);
  value.resize(kValueBytes, '.');
  return value;
}

}  // namespace

int serve_waggle(const std::string& data, std::optional<std::uint64_t> limit) {
  CoordinatorRuntimeOptions options;
  if (limit) options.core.limits.messages = options.core.limits.writes = *limit;
  options.listen = "tcp://127.0.0.1:*";
  options.data = data;
  auto coordinator = CoordinatorRuntime::open(options);
  if (!coordinator) {
    std::fprintf(stderr, "waggle_bench: %s\n", coordinator.error().text.c_str());
    return 1;
  }
  std::uint64_t keys = 0;
  for (const auto& swarm : (*coordinator)->recovered()) keys += swarm.keys;
  std::printf("%s %llu\n", (*coordinator)->endpoint().c_str(),
              static_cast<unsigned long long>(keys));
  std::fflush(stdout);
  std::thread watcher([&] {
    wait_for_end_of_input();
    (*coordinator)->stop();
  });
  const Status ended = (*coordinator)->run();
  if (!ended) {
    std::fprintf(stderr, "waggle_bench: the coordinator ended: %s\n", ended.error().text.c_str());
    std::_Exit(1);
  }
  watcher.join();
  return 0;
}

Coordinator::Coordinator(const std::string& data, std::optional<std::uint64_t> limit)
    : child_(limit ? std::vector<std::string>{own_program(), "--serve-limited", data,
                                              std::to_string(*limit)}
                   : std::vector<std::string>{own_program(), "--serve-waggle", data}) {
  const std::string line = child_.read_line(60);
  endpoint_ = line.substr(0, line.find(' '));
}

// ---- agents ------------------------------------------------------------------------------------

RealSwarm::RealSwarm(const std::string& endpoint, std::size_t agents, Role role)
    : loop_(std::make_shared<AgentLoop>()),
      attached_(agents),
      caught_up_(agents),
      changes_(agents) {
  AgentRuntimeOptions options;
  options.coordinator = endpoint;
  options.swarm = SwarmId(kSwarmName);
  options.role = role;
  options.start_from_head = true;
  for (std::size_t i = 0; i < agents; ++i) {
    options.agent = AgentId(fmt::format("agent-{}", i));
    auto agent = AgentRuntime::open(options, loop_,
                                    [this, i](const Delivery& delivery) { deliver(i, delivery); });
    if (!agent) throw std::runtime_error(agent.error().text);
    agents_.push_back(std::move(*agent));
  }
  wait(60, "the agents did not join in time");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

RealSwarm::~RealSwarm() {
  agents_.clear();
  loop_.reset();
}

void RealSwarm::wait(double seconds, const std::string& what) {
  std::unique_lock lock(mutex_);
  const bool in_time =
      changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return finished_; });
  finished_ = false;
  if (!in_time)
    throw std::runtime_error(fmt::format("{} ({} of {} agents updated, {} ready)", what, updated_,
                                         attached_.size(), ready_));
  if (!failure_.empty()) throw std::runtime_error(failure_);
}

void RealSwarm::end(const std::string& failure) {
  doing_ = Doing::kNothing;
  const std::lock_guard lock(mutex_);
  failure_ = failure;
  finished_ = true;
  changed_.notify_one();
}

Samples RealSwarm::rounds(std::size_t count, bool conflict) {
  samples_.clear();
  conflict_ = conflict;
  left_ = count;
  // Begun on the loop's thread, by the answer to this.
  doing_ = Doing::kRound;
  updated_ = 0;
  if (!agents_.front()->post(StatusCommand{})) throw std::runtime_error("too many commands wait");
  wait(60, "a round was not over in time");
  return samples_;
}

RealSwarm::Writes RealSwarm::writes(std::size_t count) {
  writes_ = {};
  left_ = count;
  doing_ = Doing::kWrite;
  if (!agents_.front()->post(StatusCommand{})) throw std::runtime_error("too many commands wait");
  wait(60, "a write was not visible in time");
  return writes_;
}

RealSwarm::Told RealSwarm::told() {
  Told told;
  agents_.front()->inspect([&](const Agent&) {
    for (const std::uint64_t changes : changes_) told.all += changes;
    told.fewest = *std::ranges::min_element(changes_);
  });
  return told;
}

// ---- on the loop's thread ----------------------------------------------------------------------

void RealSwarm::begin() {
  if (left_ == 0) return end({});
  --left_;
  ++number_;
  updated_ = settled_ = offered_ = 0;
  acknowledged_at_ = first_at_ = last_at_ = reported_at_ = 0;
  if (doing_ == Doing::kWrite) {
    WriteCommand write;
    write.request = agents_.front()->next_request();
    write.entries.push_back(
        {Key(kWriteKey), {}, PutOp{ContentType::kBytes, value_of(number_)}, {}});
    begun_ = now_micros();
    if (!agents_.front()->post(std::move(write))) end("too many commands wait");
    return;
  }
  if (!conflict_) return ask();
  doing_ = Doing::kOffering;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    OfferCommand offer{agents_[i]->next_request(), Key(kRoundKey), {}};
    offer.value = Register{ContentType::kBytes, value_of(number_ * 100'000 + i)};
    if (!agents_[i]->post(std::move(offer))) return end("too many commands wait");
  }
}

void RealSwarm::ask() {
  doing_ = Doing::kRound;
  SyncCommand sync;
  sync.request = agents_.front()->next_request();
  sync.keys = {Key(kRoundKey)};
  sync.timeout_millis = 20'000;
  begun_ = now_micros();
  if (!agents_.front()->post(std::move(sync))) end("too many commands wait");
}

// Over when all that belongs to it has arrived; the samples were taken before.
void RealSwarm::check_end() {
  const std::size_t all = agents_.size();
  if (doing_ == Doing::kRound) {
    if (reported_at_ == 0 || (conflict_ && (updated_ < all || settled_ < all))) return;
    samples_.push_back(std::max(reported_at_, last_at_) - begun_);
    begin();
  } else if (doing_ == Doing::kWrite && acknowledged_at_ != 0 && updated_ == all) {
    writes_.acknowledged.push_back(acknowledged_at_ - begun_);
    writes_.first.push_back(first_at_ - begun_);
    writes_.last.push_back(last_at_ - begun_);
    begin();
  }
}

void RealSwarm::deliver(std::size_t agent, const Delivery& delivery) {
  if (const auto* changed = std::get_if<StateChanged>(&delivery)) {
    changes_[agent] += changed->changes.size();
    if (doing_ == Doing::kNothing) return;
    last_at_ = now_micros();
    if (updated_++ == 0) first_at_ = last_at_;
    check_end();
  } else if (std::holds_alternative<WriteQueued>(delivery)) {
    if (doing_ == Doing::kOffering && ++offered_ == agents_.size()) ask();
  } else if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
    if (settled->outcome.code != Code::kCommitted || settled->outcome.level != Level::kDurable)
      return end("a write was not durable: " + settled->outcome.text);
    acknowledged_at_ = now_micros();
    check_end();
  } else if (const auto* sync = std::get_if<SyncDone>(&delivery)) {
    reported_at_ = now_micros();
    report_ = sync->report;
    const RoundOutcome expected = conflict_ ? RoundOutcome::kResolved : RoundOutcome::kUnchanged;
    if (report_.outcome != expected || report_.answered.size() != agents_.size())
      return end(fmt::format("a round ended as {} with {} of {} answers: {}",
                             to_text(report_.outcome), report_.answered.size(), agents_.size(),
                             report_.text));
    check_end();
  } else if (std::holds_alternative<OfferSettled>(delivery)) {
    ++settled_;
    check_end();
  } else if (const auto* failed = std::get_if<CommandFailed>(&delivery)) {
    end("a command failed: " + failed->error.text);
  } else if (std::holds_alternative<StatusDone>(delivery)) {
    begin();
  } else {
    const auto* link = std::get_if<LinkChanged>(&delivery);
    const bool was = attached_[agent] && caught_up_[agent];
    if (link != nullptr && link->link == Link::kAttached) attached_[agent] = true;
    if (link != nullptr && link->link == Link::kEnded) end("an agent ended: " + link->text);
    if (std::holds_alternative<CaughtUp>(delivery)) caught_up_[agent] = true;
    if (!was && attached_[agent] && caught_up_[agent] && ++ready_ == attached_.size()) end({});
  }
}

}  // namespace waggle::bench
