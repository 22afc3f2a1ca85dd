#pragma once

// Who writes, and what they had seen when they wrote, translated to the present epoch: all that is
// asked when a write is told apart from a concurrent one. Offline work is a late write with an old
// context, so the same three questions serve for it.

#include <vector>

#include "base/dot.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/mutation.h"
#include "base/record.h"

namespace waggle {

struct Author {
  AgentId agent;
  Incarnation incarnation;
  Seq seq;
  Hlc hlc;
  Revision seen;
  std::vector<OwnThrough> own_through;

  // True iff the writer knew of that mutation when it wrote: it is its own, and was in its view.
  [[nodiscard]] bool own(const Writer& writer) const;
  // True iff the writer knew of that addition.
  [[nodiscard]] bool seen_dot(const Dot& dot) const;
  [[nodiscard]] bool seen_all(const Dots& dots) const;
  // True iff the record was changed behind the writer's back.
  [[nodiscard]] bool concurrent_with(const Record& record) const;
  [[nodiscard]] Writer writer() const { return {agent, incarnation, seq}; }
};

// Takes away the dots that the author had seen. True iff there were any.
bool drop_seen(Dots& dots, const Author& author);

}  // namespace waggle
