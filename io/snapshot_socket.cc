#include "io/snapshot_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"

namespace waggle {
namespace {

constexpr std::string_view kRequest = "snapshot 1\n";
constexpr std::size_t kPartBytes = std::size_t{256} << 10;
constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;
constexpr int kBacklog = 8;
constexpr std::chrono::milliseconds kAgain{100};

std::string error_text(const std::string& file, std::string_view text, int error) {
  return fmt::format("{}: {} ({})", file, text, std::generic_category().message(error));
}

// The address of a socket's file. One that is too long for it goes by the directory's descriptor.
class Address {
 public:
  Address(const std::string& directory, std::string_view name) {
    std::string path = fmt::format("{}/{}", directory, name);
    if (path.size() >= sizeof address_.sun_path) {
      directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      path = fmt::format("/proc/self/fd/{}/{}", directory_, name);
    }
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.data(),
                std::min(path.size(), sizeof address_.sun_path - 1));
  }
  ~Address() {
    if (directory_ >= 0) ::close(directory_);
  }
  Address(const Address&) = delete;
  Address& operator=(const Address&) = delete;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  sockaddr_un address_{};
  int directory_ = -1;
};

void give_patience(int socket) {
  const timeval patience{kSnapshotPatience.count(), 0};
  (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

// 0, or the errno.
int send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

// 0, or the errno; EPIPE: the other side ended.
int receive_all(int socket, char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = recv(socket, bytes, size, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return EPIPE;
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return 0;
}

std::string length_bytes(std::size_t size) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<char>(size >> shift));
  return bytes;
}

int receive_length(int socket, std::size_t& size) {
  std::array<char, 4> bytes{};
  const int error = receive_all(socket, bytes.data(), bytes.size());
  size = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    size = size << 8 | static_cast<unsigned char>(bytes[i]);
  return error;
}

}  // namespace

// ---- the coordinator's side --------------------------------------------------------------------

Result<std::unique_ptr<SnapshotSocket>> SnapshotSocket::open(const std::string& directory,
                                                             std::string_view name, Make make) {
  const std::string file = fmt::format("{}/{}", directory, name);
  std::unique_ptr<SnapshotSocket> made(new SnapshotSocket(file, std::move(make)));
  made->listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  (void)unlink(file.c_str());
  const Address address(directory, name);
  // The mode of a socket before it is bound is that of its file, so it is never open to others.
  const int listener = made->listener_;
  if (listener < 0 || fchmod(listener, S_IRUSR | S_IWUSR) != 0 ||
      bind(listener, address.get(), Address::size()) != 0 || listen(listener, kBacklog) != 0)
    return failed(Code::kUnavailable, error_text(file, "can't be listened on", errno));
  made->thread_ = std::thread([socket = made.get()] { socket->run(); });
  return made;
}

SnapshotSocket::~SnapshotSocket() {
  stopping_ = true;
  stop_.wake();
  {
    const std::lock_guard lock(mutex_);
    if (caller_ >= 0) (void)shutdown(caller_, SHUT_RDWR);
  }
  if (thread_.joinable()) {
    thread_.join();
    (void)unlink(file_.c_str());
  }
  if (listener_ >= 0) ::close(listener_);
}

void SnapshotSocket::run() {
  while (!stopping_) {
    std::array<pollfd, 2> wait = {{{listener_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}}};
    if (poll(wait.data(), wait.size(), -1) < 0 || stopping_) continue;
    const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (caller < 0) {
      // No descriptor is left, or the caller is gone: not at full speed again.
      (void)poll(&wait[1], 1, static_cast<int>(kAgain.count()));
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      caller_ = caller;
    }
    if (!stopping_) serve(caller);
    const std::lock_guard lock(mutex_);
    caller_ = -1;
    ::close(caller);
  }
}

void SnapshotSocket::serve(int caller) {
  give_patience(caller);
  std::array<char, kRequest.size()> request{};
  if (receive_all(caller, request.data(), request.size()) != 0) return;
  Status made = failed(Code::kUnsupported,
                       "the coordinator knows no such request; use a Waggle of its version");
  if (std::string_view(request.data(), request.size()) == kRequest)
    made = make_([&](std::string_view bytes) -> Status {
      for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPartBytes))) {
        const std::string_view part = bytes.substr(0, kPartBytes);
        int error = send_all(caller, length_bytes(part.size()));
        if (error == 0) error = send_all(caller, part);
        if (error != 0)
          return failed(Code::kUnavailable, error_text(file_, "the caller is gone", error));
      }
      return {};
    });
  std::string end = length_bytes(0);
  end.push_back(static_cast<char>(made ? Code::kCommitted : made.error().code));
  const std::string text = made ? std::string() : made.error().text.substr(0, kTextBytesMax);
  end += length_bytes(text.size()) + text;
  (void)send_all(caller, end);
}

// ---- the caller's side -------------------------------------------------------------------------

namespace {

class Connection {
 public:
  explicit Connection(std::string file)
      : file_(std::move(file)), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] Status dial(const Address& address) {
    if (socket_ < 0 || connect(socket_, address.get(), Address::size()) != 0)
      return failed(errno == EACCES || errno == EPERM ? Code::kDenied : Code::kUnavailable,
                    error_text(file_, "no coordinator offers snapshots there", errno));
    give_patience(socket_);
    return ended(send_all(socket_, kRequest));
  }
  // False: that was the end.
  [[nodiscard]] Result<bool> take(const ByteSink& sink) {
    std::size_t size = 0;
    if (Status got = ended(receive_length(socket_, size)); !got)
      return std::unexpected(got.error());
    if (size == 0) return take_end();
    if (size > kPartBytes) return failed(Code::kInternal, file_ + ": a part that is too long");
    part_.resize(size);
    if (Status got = ended(receive_all(socket_, part_.data(), size)); !got)
      return std::unexpected(got.error());
    if (Status taken = sink(part_); !taken) return std::unexpected(taken.error());
    return true;
  }

 private:
  [[nodiscard]] Result<bool> take_end() {
    char code = 0;
    std::size_t size = 0;
    int error = receive_all(socket_, &code, 1);
    if (error == 0) error = receive_length(socket_, size);
    if (error == 0 && size > kTextBytesMax) error = EMSGSIZE;
    std::string text(error == 0 ? size : 0, '\0');
    if (error == 0) error = receive_all(socket_, text.data(), text.size());
    if (Status got = ended(error); !got) return std::unexpected(got.error());
    if (static_cast<Code>(code) == Code::kCommitted) return false;
    return failed(static_cast<Code>(code), std::move(text));
  }
  [[nodiscard]] Status ended(int error) const {
    if (error == 0) return {};
    if (error == EAGAIN || error == EWOULDBLOCK)
      return failed(Code::kTimeout,
                    fmt::format("{}: the coordinator said nothing for {} seconds; try again", file_,
                                kSnapshotPatience.count()));
    return failed(Code::kUnavailable,
                  error_text(file_, "the coordinator ended meanwhile; try again", error));
  }

  const std::string file_;
  const int socket_;
  std::string part_;
};

}  // namespace

Status fetch_snapshot(const std::string& directory, std::string_view name, const ByteSink& sink) {
  Connection connection(fmt::format("{}/{}", directory, name));
  const Address address(directory, name);
  if (Status dialled = connection.dial(address); !dialled) return dialled;
  Result<bool> more = true;
  while (more && *more) more = connection.take(sink);
  if (!more) return std::unexpected(more.error());
  return {};
}

}  // namespace waggle
