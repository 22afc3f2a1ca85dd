// Snapshots: what is saved is what was there, every flipped bit and every missing byte is noticed,
// and a store that is made of one is the same in a new epoch.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "base/bytes.h"
#include "memory/rocksdb_snapshot.h"
#include "memory/rocksdb_store.h"
#include "memory/snapshot_file.h"
#include "resolver/receipt.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

const SnapshotStamp kStamp{"0.1.0", 1'700'000'000'000};

SnapshotSink into(std::string& out) {
  return [&out](std::string_view bytes) -> Status {
    out += bytes;
    return {};
  };
}

// Of bytes in memory.
SnapshotSource from(const std::string& bytes, std::size_t& at) {
  return [&bytes, &at](char* out, std::size_t size) -> Result<std::size_t> {
    const std::size_t count = std::min(size, bytes.size() - at);
    std::copy_n(bytes.data() + at, count, out);
    at += count;
    return count;
  };
}

Result<CheckedSnapshot> check(const std::string& bytes) {
  std::size_t at = 0;
  return check_snapshot("FILE", from(bytes, at));
}

Error refusal(const std::string& bytes) {
  const auto checked = check(bytes);
  BOOST_REQUIRE_MESSAGE(!checked.has_value(), "the snapshot was taken for whole");
  BOOST_TEST_MESSAGE(checked.error().text);
  return checked.error();
}

struct Saved : Scratch {
  explicit Saved(std::uint64_t seed = 11, int batches = 200) {
    store_ = open_store(options_for(store()));
    CoordinatorStream stream(seed);
    commit(synced({StoreRow{Epoch(7), {}}}));
    for (int i = 0; i < batches; ++i) commit(stream.next());
  }
  void commit(const Batch& batch) const {
    BOOST_REQUIRE(store_->commit(batch) == CommitResult::kDone);
  }
  [[nodiscard]] std::string bytes() const {
    std::string out;
    const auto made = store_->snapshot(kStamp, into(out));
    BOOST_REQUIRE_MESSAGE(made.has_value(), made.error().text);
    BOOST_TEST(made->bytes == out.size());
    return out;
  }
  [[nodiscard]] std::string file() const { return root() + "/file.wsnap"; }
  [[nodiscard]] std::string restored() const { return root() + "/restored"; }
  [[nodiscard]] Result<CheckedSnapshot> restore(std::uint64_t epoch = 8) const {
    return restore_snapshot({file(), restored(), Epoch(epoch)});
  }

  std::unique_ptr<RocksdbStore> store_;
};

// A small one, for tests that go over every byte.
struct Small : Saved {
  Small() : Saved(3, 4) {}
};

// Rows as a writer is given them.
std::string snapshot_of(const SnapshotHead& head,
                        const std::vector<std::array<std::string, 3>>& rows) {
  std::string out;
  SnapshotWriter writer(into(out));
  BOOST_REQUIRE(writer.begin(head).has_value());
  for (const auto& [family, key, value] : rows)
    BOOST_REQUIRE(writer.add(family, key, value).has_value());
  BOOST_REQUIRE(writer.end().has_value());
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot)

BOOST_FIXTURE_TEST_CASE(a_snapshot_is_whole_and_says_what_it_holds, Saved) {
  const auto checked = check(bytes());
  BOOST_REQUIRE_MESSAGE(checked.has_value(), checked.error().text);
  const SnapshotHead& head = checked->summary.head;
  BOOST_TEST(head.program == "0.1.0");
  BOOST_TEST(head.made_wall_millis == 1'700'000'000'000);
  BOOST_TEST(head.store_format == 2U);
  BOOST_TEST(head.epoch.value() == 7U);
  const auto state = store_->load_coordinator();
  BOOST_REQUIRE(state.has_value());
  BOOST_REQUIRE_EQUAL(head.swarms.size(), state->swarms.size());
  std::uint64_t records = 0;
  for (const auto& [id, swarm] : checked->audit.swarms()) records += swarm.keys + swarm.tombstones;
  BOOST_TEST(records == state->records.size());
  BOOST_TEST(checked->summary.families.front().family == "meta");
}

BOOST_FIXTURE_TEST_CASE(equal_stores_give_equal_snapshots, Saved) {
  BOOST_TEST((bytes() == bytes()));
  const std::string before = bytes();
  commit(commit_batch("new", 1));
  BOOST_TEST((bytes() != before));
}

BOOST_FIXTURE_TEST_CASE(every_flipped_bit_is_noticed, Small) {
  const std::string whole = bytes();
  BOOST_TEST_MESSAGE("bytes: " << whole.size());
  BOOST_REQUIRE(check(whole).has_value());
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bent = whole;
      bent[at] = static_cast<char>(bent[at] ^ (1 << bit));
      if (check(bent)) BOOST_ERROR("bit " << bit << " of byte " << at << " was not noticed");
    }
}

BOOST_FIXTURE_TEST_CASE(every_missing_end_is_noticed, Small) {
  const std::string whole = bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto checked = check(whole.substr(0, size));
    if (checked) BOOST_ERROR("cut to " << size << " bytes it was taken for whole");
  }
  BOOST_TEST(mentions(refusal(whole.substr(0, whole.size() / 2)), "is cut short at byte"));
  BOOST_TEST(mentions(refusal(whole + "x"), "more bytes follow its end"));
}

// Also where the block that is wrong has the right digest of its own bytes.
BOOST_FIXTURE_TEST_CASE(a_missing_repeated_or_foreign_block_is_noticed, Saved) {
  const std::string one = bytes();
  commit(commit_batch("new", 1));
  const std::string other = bytes();
  const std::size_t half = std::min(one.size(), other.size()) / 2;
  BOOST_TEST(refusal(one.substr(0, half) + other.substr(half)).code == Code::kCorrupt);
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_is_named_as_such) {
  BOOST_TEST(refusal("#!/bin/sh, a script that is long enough to be read").code == Code::kRejected);
  BOOST_TEST(refusal("").code == Code::kCorrupt);
}

BOOST_FIXTURE_TEST_CASE(a_newer_format_is_refused_by_its_number, Small) {
  // As a later Waggle would write it: the number and its checksum.
  std::string newer = bytes();
  newer[11] = 9;
  ByteWriter check_bytes;
  check_bytes.fixed64(hash128(newer.substr(0, 19)).low);
  newer.replace(19, 8, check_bytes.take());
  const Error error = refusal(newer);
  BOOST_TEST(error.code == Code::kUnsupported);
  BOOST_TEST(mentions(error, "has the snapshot format 9, this Waggle knows the format 1"));
}

BOOST_AUTO_TEST_CASE(a_store_of_a_newer_format_is_refused_by_its_number) {
  SnapshotHead head;
  head.store_format = 3;
  const Error error = refusal(snapshot_of(head, {{"meta", "format", "3"}}));
  BOOST_TEST(error.code == Code::kUnsupported);
  BOOST_TEST(mentions(error, "a store of the format 3"));
}

BOOST_AUTO_TEST_CASE(rows_that_cannot_be_a_store_are_refused_though_their_digests_are_right) {
  SnapshotHead head;
  head.store_format = 2;
  head.epoch = Epoch(7);
  const SwarmRow swarm = swarm_row("bees", 5);
  head.swarms = {{swarm.swarm, swarm.head, swarm.floor, swarm.digest}};
  const std::array<std::string, 3> store = {"meta", "store", encode_stored(StoreRow{Epoch(7), {}})};
  const std::array<std::string, 3> bees = {"meta", "swarm/bees", encode_stored(swarm)};
  const auto record = [](std::uint64_t version) {
    return std::array<std::string, 3>{"state",
                                      "\x04"
                                      "beeskey",
                                      encode_stored(*text_record("v", version))};
  };
  BOOST_TEST(check(snapshot_of(head, {store, bees, record(5)})).has_value());

  BOOST_TEST(mentions(refusal(snapshot_of(head, {store, bees, record(6)})), "and the head is 5"));
  BOOST_TEST(mentions(refusal(snapshot_of(head, {store,
                                                 bees,
                                                 {"state",
                                                  "\x04"
                                                  "beeskey",
                                                  "x"}})),
                      "family 'state': the value of '\\x04beeskey'"));
  BOOST_TEST(mentions(refusal(snapshot_of(head, {store,
                                                 bees,
                                                 {"state",
                                                  "\x09"
                                                  "bees",
                                                  "x"}})),
                      "has no known shape"));
  BOOST_TEST(
      mentions(refusal(snapshot_of(head, {store, record(5)})), "which has no row in 'meta'"));
  BOOST_TEST(
      mentions(refusal(snapshot_of(head, {store, bees, record(5), record(5)})), "don't rise"));
  BOOST_TEST(mentions(refusal(snapshot_of(head, {store, bees, record(5), bees})), "comes twice"));
  BOOST_TEST(refusal(snapshot_of(head, {store, bees, {"dreams", "k", "v"}})).code ==
             Code::kUnsupported);
  BOOST_TEST(mentions(refusal(snapshot_of({"", 0, 2, Epoch(9), head.swarms}, {store, bees})),
                      "differ in its epoch"));
  BOOST_TEST(mentions(refusal(snapshot_of({"", 0, 2, Epoch(7), {}}, {store, bees})),
                      "differ in the number of its swarms"));

  SwarmRow digested = swarm;
  digested.digest = Hash128{1, 2};
  head.swarms[0].digest = digested.digest;
  BOOST_TEST(
      mentions(refusal(snapshot_of(
                   head, {store, {"meta", "swarm/bees", encode_stored(digested)}, record(5)})),
               "some are lost or old"));
}

BOOST_AUTO_TEST_CASE(a_value_that_is_not_the_one_of_its_hash_is_refused) {
  SnapshotHead head;
  head.store_format = 2;
  head.epoch = Epoch(7);
  head.swarms = {{SwarmId("bees"), Revision(5), Revision(), {}}};
  Record record = *text_record("v", 5);
  record.content.low ^= 1;
  const Error error =
      refusal(snapshot_of(head, {{"meta", "store", encode_stored(StoreRow{Epoch(7), {}})},
                                 {"meta", "swarm/bees", encode_stored(swarm_row("bees", 5))},
                                 {"state",
                                  "\x04"
                                  "beeskey",
                                  encode_stored(record)}}));
  BOOST_TEST(mentions(error, "has the content hash"));
}

// Commits go on while a snapshot is made; it holds all that was acknowledged before, and no half.
BOOST_FIXTURE_TEST_CASE(a_snapshot_beside_commits_is_of_one_moment, Saved) {
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> acknowledged = 0;
  std::thread writer([&] {
    for (std::uint64_t revision = 1; !over; ++revision) {
      const std::string text = std::to_string(revision);
      Batch batch = synced({record_row("twins", "a", text_record(text, revision)),
                            record_row("twins", "b", text_record(text, revision))});
      SwarmRow swarm = swarm_row("twins", revision);
      swarm.digest = digest_part(Key("a"), *text_record(text, revision));
      *swarm.digest += digest_part(Key("b"), *text_record(text, revision));
      batch.rows.emplace_back(swarm);
      if (store_->commit(batch) != CommitResult::kDone) break;
      acknowledged = revision;
    }
  });
  std::uint64_t newest = 0;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t before = acknowledged;
    const auto checked = check(bytes());
    BOOST_REQUIRE_MESSAGE(checked.has_value(), checked.error().text);  // the digests add up
    const auto found = checked->audit.swarms().find(SwarmId("twins"));
    newest = found == checked->audit.swarms().end() ? 0 : found->second.row.head.value();
    BOOST_TEST(newest >= before);
    while (acknowledged < newest + 5) std::this_thread::yield();
  }
  over = true;
  writer.join();
  BOOST_TEST(newest > 0U);
}

BOOST_FIXTURE_TEST_CASE(a_store_that_nobody_holds_is_saved_and_left_as_it_is, Saved) {
  const std::string live = bytes();
  std::string holder;
  std::string ignored;
  BOOST_TEST(save_store(store(), kStamp, into(ignored), holder).error().code == Code::kUnavailable);
  BOOST_TEST(holder == "this process (pid " + std::to_string(getpid()) + ")");

  store_.reset();
  const auto listing = [&] {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(store()))
      if (entry.is_regular_file())
        files.push_back(entry.path().string() + " " + to_hex(hash128(read_file(entry.path()))));
    std::sort(files.begin(), files.end());
    return files;
  };
  const auto before = listing();
  std::string saved;
  const auto made = save_store(store(), kStamp, into(saved), holder);
  BOOST_REQUIRE_MESSAGE(made.has_value(), made.error().text);
  BOOST_TEST(holder.empty());
  BOOST_TEST((saved == live));
  BOOST_TEST(listing() == before, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_is_no_whole_store_is_not_saved, Saved) {
  std::string out;
  std::string holder;
  BOOST_TEST(save_store(root() + "/absent", kStamp, into(out), holder).error().code ==
             Code::kNotFound);
  fs::create_directory(root() + "/empty");
  BOOST_TEST(save_store(root() + "/empty", kStamp, into(out), holder).error().code ==
             Code::kNotFound);
  BOOST_TEST(fs::is_empty(root() + "/empty"));
  store_.reset();
  fs::remove(marker());
  const auto lost = save_store(store(), kStamp, into(out), holder);
  BOOST_TEST(lost.error().code == Code::kCorrupt);
  BOOST_TEST(mentions(lost.error(), "lost acknowledged commits"));
  BOOST_TEST(out.empty());
}

// ---- the file ----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_file_has_its_name_when_it_is_finished_and_not_before) {
  const Scratch scratch;
  const std::string name = scratch.root() + "/file";
  {
    SnapshotFile file;
    BOOST_REQUIRE(file.open(name, false).has_value());
    BOOST_REQUIRE(file.write("half").has_value());
    BOOST_TEST(!fs::exists(name));
    SnapshotFile second;
    BOOST_TEST(second.open(name, false).error().code == Code::kUnavailable);
  }
  BOOST_TEST(fs::is_empty(scratch.root()));
  write_file(name + ".part", "what a killed writer left, longer than the next");
  SnapshotFile file;
  BOOST_REQUIRE(file.open(name, false).has_value());
  BOOST_REQUIRE(file.write("whole").has_value());
  BOOST_REQUIRE(file.finish().has_value());
  BOOST_TEST(read_file(name) == "whole");
  BOOST_TEST(!fs::exists(name + ".part"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_there_is_replaced_only_when_asked) {
  const Scratch scratch;
  const std::string name = scratch.root() + "/file";
  write_file(name, "before");
  {
    SnapshotFile file;
    const Status opened = file.open(name, false);
    BOOST_TEST(opened.error().code == Code::kRejected);
    BOOST_TEST(mentions(opened.error(), "--force"));
  }
  {
    SnapshotFile file;
    BOOST_REQUIRE(file.open(name, true).has_value());
    BOOST_REQUIRE(file.write("half").has_value());
    BOOST_TEST(read_file(name) == "before");
  }
  BOOST_TEST(read_file(name) == "before");
  SnapshotFile file;
  BOOST_REQUIRE(file.open(name, true).has_value());
  BOOST_REQUIRE(file.write("after").has_value());
  BOOST_REQUIRE(file.finish().has_value());
  BOOST_TEST(read_file(name) == "after");
}

BOOST_AUTO_TEST_CASE(a_file_that_came_meanwhile_is_not_replaced) {
  const Scratch scratch;
  const std::string name = scratch.root() + "/file";
  SnapshotFile file;
  BOOST_REQUIRE(file.open(name, false).has_value());
  write_file(name, "another's");
  BOOST_TEST(!file.finish().has_value());
  BOOST_TEST(read_file(name) == "another's");
}

// ---- restoring ---------------------------------------------------------------------------------

BOOST_FIXTURE_TEST_CASE(a_restored_store_is_the_same_in_a_new_epoch, Saved) {
  write_file(file(), bytes());
  const auto done = restore();
  BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().text);
  BOOST_TEST(done->summary.head.epoch.value() == 7U);
  auto before = store_->load_coordinator();
  const auto opened = open_store(options_for(restored()));
  BOOST_TEST(opened->rolled_back().empty());
  const auto after = opened->load_coordinator();
  BOOST_REQUIRE(before.has_value() && after.has_value());
  BOOST_TEST(after->store.epoch.value() == 8U);
  begin_epoch(before->store, before->swarms, Epoch(8));
  BOOST_TEST(lines_of(*after) == lines_of(*before), boost::test_tools::per_element());
  for (const SwarmRow& swarm : after->swarms)
    BOOST_TEST((swarm.lineage.back() == EpochEnd{Epoch(7), swarm.head}));
  const ReceiptScan receipts{SwarmId("bees"), {}, {}, 1000};
  BOOST_TEST(opened->receipts(receipts)->size() == store_->receipts(receipts)->size());
}

BOOST_FIXTURE_TEST_CASE(a_snapshot_of_a_new_store_can_be_restored, Scratch) {
  (void)open_store(options_for(store()));
  std::string saved;
  std::string holder;
  BOOST_REQUIRE(save_store(store(), kStamp, into(saved), holder).has_value());
  write_file(root() + "/file", saved);
  const auto done = restore_snapshot({root() + "/file", root() + "/restored", Epoch(8)});
  BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().text);
  BOOST_TEST(open_store(options_for(root() + "/restored"))->load_coordinator()->swarms.empty());
}

BOOST_FIXTURE_TEST_CASE(a_damaged_snapshot_is_not_restored_and_touches_nothing, Small) {
  std::string bent = bytes();
  bent[bent.size() / 2] = static_cast<char>(bent[bent.size() / 2] ^ 1);
  write_file(file(), bent);
  BOOST_TEST(restore().error().code == Code::kCorrupt);
  BOOST_TEST(!fs::exists(restored()));
}

BOOST_FIXTURE_TEST_CASE(only_an_absent_or_empty_directory_is_restored_into, Small) {
  write_file(file(), bytes());
  fs::create_directory(restored());
  write_file(restored() + "/photo.jpg", "mine");
  BOOST_TEST(mentions(restore().error(), "photo.jpg"));
  BOOST_TEST(read_file(restored() + "/photo.jpg") == "mine");
  fs::remove(restored() + "/photo.jpg");
  BOOST_TEST(restore().has_value());
  const Error again = restore().error();
  BOOST_TEST(again.code == Code::kRejected);
  BOOST_TEST(mentions(again, "holds a store"));
  BOOST_TEST(restore_snapshot({file(), store(), Epoch(8)}).error().code == Code::kRejected);
  BOOST_TEST(restore_snapshot({root() + "/absent", restored(), Epoch(8)}).error().code ==
             Code::kNotFound);
}

// What a kill leaves at each step but the last: no store, and not to be taken for a new one.
BOOST_FIXTURE_TEST_CASE(a_restore_that_was_cut_short_is_no_store_and_is_done_again, Small) {
  write_file(file(), bytes());
  fs::create_directory(restored());
  fs::create_directory(restored() + "/db.restore");
  write_file(restored() + "/db.restore/CURRENT", "garbage");
  write_file(restored() + "/HEAD", "garbage");
  const Error error = open_error(options_for(restored()));
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "run `waggle snapshot restore` again"));
  BOOST_TEST(restore().has_value());
  BOOST_TEST(open_store(options_for(restored()))->rolled_back().empty());
  BOOST_TEST(!fs::exists(restored() + "/db.restore"));
}

BOOST_FIXTURE_TEST_CASE(a_store_of_format_1_is_saved_restored_and_raised, Small) {
  std::string holder;
  SnapshotHead head;
  head.store_format = 1;
  head.epoch = Epoch(7);
  head.swarms = {{SwarmId("bees"), Revision(5), Revision(), {}}};
  write_file(file(), snapshot_of(head, {{"meta", "format", "1"},
                                        {"meta", "kind", "coordinator"},
                                        {"meta", "store", encode_stored(StoreRow{Epoch(7), {}})},
                                        {"meta", "swarm/bees", encode_stored(swarm_row("bees", 5))},
                                        {"state",
                                         "\x04"
                                         "beeskey",
                                         encode_stored(*text_record("v", 5))},
                                        {"changes", "any", "thing"}}));
  const auto done = restore();
  BOOST_REQUIRE_MESSAGE(done.has_value(), done.error().text);
  BOOST_TEST(open_store(options_for(restored()))->load_coordinator()->records.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
