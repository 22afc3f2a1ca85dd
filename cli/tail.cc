// `waggle tail`: follows the changes as an observer.
//
//   observer holds the head --> delta from the cursor up to T --> live, what is above T
//
// Safety: the delta is asked for after the observer holds its first state, so T is at or above it,
// and every later commit comes to the observer. Nothing falls between the two.

#include <chrono>
#include <random>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/delivery_queue.h"
#include "cli/feed.h"
#include "cli/line_buffer.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/signals.h"
#include "include/lib/agent_runtime.h"

namespace waggle::cli {
namespace {

constexpr std::size_t kQueueBytes = std::size_t{64} << 20;
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr int kFlushMillis = 2'000;
constexpr int kLeaveMillis = 500;

class Tail {
 public:
  Tail(const CommandLine& line, const Config& config)
      : line_(line), config_(config), queue_(kQueueBytes) {}

  int run() {
    auto client = dial(config_);
    if (!client) return fail(client.error(), line_.json);
    std::optional<Cursor> since;
    if (!line_.follow.cursor.empty()) {
      const auto cursor = (*client)->parse_cursor(line_.follow.cursor);
      if (!cursor) return fail_usage("--from: " + cursor.error().text, line_.json);
      since = *cursor;
    }
    AgentRuntimeOptions options = agent_options(config_);
    options.agent = AgentId(fmt::format("~tail-{}-{:08x}", getpid(), std::random_device{}()));
    options.role = Role::kObserver;
    options.start_from_head = true;
    auto runtime = AgentRuntime::open(options, std::make_shared<AgentLoop>(),
                                      [this](const Delivery& delivery) { queue_.push(delivery); });
    if (!runtime) return fail(runtime.error(), line_.json);
    runtime_ = std::move(*runtime);
    if (const int exit = wait_for_first_state(); exit != kExitDone) return exit;
    if (since) told_ = *since;
    say(fmt::format("following swarm '{}' at {} from {}", config_.swarm, config_.coordinator,
                    to_text(told_)));
    if (since)
      if (const Status fetched = fetch(**client); !fetched)
        return fail(fetched.error(), line_.json);
    client->reset();
    return end(follow());
  }

 private:
  // Exit code; done when the observer holds the swarm's state. Deliveries after it stay queued.
  int wait_for_first_state() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::milliseconds(config_.timeout_millis);
    std::string why = "the swarm's broadcast did not arrive";
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0)
        return fail(
            {Code::kUnavailable,
             fmt::format("could not follow swarm '{}' at {} in time: {}; is the port of its "
                         "broadcast open to here?",
                         config_.swarm, config_.coordinator, why)},
            line_.json);
      pollfd fds[] = {{signals_.fd(), POLLIN, 0}, {queue_.fd(), POLLIN, 0}};
      if (poll(fds, 2, static_cast<int>(left)) <= 0) continue;
      if (const int signal = signals_.take(); signal != 0) return 128 + signal;
      queue_.clear();
      auto taken = queue_.take();
      for (Delivery& delivery : taken.deliveries) {
        if (const auto* caught_up = std::get_if<CaughtUp>(&delivery)) {
          if (told_.epoch) continue;
          told_ = caught_up->to;
        } else if (const auto* link = std::get_if<LinkChanged>(&delivery)) {
          if (!link->text.empty()) why = link->text;
          if (link->link == Link::kEnded) return fail({link->code, link->text}, line_.json);
        } else if (told_.epoch) {
          early_.push_back(std::move(delivery));
        }
      }
      if (told_.epoch) return kExitDone;
    }
  }

  // Everything between the cursor told and now, by a delta or else the whole state.
  Status fetch(RequestClient& client) {
    auto found = client.delta(told_, line_.follow.prefix, true, config_.timeout_millis);
    if (!found) return std::unexpected(found.error());
    if (found->snapshot && told_.revision) {
      say(fmt::format("there is no delta from {} ({}): the whole state follows", to_text(told_),
                      found->text));
      Json line;
      line.set("event", "reset").set("from", to_text(told_)).set("to", to_text(found->to));
      buffer_.add(line.set("text", found->text));
    }
    // A cursor within what follows a reset would be reset again: --count would never get past it.
    const bool whole = found->snapshot && static_cast<bool>(told_.revision);
    tell(std::move(found->changes), found->snapshot ? Cursor{found->to.epoch, {}} : told_,
         found->to, found->snapshot ? "snapshot" : "delta", whole);
    return {};
  }

  // `whole`: not cut by --count.
  void tell(std::vector<Change> changes, const Cursor& from, const Cursor& to,
            std::string_view source, bool whole = false) {
    for (FeedItem& item : feed_order(std::move(changes), from, to, line_.follow.prefix)) {
      if (enough() && !whole) return;
      Json line;
      line.set("event", "change");
      line.add_all(change_json(item.change));
      line.set("source", source).set("cursor", to_text(item.behind));
      buffer_.add(line);
      told_ = item.behind;
      ++lines_;
    }
    if (!enough() || whole) told_ = to;
  }

  [[nodiscard]] bool enough() const {
    return line_.follow.count != 0 && lines_ >= line_.follow.count;
  }

  void on_changed(const StateChanged& changed) {
    const bool same_epoch = changed.to.epoch == told_.epoch;
    if (enough() || (same_epoch && changed.to.revision <= told_.revision)) return;
    if (changed.cleared && (!same_epoch || changed.to.revision > told_.revision)) {
      Json line;
      line.set("event", "cleared").set("swarm", config_.swarm);
      buffer_.add(line.set("cursor", to_text(changed.to)));
    }
    std::vector<Change> news = changed.changes;
    if (same_epoch)
      std::erase_if(news,
                    [&](const Change& change) { return change.record->version <= told_.revision; });
    static constexpr std::string_view kSources[] = {"update", "delta", "snapshot"};
    tell(std::move(news), told_, changed.to, kSources[static_cast<std::size_t>(changed.source)]);
  }

  // They have no cursor, and don't count: they are as they are now.
  void on_ephemeral(const EphemeralChanged& news) {
    for (const Change& change : news.changes) {
      if (!change.key.value().starts_with(line_.follow.prefix)) continue;
      Json line;
      line.set("event", "ephemeral");
      buffer_.add(line.add_all(change_json(change)));
    }
  }

  void on_delivery(const Delivery& delivery) {
    if (const auto* news = std::get_if<EphemeralChanged>(&delivery);
        news != nullptr && line_.follow.ephemeral)
      on_ephemeral(*news);
    if (const auto* changed = std::get_if<StateChanged>(&delivery)) on_changed(*changed);
    if (const auto* link = std::get_if<LinkChanged>(&delivery)) {
      if (link->link == Link::kLost || link->link == Link::kBehind)
        say(fmt::format("{}: {}; trying again", to_text(link->link), link->text));
      if (link->link == Link::kAttached && lost_) say("attached again");
      lost_ = link->link == Link::kLost || (lost_ && link->link != Link::kAttached);
      if (link->link == Link::kEnded) ended_ = Error{link->code, link->text};
    }
  }

  // Changes were dropped because standard output is slow: they are fetched again.
  Status refetch() {
    const auto client = dial(config_);
    if (!client) return std::unexpected(client.error());
    return fetch(**client);
  }

  int follow() {
    for (const Delivery& delivery : std::exchange(early_, {})) on_delivery(delivery);
    while (true) {
      const bool room = buffer_.size() < kBufferBytes;
      if (buffer_.empty() && enough()) return kExitDone;
      if (buffer_.empty() && ended_) return fail(*ended_, line_.json);
      pollfd fds[] = {{signals_.fd(), POLLIN, 0},
                      {room ? queue_.fd() : -1, POLLIN, 0},
                      {STDOUT_FILENO, static_cast<short>(buffer_.empty() ? 0 : POLLOUT), 0}};
      if (poll(fds, 3, missed_ ? 500 : -1) < 0) continue;
      if (const int signal = signals_.take(); signal != 0) return 128 + signal;
      // POLLERR without data to write: the reader closed its end.
      if ((fds[2].revents & (POLLERR | POLLHUP)) != 0 && buffer_.empty()) return kReaderGone;
      if (fds[2].revents != 0 && !buffer_.empty() && !buffer_.write_some()) return kReaderGone;
      if (!room) continue;
      queue_.clear();
      DeliveryQueue::Taken taken = queue_.take();
      if (!missed_)
        for (const Delivery& delivery : taken.deliveries) on_delivery(delivery);
      missed_ = missed_ || taken.dropped;
      if (missed_ && buffer_.empty()) missed_ = !refetch();
    }
  }

  int end(int exit) {
    leave();
    if (exit == kReaderGone) return 128 + 13;  // as a program that SIGPIPE ended
    Json line;
    line.set("event", "cursor").set("cursor", to_text(told_));
    buffer_.add(line);
    if (buffer_.flush(kFlushMillis))
      say(fmt::format("go on with: waggle tail --from {}{}", to_text(told_),
                      config_.swarm == "default" ? "" : " --swarm " + config_.swarm));
    return exit;
  }

  // Says goodbye, so that it is not listed any longer.
  void leave() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::milliseconds(kLeaveMillis);
    bool left = ended_.has_value() || !runtime_->post(LeaveCommand{});
    while (!left && Clock::now() < deadline) {
      pollfd fd{queue_.fd(), POLLIN, 0};
      (void)poll(&fd, 1, 20);
      queue_.clear();
      for (const Delivery& delivery : queue_.take().deliveries)
        if (const auto* link = std::get_if<LinkChanged>(&delivery))
          left = left || link->link == Link::kEnded;
    }
    runtime_.reset();
  }

  static constexpr int kReaderGone = -1;

  const CommandLine& line_;
  const Config& config_;
  Signals signals_;  // before the first thread
  DeliveryQueue queue_;
  LineBuffer buffer_;
  std::unique_ptr<AgentRuntime> runtime_;
  std::vector<Delivery> early_;
  Cursor told_;  // everything up to here is in the buffer or written
  std::uint64_t lines_ = 0;
  bool lost_ = false;
  bool missed_ = false;
  std::optional<Error> ended_;
};

}  // namespace

int tail(const CommandLine& line, const Config& config) {
  return Tail(line, config).run();
}

}  // namespace waggle::cli
