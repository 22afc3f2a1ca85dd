#pragma once

// How a RequestClient reaches a coordinator: over a socket, or within its process. Messages may be
// lost on it in either direction. One thread at a time.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/message.h"
#include "base/status.h"
#include "io/keys.h"
#include "io/local_peers.h"

namespace waggle {

class MessagePort {
 public:
  virtual ~MessagePort() = default;
  // Never waits. kUnavailable: not given to anybody, nobody is there at present; kOverloaded: the
  // same, wait and try again; kRejected: can't be sent at all.
  [[nodiscard]] virtual Status send(const Message& message) = 0;
  // The next message; null when none came in that time. An error: a frame that can't be understood,
  // or kDenied: the other side does not let this one in.
  [[nodiscard]] virtual Result<MessagePtr> receive(std::chrono::milliseconds timeout) = 0;
  // Nothing will ever come again.
  [[nodiscard]] virtual bool closed() const = 0;
  // For texts: "tcp://127.0.0.1:4600".
  [[nodiscard]] virtual std::string name() const = 0;
};

// Without keys where `keys` is null. Errors: of parse_dial().
[[nodiscard]] Result<std::unique_ptr<MessagePort>> dial_port(const std::string& coordinator,
                                                             const LinkKeysPtr& keys);
[[nodiscard]] std::unique_ptr<MessagePort> port_over(std::unique_ptr<LocalPort> port);

}  // namespace waggle
