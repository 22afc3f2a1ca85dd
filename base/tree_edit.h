#pragma once

// How PersistentMap's tree is built and changed. Inner header.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/tree_node.h"

namespace waggle {

// True when nobody else can see the node. use_count() alone would not order our writes after the
// reads of a thread that has just dropped its version; taking and dropping a reference does,
// because the drop acquires what earlier drops released.
template <typename Node>
[[nodiscard]] bool sole_owner(const std::shared_ptr<Node>& node) {
  if (node.use_count() != 1) return false;
  std::shared_ptr<Node>(node).reset();
  return true;
}

// The node for changing: itself, or a copy in its place when others see it.
template <typename Node>
[[nodiscard]] Node& writable(std::shared_ptr<Node>& node) {
  if (!sole_owner(node)) {
    auto copy = std::make_shared<Node>();
    copy->entries.reserve(node->leaf() ? node->entries.size() + 1 : 0);
    copy->entries.assign(node->entries.begin(), node->entries.end());
    copy->slots.reserve(node->leaf() ? 0 : node->slots.size() + 1);
    copy->slots.assign(node->slots.begin(), node->slots.end());
    node = std::move(copy);
  }
  return *node;
}

// Moves the upper half into a new node. REQUIRES: the node may be changed, as for all below.
template <typename Node>
[[nodiscard]] std::shared_ptr<Node> split(Node& node) {
  auto right = std::make_shared<Node>();
  const auto move_half = [](auto& from, auto& to) {
    const auto middle = from.begin() + static_cast<std::ptrdiff_t>(from.size() / 2);
    to.assign(std::make_move_iterator(middle), std::make_move_iterator(from.end()));
    from.erase(middle, from.end());
  };
  move_half(node.entries, right->entries);
  move_half(node.slots, right->slots);
  return right;
}

// Appends what the right neighbour of the same level holds, which is not used any more.
template <typename Node>
void join(Node& left, std::shared_ptr<Node> right) {
  const auto append = [owned = sole_owner(right)](auto& to, auto& from) {
    to.reserve(to.size() + from.size());
    if (owned) {
      std::move(from.begin(), from.end(), std::back_inserter(to));
    } else {
      to.insert(to.end(), from.begin(), from.end());
    }
  };
  append(left.entries, right->entries);
  append(left.slots, right->slots);
}

template <typename Node>
void split_child(Node& parent, std::size_t index) {
  auto right = split(*parent.slots[index].child);
  parent.slots.emplace(parent.slots.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                       std::move(right));
}

// Joins a child that has too little with a neighbour, and if that is too much shares it out evenly.
// REQUIRES: the child may be changed.
template <typename Node>
void refill_child(Node& parent, std::size_t index) {
  const std::size_t left = index > 0 ? index - 1 : index;
  const auto right = parent.slots.begin() + static_cast<std::ptrdiff_t>(left) + 1;
  Node& joined = writable(parent.slots[left].child);
  join(joined, std::move(right->child));
  parent.slots.erase(right);
  if (joined.overfull()) split_child(parent, left);
  parent.slots[left].refresh();
}

// Null for no entries. Takes O(n) and never compares.
template <typename K, typename V>
[[nodiscard]] std::shared_ptr<TreeNode<K, V>> build_tree(std::vector<std::pair<K, V>> entries) {
  using Node = TreeNode<K, V>;
  if (entries.empty()) return nullptr;
  // Nodes that take the items in order and evenly, as few as can be.
  const auto deal = [](auto& items, auto Node::* place) {
    std::vector<std::shared_ptr<Node>> nodes((items.size() + Node::kMost - 1) / Node::kMost);
    auto next = std::make_move_iterator(items.begin());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::size_t end = items.size() * (i + 1) / nodes.size();
      const auto last = std::make_move_iterator(items.begin() + static_cast<std::ptrdiff_t>(end));
      nodes[i] = std::make_shared<Node>();
      ((*nodes[i]).*place).assign(next, last);
      next = last;
    }
    return nodes;
  };
  auto nodes = deal(entries, &Node::entries);
  while (nodes.size() > 1) {
    std::vector<typename Node::Slot> slots;
    slots.reserve(nodes.size());
    for (auto& node : nodes) slots.emplace_back(std::move(node));
    nodes = deal(slots, &Node::slots);
  }
  return std::move(nodes.front());
}

}  // namespace waggle
