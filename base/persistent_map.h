#pragma once

// An ordered map whose copies are O(1) and share all that they have in common: for committed state,
// of which each commit makes a version that differs from the last in a few entries.
//
// It is a B+-tree whose nodes are counted. A change goes in place through nodes that only this map
// holds, and copies those that another version can see too, O(log n) of them (Driscoll et al.,
// "Making data structures persistent", 1989). Two versions are compared without reading what they
// share. Nodes are in base/tree_node.h, what changes them in base/tree_edit.h, the
// comparison in base/tree_cursor.h.
//
// The map keeps the sum of the weights of its entries, so that a digest and a size of the whole are
// there at any time. Weigh is a functor without state, Weight operator()(const K&, const V&) const.
//
// Threads: a map is a value that belongs to one thread, but its copies, which share nodes, may be
// handed to other threads and read, changed and dropped there. Nothing is thrown but bad_alloc.
//
// Cost, with n entries: find, set and erase O(log n); diff O(changed * log n) for versions of one
// lineage and O(n) for others; a bulk load O(n).

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "base/tree_cursor.h"
#include "base/tree_edit.h"
#include "base/tree_node.h"

namespace waggle {

struct Weight {
  Hash128 hash;
  std::size_t bytes = 0;
  Weight& operator+=(const Weight& other) {
    hash += other.hash;
    bytes += other.bytes;
    return *this;
  }
  Weight& operator-=(const Weight& other) {
    hash -= other.hash;
    bytes -= other.bytes;
    return *this;
  }
  friend bool operator==(const Weight&, const Weight&) = default;
};

// Keys are looked up as anything that Less compares with K. A pointer or an iterator into a map is
// valid until that map is changed, assigned or gone; changes of its copies don't matter to it.
template <typename K, typename V, typename Weigh, typename Less = std::less<>>
class PersistentMap {
 public:
  using Key = K;
  using Mapped = V;
  using const_iterator = TreeIterator<K, V>;

  PersistentMap() = default;
  // REQUIRES: strictly rising keys.
  [[nodiscard]] static PersistentMap from_sorted(std::vector<std::pair<K, V>> entries);
  PersistentMap(const PersistentMap&) = default;
  PersistentMap(PersistentMap&& other) noexcept { swap(other); }
  PersistentMap& operator=(PersistentMap other) noexcept {
    swap(other);
    return *this;
  }
  ~PersistentMap() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const Weight& weight() const { return weight_; }

  // Null when there is none.
  template <typename Q>
  [[nodiscard]] const V* find(const Q& key) const;
  template <typename Q>
  [[nodiscard]] bool contains(const Q& key) const {
    return find(key) != nullptr;
  }

  // Inserts or replaces.
  void set(K key, V value);
  // Gives whether it was there. The key may be the map's own.
  template <typename Q>
  bool erase(const Q& key);

  // In the order of the keys.
  [[nodiscard]] const_iterator begin() const { return const_iterator(Cursor(root_.get())); }
  [[nodiscard]] const_iterator end() const { return {}; }
  // The first entry whose key isn't less.
  template <typename Q>
  [[nodiscard]] const_iterator lower_bound(const Q& key) const {
    return const_iterator(Cursor::at_place(root_.get(), below(key)));
  }
  // The first entry whose key is greater.
  template <typename Q>
  [[nodiscard]] const_iterator upper_bound(const Q& key) const {
    return const_iterator(Cursor::at_place(root_.get(), up_to(key)));
  }

  // Calls visit(const K&, const V* from, const V* to) for each key whose value differs, in order;
  // null: it isn't there.
  template <typename Visit>
  static void diff(const PersistentMap& from, const PersistentMap& to, Visit visit) {
    visit_differences<Less>(from.root_.get(), to.root_.get(),
                            [&visit](const K& key, const V* earlier, const V* later) {
                              visit(key, earlier, later);
                              return true;
                            });
  }
  // By entries: two that are equal may still count for other bytes (a text, by its spans).
  friend bool operator==(const PersistentMap& a, const PersistentMap& b) {
    return a.size_ == b.size_ && a.weight_.hash == b.weight_.hash &&
           visit_differences<Less>(a.root_.get(), b.root_.get(),
                                   [](const K&, const V*, const V*) { return false; });
  }

  // Reads everything: order, fill, depth and sums.
  void check_invariants() const;

 private:
  using Node = TreeNode<K, V>;
  using NodePtr = typename Node::Ptr;
  using Cursor = TreeCursor<K, V>;

  template <typename Q>
  static auto below(const Q& key) {
    return [&key](const K& other) { return Less{}(other, key); };
  }
  template <typename Q>
  static auto up_to(const Q& key) {
    return [&key](const K& other) { return !Less{}(key, other); };
  }

  void set_below(NodePtr& at, K& key, V& value);
  template <typename Q>
  void erase_below(NodePtr& at, const Q& key);
  void swap(PersistentMap& other) noexcept {
    root_.swap(other.root_);
    std::swap(size_, other.size_);
    std::swap(weight_, other.weight_);
  }

  // Invariant: null iff the map is empty.
  NodePtr root_;
  std::size_t size_ = 0;
  Weight weight_;
};

template <typename K, typename V, typename Weigh, typename Less>
PersistentMap<K, V, Weigh, Less> PersistentMap<K, V, Weigh, Less>::from_sorted(
    std::vector<std::pair<K, V>> entries) {
  PersistentMap map;
  map.size_ = entries.size();
  for (const auto& [key, value] : entries) map.weight_ += Weigh{}(key, value);
  map.root_ = build_tree<K, V>(std::move(entries));
  return map;
}

template <typename K, typename V, typename Weigh, typename Less>
template <typename Q>
const V* PersistentMap<K, V, Weigh, Less>::find(const Q& key) const {
  if (root_ == nullptr) return nullptr;
  const Node* node = root_.get();
  while (!node->leaf()) node = node->slots[node->find_place(up_to(key))].child.get();
  const std::size_t place = node->find_place(below(key));
  if (place == node->entries.size() || Less{}(key, node->entries[place].first)) return nullptr;
  return &node->entries[place].second;
}

template <typename K, typename V, typename Weigh, typename Less>
void PersistentMap<K, V, Weigh, Less>::set(K key, V value) {
  if (root_ == nullptr) root_ = std::make_shared<Node>();
  weight_ += Weigh{}(key, value);
  set_below(root_, key, value);
  if (root_->overfull()) {
    auto parent = std::make_shared<Node>();
    parent->slots.emplace_back(std::move(root_));
    split_child(*parent, 0);
    root_ = std::move(parent);
  }
}

// Moves key and value to their place, which may leave the node overfull.
template <typename K, typename V, typename Weigh, typename Less>
void PersistentMap<K, V, Weigh, Less>::set_below(NodePtr& at, K& key, V& value) {
  Node& node = writable(at);
  if (!node.leaf()) {
    const std::size_t index = node.find_place(up_to(key));
    set_below(node.slots[index].child, key, value);
    node.slots[index].refresh();
    if (node.slots[index].child->overfull()) split_child(node, index);
    return;
  }
  const auto place =
      node.entries.begin() + static_cast<std::ptrdiff_t>(node.find_place(below(key)));
  if (place == node.entries.end() || Less{}(key, place->first)) {
    node.entries.emplace(place, std::move(key), std::move(value));
    ++size_;
  } else {
    weight_ -= Weigh{}(place->first, place->second);
    place->second = std::move(value);
  }
}

template <typename K, typename V, typename Weigh, typename Less>
template <typename Q>
bool PersistentMap<K, V, Weigh, Less>::erase(const Q& key) {
  if (!contains(key)) return false;  // so that nothing is copied in vain
  erase_below(root_, key);
  --size_;
  if (root_->fill() == 0) {
    root_.reset();
  } else if (root_->slots.size() == 1) {
    root_ = NodePtr(root_->slots.front().child);
  }
  return true;
}

// Takes away an entry, which must be there, and may leave the node with too little.
template <typename K, typename V, typename Weigh, typename Less>
template <typename Q>
void PersistentMap<K, V, Weigh, Less>::erase_below(NodePtr& at, const Q& key) {
  // Looked up first: the key may be in the node, and is gone once the node was copied.
  const std::size_t index = at->leaf() ? at->find_place(below(key)) : at->find_place(up_to(key));
  Node& node = writable(at);
  if (node.leaf()) {
    const auto place = node.entries.begin() + static_cast<std::ptrdiff_t>(index);
    weight_ -= Weigh{}(place->first, place->second);
    node.entries.erase(place);
    return;
  }
  typename Node::Slot& slot = node.slots[index];
  erase_below(slot.child, key);
  if (slot.child->fill() < Node::kLeast) {
    refill_child(node, index);
  } else {
    slot.refresh();
  }
}

template <typename K, typename V, typename Weigh, typename Less>
void PersistentMap<K, V, Weigh, Less>::check_invariants() const {
  WAGGLE_CHECK((root_ == nullptr) == (size_ == 0));
  if (root_ == nullptr) return;
  WAGGLE_CHECK(root_->fill() >= (root_->leaf() ? 1 : 2));
  const K* last = nullptr;
  check_tree<Less>(*root_, last);
  std::size_t size = 0;
  Weight weight;
  for (const auto& [key, value] : *this) {
    ++size;
    weight += Weigh{}(key, value);
  }
  WAGGLE_CHECK(size == size_);
  WAGGLE_CHECK(weight == weight_);
}

}  // namespace waggle
