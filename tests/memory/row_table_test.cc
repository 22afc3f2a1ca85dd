#include "memory/row_table.h"

#include <boost/test/unit_test.hpp>

#include "memory/memory_store.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {

BOOST_AUTO_TEST_SUITE(row_table)

BOOST_AUTO_TEST_CASE(equal_rows_give_equal_tables_and_a_copy_is_a_snapshot) {
  CoordinatorStream one(8);
  CoordinatorStream same(8);
  RowTable a;
  RowTable b;
  for (int i = 0; i < 200; ++i) {
    a.apply(one.next());
    b.apply(same.next());  // records of its own, equal by value
    BOOST_REQUIRE((a == b));
  }
  const RowTable snapshot = a;
  a.apply(Row(record_row("bees", "another", text_record("1", 9000))));
  BOOST_TEST((snapshot == b));
  BOOST_TEST(!(a == b));
}

BOOST_AUTO_TEST_CASE(what_is_undone_leaves_no_trace) {
  RowTable table;
  WriterRow gone = writer_row("bees", "drone", 9, 0);
  gone.gone = true;
  OutcomeRow confirmed = outcome_row("bees", "drone", 8, 1);
  confirmed.outcomes.clear();
  OutboxRow answered = outbox_row(9, 1, 1);
  answered.mutation.reset();
  table.apply(
      synced({record_row("bees", "a", text_record("1", 1)),
              ForgetRow{SwarmId("bees"), Key("a"), Revision(1)}, writer_row("bees", "drone", 9, 1),
              outcome_row("bees", "drone", 9, 1), gone, outcome_row("bees", "drone", 8, 1),
              confirmed, confirmed, outbox_row(9, 1, 1), answered,
              ReplicaRow{Key("a"), tombstone(1)}, ReplicaRow{Key("a"), nullptr}}));
  BOOST_TEST((table == RowTable{}));
}

BOOST_AUTO_TEST_CASE(a_memory_store_goes_on_from_a_table) {
  RowTable table;
  table.apply(commit_batch("bees", 1));
  MemoryStore store(table);
  BOOST_TEST(store.commit(commit_batch("bees", 2)) == CommitResult::kDone);
  BOOST_TEST(store.load_coordinator()->records.size() == 2U);
  BOOST_TEST(table.load_coordinator()->records.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
