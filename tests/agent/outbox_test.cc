#include "agent/outbox.h"

#include <boost/test/unit_test.hpp>

#include "base/limits.h"

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

// As many as a message may name, of the hundred starts that each left a write behind.
BOOST_AUTO_TEST_CASE(the_oldest_incarnations_are_named_and_not_more_than_fit_a_message) {
  Outbox outbox(Incarnation(1'000));
  for (std::uint64_t n = 1; n <= 100; ++n) {
    Mutation old = put("x");
    old.incarnation = Incarnation(500 - n);
    old.seq = Seq(2);
    outbox.restore(OutboxRow{old.incarnation, Seq(2), n, old});
  }
  outbox.begin();
  const std::vector<Incarnation> listed = outbox.incarnations();
  BOOST_REQUIRE(listed.size() < limits::kOwnThrough);
  BOOST_TEST(listed.front().value() == 499u);
  BOOST_TEST(listed.back().value() == 1'000u);
  for (std::size_t i = 0; i + 1 < listed.size(); ++i) BOOST_TEST(listed[i].value() == 499u - i);
  BOOST_TEST(outbox.confirmed().size() < limits::kOwnThrough);
  BOOST_TEST((outbox.to_send({}, 10, 1 << 20)[0]->mutation.incarnation == Incarnation(499)));
  // When the oldest is answered, the next one is named.
  std::vector<Row> rows;
  outbox.answer(Incarnation(499), Seq(2), Revision(1), true, rows);
  BOOST_TEST(outbox.incarnations().front().value() == 498u);
  BOOST_TEST(outbox.incarnations().size() == listed.size());
}

BOOST_AUTO_TEST_CASE(own_writes_of_every_incarnation_are_named_by_their_newest) {
  Outbox outbox(Incarnation(9));
  Mutation old = put("x");
  old.incarnation = Incarnation(5);
  old.seq = Seq(3);
  outbox.restore(OutboxRow{Incarnation(5), Seq(3), 1, old});
  outbox.begin();
  std::vector<Row> rows;
  BOOST_TEST(outbox.own_through().size() == 1u);
  outbox.add(put("y"), RequestId(1), true, rows);
  outbox.add(put("z"), RequestId(2), true, rows);
  const std::vector<OwnThrough> expected = {{Incarnation(5), Seq(3)}, {Incarnation(9), Seq(2)}};
  BOOST_TEST((outbox.own_through() == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
