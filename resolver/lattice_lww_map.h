#pragma once

// The plain key-value store: of each key the write with the greatest stamp.
//
//   concurrent writes   greatest (HLC, actor, hash of the value) wins, see lattice_registers.h
//   metadata            a stamp and a dot for each key; the same for each deleted one, until
//   sweep() a delta             the changed keys with stamp and dot; nothing of what they overwrote
//
// Dots are not needed to choose the winner. They tell what somebody who has seen a context lacks,
// so delta_since() costs in bytes what changed, after however many overwrites, and they tell a key
// that was swept from one that is new.
//
// A deletion is a stamped write of nothing. sweep(floor) forgets those that everybody has seen.
// From then on a stale replica that still holds a deleted key gives it up when it joins (its dot
// has been seen), and a write that nobody has seen and whose stamp is not above the swept deletions
// is refused as a conflict: it may or may not have been deleted. A requester that has not seen the
// floor can't be served a delta.
//
// Cost: O(log n) for each key of a delta; delta_since() reads the dots of all keys.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "resolver/lattice_context.h"
#include "resolver/lattice_registers.h"
#include "resolver/lattice_type.h"

namespace waggle::lattice {

struct KeyedWrite {
  StampedValue written;
  std::uint64_t n = 0;  // of its actor's dots
  [[nodiscard]] Dot dot() const { return {written.stamp.actor, n}; }
  friend bool operator==(const KeyedWrite&, const KeyedWrite&) = default;
};

template <Form kForm>
class KeyedWrites {
 public:
  static constexpr Type kType = Type::kLastWriterMap;
  using State = KeyedWrites<Form::kState>;
  using Delta = KeyedWrites<Form::kDelta>;
  using Writes = std::map<std::string, KeyedWrite, std::less<>>;

  // Null: never written, or deleted.
  [[nodiscard]] const std::string* find(std::string_view key) const;
  [[nodiscard]] const Writes& writes() const { return writes_; }  // deletions among them
  [[nodiscard]] const CausalContext& context() const { return context_; }
  [[nodiscard]] const CausalContext& floor() const { return floor_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] std::size_t deletions() const;

  // Nothing: deletes. A write whose stamp doesn't win changes nothing but what was seen.
  // Errors: kRejected for the key's or the value's size, for the sealed actor, and for one without
  // dots left; kConflict for a stamp that isn't above the swept deletions.
  [[nodiscard]] Result<Delta> assign(ActorId actor, Hlc hlc, std::string_view key,
                                     std::optional<std::string> value)
    requires(kForm == Form::kState);

  // Errors: kStale for another generation, kOverloaded when the context would pass kCloudRuns,
  // kConflict for an unseen write below swept deletions.
  [[nodiscard]] Status join(const State& other)
    requires(kForm == Form::kState);
  [[nodiscard]] Status join(const Delta& other);
  // A delta as a value.
  [[nodiscard]] State state() const
    requires(kForm == Form::kDelta);

  // Errors: kStale when `seen` lacks what was swept, kOverloaded for too many holes; send the
  // whole.
  [[nodiscard]] Result<Delta> delta_since(const CausalContext& seen) const
    requires(kForm == Form::kState);
  // Forgets deletions at or below the floor. REQUIRES: every replica has seen `floor`.
  // Errors: kUnavailable when this replica hasn't.
  [[nodiscard]] Status sweep(const CausalContext& floor)
    requires(kForm == Form::kState);
  // See lattice_object.h. The order of writes with equal HLC takes the sealed actor for this one.
  [[nodiscard]] Status retire(ActorId actor)
    requires(kForm == Form::kState);
  // For what comes from outside. Errors: kRejected when a stamp is outside [low, high].
  [[nodiscard]] Status check_stamps(Hlc low, Hlc high) const;

  [[nodiscard]] bool is_bottom() const { return context_.empty() && generation_ == 0; }
  [[nodiscard]] std::size_t size() const { return encode().size(); }
  // body  := generation context [ of a state: stamp of the floor(8 bytes), context of the floor ]
  //          earliest-ms count { length key dot ms-after-earliest counter (0 | length+1 value) }
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<KeyedWrites> decode(std::string_view bytes);
  [[nodiscard]] Status check_invariants() const;
  friend bool operator==(const KeyedWrites&, const KeyedWrites&) = default;

 private:
  template <Form>
  friend class KeyedWrites;
  template <Form kOther>
  [[nodiscard]] Status check_join(const KeyedWrites<kOther>& other) const;
  template <Form kOther>
  void take(const KeyedWrites<kOther>& other);
  [[nodiscard]] bool is_late(const KeyedWrite& write) const;
  void write_body(ByteWriter& out) const;
  void read_body(ByteReader& in, const Actors& actors);

  // Invariants: every dot is in the context and none stands twice; no deletion is in the floor; the
  // floor is in the context. A delta has no floor.
  Writes writes_;
  CausalContext context_;
  CausalContext floor_;
  Hlc floor_stamp_;  // greatest of the swept deletions
  std::uint64_t generation_ = 0;
};
using LastWriterMap = KeyedWrites<Form::kState>;

}  // namespace waggle::lattice
