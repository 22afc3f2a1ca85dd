// Writes that are made of the view, conditions that hold of it, and positions of an earlier state.

#include "resolver/update.h"

#include <utility>

#include <boost/test/unit_test.hpp>

#include "tests/agent/bench_of_bounds.h"

namespace waggle {
namespace {

Entry entry_of(Op op, Expect expect = {}) {
  return {Key("x"), expect, std::move(op), {}};
}

Op text_op(std::uint64_t at, std::string text) {
  return EditOp{{{.at = at, .removed = 0, .inserted = {std::move(text)}}}, ValueType::kText};
}

struct Bench : BoundsBench {
  Bench() { attach(0); }

  void append(std::uint64_t request, std::string text) {
    feed(Command{UpdateCommand{
        RequestId(request), Key("x"),
        [text = std::move(text)](const Record* standing) -> Result<std::vector<Entry>> {
          return std::vector{entry_of(append_op(standing, {}, {text}, ValueType::kText))};
        }}});
  }
  void edit_as_of(Op op, Cursor as_of) {
    feed(Command{WriteCommand{RequestId(1), {entry_of(std::move(op))}, as_of}});
  }
  [[nodiscard]] std::string text() const {
    const RecordPtr record = core.view(Key("x"));
    return record ? std::get<Text>(*record->value).sequence.text() : "(absent)";
  }
  [[nodiscard]] const Context& written() const { return up<Submit>()->mutations.back().context; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_update_is_made_of_the_view_with_the_own_writes_before_it) {
  Bench bench;
  bench.append(1, "hum");
  bench.append(2, " and hum");
  BOOST_TEST(bench.text() == "hum and hum");
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  const Mutation& second = bench.up<Submit>()->mutations.back();
  BOOST_TEST(std::get<EditOp>(second.entries[0].op).edits[0].at == 3U);
  BOOST_TEST(second.context.own_through.back().seq.value() == 1U);
}

// If that one is refused, so must be what was made of it.
BOOST_AUTO_TEST_CASE(
    an_update_behind_a_conditional_write_builds_on_it_and_stands_or_falls_with_it) {
  Bench bench;
  const Op first = PutOp{ContentType::kText, "blue"};
  bench.feed(Command{WriteCommand{RequestId(1), {entry_of(first, ExpectVersion{})}}});
  BOOST_REQUIRE(bench.core.view(Key("x")) == nullptr);
  const auto update = [&](const Expect& expect) {
    bench.feed(Command{UpdateCommand{
        RequestId(2), Key("x"), [&](const Record* standing) -> Result<std::vector<Entry>> {
          BOOST_REQUIRE(standing != nullptr);
          const std::string was = std::get<Register>(*standing->value).bytes;
          return std::vector{entry_of(PutOp{ContentType::kText, was + "er"}, expect)};
        }}});
    return bench.up<Submit>()->mutations.back().entries.at(0);
  };
  const Entry second = update(ExpectUnchanged{});
  BOOST_TEST(std::get<PutOp>(second.op).bytes == "blueer");
  BOOST_TEST((second.expect == Expect(ExpectMine{Seq(1)})));
  // In a row: each expects the one before.
  const Entry third = update({});
  BOOST_TEST(std::get<PutOp>(third.op).bytes == "blueerer");
  BOOST_TEST((third.expect == Expect(ExpectMine{Seq(2)})));
  // What the caller expects is the caller's.
  BOOST_TEST((update(ExpectVersion{Revision(7)}).expect == Expect(ExpectVersion{Revision(7)})));
}

BOOST_AUTO_TEST_CASE(what_an_update_fails_with_is_told_and_nothing_is_written) {
  Bench bench;
  bench.feed(Command{UpdateCommand{RequestId(7), Key("x"),
                                   [](const Record* standing) -> Result<std::vector<Entry>> {
                                     BOOST_TEST(standing == nullptr);
                                     return failed(Code::kRejected, "does not fit");
                                   }}});
  BOOST_REQUIRE(bench.all_told<CommandFailed>().size() == 1U);
  BOOST_TEST(bench.all_told<CommandFailed>()[0]->error.text == "does not fit");
  BOOST_TEST(bench.core.outbox().empty());
}

BOOST_AUTO_TEST_CASE(a_write_that_expects_no_change_is_in_the_view_at_once) {
  Bench bench;
  const Op put = PutOp{ContentType::kText, "blue"};
  bench.feed(Command{WriteCommand{RequestId(1), {entry_of(put, ExpectVersion{})}}});
  BOOST_TEST(bench.core.view(Key("x")) == nullptr);
  bench.feed(Command{WriteCommand{RequestId(2), {entry_of(put, ExpectUnchanged{})}}});
  BOOST_TEST(bench.view("x") == "blue");
}

BOOST_AUTO_TEST_CASE(an_edit_may_count_in_an_earlier_state) {
  Bench bench;
  Text text;
  const auto insert = [&](std::uint64_t at, const char* typed, std::uint64_t revision) {
    BOOST_REQUIRE(
        text.sequence.edit(std::get<EditOp>(text_op(at, typed)).edits,
                           {Revision(revision), 0, {AgentId("b"), Incarnation(9), Seq(1)}},
                           {Revision(revision - 1), [](const Dot&) { return false; }}));
    Change change = BoundsBench::change("x", revision, "");
    auto record = std::make_shared<Record>(*change.record);
    record->value = text;
    record->content = content_hash(*record->value);
    bench.hear(BoundsBench::update(revision - 1, revision, {{change.key, record}}));
  };
  insert(0, "hum", 1);
  insert(0, "ho ", 2);
  BOOST_REQUIRE(bench.text() == "ho hum");
  // Behind the "hum" that stood alone at revision 1.
  bench.edit_as_of(text_op(3, "!"), {{}, Revision(1)});
  BOOST_TEST(bench.text() == "ho hum!");
  BOOST_REQUIRE(bench.up<Submit>() != nullptr);
  BOOST_TEST(bench.written().seen.value() == 1U);
  bench.edit_as_of(text_op(0, "oh "), {BoundsBench::kEpoch, Revision(2)});
  BOOST_TEST(bench.text() == "oh ho hum!");
}

BOOST_AUTO_TEST_CASE(a_state_that_was_never_held_is_refused) {
  Bench bench;
  const auto refused = [&](Op op, Cursor as_of, std::string_view why) {
    bench.edit_as_of(std::move(op), as_of);
    BOOST_REQUIRE(bench.all_told<CommandFailed>().size() == 1U);
    const Error& error = bench.all_told<CommandFailed>()[0]->error;
    BOOST_TEST((error.code == Code::kRejected));
    BOOST_TEST(error.text.contains(why), error.text);
    BOOST_TEST(bench.core.outbox().empty());
  };
  refused(text_op(0, "x"), {{}, Revision(1)}, "expected a state that the agent has held");
  refused(text_op(0, "x"), {Epoch(77), Revision(0)}, "expected a state that the agent has held");
  refused(IncrOp{1}, {{}, Revision(0)}, "expected edits");
}

}  // namespace waggle
