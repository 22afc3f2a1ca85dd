#include "base/mutation.h"

#include <tuple>

namespace waggle {
std::string_view to_text(ConflictKind kind) {
  switch (kind) {
    case ConflictKind::kNone:
      return "none";
    case ConflictKind::kVersionMismatch:
      return "version_mismatch";
    case ConflictKind::kConcurrentUpdate:
      return "concurrent_update";
    case ConflictKind::kClockDivergence:
      return "clock_divergence";
    case ConflictKind::kDeleteUpdate:
      return "delete_update";
    case ConflictKind::kFieldConflict:
      return "field_conflict";
    case ConflictKind::kMoveConflict:
      return "move_conflict";
    case ConflictKind::kDataInconsistency:
      return "data_inconsistency";
  }
  return "unrecognised";
}

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kTypeMismatch:
      return "type_mismatch";
    case Reason::kTooLarge:
      return "too_large";
    case Reason::kOverflow:
      return "overflow";
    case Reason::kInvalid:
      return "invalid";
    case Reason::kClockAhead:
      return "clock_ahead";
    case Reason::kDiskFull:
      return "disk_full";
    case Reason::kWriterForgotten:
      return "writer_forgotten";
    case Reason::kStateFull:
      return "state_full";
    case Reason::kForeignEpoch:
      return "foreign_epoch";
    case Reason::kWindow:
      return "window";
    case Reason::kNoSwarm:
      return "no_swarm";
    case Reason::kBaseLost:
      return "base_lost";
    case Reason::kNotEnough:
      return "not_enough";
    case Reason::kOutOfRange:
      return "out_of_range";
    case Reason::kWrongClass:
      return "wrong_class";
    case Reason::kClaimed:
      return "claimed";
    case Reason::kStaleToken:
      return "stale_token";
    case Reason::kReserved:
      return "reserved";
    case Reason::kNotVoter:
      return "not_voter";
    case Reason::kClosed:
      return "closed";
    case Reason::kVoted:
      return "voted";
    case Reason::kNeedsProposal:
      return "needs_proposal";
    case Reason::kNotSigned:
      return "not_signed";
    case Reason::kNotAllowed:
      return "not_allowed";
    case Reason::kTooMany:
      return "too_many";
    case Reason::kRateLimit:
      return "rate_limit";
  }
  return "unrecognised";
}

bool operator==(const Outcome& a, const Outcome& b) {
  const auto fields = [](const Outcome& o) {
    return std::tie(o.code, o.level, o.revision, o.changed, o.reason, o.conflict, o.key, o.expected,
                    o.coordinator_wall_millis, o.retry_millis, o.parked, o.text);
  };
  return fields(a) == fields(b) && Change{a.key, a.committed} == Change{b.key, b.committed};
}

std::size_t wire_size(const Outcome& outcome) {
  constexpr std::size_t kFixed = 96;
  std::size_t size = kFixed + outcome.key.value().size() + outcome.text.size();
  if (outcome.committed) size += wire_size(outcome.key, *outcome.committed);
  return size;
}

std::size_t wire_size(const Mutation& mutation) {
  std::size_t size = 96 + 16 * mutation.context.own_through.size();
  for (const Entry& entry : mutation.entries) {
    size += 64 + entry.key.value().size() + input_bytes(entry.op);
    for (const auto& [name, text] : entry.metadata) size += 32 + name.size() + text.size();
    if (entry.signature) size += 72;
  }
  return size;
}

}  // namespace waggle
