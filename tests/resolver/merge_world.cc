#include "tests/resolver/merge_world.h"

#include <algorithm>
#include <utility>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "base/value_bytes.h"
#include "base/value_delta.h"

namespace waggle::laws {
namespace {

void hold(bool held, std::string_view law) {
  if (!held) throw Violation{std::string(law)};
}

std::string told(const std::optional<Value>& value) {
  return value ? laws::told(*value) : "absent";
}

}  // namespace

World::World(ValueType type, std::size_t agents) : type_(type), oracle_(type) {
  for (std::size_t i = 0; i < agents; ++i)
    agents_.push_back(
        {AgentId(std::string(1, static_cast<char>('a' + i))), {}, {}, {}, {}, 0, {}, {}});
}

void World::write(std::size_t who, Op op) {
  Agent& agent = agents_.at(who);
  Author author{agent.id, Incarnation(1), agent.written.next(), {}, agent.cursor, {}};
  // Own writes are in the context for as long as the cursor has not reached them, answered or not.
  if (agent.written > agent.reflected) author.own_through = {{Incarnation(1), agent.written}};
  agent.written = agent.written.next();
  // A clock of its own, above all that it knows: slow and fast ones, and no stamp twice.
  agent.clock.bits = ((agent.clock.bits >> 8) + 1 + 7 * who) << 8 | who;
  author.hlc = agent.clock;
  const std::size_t number = written_.size();
  BOOST_REQUIRE_LT(number, 64U);
  written_.push_back(
      {std::move(op), agent.id.value(), author.seq.value(), number, agent.known, author.hlc});
  agent.known |= std::uint64_t{1} << number;
  agent.outbox.push_back({&written_.back(), author});
}

void World::deliver(std::size_t who) {
  Agent& agent = agents_.at(who);
  const Pending pending = std::move(agent.outbox.front());
  agent.outbox.pop_front();
  agent.committed = pending.author.seq;

  const Verdict expected = oracle_.expected(*pending.written);
  const std::optional<Value>& current = value();
  const MergeSetting setting{pending.author, Dot{head_.next(), 0, pending.author.writer()}, floor_};
  Verdict verdict = merge_op(pending.written->op, current ? &*current : nullptr, setting);
  switch (verdict.kind) {
    case Verdict::Kind::kApply:
      hold(expected.kind == Verdict::Kind::kNothing, "what must be refused was applied");
      ++met_.applied;
      return apply(pending, *std::move(verdict.value));
    case Verdict::Kind::kNothing:
      hold(expected.kind == Verdict::Kind::kNothing, "what must be refused came to nothing");
      hold(oracle_.idle(*pending.written), "a write that changes something came to nothing");
      ++met_.nothing;
      return;
    case Verdict::Kind::kReject:
      hold(verdict.reason == expected.reason, "refused for another reason: " + verdict.text);
      ++met_.rejected;
      return;
    case Verdict::Kind::kConflict:
      hold(verdict.conflict == expected.conflict, "an unexpected conflict: " + verdict.text);
      ++met_.conflicts;
      return;
    case Verdict::Kind::kPark:
      hold(false, "parked");
  }
}

void World::apply(const Pending& pending, Value value) {
  head_ = head_.next();
  committed_ |= std::uint64_t{1} << pending.written->number;
  newest_ = std::max(newest_, pending.author.hlc);
  oracle_.commit(*pending.written);
  versions_.push_back(std::move(value));
  const std::string expected = oracle_.value();
  hold(told(versions_.back()) == expected,
       fmt::format("expected\n{}\ngot\n{}", expected, told(versions_.back())));
  check_invariants(*versions_.back());
  check_metadata();
}

void World::catch_up(std::size_t who) {
  Agent& agent = agents_.at(who);
  agent.cursor = head_;
  agent.reflected = agent.committed;
  agent.known |= committed_;
  agent.clock = std::max(agent.clock, newest_);
}

void World::raise_floor() {
  Revision floor = head_;
  for (const Agent& agent : agents_) {
    floor = std::min(floor, agent.cursor);
    for (const Pending& waits : agent.outbox) floor = std::min(floor, waits.author.seen);
  }
  floor_ = std::max(floor_, floor);
}

// Nothing is kept for an agent that nobody can still need.
void World::check_metadata() const {
  const auto* set = std::get_if<RemoveWinsSet>(&*value());
  if (set == nullptr) return;
  hold(set->swept <= floor_, "swept above the floor");
  for (const auto& [element, dots] : set->elements) {
    hold(dots.adds.size() <= agents_.size() && dots.removals.size() <= agents_.size(),
         "more dots of an element than agents");
    hold(dots.present() ||
             std::ranges::any_of(dots.removals,
                                 [&](const Dot& dot) { return dot.revision > floor_; }) ||
             std::ranges::any_of(dots.adds, [&](const Dot& dot) { return dot.revision > floor_; }),
         "a removal that everybody has seen is kept");
  }
}

void World::check_forms(std::size_t version) {
  const std::optional<Value>& now = value();
  if (!now) return;
  const std::string bytes = encode_value(*now);
  // Beside content and dots a value costs the format, and counts of its parts.
  hold(bytes.size() <= size_of(*now) + 16 * (1 + count_of(*now)) + 16,
       fmt::format("{} bytes of a value that counts for {}", bytes.size(), size_of(*now)));
  const Result<Value> decoded = decode_value(type_, bytes);
  hold(decoded.has_value(), decoded ? "" : decoded.error().text);
  hold(*decoded == *now && encode_value(*decoded) == bytes, "other bytes after a round trip");
  hold(content_hash(*decoded) == content_hash(*now), "another hash after a round trip");
  hold(size_of(*decoded) == size_of(*now), "another size after a round trip");
  check_invariants(*decoded);

  const std::optional<Value>& earlier = versions_.at(version);
  if (!earlier) return;
  const bool same = *earlier == *now;
  hold(same == (content_hash(*earlier) == content_hash(*now)), "a hash that tells other than ==");
  hold(same == (encode_value(*earlier) == bytes), "bytes that tell other than ==");
  check_delta(*earlier, *now);
  check_delta(*now, *earlier);
}

// Exact onto the very version, and onto one that shares nothing with it.
void World::check_delta(const Value& from, const Value& to) {
  const std::optional<std::string> delta = encode_delta(from, to);
  if (!delta) return;
  ++met_.deltas;
  const Value elsewhere = *decode_value(type_, encode_value(from));
  hold(encode_delta(elsewhere, to) == delta, "a delta that depends on what is shared");
  for (const Value* held : {&from, &elsewhere}) {
    const Result<Value> made = apply_delta(*held, *delta);
    hold(made.has_value(), made ? "" : "delta: " + made.error().text);
    hold(*made == to && encode_value(*made) == encode_value(to), "a delta that is not exact");
    hold(content_hash(*made) == content_hash(to) && size_of(*made) == size_of(to),
         "a delta to another hash or size");
    check_invariants(*made);
  }
}

}  // namespace waggle::laws
