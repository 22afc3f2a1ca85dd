#include "base/sequence_runs.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "base/sequence_joints.h"

namespace waggle {
namespace {

auto by_commit(const SequenceSpan& run) {
  return std::tuple(run.dot.revision, run.dot.index, run.offset);
}
auto by_place(const SequenceSpan& run) {
  return std::tuple(run.dot.index, run.offset, run.dot.revision);
}

// Puts the units behind the last run as far as they continue it, the rest into new ones.
void absorb(std::vector<SequenceSpan>& runs, SequenceSpan rest, auto continues, auto settle) {
  while (!runs.empty()) {
    SequenceSpan& last = runs.back();
    const std::uint32_t units = continues(last, rest);
    if (units == 0) break;
    settle(last, rest);
    last.count += units;
    if (units == rest.count) return;
    rest = split_span(rest, units, 0);
  }
  runs.push_back(std::move(rest));
}

}  // namespace

SequenceRuns runs_of(const SequenceTree& tree) {
  SequenceRuns runs;
  runs.content.reserve(tree.content_bytes());
  tree.for_each([&](const SequenceSpan& span, std::string_view content) {
    runs.content += content;
    SequenceSpan names = span;
    names.bytes = 0;
    names.deleted = false;
    names.step = 0;
    names.deletion = {};
    names.later.reset();
    absorb(runs.names, std::move(names), names_continue,
           [](SequenceSpan& run, const auto& next) { run.rising = *name_joint(run, next); });
    SequenceSpan deletions = span;
    deletions.bytes = 0;
    deletions.dot = {};
    deletions.offset = 0;
    deletions.rising = false;
    deletions.left = deletions.right = {};
    absorb(runs.deletions, std::move(deletions), deletions_continue,
           [](SequenceSpan& run, const auto& next) { run.step = *deletion_joint(run, next); });
  });
  return runs;
}

NameIndex::NameIndex(const std::vector<SequenceSpan>& names) : names_(names) {
  std::uint64_t start = 0;
  starts_.reserve(names.size());
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    starts_.push_back(start);
    start += names[i].count;
    if (!names[i].base()) (names[i].rising ? rising_ : commits_).push_back(i);
  }
  std::ranges::sort(commits_, {}, [&](std::uint32_t run) { return by_commit(names_[run]); });
  std::ranges::sort(rising_, {}, [&](std::uint32_t run) { return by_place(names_[run]); });
}

std::optional<std::uint64_t> NameIndex::position(const UnitRef& name) const {
  const auto found = [&](const std::vector<std::uint32_t>& runs,
                         auto after) -> std::optional<std::uint64_t> {
    const auto behind = std::partition_point(
        runs.begin(), runs.end(), [&](std::uint32_t run) { return !after(names_[run]); });
    if (behind == runs.begin()) return std::nullopt;
    const std::uint32_t run = *std::prev(behind);
    const std::uint32_t unit = names_[run].find(name);
    if (unit == names_[run].count) return std::nullopt;
    return starts_[run] + unit;
  };
  const auto commit = found(commits_, [&](const SequenceSpan& run) {
    return by_commit(run) > std::tuple(name.revision, name.index, name.offset);
  });
  if (commit) return commit;
  return found(rising_, [&](const SequenceSpan& run) {
    return by_place(run) > std::tuple(name.index, name.offset, name.revision);
  });
}

NameIndex::Found NameIndex::at(std::uint64_t position) const {
  const auto behind = std::ranges::upper_bound(starts_, position);
  const auto run = static_cast<std::size_t>(behind - starts_.begin()) - 1;
  return {run, static_cast<std::uint32_t>(position - starts_[run])};
}

// Runs of one commit must not overlap; rising ones neither, nor hold a unit of the former. The last
// is seen by passing over the revisions with the set of rising runs that are under way.
bool NameIndex::unique() const {
  for (std::size_t i = 1; i < commits_.size(); ++i) {
    const SequenceSpan& a = names_[commits_[i - 1]];
    const SequenceSpan& b = names_[commits_[i]];
    if (a.dot.revision == b.dot.revision && a.dot.index == b.dot.index &&
        b.offset - a.offset < a.count)
      return false;
  }
  // At one revision: runs begin (0), units of one commit are looked at (1), runs end (2).
  std::vector<std::tuple<std::uint64_t, int, std::uint32_t>> events;
  for (const std::uint32_t run : commits_) events.emplace_back(names_[run].dot.revision, 1, run);
  for (const std::uint32_t run : rising_) {
    events.emplace_back(names_[run].dot.revision, 0, run);
    events.emplace_back(names_[run].dot_of(names_[run].count - 1).revision, 2, run);
  }
  std::ranges::sort(events);
  std::set<std::pair<std::uint32_t, std::uint32_t>> under_way;
  for (const auto& [revision, kind, at] : events) {
    const SequenceSpan& run = names_[at];
    const std::pair place(run.dot.index, run.offset);
    if (kind == 0 && !under_way.insert(place).second) return false;
    if (kind == 2) under_way.erase(place);
    if (kind != 1) continue;
    const auto next = under_way.lower_bound(place);
    if (next != under_way.end() && next->first == place.first &&
        next->second - place.second < run.count)
      return false;
  }
  return true;
}

Status check_names(const SequenceTree& tree, Revision base) {
  const std::vector<SequenceSpan> names = runs_of(tree).names;
  const NameIndex index(names);
  const auto wrong = [](std::string_view what) {
    return failed(Code::kRejected, "sequence: " + std::string(what));
  };
  if (!index.unique()) return wrong("expected each unit once, got one twice");
  for (std::size_t i = 0; i < names.size(); ++i) {
    const SequenceSpan& run = names[i];
    if (run.base()) continue;
    if (run.dot.revision <= base.value()) return wrong("expected names above the base");
    if (run.newest() > limits::kNumberMax) return wrong("expected smaller revisions");
    if (run.left.kind == UnitRef::Kind::kUnit) {
      const auto left = index.position(run.left);
      if (!left || *left >= index.start_of(i)) return wrong("expected left origins before a unit");
    }
    if (run.right.kind == UnitRef::Kind::kUnit) {
      const auto right = index.position(run.right);
      if (!right || *right < index.start_of(i) + run.count)
        return wrong("expected right origins behind a unit");
    }
  }
  return {};
}

}  // namespace waggle
