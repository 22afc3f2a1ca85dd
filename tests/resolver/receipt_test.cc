#include "resolver/receipt.h"

#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

namespace waggle {
namespace {

Receipt receipt() {
  Receipt receipt;
  receipt.key = Key("key");
  receipt.version = Revision(12);
  receipt.round = RoundId(3);
  receipt.rule = "lww";
  receipt.inputs = {{AgentId("a"), Revision(9), Hlc::of(1000, 1), {1, 2}, true, false, 0, {}},
                    {AgentId("b"), Revision(10), Hlc::of(1001, 0), {3, 4}, false, false, 0, {}}};
  receipt.output = {3, 4};
  receipt.previous.fill(7);
  receipt.wall_millis = 1'800'000'000'000;
  return receipt;
}

using Change = std::pair<std::string_view, std::function<void(Receipt&)>>;

BOOST_AUTO_TEST_SUITE(receipt_test)

BOOST_AUTO_TEST_CASE(equal_receipts_have_equal_hashes) {
  BOOST_TEST((hash_of(receipt()) == hash_of(receipt())));
}

BOOST_AUTO_TEST_CASE(each_field_changes_the_hash) {
  const std::vector<Change> changes = {
      {"key", [](Receipt& r) { r.key = Key("kez"); }},
      {"version", [](Receipt& r) { r.version = Revision(13); }},
      {"round", [](Receipt& r) { r.round = RoundId(); }},
      {"rule", [](Receipt& r) { r.rule = "keep"; }},
      {"output high", [](Receipt& r) { ++r.output.high; }},
      {"output low", [](Receipt& r) { ++r.output.low; }},
      {"previous begin", [](Receipt& r) { ++r.previous.front(); }},
      {"previous end", [](Receipt& r) { ++r.previous.back(); }},
      {"wall", [](Receipt& r) { ++r.wall_millis; }},
      {"wall sign", [](Receipt& r) { r.wall_millis = -r.wall_millis; }},
      {"input agent", [](Receipt& r) { r.inputs[1].agent = AgentId("c"); }},
      {"input version", [](Receipt& r) { r.inputs[1].version = Revision(11); }},
      {"input hlc", [](Receipt& r) { ++r.inputs[1].hlc.bits; }},
      {"input content high", [](Receipt& r) { ++r.inputs[1].content.high; }},
      {"input content low", [](Receipt& r) { ++r.inputs[1].content.low; }},
      {"input committed", [](Receipt& r) { r.inputs[1].committed = true; }},
      {"order of inputs", [](Receipt& r) { std::swap(r.inputs[0], r.inputs[1]); }},
      {"an input less", [](Receipt& r) { r.inputs.pop_back(); }},
      {"an input more", [](Receipt& r) { r.inputs.emplace_back(); }},
      {"no inputs", [](Receipt& r) { r.inputs.clear(); }},
      {"text moved on", [](Receipt& r) { r.key = Key("keyl"), r.rule = "ww"; }},
  };
  std::set<ChainHash> hashes = {hash_of(receipt())};
  for (const auto& [field, change] : changes) {
    Receipt changed = receipt();
    change(changed);
    BOOST_TEST(hashes.insert(hash_of(changed)).second, field);
  }
}

BOOST_AUTO_TEST_CASE(a_change_in_the_past_changes_every_later_hash) {
  const auto chain = [](std::string_view first_rule) {
    ChainHash last{};
    for (int i = 0; i < 5; ++i) {
      Receipt link = receipt();
      if (i == 0) link.rule = first_rule;
      link.previous = last;
      last = hash_of(link);
    }
    return last;
  };
  BOOST_TEST((chain("lww") == chain("lww")));
  BOOST_TEST((chain("lww") != chain("keep")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
