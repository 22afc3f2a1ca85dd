#pragma once

// A mutation is one request to change state: a group of one or more entries that commits as a whole
// or not at all. It is identified by (agent, incarnation, seq), so that sending it again after a
// lost answer changes nothing, and carries what its writer had seen, so that the coordinator can
// tell a concurrent write from an informed one.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/op.h"
#include "base/record.h"
#include "base/status.h"

namespace waggle {

// What the key's version must be for the entry to apply: compare-and-set.
struct ExpectVersion {
  Revision version;  // 0: the key must be absent (never written, or deleted)
  friend bool operator==(const ExpectVersion&, const ExpectVersion&) = default;
};
struct ExpectMine {  // the version made by the writer's own mutation of the same incarnation
  Seq seq;
  friend bool operator==(const ExpectMine&, const ExpectMine&) = default;
};
// As the writer saw it: nobody else has changed the key since. Unlike the other two it holds of a
// view with own writes that are not committed yet, so such a write is in the view at once.
struct ExpectUnchanged {
  friend bool operator==(const ExpectUnchanged&, const ExpectUnchanged&) = default;
};
using Expect = std::variant<std::monostate, ExpectVersion, ExpectMine, ExpectUnchanged>;

struct Entry {
  Key key;
  Expect expect;
  Op op;
  Metadata metadata;
  std::optional<Signature> signature = {};  // of a put
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What the writer had seen when it wrote.
struct OwnThrough {
  Incarnation incarnation;
  Seq seq;
  friend bool operator==(const OwnThrough&, const OwnThrough&) = default;
};
struct Context {
  Epoch epoch;                          // 0: had never held a state; seen is 0 then
  Revision seen;                        // its cursor
  std::vector<OwnThrough> own_through;  // its own mutations in its view, per incarnation
  friend bool operator==(const Context&, const Context&) = default;
};

struct Mutation {
  Incarnation incarnation;
  Seq seq;
  Context context;
  Hlc hlc;
  std::vector<Entry> entries;
  FenceToken fence = {};  // of the claim that its keys are written under
  friend bool operator==(const Mutation&, const Mutation&) = default;
};

// DO NOT CHANGE the numbers.
enum class ConflictKind : std::uint8_t {
  kNone = 0,
  kVersionMismatch = 1,   // the expected version does not hold
  kConcurrentUpdate = 2,  // another writer changed the key meanwhile
  kClockDivergence = 3,
  kDeleteUpdate = 4,  // deleted by one, written by the other
  kFieldConflict = 5,
  kMoveConflict = 6,
  kDataInconsistency = 7,  // same version, other content: a damaged replica
};
[[nodiscard]] std::string_view to_text(ConflictKind kind);

// Why a mutation was refused for good. DO NOT CHANGE the numbers.
enum class Reason : std::uint8_t {
  kNone = 0,
  kTypeMismatch = 1,
  kTooLarge = 2,
  kOverflow = 3,
  kInvalid = 4,
  kClockAhead = 5,  // code unavailable; `head` and the coordinator's time are told
  kDiskFull = 6,
  kWriterForgotten = 7,
  kStateFull = 8,  // state_bytes_max reached
  kForeignEpoch = 9,
  kWindow = 10,
  kNoSwarm = 11,
  kBaseLost = 12,       // the history that would be needed was folded or dropped
  kNotEnough = 13,      // a bounded counter has too little left
  kOutOfRange = 14,     // a position beyond the end of a text or list
  kWrongClass = 15,     // a durable write of an ephemeral key, or the other way round
  kClaimed = 16,        // the key is under a claim, whose token was not given
  kStaleToken = 17,     // the claim of that token is not held any more
  kReserved = 18,       // of the coordinator's own keys
  kNotVoter = 19,       // not in the electorate, or not whose vote or proposal it is
  kClosed = 20,         // the proposal is decided
  kVoted = 21,          // it has voted, and votes can't be changed
  kNeedsProposal = 22,  // the key is written by approved proposals only
  kTooMany = 23,        // of something that is bounded
  kNotAllowed = 24,     // by the coordinator's access rules
  kNotSigned = 25,      // as the policy wants it, or the signature is not that of the writer
  kRateLimit = 26,      // more than this agent may send; `retry_millis` says when to come back
};
[[nodiscard]] std::string_view to_text(Reason reason);

// The final or passing answer to one mutation.
struct Outcome {
  Code code = Code::kInternal;
  Level level = Level::kNone;
  Revision revision;     // of its commit; else the head when it was stepped
  bool changed = false;  // a commit was made (a remove of what is not there makes none)
  Reason reason = Reason::kNone;
  ConflictKind conflict = ConflictKind::kNone;
  Key key;              // the entry that decided a conflict or a rejection
  RecordPtr committed;  // the record that stands, with a conflict; null: the key is absent
  Seq expected;         // with a gap: the seq to send next
  ConflictId parked;    // with parked: the conflict that waits
  std::uint64_t coordinator_wall_millis = 0;  // with clock_ahead
  std::int64_t retry_millis = 0;  // with overloaded: not before; 0: on the writer's own timer
  std::string text;

  // Final outcomes consume the seq and are durable with it; the others consume nothing.
  [[nodiscard]] bool final() const {
    return code == Code::kCommitted || code == Code::kConflict || code == Code::kParked ||
           code == Code::kRejected || code == Code::kDenied;
  }
};
[[nodiscard]] bool operator==(const Outcome& a, const Outcome& b);

// Estimates of the bytes on the wire, for cutting what is joined.
[[nodiscard]] std::size_t wire_size(const Mutation& mutation);
[[nodiscard]] std::size_t wire_size(const Outcome& outcome);

}  // namespace waggle
