// PersistentMap against std::map: every version that is kept must stay as it was, whatever happens
// to its relatives.

#include "base/persistent_map.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"

namespace waggle {
namespace {

// Comparisons of keys and of values, which show what a search or a walk reads. Values count because
// keys that are one object aren't compared, and such are all below a node that two maps share.
std::size_t comparisons = 0;

struct Tags {
  std::vector<std::uint64_t> tags;
  friend bool operator==(const Tags& a, const Tags& b) {
    ++comparisons;
    return a.tags == b.tags;
  }
};

struct WeighTags {
  Weight operator()(const std::string& key, const Tags& value) const {
    CanonicalBytes bytes;
    bytes.text(key);
    for (const std::uint64_t tag : value.tags) bytes.u64(tag);
    return {hash128(bytes.bytes()), key.size() + 8 * value.tags.size()};
  }
};

struct CountingLess {
  bool operator()(std::string_view a, std::string_view b) const {
    ++comparisons;
    return a < b;
  }
};

using Tree = PersistentMap<std::string, Tags, WeighTags, CountingLess>;
using Plain = std::map<std::string, Tags, std::less<>>;

struct Change {
  std::string key;
  std::optional<Tags> from;
  std::optional<Tags> to;
  friend bool operator==(const Change&, const Change&) = default;
};

std::vector<Change> diff_of(const Tree& from, const Tree& to) {
  std::vector<Change> changes;
  Tree::diff(from, to, [&](const std::string& key, const Tags* earlier, const Tags* later) {
    Change& change = changes.emplace_back(key);
    if (earlier != nullptr) change.from = *earlier;
    if (later != nullptr) change.to = *later;
  });
  return changes;
}

std::vector<Change> diff_of(const Plain& from, const Plain& to) {
  std::map<std::string, Change> changes;
  for (const auto& [key, value] : from) changes[key] = {key, value, std::nullopt};
  for (const auto& [key, value] : to) {
    changes[key].key = key;
    changes[key].to = value;
  }
  std::vector<Change> differing;
  for (const auto& [key, change] : changes)
    if (change.from != change.to) differing.push_back(change);
  return differing;
}

Weight weight_of(const Plain& plain) {
  Weight weight;
  for (const auto& [key, value] : plain) weight += WeighTags{}(key, value);
  return weight;
}

bool same(const Tree& tree, const Plain& plain) {
  return tree.size() == plain.size() && tree.empty() == plain.empty() &&
         tree.weight() == weight_of(plain) &&
         std::ranges::equal(tree, plain, [](const auto& a, const auto& b) {
           return a.first == b.first && a.second == b.second;
         });
}

std::string key_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "element/" + std::string(8 - digits.size(), '0') + digits;
}

std::vector<std::pair<std::string, Tags>> entries_of(std::size_t count) {
  std::vector<std::pair<std::string, Tags>> entries;
  for (std::size_t i = 0; i < count; ++i) entries.emplace_back(key_of(10 * i), Tags{{i}});
  return entries;
}

struct Version {
  Tree tree;
  Plain plain;
};

// Changes a version at random, in stretches that mostly add or mostly remove, so that the tree
// gains and loses levels, and copies and swaps versions in between.
class World {
 public:
  explicit World(std::uint64_t seed) : prng_(seed), keys_(16 + prng_.below(3000)) {}

  void step() {
    if (prng_.chance(1, 400)) growing_ = !growing_;
    if (prng_.chance(1, 100)) keep();
    const std::string key = key_of(prng_.below(keys_));
    if (prng_.chance(growing_ ? 4 : 1, 5)) {
      const Tags value{{prng_.below(3)}};
      now_.tree.set(key, value);
      now_.plain.insert_or_assign(key, value);
    } else {
      BOOST_REQUIRE_EQUAL(now_.tree.erase(key), now_.plain.erase(key) == 1);
    }
  }

  // A stretch of neighbouring keys goes, so that whole nodes do.
  void erase_stretch() {
    const std::uint64_t start = prng_.below(keys_);
    for (std::uint64_t i = start; i < std::min(keys_, start + keys_ / 4); ++i) {
      const std::string key = key_of(i);
      BOOST_REQUIRE_EQUAL(now_.tree.erase(key), now_.plain.erase(key) == 1);
    }
  }

  void check_lookups() {
    for (int i = 0; i < 20; ++i) {
      const std::string key = key_of(prng_.below(keys_ + 2));
      const auto held = now_.plain.find(key);
      const Tags* found = now_.tree.find(std::string_view(key));
      BOOST_REQUIRE_EQUAL(found != nullptr, held != now_.plain.end());
      if (found != nullptr) BOOST_REQUIRE(*found == held->second);
      check_rest(now_.tree.lower_bound(key), now_.plain.lower_bound(key));
      check_rest(now_.tree.upper_bound(key), now_.plain.upper_bound(key));
    }
    now_.tree.check_invariants();
  }

  void check_versions() {
    keep();
    for (const Version& version : kept_) {
      BOOST_REQUIRE(same(version.tree, version.plain));
      version.tree.check_invariants();
      const Version& other = kept_[prng_.below(kept_.size())];
      BOOST_REQUIRE(diff_of(other.tree, version.tree) == diff_of(other.plain, version.plain));
      BOOST_REQUIRE_EQUAL(other.tree == version.tree, other.plain == version.plain);
    }
  }

 private:
  // Keeps the version, and goes on from it or from an earlier one.
  void keep() {
    kept_.push_back(now_);
    if (prng_.chance(1, 4)) now_ = kept_[prng_.below(kept_.size())];
    if (kept_.size() > 24)
      kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(prng_.below(24)));
  }

  // The next few entries are the same.
  void check_rest(Tree::const_iterator at, Plain::const_iterator expected) const {
    for (int i = 0; i < 20 && expected != now_.plain.end(); ++i, ++at, ++expected) {
      BOOST_REQUIRE(at != now_.tree.end());
      BOOST_REQUIRE_EQUAL(at->first, expected->first);
    }
    if (expected == now_.plain.end()) BOOST_REQUIRE(at == now_.tree.end());
  }

  Prng prng_;
  std::uint64_t keys_;
  bool growing_ = true;
  Version now_;
  std::vector<Version> kept_;
};

// As a map's field is: the value holds what is only complete later, and that holds maps again.
struct Inner;
struct Holder {
  std::shared_ptr<const Inner> inner;
  friend bool operator==(const Holder& a, const Holder& b);
};
struct WeighHolder {
  Weight operator()(const std::string& key, const Holder& holder) const;
};
struct Outer {
  PersistentMap<std::string, Holder, WeighHolder> fields;
  friend bool operator==(const Outer&, const Outer&) = default;
};
struct Inner {
  Outer outer;
};
bool operator==(const Holder& a, const Holder& b) {
  return a.inner == b.inner || a.inner->outer == b.inner->outer;
}
Weight WeighHolder::operator()(const std::string& key, const Holder& holder) const {
  Weight weight = holder.inner->outer.fields.weight();
  weight += {hash128(key), key.size()};
  return weight;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persistent_map)

BOOST_AUTO_TEST_CASE(random_versions_are_as_plain_maps_and_never_change) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      World world(seed);
      for (int i = 0; i < 3000; ++i) {
        world.step();
        if (i % 700 == 699) world.erase_stretch();
        if (i % 100 == 99) world.check_lookups();
      }
      world.check_versions();
    }
  }
}

BOOST_AUTO_TEST_CASE(bulk_load_of_any_size_is_a_whole_tree) {
  for (std::size_t count = 0; count <= 2000; ++count) {
    BOOST_TEST_CONTEXT("count " << count) {
      const auto entries = entries_of(count);
      const Tree tree = Tree::from_sorted(entries);
      tree.check_invariants();
      BOOST_REQUIRE_EQUAL(tree.size(), count);
      BOOST_REQUIRE(std::ranges::equal(tree, entries));
    }
  }
}

BOOST_AUTO_TEST_CASE(bulk_load_equals_single_sets_in_any_order) {
  auto entries = entries_of(2000);
  const Tree loaded = Tree::from_sorted(entries);
  Tree rising;
  for (const auto& [key, value] : entries) rising.set(key, value);
  Tree falling;
  std::ranges::reverse(entries);
  for (const auto& [key, value] : entries) falling.set(key, value);
  rising.check_invariants();
  falling.check_invariants();
  BOOST_TEST((loaded == rising));
  BOOST_TEST((loaded == falling));
  BOOST_TEST(diff_of(rising, falling).empty());
}

BOOST_AUTO_TEST_CASE(erase_to_empty_from_either_end_and_the_middle) {
  const std::size_t count = 1000;
  const Tree full = Tree::from_sorted(entries_of(count));
  for (const int end : {0, 1, 2}) {
    Tree tree = full;
    for (std::size_t left = count; left > 0; --left) {
      BOOST_REQUIRE_EQUAL(tree.size(), left);
      auto at = tree.begin();
      if (end == 1) at = tree.lower_bound(key_of(10 * (left - 1)));
      if (end == 2) std::advance(at, left / 2);
      BOOST_REQUIRE(tree.erase(at->first));
      tree.check_invariants();
    }
    BOOST_TEST(tree.empty());
    BOOST_TEST((tree == Tree()));
    BOOST_TEST((tree.begin() == tree.end()));
    BOOST_TEST((tree.weight() == Weight{}));
  }
  full.check_invariants();
  BOOST_TEST(full.size() == count);
}

BOOST_AUTO_TEST_CASE(erase_of_an_absent_key_says_so_and_copies_nothing) {
  Tree tree = Tree::from_sorted(entries_of(500));
  const Tree before = tree;
  for (const char* absent : {"", "element/00000005", "zebra"}) BOOST_TEST(!tree.erase(absent));
  BOOST_TEST(!Tree().erase("any"));
  BOOST_TEST(tree.find(key_of(0)) == before.find(key_of(0)));
}

BOOST_AUTO_TEST_CASE(erase_takes_a_key_that_is_in_the_map) {
  Tree tree = Tree::from_sorted(entries_of(300));
  const Tree before = tree;
  while (!tree.empty()) BOOST_REQUIRE(tree.erase(tree.begin()->first));
  BOOST_TEST(before.size() == 300U);
}

BOOST_AUTO_TEST_CASE(bounds_of_present_and_absent_keys) {
  const Tree tree = Tree::from_sorted(entries_of(100));  // 0, 10, ... 990
  const auto number_at = [&](Tree::const_iterator at) {
    return at == tree.end() ? -1 : std::stoi(at->first.substr(8));
  };
  for (int i = 0; i < 1000; ++i) {
    const std::string key = key_of(static_cast<std::uint64_t>(i));
    const int next = i / 10 * 10 + 10 > 990 ? -1 : i / 10 * 10 + 10;
    BOOST_REQUIRE_EQUAL(number_at(tree.upper_bound(key)), next);
    BOOST_REQUIRE_EQUAL(number_at(tree.lower_bound(key)), i % 10 == 0 ? i : next);
  }
  BOOST_TEST(number_at(tree.lower_bound("")) == 0);
  BOOST_TEST((Tree().lower_bound("a") == Tree().end()));
  BOOST_TEST((Tree().upper_bound("a") == Tree().end()));
}

BOOST_AUTO_TEST_CASE(iterators_are_forward_iterators) {
  static_assert(std::forward_iterator<Tree::const_iterator>);
  const Tree tree = Tree::from_sorted(entries_of(40));
  auto at = tree.begin();
  const auto first = at++;
  BOOST_TEST(first->first == key_of(0));
  BOOST_TEST(at->first == key_of(10));
  BOOST_TEST((first == tree.begin()));
  BOOST_TEST((first != at));
  BOOST_TEST(std::distance(tree.begin(), tree.end()) == 40);
}

BOOST_AUTO_TEST_CASE(a_shared_node_is_copied_and_an_own_one_changed_in_place) {
  Tree tree = Tree::from_sorted(entries_of(1000));
  const Tags* held = tree.find(key_of(500));
  tree.set(key_of(500), {{77}});
  BOOST_TEST(tree.find(key_of(500)) == held);

  const Tree version = tree;
  tree.set(key_of(500), {{78}});
  BOOST_TEST(version.find(key_of(500)) == held);
  BOOST_TEST((*held == Tags{{77}}));
  BOOST_TEST((*tree.find(key_of(500)) == Tags{{78}}));

  // Once copied it is its own again, and only that one leaf was copied.
  const Tags* copied = tree.find(key_of(500));
  tree.set(key_of(500), {{79}});
  BOOST_TEST(tree.find(key_of(500)) == copied);
  const auto unshared = std::ranges::count_if(
      tree, [&](const auto& entry) { return version.find(entry.first) != &entry.second; });
  BOOST_TEST(unshared >= 1);
  BOOST_TEST(unshared <= 15);
}

BOOST_AUTO_TEST_CASE(diff_of_ten_changes_in_ten_thousand_reads_few_entries) {
  const Tree from = Tree::from_sorted(entries_of(10000));
  Prng prng(42);
  for (const bool insert : {false, true}) {
    Tree to = from;
    std::map<std::string, int> changed;
    while (changed.size() < 10) {
      const std::string key = key_of(10 * prng.below(10000) + (insert ? 5 : 0));
      to.set(key, {{1, 2}});
      changed[key] = 1;
    }
    comparisons = 0;
    BOOST_TEST(diff_of(from, to).size() == 10U);
    // Ten leaves of at most 15 entries, split or not, three comparisons each, and the slots of
    // their ancestors that are met while the other side is inside a leaf.
    BOOST_TEST(comparisons < 600U);
    comparisons = 0;
    BOOST_TEST(!(from == to));
    BOOST_TEST(comparisons == 0U);  // the weights differ
  }
}

// Also where the key goes after the last one of a leaf, and one side is done with the leaf first.
BOOST_AUTO_TEST_CASE(diff_of_one_insertion_anywhere_reads_one_leaf) {
  const std::size_t count = 2000;
  const Tree without = Tree::from_sorted(entries_of(count));
  std::size_t most = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Tree with = without;
    with.set(key_of(10 * i + 5), {{1}});
    comparisons = 0;
    BOOST_REQUIRE_EQUAL(diff_of(without, with).size(), 1U);
    BOOST_REQUIRE_EQUAL(diff_of(with, without).size(), 1U);
    most = std::max(most, comparisons / 2);
  }
  // At most 15 entries of the copied leaf at three each, the new one at two, the slots of the leaf
  // and of the node above it at two each, and two when the right half of a split leaf is entered.
  BOOST_TEST(most <= 15U * 3 + 2 + 4 + 2);
}

BOOST_AUTO_TEST_CASE(diff_passes_over_what_is_shared_when_heights_differ) {
  // 15^3 entries fill three levels; a few more add a fourth.
  std::vector<std::pair<std::string, Tags>> entries = entries_of(15 * 15 * 15);
  const Tree from = Tree::from_sorted(std::move(entries));
  Tree to = from;
  for (std::uint64_t i = 1; i <= 3; ++i) to.set(key_of(10 * 1500 + i), {{i}});
  to.check_invariants();
  for (const auto& [a, b] : {std::pair(from, to), std::pair(to, from)}) {
    comparisons = 0;
    BOOST_TEST(diff_of(a, b).size() == 3U);
    BOOST_TEST(comparisons < 150U);
  }
}

BOOST_AUTO_TEST_CASE(diff_of_a_map_with_itself_or_its_copy_reads_nothing) {
  const Tree tree = Tree::from_sorted(entries_of(1000));
  const Tree copy = tree;
  comparisons = 0;
  BOOST_TEST(diff_of(tree, copy).empty());
  BOOST_TEST((tree == copy));
  BOOST_TEST(comparisons == 0U);
}

BOOST_AUTO_TEST_CASE(diff_of_unrelated_maps_is_exact) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Prng prng(seed);
      Version versions[2];
      for (Version& version : versions) {
        const std::uint64_t count = prng.below(400);
        for (std::uint64_t i = 0; i < count; ++i) {
          const std::string key = key_of(prng.below(500));
          const Tags value{{prng.below(2)}};
          version.tree.set(key, value);
          version.plain.insert_or_assign(key, value);
        }
      }
      BOOST_REQUIRE(diff_of(versions[0].tree, versions[1].tree) ==
                    diff_of(versions[0].plain, versions[1].plain));
      BOOST_REQUIRE(diff_of(versions[0].tree, Tree()) == diff_of(versions[0].plain, Plain()));
      BOOST_REQUIRE(diff_of(Tree(), versions[1].tree) == diff_of(Plain(), versions[1].plain));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_set_and_set_back_is_no_difference) {
  const Tree from = Tree::from_sorted(entries_of(200));
  Tree to = from;
  to.set(key_of(50), {{99}});
  BOOST_TEST((from != to));
  to.set(key_of(50), {{5}});
  BOOST_TEST((from == to));
  BOOST_TEST(diff_of(from, to).empty());
}

// Equal weights must not make unequal maps equal.
BOOST_AUTO_TEST_CASE(equality_does_not_rest_on_the_weight) {
  struct WeighNothing {
    Weight operator()(int, int) const { return {}; }
  };
  using Light = PersistentMap<int, int, WeighNothing>;
  BOOST_TEST((Light::from_sorted({{1, 1}, {2, 2}}) != Light::from_sorted({{1, 1}, {2, 3}})));
  BOOST_TEST((Light::from_sorted({{1, 1}, {2, 2}}) != Light::from_sorted({{1, 1}, {3, 2}})));
  BOOST_TEST((Light::from_sorted({{1, 1}, {2, 2}}) == Light::from_sorted({{1, 1}, {2, 2}})));
}

BOOST_AUTO_TEST_CASE(assignment_to_itself_keeps_and_moving_empties) {
  const auto entries = entries_of(100);
  Tree tree = Tree::from_sorted(entries);
  const Weight weight = tree.weight();
  Tree& itself = tree;
  tree = itself;
  tree.check_invariants();
  BOOST_TEST(tree.size() == 100U);
  tree = std::move(itself);
  tree.check_invariants();
  BOOST_TEST(tree.size() == 100U);

  const auto check_moved_from = [](Tree& from) {
    from.check_invariants();
    BOOST_TEST(from.empty());
    BOOST_TEST((from.weight() == Weight{}));
    BOOST_TEST((from.begin() == from.end()));
    from.set("again", {});
    from.check_invariants();
    BOOST_TEST(from.size() == 1U);
  };
  Tree constructed = std::move(tree);
  check_moved_from(tree);
  Tree assigned = Tree::from_sorted(entries_of(7));
  assigned = std::move(constructed);
  check_moved_from(constructed);
  BOOST_TEST((assigned.weight() == weight));
  BOOST_TEST(std::ranges::equal(assigned, entries));
}

BOOST_AUTO_TEST_CASE(a_value_may_hold_maps_of_its_own_kind) {
  const auto nest = [](const std::string& key, Outer inner) {
    Outer outer;
    outer.fields.set(key, {std::make_shared<const Inner>(Inner{std::move(inner)})});
    return outer;
  };
  const Outer deep = nest("a", nest("b", nest("c", {})));
  BOOST_TEST((deep == nest("a", nest("b", nest("c", {})))));
  BOOST_TEST((deep != nest("a", nest("b", nest("d", {})))));
  BOOST_TEST(deep.fields.weight().bytes == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle
