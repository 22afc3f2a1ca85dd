#include "base/value.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace waggle {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

constexpr std::size_t kNumberBytes = sizeof(std::int64_t);

void put_scalar(CanonicalBytes& bytes, const Scalar& scalar) {
  bytes.u8(static_cast<std::uint8_t>(scalar.index()));
  std::visit(Overload{[&](std::int64_t number) { bytes.u64(static_cast<std::uint64_t>(number)); },
                      [&](std::uint64_t number) { bytes.u64(number); },
                      [&](double number) { bytes.u64(std::bit_cast<std::uint64_t>(number)); },
                      [&](const std::string& text) { bytes.text(text); }},
             scalar);
}

std::size_t size_of_scalar(const Scalar& scalar) {
  const auto* text = std::get_if<std::string>(&scalar);
  return text != nullptr ? text->size() : kNumberBytes;
}

// The bytes that are hashed of the types whose hash is not a sum.
struct PutCanonical {
  CanonicalBytes& bytes;

  void operator()(const Register& value) const {
    bytes.u8(static_cast<std::uint8_t>(value.content));
    bytes.text(value.bytes);
  }
  void operator()(const Counter& value) const {
    bytes.u64(static_cast<std::uint64_t>(value.total));
  }
  void operator()(const MaxValue& value) const { put_scalar(bytes, value.value); }
  void operator()(const MinValue& value) const { put_scalar(bytes, value.value); }
  void operator()(const OnceFlag&) const {}
  void operator()(const GrowCounter& value) const { bytes.u64(value.total); }
  void operator()(const ResettableCounter& value) const {
    bytes.u64(static_cast<std::uint64_t>(value.base));
    bytes.u64(value.folded_through.value());
    bytes.u64(value.shares.size());
    for (const Share& share : value.shares) {
      put_dots(bytes, {share.dot});
      bytes.u64(static_cast<std::uint64_t>(share.amount));
    }
  }
  void operator()(const BoundedCounter& value) const {
    bytes.u64(value.free);
    bytes.u64(value.reserved.size());
    for (const auto& [agent, amount] : value.reserved) {
      bytes.text(agent.value());
      bytes.u64(amount);
    }
  }
  void operator()(const EnableFlag& value) const { put_dots(bytes, value.enabled); }
  void operator()(const DisableFlag& value) const { put_dots(bytes, value.disabled); }
  void operator()(const MultiRegister& value) const {
    bytes.u64(value.siblings.size());
    for (const Sibling& sibling : value.siblings) {
      put_dots(bytes, {sibling.dot});
      bytes.u64(sibling.hlc.bits);
      (*this)(sibling.value);
    }
  }
  void operator()(const RemoveWinsSet& value) const {
    bytes.u64(value.elements.weight().hash.high);
    bytes.u64(value.elements.weight().hash.low);
    bytes.u64(value.swept.value());
  }
  void operator()(const List& value) const { put(value.sequence); }
  void operator()(const Text& value) const { put(value.sequence); }

 private:
  // Who may still edit it is a part of it: two that differ in this alone must not pass for equal.
  void put(const Sequence& sequence) const {
    const Hash128 units = sequence.hash();
    bytes.u64(units.high);
    bytes.u64(units.low);
    bytes.u64(sequence.base().value());
  }
};

}  // namespace

bool operator==(const Field& a, const Field& b) {
  return a.hlc == b.hlc && a.updates == b.updates &&
         (a.value == b.value || a.value->value == b.value->value);
}

Weight WeighField::operator()(const FieldId& id, const Field& field) const {
  CanonicalBytes bytes;
  bytes.text(id.name);
  bytes.u8(static_cast<std::uint8_t>(id.type));
  bytes.u64(field.hlc.bits);
  put_dots(bytes, field.updates);
  const Hash128 content = content_hash(field.value->value);
  bytes.u64(content.high);
  bytes.u64(content.low);
  constexpr std::size_t kFieldBytes = 16;
  return {hash128(bytes.bytes()),
          kFieldBytes + id.name.size() + size_of(field.updates) + size_of(field.value->value)};
}

ValueType type_of(const Value& value) {
  return kValueTypes[value.index()];
}

Value empty_value(ValueType type) {
  switch (type) {
    case ValueType::kRegister:
      return Register{};
    case ValueType::kCounter:
      return Counter{};
    case ValueType::kOrSet:
      return OrSet{};
    case ValueType::kMax:
      return MaxValue{};
    case ValueType::kMin:
      return MinValue{};
    case ValueType::kOnceFlag:
      return OnceFlag{};
    case ValueType::kGrowCounter:
      return GrowCounter{};
    case ValueType::kResettableCounter:
      return ResettableCounter{};
    case ValueType::kBoundedCounter:
      return BoundedCounter{};
    case ValueType::kEnableFlag:
      return EnableFlag{};
    case ValueType::kDisableFlag:
      return DisableFlag{};
    case ValueType::kGrowSet:
      return GrowSet{};
    case ValueType::kRemoveWinsSet:
      return RemoveWinsSet{};
    case ValueType::kMultiRegister:
      return MultiRegister{};
    case ValueType::kMap:
      return Map{};
    case ValueType::kList:
      return List{};
    case ValueType::kText:
      return Text{};
  }
  WAGGLE_CHECK(false, "a type of no number");
}

std::size_t size_of(const Value& value) {
  return std::visit(Overload{[](const Register& reg) { return reg.bytes.size(); },
                             [](const OrSet& set) { return set.elements.weight().bytes; },
                             [](const MaxValue& max) { return size_of_scalar(max.value); },
                             [](const MinValue& min) { return size_of_scalar(min.value); },
                             [](const ResettableCounter& counter) {
                               std::size_t size = 2 * kNumberBytes;
                               for (const Share& share : counter.shares)
                                 size += kNumberBytes + size_of(Dots{share.dot});
                               return size;
                             },
                             [](const BoundedCounter& counter) {
                               std::size_t size = kNumberBytes;
                               for (const auto& [agent, amount] : counter.reserved)
                                 size += kNumberBytes + agent.value().size();
                               return size;
                             },
                             [](const EnableFlag& flag) { return size_of(flag.enabled); },
                             [](const DisableFlag& flag) { return size_of(flag.disabled); },
                             [](const GrowSet& set) { return set.elements.weight().bytes; },
                             [](const RemoveWinsSet& set) { return set.elements.weight().bytes; },
                             [](const MultiRegister& multi) {
                               std::size_t size = 0;
                               for (const Sibling& sibling : multi.siblings)
                                 size += kNumberBytes + sibling.value.bytes.size() +
                                         size_of(Dots{sibling.dot});
                               return size;
                             },
                             [](const Map& map) { return map.fields.weight().bytes; },
                             [](const List& list) { return list.sequence.bytes(); },
                             [](const Text& text) { return text.sequence.bytes(); },
                             [](const auto&) { return kNumberBytes; }},
                    value);
}

Hash128 content_hash(const Value& value) {
  return std::visit(Overload{[](const OrSet& set) { return set.elements.weight().hash; },
                             [](const GrowSet& set) { return set.elements.weight().hash; },
                             [](const Map& map) { return map.fields.weight().hash; },
                             [](const auto& small) {
                               CanonicalBytes bytes;
                               PutCanonical{bytes}(small);
                               return hash128(bytes.bytes());
                             }},
                    value);
}

std::uint64_t count_of(const Value& value) {
  return std::visit(
      Overload{[](const OrSet& set) { return std::uint64_t{set.elements.size()}; },
               [](const GrowSet& set) { return std::uint64_t{set.elements.size()}; },
               [](const RemoveWinsSet& set) { return set.elements.size() - set.removed; },
               [](const MultiRegister& multi) { return std::uint64_t{multi.siblings.size()}; },
               [](const Map& map) { return std::uint64_t{map.fields.size()}; },
               [](const List& list) { return list.sequence.size(); },
               [](const Text& text) { return text.sequence.size(); },
               [](const auto&) { return std::uint64_t{1}; }},
      value);
}

namespace {

void check_dots(const Dots& dots) {
  WAGGLE_CHECK(dots.size() <= limits::kDots, "more dots than are kept");
  for (std::size_t i = 1; i < dots.size(); ++i)
    WAGGLE_CHECK(dots[i - 1] < dots[i], "dots out of order");
}

struct CheckInvariants {
  void operator()(const OrSet& set) const {
    set.elements.check_invariants();
    for (const auto& [element, dots] : set.elements) {
      WAGGLE_CHECK(!dots.empty(), "an element without a dot");
      check_dots(dots);
    }
  }
  void operator()(const GrowSet& set) const { set.elements.check_invariants(); }
  void operator()(const RemoveWinsSet& set) const {
    set.elements.check_invariants();
    std::uint64_t removed = 0;
    for (const auto& [element, dots] : set.elements) {
      WAGGLE_CHECK(!dots.adds.empty() || !dots.removals.empty(), "an element without a dot");
      check_dots(dots.adds);
      check_dots(dots.removals);
      removed += dots.present() ? 0 : 1;
    }
    WAGGLE_CHECK(removed == set.removed, "removed elements are counted wrong");
  }
  void operator()(const ResettableCounter& counter) const {
    WAGGLE_CHECK(counter.shares.size() <= limits::kCounterShares);
    Dot last{counter.folded_through, UINT32_MAX, {}};
    for (const Share& share : counter.shares) {
      WAGGLE_CHECK(last < share.dot, "a share out of order, or at or below what is folded");
      last = share.dot;
    }
    (void)counter.total();
  }
  void operator()(const BoundedCounter& counter) const {
    WAGGLE_CHECK(counter.reserved.size() <= limits::kReserves);
    for (const auto& [agent, amount] : counter.reserved) WAGGLE_CHECK(amount > 0);
    WAGGLE_CHECK(counter.total() <= limits::kNumberMax);
  }
  void operator()(const EnableFlag& flag) const { check_dots(flag.enabled); }
  void operator()(const DisableFlag& flag) const { check_dots(flag.disabled); }
  void operator()(const MultiRegister& multi) const {
    WAGGLE_CHECK(!multi.siblings.empty() && multi.siblings.size() <= limits::kSiblings);
    for (std::size_t i = 1; i < multi.siblings.size(); ++i)
      WAGGLE_CHECK(multi.siblings[i - 1].dot < multi.siblings[i].dot, "siblings out of order");
  }
  void operator()(const Map& map) const {
    map.fields.check_invariants();
    for (const auto& [id, field] : map.fields) {
      WAGGLE_CHECK(field.value != nullptr && type_of(field.value->value) == id.type);
      WAGGLE_CHECK(!field.updates.empty(), "a field without a dot");
      check_dots(field.updates);
      std::visit(*this, field.value->value);
    }
  }
  void operator()(const List& list) const { list.sequence.check_invariants(); }
  void operator()(const Text& text) const { text.sequence.check_invariants(); }
  void operator()(const auto&) const {}
};

}  // namespace

void check_invariants(const Value& value) {
  std::visit(CheckInvariants{}, value);
}

}  // namespace waggle
