#include "memory/store_keys.h"

#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/memory/rows.h"

namespace waggle::test {
namespace {

namespace keys = store_keys;

std::string hex(const std::string& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

const SwarmId kBees("bees");
const keys::WriterAt kDrone{kBees, AgentId("drone"), Incarnation(9)};

}  // namespace

BOOST_AUTO_TEST_SUITE(store_keys_test)

// The example of docs/storage.md.
BOOST_AUTO_TEST_CASE(keys_have_the_bytes_that_the_page_shows) {
  BOOST_TEST(keys::swarm(kBees) == "swarm/bees");
  BOOST_TEST(hex(keys::state(kBees, Key("nectar"))) ==
             "0462656573"
             "6e6563746172");
  BOOST_TEST(hex(keys::writer(kDrone)) ==
             "0462656573"
             "0564726f6e65"
             "0000000000000009");
  BOOST_TEST(hex(keys::outcome({kDrone, Seq(4)})) ==
             "0462656573"
             "0564726f6e65"
             "0000000000000009"
             "0000000000000004");
  BOOST_TEST(hex(keys::receipt(kBees, {Key("nectar"), Revision(299), 1})) ==
             "0462656573"
             "0006"
             "6e6563746172"
             "000000000000012b"
             "00000001");
  BOOST_TEST(hex(keys::outbox({Incarnation(9), Seq(4)})) ==
             "0000000000000009"
             "0000000000000004");
  BOOST_TEST(hex(keys::order(2)) == "0000000000000002");
}

BOOST_AUTO_TEST_CASE(a_key_reads_as_what_was_written) {
  const auto state = keys::read_state(keys::state(kBees, Key("a/b")));
  BOOST_REQUIRE(state.has_value());
  BOOST_TEST((state->swarm == kBees && state->key == Key("a/b")));
  const auto outcome = keys::read_outcome(keys::outcome({kDrone, Seq(4)}));
  BOOST_REQUIRE(outcome.has_value());
  BOOST_TEST((outcome->writer.agent == kDrone.agent && outcome->seq == Seq(4)));
  const auto writer = keys::read_writer(keys::writer(kDrone));
  BOOST_REQUIRE(writer.has_value());
  BOOST_TEST((writer->incarnation == Incarnation(9)));
  BOOST_TEST(keys::read_outbox(keys::outbox({Incarnation(1), Seq(2)}))->seq.value() == 2U);
  BOOST_TEST(keys::read_order(keys::order(UINT64_MAX) + "more") == UINT64_MAX);
}

BOOST_AUTO_TEST_CASE(bytes_of_another_shape_read_as_nothing) {
  const std::string outcome = keys::outcome({kDrone, Seq(4)});
  for (std::size_t size = 0; size < outcome.size(); ++size) {
    const std::string cut = outcome.substr(0, size);
    BOOST_TEST(!keys::read_outcome(cut).has_value());
    BOOST_TEST(keys::read_outbox(cut).has_value() == (size == 16));
  }
  BOOST_TEST(!keys::read_outcome(outcome + "x").has_value());
  BOOST_TEST(!keys::read_writer(outcome).has_value());
  BOOST_TEST(!keys::read_state("").has_value());
  BOOST_TEST(!keys::read_state("\xff"
                               "bees")
                  .has_value());
}

BOOST_AUTO_TEST_CASE(numbers_order_as_their_bytes_do) {
  const std::vector<std::uint64_t> numbers = {0, 1, 255, 256, 65'535, 1ULL << 40, UINT64_MAX};
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    // In parentheses: Boost.Test would compare signed characters.
    BOOST_TEST(
        (keys::outcome({kDrone, Seq(numbers[i - 1])}) < keys::outcome({kDrone, Seq(numbers[i])})));
    BOOST_TEST((keys::outbox({Incarnation(1), Seq(numbers[i - 1])}) <
                keys::outbox({Incarnation(1), Seq(numbers[i])})));
  }
}

BOOST_AUTO_TEST_CASE(a_range_holds_its_rows_and_no_other) {
  const keys::Range outcomes = keys::outcomes_of(kDrone);
  const auto holds = [](const keys::Range& range, const std::string& key) {
    return range.begin <= key && key < range.end;
  };
  BOOST_TEST(holds(outcomes, keys::outcome({kDrone, Seq(0)})));
  BOOST_TEST(holds(outcomes, keys::outcome({kDrone, Seq(UINT64_MAX)})));
  for (const std::uint64_t other : {8, 10})
    for (const std::uint64_t seq : {std::uint64_t{0}, UINT64_MAX})
      BOOST_TEST(
          !holds(outcomes, keys::outcome({{kBees, kDrone.agent, Incarnation(other)}, Seq(seq)})));
  const keys::WriterAt last{kBees, kDrone.agent, Incarnation(UINT64_MAX)};
  BOOST_TEST(holds(keys::outcomes_of(last), keys::outcome({last, Seq(UINT64_MAX)})));

  const keys::Range receipts = keys::receipts_of(kBees, Key("a"));
  BOOST_TEST(
      holds(receipts, keys::receipt(kBees, {Key("a"), Revision(UINT64_MAX >> 1), UINT32_MAX})));
  BOOST_TEST(!holds(receipts, keys::receipt(kBees, {Key("ab"), Revision(0), 0})));
  BOOST_TEST(!holds(receipts, keys::receipt(kBees, {Key("b"), Revision(0), 0})));
  BOOST_TEST(holds(keys::whole_replica(), std::string(1024, '\xff')));
  BOOST_TEST(holds(keys::whole_replica(), ""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
