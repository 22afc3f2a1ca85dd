#include "cli/feed.h"

#include <boost/test/unit_test.hpp>

namespace waggle::cli {
namespace {

Change change(const char* key, std::uint64_t version) {
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kText, "v"};
  record->version = Revision(version);
  return {Key(key), std::move(record)};
}

Cursor at(std::uint64_t revision, std::uint64_t epoch = 7) {
  return {Epoch(epoch), Revision(revision)};
}

std::string told(const std::vector<FeedItem>& items) {
  std::string text;
  for (const FeedItem& item : items)
    text += item.change.key.value() + ":" + std::to_string(item.behind.revision.value()) + " ";
  return text;
}

BOOST_AUTO_TEST_CASE(changes_come_by_version_each_with_the_cursor_behind_it) {
  BOOST_TEST(told(feed_order({change("c", 9), change("a", 3), change("b", 5)}, at(2), at(9), "")) ==
             "a:3 b:5 c:9 ");
}

BOOST_AUTO_TEST_CASE(within_a_group_the_cursor_stays_at_the_commit_before) {
  BOOST_TEST(told(feed_order({change("a", 3), change("b", 5), change("c", 5), change("d", 6)},
                             at(2), at(6), "")) == "a:3 b:3 c:5 d:6 ");
}

BOOST_AUTO_TEST_CASE(only_keys_with_the_prefix_are_told) {
  BOOST_TEST(told(feed_order({change("x/a", 3), change("y", 4)}, at(2), at(4), "x/")) == "x/a:3 ");
}

BOOST_AUTO_TEST_CASE(in_a_new_epoch_revisions_count_from_its_beginning) {
  const auto items = feed_order({change("a", 3), change("b", 3)}, at(900, 6), at(3, 7), "");
  BOOST_TEST(told(items) == "a:0 b:3 ");
  BOOST_TEST((items.front().behind.epoch == Epoch(7)));
}

}  // namespace
}  // namespace waggle::cli
