#include "resolver/lattice_multi_register.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"

namespace waggle::lattice {

void Sibling::join(const Sibling& other) {
  if (*this < other) *this = other;
}

void Sibling::write(ByteWriter& out) const {
  out.fixed64(hlc.bits);
  out.string(value);
}

void Sibling::read(ByteReader& in) {
  hlc.bits = in.fixed64();
  value = in.string(limits::kValueBytes);
}

std::vector<std::string> MultiRegisterStore::values() const {
  std::vector<std::string> values;
  for (const auto& [dot, sibling] : entries_) values.push_back(sibling.value);
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

const MultiRegisterStore::Entry* MultiRegisterStore::winner() const {
  const auto order = [](const Entry& entry) {
    const auto& [dot, sibling] = entry;
    return std::tuple(sibling.hlc, dot.actor, hash128(sibling.value), dot.n);
  };
  const auto greatest = std::ranges::max_element(entries_, {}, order);
  return greatest == entries_.end() ? nullptr : &*greatest;
}

const std::string* MultiRegisterStore::latest() const {
  const Entry* greatest = winner();
  return greatest == nullptr ? nullptr : &greatest->second.value;
}

Result<MultiRegisterStore> MultiRegisterStore::assign(Mutation& m, Hlc hlc,
                                                      std::string_view value) const {
  if (value.size() > limits::kValueBytes)
    return failed(Code::kRejected, fmt::format("expected a value of up to {} bytes, got {}",
                                               limits::kValueBytes, value.size()));
  m.drop_all_of(*this);
  return MultiRegisterStore(m.fresh(), Sibling{hlc, std::string(value)});
}

Result<MultiRegisterStore> MultiRegisterStore::settle(Mutation& m) const {
  if (entries_.size() < 2) return MultiRegisterStore();
  const Sibling kept = winner()->second;
  return assign(m, kept.hlc, kept.value);
}

Result<MultiRegisterStore> MultiRegisterStore::clear(Mutation& m) const {
  m.drop_all_of(*this);
  return MultiRegisterStore();
}

}  // namespace waggle::lattice
