#include "memory/state_digest.h"

#include <boost/test/unit_test.hpp>

#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

// Two swarms, of which the second was stored with its digest.
CoordinatorState two_swarms() {
  CoordinatorState state;
  state.swarms = {swarm_row("ants", 1), swarm_row("bees", 3)};
  state.records = {
      record_row("ants", "x", text_record("0", 1)), record_row("bees", "a", text_record("1", 1)),
      record_row("bees", "b", text_record("2", 3)), record_row("bees", "gone", tombstone(2))};
  Hash128 digest;
  for (const RecordRow& row : state.records)
    if (row.swarm == SwarmId("bees")) digest += digest_part(row.key, *row.record);
  state.swarms[1].digest = digest;
  return state;
}

void refuses(const CoordinatorState& state, const std::string& text) {
  const Status checked = check_digests(state);
  BOOST_REQUIRE(!checked.has_value());
  BOOST_TEST(checked.error().code == Code::kCorrupt);
  BOOST_TEST(mentions(checked.error(), text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(state_digest)

BOOST_AUTO_TEST_CASE(a_state_that_adds_up_is_whole) {
  BOOST_TEST(check_digests(two_swarms()).has_value());
  BOOST_TEST(check_digests({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_missing_an_old_and_a_foreign_record_are_noticed) {
  CoordinatorState missing = two_swarms();
  missing.records.erase(missing.records.begin() + 1);
  refuses(missing, "swarm 'bees'");
  CoordinatorState old = two_swarms();
  old.records[2].record = text_record("2", 2);
  refuses(old, "stored with head 3");
  CoordinatorState foreign = two_swarms();
  foreign.records.push_back(record_row("bees", "new", text_record("3", 3)));
  refuses(foreign, "expected");
}

BOOST_AUTO_TEST_CASE(all_records_missing_is_noticed) {
  CoordinatorState state = two_swarms();
  state.records.clear();
  refuses(state, "the 0 records of swarm 'bees'");
}

BOOST_AUTO_TEST_CASE(a_record_above_the_head_is_noticed) {
  CoordinatorState state = two_swarms();
  state.records[3].record = tombstone(4);  // adds nothing to the digest
  refuses(state, "key 'gone' of swarm 'bees' has version 4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
