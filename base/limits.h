#pragma once

// Every bound of Waggle in one place, with the relations between them asserted. Configuration may
// only lower them. What happens at a bound is written beside it: nothing grows without limit.

#include <cstddef>
#include <cstdint>

namespace waggle::limits {

// Names and values. Beyond: the request is `rejected`.
inline constexpr std::size_t kKeyBytes = 1024;
inline constexpr std::size_t kIdBytes = 64;
inline constexpr std::size_t kValueBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMetadataBytes = 4096;  // all pairs of one entry together
inline constexpr std::size_t kElementBytes = 1024;   // one element of a set, one field's name
inline constexpr std::size_t kMapDepth = 8;          // maps within each other
inline constexpr std::size_t kEdits = 4096;          // of one operation on a text or list

// Metadata of one key, whatever its writers do. Beyond: the oldest are joined (dots), folded
// (shares), the least stamp goes (siblings), or the write is `rejected` (reserves).
inline constexpr std::size_t kDots = 8;
inline constexpr std::size_t kCounterShares = 32;
inline constexpr std::size_t kSiblings = 16;
inline constexpr std::size_t kReserves = 1024;
// Of a list or text: history up to the floor that takes less is not worth a pass over it.
inline constexpr std::size_t kSequenceFoldBytes = std::size_t{4} << 10;
// Of a list or text, what is kept to walk late edits forward. Beyond: the older half is folded.
inline constexpr std::size_t kSequenceHistoryBytes = std::size_t{256} << 10;

// One mutation. Beyond: `rejected{too_large}`.
inline constexpr std::size_t kGroupEntries = 256;
inline constexpr std::size_t kGroupBytes = std::size_t{512} << 10;
// A single value may be larger than a group's input, so that one put can carry a whole value.
inline constexpr std::size_t kCommitBytes = std::size_t{2} << 20;  // resulting records

// Frames. Beyond: ZeroMQ drops the connection (ZMQ_MAXMSGSIZE), the codec refuses.
inline constexpr std::size_t kFrameBytes = std::size_t{4} << 20;
inline constexpr std::size_t kChunkBytes = std::size_t{256} << 10;   // soft: cut at commits
inline constexpr std::size_t kUpdateBytes = std::size_t{256} << 10;  // soft: cut at commits
inline constexpr std::size_t kResultBytes = std::size_t{256} << 10;  // soft: cut at outcomes

// One writer's mutations sent and not yet confirmed. Beyond: `overloaded`.
inline constexpr std::uint64_t kWindow = 1024;
inline constexpr std::size_t kOwnThrough = 64;  // incarnations named in one context
// Incarnations that one session may write under. Beyond: it has to say hello anew.
inline constexpr std::size_t kSessionIncarnations = 512;
inline constexpr std::size_t kSubmitBytes = std::size_t{512} << 10;  // soft: one submit

// Swarms, members, rounds. Beyond: `overloaded`.
inline constexpr std::size_t kSwarms = 64;
inline constexpr std::size_t kSessions = 20'000;
inline constexpr std::size_t kRoundKeys = 1024;
inline constexpr std::size_t kOpenRounds = 64;
inline constexpr std::size_t kOffersPerAgent = 1024;
// Values of one agent's offers together, so that one answer carries them all. Beyond: `overloaded`.
inline constexpr std::size_t kOfferBytes = std::size_t{2} << 20;

// Parked conflicts of a swarm, and values of one. Beyond: what stands stays, the write is a
// conflict.
inline constexpr std::size_t kConflicts = 10'000;
inline constexpr std::size_t kConflictSides = 16;
// Values of one conflict together, so that it goes in one frame.
inline constexpr std::size_t kConflictBytes = std::size_t{3} << 20;
// Earlier versions of a key that a policy may keep.
inline constexpr std::size_t kHistoryVersions = 64;
// Receipts of a key that stay; the oldest go, when so many more came, or the key was forgotten and
// written again.
inline constexpr std::uint32_t kKeyReceipts = 256;
inline constexpr std::uint32_t kKeyReceiptsAtOnce = 64;
// A value up to this size is kept with a receipt, so that its rule can be run again.
inline constexpr std::size_t kReceiptValueBytes = std::size_t{4} << 10;
inline constexpr std::size_t kReceiptsPage = 256;  // of one answer

// Ephemeral keys. Beyond: the write is `rejected` (a value) or `overloaded` (the swarm's together,
// which bounds what is sent at attach).
inline constexpr std::size_t kEphemeralValueBytes = std::size_t{64} << 10;
inline constexpr std::size_t kEphemeralBytes = std::size_t{8} << 20;

// Claims of a swarm. Beyond: `overloaded`; a pattern or time outside: `rejected`.
inline constexpr std::size_t kClaimBytes = 512;       // of a pattern
inline constexpr std::size_t kClaims = 10'000;        // held
inline constexpr std::size_t kClaimPatterns = 1'000;  // of them with wildcards
inline constexpr std::size_t kClaimsWaiting = 1'000;
inline constexpr std::int64_t kClaimMillisMin = 100;
inline constexpr std::int64_t kClaimMillisMax = std::int64_t{7} * 24 * 3600 * 1000;

// Proposals of a swarm. Beyond: `rejected`; of the closed ones the oldest are deleted.
inline constexpr std::size_t kProposals = 1'000;  // open
inline constexpr std::size_t kProposalsKept = 1'000;
inline constexpr std::size_t kProposalBytes = std::size_t{256} << 10;  // as it is given
inline constexpr std::size_t kProposedWrites = 64;
inline constexpr std::size_t kVoters = 5'000;
inline constexpr std::size_t kOptions = 16;
inline constexpr std::size_t kRoles = 16;  // that one names
inline constexpr std::uint32_t kVoteWeight = 1'000;
inline constexpr std::size_t kRefusedVotes = 100;
inline constexpr std::int64_t kProposalMillisMin = 100;
inline constexpr std::int64_t kProposalMillisMax = std::int64_t{30} * 24 * 3600 * 1000;

// Tasks of a swarm. Beyond: `rejected`; of those that ended the oldest are deleted.
inline constexpr std::size_t kTasks = 10'000;  // that are open or dead
inline constexpr std::size_t kTasksKept = 1'000;
inline constexpr std::size_t kTaskBytes = std::size_t{256} << 10;  // as it is given, and a report
inline constexpr std::size_t kTaskNeeds = 16;
inline constexpr std::size_t kTaskCan = 256;
inline constexpr std::size_t kTaskAfter = 256;
inline constexpr std::int64_t kTaskPriority = 1'000;  // up and down
inline constexpr std::int64_t kTaskRetries = 1'000;
inline constexpr std::size_t kTaskFailures = 5;
inline constexpr std::size_t kTaskWhyBytes = 1'024;
inline constexpr std::int64_t kTaskBackoffMillisMax = std::int64_t{3600} * 1000;

// Senders whose allowances a coordinator keeps apart (coordinator/allowances.h). Beyond: the others
// share one.
inline constexpr std::size_t kAllowances = 2 * kSessions;

// Client rows that the coordinator remembers, see coordinator/writers.h.
inline constexpr std::size_t kClientRows = 100'000;

// The agent's own bounds. Beyond: the write is `overloaded`, held updates are dropped oldest first.
inline constexpr std::size_t kOutboxEntries = 100'000;
inline constexpr std::size_t kOutboxBytes = std::size_t{256} << 20;
// Reads, synchronisations and catch-ups of the application that wait, each. Beyond: `overloaded`.
inline constexpr std::size_t kWaitingRequests = 65'536;
inline constexpr std::size_t kHeldUpdateBytes = std::size_t{8} << 20;

// Unsent bytes for one slow peer. Beyond: its session is dropped, it comes back by delta.
inline constexpr std::size_t kPeerQueueBytes = std::size_t{16} << 20;

// Events that the host steps before it makes them durable.
inline constexpr std::size_t kEventsPerTurn = 4096;
// Frames of one peer among them; beyond, the turn ends early and the next one goes on.
inline constexpr std::size_t kFramesOfPeer = 128;

// Cap'n Proto.
inline constexpr int kNesting = 16;
inline constexpr std::size_t kTraversalFloorWords = std::size_t{8} << 10;
inline constexpr std::size_t kTraversalFactor = 4;

// Numbers that arithmetic must never reach: half of the range, so that next() can't wrap.
inline constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 62;

static_assert(kGroupBytes < kValueBytes + kKeyBytes + kFrameBytes);
static_assert(kValueBytes < kCommitBytes, "one value must fit a commit");
static_assert(kCommitBytes + kChunkBytes < kFrameBytes, "a commit goes in one frame");
static_assert(kSubmitBytes + kValueBytes + kKeyBytes + kMetadataBytes < kFrameBytes);
static_assert(kResultBytes + kCommitBytes < kFrameBytes, "an outcome carries a record");
static_assert(kOfferBytes + kOffersPerAgent * (kKeyBytes + 64) < kFrameBytes);
static_assert(2 * kValueBytes <= kConflictBytes, "two values can always be parked");
static_assert(kConflictBytes + kConflictSides * 256 + kKeyBytes + kChunkBytes < kFrameBytes);
static_assert(kPeerQueueBytes > kFrameBytes);
static_assert(kPeerQueueBytes > 2 * kEphemeralBytes - 1, "a reader takes them all at attach");
static_assert(kUpdateBytes + kEphemeralValueBytes + kKeyBytes + kMetadataBytes < kFrameBytes);
static_assert(kHeldUpdateBytes > kCommitBytes);

}  // namespace waggle::limits
