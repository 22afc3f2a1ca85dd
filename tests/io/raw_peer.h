#pragma once

// Peers that a test plays by hand: a ZeroMQ socket without any of our settings, and plain TCP.

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <boost/test/unit_test.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

namespace waggle::test {

// A context without our settings. Outlives its sockets.
class RawContext {
 public:
  RawContext() : handle_(zmq_ctx_new()) {}
  ~RawContext() { zmq_ctx_term(handle_); }
  RawContext(const RawContext&) = delete;
  RawContext& operator=(const RawContext&) = delete;
  [[nodiscard]] void* handle() const { return handle_; }

 private:
  void* handle_;
};

class RawSocket {
 public:
  RawSocket(void* context, int type) : socket_(zmq_socket(context, type)) {
    BOOST_REQUIRE(socket_ != nullptr);
    set(ZMQ_LINGER, 0);
    set(ZMQ_SNDTIMEO, 60'000);  // a test ends, whatever happens
  }
  ~RawSocket() { close(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  void close() {
    if (socket_ != nullptr) zmq_close(socket_);
    socket_ = nullptr;
  }
  void set(int option, int value) {
    BOOST_REQUIRE(zmq_setsockopt(socket_, option, &value, sizeof value) == 0);
  }
  // Little room on the way, so that a peer that doesn't read is full soon.
  void narrow() {
    set(ZMQ_RCVHWM, 1);
    set(ZMQ_RCVBUF, 65'536);
  }
  void connect(const std::string& endpoint) {
    BOOST_REQUIRE(zmq_connect(socket_, endpoint.c_str()) == 0);
  }
  // Where it is bound, with the port that was taken.
  std::string bind(const std::string& endpoint) {
    BOOST_REQUIRE(zmq_bind(socket_, endpoint.c_str()) == 0);
    char text[512] = {};
    std::size_t size = sizeof text;
    BOOST_REQUIRE(zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text, &size) == 0);
    return text;
  }
  void send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const int more = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
      BOOST_REQUIRE(zmq_send(socket_, frames[i].data(), frames[i].size(), more) >= 0);
    }
  }
  // All frames of the next message; empty: nothing is there.
  std::vector<std::string> receive() {
    std::vector<std::string> frames;
    bool more = true;
    while (more) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      more = zmq_msg_recv(&message, socket_, ZMQ_DONTWAIT) >= 0;
      if (more) {
        frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)),
                            zmq_msg_size(&message));
        more = zmq_msg_more(&message) != 0;
      }
      zmq_msg_close(&message);
    }
    return frames;
  }

 private:
  void* socket_;
};

// A TCP connection or listener of 127.0.0.1.
class RawTcp {
 public:
  RawTcp() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) { BOOST_REQUIRE(fd_ >= 0); }
  RawTcp(RawTcp&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  RawTcp& operator=(RawTcp&&) = delete;
  ~RawTcp() {
    if (fd_ >= 0) ::close(fd_);
  }

  static RawTcp to(std::uint16_t port) {
    RawTcp tcp;
    const sockaddr_in address = loopback(port);
    BOOST_REQUIRE(::connect(tcp.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                  0);
    return tcp;
  }
  // Accepts by the kernel, in the background.
  static RawTcp listener() {
    RawTcp tcp;
    const sockaddr_in address = loopback(0);
    BOOST_REQUIRE(::bind(tcp.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                  0);
    BOOST_REQUIRE(::listen(tcp.fd_, 16) == 0);
    BOOST_REQUIRE(::fcntl(tcp.fd_, F_SETFL, O_NONBLOCK) == 0);
    return tcp;
  }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    BOOST_REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }
  // False: nobody dialled.
  [[nodiscard]] bool accept_into(std::optional<RawTcp>& tcp) const {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) tcp.emplace(RawTcp(fd));
    return fd >= 0;
  }
  void write(const std::string& bytes) const {
    // May fail: the other side closes when it has seen enough.
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // Reads what is there; true when the other side has closed.
  [[nodiscard]] bool closed() const {
    char bytes[4'096];
    ssize_t got = 0;
    do {
      got = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0 || errno != EAGAIN;
  }

 private:
  explicit RawTcp(int fd) : fd_(fd) {}
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  int fd_;
};

}  // namespace waggle::test
