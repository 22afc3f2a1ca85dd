#include "io/zmq_socket.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"

namespace waggle {

namespace {

constexpr int kLingerMillis = 200;       // for a goodbye
constexpr int kHandshakeMillis = 5'000;  // then a silent connection is closed
constexpr int kConnectMillis = 5'000;
constexpr int kHeartbeatMillis = 10'000;  // of ZMTP: finds connections that died silently
constexpr int kHeartbeatTimeoutMillis = 30'000;
constexpr int kReconnectMillis = 100;
constexpr int kReconnectMaxMillis = 2'000;
// ZMQ_ZAP_ENFORCE_DOMAIN: in zmq.h only of a build with draft functions, but in every 4.3 library.
constexpr int kZapEnforceDomain = 93;
constexpr int kBacklog = 4'096;  // a whole swarm comes back at once

// libzmq deletes what lies at an ipc path and binds anew, so a second coordinator would silently
// take the path from a running one.
bool somebody_listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.starts_with('@') || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool answered =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN;  // its backlog is full
  ::close(fd);
  return answered;
}

bool is_no_socket(const std::string& path) {
  struct stat found{};
  return !path.starts_with('@') && ::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
}

// Numbers and flags take an int, the limit of a frame 64 bits.
void set_raw(void* handle, int option, const void* value, std::size_t size) {
  WAGGLE_CHECK(zmq_setsockopt(handle, option, value, size) == 0,
               "option " + std::to_string(option) + ": " + zmq_strerror(zmq_errno()));
}

}  // namespace

// ---- Frame -------------------------------------------------------------------------------------

Frame::Frame() {
  zmq_msg_init(&message_);
}

Frame::Frame(std::string_view bytes) {
  WAGGLE_CHECK(zmq_msg_init_size(&message_, bytes.size()) == 0, "out of memory for a frame");
  if (!bytes.empty()) std::memcpy(zmq_msg_data(&message_), bytes.data(), bytes.size());
}

Frame::Frame(const Frame& other) : Frame() {
  *this = other;
}

Frame::Frame(Frame&& other) noexcept : Frame() {
  *this = std::move(other);
}

Frame& Frame::operator=(const Frame& other) {
  if (this != &other) {
    WAGGLE_CHECK(zmq_msg_copy(&message_, &other.message_) == 0, zmq_strerror(zmq_errno()));
  }
  return *this;
}

Frame& Frame::operator=(Frame&& other) noexcept {
  if (this != &other) zmq_msg_move(&message_, &other.message_);
  return *this;
}

Frame::~Frame() {
  zmq_msg_close(&message_);
}

std::string_view Frame::user_id() const {
  const char* name = zmq_msg_gets(&message_, "User-Id");
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view Frame::bytes() const {
  return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
}

// ---- Socket ------------------------------------------------------------------------------------

Socket::Socket(void* handle) : handle_(handle) {
  std::size_t size = sizeof fd_;
  WAGGLE_CHECK(zmq_getsockopt(handle_, ZMQ_FD, &fd_, &size) == 0, zmq_strerror(zmq_errno()));
}

Socket::Socket(Socket&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), fd_(other.fd_), quiet_(other.quiet_) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, nullptr);
    fd_ = other.fd_;
    quiet_ = other.quiet_;
  }
  return *this;
}

Result<Socket> Socket::open(const ZmqContext& context, int type, const Options& options) {
  void* handle = zmq_socket(context.handle(), type);
  if (handle == nullptr) {
    return failed(Code::kUnavailable, std::string("no more sockets: ") + zmq_strerror(zmq_errno()) +
                                          "; raise the limit of open files (ulimit -n)");
  }
  Socket socket(handle);
  set_raw(handle, ZMQ_MAXMSGSIZE, &options.frame_bytes_max, sizeof options.frame_bytes_max);
  socket.set(ZMQ_SNDHWM, options.send_high_water);
  socket.set(ZMQ_RCVHWM, options.receive_high_water);
  socket.set(ZMQ_IPV6, options.ipv6 ? 1 : 0);
  socket.set(ZMQ_LINGER, kLingerMillis);
  socket.set(ZMQ_HANDSHAKE_IVL, kHandshakeMillis);
  socket.set(ZMQ_CONNECT_TIMEOUT, kConnectMillis);
  socket.set(ZMQ_HEARTBEAT_IVL, kHeartbeatMillis);
  socket.set(ZMQ_HEARTBEAT_TIMEOUT, kHeartbeatTimeoutMillis);
  socket.set(ZMQ_RECONNECT_IVL, kReconnectMillis);
  socket.set(ZMQ_RECONNECT_IVL_MAX, kReconnectMaxMillis);
  socket.set(ZMQ_BACKLOG, kBacklog);
  return socket;
}

void Socket::serve_curve(const SecretKey& own, const std::string& domain) {
  set(ZMQ_CURVE_SERVER, 1);
  set_raw(handle_, ZMQ_CURVE_SECRETKEY, own.link().data(), own.link().size());
  set_raw(handle_, ZMQ_ZAP_DOMAIN, domain.data(), domain.size());
  set(kZapEnforceDomain, 1);
}

void Socket::dial_curve(const LinkKeys& keys) {
  const Key32& server = keys.coordinator.link;
  const Key32& own = keys.own->pub().link;
  set_raw(handle_, ZMQ_CURVE_SERVERKEY, server.data(), server.size());
  set_raw(handle_, ZMQ_CURVE_PUBLICKEY, own.data(), own.size());
  set_raw(handle_, ZMQ_CURVE_SECRETKEY, keys.own->link().data(), keys.own->link().size());
}

Status Socket::bind(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::kIpc && somebody_listens(endpoint.path)) {
    return failed(Code::kUnavailable, "can't listen on " + endpoint.text() +
                                          ": another process listens there; stop it or choose "
                                          "another endpoint");
  }
  // ZeroMQ removes whatever stands in the way of an ipc socket.
  if (endpoint.kind == Endpoint::Kind::kIpc && is_no_socket(endpoint.path))
    return failed(Code::kRejected, "can't listen on " + endpoint.text() +
                                       ": there is a file or a directory of that name; choose "
                                       "another path");
  if (zmq_bind(handle_, endpoint.text().c_str()) == 0) return {};
  const int error = zmq_errno();
  std::string text = "can't listen on " + endpoint.text() + ": " + zmq_strerror(error);
  if (error == EADDRINUSE) {
    text += "; is another coordinator running there? Stop it or choose another endpoint";
  }
  return failed(Code::kUnavailable, std::move(text));
}

Status Socket::connect(const Endpoint& endpoint) {
  if (zmq_connect(handle_, endpoint.text().c_str()) == 0) return {};
  return failed(Code::kRejected,
                "can't dial " + endpoint.text() + ": " + zmq_strerror(zmq_errno()));
}

bool Socket::monitor(const std::string& endpoint, int events) {
  return zmq_socket_monitor(handle_, endpoint.c_str(), events) == 0;
}

bool Socket::connect_inner(const std::string& endpoint) {
  return zmq_connect(handle_, endpoint.c_str()) == 0;
}

void Socket::unbind(const std::string& endpoint) {
  quiet_ = false;
  WAGGLE_CHECK(zmq_unbind(handle_, endpoint.c_str()) == 0, zmq_strerror(zmq_errno()));
}

std::string Socket::bound_endpoint() const {
  char text[512] = {};
  std::size_t size = sizeof text;
  WAGGLE_CHECK(zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, text, &size) == 0,
               zmq_strerror(zmq_errno()));
  return text;
}

std::uint16_t Socket::bound_port() const {
  const std::string text = bound_endpoint();
  const Result<Endpoint> endpoint = parse_listen(text, true);
  WAGGLE_CHECK(endpoint && endpoint->port != 0, text);
  return endpoint->port;
}

void Socket::set(int option, int value) {
  quiet_ = false;
  set_raw(handle_, option, &value, sizeof value);
}

void Socket::subscribe(std::string_view prefix) {
  quiet_ = false;
  set_raw(handle_, ZMQ_SUBSCRIBE, prefix.data(), prefix.size());
}

void Socket::close() {
  if (handle_ != nullptr) zmq_close(std::exchange(handle_, nullptr));
}

void Socket::close_now() {
  if (handle_ != nullptr) set(ZMQ_LINGER, 0);
  close();
}

int Socket::events() {
  int events = 0;
  std::size_t size = sizeof events;
  if (zmq_getsockopt(handle_, ZMQ_EVENTS, &events, &size) != 0) return 0;
  quiet_ = (events & ZMQ_POLLIN) == 0;
  return events;
}

int Socket::send(Frame& frame, bool more) {
  quiet_ = false;
  while (zmq_msg_send(frame.raw(), handle_, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
    if (zmq_errno() != EINTR) return zmq_errno();
  }
  return 0;
}

int Socket::send(std::string_view bytes, bool more) {
  quiet_ = false;
  while (zmq_send(handle_, bytes.data(), bytes.size(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) <
         0) {
    if (zmq_errno() != EINTR) return zmq_errno();
  }
  return 0;
}

bool Socket::receive(Frame& frame, bool& more) {
  while (zmq_msg_recv(frame.raw(), handle_, ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EINTR) continue;
    quiet_ = zmq_errno() == EAGAIN;
    return false;
  }
  more = zmq_msg_more(frame.raw()) != 0;
  return true;
}

std::uint64_t Socket::discard_rest() {
  std::uint64_t frames = 0;
  Frame frame;
  bool more = true;
  // All frames of a message are there once its first one is.
  while (more && receive(frame, more)) ++frames;
  return frames;
}

}  // namespace waggle
