// Claims.

#include <fmt/format.h>

#include "base/limits.h"
#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {
namespace {

std::optional<Register> read_register(bool given, wire::Value::Reader from, std::string_view what) {
  if (!given) return std::nullopt;
  Value value = read(from);
  auto* content = std::get_if<Register>(&value);
  if (content == nullptr) refuse(fmt::format("{}: expected a register", what));
  return std::move(*content);
}

std::vector<std::string> read_capabilities(capnp::List<capnp::Text>::Reader list) {
  return read_list(list, limits::kTaskCan, "capabilities", [](capnp::Text::Reader name) {
    return std::string(read_text(name, "capability", limits::kIdBytes));
  });
}

}  // namespace

void write(wire::ClaimRequest::Builder to, const ClaimRequest& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setVerb(number_of(from.verb));
  to.setToken(from.token.value());
  to.setTtlMillis(from.ttl_millis);
  to.setWaitMillis(from.wait_millis);
  to.setPattern(text_of(from.pattern));
  if (!from.label.empty()) to.setLabel(text_of(from.label));
  if (!from.to.empty()) to.setTo(text_of(from.to));
  if (from.checkpoint) write(to.initCheckpoint(), *from.checkpoint);
  write_texts(from.can, [&](unsigned size) { return to.initCan(size); });
}

ClaimRequest read(wire::ClaimRequest::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .verb = read_enum<ClaimVerb>(from.getVerb()),
          .pattern = read_text(from.getPattern(), "pattern"),
          .label = read_text(from.getLabel(), "label", limits::kIdBytes),
          .token = FenceToken(read_number(from.getToken(), "token")),
          .ttl_millis = read_duration(from.getTtlMillis(), "time to live"),
          .wait_millis = read_duration(from.getWaitMillis(), "wait"),
          .to = read_optional_agent(from.getTo()),
          .can = read_capabilities(from.getCan()),
          .checkpoint = read_register(from.hasCheckpoint(), from.getCheckpoint(), "checkpoint")};
}

void write(wire::ClaimResult::Builder to, const ClaimResult& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setCode(number_of(from.code));
  to.setReason(number_of(from.reason));
  to.setPlace(from.place);
  to.setToken(from.token.value());
  to.setTtlMillis(from.ttl_millis);
  to.setRevision(from.revision.value());
  to.setPattern(text_of(from.pattern));
  if (!from.text.empty()) to.setText(text_of(from.text));
  if (from.checkpoint) write(to.initCheckpoint(), *from.checkpoint);
  if (from.task) write(to.initTask(), *from.task);
}

ClaimResult read(wire::ClaimResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .pattern = read_text(from.getPattern(), "pattern"),
          .code = read_enum<Code>(from.getCode()),
          .reason = read_enum<Reason>(from.getReason()),
          .text = read_text(from.getText(), "text"),
          .place = from.getPlace(),
          .token = FenceToken(read_number(from.getToken(), "token")),
          .ttl_millis = read_duration(from.getTtlMillis(), "time to live"),
          .revision = read_revision(from.getRevision()),
          .checkpoint = read_register(from.hasCheckpoint(), from.getCheckpoint(), "checkpoint"),
          .task = read_register(from.hasTask(), from.getTask(), "task")};
}

}  // namespace waggle::codec
