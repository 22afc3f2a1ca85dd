#include "base/scalar_bytes.h"

#include <bit>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

}  // namespace

void write_register(ByteWriter& out, const Register& value) {
  out.u8(static_cast<std::uint8_t>(value.content));
  out.string(value.bytes);
}

void write_scalar(ByteWriter& out, const Scalar& scalar) {
  out.u8(static_cast<std::uint8_t>(scalar.index()));
  std::visit(Overload{[&](std::int64_t number) { out.signed_number(number); },
                      [&](std::uint64_t number) { out.number(number); },
                      [&](double number) { out.fixed64(std::bit_cast<std::uint64_t>(number)); },
                      [&](const std::string& text) { out.string(text); }},
             scalar);
}

Register read_register(ByteReader& in) {
  Register value;
  const std::uint8_t content = in.u8();
  if (content < 1 || content > 3)
    in.fail(fmt::format("expected a content type of 1..3, got {}", content));
  value.content = static_cast<ContentType>(content);
  value.bytes = in.string(limits::kValueBytes);
  return value;
}

Scalar read_scalar(ByteReader& in) {
  switch (const std::uint8_t kind = in.u8()) {
    case 0:
      return in.signed_number();
    case 1:
      return in.number();
    case 2: {
      const auto real = std::bit_cast<double>(in.fixed64());
      const Result<Scalar> comparable = checked(real);
      // Compared as bits: -0 equals 0.
      if (!comparable || std::bit_cast<std::uint64_t>(std::get<double>(*comparable)) !=
                             std::bit_cast<std::uint64_t>(real))
        return in.fail("expected a number that is neither NaN nor -0"), Scalar();
      return real;
    }
    case 3:
      return std::string(in.string(limits::kValueBytes));
    default:
      return in.fail(fmt::format("expected a kind of 0..3, got {}", kind)), Scalar();
  }
}

}  // namespace waggle
