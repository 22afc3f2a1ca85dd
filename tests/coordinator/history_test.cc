#include "coordinator/history.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

RecordPtr record(std::uint64_t version, std::optional<Value> value, const char* agent = "w") {
  auto made = std::make_shared<Record>();
  made->value = std::move(value);
  made->version = Revision(version);
  made->writer = {AgentId(agent), Incarnation(1), Seq(version)};
  return made;
}
Value text(std::string bytes = "v") {
  return Register{ContentType::kText, std::move(bytes)};
}

// "+k3" kept, "-k3" dropped.
std::string text_of(const std::vector<Row>& rows) {
  std::string said;
  for (const Row& row : rows) {
    const auto& one = std::get<HistoryRow>(row);
    BOOST_TEST((one.swarm == SwarmId("s")));
    said += fmt::format("{}{}{} ", one.record ? "+" : "-", one.key.value(), one.version.value());
  }
  return said;
}

Author seeing(std::uint64_t seen) {
  Author author;
  author.agent = AgentId("w");
  author.seen = Revision(seen);
  return author;
}

BOOST_AUTO_TEST_SUITE(history_test)

BOOST_AUTO_TEST_CASE(what_is_kept_and_what_is_dropped_go_to_the_store) {
  History history(SwarmId("s"));
  std::vector<Row> rows;
  for (const std::uint64_t version : {1, 2, 3})
    history.add(Key("k"), record(version, text()), 2, rows);
  BOOST_TEST(text_of(rows) == "+k1 +k2 +k3 -k1 ");
  rows.clear();
  history.forget(Key("k"), rows);
  BOOST_TEST(text_of(rows) == "-k2 -k3 ");
  BOOST_TEST(history.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(only_live_registers_are_kept_and_all_else_ends_the_chain) {
  for (const RecordPtr& other : {record(2, std::nullopt), record(2, Counter{4})}) {
    History history(SwarmId("s"));
    std::vector<Row> rows;
    history.add(Key("k"), record(1, text()), 9, rows);
    history.add(Key("k"), other, 9, rows);
    BOOST_TEST(text_of(rows) == "+k1 -k1 ");
    BOOST_TEST((history.at(Key("k"), Revision(9)) == nullptr));
  }
}

BOOST_AUTO_TEST_CASE(a_policy_that_keeps_none_any_more_ends_the_chain) {
  History history(SwarmId("s"));
  std::vector<Row> rows;
  history.add(Key("k"), record(1, text()), 9, rows);
  history.add(Key("k"), record(2, text()), 0, rows);
  BOOST_TEST(text_of(rows) == "+k1 -k1 ");
}

BOOST_AUTO_TEST_CASE(an_author_knows_the_newest_version_that_it_saw_or_wrote) {
  History history(SwarmId("s"));
  std::vector<Row> rows;
  history.add(Key("k"), record(2, text(), "x"), 9, rows);
  history.add(Key("k"), record(4, text(), "w"), 9, rows);
  history.add(Key("k"), record(6, text(), "x"), 9, rows);
  BOOST_TEST((history.known_to(Key("k"), seeing(1)) == nullptr));
  BOOST_TEST(history.known_to(Key("k"), seeing(2))->version.value() == 2u);
  BOOST_TEST(history.known_to(Key("k"), seeing(5))->version.value() == 4u);
  BOOST_TEST(history.known_to(Key("k"), seeing(99))->version.value() == 6u);
  Author author = seeing(2);
  author.own_through = {{Incarnation(1), Seq(4)}};
  BOOST_TEST(history.known_to(Key("k"), author)->version.value() == 4u);
  author.own_through = {{Incarnation(1), Seq(3)}};
  BOOST_TEST(history.known_to(Key("k"), author)->version.value() == 2u);
}

BOOST_AUTO_TEST_CASE(recovery_drops_what_the_policy_no_longer_keeps) {
  History history(SwarmId("s"));
  for (std::uint64_t version = 1; version <= 3; ++version)
    history.restore({SwarmId("s"), Key("k"), Revision(version), record(version, text())}, 0);
  BOOST_TEST((history.at(Key("k"), Revision(3)) == nullptr));
  std::vector<Row> rows;
  history.add(Key("l"), record(4, text()), 1, rows);
  BOOST_TEST(text_of(rows) == "+l4 -k1 -k2 -k3 ");
}

BOOST_AUTO_TEST_CASE(recovery_keeps_the_bounds_and_tells_what_passed_them) {
  History history(SwarmId("s"));
  const std::uint64_t many = limits::kHistoryVersions + 2;
  for (std::uint64_t version = 1; version <= many; ++version)
    history.restore({SwarmId("s"), Key("k"), Revision(version), record(version, text())},
                    limits::kHistoryVersions);
  BOOST_TEST((history.at(Key("k"), Revision(2)) == nullptr));
  BOOST_TEST(history.at(Key("k"), Revision(3))->version.value() == 3u);
  std::vector<Row> rows;
  history.add(Key("l"), record(many + 1, text()), 1, rows);
  BOOST_TEST(text_of(rows) == fmt::format("+l{} -k1 -k2 ", many + 1));
  rows.clear();
  history.add(Key("l"), record(many + 2, text()), 2, rows);
  BOOST_TEST(text_of(rows) == fmt::format("+l{} ", many + 2));  // told once
}

BOOST_AUTO_TEST_CASE(all_keys_together_are_bounded) {
  History history(SwarmId("s"));
  std::vector<Row> rows;
  const Value large = text(std::string(limits::kValueBytes, 'x'));
  const std::uint64_t fit = History::kBytesMax / limits::kValueBytes - 1;  // with what is beside it
  for (std::uint64_t version = 1; version <= fit; ++version)
    history.add(Key(fmt::format("k{}-", version)), record(version, large), 1, rows);
  BOOST_TEST(text_of(rows).find('-' + std::string("k")) == std::string::npos);
  rows.clear();
  history.add(Key("m"), record(100, large), 1, rows);
  BOOST_TEST(text_of(rows) == "+m100 -k1-1 ");
  BOOST_TEST(history.bytes() <= History::kBytesMax);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
