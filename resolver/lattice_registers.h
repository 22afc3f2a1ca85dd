#pragma once

// Registers whose join picks one of two values, by an order in which no two are equal.
//
//                          | concurrent writes       | metadata            | a delta
//   max-, min-register     | the greatest, the least | none                | the value
//   once-flag              | raised, and for ever    | none                | the flag
//   last-writer register   | greatest stamp          | HLC and actor       | the value and stamp
//   first-writer register  | least stamp             | HLC and actor       | the value and stamp
//
// A last-writer register that compares time stamps only keeps "a" on one side and "b" on the other
// when two stamps are equal, for ever. So the order is (HLC, actor, hash of the value, value).
// Order among concurrent writers is by *hybrid time*, as good as their clocks; writers whose choice
// matters use a multi-register. A deletion is a stamped write of nothing.
//
// Guards. A join can't tell a forged stamp or maximum from a true one, and would keep it for ever:
// check_range() and check_stamp() are for whoever takes values from outside, ahead of the join.
//
// Sources: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
// Types", 2011; Kulkarni et al., "Logical Physical Clocks", 2014.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/hlc.h"
#include "resolver/lattice_context.h"
#include "resolver/lattice_type.h"

namespace waggle::lattice {

// Order: by kind first, in this order, then by value; of reals -0 < +0, and NaN is refused.
using Scalar = std::variant<std::int64_t, std::uint64_t, double, std::string>;
[[nodiscard]] bool less(const Scalar& a, const Scalar& b);
[[nodiscard]] Status check_scalar(const Scalar& scalar);

template <bool kGreatest>
class ExtremeRegister {
 public:
  static constexpr Type kType = kGreatest ? Type::kMaxRegister : Type::kMinRegister;
  using Delta = ExtremeRegister;
  [[nodiscard]] const std::optional<Scalar>& value() const { return value_; }

  // Errors: kRejected for NaN, bytes above limits::kValueBytes, and another kind than is held.
  // (Two stores that begin with different kinds still join, by the order of kinds.)
  [[nodiscard]] Result<ExtremeRegister> offer(Scalar value);
  [[nodiscard]] Status join(const ExtremeRegister& other);
  // Errors: kRejected for a value outside [low, high] or of another kind.
  [[nodiscard]] Status check_range(const Scalar& low, const Scalar& high) const;

  [[nodiscard]] bool is_bottom() const { return !value_; }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := 0 | kind(1 byte, from 1) value
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<ExtremeRegister> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const ExtremeRegister& a, const ExtremeRegister& b) {
    return a.encode() == b.encode();  // -0 and +0 differ
  }

 private:
  std::optional<Scalar> value_;
};
using MaxRegister = ExtremeRegister<true>;
using MinRegister = ExtremeRegister<false>;

class OnceFlag {
 public:
  static constexpr Type kType = Type::kOnceFlag;
  using Delta = OnceFlag;
  [[nodiscard]] bool raised() const { return raised_; }
  OnceFlag raise();
  [[nodiscard]] Status join(const OnceFlag& other);

  [[nodiscard]] bool is_bottom() const { return !raised_; }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  [[nodiscard]] std::string encode() const;  // body := 0 | 1
  [[nodiscard]] static Result<OnceFlag> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const { return {}; }
  friend bool operator==(const OnceFlag&, const OnceFlag&) = default;

 private:
  bool raised_ = false;
};

struct Stamp {
  Hlc hlc;
  ActorId actor;
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};
struct StampedValue {
  Stamp stamp;
  std::optional<std::string> value;  // nothing: deleted
  friend bool operator==(const StampedValue&, const StampedValue&) = default;
};
// (HLC, actor, hash of the value, value); a deletion is above every value of its stamp.
[[nodiscard]] bool later(const StampedValue& a, const StampedValue& b);
// Errors: kRejected for a value above limits::kValueBytes.
[[nodiscard]] Status check_stamped(const std::optional<std::string>& value);
// Stamps that may be taken from outside. Errors: kRejected outside [low, high].
[[nodiscard]] Status check_stamp(Hlc stamp, Hlc low, Hlc high);

template <bool kLast>
class StampedRegister {
 public:
  static constexpr Type kType = kLast ? Type::kLastWriter : Type::kFirstWriter;
  using Delta = StampedRegister;
  // Null: never written, or deleted.
  [[nodiscard]] const std::string* value() const;
  [[nodiscard]] const std::optional<StampedValue>& write() const { return write_; }

  // A write whose stamp doesn't win changes nothing. Errors: kRejected for its size.
  [[nodiscard]] Result<StampedRegister> assign(Stamp stamp, std::optional<std::string> value);
  [[nodiscard]] Status join(const StampedRegister& other);
  // Errors: kRejected when its stamp is outside [low, high].
  [[nodiscard]] Status check_stamp(Hlc low, Hlc high) const;
  // Forgets a deletion at or below the floor. REQUIRES: every replica does it at the same point,
  // and no write that was made without the deletion can arrive any more; else that write comes
  // back.
  void drop_deletion(Hlc floor);

  [[nodiscard]] bool is_bottom() const { return !write_; }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body := 0 | 1 hlc(8 bytes) actor(8 bytes) (0 | length+1 bytes)
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<StampedRegister> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const StampedRegister&, const StampedRegister&) = default;

 private:
  std::optional<StampedValue> write_;
};
using LastWriterRegister = StampedRegister<true>;
using FirstWriterRegister = StampedRegister<false>;

// value := 0 | length+1 bytes
void write_optional(ByteWriter& out, const std::optional<std::string>& value);
[[nodiscard]] std::optional<std::string> read_optional(ByteReader& in);

}  // namespace waggle::lattice
