// Ephemeral keys: the application's writes, their results, updates, what was missed.

#include <utility>

#include <fmt/format.h>

#include "agent/agent.h"
#include "base/shape.h"

namespace waggle {
namespace {

constexpr std::int64_t kEphemeralResendMillis = 1'000;

}  // namespace

void Agent::ephemeral(const EphemeralCommand& command) {
  const auto refuse = [&](Code code, std::string text) {
    tell(CommandFailed{command.request, {code, std::move(text)}});
  };
  if (const Status may = may_write(); !may) return refuse(may.error().code, may.error().text);
  if (const Status shape = check_key(command.key.value()); !shape)
    return refuse(shape.error().code, shape.error().text);
  if (const Status shape = check_metadata(command.metadata); !shape)
    return refuse(shape.error().code, shape.error().text);
  if (command.value) {
    if (const Status shape = check_value(Value{*command.value}); !shape)
      return refuse(shape.error().code, shape.error().text);
    if (command.value->bytes.size() > limits::kEphemeralValueBytes)
      return refuse(Code::kRejected,
                    fmt::format("the value has {} bytes, an ephemeral one has at most {}",
                                command.value->bytes.size(), limits::kEphemeralValueBytes));
  }
  if (const Status kept = ephemeral_.write(command, now_); !kept)
    return refuse(kept.error().code, kept.error().text);
}

// With an attachment: what is missing is asked for, what waits is sent.
void Agent::exchange_ephemeral() {
  if (!attached_) return;
  if (ephemeral_.behind() && ephemeral_pull_at_ == Instant::never()) ask_ephemeral();
  if (std::optional<EphemeralWrite> write = ephemeral_.next(now_.monotonic))
    send_ephemeral(*std::move(write));
}

void Agent::ask_ephemeral() {
  count("ephemeral_states");
  ephemeral_request_ = random_.id<RequestId>();
  ephemeral_pull_at_ = in(jittered(kEphemeralResendMillis));
  up(make_message(EphemeralRequest{session_, ephemeral_request_}));
}

void Agent::send_ephemeral(EphemeralWrite write) {
  write.session = session_;
  ephemeral_resend_at_ = in(jittered(kEphemeralResendMillis));
  up(make_message(std::move(write)));
}

void Agent::on_ephemeral_tick() {
  if (!attached_) return;
  // If it is still missing, it is asked for again when the group is closed.
  if (now_.monotonic >= ephemeral_pull_at_) ephemeral_pull_at_ = Instant::never();
  if (now_.monotonic >= ephemeral_resend_at_) {
    ephemeral_resend_at_ = Instant::never();
    if (const EphemeralWrite* write = ephemeral_.on_its_way()) send_ephemeral(*write);
  }
}

void Agent::lose_ephemeral() {
  ephemeral_.lose_link();
  ephemeral_pull_at_ = Instant::never();
  ephemeral_resend_at_ = Instant::never();
}

void Agent::on_ephemeral_result(const EphemeralResult& result) {
  ephemeral_resend_at_ = Instant::never();
  for (EphemeralSettled& settled : ephemeral_.on_result(result)) {
    if (settled.code != Code::kCommitted) count("ephemeral_writes_refused");
    tell(std::move(settled));
  }
  // Of an earlier write, say: the one on its way still waits.
  if (ephemeral_.on_its_way() != nullptr) ephemeral_resend_at_ = in(kEphemeralResendMillis);
}

void Agent::on_ephemeral_update(const MessagePtr& message) {
  const auto& update = std::get<EphemeralUpdate>(*message);
  if (!welcomed()) return;
  if (update.start != start_) {
    rejoin(Code::kUnavailable, "the coordinator was restarted");
    return;
  }
  broadcast_ = std::max(broadcast_, update.broadcast);
  std::vector<Change> changed;
  ephemeral_.on_update(message, changed);
  tell_ephemeral(std::move(changed));
}

void Agent::on_ephemeral_state(const EphemeralState& state) {
  std::vector<Change> changed;
  ephemeral_.on_state(state, ephemeral_request_, changed);
  if (!ephemeral_.behind() || state.last) ephemeral_pull_at_ = Instant::never();
  tell_ephemeral(std::move(changed));
}

void Agent::tell_ephemeral(std::vector<Change> changed) {
  if (!changed.empty()) tell(EphemeralChanged{ephemeral_.at(), std::move(changed)});
}

}  // namespace waggle
