#include "agent/outbox.h"

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Mutation put(const char* key) {
  Mutation mutation;
  mutation.context.epoch = Epoch(1);
  mutation.entries = {Entry{Key(key), {}, PutOp{ContentType::kText, "x"}, {}}};
  return mutation;
}

struct Box {
  Outbox outbox{Incarnation(5)};
  std::vector<Row> rows;
  Box() { outbox.begin(); }
  Pending& add(const char* key, bool has_context = true) {
    return outbox.add(put(key), RequestId(1), has_context, rows);
  }
};

BOOST_AUTO_TEST_SUITE(outbox)

BOOST_AUTO_TEST_CASE(a_write_leaves_the_overlay_only_when_the_cursor_reaches_its_revision) {  // W4
  Box box;
  box.add("x");
  BOOST_TEST(box.outbox.overlay(Key("x")).size() == 1u);
  box.outbox.answer(Incarnation(5), Seq(1), Revision(7), true, box.rows);
  box.outbox.drop_reflected(Revision(6));
  BOOST_TEST(box.outbox.overlay(Key("x")).size() == 1u);
  box.outbox.drop_reflected(Revision(7));
  BOOST_TEST(box.outbox.overlay(Key("x")).empty());
  BOOST_TEST(box.outbox.empty());
}

BOOST_AUTO_TEST_CASE(an_update_before_the_result_ends_the_overlay_and_not_the_waiting) {  // W4
  Box box;
  box.add("x");
  box.outbox.reflected(Incarnation(5), Seq(1), Revision(7));
  box.outbox.drop_reflected(Revision(7));
  BOOST_TEST(box.outbox.overlay(Key("x")).empty());
  BOOST_TEST(box.outbox.unanswered() == 1u);
  BOOST_TEST(box.outbox.answer(Incarnation(5), Seq(1), Revision(7), true, box.rows));
  BOOST_TEST(!box.outbox.answer(Incarnation(5), Seq(1), Revision(7), true, box.rows));
}

BOOST_AUTO_TEST_CASE(confirmed_has_no_holes) {
  Box box;
  box.add("x");
  box.add("y");
  box.add("z");
  box.outbox.answer(Incarnation(5), Seq(2), Revision(7), true, box.rows);
  BOOST_TEST(box.outbox.confirmed().empty());
  box.outbox.answer(Incarnation(5), Seq(1), Revision(6), true, box.rows);
  BOOST_REQUIRE_EQUAL(box.outbox.confirmed().size(), 1u);
  BOOST_TEST(box.outbox.confirmed()[0].seq.value() == 2u);
}

BOOST_AUTO_TEST_CASE(a_conditional_write_enters_the_view_only_on_commit) {
  Box box;
  Mutation mutation = put("x");
  mutation.entries[0].expect = ExpectVersion{Revision(3)};
  box.outbox.add(mutation, RequestId(1), true, box.rows);
  BOOST_TEST(box.outbox.overlay(Key("x")).empty());
  box.outbox.answer(Incarnation(5), Seq(1), Revision(7), true, box.rows);
  BOOST_TEST(box.outbox.overlay(Key("x")).size() == 1u);
}

BOOST_AUTO_TEST_CASE(restored_writes_go_first_and_later_incarnations_wait) {
  Outbox outbox(Incarnation(9));
  Mutation old = put("x");
  old.incarnation = Incarnation(5);
  old.seq = Seq(3);
  outbox.restore(OutboxRow{Incarnation(5), Seq(3), 1, old});
  outbox.begin();
  std::vector<Row> rows;
  outbox.add(put("y"), RequestId(1), true, rows);
  auto batch = outbox.to_send({}, 10, 1 << 20);
  BOOST_REQUIRE_EQUAL(batch.size(), 1u);
  BOOST_TEST(batch[0]->mutation.incarnation.value() == 5u);
  BOOST_TEST(outbox.confirmed()[0].seq.value() == 2u);
  BOOST_TEST(outbox.incarnations().size() == 2u);
  outbox.answer(Incarnation(5), Seq(3), Revision(1), true, rows);
  batch = outbox.to_send({}, 10, 1 << 20);
  BOOST_REQUIRE_EQUAL(batch.size(), 1u);
  BOOST_TEST(batch[0]->mutation.incarnation.value() == 9u);
  BOOST_TEST(outbox.incarnations().size() == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_without_a_context_is_sent) {
  Box box;
  box.add("x", false);
  box.add("y");
  BOOST_TEST(box.outbox.to_send({}, 10, 1 << 20).empty());
}

BOOST_AUTO_TEST_CASE(renumbering_keeps_the_order_and_what_writes_expect_of_each_other) {
  Box box;
  box.add("x");
  box.add("y");
  Mutation third = put("y");
  third.entries[0].expect = ExpectMine{Seq(2)};
  box.outbox.add(third, RequestId(1), true, box.rows);
  box.outbox.answer(Incarnation(5), Seq(1), Revision(1), true, box.rows);
  box.outbox.renumber(Incarnation(6), [](const Pending&) { return true; }, box.rows);
  const auto batch = box.outbox.to_send({}, 10, 1 << 20);
  BOOST_REQUIRE_EQUAL(batch.size(), 2u);
  BOOST_TEST(batch[0]->mutation.seq.value() == 1u);
  BOOST_TEST(batch[0]->mutation.entries[0].key.value() == "y");
  BOOST_TEST((batch[1]->mutation.entries[0].expect == Expect(ExpectMine{Seq(1)})));
  BOOST_TEST(box.outbox.incarnation().value() == 6u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
