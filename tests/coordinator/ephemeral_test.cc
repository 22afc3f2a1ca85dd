// Ephemeral keys: whose they are, what ends them, how their changes are told.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/check.h"
#include "base/limits.h"
#include "bench_of_core.h"

namespace waggle {
namespace {

CoordinatorOptions options() {
  CoordinatorOptions options = CoreBench::defaults();
  Policy here;
  here.prefix = "here/";
  here.ephemeral = true;
  Policy soon = here;
  soon.prefix = "soon/";
  soon.live_millis = 10'000;
  WAGGLE_CHECK(options.policies.add(here).has_value());
  WAGGLE_CHECK(options.policies.add(soon).has_value());
  return options;
}

EphemeralEntry entry(const std::string& key, std::optional<std::string> text) {
  EphemeralEntry entry{Key(key), std::nullopt, {}};
  if (text) entry.value = Register{ContentType::kText, *std::move(text)};
  return entry;
}

struct Place : CoreBench {
  explicit Place(CoordinatorOptions of = options()) : CoreBench(std::move(of)) {}

  // The process of an agent, which the hello names.
  Welcome enter(const std::string& agent, std::uint64_t process, const std::string& peer) {
    Hello hello = CoreBench::hello(agent);
    hello.incarnations = {Incarnation(process)};
    receive(peer, hello);
    close();
    if (to<Welcome>(peer) == nullptr) close();
    const Welcome welcome = *to<Welcome>(peer);
    feed(Subscribed{SwarmId("s"), welcome.nonce});
    return welcome;
  }
  Welcome enter(const std::string& agent) { return enter(agent, 1, agent); }

  const EphemeralResult* write(const std::string& peer, const Welcome& welcome,
                               std::uint64_t number, std::vector<EphemeralEntry> entries) {
    receive(peer, EphemeralWrite{welcome.session, number, std::move(entries)});
    close();
    return to<EphemeralResult>(peer);
  }
  std::string refused(const std::string& peer, const Welcome& welcome, std::uint64_t number,
                      EphemeralEntry one) {
    const EphemeralResult* result = write(peer, welcome, number, {std::move(one)});
    return result == nullptr         ? "(no answer)"
           : result->refused.empty() ? ""
                                     : result->refused.front().text;
  }
  std::string get(const std::string& key) {
    const Welcome asker = enter("asker");
    Query query;
    query.session = asker.session;
    query.ask = GetQuery{{Key(key)}, {}};
    receive("asker", query);
    close();
    const RecordPtr record = to<QueryResult>("asker")->changes.front().record;
    return record ? register_of(record.get())->bytes : "(absent)";
  }
  std::vector<std::string> told() const {
    std::vector<std::string> texts;
    for (const EphemeralUpdate* update : broadcasts<EphemeralUpdate>())
      for (const Change& change : update->changes)
        texts.push_back(change.key.value() + (change.record->live() ? "" : " gone"));
    return texts;
  }
};

using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(ephemeral)

BOOST_AUTO_TEST_CASE(a_write_is_told_to_all_and_is_neither_a_revision_nor_on_disk) {
  Place place;
  const Welcome bee = place.enter("bee");
  place.close();
  const EphemeralResult* result =
      place.write("bee", bee, 1, {entry("here/bee", "busy"), entry("here/x", "y")});
  BOOST_REQUIRE(result != nullptr);
  BOOST_TEST(result->refused.empty());
  BOOST_TEST(result->at.value() == 2u);
  BOOST_TEST(place.last.persist.rows.empty());
  const auto updates = place.broadcasts<EphemeralUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 1u);
  BOOST_TEST((updates[0]->from.value() == 0u && updates[0]->to.value() == 2u));
  BOOST_TEST(place.told() == (Texts{"here/bee", "here/x"}), boost::test_tools::per_element());
  const Record& record = *updates[0]->changes[0].record;
  BOOST_TEST((record.ephemeral && record.version.value() == 1u));
  BOOST_TEST(record.writer.agent.value() == "bee");
  BOOST_TEST(place.broadcasts<StateUpdate>().empty());
  BOOST_TEST(place.core.swarm(SwarmId("s"))->head().value() == 0u);
  BOOST_TEST(place.get("here/bee") == "busy");
}

BOOST_AUTO_TEST_CASE(a_repeated_write_is_answered_again_and_one_from_before_is_not) {
  Place place;
  const Welcome bee = place.enter("bee");
  (void)place.write("bee", bee, 1, {entry("here/bee", "one")});
  (void)place.write("bee", bee, 2, {entry("here/bee", "two"), entry("plan", "x")});
  const EphemeralResult* again = place.write("bee", bee, 2, {entry("here/bee", "else")});
  BOOST_REQUIRE(again != nullptr);
  BOOST_TEST((again->number == 2u && again->refused.size() == 1u));
  BOOST_TEST(place.write("bee", bee, 1, {entry("here/bee", "one")}) == nullptr);
  BOOST_TEST(place.write("bee", bee, 4, {entry("here/bee", "four")}) == nullptr);
  BOOST_TEST(place.get("here/bee") == "two");
}

BOOST_AUTO_TEST_CASE(what_is_there_already_is_told_to_nobody) {
  Place place;
  const Welcome bee = place.enter("bee");
  (void)place.write("bee", bee, 1, {entry("here/bee", "busy")});
  (void)place.write("bee", bee, 2, {entry("here/bee", "busy"), entry("here/none", std::nullopt)});
  BOOST_TEST(place.told().empty());
}

BOOST_AUTO_TEST_CASE(keys_go_with_the_session_of_whoever_wrote_them_last) {
  Place place;
  const Welcome bee = place.enter("bee");
  const Welcome ada = place.enter("ada");
  (void)place.write("bee", bee, 1,
                    {entry("here/a", "bee"), entry("here/b", "bee"), entry("soon/c", "bee")});
  (void)place.write("ada", ada, 1, {entry("here/b", "ada")});
  place.receive("bee", Bye{bee.session});
  place.close();
  BOOST_TEST(place.told() == (Texts{"here/a gone", "soon/c gone"}),
             boost::test_tools::per_element());
  BOOST_TEST(place.get("here/b") == "ada");
  // Without a goodbye: with the lease.
  for (int beats = 0; beats < 10; ++beats) place.wait(5'000);
  BOOST_TEST(place.get("here/b") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_process_that_says_hello_again_keeps_its_keys_a_later_one_does_not) {
  Place place;
  const Welcome bee = place.enter("bee", 5, "first");
  (void)place.write("first", bee, 1, {entry("here/bee", "busy")});
  const Welcome again = place.enter("bee", 5, "second");
  place.close();
  BOOST_TEST(place.told().empty());
  BOOST_TEST(place.get("here/bee") == "busy");
  // They are the new session's now.
  place.receive("second", Bye{again.session});
  place.close();
  BOOST_TEST(place.told() == (Texts{"here/bee gone"}), boost::test_tools::per_element());

  const Welcome third = place.enter("bee", 5, "third");
  (void)place.write("third", third, 1, {entry("here/bee", "back")});
  (void)place.enter("bee", 6, "other");
  place.close();
  BOOST_TEST(place.get("here/bee") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_time_to_live_begins_anew_with_each_write) {
  Place place;
  const Welcome bee = place.enter("bee");
  (void)place.write("bee", bee, 1, {entry("soon/a", "x"), entry("soon/b", "y")});
  place.wait(6'000);
  (void)place.write("bee", bee, 2, {entry("soon/a", "x")});
  BOOST_TEST(place.told().empty());
  place.wait(6'000);
  BOOST_TEST(place.told() == (Texts{"soon/b gone"}), boost::test_tools::per_element());
  place.wait(6'000);
  BOOST_TEST(place.told() == (Texts{"soon/a gone"}), boost::test_tools::per_element());
  // What was written long ago, when its writer was away, has lived that long already.
  EphemeralEntry old = entry("soon/a", "old");
  old.age_millis = 7'000;
  BOOST_TEST(place.refused("bee", bee, 3, old).empty());
  place.wait(4'000);
  BOOST_TEST(place.told() == (Texts{"soon/a gone"}), boost::test_tools::per_element());
  old.age_millis = 10'000;
  BOOST_TEST(place.refused("bee", bee, 4, old) ==
             "it was written 10000 ms ago, and lives for "
             "10000 ms");
}

BOOST_AUTO_TEST_CASE(a_client_writes_only_what_ends_by_itself) {
  Place place;
  place.receive("c", CoreBench::hello("~client-1", 1, Role::kClient));
  place.close();
  const Welcome client = *place.to<Welcome>("c");
  BOOST_TEST(place.refused("c", client, 1, entry("here/c", "x")).find("time_to_live") !=
             std::string::npos);
  BOOST_TEST(place.refused("c", client, 2, entry("soon/c", "x")).empty());
  place.receive("c", Bye{client.session});
  place.close();
  BOOST_TEST(place.get("soon/c") == "x");
  place.wait(11'000);
  BOOST_TEST(place.get("soon/c") == "(absent)");
}

BOOST_AUTO_TEST_CASE(the_classes_are_kept_apart) {
  Place place;
  const Welcome bee = place.join("bee");
  BOOST_TEST(place.refused("bee", bee, 1, entry("plan", "x")).find("durable by its policy") !=
             std::string::npos);
  const auto results = place.submit("bee", bee, {CoreBench::put(1, "here/x", "y", bee)});
  BOOST_REQUIRE_EQUAL(results.size(), 1u);
  BOOST_CHECK(results[0].outcome.reason == Reason::kWrongClass);
  // Of a group nothing is done.
  Mutation group = CoreBench::put(2, "plan", "x", bee);
  group.entries.push_back(Entry{Key("here/x"), {}, PutOp{ContentType::kText, "y"}, {}});
  BOOST_CHECK(place.submit("bee", bee, {group})[0].outcome.code == Code::kRejected);
  BOOST_TEST(place.core.swarm(SwarmId("s"))->head().value() == 0u);
  // No round is held about one, and none is offered.
  SyncRequest request{bee.session, RequestId(1), {Key("here/x")}};
  place.receive("bee", request);
  place.close();
  BOOST_REQUIRE(place.to<SyncReport>("bee") != nullptr);
  BOOST_CHECK(place.to<SyncReport>("bee")->code == Code::kRejected);
}

BOOST_AUTO_TEST_CASE(a_durable_key_from_before_its_policy_is_deleted_first) {
  CoordinatorState state;
  state.store.epoch = Epoch(5);
  SwarmRow row;
  row.swarm = SwarmId("s");
  row.head = Revision(1);
  state.swarms.push_back(row);
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kText, "old"};
  record->version = Revision(1);
  record->content = content_hash(*record->value);
  state.records.push_back(RecordRow{SwarmId("s"), Key("here/x"), record});
  CoreBench bench(options(), std::move(state));
  const Welcome bee = bench.join("bee");
  bench.receive("bee", EphemeralWrite{bee.session, 1, {entry("here/x", "new")}});
  bench.close();
  BOOST_REQUIRE_EQUAL(bench.to<EphemeralResult>("bee")->refused.size(), 1u);
  Mutation deletion = CoreBench::put(1, "here/x", "", bee, 1);
  deletion.entries[0].op = DeleteOp{};
  BOOST_CHECK(bench.submit("bee", bee, {deletion})[0].outcome.code == Code::kCommitted);
  bench.receive("bee", EphemeralWrite{bee.session, 2, {entry("here/x", "new")}});
  bench.close();
  BOOST_TEST(bench.to<EphemeralResult>("bee")->refused.empty());
}

BOOST_AUTO_TEST_CASE(values_and_the_sum_of_all_are_bounded) {
  Place place;
  const Welcome bee = place.enter("bee");
  BOOST_TEST(place
                 .refused("bee", bee, 1,
                          entry("here/x", std::string(limits::kEphemeralValueBytes + 1, 'x')))
                 .find("at most 65536") != std::string::npos);
  std::uint64_t number = 1;
  const std::size_t fit = limits::kEphemeralBytes / limits::kEphemeralValueBytes;
  std::string why;
  for (std::size_t n = 0; n <= fit && why.empty(); ++n)
    why = place.refused(
        "bee", bee, ++number,
        entry("here/" + std::to_string(n), std::string(limits::kEphemeralValueBytes, 'x')));
  BOOST_TEST(why.find("at most 8388608") != std::string::npos);
  BOOST_TEST(place.refused("bee", bee, ++number, entry("here/0", "small")).empty());
}

BOOST_AUTO_TEST_CASE(who_asks_gets_all_of_them_in_pieces_and_updates_are_cut_too) {
  Place place;
  const Welcome bee = place.enter("bee");
  std::vector<EphemeralEntry> entries;
  for (int n = 10; n < 20; ++n)
    entries.push_back(entry("here/" + std::to_string(n), std::string(60'000, 'x')));
  (void)place.write("bee", bee, 1, entries);
  const auto updates = place.broadcasts<EphemeralUpdate>();
  BOOST_REQUIRE_EQUAL(updates.size(), 3u);
  Revision at;
  for (const EphemeralUpdate* update : updates) {
    BOOST_TEST(update->from.value() == at.value());
    at = update->to;
  }
  BOOST_TEST(at.value() == 10u);

  place.receive("bee", EphemeralRequest{bee.session, RequestId(4)});
  place.close();
  std::vector<const EphemeralState*> pieces;
  for (const Send& send : place.last.send)
    if (const auto* one = std::get_if<SendTo>(&send))
      if (const auto* state = std::get_if<EphemeralState>(one->message.get()))
        pieces.push_back(state);
  BOOST_REQUIRE_EQUAL(pieces.size(), 3u);
  std::size_t keys = 0;
  for (std::size_t n = 0; n < pieces.size(); ++n) {
    BOOST_TEST(pieces[n]->piece == n);
    BOOST_TEST(pieces[n]->last == (n == 2));
    BOOST_TEST((pieces[n]->at.value() == 10u && pieces[n]->request == RequestId(4)));
    keys += pieces[n]->changes.size();
  }
  BOOST_TEST(keys == 10u);
}

BOOST_AUTO_TEST_CASE(a_list_has_both_classes_in_order_page_by_page) {
  Place place;
  const Welcome bee = place.enter("bee");
  (void)place.submit("bee", bee,
                     {CoreBench::put(1, "a", "1", bee), CoreBench::put(2, "z", "2", bee),
                      CoreBench::put(3, "m", "3", bee)});
  (void)place.write("bee", bee, 1,
                    {entry("here/a", "4"), entry("here/b", "5"), entry("soon/x", "6")});
  Texts listed;
  Key after;
  for (bool more = true; more;) {
    Query query;
    query.session = bee.session;
    query.ask = ListQuery{"", after, 2, {}};
    place.receive("bee", query);
    place.close();
    const QueryResult& page = *place.to<QueryResult>("bee");
    BOOST_REQUIRE(!page.changes.empty());
    BOOST_TEST(page.changes.size() <= 2u);
    for (const Change& change : page.changes) listed.push_back(change.key.value());
    after = page.changes.back().key;
    more = page.more;
  }
  BOOST_TEST(listed == (Texts{"a", "here/a", "here/b", "m", "soon/x", "z"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_observer_writes_none_and_a_beat_names_the_newest_change) {
  Place place;
  const Welcome bee = place.enter("bee");
  (void)place.write("bee", bee, 1, {entry("here/a", "1")});
  place.receive("eye", CoreBench::hello("eye", 1, Role::kObserver));
  place.close();
  const Welcome eye = *place.to<Welcome>("eye");
  BOOST_TEST(place.write("eye", eye, 1, {entry("here/a", "2")}) == nullptr);
  BOOST_REQUIRE(place.to<ErrorReply>("eye") != nullptr);
  place.feed(Subscribed{SwarmId("s"), eye.nonce});
  place.close();
  BOOST_TEST(place.to<Attached>("eye")->ephemeral.value() == 1u);
  place.wait(5'000);
  BOOST_REQUIRE(!place.broadcasts<Heartbeat>().empty());
  BOOST_TEST(place.broadcasts<Heartbeat>()[0]->ephemeral.value() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
