// Sets against their definition: every operation is kept with its causal past, and an element is
// there iff some addition of it is in the past of no removal. The oracle knows no revision, dot or
// cursor. Paper: Bieniusa et al., "An optimized conflict-free replicated set", 2012.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "resolver/apply.h"

namespace waggle {
namespace {

const std::vector<std::string> kElements = {"x", "y", "z"};

struct Operation {
  enum class Kind : std::uint8_t { kAdd, kRemove, kDelete };
  Kind kind = Kind::kAdd;
  std::vector<std::string> elements;
  std::set<int> past;
  bool committed = false;

  [[nodiscard]] bool names(const std::string& element) const {
    return kind == Kind::kDelete || std::ranges::count(elements, element) > 0;
  }
};

class Oracle {
 public:
  int write(Operation operation) {
    operations_.push_back(std::move(operation));
    return static_cast<int>(operations_.size()) - 1;
  }
  void commit(int id) { operations_.at(static_cast<std::size_t>(id)).committed = true; }
  [[nodiscard]] const Operation& at(int id) const {
    return operations_.at(static_cast<std::size_t>(id));
  }
  // The committed additions of the element that no committed removal knew of.
  [[nodiscard]] std::set<int> living(const std::string& element) const {
    std::set<int> living;
    for (int a = 0; a < static_cast<int>(operations_.size()); ++a) {
      if (at(a).kind != Operation::Kind::kAdd || !at(a).committed || !at(a).names(element))
        continue;
      const bool removed = std::ranges::any_of(operations_, [&](const Operation& r) {
        return r.kind != Operation::Kind::kAdd && r.committed && r.names(element) &&
               r.past.contains(a);
      });
      if (!removed) living.insert(a);
    }
    return living;
  }
  [[nodiscard]] std::set<std::string> present() const {
    std::set<std::string> present;
    for (const std::string& element : kElements)
      if (!living(element).empty()) present.insert(element);
    return present;
  }
  [[nodiscard]] std::set<int> all_committed() const {
    std::set<int> all;
    for (int i = 0; i < static_cast<int>(operations_.size()); ++i)
      if (at(i).committed) all.insert(i);
    return all;
  }

 private:
  std::vector<Operation> operations_;
};

struct Pending {
  int id;
  Op op;
  Author author;
};

// An agent with its cursor and outbox, and what it knows in the oracle's terms.
struct Agent {
  AgentId id;
  Revision cursor;
  Seq written;
  Seq committed;  // the last one that the coordinator stepped
  Seq reflected;  // the last one that the committed state at the cursor counts
  std::set<int> known;
  std::deque<Pending> outbox;
};

Op op_of(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::kAdd:
      return SetAddOp{operation.elements};
    case Operation::Kind::kRemove:
      return SetRemoveOp{operation.elements};
    case Operation::Kind::kDelete:
      return DeleteOp{};
  }
  return ClearOp{};
}

class World {
 public:
  explicit World(std::size_t agents) {
    for (std::size_t i = 0; i < agents; ++i)
      agents_.push_back({AgentId("agent" + std::to_string(i)), {}, {}, {}, {}, {}, {}});
  }

  void write(std::size_t who, Operation::Kind kind, std::vector<std::string> elements) {
    Agent& agent = agents_.at(who);
    Operation operation{kind, std::move(elements), agent.known, false};
    const Op op = op_of(operation);
    Author author{agent.id, Incarnation(1), agent.written.next(), {}, agent.cursor, {}};
    // Own writes are in the context for as long as the cursor has not reached them, answered or
    // not.
    if (agent.written > agent.reflected) author.own_through = {{Incarnation(1), agent.written}};
    agent.written = agent.written.next();
    const int id = oracle_.write(std::move(operation));
    agent.known.insert(id);
    agent.outbox.push_back({id, op, author});
  }

  // Commits the agent's oldest pending write, if there is one.
  void deliver(std::size_t who) {
    Agent& agent = agents_.at(who);
    if (agent.outbox.empty()) return;
    const Pending pending = std::move(agent.outbox.front());
    agent.outbox.pop_front();
    agent.committed = pending.author.seq;
    const Record* current = record_ ? &*record_ : nullptr;
    const bool live = current != nullptr && current->live();
    const bool unseen_addition = holds_unseen_addition(oracle_.at(pending.id));
    const Verdict verdict = judge({Key("set"), {}, pending.op, {}}, {current, {}, head_.next()},
                                  pending.author, Policies());
    BOOST_REQUIRE(verdict.kind != Verdict::Kind::kReject);
    if (std::holds_alternative<DeleteOp>(pending.op)) {
      // A delete never drops what its writer had not seen.
      if (live && unseen_addition) BOOST_REQUIRE(verdict.kind == Verdict::Kind::kConflict);
    } else {
      BOOST_REQUIRE(verdict.kind != Verdict::Kind::kConflict);
    }
    if (verdict.kind == Verdict::Kind::kConflict) {
      ++conflicts;
      return;
    }
    oracle_.commit(pending.id);
    if (verdict.kind == Verdict::Kind::kNothing) return;
    head_ = head_.next();
    Record next;
    next.value = verdict.value;
    next.version = head_;
    next.writer = {pending.author.agent, Incarnation(1), pending.author.seq};
    record_ = std::move(next);
    check();
  }

  // The agent's cursor reaches the head: it knows all that is committed, its own writes included.
  // What waits in its outbox stays known through own_through.
  void catch_up(std::size_t who) {
    Agent& agent = agents_.at(who);
    agent.cursor = head_;
    agent.reflected = agent.committed;
    for (const int id : oracle_.all_committed()) agent.known.insert(id);
  }

  void check() const {
    BOOST_REQUIRE((present() == oracle_.present()));
    if (!record_ || !record_->live()) return;
    for (const auto& [element, dots] : std::get<OrSet>(*record_->value).elements) {
      BOOST_REQUIRE(!dots.empty());
      BOOST_REQUIRE(std::ranges::is_sorted(dots));
      BOOST_REQUIRE((std::ranges::adjacent_find(dots) == dots.end()));
      // One agent's later addition knows of its earlier ones: the metadata stays small.
      BOOST_REQUIRE(dots.size() <= agents_.size());
      BOOST_REQUIRE(dots.size() <= oracle_.living(element).size());
    }
  }

  [[nodiscard]] std::set<std::string> present() const {
    std::set<std::string> present;
    if (record_ && record_->live())
      for (const auto& [element, dots] : std::get<OrSet>(*record_->value).elements)
        present.insert(element);
    return present;
  }
  [[nodiscard]] std::size_t agents() const { return agents_.size(); }
  [[nodiscard]] bool waits(std::size_t who) const { return !agents_.at(who).outbox.empty(); }

  int conflicts = 0;

 private:
  [[nodiscard]] bool holds_unseen_addition(const Operation& operation) const {
    for (const std::string& element : kElements)
      for (const int addition : oracle_.living(element))
        if (!operation.past.contains(addition) && !superseded(addition, element)) return true;
    return false;
  }
  // A later living addition that knew of it stands for both.
  [[nodiscard]] bool superseded(int addition, const std::string& element) const {
    return std::ranges::any_of(oracle_.living(element), [&](int other) {
      return oracle_.at(other).past.contains(addition);
    });
  }

  std::vector<Agent> agents_;
  Oracle oracle_;
  std::optional<Record> record_;
  Revision head_;
};

std::vector<std::string> some_elements(Prng& prng) {
  std::vector<std::string> elements;
  for (const std::string& element : kElements)
    if (prng.chance(1, 2)) elements.push_back(element);
  if (elements.empty()) elements.push_back(kElements[prng.below(kElements.size())]);
  return elements;
}

BOOST_AUTO_TEST_SUITE(apply_oracle_test)

BOOST_AUTO_TEST_CASE(random_schedules_agree_with_the_definition_of_the_set) {
  int conflicts = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      World world(2 + prng.below(2));
      const bool deletes = prng.chance(1, 3);
      for (int i = 0; i < 40; ++i) {
        const std::size_t who = prng.below(world.agents());
        const std::uint64_t drawn = prng.below(10);
        if (drawn < 3) {
          world.write(who, Operation::Kind::kAdd, some_elements(prng));
        } else if (drawn < 5) {
          world.write(who, Operation::Kind::kRemove, some_elements(prng));
        } else if (drawn == 5 && deletes) {
          world.write(who, Operation::Kind::kDelete, {});
        } else if (drawn < 9) {
          world.deliver(who);
        } else if (!world.waits(who) || prng.chance(1, 2)) {
          world.catch_up(who);
        }
      }
      for (std::size_t who = 0; who < world.agents(); ++who)
        while (world.waits(who)) world.deliver(who);
      world.check();
      conflicts += world.conflicts;
    }
  }
  BOOST_TEST(conflicts > 0);
}

BOOST_AUTO_TEST_CASE(two_offline_agents_get_the_same_set_in_every_order_of_arrival) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::optional<std::set<std::string>> expected;
      // Each bit says whose write arrives next: all interleavings of 4 and 4.
      for (unsigned order = 0; order < 256; ++order) {
        if (__builtin_popcount(order) != 4) continue;
        Prng prng(seed);
        World world(2);
        world.write(0, Operation::Kind::kAdd, some_elements(prng));
        world.deliver(0);
        world.catch_up(0);
        if (prng.chance(1, 2)) world.catch_up(1);
        for (std::size_t who = 0; who < 2; ++who)
          for (int i = 0; i < 4; ++i)
            world.write(who, prng.chance(1, 2) ? Operation::Kind::kAdd : Operation::Kind::kRemove,
                        some_elements(prng));
        for (int i = 0; i < 8; ++i) world.deliver((order >> i) & 1U);
        if (!expected) expected = world.present();
        BOOST_REQUIRE((world.present() == *expected));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_concurrent_addition_survives_a_removal_in_either_order) {
  for (const bool removal_first : {true, false}) {
    World world(2);
    world.write(0, Operation::Kind::kAdd, {"x"});
    world.deliver(0);
    world.catch_up(0);
    world.catch_up(1);
    world.write(0, Operation::Kind::kRemove, {"x"});
    world.write(1, Operation::Kind::kAdd, {"x"});
    world.deliver(removal_first ? 0 : 1);
    world.deliver(removal_first ? 1 : 0);
    BOOST_TEST((world.present() == std::set<std::string>{"x"}));
  }
}

BOOST_AUTO_TEST_CASE(an_offline_agent_may_add_remove_and_add_again) {
  World world(1);
  world.write(0, Operation::Kind::kAdd, {"x"});
  world.write(0, Operation::Kind::kRemove, {"x"});
  world.write(0, Operation::Kind::kAdd, {"x"});
  world.write(0, Operation::Kind::kAdd, {"y"});
  world.write(0, Operation::Kind::kRemove, {"y"});
  while (world.waits(0)) world.deliver(0);
  BOOST_TEST((world.present() == std::set<std::string>{"x"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
