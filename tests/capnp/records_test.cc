#include "capnp/records.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"
#include "tests/capnp/filled.h"

namespace waggle {
namespace {

using testing::Filler;

constexpr std::size_t kFormatAt = 16;  // behind the segment table and the root pointer

template <typename T>
T filled(std::uint64_t turn) {
  return Filler(turn).make<T>();
}
template <>
Value filled<Value>(std::uint64_t turn) {
  return *Filler(turn).make<Record>().value;
}

// check(a value of each stored type)
template <typename Check>
void for_each_type(std::uint64_t turn, const Check& check) {
  check(filled<Value>(turn));
  check(filled<Record>(turn));
  check(filled<StoreRow>(turn));
  check(filled<SwarmRow>(turn));
  check(filled<WriterRow>(turn));
  check(std::vector<Outcome>{filled<Outcome>(turn), filled<Outcome>(turn + 1)});
  check(filled<Receipt>(turn));
  check(filled<IdentityRow>(turn));
  check(filled<Mutation>(turn));
  check(filled<HeldState>(turn));
}

template <typename T>
bool corrupt(std::string_view bytes) {
  const Result<T> decoded = decode_stored<T>(bytes);
  return !decoded && decoded.error().code == Code::kCorrupt && !decoded.error().text.empty();
}

BOOST_AUTO_TEST_SUITE(records_test)

BOOST_AUTO_TEST_CASE(every_stored_form_comes_back_the_same) {
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    for_each_type(turn, []<typename T>(const T& value) {
      const Result<T> decoded = decode_stored<T>(encode_stored(value));
      BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
      BOOST_CHECK(testing::same(*decoded, value));
    });
  }
}

BOOST_AUTO_TEST_CASE(default_rows_come_back_the_same) {
  const auto check = []<typename T>(T value) {
    if constexpr (requires { value.swarm = SwarmId("s"); }) value.swarm = SwarmId("s");
    if constexpr (requires { value.agent = AgentId("a"); }) value.agent = AgentId("a");
    const Result<T> decoded = decode_stored<T>(encode_stored(value));
    BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
    BOOST_CHECK(testing::same(*decoded, value));
  };
  check(Value());
  check(Value(Counter{INT64_MIN}));
  check(Value(OrSet{}));
  check(Record());
  check(StoreRow());
  check(SwarmRow());
  check(WriterRow());
  check(std::vector<Outcome>(1));
  check(IdentityRow());
  check(HeldState());
  check(HeldState{{Epoch(1), Revision(2)}, 7});
  Receipt receipt;
  receipt.key = Key("k");
  check(receipt);
}

BOOST_AUTO_TEST_CASE(a_row_to_be_deleted_is_stored_as_a_living_one) {
  WriterRow row = filled<WriterRow>(0);
  row.gone = true;
  const Result<WriterRow> decoded = decode_stored<WriterRow>(encode_stored(row));
  BOOST_REQUIRE(decoded);
  BOOST_CHECK(!decoded->gone);
}

BOOST_AUTO_TEST_CASE(stored_bytes_at_any_alignment_are_read) {
  for_each_type(1, []<typename T>(const T& value) {
    for (std::size_t offset = 0; offset < 8; ++offset) {
      const std::string moved = std::string(offset, 'x') + encode_stored(value);
      const Result<T> decoded = decode_stored<T>(std::string_view(moved).substr(offset));
      BOOST_REQUIRE(decoded);
      BOOST_CHECK(testing::same(*decoded, value));
    }
  });
}

BOOST_AUTO_TEST_CASE(cut_or_lengthened_bytes_are_corrupt) {
  for_each_type(2, []<typename T>(const T& value) {
    const std::string bytes = encode_stored(value);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      BOOST_REQUIRE(corrupt<T>(std::string_view(bytes).substr(0, size)));
    BOOST_CHECK(corrupt<T>(bytes + std::string(8, '\0')));
    BOOST_CHECK(corrupt<T>(bytes + 'x'));
  });
}

BOOST_AUTO_TEST_CASE(bytes_of_another_kind_are_corrupt) {
  const std::string cursor = encode_stored(HeldState{{Epoch(1), Revision(2)}, 0});
  const std::string store = encode_stored(StoreRow{Epoch(1), Hlc{2}});
  BOOST_REQUIRE_EQUAL(cursor.size(), store.size());
  BOOST_CHECK(corrupt<StoreRow>(cursor));
  BOOST_CHECK(corrupt<HeldState>(store));
  BOOST_CHECK(corrupt<std::vector<Outcome>>(encode_stored(Record())));
  BOOST_CHECK(corrupt<std::vector<Outcome>>(encode_stored(std::vector<Outcome>())));
  BOOST_CHECK(corrupt<Value>(encode_stored(Record())));
  BOOST_CHECK(corrupt<Record>(std::string(64, '\0')));
}

BOOST_AUTO_TEST_CASE(a_stored_form_of_a_newer_waggle_is_unsupported) {
  std::string bytes = encode_stored(filled<Record>(0));
  bytes[kFormatAt] = 2;
  const Result<Record> newer = decode_stored<Record>(bytes);
  BOOST_REQUIRE(!newer);
  BOOST_CHECK(newer.error().code == Code::kUnsupported);
  BOOST_CHECK(newer.error().text.find("format 2") != std::string::npos);
  bytes[kFormatAt] = 0;
  BOOST_CHECK(corrupt<Record>(bytes));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_stored_form_never_crashes) {
  Prng prng(3);
  int refusals = 0;
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    for_each_type(turn, [&]<typename T>(const T& value) {
      const std::string bytes = encode_stored(value);
      for (int i = 0; i < 200; ++i) {
        std::string flipped = bytes;
        flipped[prng.below(flipped.size())] ^= static_cast<char>(1U << prng.below(8));
        const Result<T> decoded = decode_stored<T>(flipped);
        if (decoded) {
          BOOST_REQUIRE(decode_stored<T>(encode_stored(*decoded)));
        } else {
          ++refusals;
          BOOST_REQUIRE(decoded.error().code == Code::kCorrupt ||
                        decoded.error().code == Code::kUnsupported);
        }
      }
    });
  }
  BOOST_CHECK_GT(refusals, 1000);
}

BOOST_AUTO_TEST_CASE(what_breaks_a_limit_is_corrupt) {
  Record record;
  record.value = Register{ContentType::kBytes, std::string(limits::kValueBytes, 'x')};
  BOOST_CHECK(decode_record(encode_record(record)));
  record.value = Register{ContentType::kBytes, std::string(limits::kValueBytes + 1, 'x')};
  BOOST_CHECK(corrupt<Record>(encode_record(record)));
  BOOST_CHECK(corrupt<HeldState>(
      encode_stored(HeldState{{Epoch(1), Revision(limits::kNumberMax + 1)}, 0})));
  IdentityRow identity = filled<IdentityRow>(0);
  identity.agent = AgentId("");
  BOOST_CHECK(corrupt<IdentityRow>(encode_stored(identity)));
}

// A writer may name the greatest revision as seen; the row then holds one more.
BOOST_AUTO_TEST_CASE(a_row_beyond_the_greatest_revision_that_may_be_seen_is_read) {
  WriterRow writer = filled<WriterRow>(0);
  writer.beyond_seen = Revision(limits::kNumberMax + 1);
  BOOST_CHECK(decode_stored<WriterRow>(encode_stored(writer)) == writer);
  writer.beyond_seen = Revision(limits::kNumberMax + 2);
  BOOST_CHECK(corrupt<WriterRow>(encode_stored(writer)));
  SwarmRow swarm = filled<SwarmRow>(0);
  swarm.clients_mark = Revision(limits::kNumberMax + 1);
  swarm.members_mark = Revision(limits::kNumberMax + 1);
  BOOST_CHECK(decode_stored<SwarmRow>(encode_stored(swarm)) == swarm);
}

BOOST_AUTO_TEST_CASE(equal_values_give_equal_stored_bytes) {
  for_each_type(4, []<typename T>(const T& value) {
    BOOST_CHECK(encode_stored(value) == encode_stored(T(value)));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
