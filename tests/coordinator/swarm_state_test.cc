#include "coordinator/swarm_state.h"

#include <map>
#include <string>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

SwarmState fresh() {
  SwarmRow row;
  row.swarm = SwarmId("s");
  return SwarmState(row);
}

RecordPtr record(Revision version, const char* text) {
  auto record = std::make_shared<Record>();
  record->version = version;
  record->commit_wall_millis = static_cast<std::int64_t>(version.value());
  if (text != nullptr) {
    record->value = Register{ContentType::kText, text};
    record->content = content_hash(*record->value);
  }
  return record;
}

void commit(SwarmState& state, const std::map<std::string, const char*>& values,
            std::vector<Row>& rows) {
  std::vector<Change> changes;
  for (const auto& [key, text] : values)
    changes.push_back({Key(key), record(state.head().next(), text)});
  state.commit(changes, rows);
}

BOOST_AUTO_TEST_SUITE(swarm_state)

BOOST_AUTO_TEST_CASE(a_delta_names_each_changed_key_once_at_its_latest) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a", "1"}, {"b", "1"}}, rows);
  commit(state, {{"a", "2"}}, rows);
  commit(state, {{"a", "3"}, {"c", "1"}}, rows);
  const auto scan = state.changed_since(Revision(1), "", 1 << 20);
  BOOST_TEST(scan.complete);
  BOOST_TEST(scan.to.value() == 3u);
  BOOST_REQUIRE_EQUAL(scan.changes.size(), 2u);
  BOOST_TEST(scan.changes[0].key.value() == "a");
  BOOST_TEST(scan.changes[0].record->version.value() == 3u);
  BOOST_TEST(scan.changes[1].key.value() == "c");
}

BOOST_AUTO_TEST_CASE(a_chunk_never_splits_a_commit) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a", "1"}, {"b", "1"}, {"c", "1"}}, rows);
  commit(state, {{"d", "1"}, {"e", "1"}}, rows);
  const auto first = state.changed_since(Revision(0), "", 1);
  BOOST_TEST(!first.complete);
  BOOST_TEST(first.to.value() == 1u);
  BOOST_TEST(first.changes.size() == 3u);
  const auto second = state.changed_since(first.to, "", 1);
  BOOST_TEST(second.complete);
  BOOST_TEST(second.changes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(chunks_of_any_size_add_up_to_the_state) {
  Prng prng(3);
  SwarmState state = fresh();
  std::vector<Row> rows;
  for (int i = 0; i < 300; ++i) {
    std::map<std::string, const char*> values;
    for (std::uint64_t n = prng.between(1, 3); n > 0; --n)
      values["k" + std::to_string(prng.below(40))] = prng.chance(1, 4) ? nullptr : "x";
    commit(state, values, rows);
  }
  state.check_invariants();
  for (const std::size_t bytes : {1u, 500u, 3'000u, 1u << 20}) {
    for (const std::uint64_t since : {0u, 17u, 299u, 300u}) {
      std::map<Key, RecordPtr> got;
      Revision at(since);
      while (true) {
        const auto scan = state.changed_since(at, "", bytes);
        BOOST_REQUIRE(scan.complete || scan.to > at);
        for (const Change& change : scan.changes) got[change.key] = change.record;
        at = scan.to;
        if (scan.complete) break;
      }
      BOOST_TEST(at.value() == 300u);
      for (int k = 0; k < 40; ++k) {
        const Key key("k" + std::to_string(k));
        const RecordPtr now = state.find(key);
        BOOST_TEST((now && now->version > Revision(since)) == got.contains(key));
        if (got.contains(key)) BOOST_TEST((got[key] == now));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(rows_replayed_give_the_same_state) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a", "1"}, {"b", "1"}}, rows);
  commit(state, {{"a", nullptr}}, rows);
  commit(state, {{"c", "1"}}, rows);
  SwarmState again(state.row());
  std::map<Key, RecordRow> newest;
  for (const Row& row : rows)
    if (const auto* one = std::get_if<RecordRow>(&row)) newest.insert_or_assign(one->key, *one);
  for (const auto& [key, row] : newest) again.restore(key, row.record);
  again.check_invariants();
  BOOST_TEST((again.digest() == state.digest()));
  BOOST_TEST(again.tombstones() == 1u);
}

BOOST_AUTO_TEST_CASE(raising_the_floor_forgets_exactly_the_tombstones_at_or_below_it) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a", "1"}, {"b", "1"}}, rows);
  commit(state, {{"a", nullptr}}, rows);
  commit(state, {{"b", nullptr}}, rows);
  rows.clear();
  BOOST_TEST(state.raise_floor(Revision(2), 100, rows).size() == 1u);
  BOOST_TEST(state.floor().value() == 2u);
  BOOST_TEST(rows.size() == 1u);
  BOOST_TEST((state.find(Key("a")) == nullptr));
  BOOST_TEST((state.find(Key("b")) != nullptr));
  state.check_invariants();
}

BOOST_AUTO_TEST_CASE(a_bounded_sweep_moves_the_floor_only_as_far_as_it_forgot) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  for (int i = 0; i < 5; ++i) commit(state, {{"k" + std::to_string(i), "1"}}, rows);
  for (int i = 0; i < 5; ++i) commit(state, {{"k" + std::to_string(i), nullptr}}, rows);
  BOOST_TEST(state.raise_floor(Revision(10), 2, rows).size() == 2u);
  BOOST_TEST(state.floor().value() == 7u);
  state.check_invariants();
}

BOOST_AUTO_TEST_CASE(clearing_leaves_nothing_and_the_floor_at_the_head) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a", "1"}}, rows);
  state.clear(rows);
  BOOST_TEST(state.live_keys() == 0u);
  BOOST_TEST(state.floor().value() == 2u);
  BOOST_TEST(state.head().value() == 2u);
  BOOST_TEST((state.digest() == Hash128{}));
  BOOST_TEST(state.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_listing_follows_the_glob_and_goes_on_after_a_key) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  commit(state, {{"a/1", "x"}, {"a/2", "x"}, {"a/3", nullptr}, {"b/1", "x"}}, rows);
  BOOST_TEST(state.list("a/*", Key(), 10, 1 << 20).changes.size() == 2u);
  BOOST_TEST(state.list("*/1", Key(), 10, 1 << 20).changes.size() == 2u);
  const auto first = state.list("", Key(), 1, 1 << 20);
  BOOST_TEST(first.more);
  const auto rest = state.list("", first.changes[0].key, 10, 1 << 20);
  BOOST_TEST(!rest.more);
  BOOST_TEST(rest.changes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(all_tombstones_that_are_old_enough_go_at_once_and_no_younger_one) {
  SwarmState state = fresh();
  std::vector<Row> rows;
  for (const char* key : {"a", "b", "c", "d"}) commit(state, {{key, nullptr}}, rows);  // at 1..4 ms
  BOOST_TEST(state.newest_tombstone_before(4, 100).value() == 3u);
  BOOST_TEST(state.newest_tombstone_before(4, 2).value() == 2u);
  BOOST_TEST(state.newest_tombstone_before(1, 100).value() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
