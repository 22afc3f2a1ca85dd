#include "io/handshake_watch.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

#include <zmq.h>

namespace waggle {
namespace {

constexpr int kFailures = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

// Each monitor has an address of its own in the process.
std::string monitor_endpoint() {
  static std::atomic<std::uint64_t> number = 0;
  return "inproc://waggle-monitor-" + std::to_string(number++);
}

std::string text_of(std::uint16_t event, bool with_keys) {
  if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
    return "the coordinator does not let this key in; its operator authorizes it with `waggle keys "
           "authorize`, and the coordinator reads that on SIGHUP";
  if (with_keys)
    return "the coordinator there does not prove to be the one whose public key is given here, or "
           "it uses no keys: compare the file of its key";
  return "the coordinator there lets in only keys that it knows: make one with `waggle keys new`, "
         "have it authorized, and name it and the coordinator's public key (--key, "
         "--coordinator-key)";
}

}  // namespace

HandshakeWatch::HandshakeWatch(const ZmqContext& context, Socket& watched, bool with_keys)
    : with_keys_(with_keys) {
  const std::string endpoint = monitor_endpoint();
  if (!watched.monitor(endpoint, kFailures)) return;
  Result<Socket> pair = Socket::open(context, ZMQ_PAIR, {.frame_bytes_max = -1});
  if (!pair || !pair->connect_inner(endpoint)) return;
  monitor_ = std::move(*pair);
}

std::optional<Error> HandshakeWatch::take() {
  std::optional<Error> found;
  if (!monitor_.is_open()) return found;
  Frame frame;
  bool more = false;
  while (monitor_.receive(frame, more)) {
    const std::string_view bytes = frame.bytes();
    std::uint16_t event = 0;
    if (bytes.size() >= sizeof event) std::memcpy(&event, bytes.data(), sizeof event);
    if (more) monitor_.discard_rest();
    if ((event & kFailures) != 0) found = Error{Code::kDenied, text_of(event, with_keys_)};
  }
  return found;
}

}  // namespace waggle
