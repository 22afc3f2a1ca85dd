// The options of the three-way merge: keyed arrays, sums, and what stands at a conflict; and all of
// them together on random documents against an oracle that knows no tree: a document is the set of
// its paths, and each path is judged on its own. WAGGLE_SEED and WAGGLE_SCHEDULES choose the first
// seed and how many.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "resolver/json_merge.h"
#include "resolver/json_pointer.h"

namespace waggle {
namespace {

using Kind = JsonConflictKind;

JsonValue json(std::string_view text) {
  return parse_json_document(text).value();
}

JsonMergeOptions keyed(JsonFavor favor = JsonFavor::kNone) {
  return {.favor = favor, .array_keys = {{"/t", "id"}, {"/t/*/s", "n"}, {"", "id"}}};
}

// The merged text, and "path kind" of each conflict.
struct Expected {
  std::string_view merged;
  std::vector<std::string> conflicts = {};
};

void check(std::string_view base, std::string_view ours, std::string_view theirs,
           const JsonMergeOptions& options, const Expected& expected) {
  BOOST_TEST_CONTEXT(base << " | " << ours << " | " << theirs) {
    const JsonMerge merge = merge_json(json(base), json(ours), json(theirs), options);
    BOOST_TEST(to_json(merge.value) == expected.merged);
    std::vector<std::string> found;
    for (const JsonConflict& conflict : merge.conflicts)
      found.push_back(conflict.path + " " + std::string(to_text(conflict.kind)));
    BOOST_TEST(found == expected.conflicts, boost::test_tools::per_element());
    BOOST_TEST(merge.automergeable() == expected.conflicts.empty());
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// ---- Random documents: two keyed arrays within each other, scalars, and members of any type.

JsonValue number(std::uint64_t value) {
  return {JsonValue::Number{std::to_string(value)}};
}

JsonValue random_scalar(Prng& prng) {
  if (prng.chance(1, 4)) return {std::string(1, static_cast<char>('x' + prng.below(2)))};
  return prng.chance(1, 6) ? JsonValue{} : number(prng.below(4));
}

JsonValue random_items(Prng& prng, int level);

JsonValue random_item(Prng& prng, int level, std::uint64_t key) {
  JsonValue::Object members;
  members.emplace(level == 0 ? "id" : "n",
                  key % 2 == 0 ? number(key) : JsonValue{"k/" + std::to_string(key)});
  if (prng.chance(3, 4)) members.emplace("c", random_scalar(prng));
  if (level == 0 && prng.chance(1, 3)) members.emplace("s", random_items(prng, 1));
  return {members};
}

JsonValue random_items(Prng& prng, int level) {
  JsonValue::Array items;
  for (std::uint64_t key = 0; key < 4; ++key)
    if (prng.chance(2, 3)) items.push_back(random_item(prng, level, key));
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[prng.below(i)]);
  return {items};
}

JsonValue random_document(Prng& prng) {
  JsonValue::Object members;
  members.emplace("t", random_items(prng, 0));
  if (prng.chance(1, 2)) members.emplace("c", random_scalar(prng));
  if (prng.chance(1, 2))
    members.emplace("~o", JsonValue{JsonValue::Object{{"p", random_scalar(prng)}}});
  return {members};
}

void change_items(Prng& prng, JsonValue::Array& items, int level) {
  const std::uint64_t drawn = prng.below(8);
  const std::size_t place = items.empty() ? 0 : prng.below(items.size());
  if (items.empty() || drawn == 0) {
    const JsonValue item = random_item(prng, level, prng.below(6));
    const std::string name = level == 0 ? "id" : "n";
    const auto has_its_key = [&](const JsonValue& other) {
      return other.object()->at(name) == item.object()->at(name);
    };
    if (std::ranges::none_of(items, has_its_key))
      items.insert(items.begin() + static_cast<std::ptrdiff_t>(place), item);
  } else if (drawn == 1) {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(place));
  } else if (drawn == 2) {
    std::swap(items[place], items[prng.below(items.size())]);
  } else {
    JsonValue::Object& members = *items[place].object();
    if (members.contains("s") && prng.chance(1, 2)) {
      change_items(prng, *members.at("s").array(), 1);
    } else {
      members.insert_or_assign("c", random_scalar(prng));
    }
  }
}

JsonValue changed(Prng& prng, JsonValue document) {
  JsonValue::Object& members = *document.object();
  for (std::uint64_t edits = prng.below(9); edits > 0; --edits) {
    const std::uint64_t drawn = prng.below(12);
    if (drawn == 0) {
      members.erase(prng.chance(1, 3) ? "t" : "~o");
    } else if (drawn == 1) {
      members.insert_or_assign("~o", random_scalar(prng));
    } else if (drawn == 2) {
      members.insert_or_assign("c", JsonValue{JsonValue::Object{{"p", random_scalar(prng)}}});
    } else if (drawn == 3) {
      members.insert_or_assign("c", random_scalar(prng));
    } else if (members.contains("t")) {
      change_items(prng, *members.at("t").array(), 0);
    } else {
      members.emplace("t", random_items(prng, 0));
    }
  }
  return document;
}

// ---- The oracle.

// A document as its paths. An object is a leaf "{}", an array the paths of its items in brackets;
// what they hold follows.
struct Paths {
  std::map<std::string, std::string> leaves;
  std::map<std::string, std::vector<std::string>> orders;  // paths of the items of each array
};

void collect(const JsonValue& value, const std::string& path, Paths& paths) {
  BOOST_REQUIRE(!paths.leaves.contains(path));  // no key comes twice
  if (const JsonValue::Object* members = value.object()) {
    paths.leaves[path] = "{}";
    for (const auto& [name, member] : *members)
      collect(member, json_pointer_below(path, name), paths);
  } else if (const JsonValue::Array* items = value.array()) {
    std::string leaf = "[";
    paths.orders[path];
    const std::string name = path == "/t" ? "id" : "n";
    for (const JsonValue& item : *items) {
      const std::string below =
          json_pointer_below(path, name + "=" + to_json(item.object()->at(name)));
      leaf += below + " ";
      paths.orders[path].push_back(below);
      collect(item, below, paths);
    }
    paths.leaves[path] = leaf + "]";
  } else {
    paths.leaves[path] = to_json(value);
  }
}

Paths paths_of(const JsonValue& document) {
  Paths paths;
  collect(document, "", paths);
  return paths;
}

using Leaves = std::map<std::string, std::string>;

// Of an array that is merged item by item: check_order() judges it.
const std::string kSomeOrder = "[...]";

class Oracle {
 public:
  Oracle(const Paths& base, const Paths& ours, const Paths& theirs, const JsonMergeOptions& options)
      : options_(options) {
    std::set<std::string> all;
    for (const Paths* paths : {&base, &ours, &theirs})
      for (const auto& [path, leaf] : paths->leaves) all.insert(path);
    // A path sorts behind the path that it is below.
    for (const std::string& path : all)
      if (path.empty() || open_.contains(path.substr(0, path.rfind('/'))))
        judge(path, below(base.leaves, path), below(ours.leaves, path), below(theirs.leaves, path));
  }

  [[nodiscard]] const Leaves& leaves() const { return leaves_; }
  [[nodiscard]] const std::map<std::string, Kind>& conflicts() const { return conflicts_; }

 private:
  static Leaves below(const Leaves& leaves, const std::string& path) {
    Leaves found;
    for (const auto& [other, leaf] : leaves)
      if (other == path || other.starts_with(path + "/")) found.emplace(other, leaf);
    return found;
  }
  static char type(const std::string& leaf) {
    return leaf.find_first_of("0123456789") == 0 ? '0' : leaf.front();
  }

  void judge(const std::string& path, const Leaves& base, const Leaves& ours,
             const Leaves& theirs) {
    const auto root = [&](const Leaves& leaves) { return leaves.empty() ? "" : leaves.at(path); };
    const std::string b = root(base);
    const std::string o = root(ours);
    const std::string t = root(theirs);
    if ((o == "{}" && t == "{}") || (o.starts_with('[') && t.starts_with('['))) {
      open_.insert(path);
      leaves_.emplace(path, o == "{}" ? o : kSomeOrder);
      return;
    }
    const bool we_changed = base != ours;
    const bool they_changed = base != theirs;
    const bool numbers = !b.empty() && !o.empty() && !t.empty() && type(b) == '0' &&
                         type(o) == '0' && type(t) == '0';
    if (options_.additive_numbers && numbers && we_changed && they_changed) {
      leaves_.emplace(path, std::to_string(std::stoll(o) + std::stoll(t) - std::stoll(b)));
      return;
    }
    bool take_theirs = they_changed && !we_changed;
    if (we_changed && they_changed && ours != theirs) {
      conflicts_.emplace(path, b.empty()                                  ? Kind::kBothAdded
                               : o.empty() || t.empty()                   ? Kind::kDeleteEdit
                               : type(b) != type(o) || type(b) != type(t) ? Kind::kTypeChanged
                                                                          : Kind::kBothChanged);
      take_theirs = options_.favor == JsonFavor::kTheirs ||
                    (options_.favor == JsonFavor::kUnion && o.empty());
    }
    for (const auto& [taken, leaf] : take_theirs ? theirs : ours) leaves_.emplace(taken, leaf);
  }

  const JsonMergeOptions& options_;
  std::set<std::string> open_;
  Leaves leaves_;
  std::map<std::string, Kind> conflicts_;
};

using Order = std::vector<std::string>;

bool holds(const Order& order, const std::string& key) {
  return std::ranges::find(order, key) != order.end();
}

// Whether the two stand as in `merged`, in which `first` comes before `second`.
bool agrees(const Order& order, const std::string& first, const std::string& second) {
  return std::ranges::find(order, first) < std::ranges::find(order, second);
}

// Pair by pair, by the sentences of resolver/json_keyed_array.h. True: both moved.
bool check_order(const Order& base, const Order& ours, const Order& theirs, const Order& merged,
                 bool theirs_leads) {
  bool we_moved = false;
  bool they_moved = false;
  bool differ = false;
  for (const std::string& a : ours)
    for (const std::string& b : ours) {
      if (!holds(theirs, a) || !holds(theirs, b)) continue;
      differ = differ || agrees(ours, a, b) != agrees(theirs, a, b);
      if (!holds(base, a) || !holds(base, b)) continue;
      we_moved = we_moved || agrees(ours, a, b) != agrees(base, a, b);
      they_moved = they_moved || agrees(theirs, a, b) != agrees(base, a, b);
    }
  const bool conflict = differ && we_moved == they_moved;
  const bool ours_wins = !differ || (conflict ? !theirs_leads : we_moved);
  const bool theirs_wins = !differ || !ours_wins;
  for (std::size_t i = 0; i < merged.size(); ++i)
    for (std::size_t j = i + 1; j < merged.size(); ++j) {
      const auto in = [&](const Order& order) {
        return holds(order, merged[i]) && holds(order, merged[j]);
      };
      if (ours_wins && in(ours)) BOOST_REQUIRE(agrees(ours, merged[i], merged[j]));
      if (theirs_wins && in(theirs)) BOOST_REQUIRE(agrees(theirs, merged[i], merged[j]));
    }
  return conflict;
}

void check_against_oracle(const JsonValue& base, const JsonValue& ours, const JsonValue& theirs,
                          const JsonMergeOptions& options) {
  const Paths b = paths_of(base);
  const Paths o = paths_of(ours);
  const Paths t = paths_of(theirs);
  const Oracle oracle(b, o, t, options);
  const JsonMerge merge = merge_json(base, ours, theirs, options);
  const Paths merged = paths_of(merge.value);
  Leaves leaves = merged.leaves;
  for (const auto& [path, leaf] : oracle.leaves())
    if (leaf == kSomeOrder && leaves[path].starts_with('[')) leaves[path] = leaf;
  BOOST_REQUIRE((leaves == oracle.leaves()));

  std::map<std::string, Kind> conflicts;
  std::set<std::string> moved;
  for (const JsonConflict& conflict : merge.conflicts) {
    const bool fresh = conflict.kind == Kind::kBothMoved
                           ? moved.insert(conflict.path).second
                           : conflicts.emplace(conflict.path, conflict.kind).second;
    BOOST_REQUIRE(fresh);
  }
  BOOST_REQUIRE((conflicts == oracle.conflicts()));
  for (const auto& [path, order] : merged.orders) {
    if (!o.orders.contains(path) || !t.orders.contains(path)) continue;
    const auto was = b.orders.find(path);
    const bool both_moved =
        check_order(was == b.orders.end() ? Order{} : was->second, o.orders.at(path),
                    t.orders.at(path), order, options.favor == JsonFavor::kTheirs);
    BOOST_REQUIRE(both_moved == moved.contains(path));
  }
}

JsonMergeOptions with(JsonMergeOptions options, JsonFavor favor) {
  options.favor = favor;
  return options;
}

void check_laws(const JsonValue& base, const JsonValue& ours, const JsonValue& theirs,
                const JsonMergeOptions& options) {
  BOOST_REQUIRE((merge_json(base, ours, base, options).value == ours));
  BOOST_REQUIRE((merge_json(base, base, theirs, options).value == theirs));
  if (!options.additive_numbers)
    BOOST_REQUIRE((merge_json(base, ours, ours, options).value == ours));
  const JsonMerge for_ours = merge_json(base, ours, theirs, with(options, JsonFavor::kOurs));
  const JsonMerge for_theirs = merge_json(base, ours, theirs, with(options, JsonFavor::kTheirs));
  const JsonMerge mirror = merge_json(base, theirs, ours, with(options, JsonFavor::kTheirs));
  BOOST_REQUIRE((mirror.value == for_ours.value));
  BOOST_REQUIRE_EQUAL(for_ours.value == for_theirs.value, for_ours.automergeable());
  BOOST_REQUIRE((merge_json(base, ours, theirs, options).conflicts == for_ours.conflicts));
  std::vector<JsonConflict> exchanged = mirror.conflicts;
  for (JsonConflict& conflict : exchanged) std::swap(conflict.ours, conflict.theirs);
  BOOST_REQUIRE((exchanged == for_ours.conflicts));
}

BOOST_AUTO_TEST_SUITE(json_merge_options_test)

BOOST_AUTO_TEST_CASE(items_of_a_keyed_array_are_merged_by_key) {
  // Neighbours, which item by item would conflict.
  check(R"({"t":[{"id":1,"c":0},{"id":2,"c":0}]})", R"({"t":[{"id":1,"c":5},{"id":2,"c":0}]})",
        R"({"t":[{"id":1,"c":0},{"id":2,"c":6}]})", keyed(),
        {R"({"t":[{"c":5,"id":1},{"c":6,"id":2}]})"});
  // Different members of one item.
  check(R"({"t":[{"id":1}]})", R"({"t":[{"id":1,"a":1}]})", R"({"t":[{"id":1,"b":2}]})", keyed(),
        {R"({"t":[{"a":1,"b":2,"id":1}]})"});
  check(R"({"t":[{"id":1},{"id":2},{"id":3}]})", R"({"t":[{"id":2},{"id":3}]})",
        R"({"t":[{"id":1},{"id":2}]})", keyed(), {R"({"t":[{"id":2}]})"});
  // A document that is the array.
  check(R"([{"id":1,"c":0}])", R"([{"id":1,"c":1}])", R"([{"id":1,"c":0},{"id":2}])", keyed(),
        {R"([{"c":1,"id":1},{"id":2}])"});
}

BOOST_AUTO_TEST_CASE(additions_to_a_keyed_array_at_one_place_come_in_an_order_of_their_keys) {
  check(R"({"t":[{"id":"m"}]})", R"({"t":[{"id":"m"},{"id":"z"}]})",
        R"({"t":[{"id":"m"},{"id":"a"}]})", keyed(),
        {R"({"t":[{"id":"m"},{"id":"a"},{"id":"z"}]})"});
  check("{}", R"({"t":[{"id":"z"}]})", R"({"t":[{"id":"a"}]})", keyed(),
        {R"({"t":[{"id":"a"},{"id":"z"}]})"});
}

BOOST_AUTO_TEST_CASE(conflicts_within_a_keyed_array_name_the_item_by_its_key) {
  check(R"({"t":[{"id":"a/b","c":0},{"id":2,"c":0}]})",
        R"({"t":[{"id":"a/b","c":1},{"id":2,"c":1}]})", R"({"t":[{"id":"a/b","c":2}]})", keyed(),
        {R"({"t":[{"c":1,"id":"a/b"},{"c":1,"id":2}]})",
         {R"(/t/id="a~1b"/c both_changed)", "/t/id=2 delete_edit"}});
  check(R"({"t":[{"id":1,"s":[{"n":7,"c":0}]}]})", R"({"t":[{"id":1,"s":[{"n":7,"c":1}]}]})",
        R"({"t":[{"id":1,"s":[{"n":7,"c":2}]}]})", keyed(JsonFavor::kTheirs),
        {R"({"t":[{"id":1,"s":[{"c":2,"n":7}]}]})", {"/t/id=1/s/n=7/c both_changed"}});
}

BOOST_AUTO_TEST_CASE(one_sides_order_of_a_keyed_array_is_taken_and_two_are_a_conflict) {
  const std::string base = R"({"t":[{"id":1},{"id":2},{"id":3}]})";
  const std::string turned = R"({"t":[{"id":3},{"id":2},{"id":1}]})";
  check(base, R"({"t":[{"id":1,"c":1},{"id":2},{"id":3}]})", turned, keyed(),
        {R"({"t":[{"id":3},{"id":2},{"c":1,"id":1}]})"});
  const std::string ours = R"({"t":[{"id":2,"c":5},{"id":1},{"id":3}]})";
  check(base, ours, turned, keyed(),
        {R"({"t":[{"c":5,"id":2},{"id":1},{"id":3}]})", {"/t both_moved"}});
  check(base, ours, turned, keyed(JsonFavor::kTheirs),
        {R"({"t":[{"id":3},{"c":5,"id":2},{"id":1}]})", {"/t both_moved"}});
  const JsonMerge merge = merge_json(json(base), json(ours), json(turned), keyed());
  BOOST_TEST((merge.conflicts.front() ==
              JsonConflict{"/t", "[1,2,3]", "[2,1,3]", "[3,2,1]", Kind::kBothMoved}));
}

BOOST_AUTO_TEST_CASE(an_array_whose_items_can_not_be_told_apart_is_merged_item_by_item) {
  // Told apart by key, changes of neighbours would merge.
  for (const std::string_view odd :
       {R"({"id":2})", R"({"x":1})", R"({"id":null})", R"({"id":true})", R"({"id":[1]})", "7"}) {
    const std::string rest = "," + std::string(odd) + "]";
    const std::string ours = R"([{"c":1,"id":2},{"c":0,"id":3})" + rest;
    check(R"([{"c":0,"id":2},{"c":0,"id":3})" + rest, ours,
          R"([{"c":0,"id":2},{"c":1,"id":3})" + rest, keyed(), {ours, {" both_changed"}});
  }
  // 1 and "1" are two keys.
  check(R"([{"id":1},{"id":"1"}])", R"([{"id":1,"c":1},{"id":"1"}])",
        R"([{"id":1},{"id":"1","c":2}])", keyed(), {R"([{"c":1,"id":1},{"c":2,"id":"1"}])"});
}

BOOST_AUTO_TEST_CASE(whole_numbers_that_both_sides_changed_are_added) {
  const JsonMergeOptions sums{.additive_numbers = true};
  check("5", "7", "4", sums, {"6"});
  check("5", "6", "6", sums, {"7"});  // no increment is lost
  check(R"({"n":5,"m":{"n":1}})", R"({"n":6,"m":{"n":2}})", R"({"n":6,"m":{"n":2}})", sums,
        {R"({"m":{"n":3},"n":7})"});
  check("5", "7", "5", sums, {"7"});
  check("-9223372036854775808", "0", "-9223372036854775808", sums, {"0"});
  check("-9223372036854775808", "18446744073709551615", "-9223372036854775807", sums,
        {"18446744073709551615", {" both_changed"}});
  check("0", "-9223372036854775808", "-1", sums, {"-9223372036854775808", {" both_changed"}});
  check("18446744073709551615", "18446744073709551614", "1", sums, {"0"});
  check("0", "18446744073709551615", "18446744073709551615", sums,
        {"18446744073709551615", {" both_changed"}});
  // Fractions would round, and items of arrays have no path.
  check("0.5", "0.75", "0.25", sums, {"0.75", {" both_changed"}});
  check("[1]", "[2]", "[2]", sums, {"[2]"});
  check("1", "[2]", "[2]", sums, {"[2]"});
  check("{}", R"({"n":1})", R"({"n":2})", sums, {R"({"n":1})", {"/n both_added"}});
  JsonMergeOptions both = keyed();
  both.additive_numbers = true;
  check(R"({"t":[{"id":5,"n":1}]})", R"({"t":[{"id":5,"n":2}]})", R"({"t":[{"id":5,"n":2}]})", both,
        {R"({"t":[{"id":5,"n":3}]})"});
}

BOOST_AUTO_TEST_CASE(a_union_holds_what_either_side_put_there) {
  const JsonMergeOptions both = {.favor = JsonFavor::kUnion};
  check(R"({"a":[1,2,3]})", R"({"a":[1,7,3]})", R"({"a":[1,8,3]})", both,
        {R"({"a":[1,7,3,8]})", {"/a both_changed"}});
  check("[1,2]", "[2,2,5]", "[6,1,6]", both, {"[5,6]", {" both_changed"}});
  check("{}", R"({"a":[1,2]})", R"({"a":[2,3]})", both, {R"({"a":[1,2,3]})", {"/a both_added"}});
  check(R"({"a":1,"b":1})", R"({"a":2})", R"({"b":2})", both,
        {R"({"a":2,"b":2})", {"/a delete_edit", "/b delete_edit"}});
  check("1", "2", "\"x\"", both, {"2", {" type_changed"}});
  check("[1]", "[1,2]", "[0,1]", both, {"[0,1,2]"});
}

BOOST_AUTO_TEST_CASE(conflicts_say_what_they_are) {
  check(R"({"a":1,"b":1,"c":1,"d":{}})", R"({"a":2,"b":"x","d":{"x":1},"e":1})",
        R"({"a":3,"b":2,"c":2,"e":[]})", {},
        {R"({"a":2,"b":"x","d":{"x":1},"e":1})",
         {"/a both_changed", "/b type_changed", "/c delete_edit", "/d delete_edit",
          "/e both_added"}});
}

BOOST_AUTO_TEST_CASE(large_keyed_arrays_need_no_bound) {
  const auto many = [](std::uint64_t from) {
    JsonValue::Array items;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      JsonValue::Object members;
      members.emplace("id", number(i));
      members.emplace("c", number(i % 3 == from ? 1 : 0));
      items.push_back({std::move(members)});
    }
    return JsonValue{JsonValue::Object{{"t", JsonValue{items}}}};
  };
  const JsonMerge merge = merge_json(many(3), many(1), many(2), keyed());
  BOOST_TEST(merge.automergeable());
  BOOST_TEST(merge.value.object()->at("t").array()->size() == 20'000U);
}

BOOST_AUTO_TEST_CASE(all_options_agree_with_the_oracle_and_keep_the_laws) {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 20'000);
  std::uint64_t clean = 0;
  std::map<Kind, std::uint64_t> kinds;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("WAGGLE_SEED=" << seed << " WAGGLE_SCHEDULES=1") {
      Prng prng(seed);
      const JsonValue base = random_document(prng);
      const JsonValue ours = changed(prng, base);
      const JsonValue theirs = changed(prng, base);
      JsonMergeOptions options = keyed(static_cast<JsonFavor>(prng.below(4)));
      options.additive_numbers = prng.chance(1, 2);
      check_against_oracle(base, ours, theirs, options);
      check_laws(base, ours, theirs, options);
      const JsonMerge merge = merge_json(base, ours, theirs, options);
      for (const JsonConflict& conflict : merge.conflicts) ++kinds[conflict.kind];
      clean += merge.automergeable() && merge.value != ours && merge.value != theirs ? 1 : 0;
    }
  }
  if (count < 1000) return;
  // The documents are worth something: every kind of conflict comes up, and many merges have none.
  BOOST_TEST(clean > count / 10);
  for (const Kind kind : {Kind::kBothChanged, Kind::kTypeChanged, Kind::kDeleteEdit,
                          Kind::kBothAdded, Kind::kBothMoved})
    BOOST_TEST(kinds[kind] > count / 200, to_text(kind) << ": " << kinds[kind]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
