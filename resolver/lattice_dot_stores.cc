#include "resolver/lattice_dot_stores.h"

#include "base/limits.h"

namespace waggle::lattice {

void DotSet::join(const DotSet& other, const Sides& sides, Join /*how*/) {
  if (dots_ == other.dots_) return;
  std::vector<Dot> joined;
  joined.reserve(dots_.size() + other.dots_.size());
  auto mine = dots_.begin();
  auto theirs = other.dots_.begin();
  while (mine != dots_.end() || theirs != other.dots_.end()) {
    if (theirs == other.dots_.end() || (mine != dots_.end() && *mine < *theirs)) {
      if (!sides.theirs.contains(*mine)) joined.push_back(*mine);
      ++mine;
    } else if (mine == dots_.end() || *theirs < *mine) {
      if (!sides.mine.contains(*theirs)) joined.push_back(*theirs);
      ++theirs;
    } else {
      joined.push_back(*mine++);
      ++theirs;
    }
  }
  dots_ = std::move(joined);
}

void DotSet::keep_unseen(const CausalContext& seen) {
  std::erase_if(dots_, [&](const Dot& dot) { return seen.contains(dot); });
}

void DotSet::rename(const Renaming& renaming) {
  for (Dot& dot : dots_) dot = renaming(dot);
  std::ranges::sort(dots_);
}

void DotSet::write(ByteWriter& out, const Actors& actors) const {
  out.number(dots_.size());
  for (const Dot& dot : dots_) actors.write(out, dot);
}

void DotSet::read(ByteReader& in, const Reading& reading) {
  for (std::size_t count = in.count(2); count > 0 && !in.failed(); --count) {
    const Dot dot = reading.actors.read(in);
    if (!dots_.empty() && dot <= dots_.back()) return in.fail("expected rising dots");
    dots_.push_back(dot);
  }
}

void write_key(ByteWriter& out, const std::string& key) {
  out.string(key);
}

bool read_key(ByteReader& in, std::string& key) {
  key = in.string(limits::kElementBytes);
  if (!in.failed() && key.empty()) in.fail("expected an element of at least one byte");
  return !in.failed();
}

}  // namespace waggle::lattice
