#pragma once

// Several authors of one sequence with stale contexts, against the tree of the paper built by
// definition: every unit with its parent and side, FugueMax order among siblings, and of each
// author the set of operations that it knew.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"
#include "base/sequence.h"

namespace waggle::sequence_laws {

// ---- the oracle --------------------------------------------------------------------------------

struct OpName {
  std::size_t author = 0;
  std::uint64_t seq = 0;
  friend auto operator<=>(const OpName&, const OpName&) = default;
};
using UnitName = std::tuple<std::size_t, std::uint64_t, std::uint32_t>;  // author, seq, offset

struct Node {
  UnitName name;
  std::optional<UnitName> parent;  // none: the root
  bool right_side = true;
  std::optional<UnitName> right_origin;  // none: the end
  char letter = ' ';
  std::set<OpName> deleted_by;
};

class Tree {
 public:
  // All units in order, by what is in the tree at all.
  [[nodiscard]] std::vector<const Node*> order() const {
    std::vector<const Node*> out;
    walk(std::nullopt, out);
    return out;
  }

  [[nodiscard]] std::vector<const Node*> known_order(const std::set<OpName>& known) const {
    std::vector<const Node*> out;
    for (const Node* node : order())
      if (known.contains(op_of(node->name))) out.push_back(node);
    return out;
  }

  [[nodiscard]] static bool visible(const Node& node, const std::set<OpName>& known) {
    return std::ranges::none_of(node.deleted_by,
                                [&](const OpName& op) { return known.contains(op); });
  }

  void insert(const OpName& op, std::uint32_t offset, std::size_t at, char letter,
              const std::set<OpName>& known) {
    const std::vector<const Node*> all = known_order(known);
    std::optional<UnitName> left;
    std::size_t behind = 0;  // where the units behind `left` begin
    std::size_t seen = 0;
    for (std::size_t i = 0; i < all.size() && seen < at; ++i)
      if (visible(*all[i], known)) {
        ++seen;
        left = all[i]->name;
        behind = i + 1;
      }
    std::optional<UnitName> right;
    if (behind < all.size()) right = all[behind]->name;
    Node node;
    node.name = {op.author, op.seq, offset};
    node.letter = letter;
    node.right_origin = right;
    const bool has_right_child = std::ranges::any_of(nodes_, [&](const auto& entry) {
      return entry.second.right_side && entry.second.parent == left &&
             known.contains(op_of(entry.second.name));
    });
    if (has_right_child) {
      node.parent = right;
      node.right_side = false;
    } else {
      node.parent = left;
    }
    nodes_.emplace(node.name, node);
  }

  void erase(const OpName& op, std::size_t at, std::size_t count, const std::set<OpName>& known) {
    std::size_t seen = 0;
    for (const Node* node : known_order(known)) {
      if (!visible(*node, known)) continue;
      if (seen >= at && seen < at + count) nodes_.at(node->name).deleted_by.insert(op);
      ++seen;
    }
  }

  [[nodiscard]] std::string text(const std::set<OpName>& known) const {
    std::string text;
    for (const Node* node : known_order(known))
      if (visible(*node, known)) text.push_back(node->letter);
    return text;
  }

 private:
  static OpName op_of(const UnitName& name) { return {std::get<0>(name), std::get<1>(name)}; }

  void walk(const std::optional<UnitName>& parent, std::vector<const Node*>& out) const {
    std::vector<const Node*> left;
    std::vector<const Node*> right;
    for (const auto& [name, node] : nodes_)
      if (node.parent == parent) (node.right_side ? right : left).push_back(&node);
    std::ranges::sort(left, {}, &Node::name);
    for (const Node* node : left) walk(node->name, out);
    if (parent) out.push_back(&nodes_.at(*parent));
    // Siblings on the right: the one whose right origin is further right comes first.
    const std::vector<UnitName> places = right_origin_order(right);
    std::ranges::sort(right, [&](const Node* a, const Node* b) {
      const auto rank = [&](const Node* node) {
        if (!node->right_origin) return places.size();
        return static_cast<std::size_t>(std::ranges::find(places, *node->right_origin) -
                                        places.begin());
      };
      return std::tuple(places.size() - rank(a), a->name) <
             std::tuple(places.size() - rank(b), b->name);
    });
    for (const Node* node : right) walk(node->name, out);
  }

  // Right origins of siblings in the order of the sequence: they are all behind the siblings'
  // subtree, so they don't depend on its order.
  [[nodiscard]] std::vector<UnitName> right_origin_order(
      const std::vector<const Node*>& siblings) const {
    std::set<UnitName> wanted;
    for (const Node* node : siblings)
      if (node->right_origin) wanted.insert(*node->right_origin);
    if (wanted.size() < 2) return {wanted.begin(), wanted.end()};
    // Ancestors' order decides: compare by the path to the root.
    std::vector<UnitName> places(wanted.begin(), wanted.end());
    std::ranges::sort(places, [&](const UnitName& a, const UnitName& b) { return before(a, b); });
    return places;
  }

  // In-order comparison of two nodes of which neither is in the subtree that is being ordered.
  [[nodiscard]] bool before(const UnitName& a, const UnitName& b) const {
    if (a == b) return false;
    const auto path = [&](UnitName at) {
      std::vector<UnitName> up = {at};
      while (nodes_.at(at).parent) {
        at = *nodes_.at(at).parent;
        up.push_back(at);
      }
      std::ranges::reverse(up);
      return up;
    };
    const std::vector<UnitName> pa = path(a);
    const std::vector<UnitName> pb = path(b);
    std::size_t i = 0;
    while (i < pa.size() && i < pb.size() && pa[i] == pb[i]) ++i;
    if (i == pa.size()) return nodes_.at(pb[i]).right_side;   // a is an ancestor of b
    if (i == pb.size()) return !nodes_.at(pa[i]).right_side;  // b is one of a
    const Node& x = nodes_.at(pa[i]);
    const Node& y = nodes_.at(pb[i]);
    if (x.right_side != y.right_side) return !x.right_side;
    if (!x.right_side) return x.name < y.name;
    if (x.right_origin != y.right_origin) {
      if (!x.right_origin) return true;
      if (!y.right_origin) return false;
      return before(*y.right_origin, *x.right_origin);
    }
    return x.name < y.name;
  }

  std::map<UnitName, Node> nodes_;
};

// ---- the world ---------------------------------------------------------------------------------

inline AgentId agent_of(std::size_t author) {
  return AgentId(std::string(1, static_cast<char>('a' + author)));
}

struct Pending {
  OpName op;
  std::vector<SequenceEdit> edits;
  Revision seen;
  std::uint64_t own_through = 0;
};

struct Member {
  Revision seen;
  std::uint64_t last_seq = 0;
  std::vector<Pending> pending;
};

inline SeenDot own_dots(std::size_t author, std::uint64_t through) {
  return [author, through](const Dot& dot) {
    return dot.writer.agent == agent_of(author) && dot.writer.seq.value() <= through;
  };
}

inline std::string text_of(const Sequence& sequence) {
  if (sequence.unit() == SequenceUnit::kScalar) return sequence.text();
  std::string text;
  for (const std::string& element : sequence.elements()) text += element;
  return text;
}

class World {
 public:
  World(Prng& random, SequenceUnit unit, std::size_t members, bool folds)
      : random_(random), folds_(folds), sequence_(unit), versions_{sequence_} {
    members_.resize(members);
  }

  void step() {
    const std::size_t who = random_.below(members_.size());
    switch (random_.below(6)) {
      case 0:
        if (random_.chance(1, 2)) members_[who].seen = head_;
        break;
      case 1:
      case 2:
        commit(who);
        break;
      default:
        write(who);
        break;
    }
  }

  void finish() {
    for (std::size_t who = 0; who < members_.size(); ++who)
      while (!members_[who].pending.empty()) commit(who);
    BOOST_REQUIRE_EQUAL(text_of(sequence_), tree_.text(all_));
  }

  // One move of an exhaustive schedule: a write of one edit, at the beginning or behind the end.
  enum class Move : std::uint8_t { kInsertFirst, kInsertLast, kRemoveFirst };
  void write(std::size_t who, Move move, bool catches_up) {
    if (catches_up) members_[who].seen = head_;
    write(who, [&](std::size_t size, std::size_t number) -> std::optional<SequenceEdit> {
      if (number > 0) return std::nullopt;
      if (move == Move::kRemoveFirst && size > 0) return SequenceEdit{0, 1, {}};
      return SequenceEdit{move == Move::kInsertLast ? size : 0, 0, {"x"}};
    });
  }
  void commit(std::size_t who) { commit(who, random_.chance(1, 4)); }
  void commit_and_check(std::size_t who) { commit(who, true); }
  [[nodiscard]] bool waits(std::size_t who) const { return !members_[who].pending.empty(); }

 private:
  [[nodiscard]] std::set<OpName> known_to(std::size_t who, Revision seen,
                                          std::uint64_t own_through) const {
    std::set<OpName> known;
    for (const auto& [revision, op] : committed_)
      if (revision <= seen) known.insert(op);
    for (std::uint64_t seq = 1; seq <= own_through; ++seq) known.insert({who, seq});
    return known;
  }

  // An operation of one or two edits in the author's own view.
  void write(std::size_t who) {
    const std::uint64_t edits = 1 + random_.below(2);
    write(who, [&](std::size_t size, std::size_t number) -> std::optional<SequenceEdit> {
      if (number == edits) return std::nullopt;
      SequenceEdit edit;
      edit.at = random_.below(size + 1);
      if (size > edit.at && random_.chance(1, 3))
        edit.removed = 1 + random_.below(std::min<std::size_t>(size - edit.at, 4));
      if (edit.removed > 0 && !random_.chance(1, 4)) return edit;
      std::string piece;
      for (std::uint64_t n = 1 + random_.below(3); n > 0; --n)
        piece.push_back(static_cast<char>('a' + random_.below(26)));
      if (sequence_.unit() == SequenceUnit::kScalar)
        edit.inserted = {piece};
      else
        for (const char letter : piece) edit.inserted.emplace_back(1, letter);
      return edit;
    });
  }

  // `next(size, number)`: the edit of that number, of what the author sees then; empty: that's all.
  template <typename Next>
  void write(std::size_t who, const Next& next) {
    Member& member = members_[who];
    Pending pending;
    pending.op = {who, ++member.last_seq};
    pending.seen = member.seen;
    pending.own_through = pending.op.seq - 1;
    std::set<OpName> known = known_to(who, member.seen, pending.own_through);
    known.insert(pending.op);
    std::uint32_t offset = 0;
    while (std::optional<SequenceEdit> edit =
               next(tree_.text(known).size(), pending.edits.size())) {
      if (edit->removed > 0) tree_.erase(pending.op, edit->at, edit->removed, known);
      std::size_t at = edit->at;
      for (const std::string& piece : edit->inserted)
        for (const char letter : piece) tree_.insert(pending.op, offset++, at++, letter, known);
      pending.edits.push_back(*std::move(edit));
    }
    member.pending.push_back(std::move(pending));
    check_view(who);
  }

  // What the author shows: the state that it holds with its own edits on top.
  void check_view(std::size_t who) {
    const Member& member = members_[who];
    // An own edit that is committed beyond what is held would still be on top: not shown here.
    for (const auto& [revision, op] : committed_)
      if (op.author == who && revision > member.seen) return;
    Sequence view = versions_[member.seen.value()];
    std::uint32_t place = 0;
    std::uint64_t through = 0;
    for (const Pending& pending : member.pending) {
      if (!view.reaches(pending.seen)) return;
      const Dot dot{Revision(limits::kNumberMax),
                    place++,
                    {agent_of(who), Incarnation(1), Seq(pending.op.seq)}};
      BOOST_REQUIRE(
          view.edit(pending.edits, dot, {pending.seen, own_dots(who, pending.own_through)}));
      through = pending.op.seq;
    }
    if (member.pending.empty()) return;
    BOOST_REQUIRE_EQUAL(text_of(view), tree_.text(known_to(who, member.seen, through)));
  }

  void commit(std::size_t who, bool checks_forms) {
    Member& member = members_[who];
    if (member.pending.empty()) return;
    const Pending pending = member.pending.front();
    member.pending.erase(member.pending.begin());
    head_ = head_.next();
    const Dot dot{head_, 0, {agent_of(who), Incarnation(1), Seq(pending.op.seq)}};
    const Sequence before = sequence_;
    BOOST_REQUIRE(sequence_.reaches(pending.seen));
    const Status edited =
        sequence_.edit(pending.edits, dot, {pending.seen, own_dots(who, pending.own_through)});
    BOOST_REQUIRE_MESSAGE(edited.has_value(), (edited ? "" : edited.error().text));
    committed_.emplace_back(head_, pending.op);
    all_.insert(pending.op);
    if (folds_ && random_.chance(1, 8)) {
      Revision floor = head_;
      for (const Member& one : members_) {
        floor = std::min(floor, one.seen);
        for (const Pending& waits : one.pending) floor = std::min(floor, waits.seen);
      }
      sequence_.fold(floor);
    }
    BOOST_REQUIRE_EQUAL(text_of(sequence_), tree_.text(all_));
    while (versions_.size() <= head_.value()) versions_.push_back(sequence_);
    if (checks_forms) check_forms(before);
  }

  void check_forms(const Sequence& before) {
    sequence_.check_invariants();
    const std::string bytes = encode(sequence_);
    const Result<Sequence> decoded = decode_sequence(bytes, limits::kFrameBytes);
    BOOST_REQUIRE_MESSAGE(decoded.has_value(), (decoded ? "" : decoded.error().text));
    BOOST_REQUIRE(*decoded == sequence_ && decoded->hash() == sequence_.hash());
    const Sequence& older = versions_[random_.below(versions_.size())];
    for (const Sequence* from : {&before, &older}) {
      // Onto the very version, and onto one that stands in other chunks.
      const std::string change = diff(*from, sequence_);
      for (const bool elsewhere : {false, true}) {
        const Sequence held =
            elsewhere ? decode_sequence(encode(*from), limits::kFrameBytes).value() : *from;
        const Result<Sequence> made = apply_diff(held, change, limits::kFrameBytes);
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text));
        made->check_invariants();
        BOOST_REQUIRE(*made == sequence_ && made->hash() == sequence_.hash());
      }
    }
  }

  Prng& random_;
  const bool folds_;
  Tree tree_;
  Sequence sequence_;
  Revision head_;
  std::vector<std::pair<Revision, OpName>> committed_;
  std::set<OpName> all_;
  std::vector<Sequence> versions_;
  std::vector<Member> members_;
};

}  // namespace waggle::sequence_laws
