// What only another process can show: a lock that is held, a kill, a limit of the system.

#include <cstdint>
#include <string>

#include <boost/test/unit_test.hpp>
#include <sys/mount.h>

#include "base/prng.h"
#include "memory/rocksdb_store.h"
#include "tests/memory/child.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

std::uint64_t head_of(RocksdbStore& store) {
  const auto state = store.load_coordinator();
  BOOST_REQUIRE_MESSAGE(state.has_value(), state.error().text);
  if (state->swarms.empty()) return 0;
  // Every commit made one key, one outcome and the head: whole batches only.
  BOOST_TEST(state->records.size() == state->swarms[0].head.value());
  BOOST_TEST(state->outcomes.size() == state->swarms[0].head.value());
  return state->swarms[0].head.value();
}

// A file system of a few megabytes, when the tests may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path, const char* options) : path_(path) {
    fs::create_directory(path);
    mounted_ = mount("tmpfs", path.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const {
    if (!mounted_) BOOST_TEST_MESSAGE("skipped: this user may not mount a file system");
    return mounted_;
  }
  [[nodiscard]] bool grow() const {
    return mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0;
  }
  [[nodiscard]] bool make_read_only() const {
    return mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

std::string filler(std::uint64_t revision, std::size_t bytes) {
  Prng prng(revision);
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>('!' + prng.below(90)));
  return text;
}

// Commits until the disk is full. Returns the last acknowledged revision.
std::uint64_t fill(const RocksdbOptions& options, std::size_t bytes) {
  const auto store = open_store(options);
  Batch batch = commit_batch("bees", 1);
  batch.rows.emplace_back(StoreRow{Epoch(7), {}});
  std::uint64_t acknowledged = 0;
  while (store->commit(batch) == CommitResult::kDone) {
    ++acknowledged;
    BOOST_REQUIRE_LT(acknowledged, 100'000U);
    batch = commit_batch("bees", acknowledged + 1, filler(acknowledged, bytes));
  }
  BOOST_TEST(!store->failure().empty());
  BOOST_TEST(acknowledged > 10U);
  return acknowledged;
}

void fill_and_recover(std::size_t bytes) {
  const Scratch scratch;
  const std::string disk = scratch.root() + "/disk";
  const SmallDisk mounted(disk, "size=4m");
  if (!mounted.mounted()) return;
  const RocksdbOptions options = options_for(disk + "/store");
  const std::uint64_t acknowledged = fill(options, bytes);
  write_file(disk + "/ballast", std::string(std::size_t{4} << 20, 'x'));  // as much as fits
  BOOST_TEST(*free_bytes(disk) == 0U);
  {
    const auto store = open_store(options);
    BOOST_TEST(store->read_only());
    BOOST_TEST(head_of(*store) >= acknowledged);
    BOOST_TEST(store->commit(commit_batch("bees", acknowledged + 2)) == CommitResult::kUnknown);
    BOOST_TEST(store->failure().find("disk was full") != std::string::npos);
  }
  // The store itself took most of the disk, so it gets more, as from an operator.
  fs::remove(disk + "/ballast");
  BOOST_REQUIRE(mounted.grow());
  const auto store = open_store(options);
  BOOST_TEST(!store->read_only());
  const std::uint64_t head = head_of(*store);
  BOOST_TEST(head >= acknowledged);
  BOOST_TEST(store->commit(commit_batch("bees", head + 1)) == CommitResult::kDone);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rocksdb_process)

BOOST_AUTO_TEST_CASE(a_store_held_by_another_process_is_refused_with_its_pid) {
  const Scratch scratch;
  {
    Child child("hold", scratch.store());
    BOOST_REQUIRE_EQUAL(child.line(), "open");
    const Error error = open_error(options_for(scratch.store()));
    BOOST_TEST(error.code == Code::kUnavailable);
    BOOST_TEST(mentions(error, "the process with pid " + std::to_string(child.pid())));
  }
  // Killed: the lock went with it.
  (void)open_store(options_for(scratch.store()));
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_before_a_kill_is_there_afterwards) {
  for (const std::uint64_t kill_after : {1, 7, 60, 700}) {
    const Scratch scratch;
    Child child("commit", scratch.store());
    std::uint64_t acknowledged = 0;
    while (acknowledged < kill_after) acknowledged = std::stoull("0" + child.line());
    child.kill();
    for (std::string line = child.line(); !line.empty(); line = child.line())
      acknowledged = std::stoull(line);
    const auto store = open_store(options_for(scratch.store()));
    const std::uint64_t head = head_of(*store);
    BOOST_TEST(head >= acknowledged);
    BOOST_TEST(head <= acknowledged + 1);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_commit_is_unknown_and_so_is_every_later_one) {
  const Scratch scratch;
  Child child("limit", scratch.store());
  const std::string acknowledged = child.line();
  BOOST_REQUIRE_MESSAGE(acknowledged.starts_with("acknowledged "), acknowledged);
  BOOST_TEST(child.line() == "failed unknown");
  BOOST_TEST(child.line() == "next unknown");
  BOOST_TEST(child.line().find("a commit failed") != std::string::npos);
  child.kill();
  const std::uint64_t count = std::stoull(acknowledged.substr(13));
  BOOST_TEST(count > 0U);
  const auto store = open_store(options_for(scratch.store()));
  const std::uint64_t head = head_of(*store);
  BOOST_TEST(head >= count);
  BOOST_TEST(head <= count + 1);
}

BOOST_AUTO_TEST_CASE(a_full_disk_loses_nothing_and_can_still_be_read) {
  // Values of several sizes: it is a commit, a flush or a compaction that meets the end of the
  // disk.
  for (const std::size_t bytes : {100, 3'000, 20'000}) fill_and_recover(bytes);
}

BOOST_AUTO_TEST_CASE(a_read_only_file_system_is_refused) {
  const Scratch scratch;
  const std::string disk = scratch.root() + "/disk";
  const SmallDisk mounted(disk, "size=32m");
  if (!mounted.mounted()) return;
  const RocksdbOptions options = options_for(disk + "/store");
  (void)open_store(options);
  BOOST_REQUIRE(mounted.make_read_only());
  const Error error = open_error(options);
  BOOST_TEST(error.code == Code::kRejected);
  BOOST_TEST(mentions(error, "Read-only file system"));
  BOOST_TEST(open_error(options_for(disk + "/new")).code == Code::kRejected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
