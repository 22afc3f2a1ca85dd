#include "base/ids.h"

#include <type_traits>
#include <unordered_set>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

static_assert(!std::is_convertible_v<std::uint64_t, Revision>);
static_assert(!std::is_constructible_v<Seq, Revision>);
static_assert(!std::is_convertible_v<const char*, Key>);
static_assert(!std::is_constructible_v<Key, AgentId>);

BOOST_AUTO_TEST_SUITE(ids_test)

BOOST_AUTO_TEST_CASE(a_number_is_ordered_counts_on_and_is_none_at_zero) {
  BOOST_TEST(!Revision{});
  BOOST_TEST(static_cast<bool>(Revision(1)));
  BOOST_TEST(Revision(4).next().value() == 5U);
  BOOST_TEST((Revision(4) < Revision(5)));
  BOOST_TEST((Revision(4) == Revision(4)));
}

BOOST_AUTO_TEST_CASE(names_are_ordered_by_their_bytes) {
  BOOST_TEST((Key("a") < Key("ab")));
  BOOST_TEST((Key("Z") < Key("a")));
  BOOST_TEST((Key("z") < Key("\xc3\xa9")));
  // The coordinator's own name is above every name of letters: it wins their ties.
  BOOST_TEST((AgentId("zebra") < AgentId(kCoordinatorName)));
  BOOST_TEST(Key{}.empty());
}

BOOST_AUTO_TEST_CASE(ids_can_be_hashed) {
  std::unordered_set<Key> keys{Key("a"), Key("b"), Key("a")};
  BOOST_TEST(keys.size() == 2U);
  std::unordered_set<Revision> revisions{Revision(1), Revision(1)};
  BOOST_TEST(revisions.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tilde_marks_waggles_own_agents) {
  BOOST_TEST(is_reserved_agent(AgentId(kCoordinatorName)));
  BOOST_TEST(is_reserved_agent(AgentId("~anything")));
  BOOST_TEST(!is_reserved_agent(AgentId("scout~1")));
  BOOST_TEST(!is_reserved_agent(AgentId{}));
  BOOST_TEST(is_client_agent(AgentId("~client")));
  BOOST_TEST(is_client_agent(AgentId("~client-7")));
  BOOST_TEST(!is_client_agent(AgentId(kCoordinatorName)));
  BOOST_TEST(!is_client_agent(AgentId("client")));
}

BOOST_AUTO_TEST_CASE(a_number_is_shown_as_16_hexadecimal_digits) {
  BOOST_TEST(to_hex(std::uint64_t{0}) == "0000000000000000");
  BOOST_TEST(to_hex(std::uint64_t{0xABC}) == "0000000000000abc");
  BOOST_TEST(to_hex(UINT64_MAX) == "ffffffffffffffff");
}

BOOST_AUTO_TEST_CASE(a_cursor_is_shown_as_epoch_at_revision) {
  BOOST_TEST(to_text(Cursor{Epoch(0x1f), Revision(42)}) == "000000000000001f@42");
  BOOST_TEST(to_text(Cursor{}) == "0000000000000000@0");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
