#include "resolver/lattice_type.h"

#include <fmt/format.h>

namespace waggle::lattice {
namespace {

constexpr std::uint8_t kFormat = 1;

}  // namespace

std::string_view to_text(Type type) {
  switch (type) {
    case Type::kMaxRegister:
      return "max-register";
    case Type::kMinRegister:
      return "min-register";
    case Type::kOnceFlag:
      return "once-flag";
    case Type::kGrowCounter:
      return "grow-counter";
    case Type::kPnCounter:
      return "pn-counter";
    case Type::kResettableCounter:
      return "resettable-counter";
    case Type::kBoundedCounter:
      return "bounded-counter";
    case Type::kEnableWinsFlag:
      return "enable-wins-flag";
    case Type::kDisableWinsFlag:
      return "disable-wins-flag";
    case Type::kGrowSet:
      return "grow-set";
    case Type::kAddWinsSet:
      return "add-wins-set";
    case Type::kRemoveWinsSet:
      return "remove-wins-set";
    case Type::kLastWriter:
      return "last-writer-register";
    case Type::kFirstWriter:
      return "first-writer-register";
    case Type::kMultiRegister:
      return "multi-register";
    case Type::kMap:
      return "map";
    case Type::kLastWriterMap:
      return "last-writer-map";
  }
  return "unknown type";
}

void write_head(ByteWriter& out, Type type, Form form) {
  out.u8(kFormat);
  out.u8(static_cast<std::uint8_t>(type));
  out.u8(static_cast<std::uint8_t>(form));
}

void read_head(ByteReader& in, Type type, Form form) {
  if (in.remaining() > kStateBytes)
    return in.fail(fmt::format("expected up to {} bytes, got {}", kStateBytes, in.remaining()));
  if (const std::uint8_t format = in.u8(); !in.failed() && format != kFormat)
    return in.fail(fmt::format("expected format {}, got {}", kFormat, format));
  if (const std::uint8_t got = in.u8(); !in.failed() && got != static_cast<std::uint8_t>(type))
    return in.fail(fmt::format("expected a {}, got a {} ({})", to_text(type),
                               to_text(static_cast<Type>(got)), got));
  if (const std::uint8_t got = in.u8(); !in.failed() && got != static_cast<std::uint8_t>(form))
    in.fail(
        fmt::format("expected a {}, got form {}", form == Form::kState ? "state" : "delta", got));
}

}  // namespace waggle::lattice
