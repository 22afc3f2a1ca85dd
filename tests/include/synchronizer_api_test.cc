// StateSynchronizer, MemoryProvider and ConflictResolver as their users see them.

#include <boost/test/unit_test.hpp>
#include <waggle/conflict_resolver.h>
#include <waggle/memory_provider.h>
#include <waggle/version.h>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;

BOOST_AUTO_TEST_CASE(state_is_put_read_listed_and_cleared_without_any_agent) {
  const auto hive = serve();
  BOOST_TEST(hive->endpoint().starts_with("tcp://127.0.0.1:"));
  const auto nothing = hive->get_state("bees", "k");
  BOOST_REQUIRE(!nothing.has_value());
  BOOST_TEST((nothing.error().code == StatusCode::kNotFound));

  const WriteResult put = committed(hive->put_state("bees", "a/1", "one"));
  BOOST_TEST(put.revision == 1u);
  committed(hive->write("bees", WriteGroup().put("a/2", "two").put_json("b", "{}")));
  BOOST_TEST(take(hive->get_state("bees", "a/1")).bytes == "one");
  BOOST_TEST(!take(hive->get_state("bees", "none")).exists);
  BOOST_TEST(take(hive->list_state("bees", "a/*")).items.size() == 2u);
  BOOST_TEST(take(hive->list_state("bees")).items.size() == 3u);
  BOOST_TEST(take(hive->get_state_version("bees")).revision == 2u);
  BOOST_TEST(take(hive->get_state_version("bees", "a/1")) == 1u);
  BOOST_TEST(take(hive->get_state_version("bees", "none")) == 0u);
  BOOST_TEST((take(hive->get_state("bees", "b")).content == ContentKind::kJson));

  committed(hive->clear_state("bees", "a/1"));
  BOOST_TEST(take(hive->list_state("bees")).items.size() == 2u);
  committed(hive->clear_state("bees"));
  BOOST_TEST(take(hive->list_state("bees")).items.empty());
  BOOST_TEST(take(hive->get_state_version("bees")).revision == 4u);

  const auto ahead = hive->get_state("bees", "b", 1'000);
  BOOST_REQUIRE(!ahead.has_value());
  BOOST_TEST((ahead.error().code == StatusCode::kStale));
}

BOOST_AUTO_TEST_CASE(a_later_write_of_the_same_caller_is_not_concurrent_with_its_earlier_ones) {
  SynchronizerConfig config;
  config.rules = {{.prefix = "", .resolve = {.strategy = ResolveBy::kKeep}}};
  const auto hive = serve(config);
  for (int i = 0; i < 20; ++i) committed(hive->put_state("bees", "k", std::to_string(i)));
  const auto agent = join(member(*hive, "one"));
  committed(agent->commit(WriteGroup().put("k", "agent"), kPatience));
  // It has not read what the agent wrote, so by the rule `keep` that stands; having read, it may.
  const WriteResult blind = take(hive->put_state("bees", "k", "blind"));
  BOOST_TEST((blind.code == StatusCode::kConflict));
  BOOST_TEST(take(hive->get_state("bees", "k")).bytes == "agent");
  committed(hive->put_state("bees", "k", "seen"));
}

BOOST_AUTO_TEST_CASE(a_list_larger_than_one_answer_comes_whole) {
  const auto hive = serve();
  const std::string value(4'000, 'x');
  for (int i = 0; i < 300; ++i)
    committed(hive->put_state("bees", "key/" + std::to_string(1'000 + i), value));
  const ItemList list = take(hive->list_state("bees", "key/*"));
  BOOST_REQUIRE(list.items.size() == 300u);
  for (std::size_t i = 0; i < 300; ++i)
    BOOST_REQUIRE(list.items[i].key == "key/" + std::to_string(1'000 + i));
}

BOOST_AUTO_TEST_CASE(a_delta_holds_what_changed_and_nothing_else) {
  const auto hive = serve();
  for (int i = 0; i < 100; ++i)
    committed(hive->put_state("bees", "key/" + std::to_string(i), std::string(5'000, 'x')));
  const StateVersion before = take(hive->get_state_version("bees"));
  committed(hive->put_state("bees", "key/7", "new"));
  committed(hive->clear_state("bees", "key/8"));
  committed(hive->put_state("bees", "key/7", "newer"));

  const DeltaResult delta = take(hive->delta_sync("bees", before));
  BOOST_TEST(!delta.snapshot);
  BOOST_TEST(delta.to.revision == before.revision + 3);
  BOOST_REQUIRE(delta.changes.size() == 2u);
  BOOST_TEST(delta.changes[0].key == "key/8");
  BOOST_TEST(!delta.changes[0].exists);
  BOOST_TEST(delta.changes[1].bytes == "newer");
  BOOST_TEST(delta.bytes < 1'000u);

  const DeltaResult whole = take(hive->delta_sync("bees", {}));
  BOOST_TEST(whole.snapshot);
  BOOST_TEST(whole.changes.size() == 99u);
  const DeltaResult foreign = take(hive->delta_sync("bees", {.epoch = 12'345, .revision = 4}));
  BOOST_TEST(foreign.snapshot);
  BOOST_TEST(foreign.text.contains("epoch"));
  BOOST_TEST(foreign.changes.size() == 99u);
}

BOOST_AUTO_TEST_CASE(members_are_listed_and_digests_are_equal_at_equal_revisions) {
  const auto hive = serve();
  const auto agent = join(member(*hive, "one"));
  const WriteResult put = committed(agent->commit(WriteGroup().put("k", "v"), kPatience));
  take(agent->get("k", put.revision, kPatience));
  const std::vector<AgentPresence> agents = take(hive->agents("bees"));
  BOOST_REQUIRE(agents.size() == 1u);
  BOOST_TEST(agents[0].agent == "one");
  BOOST_TEST(agents[0].attached);
  BOOST_TEST(agents[0].health == "healthy");
  const AgentStatus status = take(agent->status());
  BOOST_TEST((status.link.state == LinkState::kAttached));
  BOOST_TEST(status.cursor.text() == take(hive->get_state_version("bees")).text());
  BOOST_TEST(status.digest == take(hive->digest("bees")));
  BOOST_TEST(status.unsent == 0u);
}

BOOST_AUTO_TEST_CASE(a_round_without_members_says_so) {
  const auto hive = serve();
  committed(hive->put_state("bees", "k", "v"));
  const SyncResult result = take(hive->synchronize_state("bees", "k", std::chrono::seconds(5)));
  BOOST_TEST((result.outcome == SyncOutcome::kNoAgents));
  const auto wrong = hive->synchronize_state("bees", std::vector<std::string>{});
  BOOST_REQUIRE(!wrong.has_value());
  BOOST_TEST((wrong.error().code == StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(a_configuration_that_can_not_be_is_refused) {
  const auto code_of = [](const SynchronizerConfig& config) {
    const auto opened = StateSynchronizer::open(config);
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST(!opened.error().text.empty());
    return opened.error().code;
  };
  BOOST_TEST((code_of({.listen = "tcp://0.0.0.0:*"}) == StatusCode::kDenied));
  BOOST_TEST((code_of({.listen = "nonsense"}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.heartbeat = std::chrono::seconds(0)}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.limit = {.value_bytes = 0}}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.limit = {.burst = std::chrono::seconds(0)}}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.limit = {.history = 65}}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.limit = {.queue_bytes = 1}}) == StatusCode::kRejected));
  BOOST_TEST((code_of({.rules = {{.prefix = "a"}, {.prefix = "a"}}}) == StatusCode::kRejected));
  const auto hive = serve();
  BOOST_TEST((code_of({.listen = hive->endpoint()}) == StatusCode::kUnavailable));
}

BOOST_AUTO_TEST_CASE(memory_has_namespaces_of_its_own_and_a_window_on_the_state) {
  const auto hive = serve();
  const std::string window(MemoryProvider::kSynchronizedState);
  const auto memory = hive->memory("bees");
  BOOST_TEST(take(memory->list_keys(window)).empty());
  committed(hive->write("bees", WriteGroup().put("a/k", "v").incr("a/n", 4).add("a/s", "x")));
  BOOST_TEST(take(memory->retrieve(window, "a/k")).value() == "v");
  BOOST_TEST(take(memory->retrieve(window, "a/n")).value() == "4");
  BOOST_TEST(take(memory->retrieve(window, "a/s")).value() == "x\n");
  BOOST_TEST(!take(memory->retrieve(window, "none")).has_value());
  BOOST_TEST(take(memory->list_keys(window, "a/?")).size() == 3u);
  const auto denied = memory->store(window, "a/k", "w");
  BOOST_REQUIRE(!denied.has_value());
  BOOST_TEST((denied.error().code == StatusCode::kDenied));

  take(memory->store("notes", "x", "1"));
  take(memory->store("notes", "y", "22"));
  BOOST_TEST(take(memory->retrieve("notes", "y")).value() == "22");
  BOOST_TEST(take(memory->stats()).at("notes").keys == 2u);
  BOOST_TEST(take(memory->remove("notes", "x")));
  BOOST_TEST(!take(memory->remove("notes", "x")));
  BOOST_TEST(take(memory->clear_namespace("notes")) == 1u);
  BOOST_TEST(take(hive->list_state("bees")).items.size() == 3u);
}

BOOST_AUTO_TEST_CASE(memory_in_a_directory_outlives_its_provider) {
  TempDirectory scratch;
  take(take(MemoryProvider::open(scratch.file("notes")))->store("notes", "x", "1"));
  const auto memory = take(MemoryProvider::open(scratch.file("notes")));
  BOOST_TEST(take(memory->retrieve("notes", "x")).value() == "1");
}

BOOST_AUTO_TEST_CASE(the_resolver_decides_values_without_a_swarm) {
  const CandidateValue old{.agent = "a", .bytes = "old", .stamp_millis = 10};
  const CandidateValue early{.agent = "b", .bytes = "new", .stamp_millis = 20};
  const CandidateValue late{.agent = "c", .bytes = "newest", .stamp_millis = 30};
  const auto lww = take(ConflictResolver::make({}));
  Resolution decided = take(lww.resolve(old, {early, late}, 0, 2));
  BOOST_TEST(decided.winner.value() == 1u);
  BOOST_TEST(decided.changes);
  BOOST_TEST(decided.rule == "lww");
  BOOST_TEST(!take(lww.resolve(late, {early}, 0, 2)).winner.has_value());

  const auto quorum = take(ConflictResolver::make({.strategy = ResolveBy::kQuorum}));
  CandidateValue second = early;
  second.agent = "d";
  decided = take(quorum.resolve(old, {early, second, late}, 0, 3));
  BOOST_TEST(decided.winner.value() == 0u);
  BOOST_TEST((take(quorum.resolve(old, {early, late}, 0, 2)).outcome == SyncOutcome::kNoQuorum));

  const auto keep = take(ConflictResolver::make({.strategy = ResolveBy::kKeep}));
  BOOST_TEST(!take(keep.resolve(old, {late}, 1, 2)).winner.has_value());
  BOOST_TEST(!ConflictResolver::make({.strategy = ResolveBy::kQuorum, .quorum_permille = 500}));
  BOOST_TEST(!keep.resolve(old, {late}, 2, 2));
  BOOST_TEST(!quorum.resolve(old, {early, early}, 0, 3), "each agent counts once");
}

BOOST_AUTO_TEST_CASE(the_library_names_its_version) {
  BOOST_TEST(library_version().contains('.'));
  BOOST_TEST(library_protocol() >= 1);
}
