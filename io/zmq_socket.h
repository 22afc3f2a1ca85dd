#pragma once

// Thin owners of a ZeroMQ message and a ZeroMQ socket. Nothing here waits or throws: errors come as
// errno or as a Status with the endpoint in its text. A socket stays on one thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <zmq.h>

#include "base/status.h"
#include "io/keys.h"
#include "io/zmq_context.h"

namespace waggle {

// One frame. Copies share the bytes.
class Frame {
 public:
  Frame();
  explicit Frame(std::string_view bytes);
  Frame(const Frame& other);
  Frame(Frame&& other) noexcept;
  Frame& operator=(const Frame& other);
  Frame& operator=(Frame&& other) noexcept;
  ~Frame();

  [[nodiscard]] std::string_view bytes() const;
  [[nodiscard]] std::size_t size() const { return bytes().size(); }
  // Who sent it, as the handler of handshakes named him; empty: nobody was asked.
  [[nodiscard]] std::string_view user_id() const;
  [[nodiscard]] zmq_msg_t* raw() { return &message_; }

 private:
  mutable zmq_msg_t message_;  // libzmq's readers are not const
};

class Socket {
 public:
  // Both of the high-water marks count messages, not bytes.
  struct Options {
    int send_high_water = 1000;
    int receive_high_water = 1000;
    std::int64_t frame_bytes_max = 0;
    bool ipv6 = false;
  };

  Socket() = default;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  // With the settings that all our sockets share: limits, handshake time, heartbeats, linger,
  // reconnecting. kUnavailable: no more sockets or files.
  [[nodiscard]] static Result<Socket> open(const ZmqContext& context, int type,
                                           const Options& options);
  // CURVE from here on (https://rfc.zeromq.org/spec/26/); before bind() and connect(). A serving
  // socket lets in whom the handler of its context accepts for `domain` (io/zap.h), and nobody
  // where no handler answers.
  void serve_curve(const SecretKey& own, const std::string& domain);
  void dial_curve(const LinkKeys& keys);
  [[nodiscard]] Status bind(const Endpoint& endpoint);
  // Tells of its connections at an inproc endpoint; false: not possible.
  [[nodiscard]] bool monitor(const std::string& endpoint, int events);
  [[nodiscard]] bool connect_inner(const std::string& endpoint);
  // Drops all peers that came by it.
  void unbind(const std::string& endpoint);
  [[nodiscard]] Status connect(const Endpoint& endpoint);
  // As the last bind() took it, in ZeroMQ's words.
  [[nodiscard]] std::string bound_endpoint() const;
  // The tcp port that the last bind() took.
  [[nodiscard]] std::uint16_t bound_port() const;
  void set(int option, int value);
  void subscribe(std::string_view prefix);
  void close();
  // Close without waiting for what was not sent yet.
  void close_now();

  [[nodiscard]] bool is_open() const { return handle_ != nullptr; }
  [[nodiscard]] int fd() const { return fd_; }
  // ZMQ_POLLIN and ZMQ_POLLOUT.
  [[nodiscard]] int events();

  // False: the last receive() found nothing and nothing touched the socket since, so its descriptor
  // will speak when a message comes. Each look at a socket costs system calls, and a process may
  // hold thousands of them.
  [[nodiscard]] bool may_receive() const { return !quiet_; }
  // Its descriptor spoke.
  void spoke() { quiet_ = false; }

  // 0, or errno: EAGAIN, EHOSTUNREACH. A sent frame becomes empty.
  [[nodiscard]] int send(Frame& frame, bool more = false);
  [[nodiscard]] int send(std::string_view bytes, bool more);
  // False: nothing is there. `more`: another frame of the same message follows.
  [[nodiscard]] bool receive(Frame& frame, bool& more);
  // Throws away what is left of a message; returns how many frames.
  std::uint64_t discard_rest();

 private:
  explicit Socket(void* handle);
  void* handle_ = nullptr;
  int fd_ = -1;
  // Safety: any call may use up the descriptor's word for a message, so every one but a receive()
  // that found nothing resets it.
  bool quiet_ = false;
};

}  // namespace waggle
