#include "resolver/replay.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/value.h"
#include "resolver/receipt.h"

namespace waggle {
namespace {

Register json(std::string_view bytes) {
  return {ContentType::kJson, std::string(bytes)};
}
Register text(std::string_view bytes) {
  return {ContentType::kText, std::string(bytes)};
}

ReceiptInput stands(std::uint64_t version, std::uint64_t stamp,
                    const std::optional<Register>& value, const char* agent = "s") {
  return input_of(AgentId(agent), Revision(version), Hlc::of(stamp, 0), value, true);
}
ReceiptInput wants(const char* agent, std::uint64_t version, std::uint64_t stamp,
                   const std::optional<Register>& value) {
  return input_of(AgentId(agent), Revision(version), Hlc::of(stamp, 0), value, false);
}
ReceiptInput began(std::uint64_t version, const Register& value) {
  ReceiptInput input = input_of(AgentId("s"), Revision(version), Hlc::of(1, 0), value, false);
  input.ancestor = true;
  return input;
}

Receipt receipt(std::string rule, std::vector<ReceiptInput> inputs,
                const std::optional<Register>& output, std::uint64_t round = 0) {
  Receipt made;
  made.key = Key("k");
  made.version = Revision(9);
  made.round = RoundId(round);
  made.rule = std::move(rule);
  made.inputs = std::move(inputs);
  if (output) made.output = content_hash(*output);
  return made;
}

// Linked as a key's are, oldest first.
std::vector<Receipt> chain_of(std::vector<Receipt> receipts) {
  for (std::size_t i = 1; i < receipts.size(); ++i) receipts[i].previous = hash_of(receipts[i - 1]);
  return receipts;
}

CheckedChain checked(const std::vector<Receipt>& chain) {
  return verify(chain, hash_of(chain.back()), {});
}
std::string results(const CheckedChain& checked) {
  std::string text = checked.sound() ? "sound" : "unsound";
  for (const CheckedReceipt& one : checked.receipts)
    text += " " + std::string(to_text(one.verified));
  return text;
}
// Of one receipt alone.
std::string result(const Receipt& receipt) {
  const CheckedReceipt one = checked({receipt}).receipts.at(0);
  return std::string(to_text(one.verified)) + (one.text.empty() ? "" : ": " + one.text);
}
std::string would_be(const Receipt& receipt, std::vector<Strategy> chain) {
  Policy policy;
  chain.resize(3, Strategy::kKeep);
  policy.strategy = chain[0];
  policy.otherwise = chain[1];
  policy.at_last = chain[2];
  const Replay made = replay(receipt, policy, {});
  if (!made.output) return "unknown: " + made.text;
  for (const ReceiptInput& input : receipt.inputs)
    if (!input.ancestor && input.content == *made.output)
      return made.rule + " gives " + input.agent.value();
  return made.rule + " gives another";
}

const Register kBase = json(R"({"a":1,"b":1})");
const Register kLeft = json(R"({"a":2,"b":1})");
const Register kRight = json(R"({"a":1,"b":2})");
const Register kBoth = json(R"({"a":2,"b":2})");

Receipt round_of_three() {
  return receipt("merge",
                 {stands(5, 1, kLeft), wants("a", 3, 2, kRight), began(3, kBase),
                  wants("b", 5, 3, json(R"({"a":2,"b":1,"c":1})")), began(5, kLeft)},
                 json(R"({"a":2,"b":2,"c":1})"), 4);
}

BOOST_AUTO_TEST_SUITE(replay_test)

// ---- rounds and their ancestors ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_round_is_merged_again_with_what_each_offer_began_from) {
  BOOST_TEST(result(round_of_three()) == "holds");
  Receipt other = round_of_three();
  other.output = content_hash(kBoth);
  BOOST_TEST(result(other).starts_with("differs: the rule gives"));
}

BOOST_AUTO_TEST_CASE(a_round_that_found_nothing_begins_with_its_first_offer) {
  for (const bool tombstone : {false, true}) {
    Receipt made = receipt("merge", {wants("a", 0, 2, kLeft)}, kLeft, 4);
    if (tombstone) made.inputs.insert(made.inputs.begin(), stands(3, 1, std::nullopt));
    BOOST_TEST(result(made) == "holds");
  }
}

BOOST_AUTO_TEST_CASE(a_merge_whose_ancestor_is_not_in_the_receipt_is_not_run_and_says_why) {
  for (const std::uint64_t round : {0, 4}) {
    const Receipt made =
        receipt("merge", {stands(5, 1, kLeft), wants("a", 3, 2, kRight)}, kBoth, round);
    BOOST_TEST(result(made) == "not_run: what the sides began from is not in the receipt");
    BOOST_TEST(checked({made}).sound());
    BOOST_TEST(would_be(made, {Strategy::kMerge, Strategy::kLww}) ==
               "unknown: what the sides began from is not in the receipt");
  }
}

// Of one the ancestor is there, of the other not: only those at or below its version can be.
BOOST_AUTO_TEST_CASE(an_ancestor_of_another_offer_is_no_substitute) {
  const Receipt made = receipt(
      "merge",
      {stands(5, 1, kLeft), wants("a", 5, 2, kBoth), began(5, kLeft), wants("b", 3, 3, kRight)},
      kBoth, 4);
  BOOST_TEST(result(made) == "not_run: what the sides began from is not in the receipt");
}

// It was tried then, and had nothing to begin from.
BOOST_AUTO_TEST_CASE(where_merge_handed_over_it_hands_over_again) {
  const Receipt made =
      receipt("merge otherwise lww", {stands(5, 1, kLeft), wants("a", 3, 2, kRight)}, kRight);
  BOOST_TEST(result(made) == "holds");
  BOOST_TEST(would_be(made, {Strategy::kMerge, Strategy::kKeep}) == "keep gives s");
}

BOOST_AUTO_TEST_CASE(a_value_too_large_to_be_kept_is_said_to_be) {
  const Register large =
      json(R"({"a":1,"b":")" + std::string(limits::kReceiptValueBytes, 'x') + "\"}");
  for (const std::size_t place : {0u, 1u, 2u}) {
    Receipt made = receipt(
        "merge", {stands(5, 1, kLeft), wants("a", 3, 2, kRight), began(3, kBase)}, kBoth, 4);
    made.inputs[place].value.reset();
    BOOST_TEST(result(made) == "not_run: a value is not retained, it is too large for that");
  }
  BOOST_TEST(!wants("a", 3, 2, large).value.has_value());
}

// ---- writes ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_merged_write_holds_also_where_stamps_decided_a_field) {
  const std::vector<ReceiptInput> inputs = {began(3, kBase), stands(5, 7, kLeft),
                                            wants("a", 3, 8, json(R"({"a":3,"b":3})"))};
  const Register ours = json(R"({"a":2,"b":3})");
  const Register theirs = json(R"({"a":3,"b":3})");
  BOOST_TEST(result(receipt("merge", inputs, ours)) == "holds");
  BOOST_TEST(result(receipt("merge(lww)", inputs, theirs)) == "holds");
  BOOST_TEST(result(receipt("merge(fww)", inputs, ours)) == "holds");
  BOOST_TEST(result(receipt("lww otherwise merge(lww)", inputs, theirs)) == "holds");
  BOOST_TEST(result(receipt("merge", inputs, theirs)).starts_with("differs"));
  BOOST_TEST(result(receipt("merge(quickly)", inputs, theirs)).starts_with("not_run"));
  BOOST_TEST(would_be(receipt("merge", inputs, ours), {Strategy::kMerge, Strategy::kLww}) ==
             "merge gives a");
}

// ---- deletions ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_deletion_that_stands_is_no_value_that_a_round_keeps) {
  const std::vector<ReceiptInput> inputs = {stands(5, 1, std::nullopt),
                                            wants("a", 0, 2, text("x"))};
  for (const char* rule : {"fww", "vector", "lww", "merge"})
    BOOST_TEST(result(receipt(rule, inputs, text("x"), 4)) == "holds", rule);
}

// ---- what was changed --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(whatever_is_changed_in_a_receipt_is_noticed) {
  using Change = std::pair<std::string_view, std::function<void(Receipt&)>>;
  const std::vector<Change> changes = {
      {"value that stood", [](Receipt& r) { r.inputs[0].value->bytes[5] = '7'; }},
      {"value of an offer", [](Receipt& r) { r.inputs[1].value->bytes[5] = '7'; }},
      {"value of an ancestor", [](Receipt& r) { r.inputs[2].value->bytes[5] = '7'; }},
      {"content type", [](Receipt& r) { r.inputs[1].value->content = ContentType::kText; }},
      {"content hash", [](Receipt& r) { ++r.inputs[1].content.low; }},
      {"value and its hash",
       [](Receipt& r) {
         r.inputs[1].value = kBoth;
         r.inputs[1].content = content_hash(kBoth);
       }},
      {"ancestor made a side", [](Receipt& r) { r.inputs[2].ancestor = false; }},
      {"ancestor taken out", [](Receipt& r) { r.inputs.erase(r.inputs.begin() + 2); }},
      {"offer taken out", [](Receipt& r) { r.inputs.erase(r.inputs.begin() + 3); }},
      {"version of an ancestor", [](Receipt& r) { r.inputs[2].version = Revision(4); }},
      {"stamp", [](Receipt& r) { ++r.inputs[1].hlc.bits; }},
      {"agent", [](Receipt& r) { r.inputs[1].agent = AgentId("z"); }},
      {"output", [](Receipt& r) { r.output = content_hash(kBoth); }},
      {"rule", [](Receipt& r) { r.rule = "lww"; }},
      {"round", [](Receipt& r) { r.round = RoundId(5); }},
  };
  const std::vector<Receipt> chain = chain_of(
      {receipt("lww", {stands(1, 1, text("s")), wants("a", 1, 2, text("w"))}, text("w")),
       round_of_three(),
       receipt("keep", {stands(9, 1, text("s")), wants("a", 1, 2, text("w"))}, text("s"))});
  BOOST_TEST(results(checked(chain)) == "sound holds holds holds");
  for (const auto& [name, change] : changes) {
    std::vector<Receipt> changed = chain;
    change(changed[1]);
    BOOST_TEST(!verify(changed, hash_of(chain.back()), {}).sound(), name);
    changed.pop_back();  // as the last one it is held against the record
    BOOST_TEST(!verify(changed, hash_of(chain[1]), {}).sound(), name);
  }
}

// A rule that looks at stamps only needs no value; who reads the receipt looks at them all the
// same.
BOOST_AUTO_TEST_CASE(a_changed_value_is_noticed_under_every_rule) {
  for (const char* rule : {"lww", "settled(C1 by a)", "a rule of later"}) {
    Receipt made = receipt(rule, {stands(1, 1, text("s")), wants("a", 1, 2, text("w"))}, text("w"));
    made.inputs[0].value = text("forged");
    BOOST_TEST(result(made) == "differs: the value of s is not the one that was hashed", rule);
  }
}

// ---- the chain ---------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_chain_may_begin_behind_receipts_that_went) {
  std::vector<Receipt> chain(6, receipt("keep", {stands(1, 1, text("s"))}, text("s")));
  chain = chain_of(std::move(chain));
  const ChainHash head = hash_of(chain.back());
  chain.erase(chain.begin(), chain.begin() + 2);
  BOOST_TEST(results(verify(chain, head, {})) == "sound holds holds holds holds");
  chain.erase(chain.begin() + 1);
  BOOST_TEST(results(verify(chain, head, {})) == "unsound holds broken_link holds");
}

BOOST_AUTO_TEST_CASE(a_chain_ends_in_the_link_of_the_record) {
  const std::vector<Receipt> chain =
      chain_of({receipt("keep", {stands(1, 1, text("s"))}, text("s")),
                receipt("keep", {stands(2, 1, text("s"))}, text("s"))});
  BOOST_TEST(!verify(chain, hash_of(chain[0]), {}).ends_at_head);
  BOOST_TEST(!verify({}, hash_of(chain[0]), {}).ends_at_head);
  BOOST_TEST(verify({}, ChainHash{}, {}).ends_at_head);
  BOOST_TEST(verify(chain, std::nullopt, {}).ends_at_head);
  // The key was forgotten and written again: its record has no receipt yet, those are of before.
  BOOST_TEST(verify(chain, ChainHash{}, {}).ends_at_head);
}

// Policies do not reach into fields, so a policy can't be tried on what one lost.
BOOST_AUTO_TEST_CASE(a_lost_field_is_no_choice_of_a_policy) {
  BOOST_TEST(!policy_of_rule("field(lww)").has_value());
  BOOST_TEST(policy_of_rule("lww").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
