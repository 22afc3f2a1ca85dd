#include "base/record.h"

#include <memory>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Record record_of(Value value, std::uint64_t version = 5) {
  Record record;
  record.content = content_hash(value);
  record.value = std::move(value);
  record.version = Revision(version);
  record.writer = {AgentId("scout"), Incarnation(1), Seq(1)};
  return record;
}

Record text_record(const char* bytes, std::uint64_t version = 5) {
  return record_of(Register{ContentType::kText, bytes}, version);
}

BOOST_AUTO_TEST_SUITE(record_test)

// DO NOT CHANGE: coordinator and agents of different releases compare digests.
BOOST_AUTO_TEST_CASE(a_digest_part_has_a_known_value) {
  BOOST_TEST(to_hex(digest_part(Key("k"), text_record("v"))) == "0f9383e44057fa38b2ff71abceac81a9");
}

BOOST_AUTO_TEST_CASE(a_digest_part_differs_with_key_version_type_and_content) {
  const Hash128 base = digest_part(Key("k"), text_record("v"));
  BOOST_TEST((digest_part(Key("k"), text_record("v")) == base));
  BOOST_TEST((digest_part(Key("l"), text_record("v")) != base));
  BOOST_TEST((digest_part(Key("k"), text_record("v", 6)) != base));
  BOOST_TEST((digest_part(Key("k"), text_record("w")) != base));
  BOOST_TEST((digest_part(Key("k"), record_of(Register{ContentType::kJson, "v"})) != base));
  // The type counts even where the content hashes are equal.
  Record counter = record_of(Counter{1});
  counter.content = text_record("v").content;
  BOOST_TEST((digest_part(Key("k"), counter) != base));
}

BOOST_AUTO_TEST_CASE(a_digest_part_is_the_same_whoever_wrote_and_whenever) {
  const Hash128 base = digest_part(Key("k"), text_record("v"));
  Record other = text_record("v");
  other.writer = {AgentId("other"), Incarnation(9), Seq(9)};
  other.hlc = Hlc::of(77, 7);
  other.commit_wall_millis = 88;
  other.metadata["note"] = "x";
  other.receipt.fill(1);
  BOOST_TEST((digest_part(Key("k"), other) == base));
}

BOOST_AUTO_TEST_CASE(a_tombstone_adds_nothing_and_an_empty_set_does) {
  Record tombstone = text_record("v");
  tombstone.value.reset();
  BOOST_TEST((digest_part(Key("k"), tombstone) == Hash128{}));
  BOOST_TEST((digest_part(Key("k"), record_of(OrSet{})) != Hash128{}));
}

BOOST_AUTO_TEST_CASE(changes_are_equal_by_their_records_content) {
  const Change change{Key("k"), std::make_shared<const Record>(text_record("v"))};
  BOOST_TEST((change == Change{Key("k"), std::make_shared<const Record>(text_record("v"))}));
  BOOST_TEST(!(change == Change{Key("k"), std::make_shared<const Record>(text_record("w"))}));
  BOOST_TEST(!(change == Change{Key("l"), change.record}));
  BOOST_TEST(!(change == Change{Key("k"), nullptr}));
  BOOST_TEST((Change{Key("k"), nullptr} == Change{Key("k"), nullptr}));
}

BOOST_AUTO_TEST_CASE(the_wire_size_grows_with_every_part) {
  const Record record = text_record("value");
  const std::size_t base = wire_size(Key("k"), record);
  BOOST_TEST(wire_size(Key("kk"), record) == base + 1);
  BOOST_TEST(wire_size(Key("k"), text_record("value!")) == base + 1);
  Record tagged = record;
  tagged.metadata["a"] = "b";
  BOOST_TEST(wire_size(Key("k"), tagged) >= base + 2);
  Record longer = record;
  longer.writer.agent = AgentId("scout-the-second");
  BOOST_TEST(wire_size(Key("k"), longer) > base);
  Record tombstone = record;
  tombstone.value.reset();
  BOOST_TEST(wire_size(Key("k"), tombstone) < base);
  BOOST_TEST(wire_size(Key("k"), tombstone) > 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
