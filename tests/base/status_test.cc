#include "base/status.h"

#include <set>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/message.h"
#include "base/mutation.h"

namespace waggle {
namespace {

struct Row {
  Code code;
  int number;
  int exit;
  std::string_view text;
};

BOOST_AUTO_TEST_SUITE(status_test)

BOOST_AUTO_TEST_CASE(each_code_has_its_number_exit_code_and_text) {
  const std::vector<Row> rows = {
      {Code::kCommitted, 0, 0, "committed"},   {Code::kDuplicate, 1, 0, "duplicate"},
      {Code::kConflict, 2, 4, "conflict"},     {Code::kParked, 3, 4, "parked"},
      {Code::kStale, 4, 5, "stale"},           {Code::kGap, 5, 5, "gap"},
      {Code::kOverloaded, 6, 5, "overloaded"}, {Code::kUnavailable, 7, 5, "unavailable"},
      {Code::kUnknown, 8, 6, "unknown"},       {Code::kRejected, 9, 1, "rejected"},
      {Code::kDenied, 10, 7, "denied"},        {Code::kNotFound, 11, 3, "not_found"},
      {Code::kTimeout, 12, 6, "timeout"},      {Code::kUnsupported, 13, 1, "unsupported"},
      {Code::kCorrupt, 14, 1, "corrupt"},      {Code::kInternal, 15, 1, "internal"}};
  std::set<std::string_view> texts;
  for (const Row& row : rows) {
    BOOST_TEST(static_cast<int>(row.code) == row.number);
    BOOST_TEST(exit_code(row.code) == row.exit, row.text);
    BOOST_TEST(to_text(row.code) == row.text);
    texts.insert(row.text);
  }
  BOOST_TEST(texts.size() == 16U);
}

BOOST_AUTO_TEST_CASE(a_number_of_a_newer_release_is_a_failure_and_never_a_success) {
  BOOST_TEST(exit_code(static_cast<Code>(200)) == 1);
  BOOST_TEST(to_text(static_cast<Code>(200)) == "unrecognised");
  BOOST_TEST(exit_code(static_cast<RoundOutcome>(200)) == 1);
}

BOOST_AUTO_TEST_CASE(each_round_outcome_has_its_exit_code) {
  BOOST_TEST(exit_code(RoundOutcome::kResolved) == 0);
  BOOST_TEST(exit_code(RoundOutcome::kUnchanged) == 0);
  BOOST_TEST(exit_code(RoundOutcome::kMoved) == 4);
  BOOST_TEST(exit_code(RoundOutcome::kNoQuorum) == 4);
  BOOST_TEST(exit_code(RoundOutcome::kParked) == 4);
  BOOST_TEST(exit_code(RoundOutcome::kNoAgents) == 5);
  BOOST_TEST(exit_code(RoundOutcome::kTimeout) == 6);
  BOOST_TEST(exit_code(RoundOutcome::kPartial) == 8);
}

BOOST_AUTO_TEST_CASE(levels_rise_with_safety) {
  BOOST_TEST((Level::kNone < Level::kMemory && Level::kMemory < Level::kWritten &&
              Level::kWritten < Level::kDurable));
  BOOST_TEST(to_text(Level::kNone) == "none");
  BOOST_TEST(to_text(Level::kMemory) == "memory");
  BOOST_TEST(to_text(Level::kWritten) == "written");
  BOOST_TEST(to_text(Level::kDurable) == "durable");
}

BOOST_AUTO_TEST_CASE(the_final_outcomes_are_those_that_consume_the_seq) {
  const std::set<Code> final = {Code::kCommitted, Code::kConflict, Code::kParked, Code::kRejected,
                                Code::kDenied};
  for (int number = 0; number <= 15; ++number) {
    Outcome outcome;
    outcome.code = static_cast<Code>(number);
    BOOST_TEST(outcome.final() == final.contains(outcome.code), to_text(outcome.code));
  }
}

BOOST_AUTO_TEST_CASE(a_failure_carries_code_and_text) {
  const Result<int> result = failed(Code::kDenied, "no");
  BOOST_REQUIRE(!result);
  BOOST_TEST((result.error() == Error{Code::kDenied, "no"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
