#include "resolver/lattice_context.h"

#include <algorithm>
#include <iterator>
#include <span>

#include <fmt/format.h>

#include "base/check.h"
#include "base/limits.h"

namespace waggle::lattice {
namespace {

std::unexpected<Error> cloud_full(std::size_t runs) {
  return failed(Code::kOverloaded,
                fmt::format("expected up to {} runs of changes out of order, got {}; ask for the "
                            "whole state instead of a delta",
                            kCloudRuns, runs));
}

// Appends what of `run` lies outside `holes`, which rise and belong to its actor or others.
void subtract(const Run& run, std::span<const Run> holes, std::vector<Run>& left) {
  std::uint64_t first = run.first;
  auto hole = std::ranges::partition_point(holes, [&](const Run& each) {
    return each.actor < run.actor || (each.actor == run.actor && each.last < run.first);
  });
  for (; hole != holes.end() && hole->actor == run.actor && hole->first <= run.last; ++hole) {
    if (hole->first > first) left.push_back({run.actor, first, hole->first - 1});
    first = hole->last + 1;
  }
  if (first <= run.last) left.push_back({run.actor, first, run.last});
}

}  // namespace

Result<ActorId> actor_of(std::uint64_t installation, std::uint16_t epoch) {
  if (installation == 0 || installation >> 48 != 0)
    return failed(Code::kRejected,
                  fmt::format("expected an installation of 1..2^48-1, got {}", installation));
  return ActorId((installation << 16) | epoch);
}

Result<ActorId> next_epoch(ActorId actor) {
  if ((actor.value() & 0xffff) == 0xffff)
    return failed(Code::kRejected,
                  "all 65536 epochs of this installation are used up; draw a new one");
  return actor.next();
}

void Actors::write(ByteWriter& out, const Dot& dot) const {
  const auto place = std::ranges::lower_bound(first_, dot.actor, {}, &Dot::actor);
  WAGGLE_CHECK(place != first_.end() && place->actor == dot.actor && place->n <= dot.n);
  out.number(static_cast<std::uint64_t>(place - first_.begin()));
  out.number(dot.n - place->n);
}

Dot Actors::read(ByteReader& in) const {
  if (first_.empty()) return in.fail("expected no dot where no actor is named"), Dot();
  const Dot& first = first_[in.number(first_.size() - 1)];
  return {first.actor, first.n + in.number(limits::kNumberMax - first.n)};
}

bool CausalContext::contains(const Dot& dot) const {
  if (dot.n <= through(dot.actor)) return true;
  if (cloud_.empty()) return false;
  const auto after = cloud_.upper_bound(dot);
  if (after == cloud_.begin()) return false;
  const auto& [first, last] = *std::prev(after);
  return first.actor == dot.actor && dot.n <= last;
}

bool CausalContext::covers(const CausalContext& other) const {
  const std::vector<Run> mine = runs();
  std::vector<Run> left;
  for (const Run& run : other.runs()) subtract(run, mine, left);
  return left.empty();
}

std::uint64_t CausalContext::through(ActorId actor) const {
  const auto found = std::ranges::lower_bound(vector_, actor, {}, &Seen::first);
  return found != vector_.end() && found->first == actor ? found->second : 0;
}

bool CausalContext::out_of_order(ActorId actor) const {
  const auto found = cloud_.lower_bound({actor, 0});
  return found != cloud_.end() && found->first.actor == actor;
}

Result<Dot> CausalContext::next(ActorId actor) const {
  std::uint64_t highest = through(actor);
  const auto after = cloud_.upper_bound({actor, UINT64_MAX});
  if (after != cloud_.begin() && std::prev(after)->first.actor == actor)
    highest = std::prev(after)->second;
  if (highest >= limits::kNumberMax)
    return failed(Code::kRejected,
                  fmt::format("actor {:x} has used up its {} dots; go on under its "
                              "next epoch",
                              actor.value(), limits::kNumberMax));
  return Dot{actor, highest + 1};
}

// Takes in the runs that now follow without a hole.
std::uint64_t CausalContext::absorb(ActorId actor, std::uint64_t through) {
  auto run = cloud_.lower_bound({actor, 0});
  while (run != cloud_.end() && run->first.actor == actor && run->first.n <= through + 1) {
    through = std::max(through, run->second);
    run = cloud_.erase(run);
  }
  return through;
}

void CausalContext::add_to_cloud(const Run& run) {
  Dot first{run.actor, run.first};
  std::uint64_t last = run.last;
  auto at = cloud_.upper_bound(first);
  if (at != cloud_.begin()) {
    const auto before = std::prev(at);
    if (before->first.actor == run.actor && before->second + 1 >= run.first) {
      if (before->second >= last) return;
      first = before->first;
      at = cloud_.erase(before);
    }
  }
  while (at != cloud_.end() && at->first.actor == run.actor && at->first.n <= last + 1) {
    last = std::max(last, at->second);
    at = cloud_.erase(at);
  }
  cloud_.emplace_hint(at, first, last);
}

void CausalContext::add(const Run& run) {
  auto found = std::ranges::lower_bound(vector_, run.actor, {}, &Seen::first);
  const bool known = found != vector_.end() && found->first == run.actor;
  const std::uint64_t seen = known ? found->second : 0;
  if (run.last <= seen) return;
  if (run.first > seen + 1) return add_to_cloud(run);
  if (!known) found = vector_.insert(found, {run.actor, 0});
  found->second = cloud_.empty() ? run.last : absorb(run.actor, run.last);
}

void CausalContext::add_all(const CausalContext& other) {
  for (const auto& [actor, last] : other.vector_) add({actor, 1, last});
  for (const auto& [first, last] : other.cloud_) add({first.actor, first.n, last});
}

Status CausalContext::insert(const Run& run) {
  if (cloud_.size() < kCloudRuns) {
    add(run);
    return {};
  }
  CausalContext more;
  more.add(run);
  return join(more);
}

Status CausalContext::check_join(const CausalContext& other) const {
  // Joining never makes more runs than both have together.
  if (cloud_.size() + other.cloud_.size() <= kCloudRuns) return {};
  CausalContext joined = *this;
  joined.add_all(other);
  if (joined.cloud_.size() > kCloudRuns) return cloud_full(joined.cloud_.size());
  return {};
}

Status CausalContext::join(const CausalContext& other) {
  if (Status allowed = check_join(other); !allowed) return allowed;
  add_all(other);
  return {};
}

Result<CausalContext> CausalContext::minus(const CausalContext& other) const {
  const std::vector<Run> holes = other.runs();
  std::vector<Run> left;
  for (const Run& run : runs()) subtract(run, holes, left);
  CausalContext rest;
  for (const Run& run : left) rest.add(run);
  if (rest.cloud_.size() > kCloudRuns) return cloud_full(rest.cloud_.size());
  return rest;
}

Result<CausalContext> CausalContext::minus(const std::vector<Dot>& without) const {
  CausalContext other;
  for (const Dot& dot : without) other.add({dot.actor, dot.n, dot.n});
  return minus(other);
}

void CausalContext::forget(ActorId actor) {
  std::erase_if(vector_, [&](const Seen& seen) { return seen.first == actor; });
  cloud_.erase(cloud_.lower_bound({actor, 0}), cloud_.upper_bound({actor, UINT64_MAX}));
}

std::vector<Run> CausalContext::runs() const {
  std::vector<Run> all;
  all.reserve(vector_.size() + cloud_.size());
  auto seen = vector_.begin();
  const auto vector_up_to = [&](ActorId actor) {
    for (; seen != vector_.end() && seen->first <= actor; ++seen)
      all.push_back({seen->first, 1, seen->second});
  };
  for (const auto& [first, last] : cloud_) {
    vector_up_to(first.actor);
    all.push_back({first.actor, first.n, last});
  }
  vector_up_to(ActorId(UINT64_MAX));
  return all;
}

std::vector<Dot> CausalContext::first_dots() const {
  std::vector<Dot> dots;
  for (const Run& run : runs())
    if (dots.empty() || dots.back().actor != run.actor) dots.push_back({run.actor, run.first});
  return dots;
}

Actors CausalContext::actors() const {
  return Actors(first_dots());
}

void CausalContext::write(ByteWriter& out) const {
  const std::vector<Run> all = runs();
  out.number(actor_count());
  for (auto run = all.begin(); run != all.end();) {
    const auto end =
        std::find_if(run, all.end(), [&](const Run& each) { return each.actor != run->actor; });
    out.fixed64(run->actor.value());
    out.number(static_cast<std::uint64_t>(end - run));
    std::uint64_t free = 1;  // the least number that the run may begin with
    for (; run != end; ++run) {
      out.number(run->first - free);
      out.number(run->last - run->first);
      free = run->last + 2;
    }
  }
}

void CausalContext::read(ByteReader& in) {
  *this = {};
  for (std::size_t actors = in.count(11); actors > 0 && !in.failed(); --actors) {
    const ActorId actor(in.fixed64());
    if (!empty() && actor <= std::max(vector_.empty() ? kSealed : vector_.back().first,
                                      cloud_.empty() ? kSealed : cloud_.rbegin()->first.actor))
      return in.fail("expected actors that rise");
    std::size_t runs = in.count(2);
    if (runs == 0) return in.fail("expected at least one run of an actor");
    for (std::uint64_t free = 1; runs > 0 && !in.failed(); --runs) {
      if (free > limits::kNumberMax) return in.fail("expected dots within their range");
      const std::uint64_t first = free + in.number(limits::kNumberMax - free);
      const std::uint64_t last = first + in.number(limits::kNumberMax - first);
      if (in.failed()) return;
      add({actor, first, last});
      free = last + 2;
    }
    if (cloud_.size() > kCloudRuns) return in.fail(cloud_full(cloud_.size()).error().text);
  }
}

Status CausalContext::check_invariants() const {
  const auto broken = [](std::string_view what) {
    return failed(Code::kInternal, fmt::format("causal context: {}", what));
  };
  for (std::size_t i = 0; i < vector_.size(); ++i) {
    if (vector_[i].second == 0) return broken("an actor stands at 0");
    if (i > 0 && vector_[i - 1].first >= vector_[i].first) return broken("actors don't rise");
  }
  Run before;
  for (const auto& [first, last] : cloud_) {
    if (last < first.n) return broken("a run ends before it begins");
    if (first.n < through(first.actor) + 2) return broken("a run is not out of order");
    if (before.last > 0 && before.actor == first.actor && first.n < before.last + 2)
      return broken("two runs have no hole between them");
    before = {first.actor, first.n, last};
  }
  if (cloud_.size() > kCloudRuns) return broken("the cloud is above its bound");
  return {};
}

}  // namespace waggle::lattice
