#include "io/local_peers.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "capnp/codec.h"

namespace waggle {

// What waits for one port.
struct LocalPort::Queue {
  PeerId peer;
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<MessagePtr> messages;  // guarded by mutex
  bool closed = false;              // guarded by mutex
};

// What waits for the coordinator, and who there is. Lock order: this mutex, then a queue's.
struct LocalPort::Inbox {
  explicit Inbox(std::size_t max) : messages_max(max) {}
  const std::size_t messages_max;
  WakeFd wake;
  std::mutex mutex;
  std::deque<Event> events;  // guarded by mutex, as what follows
  std::map<PeerId, std::shared_ptr<Queue>> queues;
  std::uint64_t next_peer = 1;
  bool closed = false;

  // REQUIRES: mutex is held.
  void push(Event event) {
    if (events.empty()) wake.wake();
    events.push_back(std::move(event));
  }
};

// ---- LocalPort ---------------------------------------------------------------------------------

LocalPort::LocalPort(std::shared_ptr<Inbox> inbox, std::shared_ptr<Queue> queue)
    : inbox_(std::move(inbox)), queue_(std::move(queue)) {}

LocalPort::~LocalPort() {
  const std::lock_guard lock(inbox_->mutex);
  // Bound: one event for each port ever opened and not yet reported, beyond messages_max.
  if (inbox_->queues.erase(queue_->peer) > 0) inbox_->push(PeerLost{queue_->peer});
}

const PeerId& LocalPort::peer() const {
  return queue_->peer;
}

Status LocalPort::send(const Message& message) {
  Result<Message> checked = decode(encode(message));
  if (!checked) return std::unexpected(std::move(checked.error()));
  MessagePtr sent = make_message(std::move(*checked));
  const std::lock_guard lock(inbox_->mutex);
  if (inbox_->closed) return failed(Code::kUnavailable, "the coordinator is shut down");
  if (inbox_->events.size() >= inbox_->messages_max) {
    return failed(Code::kOverloaded, "the coordinator has " +
                                         std::to_string(inbox_->events.size()) +
                                         " messages to read; wait and send again");
  }
  inbox_->push(Received{.peer = queue_->peer, .message = std::move(sent), .inner = true});
  return {};
}

MessagePtr LocalPort::receive(std::chrono::milliseconds timeout) {
  std::unique_lock lock(queue_->mutex);
  queue_->arrived.wait_for(lock, timeout,
                           [this] { return queue_->closed || !queue_->messages.empty(); });
  if (queue_->messages.empty()) return nullptr;
  MessagePtr message = std::move(queue_->messages.front());
  queue_->messages.pop_front();
  return message;
}

bool LocalPort::closed() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->closed;
}

// ---- LocalPeers --------------------------------------------------------------------------------

LocalPeers::LocalPeers(const Options& options)
    : options_(options), inbox_(std::make_shared<LocalPort::Inbox>(options.inbox_messages)) {}

LocalPeers::~LocalPeers() {
  const std::lock_guard lock(inbox_->mutex);
  inbox_->closed = true;
  for (const auto& [peer, queue] : inbox_->queues) {
    const std::lock_guard queue_lock(queue->mutex);
    queue->closed = true;
    queue->arrived.notify_all();
  }
  inbox_->queues.clear();
}

std::unique_ptr<LocalPort> LocalPeers::open() {
  auto queue = std::make_shared<LocalPort::Queue>();
  const std::lock_guard lock(inbox_->mutex);
  queue->peer = PeerId(std::string(kLocalPeerPrefix) + std::to_string(inbox_->next_peer++));
  inbox_->queues.emplace(queue->peer, queue);
  return std::unique_ptr<LocalPort>(new LocalPort(inbox_, std::move(queue)));
}

void LocalPeers::take(std::vector<Event>& events, std::size_t max) {
  const std::lock_guard lock(inbox_->mutex);
  for (; max > 0 && !inbox_->events.empty(); --max) {
    events.push_back(std::move(inbox_->events.front()));
    inbox_->events.pop_front();
  }
}

bool LocalPeers::has_work() const {
  const std::lock_guard lock(inbox_->mutex);
  return !inbox_->events.empty();
}

void LocalPeers::deliver(const PeerId& peer, const MessagePtr& message) {
  const std::lock_guard lock(inbox_->mutex);
  const auto found = inbox_->queues.find(peer);
  if (found == inbox_->queues.end()) return;
  LocalPort::Queue& queue = *found->second;
  const std::lock_guard queue_lock(queue.mutex);
  if (queue.messages.size() >= options_.queue_messages) {
    queue.messages.clear();
    inbox_->push(PeerLost{peer});
    return;
  }
  queue.messages.push_back(message);
  queue.arrived.notify_one();
}

void LocalPeers::drop(const PeerId& peer) {
  const std::lock_guard lock(inbox_->mutex);
  const auto found = inbox_->queues.find(peer);
  if (found == inbox_->queues.end()) return;
  const std::lock_guard queue_lock(found->second->mutex);
  found->second->messages.clear();
}

int LocalPeers::fd() const {
  return inbox_->wake.fd();
}

}  // namespace waggle
