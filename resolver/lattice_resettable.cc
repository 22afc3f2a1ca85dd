#include "resolver/lattice_resettable.h"

#include <algorithm>

#include "resolver/lattice_total.h"

namespace waggle::lattice {
namespace {

// False: the share would pass its range.
bool grow(Share& share, std::int64_t amount) {
  std::uint64_t& side = amount < 0 ? share.minus : share.plus;
  return !__builtin_add_overflow(side, magnitude(amount), &side);
}

}  // namespace

void Share::join(const Share& other) {
  plus = std::max(plus, other.plus);
  minus = std::max(minus, other.minus);
}

void Share::write(ByteWriter& out) const {
  out.number(plus);
  out.number(minus);
}

void Share::read(ByteReader& in) {
  plus = in.number();
  minus = in.number();
  if (!in.failed() && plus == 0 && minus == 0) in.fail("expected a share that isn't 0");
}

Result<std::int64_t> ResettableStore::total() const {
  WideTotal total = 0;
  for (const auto& [dot, share] : entries_) total += WideTotal{share.plus} - share.minus;
  return narrowed(total);
}

Status ResettableStore::check_amount(std::int64_t amount) const {
  const Result<std::int64_t> held = total();
  if (!held) return std::unexpected(held.error());
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*held, amount, &sum))
    return failed(Code::kRejected,
                  fmt::format("adding {} to {} would pass the range of 64 bits with "
                              "sign",
                              amount, *held));
  return {};
}

Result<ResettableStore> ResettableStore::add(Mutation& m, std::int64_t amount) const {
  if (Status allowed = check_amount(amount); !allowed) return std::unexpected(allowed.error());
  if (amount == 0) return ResettableStore();
  if (entries_.size() >= kShares)
    return failed(Code::kOverloaded,
                  fmt::format("the counter has {} shares; fold those that everybody has seen",
                              entries_.size()));
  Share share;
  static_cast<void>(grow(share, amount));  // from 0 it can't pass the range
  return ResettableStore(m.fresh(), share);
}

Result<ResettableStore> ResettableStore::extend(Mutation& m, const Dot& own,
                                                std::int64_t amount) const {
  if (Status allowed = check_amount(amount); !allowed) return std::unexpected(allowed.error());
  const auto held = std::ranges::lower_bound(entries_, own, {}, &Entry::first);
  if (held == entries_.end() || held->first != own || own.actor != m.actor())
    return failed(Code::kRejected, "expected a share of this actor that is there; add a new one");
  if (amount == 0) return ResettableStore();
  Share share = held->second;
  if (!grow(share, amount))
    return failed(Code::kRejected, "the share would pass the range of 64 bits; add a new one");
  m.extend(own);
  return ResettableStore(own, share);
}

Result<ResettableStore> ResettableStore::reset(Mutation& m) const {
  m.drop_all_of(*this);
  return ResettableStore();
}

Result<ResettableStore> ResettableStore::fold(Mutation& m, const CausalContext& floor) const {
  Share sum;
  std::vector<Dot> folded;
  for (const auto& [dot, share] : entries_) {
    if (!floor.contains(dot)) continue;
    folded.push_back(dot);
    if (__builtin_add_overflow(sum.plus, share.plus, &sum.plus) ||
        __builtin_add_overflow(sum.minus, share.minus, &sum.minus))
      return failed(Code::kRejected, "the folded share would pass the range of 64 bits");
  }
  if (folded.size() < 2) return ResettableStore();
  m.drop(folded);
  return ResettableStore(m.fresh(), sum);
}

}  // namespace waggle::lattice
