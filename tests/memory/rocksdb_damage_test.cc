// Damage to the files of a store is reported, or everything that was acknowledged is there. What
// the write-ahead log can't notice of itself, the marker does.

#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "memory/head_marker.h"
#include "memory/rocksdb_store.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

constexpr std::uint64_t kCommits = 100;

Batch first_batch() {
  Batch batch = commit_batch("bees", 1);
  batch.rows.emplace_back(StoreRow{Epoch(7), {}});
  return batch;
}

// A store of kCommits commits. The last ones are in the write-ahead log only.
struct Damaged : Scratch {
  Damaged() {
    const auto opened = open_store(options());
    BOOST_REQUIRE(opened->commit(first_batch()) == CommitResult::kDone);
    for (std::uint64_t revision = 2; revision <= kCommits; ++revision)
      BOOST_REQUIRE(opened->commit(commit_batch("bees", revision)) == CommitResult::kDone);
  }
  [[nodiscard]] RocksdbOptions options(bool accept_rollback = false) const {
    RocksdbOptions all = options_for(store());
    all.accept_rollback = accept_rollback;
    return all;
  }
  // The log that holds the commits; the others are empty.
  [[nodiscard]] std::string log() const {
    std::string largest;
    for (const std::string& file : files(".log"))
      if (largest.empty() || fs::file_size(file) > fs::file_size(largest)) largest = file;
    BOOST_REQUIRE(!largest.empty());
    return largest;
  }
  // Opens with accept_rollback and begins a new epoch, as a coordinator does.
  void accept(std::uint64_t head) const {
    const auto opened = open_store(options(true));
    BOOST_TEST(!opened->rolled_back().empty());
    const auto state = opened->load_coordinator();
    BOOST_REQUIRE_MESSAGE(state.has_value(), state.error().text);
    const std::uint64_t recovered = state->swarms.empty() ? 0 : state->swarms[0].head.value();
    BOOST_TEST(recovered == head);
    SwarmRow swarm = swarm_row("bees", recovered);
    swarm.lineage = {{Epoch(7), Revision(recovered)}};
    BOOST_REQUIRE(opened->commit(synced({StoreRow{Epoch(8), {}}, swarm})) == CommitResult::kDone);
  }
  void opens_without_a_word() const {
    const auto opened = open_store(options());
    BOOST_TEST(opened->rolled_back().empty());
    BOOST_TEST(opened->load_coordinator().has_value());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rocksdb_damage)

BOOST_FIXTURE_TEST_CASE(an_undamaged_store_opens_without_a_word, Damaged) {
  opens_without_a_word();
  // The permission alone does nothing.
  BOOST_TEST(open_store(options(true))->rolled_back().empty());
}

BOOST_FIXTURE_TEST_CASE(a_log_cut_short_is_noticed_by_the_marker_and_can_be_accepted, Damaged) {
  fs::resize_file(log(), fs::file_size(log()) - 37);
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error,
                      "the store lost acknowledged commits: recovered head swarm 'bees' "
                      "0000000000000007@99, marker says swarm 'bees' 0000000000000007@100"));
  BOOST_TEST(mentions(error, "--accept-rollback"));
  // Asking again does not make it better.
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
  accept(kCommits - 1);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(an_accepted_rollback_holds_only_once_a_new_epoch_was_begun, Damaged) {
  fs::resize_file(log(), fs::file_size(log()) - 37);
  {
    const auto opened = open_store(options(true));
    BOOST_TEST(!opened->rolled_back().empty());
    // Going on in the old epoch is not what was accepted: the marker doesn't follow.
    BOOST_REQUIRE(opened->commit(commit_batch("bees", kCommits)) == CommitResult::kDone);
  }
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "no new epoch was begun"));
  accept(kCommits);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(a_log_cut_to_nothing_is_noticed, Damaged) {
  fs::resize_file(log(), 0);
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
}

BOOST_FIXTURE_TEST_CASE(a_deleted_log_is_noticed_and_can_be_accepted, Damaged) {
  fs::remove(log());
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  accept(0);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_anywhere_in_the_log_is_refused, Damaged) {
  const std::string file = log();
  const std::string whole = read_file(file);
  const std::string marked = read_file(marker());
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
    flip_bit(file, at);
    const auto opened = open_rocksdb(options());
    BOOST_TEST(!opened.has_value(), "a flipped bit at " << at << " of " << whole.size());
    if (!opened) BOOST_TEST(opened.error().code == Code::kCorrupt);
    write_file(file, whole);
  }
  BOOST_TEST((read_file(marker()) == marked));
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_names_the_place_and_the_way_out, Damaged) {
  flip_bit(log(), fs::file_size(log()) / 2);
  const Error error = open_error(options());
  BOOST_TEST(mentions(error, database()));
  BOOST_TEST(mentions(error, "restore a backup"));
  BOOST_TEST(mentions(error, "--accept-rollback"));
}

BOOST_FIXTURE_TEST_CASE(what_stands_before_damage_can_be_kept, Damaged) {
  flip_bit(log(), fs::file_size(log()) / 2);
  std::uint64_t kept = 0;
  {
    const auto opened = open_store(options(true));
    BOOST_TEST(mentions(Error{Code::kCorrupt, opened->rolled_back()}, "damaged"));
    const auto state = opened->load_coordinator();
    BOOST_REQUIRE(state.has_value());
    kept = state->records.size();
    BOOST_TEST(kept > kCommits / 4);
    BOOST_TEST(kept < kCommits);
  }
  // The damage is gone, what it took is not forgotten.
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
  accept(kept);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_in_a_table_is_reported_and_never_a_shorter_state, Damaged) {
  {
    const auto opened = open_store(options());
    BOOST_REQUIRE(opened->compact().has_value());
  }
  const std::string name = [&] {
    std::string largest;
    for (const std::string& file : files(".sst"))
      if (largest.empty() || fs::file_size(file) > fs::file_size(largest)) largest = file;
    return largest;
  }();
  BOOST_REQUIRE(!name.empty());
  const std::string whole = read_file(name);
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 25) {
    flip_bit(name, at);
    const auto opened = open_rocksdb(options());
    if (opened) {
      const auto state = (*opened)->load_coordinator();
      if (state)
        BOOST_TEST(state->records.size() == kCommits, "a flipped bit at " << at);
      else
        BOOST_TEST(state.error().code == Code::kCorrupt);
    } else {
      BOOST_TEST(opened.error().code == Code::kCorrupt);
    }
    write_file(name, whole);
  }
}

BOOST_FIXTURE_TEST_CASE(a_missing_or_short_table_is_refused, Damaged) {
  {
    const auto opened = open_store(options());
    BOOST_REQUIRE(opened->compact().has_value());
  }
  const std::string name = files(".sst").front();
  const std::string whole = read_file(name);
  write_file(name, whole.substr(0, whole.size() / 2));
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
  fs::remove(name);
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, fs::path(name).stem()));
}

BOOST_FIXTURE_TEST_CASE(a_missing_current_or_manifest_is_never_an_empty_store, Damaged) {
  const std::string current = read_file(database() + "/CURRENT");
  fs::remove(database() + "/CURRENT");
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
  BOOST_TEST(open_error(options(true)).code == Code::kCorrupt);
  write_file(database() + "/CURRENT", current);
  fs::rename(database() + "/" + current.substr(0, current.size() - 1), root() + "/manifest");
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
}

BOOST_FIXTURE_TEST_CASE(a_missing_database_is_never_an_empty_store, Damaged) {
  fs::rename(database(), root() + "/away");
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, database() + ": is missing"));
}

BOOST_FIXTURE_TEST_CASE(an_older_copy_of_the_database_is_noticed, Damaged) {
  fs::copy(database(), root() + "/older", fs::copy_options::recursive);
  BOOST_REQUIRE(open_store(options())->commit(commit_batch("bees", kCommits + 1)) ==
                CommitResult::kDone);
  fs::remove_all(database());
  fs::rename(root() + "/older", database());
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "@100, marker says"));
  accept(kCommits);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(a_copy_from_before_a_new_epoch_is_noticed, Damaged) {
  fs::copy(database(), root() + "/older", fs::copy_options::recursive);
  SwarmRow swarm = swarm_row("bees", 50);
  swarm.lineage = {{Epoch(7), Revision(50)}};
  BOOST_REQUIRE(open_store(options())->commit(synced({StoreRow{Epoch(9), {}}, swarm})) ==
                CommitResult::kDone);
  fs::remove_all(database());
  fs::rename(root() + "/older", database());
  // Its head is greater than the marker's, but it is not the epoch that agents were told of.
  BOOST_TEST(open_error(options()).code == Code::kCorrupt);
}

BOOST_FIXTURE_TEST_CASE(a_missing_marker_is_refused_and_can_be_accepted, Damaged) {
  fs::remove(marker());
  const Error error = open_error(options());
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "its marker HEAD is missing"));
  accept(kCommits);
  opens_without_a_word();
}

BOOST_FIXTURE_TEST_CASE(one_damaged_slot_of_the_marker_is_no_loss, Damaged) {
  const std::string whole = read_file(marker());
  for (const std::size_t slot : {std::size_t{0}, whole.size() / 2}) {
    std::string bytes = whole;
    bytes.replace(slot, 100, 100, 'x');
    write_file(marker(), bytes);
    opens_without_a_word();
  }
}

BOOST_FIXTURE_TEST_CASE(an_unsynced_batch_is_not_in_the_marker_before_a_synced_one, Damaged) {
  {
    const auto opened = open_store(options());
    Batch batch = commit_batch("bees", kCommits + 1);
    batch.sync = false;
    BOOST_REQUIRE(opened->commit(batch) == CommitResult::kDone);
    BOOST_TEST((*HeadMarker::read(marker()))->heads.at(SwarmId("bees")).value() == kCommits);
    BOOST_REQUIRE(opened->commit(commit_batch("bees", kCommits + 2)) == CommitResult::kDone);
    BOOST_TEST((*HeadMarker::read(marker()))->heads.at(SwarmId("bees")).value() <= kCommits + 2);
  }
  BOOST_TEST((*HeadMarker::read(marker()))->heads.at(SwarmId("bees")).value() == kCommits + 2);
}

BOOST_AUTO_TEST_CASE(an_agents_damaged_log_is_refused_and_what_stands_before_can_be_kept) {
  const Scratch scratch;
  RocksdbOptions options = options_for(scratch.store(), StoreKind::kAgent);
  {
    const auto opened = open_store(options);
    for (std::uint64_t seq = 1; seq <= 50; ++seq)
      BOOST_REQUIRE(opened->commit(synced({outbox_row(9, seq, 1)})) == CommitResult::kDone);
  }
  BOOST_TEST(!fs::exists(scratch.marker()));
  std::string log;
  for (const std::string& file : scratch.files(".log"))
    if (log.empty() || fs::file_size(file) > fs::file_size(log)) log = file;
  flip_bit(log, fs::file_size(log) / 2);
  const Error error = open_error(options);
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "writes that were not answered yet are lost"));
  options.accept_rollback = true;
  const auto opened = open_store(options);
  BOOST_TEST(!opened->rolled_back().empty());
  const auto state = opened->load_agent();
  BOOST_REQUIRE(state.has_value());
  BOOST_TEST(state->outbox.size() > 10U);
  BOOST_TEST(state->outbox.size() < 50U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
