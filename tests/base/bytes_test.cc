#include "base/bytes.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

using namespace std::string_literals;

std::string written(std::uint64_t value) {
  ByteWriter out;
  out.number(value);
  return out.take();
}

std::string written_signed(std::int64_t value) {
  ByteWriter out;
  out.signed_number(value);
  return out.take();
}

bool number_refused(std::string_view bytes) {
  ByteReader in("test", bytes);
  const std::uint64_t value = in.number();
  return value == 0 && in.failed();
}

// Around each power of two, where lengths change.
std::vector<std::uint64_t> edges() {
  std::vector<std::uint64_t> edges = {0, UINT64_MAX};
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t around : {UINT64_MAX, std::uint64_t{0}, std::uint64_t{1}})
      edges.push_back((std::uint64_t{1} << bit) + around);
  return edges;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bytes_test)

// DO NOT CHANGE: stored bytes look like this.
BOOST_AUTO_TEST_CASE(the_bytes_are_as_the_format_says) {
  BOOST_TEST(written(0) == "\0"s);
  BOOST_TEST(written(127) == "\x7f"s);
  BOOST_TEST(written(128) == "\x80\x01"s);
  BOOST_TEST(written(300) == "\xac\x02"s);
  BOOST_TEST(written(UINT64_MAX) == std::string(9, '\xff') + "\x01");
  BOOST_TEST(written_signed(0) == "\0"s);
  BOOST_TEST(written_signed(-1) == "\x01"s);
  BOOST_TEST(written_signed(1) == "\x02"s);
  BOOST_TEST(written_signed(-2) == "\x03"s);
  BOOST_TEST(written_signed(std::numeric_limits<std::int64_t>::min()) ==
             std::string(9, '\xff') + "\x01");
  ByteWriter out;
  out.u8(0xfe);
  out.fixed64(0x0102030405060708);
  out.string("ab");
  out.raw("cd");
  BOOST_TEST(out.take() == "\xfe\x08\x07\x06\x05\x04\x03\x02\x01\x02"s + "abcd");
}

BOOST_AUTO_TEST_CASE(numbers_of_every_length_come_back) {
  for (const std::uint64_t value : edges()) {
    BOOST_TEST_CONTEXT("value " << value) {
      ByteWriter out;
      out.number(value);
      out.signed_number(static_cast<std::int64_t>(value));
      out.fixed64(value);
      const std::string bytes = out.take();
      ByteReader in("test", bytes);
      BOOST_REQUIRE_EQUAL(in.number(), value);
      BOOST_REQUIRE_EQUAL(in.signed_number(), static_cast<std::int64_t>(value));
      BOOST_REQUIRE_EQUAL(in.fixed64(), value);
      BOOST_REQUIRE(in.finish().has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_number_longer_than_needed_is_refused) {
  BOOST_TEST(number_refused("\x80\0"s));
  BOOST_TEST(number_refused("\xff\0"s));
  for (const std::uint64_t value : edges()) {
    std::string longer = written(value);
    if (longer.size() == 10) continue;
    longer.back() = static_cast<char>(longer.back() | 0x80);
    longer += '\0';
    BOOST_REQUIRE(number_refused(longer));
  }
}

BOOST_AUTO_TEST_CASE(a_number_above_64_bits_is_refused) {
  BOOST_TEST(!number_refused(std::string(9, '\xff') + "\x01"));
  BOOST_TEST(number_refused(std::string(9, '\xff') + "\x02"));
  BOOST_TEST(number_refused(std::string(9, '\xff') + "\x7f"));
  BOOST_TEST(number_refused(std::string(9, '\x80') + "\x81\x01"));
  BOOST_TEST(number_refused(std::string(20, '\xff')));
}

BOOST_AUTO_TEST_CASE(a_number_above_its_bound_is_refused) {
  const std::string bytes = written(300);
  BOOST_TEST(ByteReader("test", bytes).number(300) == 300U);
  ByteReader in("test", bytes);
  BOOST_TEST(in.number(299) == 0U);
  BOOST_TEST(in.failed());
}

BOOST_AUTO_TEST_CASE(every_cut_of_a_message_is_refused) {
  ByteWriter out;
  out.number(300);
  out.fixed64(7);
  out.signed_number(-300);
  out.string("text");
  out.u8(1);
  const std::string whole = out.take();
  const auto read = [](std::string_view bytes) {
    ByteReader in("test", bytes);
    (void)in.number();
    (void)in.fixed64();
    (void)in.signed_number();
    (void)in.string(4);
    (void)in.u8();
    return in.finish();
  };
  BOOST_TEST(read(whole).has_value());
  BOOST_TEST(!read(whole + "x").has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_TEST(!read(std::string_view(whole).substr(0, size)).has_value());
}

BOOST_AUTO_TEST_CASE(a_string_longer_than_allowed_or_than_what_is_there_is_refused) {
  const std::string bytes = "\x03"s + "abc";
  BOOST_TEST(ByteReader("test", bytes).string(3) == "abc");
  ByteReader longer("test", bytes);
  BOOST_TEST(longer.string(2).empty());
  BOOST_TEST(longer.failed());
  const std::string huge = written(UINT64_MAX) + "abc";
  ByteReader beyond("test", huge);
  BOOST_TEST(beyond.string(SIZE_MAX).empty());
  BOOST_TEST(beyond.failed());
}

BOOST_AUTO_TEST_CASE(a_count_that_cannot_be_there_is_refused) {
  const std::string fits = "\x02"s + std::string(8, 'x');
  BOOST_TEST(ByteReader("test", fits).count(4) == 2U);
  const std::string short_of_one = "\x03"s + std::string(8, 'x');
  ByteReader beyond("test", short_of_one);
  BOOST_TEST(beyond.count(4) == 0U);
  BOOST_TEST(beyond.failed());
  const std::string huge = written(UINT64_MAX) + "x";
  ByteReader far_beyond("test", huge);
  BOOST_TEST(far_beyond.count(1) == 0U);
  BOOST_TEST(far_beyond.failed());
}

BOOST_AUTO_TEST_CASE(after_a_failure_all_reads_give_nothing_and_the_first_text_stays) {
  const std::string bytes = "\x05"s + std::string(40, 'x');
  ByteReader in("thing", bytes);
  in.fail("first");
  in.fail("second");
  BOOST_TEST(in.u8() == 0);
  BOOST_TEST(in.number() == 0U);
  BOOST_TEST(in.signed_number() == 0);
  BOOST_TEST(in.fixed64() == 0U);
  BOOST_TEST(in.count(1) == 0U);
  BOOST_TEST(in.string(9).empty());
  BOOST_TEST(in.take(1).empty());
  BOOST_TEST(in.remaining() == 0U);
  const Status finished = in.finish();
  BOOST_REQUIRE(!finished.has_value());
  BOOST_TEST((finished.error() == Error{Code::kRejected, "thing: first"}));
}

// Whatever is read as a number is written as the same bytes again.
BOOST_AUTO_TEST_CASE(a_number_has_one_spelling) {
  constexpr std::uint64_t kSeed = 11;
  Prng prng(kSeed);
  std::size_t accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string bytes(1 + prng.below(11), '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(prng.chance(3, 4) ? prng.next() | 0x80 : prng.below(3));
    ByteReader in("test", bytes);
    const std::uint64_t value = in.number();
    if (in.failed()) continue;
    ++accepted;
    BOOST_REQUIRE_MESSAGE(written(value) == bytes.substr(0, bytes.size() - in.remaining()),
                          "seed " << kSeed << ", draw " << i);
  }
  BOOST_TEST(accepted > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle
