// An agent that may not read everything, or some keys that not everybody may.

#include <boost/test/unit_test.hpp>

#include "tests/agent/bench_of_bounds.h"

namespace waggle {
namespace {

struct ViewBench : BoundsBench {
  using BoundsBench::BoundsBench;

  void join(std::uint64_t session, std::uint64_t head, std::uint64_t view, bool private_keys) {
    Welcome welcome = welcome_to(session, head);
    welcome.view = view;
    welcome.private_keys = private_keys;
    receive(std::move(welcome));
    receive(Attached{SessionId(session), Revision(head), {}});
  }
  void pull(std::uint64_t from, std::uint64_t to, std::vector<Change> changes,
            std::uint64_t session = 1) {
    BOOST_REQUIRE(up<DeltaRequest>() != nullptr);
    DeltaChunk answer = chunk(from, to, true, session);
    answer.changes = std::move(changes);
    receive(std::move(answer));
  }
  [[nodiscard]] std::uint64_t at() const { return core.replica().cursor().revision.value(); }
};

BOOST_AUTO_TEST_CASE(an_update_with_elided_changes_is_pulled_by_who_may_read_them) {
  ViewBench bench;
  bench.feed(Tick{});
  bench.join(1, 1, 0, true);
  bench.pull(0, 1, {ViewBench::change("open", 1, "1")});
  StateUpdate update = ViewBench::update(1, 3, {ViewBench::change("open", 3, "3")});
  update.elided = 1;
  bench.hear(update);
  BOOST_TEST(bench.at() == 1u);
  BOOST_TEST(bench.counter("private_updates") == 1u);
  bench.wait(200);
  bench.pull(1, 3, {ViewBench::change("secret", 2, "2"), ViewBench::change("open", 3, "3")});
  BOOST_TEST(bench.at() == 3u);
  BOOST_TEST((bench.core.view(Key("secret")) != nullptr));
  // One without goes in as it is.
  bench.hear(ViewBench::update(3, 4, {ViewBench::change("open", 4, "4")}));
  BOOST_TEST(bench.at() == 4u);
}

BOOST_AUTO_TEST_CASE(who_reads_only_what_everybody_may_takes_the_update_as_all) {
  ViewBench bench;
  bench.feed(Tick{});
  bench.join(1, 1, 5, false);
  bench.pull(0, 1, {});
  StateUpdate update = ViewBench::update(1, 3, {ViewBench::change("open", 3, "3")});
  update.elided = 1;
  bench.hear(update);
  BOOST_TEST(bench.at() == 3u);
  // Its state is not all of it, so its digest says nothing.
  bench.hear(ViewBench::heartbeat(3, Hash128{1, 2}));
  BOOST_TEST((bench.told<DigestMismatch>() == nullptr));
  BOOST_TEST(bench.counter("digest_mismatches") == 0u);
}

// What it may read now it may not have been sent then, and the other way round.
BOOST_AUTO_TEST_CASE(under_another_view_the_state_is_pulled_as_a_whole) {
  ViewBench bench;
  bench.feed(Tick{});
  bench.join(1, 2, 5, false);
  bench.pull(0, 2, {ViewBench::change("open", 1, "1")});
  bench.receive(NoSession{SessionId(1)});
  bench.join(2, 2, 6, true);
  BOOST_REQUIRE(bench.up<DeltaRequest>() != nullptr);
  BOOST_TEST(bench.up<DeltaRequest>()->cursor.revision.value() == 0u);
  bench.pull(0, 2, {ViewBench::change("secret", 2, "2")}, 2);
  BOOST_TEST((bench.core.view(Key("secret")) != nullptr));
  BOOST_TEST((bench.core.view(Key("open")) == nullptr));
  // Under the same one it goes on from what it holds.
  bench.receive(NoSession{SessionId(2)});
  bench.join(3, 2, 6, true);
  BOOST_TEST((bench.up<DeltaRequest>() == nullptr));
}

BOOST_AUTO_TEST_CASE(the_view_is_kept_with_the_state) {
  AgentState state;
  state.identity.token[0] = 1;
  state.cursor = {ViewBench::kEpoch, Revision(2)};
  state.view = 5;
  {
    ViewBench same(state);
    same.feed(Tick{});
    same.join(1, 2, 5, false);
    BOOST_TEST((same.up<DeltaRequest>() == nullptr));
  }
  ViewBench other(state);
  other.feed(Tick{});
  other.join(1, 2, 0, false);
  BOOST_REQUIRE(other.up<DeltaRequest>() != nullptr);
  BOOST_TEST(other.up<DeltaRequest>()->cursor.revision.value() == 0u);
  other.pull(0, 2, {});
  const ReplicaCursorRow* kept = nullptr;
  for (const Row& row : other.last.persist.rows)
    if (const auto* one = std::get_if<ReplicaCursorRow>(&row)) kept = one;
  BOOST_REQUIRE(kept != nullptr);
  BOOST_TEST(kept->view == 0u);
}

}  // namespace
}  // namespace waggle
