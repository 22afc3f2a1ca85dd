#pragma once

// The three stores of dots from which all causal types are made (Almeida, Shoker and Baquero,
// "Delta state replicated data types", 2018). A store means something only with the causal context
// of the object that it is part of; one context is shared by all stores of an object.
//
//   DotSet        that something was written: its dots
//   DotFun<V>     what was written: dot -> a value of a lattice
//   DotMap<K, S>  stores by key
//
// All join by one rule: a dot that only one side holds survives iff the other side has not seen it.
//
// Cost. Joining two whole states walks both. A delta names every key of which it holds or drops a
// dot, so joining it touches these keys only; a key of which nothing is left stands in a delta as
// an empty store. A state holds no empty store. The names change what a join costs, never its
// result.
//
// Members that every store has (the concept that lattice_object.h and DotMap ask for):
//   join(), keep_unseen(), forget_dots(), rename(), collect(), empty(), write(), read(), ==

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "resolver/lattice_context.h"
#include "resolver/lattice_type.h"

namespace waggle::lattice {

enum class Join : std::uint8_t {
  kWhole,  // a state takes in a state
  kNamed,  // a state takes in a delta
  kGroup,  // a delta takes in a delta and keeps the names of what is empty
};

// What one side of a join knows.
struct Sides {
  const CausalContext& mine;
  const CausalContext& theirs;
};

// Where dots get another name: those of an actor that retires become the sealed actor's.
class Renaming {
 public:
  // `dots`: rising, all of one actor; they become (kSealed, after + 1) and so on.
  Renaming(std::vector<Dot> dots, std::uint64_t after) : dots_(std::move(dots)), after_(after) {}
  [[nodiscard]] Dot operator()(const Dot& dot) const {
    const auto found = std::ranges::lower_bound(dots_, dot);
    if (found == dots_.end() || *found != dot) return dot;
    return {kSealed, after_ + static_cast<std::uint64_t>(found - dots_.begin()) + 1};
  }

 private:
  std::vector<Dot> dots_;
  std::uint64_t after_;
};

struct Reading {
  const Actors& actors;
  Form form;
  std::size_t depth = 0;  // maps around what is read
};

class DotSet {
 public:
  DotSet() = default;
  explicit DotSet(Dot dot) : dots_{dot} {}
  [[nodiscard]] const std::vector<Dot>& dots() const { return dots_; }  // rising

  void join(const DotSet& other, const Sides& sides, Join how);
  void keep_unseen(const CausalContext& seen);
  void forget_dots() { dots_.clear(); }
  void rename(const Renaming& renaming);
  void collect(std::vector<Dot>& into) const {
    into.insert(into.end(), dots_.begin(), dots_.end());
  }
  [[nodiscard]] bool empty() const { return dots_.empty(); }
  void write(ByteWriter& out, const Actors& actors) const;
  void read(ByteReader& in, const Reading& reading);
  friend bool operator==(const DotSet&, const DotSet&) = default;

 private:
  std::vector<Dot> dots_;
};

// V: a value with join(const V&), write(ByteWriter&), read(ByteReader&) and ==. Two values of one
// dot are joined; that happens where an actor extends what it wrote before it told anybody.
template <typename V>
class DotFun {
 public:
  using Entry = std::pair<Dot, V>;
  DotFun() = default;
  DotFun(Dot dot, V value) { entries_.emplace_back(dot, std::move(value)); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }  // rising dots

  void join(const DotFun& other, const Sides& sides, Join /*how*/) {
    std::vector<Entry> joined;
    joined.reserve(entries_.size() + other.entries_.size());
    auto mine = entries_.begin();
    auto theirs = other.entries_.begin();
    while (mine != entries_.end() || theirs != other.entries_.end()) {
      if (theirs == other.entries_.end() ||
          (mine != entries_.end() && mine->first < theirs->first)) {
        if (!sides.theirs.contains(mine->first)) joined.push_back(std::move(*mine));
        ++mine;
      } else if (mine == entries_.end() || theirs->first < mine->first) {
        if (!sides.mine.contains(theirs->first)) joined.push_back(*theirs);
        ++theirs;
      } else {
        joined.push_back(std::move(*mine++));
        joined.back().second.join((theirs++)->second);
      }
    }
    entries_ = std::move(joined);
  }
  void keep_unseen(const CausalContext& seen) {
    std::erase_if(entries_, [&](const Entry& entry) { return seen.contains(entry.first); });
  }
  void forget_dots() { entries_.clear(); }
  void rename(const Renaming& renaming) {
    for (auto& [dot, value] : entries_) dot = renaming(dot);
    std::ranges::sort(entries_, {}, &Entry::first);
  }
  void collect(std::vector<Dot>& into) const {
    for (const auto& [dot, value] : entries_) into.push_back(dot);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  void write(ByteWriter& out, const Actors& actors) const {
    out.number(entries_.size());
    for (const auto& [dot, value] : entries_) {
      actors.write(out, dot);
      value.write(out);
    }
  }
  void read(ByteReader& in, const Reading& reading) {
    for (std::size_t count = in.count(3); count > 0 && !in.failed(); --count) {
      const Dot dot = reading.actors.read(in);
      if (!entries_.empty() && dot <= entries_.back().first) return in.fail("expected rising dots");
      V value;
      value.read(in);
      entries_.emplace_back(dot, std::move(value));
    }
  }
  friend bool operator==(const DotFun&, const DotFun&) = default;

 protected:
  std::vector<Entry> entries_;
};

// How a key is written and what its store is before the first write; a key that determines the type
// of its store has overloads of its own.
void write_key(ByteWriter& out, const std::string& key);
[[nodiscard]] bool read_key(ByteReader& in, std::string& key);
template <typename S, typename K>
[[nodiscard]] S bottom_of(const K&) {
  return S();
}

template <typename K, typename S>
class DotMap {
 public:
  using Entries = std::map<K, S, std::less<>>;
  [[nodiscard]] const Entries& entries() const { return entries_; }

  void join(const DotMap& other, const Sides& sides, Join how) {
    if (how == Join::kWhole) {
      join_absent(other, sides);
    }
    for (const auto& [key, theirs] : other.entries_) {
      const auto found = entries_.lower_bound(key);
      if (found != entries_.end() && found->first == key) {
        found->second.join(theirs, sides, how);
        if (how != Join::kGroup && found->second.empty()) entries_.erase(found);
        continue;
      }
      S mine = bottom_of<S>(key);
      mine.join(theirs, sides, how);
      if (how == Join::kGroup || !mine.empty()) entries_.emplace_hint(found, key, std::move(mine));
    }
  }
  void keep_unseen(const CausalContext& seen) {
    for (auto& [key, store] : entries_) store.keep_unseen(seen);
    std::erase_if(entries_, [](const auto& entry) { return entry.second.empty(); });
  }
  void forget_dots() {
    for (auto& [key, store] : entries_) store.forget_dots();
  }
  void rename(const Renaming& renaming) {
    for (auto& [key, store] : entries_) store.rename(renaming);
  }
  void collect(std::vector<Dot>& into) const {
    for (const auto& [key, store] : entries_) store.collect(into);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  void write(ByteWriter& out, const Actors& actors) const {
    out.number(entries_.size());
    for (const auto& [key, store] : entries_) {
      write_key(out, key);
      store.write(out, actors);
    }
  }
  void read(ByteReader& in, const Reading& reading) {
    for (std::size_t count = in.count(3); count > 0 && !in.failed(); --count) {
      K key;
      if (!read_key(in, key)) return;
      if (!entries_.empty() && key <= entries_.rbegin()->first)
        return in.fail("expected keys that rise");
      S store = bottom_of<S>(key);
      store.read(in, reading);
      if (reading.form == Form::kState && store.empty())
        return in.fail("expected something of each key in a state");
      entries_.emplace_hint(entries_.end(), std::move(key), std::move(store));
    }
  }
  friend bool operator==(const DotMap&, const DotMap&) = default;

 protected:
  Entries entries_;

 private:
  // Of the keys that the other state has not, what it has seen is gone.
  void join_absent(const DotMap& other, const Sides& sides) {
    auto theirs = other.entries_.begin();
    for (auto mine = entries_.begin(); mine != entries_.end();) {
      while (theirs != other.entries_.end() && theirs->first < mine->first) ++theirs;
      if (theirs == other.entries_.end() || mine->first < theirs->first) {
        mine->second.join(bottom_of<S>(mine->first), sides, Join::kWhole);
        if (mine->second.empty()) {
          mine = entries_.erase(mine);
          continue;
        }
      }
      ++mine;
    }
  }
};

}  // namespace waggle::lattice
