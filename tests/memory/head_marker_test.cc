#include "memory/head_marker.h"

#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

Heads heads_at(std::uint64_t epoch, std::uint64_t bees, std::uint64_t wasps = 0) {
  Heads heads{Epoch(epoch), false, {{SwarmId("bees"), Revision(bees)}}};
  if (wasps != 0) heads.heads[SwarmId("wasps")] = Revision(wasps);
  return heads;
}
RecoveredHeads recovered_at(std::uint64_t epoch, std::uint64_t bees, Lineage lineage = {}) {
  return RecoveredHeads{Epoch(epoch), {{SwarmId("bees"), {Revision(bees), std::move(lineage)}}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(head_marker)

BOOST_AUTO_TEST_CASE(heads_that_were_published_are_read_after_closing) {
  const Scratch scratch;
  const std::string file = scratch.root() + "/HEAD";
  BOOST_TEST(!HeadMarker::read(file)->has_value());
  BOOST_REQUIRE(HeadMarker::make(file, Heads{}).has_value());
  BOOST_TEST((**HeadMarker::read(file) == Heads{}));
  for (std::uint64_t round = 1; round <= 5; ++round) {
    HeadMarker marker;
    BOOST_REQUIRE(marker.open(file).has_value());
    for (std::uint64_t i = 1; i <= 100; ++i) marker.publish(heads_at(7, round * 100 + i, i));
    marker.close();
    BOOST_TEST(marker.failure().empty());
    BOOST_TEST(marker.syncs() >= 1U);
    BOOST_TEST((**HeadMarker::read(file) == heads_at(7, round * 100 + 100, 100)));
  }
}

BOOST_AUTO_TEST_CASE(a_publish_is_in_the_file_at_once_unless_a_sync_runs) {
  const Scratch scratch;
  const std::string file = scratch.root() + "/HEAD";
  BOOST_REQUIRE(HeadMarker::make(file, Heads{}).has_value());
  HeadMarker marker;
  BOOST_REQUIRE(marker.open(file).has_value());
  marker.publish(heads_at(7, 1));
  BOOST_TEST((**HeadMarker::read(file) == heads_at(7, 1)));
}

BOOST_AUTO_TEST_CASE(one_whole_slot_is_left_whatever_happens_to_the_other) {
  const Scratch scratch;
  const std::string file = scratch.root() + "/HEAD";
  BOOST_REQUIRE(HeadMarker::make(file, heads_at(7, 1)).has_value());
  {
    HeadMarker marker;
    BOOST_REQUIRE(marker.open(file).has_value());
    marker.publish(heads_at(7, 2));
  }
  const std::string whole = read_file(file);
  const std::size_t slot = whole.size() / 2;
  for (std::size_t at = 0; at < 100; at += 3) {
    std::string bytes = whole;
    bytes[slot + at] = static_cast<char>(bytes[slot + at] ^ 0x20);
    write_file(file, bytes);
    const auto read = HeadMarker::read(file);
    BOOST_REQUIRE(read.has_value() && read->has_value());
    // Bytes behind the slot's content don't count.
    BOOST_TEST((**read == heads_at(7, 1) || **read == heads_at(7, 2)));
    BOOST_TEST((at > 60 || **read == heads_at(7, 1)));
  }
  write_file(file, std::string(whole.size(), 'x'));
  BOOST_TEST(!HeadMarker::read(file)->has_value());
  write_file(file, "");
  BOOST_TEST(!HeadMarker::read(file)->has_value());
}

BOOST_AUTO_TEST_CASE(a_sync_that_must_come_first_and_fails_leaves_the_marker_standing) {
  const Scratch scratch;
  const std::string file = scratch.root() + "/HEAD";
  BOOST_REQUIRE(HeadMarker::make(file, Heads{}).has_value());
  HeadMarker marker;
  BOOST_REQUIRE(marker.open(file, [] { return false; }).has_value());
  marker.publish(heads_at(7, 1));
  marker.close();
  BOOST_TEST(!marker.failure().empty());
  BOOST_TEST(marker.syncs() == 0U);
}

BOOST_AUTO_TEST_CASE(a_store_at_or_beyond_the_marker_lost_nothing) {
  BOOST_TEST(lost_since(Heads{}, RecoveredHeads{}).empty());
  BOOST_TEST(lost_since(Heads{}, recovered_at(7, 5)).empty());
  BOOST_TEST(lost_since(heads_at(7, 5), recovered_at(7, 5)).empty());
  BOOST_TEST(lost_since(heads_at(7, 5), recovered_at(7, 6)).empty());
  BOOST_TEST(lost_since(heads_at(7, 0), RecoveredHeads{Epoch(7), {}}).empty());
}

BOOST_AUTO_TEST_CASE(a_store_below_the_marker_lost_commits) {
  BOOST_TEST(!lost_since(heads_at(7, 5), recovered_at(7, 4)).empty());
  BOOST_TEST(!lost_since(heads_at(7, 5, 1), recovered_at(7, 5)).empty());
  BOOST_TEST(!lost_since(heads_at(7, 5), RecoveredHeads{}).empty());
  BOOST_TEST(!lost_since(heads_at(7, 0), RecoveredHeads{}).empty());
}

BOOST_AUTO_TEST_CASE(an_epoch_that_was_ended_on_purpose_may_have_reached_more) {
  BOOST_TEST(lost_since(heads_at(7, 100), recovered_at(8, 50, {{Epoch(7), Revision(50)}})).empty());
  BOOST_TEST(
      !lost_since(heads_at(7, 100), recovered_at(8, 500, {{Epoch(6), Revision(50)}})).empty());
  BOOST_TEST(!lost_since(heads_at(8, 10), recovered_at(7, 50)).empty());
}

BOOST_AUTO_TEST_CASE(an_ended_epoch_must_not_go_on) {
  Heads ended = heads_at(7, 5);
  ended.ended = true;
  BOOST_TEST(!lost_since(ended, recovered_at(7, 500)).empty());
  BOOST_TEST(lost_since(ended, recovered_at(8, 5, {{Epoch(7), Revision(5)}})).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
