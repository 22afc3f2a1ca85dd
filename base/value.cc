#include "base/value.h"

namespace waggle {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

// Of a dot beside its writer's id, as encoded.
constexpr std::size_t kDotBytes = 40;

Hash128 element_hash(const std::string& element, const std::vector<Dot>& dots) {
  CanonicalBytes bytes;
  bytes.text(element);
  bytes.u64(dots.size());
  for (const Dot& dot : dots) {
    bytes.u64(dot.revision.value());
    bytes.u64(dot.index);
    bytes.text(dot.writer.agent.value());
    bytes.u64(dot.writer.incarnation.value());
    bytes.u64(dot.writer.seq.value());
  }
  return hash128(bytes.bytes());
}

}  // namespace

std::string_view to_text(ValueType type) {
  switch (type) {
    case ValueType::kRegister:
      return "register";
    case ValueType::kCounter:
      return "counter";
    case ValueType::kOrSet:
      return "set";
  }
  return "unrecognised";
}

std::string_view to_text(ContentType type) {
  switch (type) {
    case ContentType::kText:
      return "text";
    case ContentType::kJson:
      return "json";
    case ContentType::kBytes:
      return "bytes";
  }
  return "unrecognised";
}

ValueType type_of(const Value& value) {
  return std::visit(Overload{[](const Register&) { return ValueType::kRegister; },
                             [](const Counter&) { return ValueType::kCounter; },
                             [](const OrSet&) { return ValueType::kOrSet; }},
                    value);
}

std::size_t size_of(const Value& value) {
  return std::visit(Overload{[](const Register& reg) { return reg.bytes.size(); },
                             [](const Counter&) { return sizeof(std::int64_t); },
                             [](const OrSet& set) {
                               std::size_t size = 0;
                               for (const auto& [element, dots] : set.elements) {
                                 size += element.size();
                                 for (const Dot& dot : dots)
                                   size += kDotBytes + dot.writer.agent.value().size();
                               }
                               return size;
                             }},
                    value);
}

Hash128 content_hash(const Value& value) {
  return std::visit(Overload{[](const Register& reg) {
                               CanonicalBytes bytes(reg.bytes.size() + 16);
                               bytes.u8(static_cast<std::uint8_t>(reg.content));
                               bytes.text(reg.bytes);
                               return hash128(bytes.bytes());
                             },
                             [](const Counter& counter) {
                               CanonicalBytes bytes;
                               bytes.u64(static_cast<std::uint64_t>(counter.total));
                               return hash128(bytes.bytes());
                             },
                             [](const OrSet& set) {
                               Hash128 sum;
                               for (const auto& [element, dots] : set.elements)
                                 sum += element_hash(element, dots);
                               return sum;
                             }},
                    value);
}

}  // namespace waggle
