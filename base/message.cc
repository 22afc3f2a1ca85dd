#include "base/message.h"

namespace waggle {

std::string_view to_text(Role role) {
  switch (role) {
    case Role::kMember:
      return "member";
    case Role::kObserver:
      return "observer";
    case Role::kClient:
      return "client";
  }
  return "unrecognised";
}

std::string_view to_text(Priority priority) {
  switch (priority) {
    case Priority::kNormal:
      return "normal";
    case Priority::kHigh:
      return "high";
    case Priority::kCritical:
      return "critical";
  }
  return "unrecognised";
}

std::string_view to_text(Health health) {
  switch (health) {
    case Health::kHealthy:
      return "healthy";
    case Health::kDegraded:
      return "degraded";
    case Health::kCritical:
      return "critical";
    case Health::kFailed:
      return "failed";
  }
  return "unrecognised";
}

std::string_view to_text(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::kSame:
      return "same";
    case AnswerKind::kBehind:
      return "behind";
    case AnswerKind::kDiffers:
      return "differs";
    case AnswerKind::kAbsent:
      return "absent";
    case AnswerKind::kOffer:
      return "offer";
  }
  return "unrecognised";
}

std::string_view to_text(RoundOutcome outcome) {
  switch (outcome) {
    case RoundOutcome::kResolved:
      return "resolved";
    case RoundOutcome::kUnchanged:
      return "unchanged";
    case RoundOutcome::kMoved:
      return "moved";
    case RoundOutcome::kNoQuorum:
      return "no_quorum";
    case RoundOutcome::kNoAgents:
      return "no_agents";
    case RoundOutcome::kTimeout:
      return "timeout";
    case RoundOutcome::kPartial:
      return "partial";
    case RoundOutcome::kParked:
      return "parked";
  }
  return "unrecognised";
}

std::string_view to_text(ClaimVerb verb) {
  switch (verb) {
    case ClaimVerb::kTake:
      return "take";
    case ClaimVerb::kRenew:
      return "renew";
    case ClaimVerb::kRelease:
      return "release";
    case ClaimVerb::kHandover:
      return "handover";
  }
  return "unrecognised";
}

int exit_code(RoundOutcome outcome) {
  switch (outcome) {
    case RoundOutcome::kResolved:
    case RoundOutcome::kUnchanged:
      return 0;
    case RoundOutcome::kMoved:
    case RoundOutcome::kNoQuorum:
    case RoundOutcome::kParked:
      return 4;
    case RoundOutcome::kNoAgents:
      return 5;
    case RoundOutcome::kTimeout:
      return 6;
    case RoundOutcome::kPartial:
      return 8;
  }
  return 1;
}

std::string_view name_of(const Message& message) {
  // In the order of the variant.
  static constexpr std::string_view kNames[] = {"hello",
                                                "welcome",
                                                "refused",
                                                "attached",
                                                "no_session",
                                                "fenced",
                                                "bye",
                                                "agent_heartbeat",
                                                "heartbeat_ack",
                                                "heartbeat",
                                                "submit",
                                                "submit_result",
                                                "state_update",
                                                "delta_request",
                                                "delta_chunk",
                                                "state_request",
                                                "state_response",
                                                "offer_result",
                                                "sync_request",
                                                "sync_report",
                                                "query",
                                                "query_result",
                                                "compact_request",
                                                "compact_result",
                                                "error",
                                                "ephemeral_write",
                                                "ephemeral_result",
                                                "ephemeral_update",
                                                "ephemeral_request",
                                                "ephemeral_state",
                                                "claim_request",
                                                "claim_result"};
  static_assert(std::size(kNames) == std::variant_size_v<Message>);
  return kNames[message.index()];
}

}  // namespace waggle
