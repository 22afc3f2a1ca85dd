// Custom mergers, conflicts that wait and receipts, as an embedder meets them.

#include <atomic>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/include/scratch.h"

using namespace waggle;
using namespace waggle::test;

namespace {

// Values are words with spaces between; the join has every word once, sorted.
CustomMerger words() {
  return {.name = "words",
          .join = [](std::string_view a, std::string_view b) -> Expected<std::string> {
            std::set<std::string> all;
            for (const std::string_view one : {a, b}) {
              std::istringstream in{std::string(one)};
              for (std::string word; in >> word;) all.insert(word);
            }
            std::string joined;
            for (const std::string& word : all) joined += (joined.empty() ? "" : " ") + word;
            return joined;
          },
          .samples = {"a b", "b c", "d"}};
}

SynchronizerConfig configured() {
  SynchronizerConfig config;
  config.mergers = {words()};
  config.rules = {
      {.prefix = "w/", .resolve = {.strategy = ResolveBy::kCustom, .merger = "words"}},
      {.prefix = "m/", .resolve = {.strategy = ResolveBy::kMerge, .otherwise = ResolveBy::kManual}},
      {.prefix = "l/", .resolve = {.strategy = ResolveBy::kMerge, .otherwise = ResolveBy::kFww}},
  };
  return config;
}

// What becomes of `second` when its writer, who had seen `base`, did not see `first`: that one is
// written while the writer's thread is held.
WriteResult race(StateSynchronizer& hive, const std::string& key, const std::string& base,
                 const std::string& first, const std::string& second) {
  const auto json = [&](const std::string& bytes) { return WriteGroup().put_json(key, bytes); };
  const auto text = [&](const std::string& bytes) { return WriteGroup().put(key, bytes); };
  const auto group = [&](const std::string& bytes) {
    return bytes.starts_with('{') ? json(bytes) : text(bytes);
  };
  const auto bob = join(member(hive, "bob"));
  const WriteResult began = committed(bob->commit(group(base), kPatience));
  BOOST_TEST(take(bob->get(key, began.revision)).bytes == base);
  const auto late = [&](const StateItem& now) -> Expected<WriteGroup> {
    BOOST_TEST(now.bytes == base);
    std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // for a later stamp
      committed(hive.write("bees", group(first).if_version(began.revision)));
    }).join();
    return group(second);
  };
  const WriteResult result = take(bob->wait(take(bob->update(key, late)), kPatience));
  take(bob->leave());
  return result;
}

std::vector<std::string> encoded(const std::vector<ChoiceReceipt>& receipts) {
  std::vector<std::string> all;
  for (const ChoiceReceipt& receipt : receipts) all.push_back(receipt.encoded);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_lawful_merger_joins_what_was_written_at_once) {
  const auto hive = serve(configured());
  BOOST_TEST(race(*hive, "w/tags", "a", "a b", "a c").ok());
  BOOST_TEST(take(hive->get_state("bees", "w/tags")).bytes == "a b c");

  const std::vector<ChoiceReceipt> receipts = take(hive->receipts("bees", "w/tags"));
  BOOST_REQUIRE(receipts.size() == 1u);
  BOOST_TEST(receipts[0].rule == "custom(words)");
  // Without the function it can't be run again, which is said.
  const CheckedReceipts alone = take(verify_receipts(encoded(receipts)));
  BOOST_TEST(alone.sound);
  BOOST_TEST((alone.receipts[0].verdict == ReceiptVerdict::kNotRun));
  const CheckedReceipts again = take(verify_receipts(encoded(receipts), {}, {words()}));
  BOOST_TEST((again.receipts[0].verdict == ReceiptVerdict::kHolds), again.receipts[0].text);
}

BOOST_AUTO_TEST_CASE(a_merger_that_breaks_a_law_is_refused_with_the_case) {
  SynchronizerConfig config = configured();
  config.mergers[0].join = [](std::string_view a, std::string_view) -> Expected<std::string> {
    return std::string(a);
  };
  const auto refused = StateSynchronizer::open(config);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().text.contains("commutative"), refused.error().text);
  config.mergers.clear();
  const auto missing = StateSynchronizer::open(config);
  BOOST_REQUIRE(!missing.has_value());
  BOOST_TEST(missing.error().text.contains("'words'"), missing.error().text);
}

BOOST_AUTO_TEST_CASE(a_merger_that_throws_hands_over) {
  SynchronizerConfig config = configured();
  const auto calm = config.mergers[0].join;
  const auto broken = std::make_shared<std::atomic<bool>>(false);
  config.mergers[0].join = [calm, broken](std::string_view a, std::string_view b) {
    if (*broken) throw std::runtime_error("a bad day");
    return calm(a, b);
  };
  const auto hive = serve(config);
  *broken = true;
  const WriteResult late = race(*hive, "w/tags", "a", "a b", "a c");
  BOOST_TEST((late.code == StatusCode::kConflict));
  BOOST_TEST(late.text.contains("a bad day"), late.text);
}

BOOST_AUTO_TEST_CASE(a_conflict_waits_shows_both_sides_and_is_settled) {
  const auto hive = serve(configured());
  const WriteResult parked =
      race(*hive, "m/plan", R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":3,"b":2})");
  BOOST_TEST((parked.code == StatusCode::kParked));
  const std::vector<WaitingConflict> waiting = take(hive->conflicts("bees", "m/*"));
  BOOST_REQUIRE(waiting.size() == 1u);
  BOOST_TEST(waiting[0].number == parked.parked);
  BOOST_REQUIRE(waiting[0].sides.size() == 2u);
  BOOST_TEST(waiting[0].sides[1].agent == "bob");
  BOOST_REQUIRE(waiting[0].ancestor.has_value());
  BOOST_TEST(waiting[0].ancestor->bytes == R"({"a":1,"b":1})");
  const auto both = merged(waiting[0]);
  BOOST_REQUIRE(!both.has_value());
  BOOST_TEST(both.error().text.contains("/a"), both.error().text);

  committed(hive->settle("bees", waiting[0], {.side = 1}));
  BOOST_TEST(take(hive->get_state("bees", "m/plan")).bytes == R"({"a":3,"b":2})");
  BOOST_TEST(take(hive->conflicts("bees")).empty());
  const WriteResult again = take(hive->settle("bees", waiting[0], {.side = 0}));
  BOOST_TEST((again.code == StatusCode::kRejected));
}

BOOST_AUTO_TEST_CASE(receipts_are_verified_without_a_coordinator) {
  std::vector<ChoiceReceipt> receipts;
  std::string head;
  {
    const auto hive = serve(configured());
    // The earlier stamp, that of the late write, wins the field that both changed.
    BOOST_TEST(
        race(*hive, "l/plan", R"({"a":1,"b":1})", R"({"a":2,"b":1})", R"({"a":3,"b":2})").ok());
    BOOST_TEST(race(*hive, "l/plan", R"({"a":1})", R"({"a":1,"b":1})", R"({"a":1,"c":1})").ok());
    receipts = take(hive->receipts("bees", "l/plan"));
    head = take(hive->get_state("bees", "l/plan")).receipt;
  }
  BOOST_REQUIRE(receipts.size() == 2u);
  BOOST_TEST(receipts[0].rule == "merge(fww)");
  BOOST_TEST(receipts[1].rule == "merge");
  BOOST_TEST(receipts[1].previous == receipts[0].hash);
  const CheckedReceipts checked = take(verify_receipts(encoded(receipts), head));
  BOOST_TEST(checked.sound);
  for (const auto& one : checked.receipts)
    BOOST_TEST((one.verdict == ReceiptVerdict::kHolds), one.text);

  BOOST_TEST(!take(verify_receipts({receipts[0].encoded}, head)).ends_at_head);
  const CheckedReceipts exchanged =
      take(verify_receipts({receipts[1].encoded, receipts[0].encoded}, head));
  BOOST_TEST(!exchanged.sound);
  BOOST_TEST(!verify_receipts({"no receipt"}).has_value());
  BOOST_TEST(!verify_receipts(encoded(receipts), "no hash").has_value());
}

BOOST_AUTO_TEST_CASE(settings_of_a_rule_are_those_of_the_configuration) {
  SynchronizerConfig config;
  config.rules = {{.prefix = "s/", .resolve = {}, .elements_max = 2},
                  {.prefix = "n/", .resolve = {}, .compress = Compress::kNone}};
  const auto hive = serve(config);
  committed(hive->write("bees", WriteGroup().add("s/tags", "a").add("s/tags", "b")));
  const WriteResult full = take(hive->write("bees", WriteGroup().add("s/tags", "c")));
  BOOST_TEST((full.code == StatusCode::kRejected));
  BOOST_TEST(full.reason == "too_large");
  config.rules = {{.prefix = "", .resolve = {}, .history = 1'000}};
  BOOST_TEST(!StateSynchronizer::open(config).has_value());
}
