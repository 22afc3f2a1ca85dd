#include "memory/change_index.h"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

std::vector<RecordRow> two_records() {
  return {record_row("bees", "a", text_record("1", 3)), record_row("bees", "b", tombstone(2))};
}
ChangeEntry entry(const std::string& key, std::uint64_t revision, std::uint32_t index,
                  const std::string& swarm = "bees") {
  return {SwarmId(swarm), Revision(revision), index, Key(key)};
}
void refuses(const std::vector<ChangeEntry>& changes, const std::string& text) {
  std::vector<RecordRow> records = two_records();
  const Status joined = join_index(records, changes);
  BOOST_REQUIRE(!joined.has_value());
  BOOST_TEST(joined.error().code == Code::kCorrupt);
  BOOST_TEST(mentions(joined.error(), text));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(change_index)

BOOST_AUTO_TEST_CASE(every_record_gets_the_index_of_its_entry) {
  std::vector<RecordRow> records = two_records();
  BOOST_TEST(join_index(records, {entry("b", 2, 7), entry("a", 3, 1)}).has_value());
  BOOST_TEST(records[0].index == 1U);
  BOOST_TEST(records[1].index == 7U);
}

BOOST_AUTO_TEST_CASE(an_index_that_disagrees_with_the_records_is_refused) {
  refuses({entry("a", 3, 1)}, "the index misses key 'b'");
  refuses({entry("a", 3, 1), entry("b", 1, 0)}, "but its record has version 2");
  refuses({entry("a", 3, 1), entry("b", 2, 0), entry("c", 2, 1)}, "the state has no such key");
  refuses({entry("a", 3, 1), entry("b", 2, 0, "wasps")}, "of swarm 'wasps'");
  refuses({entry("a", 3, 1), entry("a", 3, 2), entry("b", 2, 0)}, "twice at revision 3");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
