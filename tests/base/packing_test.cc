#include "base/packing.h"

#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

std::string noise(std::size_t size, std::uint64_t seed) {
  Prng random(seed);
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>(random.next() >> 32));
  return bytes;
}

std::string words(std::size_t size, std::uint64_t seed) {
  Prng random(seed);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random.below(50)) + ' ';
  return text.substr(0, size);
}

BOOST_AUTO_TEST_SUITE(packing_test)

constexpr Packing kBoth[] = {Packing::kZstd, Packing::kLz4};

BOOST_AUTO_TEST_CASE(what_was_packed_comes_back) {
  for (const Packing packing : kBoth)
    for (const std::size_t size : {std::size_t{400}, std::size_t{5'000}, std::size_t{1'000'000}}) {
      const std::string text = words(size, size);
      const std::optional<std::string> packed = pack(text, {}, packing);
      BOOST_REQUIRE(packed);
      BOOST_TEST(packed->size() <= size * 7 / 10);
      BOOST_CHECK(unpack(*packed, size) == text);
    }
}

BOOST_AUTO_TEST_CASE(against_what_the_other_side_has_only_the_change_costs_something) {
  const std::string before = noise(200'000, 1);  // itself incompressible
  std::string after = before;
  after.replace(100'000, 5, "edit!");
  const std::optional<std::string> packed = pack(after, before);
  BOOST_REQUIRE(packed);
  BOOST_TEST(packed->size() < 300U);
  BOOST_CHECK(unpack(*packed, after.size(), before) == after);
}

BOOST_AUTO_TEST_CASE(none_is_never_packed_and_auto_is_one_of_the_others) {
  const std::string text(5'000, 'a');
  BOOST_TEST(!pack(text, text, Packing::kNone));
  BOOST_REQUIRE(pack(text, {}, Packing::kAuto).has_value());
  BOOST_TEST((pack(text, {}, Packing::kAuto) == pack(text, {}, Packing::kZstd)));
  BOOST_TEST((pack(text, {}, Packing::kLz4) != pack(text, {}, Packing::kZstd)));
}

// LZ4 sees the last 64 KiB of what was there before.
BOOST_AUTO_TEST_CASE(lz4_finds_what_is_near) {
  const std::string before = noise(50'000, 1);
  std::string after = before;
  after.replace(25'000, 5, "edit!");
  const std::optional<std::string> packed = pack(after, before, Packing::kLz4);
  BOOST_REQUIRE(packed);
  BOOST_TEST(packed->size() < 500U);
  BOOST_CHECK(unpack(*packed, after.size(), before) == after);
  const std::string far = noise(200'000, 1);
  BOOST_TEST(!pack(far, far, Packing::kLz4));
}

BOOST_AUTO_TEST_CASE(nothing_is_packed_that_would_not_save_enough) {
  BOOST_TEST(!pack(std::string(kPackLeast - 1, 'a')));
  BOOST_TEST(pack(std::string(kPackLeast, 'a')).has_value());
  BOOST_TEST(!pack(""));
  BOOST_TEST(!pack(noise(10'000, 2)));
  BOOST_TEST(!pack(noise(10'000, 2), noise(10'000, 3)));
  // A quarter can be saved of it, which is not enough.
  BOOST_TEST(!pack(noise(7'500, 4) + std::string(2'500, 'a')));
}

// All of the prefix is needed: nothing of it can be said in another way.
BOOST_AUTO_TEST_CASE(a_wrong_prefix_is_noticed) {
  const std::string before = noise(5'000, 5);
  const std::string after = before + "and more";
  for (const Packing packing : kBoth) {
    const std::optional<std::string> packed = pack(after, before, packing);
    BOOST_REQUIRE(packed);
    for (std::size_t at = 0; at < before.size(); at += 97) {
      std::string wrong = before;
      wrong[at] ^= 1;
      BOOST_REQUIRE(!unpack(*packed, after.size(), wrong));
    }
    BOOST_TEST(!unpack(*packed, after.size()));
    BOOST_TEST(!unpack(*packed, after.size(), noise(5'000, 6)));
    BOOST_TEST(!unpack(*packed, after.size(), std::string_view(before).substr(1)));
  }
}

BOOST_AUTO_TEST_CASE(a_bomb_is_refused_before_it_unfolds) {
  const std::string large(4'000'000, '\0');
  const std::optional<std::string> packed = pack(large);
  BOOST_REQUIRE(packed);
  BOOST_TEST(packed->size() < 1'000U);
  const Result<std::string> refused = unpack(*packed, large.size() - 1);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().text.find("at most 3999999 bytes, got 4000000") != std::string::npos);
  BOOST_TEST(unpack(*packed, large.size()).has_value());

  // One that says less than it unfolds to: a frame of 4,000,000 bytes with a size of four bytes
  // behind magic number and descriptor.
  std::string liar = *packed;
  const std::size_t size_at = liar.find(std::string("\x00\x09\x3d\x00", 4));
  BOOST_REQUIRE(size_at != std::string::npos);
  liar.replace(size_at, 4, std::string("\xe8\x03\x00\x00", 4));
  BOOST_TEST(!unpack(liar, 2'000));
}

BOOST_AUTO_TEST_CASE(a_bomb_of_lz4_is_refused_too) {
  const std::string large(4'000'000, '\0');
  const std::optional<std::string> packed = pack(large, {}, Packing::kLz4);
  BOOST_REQUIRE(packed);
  const Result<std::string> refused = unpack(*packed, large.size() - 1);
  BOOST_REQUIRE(!refused);
  BOOST_TEST(refused.error().text.find("at most 3999999 bytes, got 4000000") != std::string::npos);
  // Its size is the varint behind mark and hash; one that says less is found out.
  std::string liar = *packed;
  liar.replace(9, 4, "\x80\x80\x01");
  BOOST_TEST(!unpack(liar, 4'000'000));
}

BOOST_AUTO_TEST_CASE(no_damaged_frame_gives_other_bytes) {
  const std::string before = words(2'000, 7);
  const std::string text = words(1'500, 8);
  for (const Packing packing : kBoth) {
    const std::optional<std::string> packed = pack(text, before, packing);
    BOOST_REQUIRE(packed);
    for (std::size_t size = 0; size < packed->size(); ++size)
      BOOST_REQUIRE(!unpack(std::string_view(*packed).substr(0, size), 100'000, before));
    BOOST_TEST(!unpack(*packed + "x", 100'000, before));
    for (std::size_t at = 0; at < packed->size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = *packed;
        flipped[at] ^= static_cast<char>(1 << bit);
        const Result<std::string> bytes = unpack(flipped, 100'000, before);
        BOOST_REQUIRE(!bytes || *bytes == text);
      }
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_is_refused) {
  for (const std::string& bytes : {std::string(), std::string("plain text"), noise(500, 9)})
    BOOST_TEST(!unpack(bytes, 1'000));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
