#include "coordinator/writers.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {
namespace {

constexpr std::size_t kForgottenAtOnce = 256;
constexpr std::int64_t kTouchMillis = std::int64_t{24} * 3600 * 1000;
// A row of outcomes is cut here: a conflict's outcome carries the record that stands.
constexpr std::size_t kOutcomeRowBytes = std::size_t{64} << 10;

Seq confirmed_of(const std::vector<OwnThrough>& confirmed, Incarnation incarnation) {
  for (const OwnThrough& through : confirmed)
    if (through.incarnation == incarnation) return through.seq;
  return {};
}

}  // namespace

void Writers::restore(const WriterRow& row) {
  Line& line = lines_[row.agent][row.incarnation];
  line.through = row.through;
  line.beyond_seen = row.beyond_seen;
  line.used_wall_millis = row.used_wall_millis;
  auto& by_use = is_client_agent(row.agent) ? clients_by_use_ : members_by_use_;
  by_use.insert({line.used_wall_millis, {row.agent, row.incarnation}});
  ++rows_count_;
}

void Writers::restore(const OutcomeRow& row) {
  const auto lines = lines_.find(row.agent);
  if (lines == lines_.end() || row.outcomes.empty()) return;
  const auto found = lines->second.find(row.incarnation);
  if (found == lines->second.end()) return;
  Line& line = found->second;
  if (line.outcomes.empty()) line.first = row.seq;
  // A store that is whole holds no gap; of one that isn't, what follows the gap is not believed.
  if (row.seq.value() != line.first.value() + line.outcomes.size()) return;
  line.outcomes.insert(line.outcomes.end(), row.outcomes.begin(), row.outcomes.end());
  line.stored.push_back({row.seq, Seq(row.seq.value() + row.outcomes.size() - 1)});
}

const Outcome* Writers::Line::outcome_of(Seq seq) const {
  if (outcomes.empty() || seq < first || seq.value() >= first.value() + outcomes.size())
    return nullptr;
  return &outcomes[seq.value() - first.value()];
}

const Writers::Line* Writers::find(const AgentId& agent, Incarnation incarnation) const {
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return nullptr;
  const auto line = lines->second.find(incarnation);
  return line == lines->second.end() ? nullptr : &line->second;
}

Writers::Answer Writers::turn_of(const AgentId& agent, Incarnation incarnation, Seq seq,
                                 Seq confirmed, Revision seen, const SwarmRow& marks) const {
  const Line* line = find(agent, incarnation);
  if (line == nullptr) {
    // A writer that has results was forgotten; one that has none may be new.
    if (confirmed) return {Turn::kForgotten, {}, nullptr};
    const Revision mark = is_client_agent(agent) ? marks.clients_mark : marks.members_mark;
    if (seen < mark) return {Turn::kUnknown, {}, nullptr};
    if (seq != Seq(1)) return {Turn::kGap, Seq(1), nullptr};
    return {Turn::kNext, {}, nullptr};
  }
  if (seq <= line->through) return {Turn::kRepeated, {}, line->outcome_of(seq)};
  if (seq != line->through.next()) return {Turn::kGap, line->through.next(), nullptr};
  if (line->outcomes.size() >= limits::kWindow) return {Turn::kBeyond, {}, nullptr};
  return {Turn::kNext, {}, nullptr};
}

void Writers::consume(const AgentId& agent, Incarnation incarnation, Seq seq,
                      const Outcome& outcome, Revision seen, std::int64_t wall_millis) {
  const auto [slot, fresh] = lines_[agent].try_emplace(incarnation);
  Line& line = slot->second;
  WAGGLE_CHECK(seq == line.through.next(), "a seq was consumed out of order");
  if (fresh) ++rows_count_;
  if (fresh || wall_millis - wall_millis % 60'000 != line.used_wall_millis)
    used_now(agent, incarnation, line, wall_millis);
  line.through = seq;
  if (outcome.changed) line.beyond_seen = std::max(line.beyond_seen, seen.next());
  if (line.outcomes.empty()) line.first = seq;
  line.outcomes.push_back(outcome);
  ++line.unstored;
  if (!std::exchange(line.advanced, true)) advanced_.emplace_back(agent, incarnation);
}

void Writers::confirm(const AgentId& agent, const std::vector<OwnThrough>& confirmed,
                      std::vector<Row>& rows) {
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return;
  for (auto& [incarnation, line] : lines->second) {
    const Seq through = confirmed_of(confirmed, incarnation);
    while (!line.outcomes.empty() && line.first <= through) {
      line.outcomes.pop_front();
      line.first = line.first.next();
    }
    line.unstored = std::min(line.unstored, line.outcomes.size());
    // A row goes when all of it is confirmed. Until then a restart may tell an outcome once more.
    for (; !line.stored.empty() && line.stored.front().last <= through; line.stored.pop_front())
      rows.emplace_back(OutcomeRow{swarm_, agent, incarnation, line.stored.front().first, {}});
  }
}

void Writers::touch(const AgentId& agent, std::int64_t wall_millis, std::vector<Row>& rows) {
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return;
  for (auto& [incarnation, line] : lines->second) {
    if (wall_millis - line.used_wall_millis < kTouchMillis) continue;
    used_now(agent, incarnation, line, wall_millis);
    rows.emplace_back(row_of(agent, incarnation, line));
  }
}

// To the minute: the order of forgetting needs no more, and the index stays still.
void Writers::used_now(const AgentId& agent, Incarnation incarnation, Line& line,
                       std::int64_t wall_millis) {
  const std::int64_t used = wall_millis - wall_millis % 60'000;
  auto& by_use = is_client_agent(agent) ? clients_by_use_ : members_by_use_;
  by_use.erase({line.used_wall_millis, {agent, incarnation}});
  line.used_wall_millis = used;
  by_use.insert({used, {agent, incarnation}});
}

WriterRow Writers::row_of(const AgentId& agent, Incarnation incarnation, const Line& line) const {
  return {swarm_, agent, incarnation, line.through, line.beyond_seen, line.used_wall_millis, false};
}

void Writers::erase(const AgentId& agent, Incarnation incarnation, std::vector<Row>& rows) {
  const auto lines = lines_.find(agent);
  const auto line = lines->second.find(incarnation);
  auto& by_use = is_client_agent(agent) ? clients_by_use_ : members_by_use_;
  by_use.erase({line->second.used_wall_millis, {agent, incarnation}});
  WriterRow row = row_of(agent, incarnation, line->second);
  row.gone = true;
  rows.emplace_back(std::move(row));
  std::erase(advanced_, std::pair(agent, incarnation));
  lines->second.erase(line);
  if (lines->second.empty()) lines_.erase(lines);
  --rows_count_;
}

std::vector<Incarnation> Writers::retire_others(const AgentId& agent,
                                                const std::vector<Incarnation>& kept,
                                                std::vector<Row>& rows) {
  std::vector<Incarnation> retired;
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return retired;
  for (const auto& [incarnation, line] : lines->second)
    if (std::find(kept.begin(), kept.end(), incarnation) == kept.end())
      retired.push_back(incarnation);
  for (const Incarnation incarnation : retired) erase(agent, incarnation, rows);
  return retired;
}

bool Writers::forget_old(std::int64_t wall_millis, bool members, SwarmRow& swarm_row,
                         std::vector<Row>& rows) {
  bool raised = false;
  const auto sweep = [&](auto& by_use, std::int64_t keep_millis, std::size_t keep_rows,
                         Revision& mark) {
    for (std::size_t n = 0; !by_use.empty(); ++n) {
      const auto [used, who] = *by_use.begin();
      const bool old = used + keep_millis <= wall_millis && n < kForgottenAtOnce;
      if (!old && by_use.size() <= keep_rows) return;
      const Line* line = find(who.first, who.second);
      if (line->beyond_seen > mark) {
        mark = line->beyond_seen;
        raised = true;
      }
      erase(who.first, who.second, rows);
    }
  };
  sweep(clients_by_use_, kClientRowMillis, limits::kClientRows, swarm_row.clients_mark);
  if (members) sweep(members_by_use_, kMemberRowMillis, SIZE_MAX, swarm_row.members_mark);
  return raised;
}

std::vector<Applied> Writers::take_advanced(std::vector<Row>& rows) {
  std::vector<Applied> applied;
  applied.reserve(advanced_.size());
  for (const auto& [agent, incarnation] : advanced_) {
    Line& line = lines_[agent][incarnation];
    line.advanced = false;
    applied.push_back({agent, incarnation, line.through});
    while (line.unstored > 0) {
      const std::size_t at = line.outcomes.size() - line.unstored;
      OutcomeRow row{swarm_, agent, incarnation, Seq(line.first.value() + at), {}};
      for (std::size_t bytes = 0; line.unstored > 0 && bytes < kOutcomeRowBytes; --line.unstored) {
        row.outcomes.push_back(line.outcomes[line.outcomes.size() - line.unstored]);
        bytes += wire_size(row.outcomes.back());
      }
      line.stored.push_back({row.seq, Seq(row.seq.value() + row.outcomes.size() - 1)});
      rows.emplace_back(std::move(row));
    }
    rows.emplace_back(row_of(agent, incarnation, line));
  }
  advanced_.clear();
  return applied;
}

std::vector<OwnThrough> Writers::through(const AgentId& agent) const {
  std::vector<OwnThrough> through;
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return through;
  for (const auto& [incarnation, line] : lines->second)
    through.push_back({incarnation, line.through});
  return through;
}

std::vector<MutationResult> Writers::unconfirmed(const AgentId& agent, std::size_t most) const {
  std::vector<MutationResult> results;
  const auto lines = lines_.find(agent);
  if (lines == lines_.end()) return results;
  for (const auto& [incarnation, line] : lines->second)
    for (std::size_t i = 0; i < line.outcomes.size(); ++i) {
      if (results.size() >= most) return results;
      results.push_back({incarnation, Seq(line.first.value() + i), line.outcomes[i]});
    }
  return results;
}

}  // namespace waggle
