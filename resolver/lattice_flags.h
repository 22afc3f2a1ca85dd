#pragma once

// Two flags of dots, each other's dual. Which side wins is part of the type, because a flag whose
// winner is unclear is a bug that waits.
//
//   type               | empty | concurrent enable and disable | metadata         | a delta
//   enable-wins flag   | off   | on                            | a dot for each   | one dot, and
//   disable-wins flag  | on    | off                           | concurrent write | those it saw
//
// Source: Almeida, Shoker and Baquero, "Delta state replicated data types", 2018 (EWFlag, DWFlag).

#include "resolver/lattice_object.h"

namespace waggle::lattice {

class EnableWinsStore : public DotSet {
 public:
  static constexpr Type kType = Type::kEnableWinsFlag;
  using DotSet::DotSet;
  [[nodiscard]] bool on() const { return !empty(); }
  [[nodiscard]] Result<EnableWinsStore> enable(Mutation& m) const {
    m.drop(dots());
    return EnableWinsStore(m.fresh());
  }
  [[nodiscard]] Result<EnableWinsStore> disable(Mutation& m) const {
    m.drop(dots());
    return EnableWinsStore();
  }
};
using EnableWinsFlag = Causal<EnableWinsStore>;

class DisableWinsStore : public DotSet {
 public:
  static constexpr Type kType = Type::kDisableWinsFlag;
  using DotSet::DotSet;
  [[nodiscard]] bool on() const { return empty(); }
  [[nodiscard]] Result<DisableWinsStore> disable(Mutation& m) const {
    m.drop(dots());
    return DisableWinsStore(m.fresh());
  }
  [[nodiscard]] Result<DisableWinsStore> enable(Mutation& m) const {
    m.drop(dots());
    return DisableWinsStore();
  }
};
using DisableWinsFlag = Causal<DisableWinsStore>;

}  // namespace waggle::lattice
