#include "cli/agent_claims.h"

#include <algorithm>

#include "cli/op_fields.h"

namespace waggle::cli {
namespace {

constexpr std::int64_t kTtlMillis = 30'000;

}  // namespace

const std::vector<OpForm>& claim_forms() {
  static const std::vector<OpForm> kForms = {
      {"claim", {"pattern", "ttl", "wait", "renew", "checkpoint"}},
      {"claim_renew", {"pattern", "token", "ttl", "checkpoint"}},
      {"claim_release", {"pattern", "token", "checkpoint"}},
      {"claim_handover", {"pattern", "token", "to", "ttl", "checkpoint"}}};
  return kForms;
}

bool is_claim(std::string_view op) {
  return std::ranges::find(claim_forms(), op, &OpForm::op) != claim_forms().end();
}

Result<ClaimCommand> claim_of(const Json& object, std::string_view op) {
  ClaimCommand command;
  if (op == "claim") command.ttl_millis = kTtlMillis;
  if (op == "claim_renew") command.verb = ClaimVerb::kRenew;
  if (op == "claim_release") command.verb = ClaimVerb::kRelease;
  if (op == "claim_handover") command.verb = ClaimVerb::kHandover;
  Result<std::string> pattern = text_of(object, "pattern");
  if (!pattern) return std::unexpected(std::move(pattern.error()));
  command.pattern = *std::move(pattern);
  if (Status token = read_token(object, command.token); !token)
    return std::unexpected(std::move(token.error()));
  for (const auto& [name, out] :
       {std::pair{"ttl", &command.ttl_millis}, std::pair{"wait", &command.wait_millis}})
    if (Status read = read_duration(object, name, *out); !read)
      return std::unexpected(std::move(read.error()));
  if (Status renew = read_flag(object, "renew", command.renews); !renew)
    return std::unexpected(std::move(renew.error()));
  if (command.verb == ClaimVerb::kHandover) {
    Result<std::string> to = text_of(object, "to");
    if (!to) return std::unexpected(std::move(to.error()));
    command.to = AgentId(*std::move(to));
  }
  if (const Json* checkpoint = object.find("checkpoint")) {
    // As the value of a put: a string is text, all else JSON.
    Json value;
    value.set("value", *checkpoint);
    Result<Register> content = register_of(value);
    if (!content) return std::unexpected(std::move(content.error()));
    command.checkpoint = *std::move(content);
  }
  return command;
}

}  // namespace waggle::cli
