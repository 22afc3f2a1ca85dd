#include "cli/delivery_queue.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

StateChanged changed(std::uint64_t from, std::uint64_t to, std::size_t bytes) {
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kText, std::string(bytes, 'v')};
  record->version = Revision(to);
  StateChanged one;
  one.from = {Epoch(1), Revision(from)};
  one.to = {Epoch(1), Revision(to)};
  one.changes.push_back({Key("k"), std::move(record)});
  return one;
}

BOOST_AUTO_TEST_CASE(changes_beyond_the_bound_are_dropped_and_said_to_be) {
  DeliveryQueue queue(10'000);
  queue.push(changed(0, 1, 6'000));
  queue.push(changed(1, 2, 6'000));
  queue.push(changed(2, 3, 10));  // would fit, but a hole is a hole
  queue.push(WriteQueued{});
  const auto taken = queue.take();
  BOOST_TEST(taken.deliveries.size() == 2U);
  BOOST_TEST(taken.dropped);
  BOOST_TEST(taken.dropped_from.revision.value() == 1U);
  BOOST_TEST(taken.dropped_to.revision.value() == 3U);
  queue.push(changed(3, 4, 6'000));
  BOOST_TEST(queue.take().deliveries.size() == 1U);
  BOOST_TEST(!queue.take().dropped);
}

BOOST_AUTO_TEST_CASE(one_change_alone_is_taken_whatever_its_size) {
  DeliveryQueue queue(10);
  queue.push(changed(0, 1, 6'000));
  BOOST_TEST(!queue.take().dropped);
}

}  // namespace
}  // namespace waggle::cli
