#include "resolver/lattice_lww_map.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "resolver/lattice_object.h"

namespace waggle::lattice {
namespace {

bool later_of_a_key(const KeyedWrite& a, const KeyedWrite& b) {
  if (later(a.written, b.written)) return true;
  return a.written == b.written && a.n > b.n;
}

std::unexpected<Error> late(std::string_view key) {
  return failed(Code::kConflict,
                fmt::format("the write of \"{}\" is not above deletions that were swept, so it may "
                            "have been deleted; write it anew if it is still wanted",
                            key));
}

template <typename Writes>
std::vector<Dot> dots_of(const Writes& writes) {
  std::vector<Dot> dots;
  dots.reserve(writes.size());
  for (const auto& [key, write] : writes) dots.push_back(write.dot());
  return dots;
}

}  // namespace

template <Form kForm>
const std::string* KeyedWrites<kForm>::find(std::string_view key) const {
  const auto found = writes_.find(key);
  if (found == writes_.end() || !found->second.written.value) return nullptr;
  return &*found->second.written.value;
}

template <Form kForm>
std::size_t KeyedWrites<kForm>::deletions() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      writes_, [](const auto& entry) { return !entry.second.written.value; }));
}

template <Form kForm>
bool KeyedWrites<kForm>::is_late(const KeyedWrite& write) const {
  return write.written.stamp.hlc <= floor_stamp_ && !context_.contains(write.dot());
}

template <Form kForm>
auto KeyedWrites<kForm>::assign(ActorId actor, Hlc hlc, std::string_view key,
                                std::optional<std::string> value) -> Result<Delta>
  requires(kForm == Form::kState)
{
  if (Status allowed = check_element(key); !allowed) return std::unexpected(allowed.error());
  if (Status allowed = check_stamped(value); !allowed) return std::unexpected(allowed.error());
  Mutation mutation(context_, actor);
  const Dot dot = mutation.fresh();
  if (!mutation.status()) return std::unexpected(mutation.status().error());
  Delta delta;
  delta.generation_ = generation_;
  delta.context_ = mutation.context();
  delta.writes_.emplace(key, KeyedWrite{{{hlc, actor}, std::move(value)}, dot.n});
  if (Status joined = join(delta); !joined) return std::unexpected(std::move(joined.error()));
  return delta;
}

template <Form kForm>
template <Form kOther>
Status KeyedWrites<kForm>::check_join(const KeyedWrites<kOther>& other) const {
  if (!is_bottom())
    if (Status same = check_generations(generation_, other.generation_); !same) return same;
  if (Status allowed = context_.check_join(other.context_); !allowed) return allowed;
  if (Status allowed = floor_.check_join(other.floor_); !allowed) return allowed;
  if (floor_stamp_ != Hlc())
    for (const auto& [key, theirs] : other.writes_)
      if (is_late(theirs) && !writes_.contains(key)) return late(key);
  if (other.floor_stamp_ != Hlc())
    for (const auto& [key, mine] : writes_)
      if (other.is_late(mine) && !other.writes_.contains(key)) return late(key);
  return {};
}

template <Form kForm>
template <Form kOther>
void KeyedWrites<kForm>::take(const KeyedWrites<kOther>& other) {
  for (const auto& [key, theirs] : other.writes_) {
    const auto found = writes_.lower_bound(key);
    if (found == writes_.end() || found->first != key) {
      // Seen and not here: a deletion above it was swept.
      if (!context_.contains(theirs.dot())) writes_.emplace_hint(found, key, theirs);
    } else if (later_of_a_key(theirs, found->second)) {
      found->second = theirs;
    }
  }
}

template <Form kForm>
Status KeyedWrites<kForm>::join(const State& other)
  requires(kForm == Form::kState)
{
  if (&other == this || other.is_bottom()) return {};
  if (Status allowed = check_join(other); !allowed) return allowed;
  std::erase_if(writes_, [&](const auto& entry) {
    return other.context_.contains(entry.second.dot()) && !other.writes_.contains(entry.first);
  });
  take(other);
  generation_ = other.generation_;
  floor_stamp_ = std::max(floor_stamp_, other.floor_stamp_);
  if (Status joined = floor_.join(other.floor_); !joined) return joined;
  return context_.join(other.context_);
}

template <Form kForm>
Status KeyedWrites<kForm>::join(const Delta& other) {
  if (static_cast<const void*>(&other) == this || other.is_bottom()) return {};
  if (Status allowed = check_join(other); !allowed) return allowed;
  take(other);
  generation_ = other.generation_;
  return context_.join(other.context_);
}

template <Form kForm>
auto KeyedWrites<kForm>::state() const -> State
  requires(kForm == Form::kDelta)
{
  State state;
  state.writes_ = writes_;
  state.context_ = context_;
  state.generation_ = generation_;
  return state;
}

template <Form kForm>
auto KeyedWrites<kForm>::delta_since(const CausalContext& seen) const -> Result<Delta>
  requires(kForm == Form::kState)
{
  if (!seen.covers(floor_))
    return failed(Code::kStale, "deletions that were not seen are swept; take the whole state");
  Result<CausalContext> unseen = context_.minus(seen);
  if (!unseen) return std::unexpected(std::move(unseen.error()));
  Delta delta;
  delta.generation_ = generation_;
  delta.context_ = *std::move(unseen);
  for (const auto& [key, write] : writes_)
    if (delta.context_.contains(write.dot()))
      delta.writes_.emplace_hint(delta.writes_.end(), key, write);
  return delta;
}

template <Form kForm>
Status KeyedWrites<kForm>::sweep(const CausalContext& floor)
  requires(kForm == Form::kState)
{
  if (!context_.covers(floor))
    return failed(Code::kUnavailable, "this replica has not seen the whole floor; catch up first");
  if (Status joined = floor_.join(floor); !joined) return joined;
  std::erase_if(writes_, [&](const auto& entry) {
    const KeyedWrite& write = entry.second;
    if (write.written.value || !floor.contains(write.dot())) return false;
    floor_stamp_ = std::max(floor_stamp_, write.written.stamp.hlc);
    return true;
  });
  return {};
}

template <Form kForm>
Status KeyedWrites<kForm>::retire(ActorId actor)
  requires(kForm == Form::kState)
{
  if (Status allowed = check_retirement(context_, actor); !allowed) return allowed;
  std::vector<Dot> dots = dots_of(writes_);
  std::erase_if(dots, [&](const Dot& dot) { return dot.actor != actor; });
  std::ranges::sort(dots);
  const Renaming renaming = seal(context_, actor, std::move(dots));
  for (auto& [key, write] : writes_) {
    const Dot dot = renaming(write.dot());
    write.written.stamp.actor = dot.actor;
    write.n = dot.n;
  }
  floor_.forget(actor);
  ++generation_;
  return {};
}

template <Form kForm>
Status KeyedWrites<kForm>::check_stamps(Hlc low, Hlc high) const {
  for (const auto& [key, write] : writes_)
    if (Status allowed = check_stamp(write.written.stamp.hlc, low, high); !allowed) return allowed;
  return {};
}

// ---- bytes -------------------------------------------------------------------------------------

template <Form kForm>
void KeyedWrites<kForm>::write_body(ByteWriter& out) const {
  const Actors actors = context_.actors();
  std::uint64_t earliest = writes_.empty() ? 0 : HlcClock::kMillisMax;
  for (const auto& [key, write] : writes_)
    earliest = std::min(earliest, write.written.stamp.hlc.millis());
  out.number(earliest);
  out.number(writes_.size());
  for (const auto& [key, write] : writes_) {
    out.string(key);
    actors.write(out, write.dot());
    out.number(write.written.stamp.hlc.millis() - earliest);
    out.number(write.written.stamp.hlc.counter());
    write_optional(out, write.written.value);
  }
}

template <Form kForm>
void KeyedWrites<kForm>::read_body(ByteReader& in, const Actors& actors) {
  const std::uint64_t earliest = in.number(HlcClock::kMillisMax);
  bool reached = false;  // some write is of `earliest`
  std::string key;
  for (std::size_t count = in.count(7); count > 0 && read_key(in, key); --count) {
    if (!writes_.empty() && key <= writes_.rbegin()->first) return in.fail("expected rising keys");
    const Dot dot = actors.read(in);
    const std::uint64_t after = in.number(HlcClock::kMillisMax - earliest);
    const std::uint64_t counter = in.number(0xffff);
    reached = reached || after == 0;
    KeyedWrite write{{{Hlc::of(earliest + after, counter), dot.actor}, read_optional(in)}, dot.n};
    if (!write.written.value && floor_.contains(dot))
      return in.fail("expected no deletion at or below the floor");
    writes_.emplace_hint(writes_.end(), key, std::move(write));
  }
  if (!in.failed() && !reached && (earliest != 0 || !writes_.empty()))
    in.fail("expected the earliest stamp to be one of the writes'");
}

template <Form kForm>
std::string KeyedWrites<kForm>::encode() const {
  ByteWriter out;
  write_head(out, kType, kForm);
  out.number(generation_);
  context_.write(out);
  if constexpr (kForm == Form::kState) {
    out.fixed64(floor_stamp_.bits);
    floor_.write(out);
  }
  write_body(out);
  return out.take();
}

template <Form kForm>
Result<KeyedWrites<kForm>> KeyedWrites<kForm>::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, kForm);
  KeyedWrites decoded;
  decoded.generation_ = in.number(limits::kNumberMax);
  decoded.context_.read(in);
  if constexpr (kForm == Form::kState) {
    decoded.floor_stamp_.bits = in.fixed64();
    decoded.floor_.read(in);
  }
  decoded.read_body(in, decoded.context_.actors());
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  if (Status sound = decoded.check_invariants(); !sound)
    return failed(Code::kRejected, std::move(sound.error().text));
  return decoded;
}

template <Form kForm>
Status KeyedWrites<kForm>::check_invariants() const {
  if (Status sound = context_.check_invariants(); !sound) return sound;
  if (!context_.covers(floor_))
    return failed(Code::kInternal, "expected the floor within the context");
  // After a retirement the stamp stays where the floor's dots are forgotten.
  if (floor_.empty() && generation_ == 0 && floor_stamp_ != Hlc())
    return failed(Code::kInternal, "expected no stamp of swept deletions without a floor");
  for (const auto& [key, write] : writes_)
    if (!write.written.value && floor_.contains(write.dot()))
      return failed(Code::kInternal, "expected no deletion at or below the floor");
  return check_dots(dots_of(writes_), context_);
}

template class KeyedWrites<Form::kState>;
template class KeyedWrites<Form::kDelta>;

}  // namespace waggle::lattice
