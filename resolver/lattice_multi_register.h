#pragma once

// A register that keeps every concurrent write until somebody who has seen them writes again.
//
//   concurrent writes   all stay as siblings; a write replaces those that it saw
//   metadata            a dot and an HLC for each sibling; at most one sibling for each actor
//   a delta             the value, its dot, and the dots that it replaces
//
// Beyond kSiblings it is crowded(): the caller reports it and settles it by settle(), which keeps
// the sibling with the greatest (HLC, actor, hash of the value). Joining doesn't drop any on its
// own: a join that chose would depend on the order in which states meet.
//
// latest() is that same choice without a write, which makes this type the last-writer register of a
// map, where removing the field must take away exactly what was seen.
//
// Source: Preguica et al., "Dotted version vectors", 2010; Almeida, Shoker and Baquero, 2018.

#include <string>
#include <string_view>
#include <vector>

#include "base/hlc.h"
#include "resolver/lattice_object.h"

namespace waggle::lattice {

struct Sibling {
  Hlc hlc;
  std::string value;
  // Of one dot there is one value. Should an actor break that, the greater stays on every side.
  void join(const Sibling& other);
  void write(ByteWriter& out) const;
  void read(ByteReader& in);
  friend auto operator<=>(const Sibling&, const Sibling&) = default;
};

class MultiRegisterStore : public DotFun<Sibling> {
 public:
  static constexpr Type kType = Type::kMultiRegister;
  using DotFun::DotFun;
  [[nodiscard]] std::vector<std::string> values() const;  // rising, each once
  // Null: nothing was written, or all was removed.
  [[nodiscard]] const std::string* latest() const;
  [[nodiscard]] bool crowded() const { return entries_.size() > kSiblings; }

  // Errors: kRejected for a value above limits::kValueBytes.
  [[nodiscard]] Result<MultiRegisterStore> assign(Mutation& m, Hlc hlc,
                                                  std::string_view value) const;
  // Writes latest() anew, under its own HLC. Nothing to settle: nothing happens.
  [[nodiscard]] Result<MultiRegisterStore> settle(Mutation& m) const;
  [[nodiscard]] Result<MultiRegisterStore> clear(Mutation& m) const;

 private:
  [[nodiscard]] const Entry* winner() const;
};
using MultiRegister = Causal<MultiRegisterStore>;

}  // namespace waggle::lattice
