// What is given as a task and as a report, what is kept, and how long it waits after a failure.

#include <string>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "coordinator/task.h"

namespace waggle {
namespace {

BOOST_AUTO_TEST_SUITE(task_document)

BOOST_AUTO_TEST_CASE(everything_that_is_given_is_read_and_what_is_kept_is_read_again) {
  const Result<Task> given = read_task("roof", R"({"title":"build the roof","body":{"of":"tin"},
      "needs":["ladder","van"],"priority":-3,"after":["walls"],"retries":7,"backoff_ms":250})");
  BOOST_REQUIRE(given.has_value());
  Task task = *given;
  BOOST_TEST((task.needs == std::set<std::string>{"ladder", "van"} && task.priority == -3));
  BOOST_TEST((task.after == std::set<std::string>{"walls"} && task.retries == 7u));
  BOOST_TEST(task.backoff_millis == 250);
  task.by = AgentId("ada");
  task.added_wall_millis = 1'795'732'772'164;
  task.added = Revision(77);
  task.attempts = 2;
  task.failures = {{AgentId("bob"), 5, "it rained"}, {AgentId("eve"), 6, "\"x\""}};
  task.retry_wall_millis = 1'795'732'772'999;
  BOOST_TEST((recover_task("roof", to_json(task)) == Result<Task>(task)));
  task.state = TaskState::kDone;
  task.ended_wall_millis = 9;
  task.ended_by = AgentId("eve");
  task.result = JsonValue{std::string("dry")};
  BOOST_TEST((recover_task("roof", to_json(task)) == Result<Task>(task)));
}

struct Wrong {
  const char* document;
  const char* text;
};
std::ostream& operator<<(std::ostream& out, const Wrong& wrong) {
  return out << wrong.document;
}

constexpr Wrong kWrongTasks[] = {
    {R"([1])", "expected a JSON object"},
    {R"({})", "\"title\" is missing"},
    {R"({"title":""})", "\"title\": expected a text"},
    {R"({"title":"t","prio":1})", "\"prio\" is unknown; expected after, backoff_ms, body"},
    {R"({"title":"t","priority":1001})",
     "\"priority\": expected a whole number from -1000 to 1000"},
    {R"({"title":"t","priority":0.5})", "expected a whole number"},
    {R"({"title":"t","retries":-1})", "\"retries\": expected a whole number from 0"},
    {R"({"title":"t","backoff_ms":3600001})", "\"backoff_ms\""},
    {R"({"title":"t","needs":"x"})", "\"needs\": expected a list of at most 16 names"},
    {R"({"title":"t","needs":[""]})", "a capability: expected 1 to"},
    {R"({"title":"t","after":["a b"]})", "the id of a task: expected"},
    {R"({"title":"t","after":["me"]})", "it can't come after itself"},
    {R"({"title":"t","title":"u"})", "title"},
};
BOOST_DATA_TEST_CASE(what_is_no_task_is_refused_with_what_was_expected,
                     boost::unit_test::data::make(kWrongTasks), wrong) {
  const Result<Task> task = read_task("me", wrong.document);
  BOOST_REQUIRE(!task.has_value());
  BOOST_TEST((task.error().code == Code::kRejected));
  BOOST_TEST(task.error().text.find(wrong.text) != std::string::npos, task.error().text);
}

BOOST_AUTO_TEST_CASE(an_id_has_no_room_for_a_pattern) {
  for (const char* id : {"", "a*", "a/b", "a b", "~x"})
    BOOST_TEST(!read_task(id, R"({"title":"t"})").has_value(), id);
  BOOST_TEST(read_task("A-1_b.c", R"({"title":"t"})").has_value());
}

constexpr Wrong kWrongReports[] = {
    {R"({"state":"finished"})", "expected done, failed, or open"},
    {R"({"state":"done","why":"x"})", "\"why\" is unknown; expected result, state, writes"},
    {R"({"state":"failed","result":1})", "\"result\" is unknown"},
    {R"({"state":"failed","retry":"no"})", "\"retry\": expected true or false"},
    {R"({"state":"open","why":"x"})", "\"why\" is unknown"},
    {R"({"state":"done","writes":[{"key":"~task/x","value":1}]})", "no keys of the coordinator"},
    {R"({"state":"done","writes":[{"key":"a","value":1},{"key":"a","value":2}]})", "each key once"},
    {R"({"state":"done","writes":[{"key":"a"}]})", "objects with \"key\" and \"value\""},
    {R"({"state":"done","writes":[{"key":"a","value":1,"if":2}]})", "\"if\" is unknown"},
};
BOOST_DATA_TEST_CASE(what_is_no_report_is_refused_with_what_was_expected,
                     boost::unit_test::data::make(kWrongReports), wrong) {
  BOOST_TEST(is_task_report(wrong.document));
  const Result<TaskReport> report = read_task_report(wrong.document);
  BOOST_REQUIRE(!report.has_value());
  BOOST_TEST(report.error().text.find(wrong.text) != std::string::npos, report.error().text);
}

BOOST_AUTO_TEST_CASE(reports_are_told_from_tasks_by_their_state) {
  BOOST_TEST(!is_task_report(R"({"title":"t"})"));
  BOOST_TEST(!is_task_report("done"));
  const Result<TaskReport> done = read_task_report(
      R"({"state":"done","result":[1],"writes":[{"key":"a","value":"x","if_version":3}]})");
  BOOST_REQUIRE(done.has_value());
  BOOST_TEST((done->kind == TaskReport::Kind::kDone && done->writes.size() == 1));
  BOOST_TEST((done->writes[0].if_version == Revision(3)));
  BOOST_TEST(read_task_report(R"({"state":"failed"})")->why == "it failed");
  BOOST_TEST(!read_task_report(R"({"state":"failed","retry":false})")->retry);
}

BOOST_AUTO_TEST_CASE(the_time_before_a_retry_doubles_up_to_an_hour) {
  Task task;
  task.backoff_millis = 1'000;
  const std::int64_t expected[] = {1'000, 1'000, 2'000, 4'000, 8'000};
  for (std::uint32_t n = 0; n < 5; ++n) {
    task.attempts = n;
    BOOST_TEST(backoff_of(task) == expected[n]);
  }
  task.attempts = 1'000;
  BOOST_TEST(backoff_of(task) == limits::kTaskBackoffMillisMax);
  task.backoff_millis = 0;
  BOOST_TEST(backoff_of(task) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
