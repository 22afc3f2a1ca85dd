// What two sides began from, where it is kept: in parked conflicts, in receipts, in the history of
// keys; and how much of it.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include "base/limits.h"
#include "bench_of_conflicts.h"
#include "coordinator/history.h"
#include "resolver/receipt.h"
#include "resolver/replay.h"

namespace waggle {
namespace {

constexpr const char* kBase = R"({"a":1,"b":1})";

Register json(std::string bytes) {
  return {ContentType::kJson, std::move(bytes)};
}
Answer offers_json(const char* key, std::string bytes, std::uint64_t counter,
                   std::uint64_t based_on) {
  return {Key(key), AnswerKind::kOffer,
          Offer{json(std::move(bytes)), Revision(based_on), Hlc::of(1'000'000, counter)}};
}

// Both change "a" of what agent a had written at revision 1.
Outcome park_documents(ConflictBench& bench, const char* key) {
  (void)bench.put_json("a", key, kBase, bench.head());
  const std::uint64_t seen = bench.head();
  (void)bench.put_json("a", key, R"({"a":2,"b":1})", seen);
  return bench.put_json("b", key, R"({"a":3,"b":1})", seen);
}

// Keeps a key's receipts as a store that never forgets, and says what verify() makes of them.
class Chain {
 public:
  explicit Chain(const ConflictBench& bench) : bench_(bench) {}
  void take() {
    for (const ReceiptRow* row : bench_.rows<ReceiptRow>()) rows_.push_back(*row);
  }
  [[nodiscard]] std::string verified(const char* key) const {
    std::vector<Receipt> receipts;
    for (const ReceiptRow& row : rows_) receipts.push_back(row.receipt);
    const CheckedChain checked = verify(receipts, bench_.record(key)->receipt, {});
    std::string text = checked.sound() ? "sound:" : "unsound:";
    for (std::size_t i = 0; i < receipts.size(); ++i)
      text += fmt::format(" {} {}{}", receipts[i].rule, to_text(checked.receipts[i].verified),
                          checked.receipts[i].text);
    return text;
  }
  [[nodiscard]] const std::vector<ReceiptRow>& rows() const { return rows_; }

 private:
  const ConflictBench& bench_;
  std::vector<ReceiptRow> rows_;
};

BOOST_AUTO_TEST_SUITE(ancestors)

// ---- parked conflicts --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_conflict_parked_behind_merge_has_what_both_began_from) {
  ConflictBench bench;
  const Outcome parked = park_documents(bench, "jm/k");
  BOOST_TEST((parked.code == Code::kParked && parked.conflict == ConflictKind::kFieldConflict));
  BOOST_REQUIRE(bench.parked().at(0).ancestor.has_value());
  BOOST_TEST((*bench.parked()[0].ancestor == json(kBase)));
}

BOOST_AUTO_TEST_CASE(a_conflict_of_a_key_without_history_has_none) {
  ConflictBench bench;
  BOOST_TEST((park_documents(bench, "m/k").code == Code::kParked));
  BOOST_TEST(!bench.parked().at(0).ancestor.has_value());
}

BOOST_AUTO_TEST_CASE(a_further_side_keeps_the_ancestor_only_if_it_began_there_too) {
  ConflictBench bench;
  (void)park_documents(bench, "jm/k");
  (void)bench.put_json("b", "jm/k", R"({"a":4,"b":1})", 1);
  BOOST_REQUIRE_EQUAL(bench.parked().at(0).sides.size(), 3u);
  BOOST_TEST(bench.parked()[0].ancestor.has_value());
  (void)bench.put_json("a", "jm/k", R"({"a":9,"b":1})", bench.head());
  (void)bench.put_json("b", "jm/k", R"({"a":5,"b":1})", 2);
  BOOST_REQUIRE_EQUAL(bench.parked().at(0).sides.size(), 4u);
  BOOST_TEST(!bench.parked()[0].ancestor.has_value());
  // Not even when one comes that began at the first one again.
  (void)bench.put_json("b", "jm/k", R"({"a":6,"b":1})", 1);
  BOOST_TEST(!bench.parked()[0].ancestor.has_value());
}

BOOST_AUTO_TEST_CASE(offers_of_a_round_are_parked_with_what_they_began_from) {
  const auto parked_by = [](std::uint64_t first, std::uint64_t second) {
    ConflictBench bench;
    (void)bench.put_json("a", "jm/k", kBase, 0);
    (void)bench.put_json("a", "jm/k", R"({"a":2,"b":1})", 1);
    const RoundId round = bench.ask("a", 1, {"jm/k"});
    bench.say("a", round, {offers_json("jm/k", R"({"a":3,"b":1})", 1, first)});
    bench.answer("b", round, {offers_json("jm/k", R"({"a":4,"b":1})", 2, second)});
    const std::vector<ParkedConflict> parked = bench.parked();
    BOOST_REQUIRE_EQUAL(parked.size(), 1u);
    BOOST_TEST(parked[0].sides.size() == 3u);
    return parked[0].ancestor ? parked[0].ancestor->bytes : "(none)";
  };
  BOOST_TEST(parked_by(1, 1) == kBase);
  BOOST_TEST(parked_by(2, 2) == R"({"a":2,"b":1})");
  BOOST_TEST(parked_by(1, 2) == "(none)");
  BOOST_TEST(parked_by(2, 1) == "(none)");
  BOOST_TEST(parked_by(0, 0) == "(none)");
}

BOOST_AUTO_TEST_CASE(the_ancestor_comes_back_after_a_restart) {
  CoordinatorState state;
  ParkedConflict before;
  {
    ConflictBench bench;
    (void)park_documents(bench, "jm/k");
    state.store.epoch = bench.core.epoch();
    state.swarms = {*bench.rows<SwarmRow>().at(0)};
    state.conflicts = {*bench.rows<ConflictRow>().at(0)};
    state.records = {{SwarmId("s"), Key("jm/k"), bench.record("jm/k")}};
    before = bench.parked().at(0);
  }
  ConflictBench bench(std::move(state));
  BOOST_REQUIRE_EQUAL(bench.parked().size(), 1u);
  BOOST_TEST((bench.parked()[0] == before));
  BOOST_TEST((bench.parked()[0].ancestor == json(kBase)));
}

// One that is listed travels in one frame, with what it began from.
BOOST_AUTO_TEST_CASE(an_ancestor_makes_room_for_a_side_that_needs_it) {
  ConflictBench bench;
  const auto large = [](char letter) { return std::string(limits::kValueBytes - 100, letter); };
  (void)bench.put_text("a", "jm/k", large('x'), 0);
  (void)bench.put_text("a", "jm/k", large('a'), 1);
  BOOST_TEST((bench.put_text("b", "jm/k", large('b'), 1).code == Code::kParked));
  ParkedConflict waits = bench.parked().at(0);
  BOOST_TEST(waits.ancestor.has_value());
  BOOST_TEST(value_bytes(waits) == 3 * (limits::kValueBytes - 100));
  BOOST_TEST(value_bytes(waits) <= limits::kConflictBytes);
  BOOST_TEST((bench.put_text("b", "jm/k", std::string(1'000, 'c'), 1).code == Code::kParked));
  waits = bench.parked().at(0);
  BOOST_TEST(waits.sides.size() == 3u);
  BOOST_TEST(!waits.ancestor.has_value());
  BOOST_TEST(value_bytes(waits) <= limits::kConflictBytes);
}

BOOST_AUTO_TEST_CASE(ancestors_count_where_conflicts_are_cut_into_pages) {
  ConflictBench bench;
  const std::string large(limits::kChunkBytes / 2, 'x');
  for (int i = 0; i < 3; ++i) {
    const std::string key = fmt::format("jm/{}", i);
    (void)bench.put_text("a", key.c_str(), large, bench.head());
    const std::uint64_t seen = bench.head();
    (void)bench.put_text("a", key.c_str(), "a", seen);
    BOOST_TEST((bench.put_text("b", key.c_str(), "b", seen).code == Code::kParked));
  }
  const QueryResult& page = bench.query(ConflictsQuery{{}, {}, {}});
  BOOST_TEST(page.conflicts.size() < 3u);
  BOOST_TEST(page.more);
}

// ---- receipts of merges ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_choice_that_merge_had_a_say_in_can_be_made_again) {
  struct Row {
    const char* key;
    const char* stands;
    const char* write;
    int later;  // so many other writes make the stamp of the write greater
    const char* verified;
  };
  const Row rows[] = {
      // Each changed its own.
      {"j/k", R"({"a":2,"b":1})", R"({"a":1,"b":3})", 0, "sound: merge holds"},
      // The write has all of what stands.
      {"j/k", R"({"a":2,"b":1})", R"({"a":2,"b":3})", 0, "sound: merge holds"},
      // What stands has all that can be taken of the write.
      {"j/k", R"({"a":2,"b":1})", R"({"a":3,"b":1})", 0, "sound: merge holds"},
      {"j/k", R"({"a":2,"b":1})", R"({"a":3,"b":3})", 0, "sound: merge holds"},
      {"jl/k", R"({"a":2,"b":1})", R"({"a":3,"b":3})", 0, "sound: merge holds"},
      {"jl/k", R"({"a":2,"b":1})", R"({"a":3,"b":3})", 4, "sound: merge(lww) holds"},
      {"jl/k", R"({"a":2,"b":2})", R"({"a":3,"b":1})", 4, "sound: merge(lww) holds"},
  };
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.key << " " << row.stands << " " << row.write) {
      ConflictBench bench;
      for (int i = 0; i < row.later; ++i) (void)bench.put_text("b", "other", "x", bench.head());
      (void)bench.put_json("a", row.key, kBase, bench.head());
      const std::uint64_t seen = bench.head();
      (void)bench.put_json("a", row.key, row.stands, seen);
      Chain chain(bench);
      (void)bench.put_json("b", row.key, row.write, seen);
      chain.take();
      BOOST_TEST(chain.verified(row.key) == row.verified);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_round_of_merged_offers_can_be_made_again) {
  ConflictBench bench;
  (void)bench.put_json("a", "j/k", kBase, 0);
  (void)bench.put_json("a", "j/k", R"({"a":2,"b":1})", 1);
  Chain chain(bench);
  const RoundId round = bench.ask("a", 1, {"j/k"});
  bench.say("a", round, {offers_json("j/k", R"({"a":2,"b":1,"c":1})", 1, 2)});
  bench.answer("b", round, {offers_json("j/k", R"({"a":1,"b":5})", 2, 1)});
  chain.take();
  BOOST_TEST(bench.value("j/k") == R"({"a":2,"b":5,"c":1})");
  BOOST_TEST(chain.verified("j/k") == "sound: merge holds");
  std::string versions;
  for (const ReceiptInput& input : chain.rows().at(0).receipt.inputs)
    versions += fmt::format("{}{} ",
                            input.ancestor    ? "<"
                            : input.committed ? "="
                                              : "+",
                            input.version.value());
  BOOST_TEST(versions == "=2 +2 <2 +1 <1 ");
}

BOOST_AUTO_TEST_CASE(a_round_whose_ancestor_is_gone_hands_over_and_its_receipt_holds) {
  ConflictBench bench;
  for (const char* value : {kBase, R"({"a":2,"b":1})", R"({"a":3,"b":1})"})
    (void)bench.put_json("a", "j1/k", value, bench.head());
  Chain chain(bench);
  const RoundId round = bench.ask("a", 1, {"j1/k"});
  bench.say("a", round);
  bench.answer("b", round, {offers_json("j1/k", R"({"a":1,"b":5})", 2, 1)});
  chain.take();
  BOOST_TEST(bench.value("j1/k") == R"({"a":3,"b":1})");
  BOOST_TEST(chain.verified("j1/k") == "sound: merge otherwise keep holds");
}

// ---- receipts are bounded ----------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(of_a_keys_receipts_the_newest_stay_and_the_chain_holds_from_the_oldest_kept) {
  ConflictBench bench;
  (void)bench.put_text("a", "k/x", "stands", 0);
  Chain chain(bench);
  std::vector<ReceiptRow> kept;
  const std::uint32_t many = 3 * limits::kKeyReceipts + 7;
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < many; ++i) {
    BOOST_REQUIRE((bench.put_text("b", "k/x", "lost", 0).code == Code::kConflict));
    for (const ReceiptRow* row : bench.rows<ReceiptRow>()) {
      BOOST_REQUIRE_EQUAL(row->index, i);
      kept.push_back(*row);
      if (row->keep > 0 && kept.size() > row->keep)
        kept.erase(kept.begin(), kept.end() - row->keep);
    }
    most = std::max(most, kept.size());
  }
  BOOST_TEST(most < limits::kKeyReceipts + limits::kKeyReceiptsAtOnce);
  BOOST_TEST(kept.size() >= limits::kKeyReceipts);
  std::vector<Receipt> receipts;
  for (const ReceiptRow& row : kept) receipts.push_back(row.receipt);
  BOOST_TEST((receipts.front().previous != ChainHash{}));
  const CheckedChain checked = verify(receipts, bench.record("k/x")->receipt, {});
  BOOST_TEST(checked.sound());
  for (const CheckedReceipt& one : checked.receipts) BOOST_TEST((one.verified == Verified::kHolds));
  // A restart goes on counting where it was.
  CoordinatorState state;
  state.store.epoch = bench.core.epoch();
  state.swarms = {*bench.rows<SwarmRow>().at(0)};
  state.records = {*bench.rows<RecordRow>().at(0)};
  ConflictBench again(std::move(state));
  BOOST_REQUIRE((again.put_text("b", "k/x", "lost", 0).code == Code::kConflict));
  BOOST_REQUIRE_EQUAL(again.rows<ReceiptRow>().size(), 1u);
  BOOST_TEST(again.rows<ReceiptRow>()[0]->index == many);
  BOOST_TEST((again.rows<ReceiptRow>()[0]->receipt.previous == hash_of(receipts.back())));
}

// ---- history -----------------------------------------------------------------------------------

// The versions in the store's family `history`, as its rows leave it.
class Kept {
 public:
  explicit Kept(const ConflictBench& bench) : bench_(bench) {}
  void take() {
    for (const HistoryRow* row : bench_.rows<HistoryRow>()) {
      const auto place = std::pair(row->key.value(), row->version.value());
      if (row->record)
        places_.insert(place);
      else
        places_.erase(place);
    }
  }
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const auto& [key, version] : places_) text += fmt::format("{}@{} ", key, version);
    return text;
  }

 private:
  const ConflictBench& bench_;
  std::set<std::pair<std::string, std::uint64_t>> places_;
};

BOOST_AUTO_TEST_CASE(a_key_that_goes_takes_its_history_along) {
  for (const bool cleared : {false, true}) {
    ConflictBench bench;
    Kept kept(bench);
    for (const char* key : {"j/k", "j/l"}) {
      for (const char* value : {kBase, R"({"a":2,"b":1})", R"({"a":3,"b":1})"}) {
        (void)bench.put_json("a", key, value, bench.head());
        kept.take();
      }
    }
    BOOST_TEST(kept.text() == "j/k@1 j/k@2 j/l@4 j/l@5 ");
    if (cleared) {
      (void)bench.send("a", {Key(), {}, ClearOp{}, {}}, bench.head());
      kept.take();
      BOOST_TEST(kept.text().empty());
    } else {
      (void)bench.send("a", {Key("j/k"), {}, DeleteOp{}, {}}, bench.head());
      kept.take();
      BOOST_TEST(kept.text() == "j/l@4 j/l@5 ");
      bench.receive("a", CompactRequest{bench.session("a"), RequestId(9), Revision(bench.head())});
      bench.close();
      kept.take();
      BOOST_TEST((bench.record("j/k") == nullptr));
      BOOST_TEST(kept.text() == "j/l@4 j/l@5 ");
    }
    // Written again it has a history of its own: who knew the earlier one began from nothing.
    const std::uint64_t before = bench.head();
    (void)bench.put_json("a", "j/k", R"({"a":4,"b":1})", before);
    (void)bench.put_json("a", "j/k", R"({"a":5,"b":1})", bench.head());
    kept.take();
    for (const std::uint64_t seen : {std::uint64_t{2}, before}) {
      const Outcome late = bench.put_json("b", "j/k", R"({"a":2,"b":9})", seen);
      BOOST_TEST((late.code == Code::kConflict && late.reason == Reason::kBaseLost));
    }
    BOOST_TEST(
        (bench.put_json("b", "j/k", R"({"a":4,"b":9})", before + 1).code == Code::kCommitted));
  }
}

BOOST_AUTO_TEST_CASE(a_keys_history_stays_within_the_versions_of_its_policy) {
  ConflictBench bench;
  Kept kept(bench);
  for (int i = 0; i < 40; ++i) {
    for (const char* key : {"j/k", "j1/k", "m/k"}) {
      (void)bench.put_text("a", key, fmt::format("{}", i), bench.head());
      kept.take();
    }
  }
  std::string expected;
  for (std::uint64_t version = 118 - 3 * 16; version < 118; version += 3)
    expected += fmt::format("j/k@{} ", version);
  const std::string text = kept.text();
  BOOST_TEST(text.substr(0, text.find("j1/")) == expected);
  BOOST_TEST(text.substr(text.find("j1/")) == "j1/k@116 ");
}

BOOST_AUTO_TEST_CASE(after_a_restart_the_oldest_versions_of_all_keys_still_go_first) {
  constexpr std::uint64_t kFit = History::kBytesMax / limits::kValueBytes - 1;
  CoordinatorState state;
  state.store.epoch = Epoch(5);
  SwarmRow row;
  row.swarm = SwarmId("s");
  row.head = Revision(1'000);
  // The later in the order of keys, the older.
  for (std::uint64_t version = kFit; version > 0; --version) {
    auto earlier = std::make_shared<Record>();
    earlier->value = Register{ContentType::kText, std::string(limits::kValueBytes - 1'000, 'x')};
    earlier->version = Revision(version);
    state.history.push_back(
        {row.swarm, Key(fmt::format("j/{:03}", 999 - version)), earlier->version, earlier});
  }
  state.swarms = {row};
  ConflictBench bench(std::move(state));
  Kept kept(bench);
  std::string gone;
  for (int i = 0; i < 4; ++i) {
    (void)bench.put_text("a", "j/new", std::string(limits::kValueBytes - 1'000, 'y'), bench.head());
    for (const HistoryRow* one : bench.rows<HistoryRow>())
      if (!one->record) gone += fmt::format("{} ", one->version.value());
  }
  BOOST_TEST(gone == "1 2 ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
