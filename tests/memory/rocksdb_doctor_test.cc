// The doctor finds each kind of damage, names its file and the way out, and changes nothing.

#include "memory/rocksdb_doctor.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <rocksdb/db.h>

#include "memory/store_keys.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

constexpr std::uint64_t kCommits = 100;

struct Patient : Scratch {
  Patient() {
    const auto opened = open_store(options_for(store()));
    Batch first = commit_batch("bees", 1);
    first.rows.insert(first.rows.begin(), StoreRow{Epoch(7), {}});
    BOOST_REQUIRE(opened->commit(first) == CommitResult::kDone);
    for (std::uint64_t revision = 2; revision <= kCommits; ++revision)
      BOOST_REQUIRE(opened->commit(commit_batch("bees", revision)) == CommitResult::kDone);
  }
  void compact() const { BOOST_REQUIRE(open_store(options_for(store()))->compact().has_value()); }
  [[nodiscard]] StoreReport examine(std::uint64_t reserve = 0) const {
    auto report = examine_store(store(), reserve);
    BOOST_REQUIRE_MESSAGE(report.has_value(), report.error().text);
    for (const Finding& finding : report->findings)
      BOOST_TEST_MESSAGE(finding.file << ": " << finding.text << "; " << finding.remedy);
    return std::move(*report);
  }
  // The one finding that there is.
  [[nodiscard]] Finding finding() const {
    const StoreReport report = examine();
    BOOST_REQUIRE_EQUAL(report.findings.size(), 1U);
    BOOST_TEST(!report.findings[0].remedy.empty());
    return report.findings[0];
  }
  [[nodiscard]] std::string largest(const std::string& ending) const {
    std::string found;
    for (const std::string& file : files(ending))
      if (found.empty() || fs::file_size(file) > fs::file_size(found)) found = file;
    BOOST_REQUIRE(!found.empty());
    return found;
  }
  // All files with their bytes and times.
  [[nodiscard]] std::vector<std::string> listing() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(store()))
      all.push_back(entry.path().string() + " " +
                    (entry.is_regular_file() ? to_hex(hash128(read_file(entry.path()))) : "") +
                    " " + std::to_string(entry.last_write_time().time_since_epoch().count()));
    std::sort(all.begin(), all.end());
    return all;
  }
  void put(const std::string& family, const std::string& key, const std::string& value) const {
    std::vector<std::string> names;
    BOOST_REQUIRE(rocksdb::DB::ListColumnFamilies({}, database(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    BOOST_REQUIRE(
        rocksdb::DB::Open(rocksdb::DBOptions(), database(), families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (handle->GetName() == family)
        BOOST_REQUIRE(db->Put(rocksdb::WriteOptions(), handle, key, value).ok());
      db->DestroyColumnFamilyHandle(handle);
    }
  }
};

bool says(const std::string& text, const std::string& part) {
  return mentions(Error{Code::kCorrupt, text}, part);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rocksdb_doctor)

BOOST_FIXTURE_TEST_CASE(a_healthy_store_has_no_finding_and_is_left_as_it_is, Patient) {
  const auto before = listing();
  const StoreReport report = examine();
  BOOST_TEST(report.findings.empty());
  BOOST_TEST(report.kind == "coordinator");
  BOOST_TEST(report.format == 2U);
  BOOST_TEST(report.audit.store().epoch.value() == 7U);
  BOOST_TEST(report.audit.swarms().at(SwarmId("bees")).keys == kCommits);
  BOOST_TEST(listing() == before, boost::test_tools::per_element());
  compact();
  BOOST_TEST(examine().findings.empty());
}

BOOST_FIXTURE_TEST_CASE(a_random_store_is_healthy, Scratch) {
  {
    const auto opened = open_store(options_for(store()));
    CoordinatorStream stream(21);
    BOOST_REQUIRE(opened->commit(synced({StoreRow{Epoch(7), {}}})) == CommitResult::kDone);
    for (int i = 0; i < 400; ++i)
      BOOST_REQUIRE(opened->commit(stream.next()) == CommitResult::kDone);
  }
  const auto report = examine_store(store(), 0);
  BOOST_REQUIRE(report.has_value());
  for (const Finding& finding : report->findings) BOOST_ERROR(finding.text);
}

BOOST_AUTO_TEST_CASE(an_agents_store_is_examined_too) {
  const Scratch scratch;
  {
    const auto opened = open_store(options_for(scratch.store(), StoreKind::kAgent));
    AgentStream stream(4);
    for (int i = 0; i < 200; ++i)
      BOOST_REQUIRE(opened->commit(stream.next()) == CommitResult::kDone);
  }
  const auto report = examine_store(scratch.store(), 0);
  BOOST_REQUIRE(report.has_value());
  BOOST_TEST(report->kind == "agent");
  for (const Finding& finding : report->findings) BOOST_ERROR(finding.text);
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_examined_is_told, Patient) {
  BOOST_TEST(examine_store(root() + "/absent", 0).error().code == Code::kNotFound);
  BOOST_TEST(!fs::exists(root() + "/absent"));
  fs::create_directory(root() + "/empty");
  BOOST_TEST(examine_store(root() + "/empty", 0).error().code == Code::kNotFound);
  BOOST_TEST(fs::is_empty(root() + "/empty"));
  const auto held = open_store(options_for(store()));
  const Error error = examine_store(store(), 0).error();
  BOOST_TEST(error.code == Code::kUnavailable);
  BOOST_TEST(mentions(error, "is in use by this process (pid "));
}

BOOST_FIXTURE_TEST_CASE(a_log_cut_short_is_found_by_the_marker, Patient) {
  const std::string log = largest(".log");
  fs::resize_file(log, fs::file_size(log) - 37);
  const auto before = listing();
  const Finding found = finding();
  BOOST_TEST(found.file == marker());
  BOOST_TEST(says(found.text, "@99, marker says swarm 'bees' 0000000000000007@100"));
  BOOST_TEST(says(found.remedy, "--accept-rollback"));
  BOOST_TEST(listing() == before, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_in_the_log_names_the_log, Patient) {
  const std::string log = largest(".log");
  flip_bit(log, fs::file_size(log) / 2);
  const auto before = listing();
  const StoreReport report = examine();
  BOOST_REQUIRE(!report.findings.empty());
  BOOST_TEST(report.findings[0].file == log);
  BOOST_TEST(says(report.findings[0].remedy, "restore a backup"));
  // What stands before the damage is examined too, and it is told how much that is.
  BOOST_TEST(says(report.findings.back().text, "marker says swarm 'bees' 0000000000000007@100"));
  BOOST_TEST(listing() == before, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_deleted_log_is_found, Patient) {
  fs::remove(largest(".log"));
  BOOST_TEST(!examine().findings.empty());
}

BOOST_FIXTURE_TEST_CASE(a_flipped_bit_in_a_table_names_the_table_or_harms_nothing, Patient) {
  compact();
  const std::string table = largest(".sst");
  const std::string whole = read_file(table);
  std::size_t named = 0;
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
    flip_bit(table, at);
    const StoreReport report = examine();
    // Some bytes of a table mean nothing; then every row is there.
    if (report.findings.empty())
      BOOST_TEST(report.audit.swarms().at(SwarmId("bees")).keys == kCommits);
    else
      named += report.findings[0].file == table ? 1 : 0;
    write_file(table, whole);
  }
  BOOST_TEST(named > 10U);
}

BOOST_FIXTURE_TEST_CASE(a_missing_or_short_table_is_named, Patient) {
  compact();
  const std::string table = largest(".sst");
  const std::string whole = read_file(table);
  write_file(table, whole.substr(0, whole.size() / 2));
  BOOST_TEST(says(finding().file, fs::path(table).filename()));
  fs::remove(table);
  BOOST_TEST(says(finding().file, fs::path(table).filename()));
}

BOOST_FIXTURE_TEST_CASE(a_missing_current_database_or_marker_is_found, Patient) {
  fs::rename(marker(), root() + "/HEAD");
  BOOST_TEST(finding().file == marker());
  fs::rename(root() + "/HEAD", marker());
  fs::rename(database() + "/CURRENT", root() + "/CURRENT");
  BOOST_TEST(says(finding().text, "CURRENT"));
  fs::rename(root() + "/CURRENT", database() + "/CURRENT");
  fs::rename(database(), root() + "/away");
  BOOST_TEST(finding().file == database());
  BOOST_TEST(says(finding().text, "shows that a store was here"));
}

BOOST_FIXTURE_TEST_CASE(a_newer_format_is_found_by_its_number, Patient) {
  put("meta", "format", "3");
  const Finding found = finding();
  BOOST_TEST(says(found.text, "has the format 3, this Waggle knows the format 2"));
  BOOST_TEST(says(found.remedy, "use the Waggle that wrote it or a later one"));
}

BOOST_FIXTURE_TEST_CASE(rows_that_do_not_decode_or_fit_are_found_each, Patient) {
  put("writers",
      std::string("\x04"
                  "bees"),
      "nonsense");
  put("state",
      std::string("\x04"
                  "beesfuture"),
      encode_stored(*text_record("v", kCommits + 7)));
  put("state",
      std::string("\x05"
                  "wasps"
                  "key"),
      encode_stored(*text_record("v", 1)));
  put("claims", "k", "v");
  const StoreReport report = examine();
  BOOST_REQUIRE_EQUAL(report.findings.size(), 4U);
  BOOST_TEST(says(report.findings[0].text, "family 'state'"));
  BOOST_TEST(says(report.findings[0].text, "is at 107, and the head is 100"));
  BOOST_TEST(says(report.findings[1].text, "swarm 'wasps', which has no row in 'meta'"));
  BOOST_TEST(says(report.findings[2].text, "'\\x04bees' has no known shape"));
  BOOST_TEST(says(report.findings[3].text, "the family has no rows"));
}

BOOST_FIXTURE_TEST_CASE(a_row_that_is_gone_shows_in_the_digest, Patient) {
  SwarmRow swarm = swarm_row("bees", kCommits);
  swarm.digest = Hash128{1, 2};
  put("meta", store_keys::swarm(SwarmId("bees")), encode_stored(swarm));
  BOOST_TEST(says(finding().text, "some are lost or old"));
}

BOOST_FIXTURE_TEST_CASE(a_disk_that_is_nearly_full_is_a_warning, Patient) {
  const StoreReport report = examine(UINT64_MAX);
  BOOST_REQUIRE_EQUAL(report.findings.size(), 1U);
  BOOST_TEST((report.findings[0].severity == Finding::Severity::kWarning));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
