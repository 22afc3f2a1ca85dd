#pragma once

// A place in PersistentMap's tree, and the walk over two trees that passes over what they share.
// Inner header.

#include <array>
#include <compare>
#include <cstddef>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/tree_node.h"

namespace waggle {

// Stands before an entry, or before a whole child that it can enter or skip. Moves in the order of
// the keys. Is valid as long as the tree's root is held and not changed.
template <typename K, typename V>
class TreeCursor {
 public:
  using Node = TreeNode<K, V>;

  TreeCursor() = default;  // at the end
  // Before the first item of the root. Null: an empty tree.
  explicit TreeCursor(const Node* root) {
    if (root == nullptr) return;
    height_ = 1;
    for (const Node* node = root; !node->leaf(); node = node->slots.front().child.get()) ++height_;
    WAGGLE_CHECK(height_ <= kHeightMax);
    push(root, 0);
  }

  // Before what comes after all keys that are before(key); see TreeNode::find_place().
  template <typename Before>
  [[nodiscard]] static TreeCursor at_place(const Node* root, const Before& before) {
    TreeCursor cursor(root);
    if (root == nullptr) return cursor;
    cursor.top().index = root->find_place(before);
    while (cursor.level() > 0) cursor.enter(cursor.child().find_place(before));
    cursor.settle();
    return cursor;
  }

  [[nodiscard]] bool at_end() const { return depth_ == 0; }
  // 0: an entry; 1: a leaf; more: an inner node. REQUIRES: not at the end, as for all below.
  [[nodiscard]] std::size_t level() const { return height_ - depth_; }
  [[nodiscard]] const std::pair<K, V>& entry() const { return top().node->entries[top().index]; }
  [[nodiscard]] const Node& child() const { return *top().node->slots[top().index].child; }
  [[nodiscard]] const K& low() const {
    return level() == 0 ? entry().first : *top().node->slots[top().index].low;
  }

  // Goes before the first item of the child. REQUIRES: level() > 0.
  void enter() { enter(0); }
  void enter_to_entry() {
    while (!at_end() && level() > 0) enter();
  }
  void skip() {
    ++top().index;
    settle();
  }

  friend bool operator==(const TreeCursor& a, const TreeCursor& b) {
    return a.depth_ == b.depth_ && (a.at_end() || a.top() == b.top());
  }

 private:
  struct Frame {
    const Node* node;
    std::size_t index;
    friend bool operator==(const Frame&, const Frame&) = default;
  };
  // Bound: each level has at least kLeast children for a child of the one above it, so that the
  // entries of a higher tree would not fit into any memory.
  static constexpr std::size_t kHeightMax = 24;

  void push(const Node* node, std::size_t index) { frames_[depth_++] = {node, index}; }
  void enter(std::size_t index) { push(&child(), index); }
  // Leaves the nodes of which nothing is left.
  void settle() {
    while (depth_ > 0 && top().index == top().node->fill()) {
      --depth_;
      if (depth_ > 0) ++top().index;
    }
  }
  Frame& top() { return frames_[depth_ - 1]; }
  const Frame& top() const { return frames_[depth_ - 1]; }

  std::array<Frame, kHeightMax> frames_;
  std::size_t depth_ = 0;
  std::size_t height_ = 0;
};

// A cursor that stands before entries only.
template <typename K, typename V>
class TreeIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = std::pair<K, V>;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  TreeIterator() = default;  // at the end
  explicit TreeIterator(TreeCursor<K, V> cursor) : cursor_(std::move(cursor)) {
    cursor_.enter_to_entry();
  }
  reference operator*() const { return cursor_.entry(); }
  pointer operator->() const { return &cursor_.entry(); }
  TreeIterator& operator++() {
    cursor_.skip();
    cursor_.enter_to_entry();
    return *this;
  }
  TreeIterator operator++(int) {
    TreeIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const TreeIterator&, const TreeIterator&) = default;

 private:
  TreeCursor<K, V> cursor_;
};

// Which of the two stands before the lesser key; the end is after all keys.
template <typename Less, typename K, typename V>
[[nodiscard]] std::weak_ordering order_of(const TreeCursor<K, V>& a, const TreeCursor<K, V>& b) {
  if (a.at_end() || b.at_end()) return a.at_end() <=> b.at_end();
  const K& low_of_a = a.low();
  const K& low_of_b = b.low();
  if (&low_of_a == &low_of_b) return std::weak_ordering::equivalent;
  if (Less{}(low_of_a, low_of_b)) return std::weak_ordering::less;
  return Less{}(low_of_b, low_of_a) ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

// Calls visit(key, from or null, to or null) for each key of which the trees differ, in order,
// until it says false. Gives whether it never did.
//
// The cursor before the lesser key goes on, into its child or over its entry, and of two before the
// same key the one at the higher level. A node that both trees hold begins with the same key and is
// at the same level in both, so both cursors come to stand before it together, and skip it: what is
// read are the nodes that are in one tree only, whatever the shapes of the trees.
template <typename Less, typename K, typename V, typename Visit>
bool visit_differences(const TreeNode<K, V>* from, const TreeNode<K, V>* to, const Visit& visit) {
  if (from == to) return true;
  constexpr const V* kNone = nullptr;
  TreeCursor<K, V> a(from);
  TreeCursor<K, V> b(to);
  while (!a.at_end() || !b.at_end()) {
    const std::weak_ordering order = order_of<Less>(a, b);
    if (order < 0 || (order == 0 && a.level() > b.level())) {
      if (a.level() > 0) {
        a.enter();
        continue;
      }
      if (!visit(a.entry().first, &a.entry().second, kNone)) return false;
      a.skip();
    } else if (order > 0 || a.level() < b.level()) {
      if (b.level() > 0) {
        b.enter();
        continue;
      }
      if (!visit(b.entry().first, kNone, &b.entry().second)) return false;
      b.skip();
    } else if (a.level() > 0 && &a.child() != &b.child()) {
      a.enter();
      b.enter();
    } else {
      if (a.level() == 0 && !(a.entry().second == b.entry().second) &&
          !visit(b.entry().first, &a.entry().second, &b.entry().second))
        return false;
      a.skip();
      b.skip();
    }
  }
  return true;
}

}  // namespace waggle
