#include "tests/sim/stamp_truth.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits.h"
#include "coordinator/own_keys.h"

namespace waggle::sim {
namespace {

// By policies_of_the_world().
bool is_lww(const Key& key) {
  return key.value().starts_with("r/");
}

bool later(Hlc hlc, const AgentId& agent, const Record& than) {
  return std::pair(hlc, agent) > std::pair(than.hlc, than.writer.agent);
}

}  // namespace

void StampTruth::take(const std::string& what, const Key& key, const Record& record,
                      const Found& found) {
  const bool own = record.writer.agent == AgentId(kCoordinatorName);
  const auto latest =
      static_cast<std::uint64_t>(record.commit_wall_millis) + HlcClock::kDriftMillis;
  if (!own && record.hlc.millis() > latest)
    found("stamps", fmt::format("{}: stamped {} ms ahead of the coordinator", what,
                                record.hlc.millis() + HlcClock::kDriftMillis - latest));
  if (!own || !is_own_key(key.value())) return;
  if (record.hlc <= own_)
    found("stamps", fmt::format("{}: the coordinator's stamp went back by {} ms", what,
                                own_.millis() - record.hlc.millis()));
  own_ = std::max(own_, record.hlc);
}

void StampTruth::check_winner(const std::string& what, const Key& key, const Entry& entry,
                              const Record& record, const Record& before, const Found& found) {
  if (!is_lww(key) || !std::holds_alternative<std::monostate>(entry.expect)) return;
  if (!later(record.hlc, record.writer.agent, before))
    found("stamps", fmt::format("{}: stands over {}'s, which is the later one", what,
                                before.writer.agent.value()));
}

void StampTruth::check_loser(const Mutation& mutation, const AgentId& agent, const Outcome& outcome,
                             const Found& found) {
  if (outcome.code != Code::kConflict || !outcome.committed || !is_lww(outcome.key)) return;
  if (outcome.conflict != ConflictKind::kConcurrentUpdate &&
      outcome.conflict != ConflictKind::kDeleteUpdate)
    return;
  if (later(mutation.hlc, agent, *outcome.committed))
    found("stamps", fmt::format("a write of {} lost against {}'s version {}, which is the earlier "
                                "one",
                                outcome.key.value(), outcome.committed->writer.agent.value(),
                                outcome.committed->version.value()));
}

}  // namespace waggle::sim
