#include "base/hash.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/prng.h"

namespace waggle {
namespace {

constexpr std::uint64_t kAll = UINT64_MAX;

std::string hex(const ChainHash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

std::string text(const Hash128& hash) {
  return to_hex(hash);
}

Hash128 sum(Hash128 a, const Hash128& b) {
  return a += b;
}
Hash128 difference(Hash128 a, const Hash128& b) {
  return a -= b;
}

BOOST_AUTO_TEST_SUITE(hash_test)

// DO NOT CHANGE: content hashes are stored and digests are compared between releases. The values
// are those of XXH3_128bits() in the reference C library.
BOOST_AUTO_TEST_CASE(hash128_gives_the_known_values_of_xxh3) {
  BOOST_TEST(text(hash128("")) == "99aa06d3014798d86001c324468d497f");
  BOOST_TEST(text(hash128("a")) == "a96faf705af16834e6c632b61e964e1f");
  BOOST_TEST(text(hash128("abc")) == "06b05ab6733a618578af5f94892f3950");
  BOOST_TEST(text(hash128("waggle")) == "851f2892c7999f21f52889fd66b045e2");
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(i % 251));
  BOOST_TEST(text(hash128(bytes)) == "18bf41bc8229e27733ef703fb2b20ed1");
}

// DO NOT CHANGE: receipts are chained by it. RFC 7693, BLAKE2b with 32 bytes and no key.
BOOST_AUTO_TEST_CASE(chain_hash_gives_the_known_values_of_blake2b_256) {
  BOOST_TEST(hex(chain_hash("")) ==
             "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  BOOST_TEST(hex(chain_hash("abc")) ==
             "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

BOOST_AUTO_TEST_CASE(a_sum_carries_and_wraps_at_128_bits) {
  BOOST_TEST(text(sum({0, kAll}, {0, 1})) == text({1, 0}));
  BOOST_TEST(text(sum({kAll, kAll}, {0, 1})) == text({0, 0}));
  BOOST_TEST(text(sum({kAll, kAll}, {kAll, kAll})) == text({kAll, kAll - 1}));
  BOOST_TEST(text(sum({1, 2}, {3, 4})) == text({4, 6}));
  BOOST_TEST(text(sum({kAll, 5}, {1, 0})) == text({0, 5}));
}

BOOST_AUTO_TEST_CASE(a_difference_borrows_and_wraps_at_128_bits) {
  BOOST_TEST(text(difference({1, 0}, {0, 1})) == text({0, kAll}));
  BOOST_TEST(text(difference({0, 0}, {0, 1})) == text({kAll, kAll}));
  BOOST_TEST(text(difference({0, 0}, {1, 0})) == text({kAll, 0}));
  BOOST_TEST(text(difference({4, 6}, {3, 4})) == text({1, 2}));
  BOOST_TEST(text(difference({7, 7}, {7, 7})) == text({}));
}

BOOST_AUTO_TEST_CASE(a_hash_may_be_added_to_and_taken_from_itself) {
  Hash128 hash{1, kAll};
  hash += hash;
  BOOST_TEST(text(hash) == text({3, kAll - 1}));
  hash -= hash;
  BOOST_TEST(text(hash) == text({}));
}

BOOST_AUTO_TEST_CASE(random_sums_agree_with_128_bit_integers_and_forget_the_order) {
  __extension__ using Wide = unsigned __int128;
  const auto wide = [](const Hash128& hash) { return (Wide{hash.high} << 64) | hash.low; };
  Prng prng(7);
  for (int i = 0; i < 10'000; ++i) {
    const Hash128 a{prng.next(), prng.chance(1, 4) ? kAll : prng.next()};
    const Hash128 b{prng.next(), prng.chance(1, 4) ? 1 : prng.next()};
    const Hash128 c{prng.next(), prng.next()};
    BOOST_REQUIRE((wide(sum(a, b)) == wide(a) + wide(b)));
    BOOST_REQUIRE((wide(difference(a, b)) == wide(a) - wide(b)));
    BOOST_REQUIRE((difference(sum(a, b), b) == a));
    BOOST_REQUIRE((sum(sum(a, b), c) == sum(sum(c, b), a)));
  }
}

BOOST_AUTO_TEST_CASE(canonical_bytes_are_little_endian_and_length_prefixed) {
  CanonicalBytes bytes;
  bytes.u8(0xab);
  bytes.u64(0x0102030405060708);
  bytes.text("hi");
  bytes.text("");
  using namespace std::string_view_literals;
  BOOST_TEST(bytes.bytes() ==
             "\xab\x08\x07\x06\x05\x04\x03\x02\x01\x02\0\0\0\0\0\0\0hi\0\0\0\0\0\0\0\0"sv);
}

BOOST_AUTO_TEST_CASE(canonical_texts_do_not_run_into_each_other) {
  CanonicalBytes one;
  one.text("ab");
  one.text("c");
  CanonicalBytes other;
  other.text("a");
  other.text("bc");
  BOOST_TEST(one.bytes() != other.bytes());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
