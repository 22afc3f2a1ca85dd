// The handles of all value types as their users see them, and the same verbs in a WriteGroup.

#include <cstdint>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;

namespace {

using Names = std::vector<std::string>;
constexpr auto kLongest = std::numeric_limits<std::int64_t>::max();

// A coordinator and a member of it; done() waits for a write and wants it committed.
struct Swarm {
  std::unique_ptr<StateSynchronizer> hive = serve();
  std::unique_ptr<SwarmAgent> ada = join(member(*hive, "ada"));

  WriteResult done(Expected<WriteTicket> ticket) const {
    return committed(ada->wait(take(std::move(ticket)), kPatience));
  }
  WriteResult refused(Expected<WriteTicket> ticket) const {
    WriteResult result = take(ada->wait(take(std::move(ticket)), kPatience));
    BOOST_TEST((result.code == StatusCode::kRejected), result.text);
    return result;
  }
};

template <typename T>
Failure failure_of(const Expected<T>& result) {
  BOOST_REQUIRE(!result.has_value());
  return result.error();
}

}  // namespace

BOOST_AUTO_TEST_CASE(counters_count_each_in_its_way) {
  const Swarm swarm;
  AgentGrowCounter grow = swarm.ada->grow_counter("grow");
  BOOST_TEST(take(grow.value()) == 0u);
  swarm.done(grow.add(3));
  BOOST_TEST(take(grow.value()) == 3u);
  BOOST_TEST((failure_of(grow.add(std::uint64_t{1} << 63)).code == StatusCode::kRejected));
  swarm.done(grow.add(kLongest));
  const Failure beyond = failure_of(grow.value());
  BOOST_TEST((beyond.code == StatusCode::kConflict));
  BOOST_TEST(beyond.text.contains("or more"));

  AgentResettableCounter errors = swarm.ada->resettable_counter("errors");
  swarm.done(errors.add(5));
  swarm.done(errors.add(-1));
  BOOST_TEST(take(errors.value()) == 4);
  swarm.done(errors.reset());
  BOOST_TEST(take(errors.value()) == 0);
}

BOOST_AUTO_TEST_CASE(a_bounded_counter_is_taken_from_within_what_is_there) {
  const Swarm swarm;
  AgentBoundedCounter fuel = swarm.ada->bounded_counter("fuel");
  swarm.done(fuel.add(10));
  swarm.done(fuel.reserve(6));
  swarm.done(fuel.hand_over(2, "bob"));
  swarm.done(fuel.take(5));  // four of its own, one that is free
  BOOST_TEST(take(fuel.value()) == 5u);
  BOOST_TEST(take(fuel.free()) == 3u);
  BOOST_TEST((take(fuel.reserved()) == std::map<std::string, std::uint64_t>{{"bob", 2}}));
  BOOST_TEST(swarm.refused(fuel.take(4)).reason == "not_enough");
  swarm.done(fuel.reserve(2));
  swarm.done(fuel.release(1));
  BOOST_TEST(take(fuel.free()) == 2u);
  BOOST_TEST(take(fuel.reserved()).at("ada") == 1u);
  BOOST_TEST((failure_of(fuel.reserve(0)).code == StatusCode::kRejected));
  BOOST_TEST((failure_of(fuel.take(std::uint64_t{1} << 63)).code == StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(sets_hold_what_was_added_and_not_removed) {
  const Swarm swarm;
  swarm.done(swarm.ada->grow_set("grow").add("b"));
  swarm.done(swarm.ada->grow_set("grow").add("a"));
  BOOST_TEST(take(swarm.ada->grow_set("grow").elements()) == (Names{"a", "b"}),
             boost::test_tools::per_element());
  AgentRemoveWinsSet keys = swarm.ada->remove_wins_set("keys");
  swarm.done(keys.add("k1"));
  swarm.done(keys.add("k2"));
  swarm.done(keys.remove("k1"));
  BOOST_TEST(take(keys.elements()) == (Names{"k2"}), boost::test_tools::per_element());
  BOOST_TEST(take(swarm.ada->set("none").elements()).empty());
}

BOOST_AUTO_TEST_CASE(flags_begin_where_their_kind_begins_and_turn) {
  const Swarm swarm;
  AgentFlag lamp = swarm.ada->flag("lamp");
  BOOST_TEST(!take(lamp.value()));
  swarm.done(lamp.on());
  BOOST_TEST(take(lamp.value()));
  swarm.done(lamp.off());
  BOOST_TEST(!take(lamp.value()));

  AgentDisableFlag gate = swarm.ada->disable_flag("gate");
  BOOST_TEST(take(gate.value()));
  swarm.done(gate.off());
  BOOST_TEST(!take(gate.value()));
  swarm.done(gate.on());
  BOOST_TEST(take(gate.value()));

  AgentOnce migrated = swarm.ada->once("migrated");
  BOOST_TEST(!take(migrated.raised()));
  swarm.done(migrated.raise());
  BOOST_TEST(take(migrated.raised()));
}

BOOST_AUTO_TEST_CASE(max_and_min_keep_the_extreme_of_one_kind) {
  const Swarm swarm;
  AgentMax best = swarm.ada->max("best");
  BOOST_TEST(!take(best.value()).has_value());
  for (const int value : {7, 9, 8}) swarm.done(best.raise(value));
  BOOST_TEST((take(best.value()) == Comparable(std::int64_t{9})));
  BOOST_TEST(swarm.refused(best.raise(9.5)).text.contains("integer"));
  AgentMin least = swarm.ada->min("least");
  for (const double value : {7.5, -9.0, 8.0}) swarm.done(least.raise(value));
  BOOST_TEST((take(least.value()) == Comparable(-9.0)));
  BOOST_TEST((failure_of(least.raise(std::numeric_limits<double>::quiet_NaN())).code ==
              StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(a_put_into_a_multi_register_replaces_what_its_writer_has_seen) {
  const auto hive = serve();
  const auto ada = join(member(*hive, "ada"));
  const auto bob = join(member(*hive, "bob"));
  const auto write = [](SwarmAgent& agent, std::string_view text) {
    return committed(agent.wait(take(agent.multi("plan").put(text)), kPatience)).revision;
  };
  const std::uint64_t first = write(*ada, "north");
  take(ada->get("plan", first, kPatience));
  const auto alone = take(ada->multi("plan").values());
  BOOST_REQUIRE(alone.size() == 1u);
  BOOST_TEST(alone[0].bytes == "north");
  BOOST_TEST(alone[0].writer == "ada");
  take(bob->get("plan", first, kPatience));
  const std::uint64_t second = write(*bob, "south");
  take(ada->get("plan", second, kPatience));
  const auto replaced = take(ada->multi("plan").values());
  BOOST_REQUIRE(replaced.size() == 1u);
  BOOST_TEST(replaced[0].bytes == "south");
}

BOOST_AUTO_TEST_CASE(a_map_holds_fields_of_every_type_and_maps) {
  const Swarm swarm;
  AgentMap bee = swarm.ada->map("bee");
  BOOST_TEST(take(bee.fields()).empty());
  swarm.done(bee.set("mood", "happy"));
  swarm.done(bee.set_json("size", R"({"mm":12})"));
  swarm.done(bee.set_bytes("raw", "\xff"));
  swarm.done(bee.counter("visits").add(2));
  swarm.done(bee.set("friends").add("bob"));
  swarm.done(bee.flag("awake").on());
  swarm.done(bee.map("home").set("city", "Ulm"));
  swarm.done(bee.map("home").map("nest").counter("cells").add(6));
  swarm.done(AgentMax(*swarm.ada, "bee", {"best"}).raise(7));

  BOOST_TEST(take(bee.counter("visits").value()) == 2);
  BOOST_TEST(take(bee.set("friends").elements()) == (Names{"bob"}),
             boost::test_tools::per_element());
  BOOST_TEST(take(bee.flag("awake").value()));
  BOOST_TEST(take(bee.map("home").map("nest").counter("cells").value()) == 6);
  BOOST_TEST((take(AgentMax(*swarm.ada, "bee", {"best"}).value()) == Comparable(std::int64_t{7})));
  const auto home = take(bee.map("home").fields());
  BOOST_REQUIRE(home.size() == 2u);
  BOOST_TEST(home[0].key == "city");
  BOOST_TEST(home[0].bytes == "Ulm");
  BOOST_TEST((home[1].type == ItemType::kMap));

  // A field is its name and its type: this makes another one, and an erase takes both.
  swarm.done(bee.counter("mood").add(1));
  BOOST_TEST(take(bee.counter("mood").value()) == 1);
  const std::size_t before = take(bee.fields()).size();
  swarm.done(bee.erase("mood"));
  BOOST_TEST(take(bee.fields()).size() == before - 2);
  BOOST_TEST(take(bee.counter("mood").value()) == 0);
  BOOST_TEST(take(bee.counter("never").value()) == 0);
}

BOOST_AUTO_TEST_CASE(texts_and_lists_take_edits) {
  const Swarm swarm;
  AgentText song = swarm.ada->text("song");
  swarm.done(song.insert(0, "hum"));
  swarm.done(song.append(" and hum"));
  swarm.done(song.erase(0, 1));
  BOOST_TEST((take(swarm.ada->get("song")).type == ItemType::kText));
  swarm.done(swarm.ada->map("bee").text("song").append("hum"));
  BOOST_TEST((take(swarm.ada->map("bee").fields()).at(0).type == ItemType::kText));
  BOOST_TEST((failure_of(song.insert(0, "")).code == StatusCode::kRejected));
  BOOST_TEST((failure_of(song.insert(0, "\xff")).code == StatusCode::kRejected));
  BOOST_TEST((failure_of(song.erase(0, 0)).code == StatusCode::kRejected));
  BOOST_TEST((failure_of(swarm.ada->list_of("tasks").insert(0, {})).code == StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(another_type_than_the_key_holds_is_a_conflict_that_says_what_is_there) {
  const Swarm swarm;
  swarm.done(swarm.ada->incr("n", 1));
  const auto says = [](const Failure& failure) {
    BOOST_TEST((failure.code == StatusCode::kConflict));
    return failure.text;
  };
  BOOST_TEST(says(failure_of(swarm.ada->grow_counter("n").value())) ==
             "'n' holds a counter, not a grow-counter");
  BOOST_TEST(says(failure_of(swarm.ada->set("n").elements())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->flag("n").value())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->once("n").raised())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->max("n").value())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->multi("n").values())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->text("n").text())).contains("holds a counter"));
  BOOST_TEST(says(failure_of(swarm.ada->map("n").counter("f").value())) ==
             "'n' holds a counter, not a map");
  BOOST_TEST(swarm.refused(swarm.ada->flag("n").on()).reason == "type_mismatch");
  BOOST_TEST(swarm.refused(swarm.ada->text("n").append("x")).reason == "type_mismatch");
}

BOOST_AUTO_TEST_CASE(a_group_holds_the_verbs_of_every_type_and_of_fields) {
  const Swarm swarm;
  committed(swarm.ada->commit(WriteGroup()
                                  .put("plan", "north")
                                  .beside()
                                  .incr("fuel", 9, ItemType::kBoundedCounter)
                                  .add("keys", "b", ItemType::kGrowSet)
                                  .add("keys", "a", ItemType::kGrowSet)
                                  .max("best", 7.5)
                                  .min("least", "zoe")
                                  .once("done")
                                  .off("gate", ItemType::kDisableFlag)
                                  .incr("bee", 2)
                                  .field("home")
                                  .field("visits")
                                  .insert("song", 0, "hum")
                                  .if_absent(),
                              kPatience));
  BOOST_TEST(take(swarm.ada->multi("plan").values()).size() == 1u);
  BOOST_TEST(take(swarm.ada->bounded_counter("fuel").free()) == 9u);
  BOOST_TEST(take(swarm.ada->grow_set("keys").elements()).size() == 2u);
  BOOST_TEST((take(swarm.ada->min("least").value()) == Comparable(std::string("zoe"))));
  BOOST_TEST(take(swarm.ada->once("done").raised()));
  BOOST_TEST(!take(swarm.ada->disable_flag("gate").value()));
  BOOST_TEST(take(swarm.ada->map("bee").map("home").counter("visits").value()) == 2);

  committed(swarm.ada->commit(WriteGroup().reserve("fuel", 3).put("bee", "happy").field("visits"),
                              kPatience));
  committed(swarm.ada->commit(WriteGroup().hand_over("fuel", 2, "bob"), kPatience));
  committed(swarm.ada->commit(WriteGroup().release("fuel", 1), kPatience));
  BOOST_TEST(take(swarm.ada->bounded_counter("fuel").reserved()).at("bob") == 2u);

  // Of two fields of one name only the one of the type goes.
  committed(swarm.ada->commit(WriteGroup().incr("bee").field("visits"), kPatience));
  committed(swarm.ada->commit(WriteGroup().erase("bee").field("visits").only(ItemType::kRegister),
                              kPatience));
  BOOST_TEST(take(swarm.ada->map("bee").counter("visits").value()) == 1);
  BOOST_TEST(take(swarm.ada->map("bee").fields()).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_group_that_can_not_be_is_refused_with_what_was_wrong) {
  const Swarm swarm;
  const auto text_of = [&](const WriteGroup& group) {
    const auto ticket = swarm.ada->write(group);
    BOOST_TEST((failure_of(ticket).code == StatusCode::kRejected));
    return ticket.error().text;
  };
  BOOST_TEST(text_of(WriteGroup().beside()).contains("entry before it"));
  BOOST_TEST(text_of(WriteGroup().field("f")).contains("entry before it"));
  BOOST_TEST(text_of(WriteGroup().incr("n").beside()).contains("a put before it"));
  BOOST_TEST(text_of(WriteGroup().erase("n").only(ItemType::kSet)).contains("a field before it"));
  BOOST_TEST(text_of(WriteGroup().incr("n").field("f").only(ItemType::kSet)).contains("removal"));
  BOOST_TEST(text_of(WriteGroup().incr("n", 1, ItemType::kSet)).contains("counter"));
  BOOST_TEST(text_of(WriteGroup().incr("n", -1, ItemType::kGrowCounter)).contains("only rises"));
  BOOST_TEST(text_of(WriteGroup().remove("s", "x", ItemType::kGrowSet)).contains("only grows"));
  BOOST_TEST(text_of(WriteGroup().incr("m").field("")).contains("field name"));
}

BOOST_AUTO_TEST_CASE(an_append_is_never_between) {
  const Swarm swarm;
  AgentText song = swarm.ada->text("song");
  std::vector<WriteTicket> tickets;
  for (const char* word : {"hum", " and", " hum"}) tickets.push_back(take(song.append(word)));
  for (const WriteTicket& ticket : tickets) committed(swarm.ada->wait(ticket, kPatience));
  BOOST_TEST(take(song.text()) == "hum and hum");
  AgentList tasks = swarm.ada->list_of("tasks");
  swarm.done(tasks.append({"dig", "fill"}));
  swarm.done(tasks.append({"rest"}));
  BOOST_TEST((take(tasks.elements()) == Names{"dig", "fill", "rest"}));
}

BOOST_AUTO_TEST_CASE(a_patch_changes_a_part_of_a_document) {
  const Swarm swarm;
  swarm.done(swarm.ada->patch("plan", R"({"status":"open","owner":"ada"})"));
  swarm.done(swarm.ada->patch("plan", R"([{"op":"replace","path":"/status","value":"done"}])"));
  BOOST_TEST(take(swarm.ada->get("plan")).bytes == R"({"owner":"ada","status":"done"})");
  const WriteResult misfit =
      swarm.refused(swarm.ada->patch("plan", R"([{"op":"remove","path":"/a"}])"));
  BOOST_TEST(misfit.text.contains("/a"), misfit.text);
  BOOST_TEST((failure_of(swarm.ada->patch("plan", "7")).code == StatusCode::kRejected));
  committed(swarm.hive->patch_state("bees", "plan", R"({"owner":null})"));
  BOOST_TEST(take(swarm.hive->get_state("bees", "plan")).bytes == R"({"status":"done"})");
}

BOOST_AUTO_TEST_CASE(an_update_writes_what_it_makes_of_the_view) {
  const Swarm swarm;
  swarm.done(swarm.ada->incr("n", 3));
  const auto doubled = [](const StateItem& now) -> Expected<WriteGroup> {
    return WriteGroup().incr("n", now.number).if_unchanged();
  };
  swarm.done(swarm.ada->update("n", doubled));
  BOOST_TEST(take(swarm.ada->counter("n").value()) == 6);
  const WriteResult given_up =
      swarm.refused(swarm.ada->update("n", [](const StateItem&) -> Expected<WriteGroup> {
        return std::unexpected(Failure{StatusCode::kRejected, "not today"});
      }));
  BOOST_TEST(given_up.text.contains("not today"), given_up.text);
  const WriteResult thrown =
      swarm.refused(swarm.ada->update("n", [](const StateItem&) -> Expected<WriteGroup> {
        throw std::runtime_error("a bad day");
      }));
  BOOST_TEST(thrown.text.contains("a bad day"), thrown.text);
}

BOOST_AUTO_TEST_CASE(a_condition_on_a_view_is_not_for_the_synchronizer) {
  const Swarm swarm;
  const auto written = swarm.hive->write("bees", WriteGroup().incr("n").if_unchanged());
  BOOST_TEST(failure_of(written).text.contains("if_version"));
}

BOOST_AUTO_TEST_CASE(a_register_in_a_map_is_read_alone) {
  const Swarm swarm;
  AgentMap ada = swarm.ada->map("ada");
  swarm.done(ada.set("mood", "happy"));
  BOOST_TEST(take(ada.get("mood"))->bytes == "happy");
  BOOST_TEST(!take(ada.get("home")).has_value());
}

BOOST_AUTO_TEST_CASE(an_ephemeral_key_is_there_as_long_as_its_writer) {
  SynchronizerConfig config;
  config.rules.push_back({.prefix = "here/", .ephemeral = true});
  const auto hive = serve(config);
  std::mutex mutex;
  std::vector<StateItem> seen;
  const auto bob = join(member(*hive, "bob"), {.on_ephemeral = [&](const EphemeralChange& change) {
                          const std::lock_guard lock(mutex);
                          seen.insert(seen.end(), change.items.begin(), change.items.end());
                        }});
  const auto told_of = [&](std::size_t count) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return seen.size() >= count;
    });
  };
  auto ada = join(member(*hive, "ada"));
  AgentEphemeral mine = ada->ephemeral("here/ada");
  BOOST_TEST(!take(mine.value()).has_value());
  BOOST_TEST(committed(ada->wait(take(mine.set_json(R"({"on":1})")), kPatience)).changed);
  BOOST_TEST(take(mine.value()).value() == R"({"on":1})");
  BOOST_REQUIRE(told_of(1));
  const StateItem told = seen.at(0);
  BOOST_TEST((told.exists && told.ephemeral && told.key == "here/ada"));
  BOOST_TEST((told.writer == "ada" && told.bytes == R"({"on":1})"));
  const StateItem read = take(bob->get("here/ada"));
  BOOST_TEST((read.exists && read.ephemeral));
  BOOST_TEST(
      (take(ada->wait(take(ada->ephemeral("plan").set("x")), kPatience)).reason == "wrong_class"));
  const WriteResult durable = take(ada->wait(take(ada->put("here/ada", "x")), kPatience));
  BOOST_TEST((durable.reason == "wrong_class"));

  take(ada->leave());
  BOOST_REQUIRE(told_of(2));
  BOOST_TEST(!seen.at(1).exists);
  BOOST_TEST(!take(bob->get("here/ada")).exists);
}
