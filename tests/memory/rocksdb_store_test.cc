// How a store on disk is made, opened and refused.

#include "memory/rocksdb_store.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <rocksdb/db.h>
#include <unistd.h>

#include "memory/store_keys.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

// Opens the database as RocksDB sees it, with all families it has, for a change that the store
// would never make.
class RawDatabase {
 public:
  explicit RawDatabase(const std::string& path) {
    std::vector<std::string> names;
    BOOST_REQUIRE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(rocksdb::DBOptions(), path, families, &handles_, &db);
    BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
    db_.reset(db);
  }
  ~RawDatabase() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  [[nodiscard]] std::string get(const std::string& family, const std::string& key) {
    std::string value;
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
      if (handle->GetName() == family)
        BOOST_REQUIRE(db_->Get(rocksdb::ReadOptions(), handle, key, &value).ok());
    return value;
  }
  void put(const std::string& family, const std::string& key, const std::string& value) {
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
      if (handle->GetName() == family)
        BOOST_REQUIRE(db_->Put(rocksdb::WriteOptions(), handle, key, value).ok());
  }
  void add_family(const std::string& name) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    BOOST_REQUIRE(db_->CreateColumnFamily({}, name, &handle).ok());
    handles_.push_back(handle);
  }
  void drop_family(const std::string& name) {
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
      if (handle->GetName() == name) BOOST_REQUIRE(db_->DropColumnFamily(handle).ok());
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

void make_store(const std::string& path) {
  const auto store = open_store(options_for(path));
  Batch batch = commit_batch("bees", 1);
  batch.rows.emplace_back(StoreRow{Epoch(7), {}});
  BOOST_REQUIRE(store->commit(batch) == CommitResult::kDone);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rocksdb_store)

BOOST_AUTO_TEST_CASE(a_store_is_made_in_an_absent_and_in_an_empty_directory) {
  const Scratch scratch;
  BOOST_TEST(!open_store(options_for(scratch.store()))->read_only());
  fs::create_directory(scratch.root() + "/empty");
  BOOST_TEST(open_store(options_for(scratch.root() + "/empty"))->rolled_back().empty());
  BOOST_TEST(fs::exists(scratch.marker()));
  BOOST_TEST(!fs::exists(scratch.store() + "/db.new"));
}

BOOST_AUTO_TEST_CASE(a_path_may_end_with_a_slash_or_be_relative) {
  const Scratch scratch;
  (void)open_store(options_for(scratch.store() + "/"));
  const fs::path before = fs::current_path();
  fs::current_path(scratch.root());
  auto relative = open_rocksdb(options_for("store"));
  fs::current_path(before);
  BOOST_TEST(relative.has_value());
}

BOOST_AUTO_TEST_CASE(a_making_that_was_cut_short_is_made_anew) {
  const Scratch scratch;
  fs::create_directory(scratch.store());
  fs::create_directory(scratch.store() + "/db.new");
  write_file(scratch.store() + "/db.new/CURRENT", "garbage");
  write_file(scratch.marker(), "");
  make_store(scratch.store());
  BOOST_TEST(open_store(options_for(scratch.store()))->load_coordinator()->records.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_store_is_open_once_in_a_process) {
  const Scratch scratch;
  const auto store = open_store(options_for(scratch.store()));
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kUnavailable);
  BOOST_TEST(mentions(error, "this process (pid " + std::to_string(getpid()) + ")"));
}

BOOST_AUTO_TEST_CASE(a_file_is_refused) {
  const Scratch scratch;
  write_file(scratch.store(), "a file");
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kRejected);
  BOOST_TEST(mentions(error, scratch.store() + ": is a file"));
  BOOST_TEST(read_file(scratch.store()) == "a file");
}

BOOST_AUTO_TEST_CASE(a_missing_parent_is_refused) {
  const Scratch scratch;
  const Error error = open_error(options_for(scratch.root() + "/absent/store"));
  BOOST_TEST(error.code == Code::kRejected);
  BOOST_TEST(mentions(error, "parent directory does not exist"));
  BOOST_TEST(!fs::exists(scratch.root() + "/absent"));
  BOOST_TEST(open_error(options_for("")).code == Code::kRejected);
}

BOOST_AUTO_TEST_CASE(a_directory_without_permission_is_refused) {
  if (geteuid() == 0) {
    BOOST_TEST_MESSAGE("skipped: the superuser has every permission");
    return;
  }
  const Scratch scratch;
  fs::create_directory(scratch.root() + "/closed");
  fs::permissions(scratch.root() + "/closed", fs::perms::owner_read | fs::perms::owner_exec);
  BOOST_TEST(open_error(options_for(scratch.root() + "/closed")).code == Code::kRejected);
  BOOST_TEST(open_error(options_for(scratch.root() + "/closed/store")).code == Code::kRejected);
  fs::permissions(scratch.root() + "/closed", fs::perms::owner_all);
}

BOOST_AUTO_TEST_CASE(a_directory_of_somebody_else_is_refused_and_left_alone) {
  const Scratch scratch;
  fs::create_directory(scratch.store());
  for (const char* name : {"photo.jpg", "diary.txt", "zoo", "zebra"})
    write_file(scratch.store() + "/" + name, "mine");
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kRejected);
  BOOST_TEST(mentions(error, "'diary.txt', 'photo.jpg', 'zebra', ..."));
  BOOST_TEST(std::distance(fs::directory_iterator(scratch.store()), {}) == 4);
}

BOOST_AUTO_TEST_CASE(a_store_of_the_other_kind_is_refused) {
  const Scratch scratch;
  (void)open_store(options_for(scratch.store(), StoreKind::kAgent));
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kRejected);
  BOOST_TEST(mentions(error, "kind 'agent', expected 'coordinator'"));
  const auto agent = open_store(options_for(scratch.store(), StoreKind::kAgent));
  BOOST_TEST(agent->load_coordinator().error().code == Code::kRejected);
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_refused) {
  const Scratch scratch;
  make_store(scratch.store());
  RawDatabase(scratch.database()).put("meta", "format", "3");
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kUnsupported);
  BOOST_TEST(mentions(error, "has the format 3, this Waggle knows the format 2"));
}

// Its outcomes are single ones; these bytes were written by a Waggle of that format.
BOOST_AUTO_TEST_CASE(a_store_of_format_1_is_read_and_raised) {
  const Scratch scratch;
  make_store(scratch.store());
  std::ifstream file(
      std::string(WAGGLE_TEST_DIR) + "/../fuzz/corpus/fuzz_records/seed_outcome_of_format_1",
      std::ios::binary);
  const std::string outcome{std::istreambuf_iterator<char>(file), {}};
  BOOST_REQUIRE(!outcome.empty());
  {
    RawDatabase raw(scratch.database());
    const store_keys::WriterAt writer{SwarmId("bees"), AgentId("drone"), Incarnation(9)};
    raw.put("outcomes", store_keys::outcome({writer, Seq(4)}), outcome);
    raw.put("meta", "format", "1");
  }
  {
    const auto store = open_store(options_for(scratch.store()));
    const auto state = store->load_coordinator();
    BOOST_REQUIRE(state.has_value());
    BOOST_REQUIRE_EQUAL(state->outcomes.size(), 2U);  // one was there before
    BOOST_TEST(state->outcomes[1].seq.value() == 4U);
    BOOST_TEST(state->outcomes[1].outcomes.size() == 1U);
  }
  BOOST_TEST(RawDatabase(scratch.database()).get("meta", "format") == "2");
}

BOOST_AUTO_TEST_CASE(an_unknown_family_is_refused) {
  const Scratch scratch;
  make_store(scratch.store());
  RawDatabase(scratch.database()).add_family("dreams");
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kUnsupported);
  BOOST_TEST(mentions(error, "'dreams'"));
}

BOOST_AUTO_TEST_CASE(a_missing_family_is_damage) {
  const Scratch scratch;
  make_store(scratch.store());
  RawDatabase(scratch.database()).drop_family("outcomes");
  const Error error = open_error(options_for(scratch.store()));
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "'outcomes'"));
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_ours_are_damage_and_are_named) {
  const Scratch scratch;
  make_store(scratch.store());
  RawDatabase(scratch.database())
      .put("writers",
           std::string("\x04"
                       "bees",
                       5),
           "nonsense");
  const auto store = open_store(options_for(scratch.store()));
  auto state = store->load_coordinator();
  BOOST_REQUIRE(!state.has_value());
  BOOST_TEST(state.error().code == Code::kCorrupt);
  BOOST_TEST(mentions(state.error(), "family 'writers'"));
  BOOST_TEST(mentions(state.error(), "'\\x04bees'"));
}

BOOST_AUTO_TEST_CASE(a_weakened_store_says_so) {
  const Scratch scratch;
  RocksdbOptions options = options_for(scratch.store());
  options.sync = false;
  {
    const auto store = open_store(options);
    BOOST_TEST((store->level() == Level::kWritten));
    BOOST_TEST(store->commit(commit_batch("bees", 1)) == CommitResult::kDone);
  }
  BOOST_TEST((open_store(options_for(scratch.store()))->level() == Level::kDurable));
}

BOOST_AUTO_TEST_CASE(compacting_drops_what_was_overwritten_and_changes_nothing) {
  const Scratch scratch;
  const RocksdbOptions options = options_for(scratch.store());
  const auto store = open_store(options);
  CoordinatorStream stream(5);
  std::uint64_t expected = 0;
  for (int i = 0; i < 300; ++i) {
    const Batch batch = stream.next();
    BOOST_REQUIRE(store->commit(batch) == CommitResult::kDone);
    if (!batch.empty()) ++expected;
  }
  const auto before = lines_of(*store->load_coordinator());
  BOOST_TEST(store->compact().has_value());
  BOOST_TEST(lines_of(*store->load_coordinator()) == before, boost::test_tools::per_element());
  std::uint64_t commits = 0;
  for (const NamedCount& count : store->statistics())
    if (count.name == "store_commits") commits = count.count;
  BOOST_TEST(commits == expected);
}

BOOST_AUTO_TEST_CASE(a_copy_is_a_store_that_must_begin_a_new_epoch) {
  const Scratch scratch;
  const std::string copy = scratch.root() + "/copy";
  const auto store = open_store(options_for(scratch.store()));
  Batch batch = commit_batch("bees", 1);
  batch.rows.emplace_back(StoreRow{Epoch(7), {}});
  BOOST_REQUIRE(store->commit(batch) == CommitResult::kDone);
  const Status copied = store->checkpoint(copy);
  BOOST_REQUIRE_MESSAGE(copied.has_value(), copied.error().text);
  BOOST_TEST(store->checkpoint(copy).error().code == Code::kRejected);
  BOOST_REQUIRE(store->commit(commit_batch("bees", 2)) == CommitResult::kDone);

  RocksdbOptions options = options_for(copy);
  const Error error = open_error(options);
  BOOST_TEST(error.code == Code::kCorrupt);
  BOOST_TEST(mentions(error, "--accept-rollback"));
  options.accept_rollback = true;
  const auto opened = open_store(options);
  BOOST_TEST(!opened->rolled_back().empty());
  BOOST_TEST(opened->load_coordinator()->records.size() == 1U);
}

BOOST_AUTO_TEST_CASE(free_space_is_told_or_refused) {
  const Scratch scratch;
  BOOST_TEST(free_bytes(scratch.root()).has_value());
  BOOST_TEST(free_bytes(scratch.root() + "/absent").error().code == Code::kUnavailable);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
