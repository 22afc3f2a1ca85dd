#pragma once

// Virtual time: what is to happen, in order. Two things due at the same millisecond happen in the
// order in which they were asked for, so a run depends on the seed alone.
//
// One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace waggle::sim {

class Timeline {
 public:
  using Deed = std::function<void()>;

  // Milliseconds since the start of the world.
  [[nodiscard]] std::int64_t now() const { return now_; }

  void at(std::int64_t millis, Deed deed) {
    deeds_.emplace(std::pair(millis < now_ ? now_ : millis, ++asked_), std::move(deed));
  }
  void after(std::int64_t millis, Deed deed) { at(now_ + millis, std::move(deed)); }

  // Does the next deed that is due at or before `until`. False: there is none, and it is `until`.
  bool step(std::int64_t until) {
    const auto next = deeds_.begin();
    if (next == deeds_.end() || next->first.first > until) {
      if (until > now_) now_ = until;
      return false;
    }
    now_ = next->first.first;
    const Deed deed = std::move(next->second);
    deeds_.erase(next);
    ++done_;
    deed();
    return true;
  }
  [[nodiscard]] std::uint64_t done() const { return done_; }

 private:
  std::int64_t now_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t done_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, Deed> deeds_;
};

}  // namespace waggle::sim
