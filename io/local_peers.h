#pragma once

// Peers within the coordinator's own process: threads of the embedder that ask and write without a
// socket. Each LocalPort is one peer, "local:N", and speaks the same protocol as a remote one, in
// most cases as a client.
//
//   thread: LocalPort::send() --> bounded inbox --wakes--> coordinator transport: Received
//   thread: LocalPort::receive() <-- bounded queue <------ coordinator transport: SendTo
//
// A message of a port passes the codec on the port's thread, so the core sees only what a remote
// peer could have sent too. A port whose queue of answers is full loses what is queued and is
// reported as PeerLost, like a slow remote peer; so is a port that is destroyed.
//
// Thread-safe: ports are opened and used from any thread, one thread at a time for each port. Ports
// may outlive the coordinator; they are closed then.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/status.h"
#include "io/wake_fd.h"

namespace waggle {

inline constexpr std::string_view kLocalPeerPrefix = "local:";

class LocalPort {
 public:
  ~LocalPort();

  LocalPort(const LocalPort&) = delete;
  LocalPort& operator=(const LocalPort&) = delete;

  [[nodiscard]] const PeerId& peer() const;
  // Never waits. kRejected: the codec refuses it; kOverloaded: the inbox is full, wait and send
  // again; kUnavailable: the coordinator is gone.
  [[nodiscard]] Status send(const Message& message);
  // Waits for the next message, at most `timeout`; null when none came or the port is closed.
  [[nodiscard]] MessagePtr receive(std::chrono::milliseconds timeout);
  // True once the coordinator is gone.
  [[nodiscard]] bool closed() const;

 private:
  friend class LocalPeers;
  struct Queue;
  struct Inbox;
  LocalPort(std::shared_ptr<Inbox> inbox, std::shared_ptr<Queue> queue);

  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<Queue> queue_;
};

class LocalPeers {
 public:
  struct Options {
    std::size_t inbox_messages = 65'536;  // of all ports together
    std::size_t queue_messages = 4'096;   // answers that one port did not take yet
  };
  LocalPeers() : LocalPeers(Options{}) {}
  explicit LocalPeers(const Options& options);
  // Closes every port.
  ~LocalPeers();

  LocalPeers(const LocalPeers&) = delete;
  LocalPeers& operator=(const LocalPeers&) = delete;

  // From any thread.
  [[nodiscard]] std::unique_ptr<LocalPort> open();

  // ---- the coordinator transport's side, from its thread
  // Moves at most `max` events of the inbox: Received and PeerLost.
  void take(std::vector<Event>& events, std::size_t max);
  [[nodiscard]] bool has_work() const;
  // A peer that is gone is ignored.
  void deliver(const PeerId& peer, const MessagePtr& message);
  // Forgets what is queued for it.
  void drop(const PeerId& peer);
  // Becomes readable when something came into an empty inbox.
  [[nodiscard]] int fd() const;

 private:
  const Options options_;
  std::shared_ptr<LocalPort::Inbox> inbox_;
};

}  // namespace waggle
