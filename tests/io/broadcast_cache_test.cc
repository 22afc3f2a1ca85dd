#include "io/broadcast_cache.h"

#include <cstring>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "capnp/codec.h"
#include "tests/io/scratch.h"

namespace waggle {
namespace {

using namespace test;

Frame heartbeat_frame(std::uint64_t number) {
  return Frame(encode(*heartbeat_of(number)));
}

// A cache that `agents` receive with.
struct Shared : BroadcastCache {
  explicit Shared(int agents) {
    for (int i = 0; i < agents; ++i) enter();
  }
  // Its message, which is there.
  MessagePtr of(const Frame& frame) {
    Result<MessagePtr> message = message_of(frame);
    BOOST_REQUIRE(message.has_value());
    return *message;
  }
};

BOOST_AUTO_TEST_CASE(an_equal_frame_is_decoded_once_for_all_agents) {
  Shared cache(3);
  const MessagePtr first = cache.of(heartbeat_frame(1));
  // Each of them has a frame of its own with the same bytes.
  BOOST_TEST(cache.of(heartbeat_frame(1)) == first);
  BOOST_TEST(cache.of(heartbeat_frame(1)) == first);
  BOOST_TEST(cache.counters().decoded == 1u);
  BOOST_TEST(cache.counters().shared == 2u);
  BOOST_TEST(std::get<Heartbeat>(*first).broadcast.value() == 1u);
}

BOOST_AUTO_TEST_CASE(with_one_agent_nothing_is_kept) {
  Shared cache(1);
  const MessagePtr first = cache.of(heartbeat_frame(1));
  BOOST_TEST(cache.of(heartbeat_frame(1)) != first);
  BOOST_TEST(first.use_count() == 1);
  // Nor for a second one that comes later; from then on it is.
  cache.enter();
  const MessagePtr second = cache.of(heartbeat_frame(1));
  BOOST_TEST(second != first);
  BOOST_TEST(cache.of(heartbeat_frame(1)) == second);
  BOOST_TEST(cache.counters().decoded == 3u);
  // The other one left: what comes now is not kept.
  cache.leave();
  BOOST_TEST(cache.of(heartbeat_frame(2)).use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_frame_that_differs_in_any_bit_is_judged_by_itself) {
  Shared cache(2);
  const std::string good = encode(*heartbeat_of(1));
  static_cast<void>(cache.of(Frame(good)));
  std::vector<std::string> others = {good + std::string(8, '\0'), good.substr(1)};
  for (std::size_t size = 0; size < good.size(); ++size) others.push_back(good.substr(0, size));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    others.push_back(good);
    others.back()[bit / 8] = static_cast<char>(others.back()[bit / 8] ^ (1 << bit % 8));
  }
  std::size_t accepted = 0;
  for (const std::string& bytes : others) {
    const Result<Message> plain = decode(bytes);
    // The second time from what was kept, if it was.
    for (int i = 0; i < 2; ++i) {
      const Result<MessagePtr> cached = cache.message_of(Frame(bytes));
      BOOST_REQUIRE(cached.has_value() == plain.has_value());
      if (!plain) {
        BOOST_TEST(cached.error().text == plain.error().text);
      } else {
        BOOST_TEST(encode(**cached) == encode(*plain));
      }
    }
    accepted += plain.has_value() ? 1u : 0u;
  }
  BOOST_TEST(accepted > 0u);
  BOOST_TEST(cache.counters().shared == accepted);
}

BOOST_AUTO_TEST_CASE(a_frame_made_to_have_the_hash_of_another_is_not_taken_for_it) {
  // XXH3 multiplies the halves of each 8 bytes of input, xored with a public secret, and adds the
  // 8 bytes themselves to a neighbour's sum. Where the lower half equals the secret's the product
  // is 0 whatever the upper half is; two such places of one lane, 64 bytes apart, whose upper
  // halves have the same sum, make the same hash.
  constexpr std::uint32_t kSecretOfFirst = 0x396cfeb8;
  constexpr std::uint32_t kSecretOfSecond = 0x2c81017c;
  std::string one = encode(*large_of(10'000));
  // Within the value, and where a block of the hash begins: its secret begins there, too.
  constexpr std::size_t kPlace = 4'096;
  BOOST_REQUIRE_GT(one.size(), kPlace + 72);
  std::string two = one;
  const auto put = [](std::string& bytes, std::size_t at, std::uint32_t low, std::uint32_t high) {
    std::memcpy(bytes.data() + at, &low, sizeof low);
    std::memcpy(bytes.data() + at + 4, &high, sizeof high);
  };
  put(one, kPlace, kSecretOfFirst, 5);
  put(one, kPlace + 64, kSecretOfSecond, 5);
  put(two, kPlace, kSecretOfFirst, 6);
  put(two, kPlace + 64, kSecretOfSecond, 4);
  BOOST_REQUIRE(one != two);
  BOOST_REQUIRE((hash128(one) == hash128(two)));

  Shared cache(2);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((encode(*cache.of(Frame(one))) == one));
    BOOST_TEST((encode(*cache.of(Frame(two))) == two));
  }
  // The first one is kept; the other one has no place, and does not push it out.
  BOOST_TEST(cache.counters().decoded == 4u);
  BOOST_TEST(cache.counters().shared == 2u);
}

BOOST_AUTO_TEST_CASE(a_refused_frame_is_not_kept) {
  Shared cache(2);
  const std::string bytes(100'000, '\xff');
  for (int i = 0; i < 3; ++i) {
    const Result<MessagePtr> message = cache.message_of(Frame(bytes));
    BOOST_REQUIRE(!message.has_value());
    BOOST_TEST(message.error().text == decode(bytes).error().text);
  }
  BOOST_TEST(!cache.message_of(Frame()).has_value());
  BOOST_TEST(cache.counters().shared == 0u);
  BOOST_TEST(cache.counters().decoded == 4u);
}

BOOST_AUTO_TEST_CASE(beyond_so_many_frames_the_oldest_goes) {
  Shared cache(2);
  const MessagePtr first = cache.of(heartbeat_frame(0));
  for (std::uint64_t n = 1; n < BroadcastCache::kFramesMax; ++n) cache.of(heartbeat_frame(n));
  BOOST_TEST(cache.of(heartbeat_frame(0)) == first);  // full, and all are there
  const std::uint64_t before = cache.counters().decoded;
  BOOST_TEST(before == BroadcastCache::kFramesMax);

  const MessagePtr newest = cache.of(heartbeat_frame(BroadcastCache::kFramesMax));
  BOOST_TEST(first.use_count() == 1);  // the cache let go of it
  BOOST_TEST(cache.of(heartbeat_frame(1)).use_count() == 2);
  BOOST_TEST(cache.of(heartbeat_frame(BroadcastCache::kFramesMax)) == newest);
  BOOST_TEST(cache.counters().decoded == before + 1);
  // It may come again, as another message.
  BOOST_TEST(cache.of(heartbeat_frame(0)) != first);
  BOOST_TEST(std::get<Heartbeat>(*first).broadcast.value() == 0u);
}

BOOST_AUTO_TEST_CASE(beyond_so_many_bytes_the_oldest_go) {
  Shared cache(2);
  std::vector<MessagePtr> messages;
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < 20; ++i) {
    const Frame frame(encode(*large_of(900'000 + i)));
    messages.push_back(cache.of(frame));
    sizes.push_back(frame.size());
    // The newest that have room are there, all others are not.
    std::size_t bytes = 0;
    for (std::size_t k = i + 1; k-- > 0;) {
      bytes += sizes[k];
      BOOST_TEST(messages[k].use_count() == (bytes <= BroadcastCache::kBytesMax ? 2 : 1));
    }
  }
  BOOST_TEST(messages.front().use_count() == 1);
  BOOST_TEST(cache.counters().decoded == 20u);
}

BOOST_AUTO_TEST_CASE(a_message_outlives_the_cache) {
  MessagePtr message;
  {
    Shared cache(2);
    message = cache.of(heartbeat_frame(7));
  }
  BOOST_TEST(std::get<Heartbeat>(*message).broadcast.value() == 7u);
}

BOOST_AUTO_TEST_CASE(nothing_is_kept_for_the_last_agent) {
  BroadcastCache cache;
  cache.enter();
  cache.enter();
  const std::string bytes = encode(Message(Bye{SessionId(7)}));
  const Result<MessagePtr> message = cache.message_of(Frame(bytes));
  BOOST_REQUIRE(message.has_value());
  BOOST_TEST(message->use_count() == 2);
  cache.leave();
  BOOST_TEST(message->use_count() == 1);
}

}  // namespace
}  // namespace waggle
