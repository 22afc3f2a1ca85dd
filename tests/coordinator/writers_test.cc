#include "coordinator/writers.h"

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

namespace waggle {
namespace {

const AgentId kAgent("a");
const AgentId kClient("~client-1");
const Incarnation kIncarnation(5);

Outcome committed(std::uint64_t revision) {
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.revision = Revision(revision);
  outcome.changed = true;
  return outcome;
}

struct Table {
  SwarmRow marks;
  Writers writers{SwarmId("s")};
  std::vector<Row> rows;

  Writers::Turn turn(std::uint64_t seq, std::uint64_t confirmed = 0, std::uint64_t seen = 0,
                     const AgentId& agent = kAgent) {
    return writers.turn_of(agent, kIncarnation, Seq(seq), Seq(confirmed), Revision(seen), marks)
        .turn;
  }
  void consume(std::uint64_t seq, std::uint64_t seen = 0, const AgentId& agent = kAgent,
               std::int64_t wall = 0) {
    writers.consume(agent, kIncarnation, Seq(seq), committed(seen + 1), Revision(seen), wall);
  }
};

BOOST_AUTO_TEST_SUITE(writers)

BOOST_AUTO_TEST_CASE(seqs_are_consumed_strictly_in_order) {
  Table table;
  BOOST_TEST((table.turn(1) == Writers::Turn::kNext));
  table.consume(1);
  BOOST_TEST((table.turn(1) == Writers::Turn::kRepeated));
  BOOST_TEST((table.turn(2) == Writers::Turn::kNext));
  BOOST_TEST((table.turn(3) == Writers::Turn::kGap));
}

BOOST_AUTO_TEST_CASE(a_repetition_gets_its_first_outcome_until_it_is_confirmed) {
  Table table;
  table.consume(1, 41);
  const auto answer = table.writers.turn_of(kAgent, kIncarnation, Seq(1), {}, {}, table.marks);
  BOOST_REQUIRE(answer.outcome != nullptr);
  BOOST_TEST(answer.outcome->revision.value() == 42u);
  table.writers.confirm(kAgent, {{kIncarnation, Seq(1)}}, table.rows);
  BOOST_TEST((table.writers.turn_of(kAgent, kIncarnation, Seq(1), {}, {}, table.marks).outcome ==
              nullptr));
}

BOOST_AUTO_TEST_CASE(a_lost_first_submit_is_a_gap_and_not_a_forgotten_writer) {
  Table table;
  BOOST_TEST((table.turn(2) == Writers::Turn::kGap));
  BOOST_TEST((table.turn(2, 1) == Writers::Turn::kForgotten));
}

BOOST_AUTO_TEST_CASE(retired_incarnations_lose_their_rows_and_outcomes) {
  Table table;
  table.consume(1);
  (void)table.writers.take_advanced(table.rows);
  table.rows.clear();
  table.writers.retire_others(kAgent, {Incarnation(6)}, table.rows);
  BOOST_TEST(table.writers.rows() == 0u);
  // The row takes its outcomes along (base/row.h).
  BOOST_REQUIRE_EQUAL(table.rows.size(), 1u);
  BOOST_TEST(std::get<WriterRow>(table.rows[0]).gone);
}

BOOST_AUTO_TEST_CASE(a_client_write_below_the_mark_is_unknown_and_a_new_client_is_not) {
  Table table;
  table.consume(1, 0, kClient, 0);  // the first commit of the swarm: had seen revision 0
  BOOST_TEST(table.writers.forget_old(kClientRowMillis + 60'000, true, table.marks, table.rows));
  BOOST_TEST((table.turn(1, 0, 0, kClient) == Writers::Turn::kUnknown));
  BOOST_TEST((table.turn(1, 0, 1, kClient) == Writers::Turn::kNext));
  BOOST_TEST((table.turn(1, 0, 0, kAgent) == Writers::Turn::kNext));
}

BOOST_AUTO_TEST_CASE(forgetting_a_row_without_a_commit_raises_no_mark) {
  Table table;
  Outcome conflict;
  conflict.code = Code::kConflict;
  table.writers.consume(kClient, kIncarnation, Seq(1), conflict, Revision(9), 0);
  BOOST_TEST(!table.writers.forget_old(kClientRowMillis + 60'000, true, table.marks, table.rows));
  BOOST_TEST((table.turn(1, 0, 9, kClient) == Writers::Turn::kNext));
}

BOOST_AUTO_TEST_CASE(outcomes_beyond_the_window_wait_for_a_confirmation) {
  Table table;
  for (std::uint64_t seq = 1; seq <= limits::kWindow; ++seq) table.consume(seq);
  BOOST_TEST((table.turn(limits::kWindow + 1) == Writers::Turn::kBeyond));
  table.writers.confirm(kAgent, {{kIncarnation, Seq(1)}}, table.rows);
  BOOST_TEST((table.turn(limits::kWindow + 1) == Writers::Turn::kNext));
}

BOOST_AUTO_TEST_CASE(a_group_makes_one_row_of_outcomes_and_it_goes_when_all_are_confirmed) {
  Table table;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) table.consume(seq);
  (void)table.writers.take_advanced(table.rows);
  table.consume(4);
  (void)table.writers.take_advanced(table.rows);
  std::vector<std::pair<std::uint64_t, std::size_t>> made;
  for (const Row& row : table.rows)
    if (const auto* outcomes = std::get_if<OutcomeRow>(&row))
      made.emplace_back(outcomes->seq.value(), outcomes->outcomes.size());
  const std::vector<std::pair<std::uint64_t, std::size_t>> expected = {{1, 3}, {4, 1}};
  BOOST_TEST((made == expected));

  table.rows.clear();
  table.writers.confirm(kAgent, {{kIncarnation, Seq(2)}}, table.rows);
  BOOST_TEST(table.rows.empty());
  BOOST_TEST(table.writers.unconfirmed(kAgent, 9).size() == 2u);
  table.writers.confirm(kAgent, {{kIncarnation, Seq(3)}}, table.rows);
  BOOST_REQUIRE_EQUAL(table.rows.size(), 1u);
  BOOST_TEST(std::get<OutcomeRow>(table.rows[0]).seq.value() == 1u);
  BOOST_TEST(std::get<OutcomeRow>(table.rows[0]).outcomes.empty());
}

BOOST_AUTO_TEST_CASE(outcomes_that_carry_large_records_are_cut_into_several_rows) {
  Table table;
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kBytes, std::string(40'000, 'x')};
  Outcome conflict;
  conflict.code = Code::kConflict;
  conflict.key = Key("k");
  conflict.committed = record;
  for (std::uint64_t seq = 1; seq <= 5; ++seq)
    table.writers.consume(kAgent, kIncarnation, Seq(seq), conflict, {}, 0);
  (void)table.writers.take_advanced(table.rows);
  std::vector<std::uint64_t> firsts;
  for (const Row& row : table.rows)
    if (const auto* outcomes = std::get_if<OutcomeRow>(&row))
      firsts.push_back(outcomes->seq.value());
  BOOST_TEST((firsts == std::vector<std::uint64_t>{1, 3, 5}));
}

BOOST_AUTO_TEST_CASE(what_is_confirmed_before_it_is_stored_makes_no_row) {
  Table table;
  table.consume(1);
  table.consume(2);
  table.writers.confirm(kAgent, {{kIncarnation, Seq(2)}}, table.rows);
  (void)table.writers.take_advanced(table.rows);
  for (const Row& row : table.rows) BOOST_TEST(!std::holds_alternative<OutcomeRow>(row));
}

BOOST_AUTO_TEST_CASE(restored_rows_go_on_where_they_were) {
  Table table;
  table.consume(1);
  table.consume(2);
  (void)table.writers.take_advanced(table.rows);
  Writers again{SwarmId("s")};
  for (const Row& row : table.rows)
    if (const auto* writer = std::get_if<WriterRow>(&row)) again.restore(*writer);
  for (const Row& row : table.rows)
    if (const auto* outcome = std::get_if<OutcomeRow>(&row)) again.restore(*outcome);
  const auto answer = again.turn_of(kAgent, kIncarnation, Seq(2), {}, {}, table.marks);
  BOOST_TEST((answer.turn == Writers::Turn::kRepeated && answer.outcome != nullptr));
}

BOOST_AUTO_TEST_CASE(client_rows_stay_bounded_however_many_come) {
  Writers writers{SwarmId("s")};
  SwarmRow marks;
  std::vector<Row> rows;
  Outcome done;
  done.code = Code::kCommitted;
  done.changed = true;
  std::uint64_t id = 0;
  for (int second = 0; second < 300; ++second) {
    for (int n = 0; n < 600; ++n)
      writers.consume(AgentId("~client-" + std::to_string(n + 600 * second)), Incarnation(1),
                      Seq(1), done, Revision(++id), 1000 * second);
    (void)writers.take_advanced(rows);
    rows.clear();
    writers.forget_old(1000 * second, true, marks, rows);
  }
  BOOST_TEST(writers.rows() <= limits::kClientRows + 600);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
