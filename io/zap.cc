#include "io/zap.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <zmq.h>

#include "base/check.h"

namespace waggle {
namespace {

constexpr const char* kHandlerEndpoint = "inproc://zeromq.zap.01";
constexpr const char* kStopEndpoint = "inproc://waggle-zap-stop";
constexpr std::size_t kFramesMax = 16;
constexpr std::string_view kVersion = "1.0";

// One request of libzmq (RFC 27): version, request id, domain, address, identity, mechanism, and of
// CURVE the client's key.
struct Request {
  std::vector<std::string> frames;

  [[nodiscard]] std::string_view at(std::size_t index) const {
    return index < frames.size() ? std::string_view(frames[index]) : std::string_view();
  }
  [[nodiscard]] std::string_view id() const { return at(1); }
  [[nodiscard]] std::string_view domain() const { return at(2); }
  [[nodiscard]] std::string_view address() const { return at(3); }
  [[nodiscard]] std::string_view mechanism() const { return at(5); }
  [[nodiscard]] std::string_view key() const { return at(6); }
};

Request receive_request(void* socket) {
  Request request;
  int more = 1;
  while (more != 0) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, socket, 0) < 0) {
      zmq_msg_close(&frame);
      break;
    }
    if (request.frames.size() < kFramesMax)
      request.frames.emplace_back(static_cast<const char*>(zmq_msg_data(&frame)),
                                  zmq_msg_size(&frame));
    more = zmq_msg_more(&frame);
    zmq_msg_close(&frame);
  }
  return request;
}

void send_reply(void* socket, const Request& request, std::string_view status,
                std::string_view text, std::string_view user_id) {
  const std::array<std::string_view, 6> frames = {kVersion, request.id(), status,
                                                  text,     user_id,      std::string_view()};
  for (std::size_t i = 0; i < frames.size(); ++i)
    WAGGLE_CHECK(zmq_send(socket, frames[i].data(), frames[i].size(),
                          i + 1 < frames.size() ? ZMQ_SNDMORE : 0) >= 0,
                 zmq_strerror(zmq_errno()));
}

}  // namespace

std::string zap_domain(const SwarmId& swarm) {
  return fmt::format("{}/{}", kZapDomain, swarm.value());
}

std::string user_id_of(const Key32& link) {
  return hex_of({reinterpret_cast<const char*>(link.data()), link.size()});
}

// ---- the table ---------------------------------------------------------------------------------

std::vector<IdentityPtr> Admission::replace(const std::vector<AuthorizedKey>& keys) {
  std::map<std::string, IdentityPtr, std::less<>> fresh;
  for (const AuthorizedKey& key : keys)
    fresh.emplace(user_id_of(key.key.link),
                  std::make_shared<const Identity>(
                      Identity{key.key.fingerprint(), key.agent, key.swarm, key.key.signing}));
  const std::lock_guard lock(mutex_);
  std::vector<IdentityPtr> ended;
  for (const auto& [user_id, identity] : by_user_id_) {
    const auto now = fresh.find(user_id);
    if (now != fresh.end() && *now->second == *identity) {
      now->second = identity;
    } else {
      ended.push_back(identity);
    }
  }
  by_user_id_ = std::move(fresh);
  return ended;
}

IdentityPtr Admission::find(std::string_view user_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_user_id_.find(user_id);
  return found == by_user_id_.end() ? nullptr : found->second;
}

std::size_t Admission::size() const {
  const std::lock_guard lock(mutex_);
  return by_user_id_.size();
}

// ---- the handler -------------------------------------------------------------------------------

ZapHandler::ZapHandler(const ZmqContext& context, const Admission& admission,
                       std::function<void(const Refusal&)> refused)
    : admission_(admission), refused_(std::move(refused)) {
  const auto made = [&](int type) {
    void* socket = zmq_socket(context.handle(), type);
    WAGGLE_CHECK(socket != nullptr, zmq_strerror(zmq_errno()));
    const int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
  };
  const auto check = [](int rc) { WAGGLE_CHECK(rc == 0, zmq_strerror(zmq_errno())); };
  answers_ = made(ZMQ_REP);
  check(zmq_bind(answers_, kHandlerEndpoint));
  stop_here_ = made(ZMQ_PAIR);
  stop_there_ = made(ZMQ_PAIR);
  check(zmq_bind(stop_there_, kStopEndpoint));
  check(zmq_connect(stop_here_, kStopEndpoint));
  thread_ = std::thread([this] { run(); });  // it has both sockets from here on
}

ZapHandler::~ZapHandler() {
  zmq_send(stop_here_, "", 0, 0);
  thread_.join();
  zmq_close(stop_here_);
}

void ZapHandler::run() {
  std::array<zmq_pollitem_t, 2> items = {
      {{answers_, 0, ZMQ_POLLIN, 0}, {stop_there_, 0, ZMQ_POLLIN, 0}}};
  while (true) {
    if (zmq_poll(items.data(), static_cast<int>(items.size()), -1) < 0) {
      WAGGLE_CHECK(zmq_errno() == EINTR,
                   "the handler of handshakes failed, and without it nobody "
                   "can be told apart");
      continue;
    }
    if (items[1].revents != 0) break;
    if (items[0].revents == 0) continue;
    const Request request = receive_request(answers_);
    const bool curve = request.mechanism() == "CURVE" && request.key().size() == 32;
    const std::string user_id = curve ? hex_of(request.key()) : std::string();
    const IdentityPtr identity = curve ? admission_.find(user_id) : nullptr;
    const bool enters =
        identity != nullptr &&
        (request.domain() == kZapDomain ||
         (!identity->swarm.empty() ? request.domain() == zap_domain(identity->swarm)
                                   : request.domain().starts_with(fmt::format("{}/", kZapDomain))));
    if (request.at(0) == kVersion && enters) {
      send_reply(answers_, request, "200", "OK", user_id);
      continue;
    }
    send_reply(answers_, request, "400", "not authorized", {});
    if (refused_)
      refused_({std::string(request.address()), identity == nullptr ? "" : identity->key, user_id,
                std::string(request.domain()),
                !curve                ? "it came without a key"
                : identity == nullptr ? "its key is not authorized"
                                      : "its key does not enter this swarm"});
  }
  zmq_close(answers_);
  zmq_close(stop_there_);
}

}  // namespace waggle
