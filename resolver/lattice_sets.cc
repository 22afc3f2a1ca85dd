#include "resolver/lattice_sets.h"

#include <algorithm>

#include "base/shape.h"

namespace waggle::lattice {

// ---- add-wins ----------------------------------------------------------------------------------

std::vector<std::string> AddWinsStore::elements() const {
  std::vector<std::string> elements;
  for (const auto& [element, dots] : entries_) elements.push_back(element);
  return elements;
}

Result<AddWinsStore> AddWinsStore::add(Mutation& m, std::string_view element) const {
  if (Status allowed = check_element(element); !allowed) return std::unexpected(allowed.error());
  if (const auto held = entries_.find(element); held != entries_.end()) m.drop(held->second.dots());
  AddWinsStore delta;
  delta.entries_.emplace(element, m.fresh());
  return delta;
}

Result<AddWinsStore> AddWinsStore::remove(Mutation& m, std::string_view element) const {
  AddWinsStore delta;
  if (const auto held = entries_.find(element); held != entries_.end()) {
    m.drop(held->second.dots());
    delta.entries_.emplace(element, DotSet());
  }
  return delta;
}

Result<AddWinsStore> AddWinsStore::clear(Mutation& m) const {
  m.drop_all_of(*this);
  AddWinsStore delta = *this;
  delta.forget_dots();
  return delta;
}

// ---- remove-wins -------------------------------------------------------------------------------

void AddsAndRemovals::join(const AddsAndRemovals& other, const Sides& sides, Join how) {
  adds.join(other.adds, sides, how);
  removals.join(other.removals, sides, how);
}

void AddsAndRemovals::keep_unseen(const CausalContext& seen) {
  adds.keep_unseen(seen);
  removals.keep_unseen(seen);
}

void AddsAndRemovals::forget_dots() {
  adds.forget_dots();
  removals.forget_dots();
}

void AddsAndRemovals::rename(const Renaming& renaming) {
  adds.rename(renaming);
  removals.rename(renaming);
}

void AddsAndRemovals::collect(std::vector<Dot>& into) const {
  adds.collect(into);
  removals.collect(into);
}

void AddsAndRemovals::write(ByteWriter& out, const Actors& actors) const {
  adds.write(out, actors);
  removals.write(out, actors);
}

void AddsAndRemovals::read(ByteReader& in, const Reading& reading) {
  adds.read(in, reading);
  removals.read(in, reading);
}

bool RemoveWinsStore::contains(std::string_view element) const {
  const auto held = entries_.find(element);
  return held != entries_.end() && held->second.present();
}

std::vector<std::string> RemoveWinsStore::elements() const {
  std::vector<std::string> elements;
  for (const auto& [element, dots] : entries_)
    if (dots.present()) elements.push_back(element);
  return elements;
}

std::size_t RemoveWinsStore::tombstones() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [](const auto& entry) { return !entry.second.removals.empty(); }));
}

Result<RemoveWinsStore> RemoveWinsStore::written(Mutation& m, std::string_view element,
                                                 DotSet AddsAndRemovals::* kind) const {
  if (Status allowed = check_element(element); !allowed) return std::unexpected(allowed.error());
  if (const auto held = entries_.find(element); held != entries_.end()) m.drop_all_of(held->second);
  RemoveWinsStore delta;
  delta.entries_[std::string(element)].*kind = DotSet(m.fresh());
  return delta;
}

Result<RemoveWinsStore> RemoveWinsStore::add(Mutation& m, std::string_view element) const {
  return written(m, element, &AddsAndRemovals::adds);
}

Result<RemoveWinsStore> RemoveWinsStore::remove(Mutation& m, std::string_view element) const {
  return written(m, element, &AddsAndRemovals::removals);
}

Result<RemoveWinsStore> RemoveWinsStore::settle(Mutation& m, const CausalContext& floor) const {
  RemoveWinsStore delta;
  for (const auto& [element, dots] : entries_) {
    // An addition that lost goes with the last removal that it lost to.
    std::vector<Dot> all;
    dots.collect(all);
    if (dots.removals.empty() ||
        !std::ranges::all_of(all, [&](const Dot& dot) { return floor.contains(dot); }))
      continue;
    m.drop(all);
    delta.entries_.emplace(element, AddsAndRemovals());
  }
  return delta;
}

// ---- grow-only ---------------------------------------------------------------------------------

Result<GrowSet> GrowSet::add(std::string_view element) {
  if (Status allowed = check_element(element); !allowed) return std::unexpected(allowed.error());
  GrowSet delta;
  delta.elements_.emplace(element);
  if (Status joined = join(delta); !joined) return std::unexpected(std::move(joined.error()));
  return delta;
}

Status GrowSet::join(const GrowSet& other) {
  if (elements_.size() + other.elements_.size() > kGrowSetElements) {
    const auto known = static_cast<std::size_t>(std::ranges::count_if(
        other.elements_, [&](const std::string& element) { return elements_.contains(element); }));
    const std::size_t together = elements_.size() + other.elements_.size() - known;
    if (together > kGrowSetElements)
      return failed(Code::kOverloaded,
                    fmt::format("expected up to {} elements of a grow-set, got {}",
                                kGrowSetElements, together));
  }
  elements_.insert(other.elements_.begin(), other.elements_.end());
  return {};
}

std::string GrowSet::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.number(elements_.size());
  for (const std::string& element : elements_) out.string(element);
  return out.take();
}

Result<GrowSet> GrowSet::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  GrowSet set;
  read_head(in, kType, Form::kState);
  std::size_t count = in.count(2);
  if (count > kGrowSetElements) in.fail("expected no more elements than a grow-set may have");
  for (std::string element; count > 0 && read_key(in, element); --count) {
    if (!set.elements_.empty() && element <= *set.elements_.rbegin()) {
      in.fail("expected elements that rise");
      break;
    }
    set.elements_.insert(set.elements_.end(), element);
  }
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return set;
}

Status GrowSet::check_invariants() const {
  if (elements_.size() > kGrowSetElements)
    return failed(Code::kInternal, "expected no more elements than a grow-set may have");
  for (const std::string& element : elements_)
    if (Status sound = check_element(element); !sound) return sound;
  return {};
}

}  // namespace waggle::lattice
