// The three-way merge: its rules one by one, its laws on random triples, and a brute-force oracle
// for objects of scalars. WAGGLE_SEED and WAGGLE_SCHEDULES choose the first seed and how many.

#include "resolver/json_merge.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "resolver/json_array_merge.h"
#include "resolver/json_pointer.h"

namespace waggle {
namespace {

constexpr JsonFavor kFavors[] = {JsonFavor::kNone, JsonFavor::kOurs, JsonFavor::kTheirs};

JsonValue json(std::string_view text) {
  return parse_json_document(text).value();
}

struct Case {
  std::string_view base;
  std::string_view ours;
  std::string_view theirs;
  std::string_view merged;                  // with kNone
  std::vector<std::string> conflicts = {};  // their paths
};

void check(const Case& given) {
  BOOST_TEST_CONTEXT(given.base << " | " << given.ours << " | " << given.theirs) {
    const JsonMerge merge = merge_json(json(given.base), json(given.ours), json(given.theirs));
    BOOST_TEST(to_json(merge.value) == given.merged);
    std::vector<std::string> paths;
    for (const JsonConflict& conflict : merge.conflicts) paths.push_back(conflict.path);
    BOOST_TEST(paths == given.conflicts, boost::test_tools::per_element());
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Few names and scalars, so that the three meet often.
JsonValue random_scalar(Prng& prng) {
  switch (prng.below(5)) {
    case 0:
      return {};
    case 1:
      return {prng.chance(1, 2)};
    case 2:
      return {std::string(1, static_cast<char>('s' + prng.below(2)))};
    default:
      return {JsonValue::Number{std::to_string(prng.below(3))}};
  }
}

std::string random_name(Prng& prng) {
  static const std::vector<std::string> kNames = {"a", "b", "c/d", "~", ""};
  return kNames[prng.below(kNames.size())];
}

JsonValue random_value(Prng& prng, int levels) {
  const std::uint64_t drawn = prng.below(levels == 0 ? 1 : 4);
  if (drawn == 0) return random_scalar(prng);
  if (drawn == 1) {
    JsonValue::Array items;
    for (std::uint64_t i = prng.below(6); i > 0; --i)
      items.push_back(random_value(prng, levels - 1));
    return {items};
  }
  JsonValue::Object members;
  for (std::uint64_t i = prng.below(5); i > 0; --i)
    members.insert_or_assign(random_name(prng), random_value(prng, levels - 1));
  return {members};
}

// A few changes, most of them deep inside: what a side makes of the base.
JsonValue changed(Prng& prng, JsonValue value) {
  if (JsonValue::Object* members = value.object(); members != nullptr && !prng.chance(1, 12)) {
    if (!members->empty() && prng.chance(3, 4)) {
      const auto at =
          std::next(members->begin(), static_cast<std::ptrdiff_t>(prng.below(members->size())));
      if (prng.chance(1, 4)) {
        members->erase(at);
      } else {
        at->second = changed(prng, at->second);
      }
    }
    if (prng.chance(1, 3)) members->insert_or_assign(random_name(prng), random_value(prng, 2));
    return value;
  }
  if (JsonValue::Array* items = value.array(); items != nullptr && !prng.chance(1, 12)) {
    const auto at = items->begin() + static_cast<std::ptrdiff_t>(prng.below(items->size() + 1));
    if (at == items->end() || prng.chance(1, 3)) {
      items->insert(at, random_value(prng, 1));
    } else if (prng.chance(1, 2)) {
      items->erase(at);
    } else {
      *at = changed(prng, *at);
    }
    return value;
  }
  return random_value(prng, 2);
}

void collect_names(const JsonValue& value, std::set<std::string>& names) {
  if (const JsonValue::Array* items = value.array())
    for (const JsonValue& item : *items) collect_names(item, names);
  if (const JsonValue::Object* members = value.object())
    for (const auto& [name, member] : *members) {
      names.insert(name);
      collect_names(member, names);
    }
}

// The scalars and empty containers with the pointers at which they stand, but no array's insides.
void collect_leaves(const JsonValue& value, const std::string& path,
                    std::map<std::string, std::string>& leaves) {
  const JsonValue::Object* members = value.object();
  if (members == nullptr || members->empty()) {
    leaves[path] = to_json(value);
    return;
  }
  for (const auto& [name, member] : *members)
    collect_leaves(member, json_pointer_below(path, name), leaves);
}

// The text at a pointer; empty: absent.
std::string text_at(const JsonValue& root, const std::string& path) {
  const JsonValue* at = &root;
  const std::vector<std::string> names = parse_json_pointer(path).value();
  for (const std::string& name : names) {
    const JsonValue::Object* members = at->object();
    if (members == nullptr || !members->contains(name)) return "";
    at = &members->at(name);
  }
  return to_json(*at);
}

struct Triple {
  JsonValue base;
  JsonValue ours;
  JsonValue theirs;
};

void check_laws(const Triple& t) {
  for (const JsonFavor favor : kFavors) {
    for (const auto& [base, ours, theirs, expected] :
         {std::tuple(&t.base, &t.ours, &t.base, &t.ours),
          std::tuple(&t.base, &t.base, &t.theirs, &t.theirs),
          std::tuple(&t.base, &t.ours, &t.ours, &t.ours)}) {
      const JsonMerge merge = merge_json(*base, *ours, *theirs, {.favor = favor});
      BOOST_REQUIRE((merge.value == *expected));
      BOOST_REQUIRE(merge.conflicts.empty());
    }
  }
  const JsonMerge neutral = merge_json(t.base, t.ours, t.theirs);
  const JsonMerge for_ours = merge_json(t.base, t.ours, t.theirs, {.favor = JsonFavor::kOurs});
  const JsonMerge for_theirs = merge_json(t.base, t.ours, t.theirs, {.favor = JsonFavor::kTheirs});
  BOOST_REQUIRE((neutral.value == for_ours.value));
  BOOST_REQUIRE((neutral.conflicts == for_ours.conflicts));
  BOOST_REQUIRE((neutral.conflicts == for_theirs.conflicts));
  // The favor matters exactly where there is a conflict.
  BOOST_REQUIRE_EQUAL(for_ours.value == for_theirs.value, neutral.conflicts.empty());
  BOOST_REQUIRE(std::ranges::is_sorted(neutral.conflicts, {}, &JsonConflict::path));

  const JsonMerge mirror = merge_json(t.base, t.theirs, t.ours, {.favor = JsonFavor::kTheirs});
  BOOST_REQUIRE((mirror.value == for_ours.value));
  BOOST_REQUIRE_EQUAL(mirror.conflicts.size(), for_ours.conflicts.size());
  for (std::size_t i = 0; i < mirror.conflicts.size(); ++i) {
    const JsonConflict& conflict = neutral.conflicts[i];
    const JsonConflict exchanged{conflict.path, conflict.base, conflict.theirs, conflict.ours,
                                 conflict.kind};
    BOOST_REQUIRE((mirror.conflicts[i] == exchanged));
    BOOST_REQUIRE(conflict.ours != conflict.theirs);
    BOOST_REQUIRE(conflict.base != conflict.ours);
    BOOST_REQUIRE(conflict.base != conflict.theirs);
    BOOST_REQUIRE_EQUAL(text_at(t.base, conflict.path), conflict.base);
    BOOST_REQUIRE_EQUAL(text_at(for_ours.value, conflict.path), conflict.ours);
    BOOST_REQUIRE_EQUAL(text_at(for_theirs.value, conflict.path), conflict.theirs);
  }

  std::set<std::string> given;
  std::set<std::string> merged;
  collect_names(t.ours, given);
  collect_names(t.theirs, given);
  collect_names(neutral.value, merged);
  BOOST_REQUIRE(std::ranges::includes(given, merged));
  // A leaf that is no array and no emptied object is one side's, at that path.
  std::map<std::string, std::string> leaves;
  collect_leaves(neutral.value, "", leaves);
  for (const auto& [path, text] : leaves)
    if (!text.starts_with('[') && text != "{}")
      BOOST_REQUIRE((text == text_at(t.ours, path) || text == text_at(t.theirs, path)));
}

// Objects of scalars, two levels: all pointers, each judged on its own by the rules' definition.
// The oracle knows no recursion and no tree: a member of the first level that is an object on both
// sides is there, and its members are judged; all else is judged as a whole.
class Oracle {
 public:
  explicit Oracle(const Triple& triple) {
    const std::set<std::string> names = names_of({&triple.base, &triple.ours, &triple.theirs});
    for (const std::string& name : names) {
      const JsonValue* base = at(&triple.base, name);
      const JsonValue* ours = at(&triple.ours, name);
      const JsonValue* theirs = at(&triple.theirs, name);
      const std::string path = json_pointer_below("", name);
      if (!is_object(ours) || !is_object(theirs)) {
        judge(path, text(base), text(ours), text(theirs));
        continue;
      }
      leaves_[path] = "{}";
      for (const std::string& inner : names_of({base, ours, theirs}))
        judge(json_pointer_below(path, inner), text(at(base, inner)), text(at(ours, inner)),
              text(at(theirs, inner)));
    }
  }

  // Pointer to text; "{}" for an object both sides have, whose members follow.
  [[nodiscard]] const std::map<std::string, std::string>& leaves() const { return leaves_; }
  [[nodiscard]] const std::set<std::string>& conflicts() const { return conflicts_; }

 private:
  static bool is_object(const JsonValue* value) {
    return value != nullptr && value->object() != nullptr;
  }
  static const JsonValue* at(const JsonValue* value, const std::string& name) {
    return is_object(value) && value->object()->contains(name) ? &value->object()->at(name)
                                                               : nullptr;
  }
  static std::string text(const JsonValue* value) {
    return value == nullptr ? "" : to_json(*value);
  }
  static std::set<std::string> names_of(const std::vector<const JsonValue*>& values) {
    std::set<std::string> names;
    for (const JsonValue* value : values)
      if (is_object(value))
        for (const auto& [name, member] : *value->object()) names.insert(name);
    return names;
  }
  void judge(const std::string& path, const std::string& base, const std::string& ours,
             const std::string& theirs) {
    const bool we_changed = ours != base;
    const bool they_changed = theirs != base;
    if (we_changed && they_changed && ours != theirs) conflicts_.insert(path);
    const std::string& taken = they_changed && !we_changed ? theirs : ours;
    if (!taken.empty()) leaves_[path] = taken;
  }

  std::map<std::string, std::string> leaves_;
  std::set<std::string> conflicts_;
};

// An object of scalars and of objects of scalars.
JsonValue random_two_levels(Prng& prng) {
  const auto fill = [&prng](const auto& draw) {
    JsonValue::Object members;
    for (const char* name : {"a", "b", "c"})
      if (prng.chance(2, 3)) members.emplace(name, draw());
    return JsonValue{members};
  };
  const auto scalar = [&prng] { return random_scalar(prng); };
  return fill([&] { return prng.chance(1, 2) ? fill(scalar) : random_scalar(prng); });
}

// The merged value in the oracle's terms.
std::map<std::string, std::string> leaves_for_oracle(const JsonValue& merged, const Triple& t) {
  std::map<std::string, std::string> leaves;
  for (const auto& [name, member] : *merged.object()) {
    const std::string path = json_pointer_below("", name);
    const bool judged_inside =
        text_at(t.ours, path).starts_with('{') && text_at(t.theirs, path).starts_with('{');
    leaves[path] = judged_inside ? "{}" : to_json(member);
    if (!judged_inside) continue;
    for (const auto& [inner, value] : *member.object())
      leaves[json_pointer_below(path, inner)] = to_json(value);
  }
  return leaves;
}

BOOST_AUTO_TEST_SUITE(json_merge_test)

BOOST_AUTO_TEST_CASE(the_side_that_changed_is_taken) {
  check({"1", "2", "1", "2"});
  check({"1", "1", "2", "2"});
  check({"1", "2", "2", "2"});
  check({R"({"a":1,"b":1,"c":1})", R"({"a":2,"b":1,"c":1})", R"({"a":1,"b":1,"c":3})",
         R"({"a":2,"b":1,"c":3})"});
  check({R"({"a":{"x":1,"y":1}})", R"({"a":{"x":2,"y":1}})", R"({"a":{"x":1,"y":2}})",
         R"({"a":{"x":2,"y":2}})"});
}

BOOST_AUTO_TEST_CASE(additions_and_removals_of_different_members_meet) {
  check({R"({"a":1})", R"({"a":1,"b":2})", R"({"a":1,"c":3})", R"({"a":1,"b":2,"c":3})"});
  check({R"({"a":1,"b":1})", R"({"a":1})", R"({"b":1})", "{}"});
  check({R"({"a":1,"b":1})", R"({"b":1})", R"({"b":1})", R"({"b":1})"});
  check({"{}", R"({"a":1})", R"({"a":1})", R"({"a":1})"});
}

BOOST_AUTO_TEST_CASE(different_changes_of_one_path_are_a_conflict) {
  check({"1", "2", "3", "2", {""}});
  check({R"({"a":1,"b":1})", R"({"a":2,"b":2})", R"({"a":3,"b":1})", R"({"a":2,"b":2})", {"/a"}});
  check({"{}", R"({"a":1})", R"({"a":2})", R"({"a":1})", {"/a"}});
  check({R"({"a":1})", R"({"a":{}})", R"({"a":[]})", R"({"a":{}})", {"/a"}});
}

BOOST_AUTO_TEST_CASE(a_removal_against_a_change_is_a_conflict) {
  check({R"({"a":1})", "{}", R"({"a":2})", "{}", {"/a"}});
  check({R"({"a":1})", R"({"a":2})", "{}", R"({"a":2})", {"/a"}});
  check({R"({"a":{"x":1}})", "{}", R"({"a":{"x":1,"y":2}})", "{}", {"/a"}});
  check({R"({"a":1})", "{}", R"({"a":1})", "{}"});
  // null is a value, not an absence.
  check({R"({"a":1})", R"({"a":null})", "{}", R"({"a":null})", {"/a"}});
}

BOOST_AUTO_TEST_CASE(objects_that_both_sides_put_there_are_merged_by_member) {
  check({"{}", R"({"a":{"x":1}})", R"({"a":{"y":2}})", R"({"a":{"x":1,"y":2}})"});
  check({R"({"a":7})",
         R"({"a":{"x":1,"z":1}})",
         R"({"a":{"y":2,"z":2}})",
         R"({"a":{"x":1,"y":2,"z":1}})",
         {"/a/z"}});
}

BOOST_AUTO_TEST_CASE(arrays_are_merged_by_item) {
  check({"[1,2,3]", "[0,1,2,3]", "[1,2,3,4]", "[0,1,2,3,4]"});
  check({"[1,2,3,4,5]", "[1,3,4,5]", "[1,2,3,4,6]", "[1,3,4,6]"});
  check({"[1,2,3]", "[1,9,2,3]", "[1,9,2,3]", "[1,9,2,3]"});
  check({"[1,1,1]", "[1,1,1,1]", "[1,1,1]", "[1,1,1,1]"});
  check({R"([{"a":1},{"b":1},{"c":1}])", R"([{"a":2},{"b":1},{"c":1}])",
         R"([{"a":1},{"b":1},{"c":2}])", R"([{"a":2},{"b":1},{"c":2}])"});
  check({"[1,2,3,4]", "[]", "[1,2,3,4]", "[]"});
  // The same on both sides in one place, different places else.
  check({"[1,2,3,4,5]", "[0,2,3,4]", "[0,2,9,3,4,5]", "[0,2,9,3,4]"});
}

BOOST_AUTO_TEST_CASE(changes_of_an_array_that_overlap_are_one_conflict_at_the_array) {
  check({R"({"a":[1,2,3]})", R"({"a":[1,7,3]})", R"({"a":[1,8,3]})", R"({"a":[1,7,3]})", {"/a"}});
  check({"[1]", "[1,2]", "[1,3]", "[1,2]", {""}});
  check({"[1,2,3]", "[1,3]", "[1,5,3]", "[1,3]", {""}});
  // Two overlaps and one change that would have merged: still one, and no half-merged array.
  check({"[1,2,3,4,5,6,7]", "[8,2,3,4,5,6,8]", "[9,2,3,0,5,6,9]", "[8,2,3,4,5,6,8]", {""}});
  // No array in the base.
  check({"{}", R"({"a":[1]})", R"({"a":[2]})", R"({"a":[1]})", {"/a"}});
}

BOOST_AUTO_TEST_CASE(conflicts_carry_all_three_texts_and_stand_in_the_order_of_their_paths) {
  const JsonValue base = json(R"({"a":{"b":1},"a!":1,"x/y":{"~":1},"gone":[1]})");
  const JsonValue ours = json(R"({"a":{"b":2},"a!":2,"x/y":{"~":2},"new":1})");
  const JsonValue theirs = json(R"({"a":{"b":3},"a!":3,"x/y":{"~":3},"gone":[2],"new":{}})");
  const std::vector<JsonConflict> expected = {
      {"/a!", "1", "2", "3"},
      {"/a/b", "1", "2", "3"},
      {"/gone", "[1]", "", "[2]", JsonConflictKind::kDeleteEdit},
      {"/new", "", "1", "{}", JsonConflictKind::kBothAdded},
      {"/x~1y/~0", "1", "2", "3"}};
  for (const JsonFavor favor : kFavors)
    BOOST_TEST((merge_json(base, ours, theirs, {.favor = favor}).conflicts == expected));
  BOOST_TEST((merge_json(base, ours, theirs, {.favor = JsonFavor::kTheirs}).value == theirs));
  BOOST_TEST((merge_json(base, ours, theirs, {.favor = JsonFavor::kOurs}).value == ours));
  BOOST_TEST((merge_json(base, ours, theirs).value == ours));
}

BOOST_AUTO_TEST_CASE(a_favored_side_wins_only_at_the_conflict) {
  const JsonMerge merge =
      merge_json(json(R"({"a":1,"b":1,"c":[1]})"), json(R"({"a":2,"b":2,"c":[2]})"),
                 json(R"({"a":1,"b":3,"c":[]})"), {.favor = JsonFavor::kTheirs});
  BOOST_TEST(to_json(merge.value) == R"({"a":2,"b":3,"c":[]})");
}

BOOST_AUTO_TEST_CASE(laws_hold_for_random_triples) {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 20'000);
  std::uint64_t clean = 0;
  std::uint64_t mixed = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("WAGGLE_SEED=" << seed << " WAGGLE_SCHEDULES=1") {
      Prng prng(seed);
      Triple triple{random_value(prng, 3), {}, {}};
      triple.ours = triple.theirs = triple.base;
      for (std::uint64_t i = 1 + prng.below(4); i > 0; --i)
        triple.ours = changed(prng, triple.ours);
      for (std::uint64_t i = 1 + prng.below(4); i > 0; --i)
        triple.theirs = changed(prng, triple.theirs);
      check_laws(triple);
      const JsonMerge merge = merge_json(triple.base, triple.ours, triple.theirs);
      const bool own = merge.value != triple.ours && merge.value != triple.theirs;
      clean += own && merge.conflicts.empty() ? 1 : 0;
      mixed += own && !merge.conflicts.empty() ? 1 : 0;
    }
  }
  // The triples are worth something: many results are neither side's.
  if (count >= 1000) {
    BOOST_TEST(clean > count / 20);
    BOOST_TEST(mixed > count / 50);
  }
}

BOOST_AUTO_TEST_CASE(two_levels_of_scalars_agree_with_the_oracle) {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 20'000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("WAGGLE_SEED=" << seed << " WAGGLE_SCHEDULES=1") {
      Prng prng(seed);
      const Triple triple{random_two_levels(prng), random_two_levels(prng),
                          random_two_levels(prng)};
      const Oracle oracle(triple);
      const JsonMerge merge = merge_json(triple.base, triple.ours, triple.theirs);
      std::set<std::string> conflicts;
      for (const JsonConflict& conflict : merge.conflicts) conflicts.insert(conflict.path);
      BOOST_REQUIRE((conflicts == oracle.conflicts()));
      BOOST_REQUIRE((leaves_for_oracle(merge.value, triple) == oracle.leaves()));
    }
  }
}

JsonValue::Array joined(const JsonValue::Array& a, const JsonValue::Array& b,
                        const JsonValue::Array& c) {
  JsonValue::Array all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  return all;
}

// Where each side changed one end and an item that nowhere else occurs stands between, the result
// is known without a comparison of items.
BOOST_AUTO_TEST_CASE(changes_of_an_array_on_either_side_of_an_item_that_stays_are_joined) {
  const std::uint64_t first = from_environment("WAGGLE_SEED", 1);
  const std::uint64_t count = from_environment("WAGGLE_SCHEDULES", 20'000);
  const JsonValue::Array middle = {{std::string("middle")}};
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    BOOST_TEST_CONTEXT("WAGGLE_SEED=" << seed << " WAGGLE_SCHEDULES=1") {
      Prng prng(seed);
      const auto some = [&prng] {
        JsonValue::Array items;
        for (std::uint64_t i = prng.below(6); i > 0; --i) items.push_back(random_scalar(prng));
        return items;
      };
      const JsonValue::Array front = some();
      const JsonValue::Array back = some();
      const JsonValue::Array our_front = some();
      const JsonValue::Array their_back = some();
      const JsonMerge merge =
          merge_json({joined(front, middle, back)}, {joined(our_front, middle, back)},
                     {joined(front, middle, their_back)});
      BOOST_REQUIRE(merge.conflicts.empty());
      BOOST_REQUIRE((merge.value == JsonValue{joined(our_front, middle, their_back)}));
    }
  }
}

JsonValue numbers(std::size_t from, std::size_t to) {
  JsonValue::Array items;
  for (std::size_t i = from; i < to; ++i) items.push_back({JsonValue::Number{std::to_string(i)}});
  return {items};
}

BOOST_AUTO_TEST_CASE(an_array_beyond_the_bound_is_a_conflict_as_a_whole) {
  for (const std::size_t size : {kJsonArrayItemsMax, kJsonArrayItemsMax + 1}) {
    const JsonValue base = numbers(0, size);
    JsonValue ours = base;
    ours.array()->front() = {true};
    JsonValue theirs = base;
    theirs.array()->back() = {false};
    JsonValue both = ours;
    both.array()->back() = {false};
    const JsonMerge merge = merge_json(base, ours, theirs);
    const bool within = size <= kJsonArrayItemsMax;
    BOOST_TEST((merge.value == (within ? both : ours)));
    BOOST_TEST(merge.conflicts.size() == (within ? 0U : 1U));
    // One side's change needs no comparison of items.
    BOOST_TEST((merge_json(base, ours, base).value == ours));
  }
}

BOOST_AUTO_TEST_CASE(work_on_many_large_arrays_is_bounded_alike_for_both_sides) {
  const auto many = [](std::size_t from) {
    JsonValue::Object members;
    for (int i = 0; i < 100; ++i) {
      JsonValue items = numbers(0, 1500);
      if (from == 1) items.array()->front() = {true};
      if (from == 2) items.array()->back() = {true};
      members.emplace(std::to_string(i), std::move(items));
    }
    return JsonValue{members};
  };
  const JsonMerge merge = merge_json(many(0), many(1), many(2), {.favor = JsonFavor::kOurs});
  BOOST_TEST(!merge.conflicts.empty());
  BOOST_TEST(merge.conflicts.size() < 100U);
  const JsonMerge mirror = merge_json(many(0), many(2), many(1), {.favor = JsonFavor::kTheirs});
  BOOST_TEST((mirror.value == merge.value));
}

BOOST_AUTO_TEST_CASE(many_conflicts_below_a_long_path_become_one) {
  const auto with = [](std::size_t name_bytes, const char* value) {
    JsonValue::Object inner;
    for (int i = 0; i < 1000; ++i) inner.emplace(std::to_string(i), json(value));
    JsonValue::Object outer;
    outer.emplace(std::string(name_bytes, 'n'), JsonValue{inner});
    return JsonValue{outer};
  };
  BOOST_TEST(merge_json(with(9, "0"), with(9, "1"), with(9, "2")).conflicts.size() == 1000U);
  const JsonMerge merge = merge_json(with(100'000, "0"), with(100'000, "1"), with(100'000, "2"),
                                     {.favor = JsonFavor::kTheirs});
  BOOST_TEST(merge.conflicts.size() == 1U);
  BOOST_TEST((merge.value == with(100'000, "2")));
}

BOOST_AUTO_TEST_CASE(the_deepest_nesting_is_merged) {
  const auto deep = [](const char* leaf) {
    std::string text;
    for (std::size_t i = 0; i < kJsonNestingMax; ++i) text += R"({"a":)";
    text += leaf;
    text += std::string(kJsonNestingMax, '}');
    return json(text);
  };
  const JsonMerge merge =
      merge_json(deep("1"), deep("2"), deep("3"), {.favor = JsonFavor::kTheirs});
  BOOST_REQUIRE(merge.conflicts.size() == 1U);
  BOOST_TEST(merge.conflicts.front().path.size() == 2 * kJsonNestingMax);
  BOOST_TEST((merge.value == deep("3")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
