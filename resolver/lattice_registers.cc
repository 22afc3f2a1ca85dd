#include "resolver/lattice_registers.h"

#include <bit>
#include <cmath>
#include <compare>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/limits.h"

namespace waggle::lattice {
namespace {

constexpr std::string_view kKinds[] = {"an integer", "a natural number", "a real", "bytes"};

void write_scalar(ByteWriter& out, const Scalar& scalar) {
  out.u8(static_cast<std::uint8_t>(scalar.index() + 1));
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) {
    out.signed_number(*integer);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&scalar)) {
    out.number(*natural);
  } else if (const auto* real = std::get_if<double>(&scalar)) {
    out.fixed64(std::bit_cast<std::uint64_t>(*real));
  } else {
    out.string(std::get<std::string>(scalar));
  }
}

std::optional<Scalar> read_scalar(ByteReader& in) {
  switch (const std::uint8_t kind = in.u8()) {
    case 0:
      return {};
    case 1:
      return in.signed_number();
    case 2:
      return in.number();
    case 3: {
      const auto real = std::bit_cast<double>(in.fixed64());
      if (std::isnan(real)) in.fail("expected a real that can be compared, got NaN");
      return real;
    }
    case 4:
      return std::string(in.string(limits::kValueBytes));
    default:
      in.fail(fmt::format("expected a kind of 0..4, got {}", kind));
      return {};
  }
}

}  // namespace

// ---- max, min, once ----------------------------------------------------------------------------

bool less(const Scalar& a, const Scalar& b) {
  if (a.index() != b.index()) return a.index() < b.index();
  if (const auto* real = std::get_if<double>(&a))
    return std::strong_order(*real, std::get<double>(b)) < 0;
  return a < b;
}

Status check_scalar(const Scalar& scalar) {
  if (const auto* real = std::get_if<double>(&scalar); real != nullptr && std::isnan(*real))
    return failed(Code::kRejected, "expected a real that can be compared, got NaN");
  if (const auto* bytes = std::get_if<std::string>(&scalar);
      bytes != nullptr && bytes->size() > limits::kValueBytes)
    return failed(Code::kRejected, fmt::format("expected up to {} bytes, got {}",
                                               limits::kValueBytes, bytes->size()));
  return {};
}

template <bool kGreatest>
Result<ExtremeRegister<kGreatest>> ExtremeRegister<kGreatest>::offer(Scalar value) {
  if (Status allowed = check_scalar(value); !allowed) return std::unexpected(allowed.error());
  if (value_ && value_->index() != value.index())
    return failed(Code::kRejected, fmt::format("expected {} as the register holds, got {}",
                                               kKinds[value_->index()], kKinds[value.index()]));
  ExtremeRegister delta;
  delta.value_ = std::move(value);
  if (Status joined = join(delta); !joined) return std::unexpected(joined.error());
  return delta;
}

template <bool kGreatest>
Status ExtremeRegister<kGreatest>::join(const ExtremeRegister& other) {
  if (!other.value_) return {};
  if (!value_ || (kGreatest ? less(*value_, *other.value_) : less(*other.value_, *value_)))
    value_ = other.value_;
  return {};
}

template <bool kGreatest>
Status ExtremeRegister<kGreatest>::check_range(const Scalar& low, const Scalar& high) const {
  if (!value_ || (value_->index() == low.index() && value_->index() == high.index() &&
                  !less(*value_, low) && !less(high, *value_)))
    return {};
  return failed(Code::kRejected,
                fmt::format("expected {} within the range of this key", kKinds[low.index()]));
}

template <bool kGreatest>
std::string ExtremeRegister<kGreatest>::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  if (value_) {
    write_scalar(out, *value_);
  } else {
    out.u8(0);
  }
  return out.take();
}

template <bool kGreatest>
Result<ExtremeRegister<kGreatest>> ExtremeRegister<kGreatest>::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  ExtremeRegister decoded;
  decoded.value_ = read_scalar(in);
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return decoded;
}

template <bool kGreatest>
Status ExtremeRegister<kGreatest>::check_invariants() const {
  return value_ ? check_scalar(*value_) : Status();
}

template class ExtremeRegister<true>;
template class ExtremeRegister<false>;

OnceFlag OnceFlag::raise() {
  raised_ = true;
  return *this;
}

Status OnceFlag::join(const OnceFlag& other) {
  raised_ = raised_ || other.raised_;
  return {};
}

std::string OnceFlag::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.u8(raised_ ? 1 : 0);
  return out.take();
}

Result<OnceFlag> OnceFlag::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  OnceFlag decoded;
  const std::uint8_t raised = in.u8();
  if (raised > 1) in.fail(fmt::format("expected 0 or 1, got {}", raised));
  decoded.raised_ = raised == 1;
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return decoded;
}

// ---- stamped values ----------------------------------------------------------------------------

bool later(const StampedValue& a, const StampedValue& b) {
  if (a.stamp != b.stamp) return a.stamp > b.stamp;
  if (a.value.has_value() != b.value.has_value()) return !a.value;
  if (!a.value || *a.value == *b.value) return false;
  const Hash128 mine = hash128(*a.value);
  const Hash128 theirs = hash128(*b.value);
  return mine == theirs ? *a.value > *b.value : mine > theirs;
}

Status check_stamped(const std::optional<std::string>& value) {
  if (value && value->size() > limits::kValueBytes)
    return failed(Code::kRejected, fmt::format("expected a value of up to {} bytes, got {}",
                                               limits::kValueBytes, value->size()));
  return {};
}

Status check_stamp(Hlc stamp, Hlc low, Hlc high) {
  if (low <= stamp && stamp <= high) return {};
  return failed(Code::kRejected,
                fmt::format("expected a stamp of {}..{} ms, got {} ms; correct the writer's clock",
                            low.millis(), high.millis(), stamp.millis()));
}

void write_optional(ByteWriter& out, const std::optional<std::string>& value) {
  out.number(value ? value->size() + 1 : 0);
  if (value) out.raw(*value);
}

std::optional<std::string> read_optional(ByteReader& in) {
  const std::uint64_t size = in.number(limits::kValueBytes + 1);
  if (size == 0) return {};
  return std::string(in.take(size - 1));
}

template <bool kLast>
const std::string* StampedRegister<kLast>::value() const {
  return write_ && write_->value ? &*write_->value : nullptr;
}

template <bool kLast>
Result<StampedRegister<kLast>> StampedRegister<kLast>::assign(Stamp stamp,
                                                              std::optional<std::string> value) {
  if (Status allowed = check_stamped(value); !allowed) return std::unexpected(allowed.error());
  StampedRegister delta;
  delta.write_ = StampedValue{stamp, std::move(value)};
  if (Status joined = join(delta); !joined) return std::unexpected(joined.error());
  return delta;
}

template <bool kLast>
Status StampedRegister<kLast>::join(const StampedRegister& other) {
  if (!other.write_) return {};
  if (!write_ || (kLast ? later(*other.write_, *write_) : later(*write_, *other.write_)))
    write_ = other.write_;
  return {};
}

template <bool kLast>
Status StampedRegister<kLast>::check_stamp(Hlc low, Hlc high) const {
  return write_ ? lattice::check_stamp(write_->stamp.hlc, low, high) : Status();
}

template <bool kLast>
void StampedRegister<kLast>::drop_deletion(Hlc floor) {
  if (write_ && !write_->value && write_->stamp.hlc <= floor) write_.reset();
}

template <bool kLast>
std::string StampedRegister<kLast>::encode() const {
  ByteWriter out;
  write_head(out, kType, Form::kState);
  out.u8(write_ ? 1 : 0);
  if (write_) {
    out.fixed64(write_->stamp.hlc.bits);
    out.fixed64(write_->stamp.actor.value());
    write_optional(out, write_->value);
  }
  return out.take();
}

template <bool kLast>
Result<StampedRegister<kLast>> StampedRegister<kLast>::decode(std::string_view bytes) {
  ByteReader in(to_text(kType), bytes);
  read_head(in, kType, Form::kState);
  StampedRegister decoded;
  const std::uint8_t written = in.u8();
  if (written > 1) in.fail(fmt::format("expected 0 or 1, got {}", written));
  if (written == 1) {
    decoded.write_.emplace();
    decoded.write_->stamp.hlc.bits = in.fixed64();
    decoded.write_->stamp.actor = ActorId(in.fixed64());
    decoded.write_->value = read_optional(in);
  }
  if (Status finished = in.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return decoded;
}

template <bool kLast>
Status StampedRegister<kLast>::check_invariants() const {
  return write_ ? check_stamped(write_->value) : Status();
}

template class StampedRegister<true>;
template class StampedRegister<false>;

}  // namespace waggle::lattice
