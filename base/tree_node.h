#pragma once

// The nodes of PersistentMap's B+-tree (Comer, "The ubiquitous B-tree", 1979). Inner header.
//
// All leaves are at the same depth; every node but the root is at least half full. Nodes are shared
// by the versions of a map and by other nodes' copies; only a node with a single owner, whose
// ancestors have a single owner too, may be changed (Rodeh, "B-trees, shadowing, and clones",
// 2008).
//
// An inner node holds no keys of its own, it points at the least key below each child. So copying
// an inner node counts references and copies no key. Safety: the child holds the key's leaf, and
// whoever changes something below a child refreshes the slot on the way back up.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"

namespace waggle {

template <typename K, typename V>
struct TreeNode {
  using Ptr = std::shared_ptr<TreeNode>;
  using Entry = std::pair<K, V>;
  struct Slot {
    explicit Slot(Ptr node) : child(std::move(node)), low(&child->low()) {}
    void refresh() { low = &child->low(); }
    Ptr child;     // never null
    const K* low;  // the least key below the child
  };

  // One less than a power of two, so that a vector that doubles has no room to spare when a node is
  // overfull and about to be split. Larger leaves copy more for each write to a shared version,
  // smaller ones make the tree deeper.
  static constexpr std::size_t kMost = 15;
  static constexpr std::size_t kLeast = kMost / 2;

  [[nodiscard]] bool leaf() const { return slots.empty(); }
  [[nodiscard]] std::size_t fill() const { return leaf() ? entries.size() : slots.size(); }
  [[nodiscard]] bool overfull() const { return fill() > kMost; }
  // REQUIRES: not empty.
  [[nodiscard]] const K& low() const { return leaf() ? entries.front().first : *slots.front().low; }

  // With before(key) true for all keys up to some place and false after it: a leaf's first entry
  // after the place; an inner node's child that holds the place.
  template <typename Before>
  [[nodiscard]] std::size_t find_place(const Before& before) const {
    if (leaf()) {
      const auto after =
          std::partition_point(entries.begin(), entries.end(),
                               [&before](const Entry& entry) { return before(entry.first); });
      return static_cast<std::size_t>(after - entries.begin());
    }
    const auto after = std::partition_point(
        slots.begin() + 1, slots.end(), [&before](const Slot& slot) { return before(*slot.low); });
    return static_cast<std::size_t>(after - slots.begin()) - 1;
  }

  // Empty, or all entries of a leaf, or all slots of an inner node.
  std::vector<Entry> entries;
  std::vector<Slot> slots;
};

// Checks all below a node, and gives its height. `last` is the greatest key so far, or null.
template <typename Less, typename K, typename V>
std::size_t check_tree(const TreeNode<K, V>& node, const K*& last) {
  using Node = TreeNode<K, V>;
  WAGGLE_CHECK(node.entries.empty() != node.slots.empty());
  WAGGLE_CHECK(!node.overfull());
  for (const auto& [key, value] : node.entries) {
    WAGGLE_CHECK(last == nullptr || Less{}(*last, key));
    last = &key;
  }
  std::size_t height = 0;
  for (const auto& slot : node.slots) {
    WAGGLE_CHECK(slot.low == &slot.child->low());
    WAGGLE_CHECK(slot.child->fill() >= Node::kLeast);
    const std::size_t height_of_child = check_tree<Less>(*slot.child, last);
    WAGGLE_CHECK(height == 0 || height == height_of_child);
    height = height_of_child;
  }
  return height + 1;
}

}  // namespace waggle
