#include "include/lib/message_port.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <poll.h>

#include "base/event.h"
#include "io/zmq_agent.h"
#include "io/zmq_context.h"

namespace waggle {
namespace {

// Over a DEALER, with the sockets' settings of an agent and no broadcast leg.
class SocketPort final : public MessagePort, FdWatch {
 public:
  explicit SocketPort(std::string name) : name_(std::move(name)) {}
  ~SocketPort() override {
    if (transport_) transport_->attach(nullptr);
  }

  [[nodiscard]] Status open(const Endpoint& coordinator, const LinkKeysPtr& keys) {
    ZmqAgentTransport::Options options;
    options.coordinator = coordinator;
    options.keys = keys;
    options.explain = true;
    Result<std::unique_ptr<ZmqAgentTransport>> transport =
        ZmqAgentTransport::open(context_, options);
    if (!transport) return std::unexpected(std::move(transport.error()));
    transport_ = std::move(*transport);
    transport_->attach(this);
    return {};
  }

  [[nodiscard]] Status send(const Message& message) override {
    const std::uint64_t before = transport_->counters().frames_out;
    transport_->send(SendUp{make_message(message)});
    if (transport_->counters().frames_out > before) return {};
    return failed(Code::kUnavailable, "not connected");
  }

  [[nodiscard]] Result<MessagePtr> receive(std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (arrived_.empty()) {
      std::vector<Event> events;
      transport_->receive(events, 64);
      std::ranges::move(events, std::back_inserter(arrived_));
      if (!arrived_.empty()) break;
      if (transport_->has_work()) continue;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return nullptr;
      pollfd readable{fd_, POLLIN, 0};
      const int wait = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
      if (::poll(&readable, 1, wait) > 0) transport_->spoke(fd_);
    }
    Event event = std::move(arrived_.front());
    arrived_.pop_front();
    if (auto* received = std::get_if<Received>(&event)) return std::move(received->message);
    if (auto* malformed = std::get_if<Malformed>(&event))
      return std::unexpected(std::move(malformed->error));
    return nullptr;
  }

  [[nodiscard]] bool closed() const override { return false; }
  [[nodiscard]] std::string name() const override { return name_; }

 private:
  void watch(int fd) override { fd_ = fd; }
  void forget(int fd) override {
    if (fd_ == fd) fd_ = -1;
  }

  const std::string name_;
  ZmqContext context_;
  std::unique_ptr<ZmqAgentTransport> transport_;
  int fd_ = -1;
  std::deque<Event> arrived_;
};

class InnerPort final : public MessagePort {
 public:
  explicit InnerPort(std::unique_ptr<LocalPort> port) : port_(std::move(port)) {}

  [[nodiscard]] Status send(const Message& message) override { return port_->send(message); }
  [[nodiscard]] Result<MessagePtr> receive(std::chrono::milliseconds timeout) override {
    return port_->receive(timeout);
  }
  [[nodiscard]] bool closed() const override { return port_->closed(); }
  [[nodiscard]] std::string name() const override { return "the coordinator of this process"; }

 private:
  std::unique_ptr<LocalPort> port_;
};

}  // namespace

Result<std::unique_ptr<MessagePort>> dial_port(const std::string& coordinator,
                                               const LinkKeysPtr& keys) {
  Result<Endpoint> endpoint = parse_dial(coordinator);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  auto port = std::make_unique<SocketPort>(coordinator);
  if (Status opened = port->open(*endpoint, keys); !opened)
    return std::unexpected(std::move(opened.error()));
  return std::unique_ptr<MessagePort>(std::move(port));
}

std::unique_ptr<MessagePort> port_over(std::unique_ptr<LocalPort> port) {
  return std::make_unique<InnerPort>(std::move(port));
}

}  // namespace waggle
