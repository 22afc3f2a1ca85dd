#pragma once

// Why a connection to a coordinator does not come about: libzmq tells a socket nothing of it and
// tries again for ever, so its monitor is asked (zmq_socket_monitor(3)).
//
// One thread owns it. It is closed before the socket that it watches.

#include <optional>

#include "base/status.h"
#include "io/zmq_context.h"
#include "io/zmq_socket.h"

namespace waggle {

class HandshakeWatch {
 public:
  HandshakeWatch() = default;  // watches nothing
  // Of a socket that did not connect yet. With keys of its own or without: the texts say what to do
  // in each case.
  HandshakeWatch(const ZmqContext& context, Socket& watched, bool with_keys);

  // The newest failure since it was asked last, if any: kDenied, with what to do.
  [[nodiscard]] std::optional<Error> take();
  void close() { monitor_.close_now(); }

 private:
  Socket monitor_;
  bool with_keys_ = false;
};

}  // namespace waggle
