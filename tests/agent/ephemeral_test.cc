// Ephemeral keys at an agent: its own, which it keeps saying, and the swarm's.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "bench_of_bounds.h"

namespace waggle {
namespace {

struct Bench : BoundsBench {
  void set(std::uint64_t request, const std::string& key, std::optional<std::string> text) {
    EphemeralCommand command{RequestId(request), Key(key), std::nullopt, {}};
    if (text) command.value = Register{ContentType::kText, *std::move(text)};
    feed(Command{std::move(command)});
  }
  // A new session; the coordinator was at `at`.
  void come_back(std::uint64_t session, std::uint64_t at, StartId start = kStart) {
    Welcome welcome = welcome_to(session, 0);
    welcome.start = start;
    receive(welcome);
    receive(Attached{SessionId(session), {}, {}, Revision(at)});
  }
  void lose_session() { receive(NoSession{SessionId(1)}); }
  void answer(std::uint64_t number, std::uint64_t at, std::vector<EphemeralRefusal> refused = {},
              std::uint64_t session = 1) {
    receive(EphemeralResult{SessionId(session), number, Revision(at), std::move(refused)});
  }
  [[nodiscard]] Change mine(const std::string& key, std::uint64_t version,
                            const std::string& text) {
    Change one = change(key, version, text);
    auto record = std::make_shared<Record>(*one.record);
    record->ephemeral = true;
    record->writer = own_writer(key);
    return {one.key, std::move(record)};
  }
  [[nodiscard]] Writer own_writer(const std::string& key) {
    const RecordPtr own = core.view(Key(key));
    return own ? own->writer : Writer{};
  }
  [[nodiscard]] static Change others(const std::string& key, std::uint64_t version,
                                     std::optional<std::string> text) {
    Change one = change(key, version, text.value_or(""));
    auto record = std::make_shared<Record>(*one.record);
    record->ephemeral = true;
    if (!text) {
      record->value.reset();
      record->content = {};
    }
    return {one.key, std::move(record)};
  }
  void hear_of(std::uint64_t from, std::uint64_t to, std::vector<Change> changes,
               StartId start = kStart) {
    hear(EphemeralUpdate{SwarmId("s"), start, BroadcastNo(to), Revision(from), Revision(to),
                         std::move(changes)});
  }
  void state(std::uint64_t at, std::vector<Change> changes, std::uint64_t session = 1) {
    receive(EphemeralState{SessionId(session), asked, Revision(at), 0, true, std::move(changes)});
  }
  // The newest request for the state, remembered.
  [[nodiscard]] bool asks() {
    const auto* request = up<EphemeralRequest>();
    if (request != nullptr) asked = request->request;
    return request != nullptr;
  }
  RequestId asked;
};

BOOST_AUTO_TEST_SUITE(ephemeral)

BOOST_AUTO_TEST_CASE(a_write_is_in_view_at_once_on_no_disk_and_settled_by_its_result) {
  Bench bench;
  bench.attach();
  bench.set(7, "here/a", "busy");
  BOOST_TEST(bench.view("here/a") == "busy");
  BOOST_TEST(bench.last.persist.rows.empty());
  const auto* write = bench.up<EphemeralWrite>();
  BOOST_REQUIRE(write != nullptr);
  BOOST_TEST((write->number == 1u && write->entries.size() == 1u));
  BOOST_TEST(bench.core.ephemeral_copy().pending(Key("here/a")));
  bench.answer(1, 1);
  BOOST_REQUIRE(bench.told<EphemeralSettled>() != nullptr);
  BOOST_TEST((bench.told<EphemeralSettled>()->request == RequestId(7)));
  BOOST_CHECK(bench.told<EphemeralSettled>()->code == Code::kCommitted);
  BOOST_TEST(bench.view("here/a") == "busy");
  BOOST_TEST(!bench.core.ephemeral_copy().pending(Key("here/a")));
  // A second result says nothing.
  bench.answer(1, 1);
  BOOST_TEST(bench.told<EphemeralSettled>() == nullptr);
}

BOOST_AUTO_TEST_CASE(while_one_is_on_its_way_the_newest_of_each_key_waits) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "1");
  bench.set(2, "here/a", "2");
  BOOST_TEST(bench.up<EphemeralWrite>() == nullptr);
  bench.set(3, "here/a", "3");
  bench.set(4, "here/b", "4");
  BOOST_TEST(bench.view("here/a") == "3");
  bench.answer(1, 1);
  BOOST_TEST(bench.all_told<EphemeralSettled>().size() == 1u);
  const auto* write = bench.up<EphemeralWrite>();
  BOOST_REQUIRE(write != nullptr);
  BOOST_TEST(write->number == 2u);
  BOOST_REQUIRE_EQUAL(write->entries.size(), 2u);
  BOOST_TEST(write->entries[0].value->bytes == "3");
  bench.answer(2, 3);
  // The one that was overtaken is answered with it.
  BOOST_TEST(bench.all_told<EphemeralSettled>().size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_write_without_a_result_is_sent_again_as_it_was) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "1");
  bench.set(2, "here/a", "2");
  const EphemeralWrite* again = nullptr;
  for (int tenth = 0; tenth < 20 && again == nullptr; ++tenth) {
    bench.wait(100);
    again = bench.up<EphemeralWrite>();
  }
  BOOST_REQUIRE(again != nullptr);
  BOOST_TEST((again->number == 1u && again->entries[0].value->bytes == "1"));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_and_the_value_leaves_the_view) {
  Bench bench;
  bench.attach();
  bench.set(1, "plan", "x");
  bench.answer(1, 0, {{Key("plan"), Code::kRejected, Reason::kWrongClass, "durable"}});
  const auto* settled = bench.told<EphemeralSettled>();
  BOOST_REQUIRE(settled != nullptr);
  BOOST_CHECK(settled->reason == Reason::kWrongClass);
  BOOST_TEST(settled->text == "durable");
  BOOST_TEST(bench.view("plan") == "(absent)");
}

BOOST_AUTO_TEST_CASE(what_others_write_later_stands_and_is_not_said_over) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "mine");
  bench.answer(1, 1);
  bench.hear_of(0, 2, {Bench::others("here/a", 2, "theirs")});
  BOOST_TEST(bench.view("here/a") == "theirs");
  bench.lose_session();
  bench.come_back(2, 2);
  BOOST_TEST(bench.up<EphemeralWrite>() == nullptr);
  BOOST_TEST(bench.view("here/a") == "theirs");
}

BOOST_AUTO_TEST_CASE(an_update_that_overtakes_the_result_counts_too) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "mine");
  const Change own = bench.mine("here/a", 1, "mine");
  bench.hear_of(0, 2, {Bench::others("here/a", 2, "theirs")});
  BOOST_TEST(bench.view("here/a") == "mine");
  bench.answer(1, 1);
  BOOST_TEST(bench.view("here/a") == "theirs");
  BOOST_TEST(bench.core.ephemeral_copy().own().empty());
}

BOOST_AUTO_TEST_CASE(own_keys_are_said_again_in_a_new_session_once_the_copy_is_current) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "mine");
  bench.set(2, "here/b", "too");
  const Change a = bench.mine("here/a", 1, "mine");
  bench.answer(1, 1);
  bench.answer(2, 2);
  bench.hear_of(0, 2, {a, bench.mine("here/b", 2, "too")});
  bench.lose_session();
  bench.come_back(2, 5);
  // Somebody may have written them meanwhile: first it looks.
  BOOST_TEST(bench.up<EphemeralWrite>() == nullptr);
  BOOST_REQUIRE(bench.asks());
  bench.state(5, {Bench::others("here/b", 5, "theirs")}, 2);
  const auto* write = bench.up<EphemeralWrite>();
  BOOST_REQUIRE(write != nullptr);
  BOOST_TEST(write->number == 1u);
  BOOST_REQUIRE_EQUAL(write->entries.size(), 1u);
  BOOST_TEST(write->entries[0].key.value() == "here/a");
  BOOST_TEST(bench.view("here/b") == "theirs");
}

BOOST_AUTO_TEST_CASE(an_own_key_that_is_said_again_and_refused_is_told_as_gone) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "mine");
  bench.answer(1, 1);
  bench.lose_session();
  bench.come_back(2, 0, StartId(4));
  BOOST_REQUIRE(bench.up<EphemeralWrite>() != nullptr);
  bench.answer(1, 0, {{Key("here/a"), Code::kRejected, Reason::kWrongClass, "durable"}}, 2);
  const auto* settled = bench.told<EphemeralSettled>();
  BOOST_REQUIRE(settled != nullptr);
  BOOST_TEST((!settled->request && settled->text == "durable"));
  BOOST_TEST(bench.view("here/a") == "(absent)");
}

BOOST_AUTO_TEST_CASE(a_new_start_of_the_coordinator_begins_with_nothing) {
  Bench bench;
  bench.attach();
  bench.hear_of(0, 3, {Bench::others("here/x", 3, "there")});
  BOOST_TEST(bench.view("here/x") == "there");
  bench.lose_session();
  BOOST_TEST(bench.view("here/x") == "there");  // as far as is known
  bench.come_back(2, 0, StartId(4));
  BOOST_TEST(bench.view("here/x") == "(absent)");
  const auto* changed = bench.told<EphemeralChanged>();
  BOOST_REQUIRE(changed != nullptr);
  BOOST_TEST(!changed->changes.at(0).record->live());
  bench.hear_of(0, 1, {Bench::others("here/x", 1, "again")}, StartId(4));
  BOOST_TEST(bench.view("here/x") == "again");
}

BOOST_AUTO_TEST_CASE(a_hole_is_filled_by_the_whole_state_and_what_came_meanwhile) {
  Bench bench;
  bench.attach();
  bench.hear_of(0, 1, {Bench::others("here/x", 1, "1")});
  bench.hear_of(2, 3, {Bench::others("here/y", 3, "3")});
  BOOST_REQUIRE(bench.asks());
  BOOST_TEST(bench.view("here/y") == "(absent)");
  bench.hear_of(3, 4, {Bench::others("here/z", 4, "4")});
  bench.state(3, {Bench::others("here/y", 3, "3")});
  BOOST_TEST(bench.view("here/x") == "(absent)");
  BOOST_TEST(bench.view("here/y") == "3");
  BOOST_TEST(bench.view("here/z") == "4");
  BOOST_TEST(!bench.core.ephemeral_copy().behind());
}

BOOST_AUTO_TEST_CASE(a_lost_update_is_found_by_the_beat) {
  Bench bench;
  bench.attach();
  Heartbeat beat = BoundsBench::heartbeat(0, {});
  beat.ephemeral = Revision(1);
  bench.hear(beat);
  BOOST_TEST(bench.asks());
}

BOOST_AUTO_TEST_CASE(a_lost_state_is_asked_for_again_and_pieces_must_be_whole) {
  Bench bench;
  bench.attach();
  bench.hear_of(1, 2, {Bench::others("here/y", 2, "2")});
  BOOST_REQUIRE(bench.asks());
  const RequestId first = bench.asked;
  const auto piece = [&](std::uint32_t number, bool last, const char* key) {
    bench.receive(EphemeralState{
        SessionId(1), bench.asked, Revision(2), number, last, {Bench::others(key, 1, "1")}});
  };
  piece(0, false, "here/a");
  piece(2, true, "here/c");  // the second one is lost
  BOOST_TEST(bench.view("here/a") == "(absent)");
  for (int tenth = 0; tenth < 20 && !bench.asks(); ++tenth) bench.wait(100);
  BOOST_TEST((bench.asked != first));
  piece(0, false, "here/a");
  piece(1, false, "here/b");
  piece(2, true, "here/c");
  BOOST_TEST(bench.view("here/b") == "1");
  BOOST_TEST(bench.view("here/c") == "1");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_gone_is_no_longer_said) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "mine");
  const Change own = bench.mine("here/a", 1, "mine");
  bench.answer(1, 1);
  bench.hear_of(0, 1, {own});
  bench.hear_of(1, 2, {Bench::others("here/a", 2, std::nullopt)});  // deleted, or its time is over
  BOOST_TEST(bench.view("here/a") == "(absent)");
  bench.lose_session();
  bench.come_back(2, 2);
  BOOST_TEST(bench.up<EphemeralWrite>() == nullptr);
}

BOOST_AUTO_TEST_CASE(who_leaves_is_answered_and_an_observer_is_refused) {
  Bench bench;
  bench.attach();
  bench.set(1, "here/a", "1");
  bench.set(2, "here/a", "2");
  bench.feed(Command{LeaveCommand{}});
  BOOST_TEST(bench.all_told<CommandFailed>().size() == 2u);
  bench.set(3, "here/a", "3");
  BOOST_TEST(bench.all_told<CommandFailed>().size() == 1u);

  Bench large;
  large.attach();
  large.set(1, "here/a", std::string(limits::kEphemeralValueBytes + 1, 'x'));
  BOOST_REQUIRE(large.told<CommandFailed>() != nullptr);
  BOOST_TEST(large.told<CommandFailed>()->error.text.find("at most 65536") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_read_lists_both_classes) {
  Bench bench;
  bench.attach(1, {BoundsBench::change("a", 1, "durable")});
  bench.hear_of(0, 1, {Bench::others("here/x", 1, "there")});
  bench.set(1, "here/y", "mine");
  std::vector<std::string> keys;
  for (const Change& change : bench.core.view_all("*")) keys.push_back(change.key.value());
  BOOST_TEST(keys == (std::vector<std::string>{"a", "here/x", "here/y"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
