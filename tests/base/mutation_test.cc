#include "base/mutation.h"

#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Mutation with(Op op) {
  Mutation mutation;
  mutation.entries.push_back({Key("key"), {}, std::move(op), {}});
  return mutation;
}

BOOST_AUTO_TEST_SUITE(mutation_test)

BOOST_AUTO_TEST_CASE(the_wire_size_grows_with_every_part) {
  const Mutation base = with(PutOp{ContentType::kText, "value"});
  const std::size_t size = wire_size(base);
  BOOST_TEST(wire_size(with(PutOp{ContentType::kText, "value!"})) == size + 1);

  Mutation more = base;
  more.entries[0].key = Key("key2");
  BOOST_TEST(wire_size(more) == size + 1);
  more = base;
  more.entries.push_back(base.entries[0]);
  BOOST_TEST(wire_size(more) > size + 8);
  more = base;
  more.entries[0].metadata["a"] = "b";
  BOOST_TEST(wire_size(more) >= size + 2);
  const std::size_t tagged = wire_size(more);
  more.entries[0].metadata["a"] = "bc";
  BOOST_TEST(wire_size(more) == tagged + 1);
  more = base;
  more.context.own_through.push_back({Incarnation(1), Seq(1)});
  BOOST_TEST(wire_size(more) >= size + 16);
}

BOOST_AUTO_TEST_CASE(the_wire_size_of_a_set_operation_grows_with_its_elements) {
  const std::size_t add = wire_size(with(SetAddOp{{"a"}}));
  BOOST_TEST(wire_size(with(SetAddOp{{"ab"}})) == add + 1);
  BOOST_TEST(wire_size(with(SetAddOp{{"a", "b"}})) > add + 1);
  BOOST_TEST(wire_size(with(SetRemoveOp{{"a"}})) == add);
  BOOST_TEST(wire_size(with(SetRemoveOp{{"a", "b"}})) > add + 1);
}

BOOST_AUTO_TEST_CASE(every_operation_has_a_wire_size_above_its_content) {
  for (const Op& op : {Op{PutOp{}}, Op{DeleteOp{}}, Op{IncrOp{1}}, Op{SetAddOp{}},
                       Op{SetRemoveOp{}}, Op{ClearOp{}}})
    BOOST_TEST(wire_size(with(op)) > 0U);
  BOOST_TEST(wire_size(with(PutOp{ContentType::kText, std::string(5000, 'x')})) > 5000U);
}

BOOST_AUTO_TEST_CASE(conflict_kinds_and_reasons_have_their_texts) {
  BOOST_TEST(to_text(ConflictKind::kVersionMismatch) == "version_mismatch");
  BOOST_TEST(to_text(ConflictKind::kConcurrentUpdate) == "concurrent_update");
  BOOST_TEST(to_text(ConflictKind::kDeleteUpdate) == "delete_update");
  BOOST_TEST(to_text(Reason::kTypeMismatch) == "type_mismatch");
  BOOST_TEST(to_text(Reason::kOverflow) == "overflow");
  for (int number = 0; number <= 7; ++number)
    BOOST_TEST(to_text(static_cast<ConflictKind>(number)) != "unrecognised");
  for (int number = 0; number <= 12; ++number)
    BOOST_TEST(to_text(static_cast<Reason>(number)) != "unrecognised");
}

BOOST_AUTO_TEST_CASE(outcomes_are_equal_by_their_records_content) {
  Outcome outcome;
  outcome.key = Key("k");
  outcome.committed = std::make_shared<const Record>();
  Outcome same = outcome;
  same.committed = std::make_shared<const Record>();
  BOOST_TEST((outcome == same));
  auto other = std::make_shared<Record>();
  other->version = Revision(1);
  same.committed = other;
  BOOST_TEST(!(outcome == same));
  same = outcome;
  same.text = "x";
  BOOST_TEST(!(outcome == same));
  same = outcome;
  same.committed = nullptr;
  BOOST_TEST(!(outcome == same));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
