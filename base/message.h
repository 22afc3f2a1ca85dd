#pragma once

// Everything that travels between a coordinator and its agents, as plain structs. The codec
// (capnp/codec.h) turns one Message into one ZeroMQ frame and back and checks shape and limits; the
// cores check meaning (session, epoch, sequence) where it is used. Every message is safe to lose,
// to repeat and to see late: the numbered steps and the safety argument are in docs/protocol.md.
//
// Each message of an agent names its session, so one that was sent in an earlier attachment is
// ignored. Each broadcast names its swarm and the coordinator's start, so one from another swarm or
// from before a restart is ignored.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/conflict.h"
#include "base/hash.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/mutation.h"
#include "base/receipt.h"
#include "base/record.h"
#include "base/status.h"

namespace waggle {

// Raised when an old peer can no longer be understood. A hello of another version is refused with
// a text that names both.
inline constexpr std::uint16_t kProtocolVersion = 1;

using Token = std::array<std::uint8_t, 16>;

// DO NOT CHANGE the numbers.
enum class Role : std::uint8_t {
  kMember = 0,    // reads, writes, answers rounds
  kObserver = 1,  // gets updates and deltas; in no roster, never writes
  kClient = 2,    // asks and writes without attaching: no broadcast leg, no heartbeat
};
[[nodiscard]] std::string_view to_text(Role role);

enum class Priority : std::uint8_t { kNormal = 0, kHigh = 1, kCritical = 2 };
[[nodiscard]] std::string_view to_text(Priority priority);

enum class Health : std::uint8_t { kHealthy = 0, kDegraded = 1, kCritical = 2, kFailed = 3 };
[[nodiscard]] std::string_view to_text(Health health);

// An earlier epoch of a store and the last revision it reached.
struct EpochEnd {
  Epoch epoch;
  Revision last;
  friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};
using Lineage = std::vector<EpochEnd>;  // oldest first, without the present epoch

// ---- joining -----------------------------------------------------------------------------------

// Of `features`: what an agent knows beyond the first release.
inline constexpr std::uint64_t kFeatureViews = 1;  // Welcome::view, StateUpdate::elided
inline constexpr std::uint64_t kFeatures = kFeatureViews;

struct Hello {
  std::uint16_t protocol = kProtocolVersion;
  std::uint64_t features = kFeatures;
  SwarmId swarm;
  AgentId agent;
  Role role = Role::kMember;
  Cursor cursor;  // what it holds; epoch 0: nothing
  Token token{};  // made at random and stored before its first hello; shows that an id is its own
  // Still in its outbox, and last the one that the process was started with, which names it.
  std::vector<Incarnation> incarnations;
};
struct Welcome {
  SessionId session;
  Nonce nonce;  // to be subscribed on the broadcast socket once everything else is
  StartId start;
  Epoch epoch;
  Lineage lineage;
  Revision head;
  Revision floor;
  std::string channel;  // of the broadcast socket: "tcp:PORT" (the host is the one that was
                        // dialled), an ipc:// or inproc:// address; empty for a client
  std::int64_t wall_millis = 0;
  std::uint64_t window = 0;
  std::int64_t heartbeat_millis = 0;
  // By the rules of access. `view` names which keys this agent may read, 0: all of them; a state
  // held under another view is pulled anew. `private_keys`: some of them not everybody may read, so
  // an update with `elided` changes is not all of it, and its range is pulled.
  bool private_keys = false;
  std::uint64_t view = 0;
};
// The answer to a hello that can't be accepted. With `retry_millis` it may be repeated then.
struct Refused {
  Code code = Code::kRejected;
  std::int64_t retry_millis = 0;
  std::string text;
};
// The coordinator read the nonce's subscription: the broadcast leg is live.
struct Attached {
  SessionId session;
  Revision head;
  BroadcastNo broadcast;    // of the newest broadcast before this moment
  Revision ephemeral = {};  // of the newest ephemeral change; 0: there are no such keys
};
// A frame came from a peer without that session: say hello again.
struct NoSession {
  SessionId session;  // the one that the frame named
};
// The session was ended: the id was taken over by a later session.
struct Fenced {
  SessionId session;
  std::string text;
};
struct Bye {
  SessionId session;
};

// ---- beats -------------------------------------------------------------------------------------

struct AgentHeartbeat {
  SessionId session;
  std::uint64_t number = 0;  // rises within a session; an old one is ignored
  Cursor cursor;
  BroadcastNo broadcast;                  // the newest broadcast received
  std::vector<OwnThrough> confirmed;      // results received, per incarnation
  std::vector<Incarnation> incarnations;  // still in the outbox, and the present one
};
struct HeartbeatAck {
  SessionId session;
  std::uint64_t number = 0;
  Revision head;
  BroadcastNo broadcast;  // sent so far: an agent far behind has a dead broadcast leg
};
// Broadcast.
struct Heartbeat {
  SwarmId swarm;
  StartId start;
  BroadcastNo broadcast;
  Epoch epoch;
  Revision head;
  Hash128 digest;
  Revision ephemeral = {};  // see Attached
};

// ---- writing -----------------------------------------------------------------------------------

struct Submit {
  SessionId session;
  Epoch epoch;
  std::vector<OwnThrough> confirmed;  // results received, per incarnation
  std::vector<Mutation> mutations;    // one incarnation, rising seqs
};
struct MutationResult {
  Incarnation incarnation;
  Seq seq;
  Outcome outcome;
};
struct SubmitResult {
  SessionId session;
  Epoch epoch;
  std::vector<MutationResult> results;
};

// ---- updates and catch-up ----------------------------------------------------------------------

struct Applied {
  AgentId agent;
  Incarnation incarnation;
  Seq seq_through;
  friend bool operator==(const Applied&, const Applied&) = default;
};
// Broadcast. All commits in (from, to], each key once at its latest.
struct StateUpdate {
  SwarmId swarm;
  StartId start;
  BroadcastNo broadcast;
  Epoch epoch;
  Revision from;
  Revision to;
  RoundId round;             // 0: not the result of a round
  bool cleared = false;      // the swarm was cleared at `to`: all else is gone, the floor is `to`
  std::uint64_t elided = 0;  // changes of the range that not all may see
  std::vector<Applied> applied;
  std::vector<Change> changes;
};
struct DeltaRequest {
  SessionId session;
  RequestId request;
  Cursor cursor;       // the state held or staged; revision 0: from nothing
  Revision base;       // 0, or for a pull from nothing the head known before its first request
  std::string prefix;  // only keys that begin so; empty: all
  std::uint32_t bytes_max = 0;  // 0: the coordinator's own size
  bool holds = false;           // all of the state at `cursor`, so changes may come as deltas to it
};
struct DeltaChunk {
  SessionId session;
  RequestId request;
  Epoch epoch;
  Revision from;
  Revision to;
  Revision floor;
  Revision head;
  bool complete = false;            // `to` was the head in the step that served this
  bool reset = false;               // can't be served from there: pull from nothing
  std::string text;                 // why, with a reset
  std::vector<Change> changes;      // with tombstones; commits never split; each key at its latest
  std::vector<OwnThrough> applied;  // with complete: of the requester's own incarnations
};

// ---- ephemeral keys ----------------------------------------------------------------------------
//
// Keys under a policy of that class live in the coordinator's memory only, and belong to the
// session that wrote them last: they go when it ends, or when nobody wrote them for the policy's
// time. Their changes are counted apart, from 1 in each start of the coordinator; they have no
// revision and are in no delta, digest, group or round.
//
// A session's writes are numbered, and one is on its way at a time: what changed meanwhile goes
// together in the next. So the newest value of a key is what arrives, and a repeated write changes
// nothing.

struct EphemeralEntry {
  Key key;
  std::optional<Register> value;  // empty: delete
  Metadata metadata;
  std::int64_t age_millis = 0;  // since the application wrote it, counted against its time to live
};
struct EphemeralWrite {
  SessionId session;
  std::uint64_t number = 0;  // 1, 2, ... in a session
  std::vector<EphemeralEntry> entries;
};
struct EphemeralRefusal {
  Key key;
  Code code = Code::kRejected;
  Reason reason = Reason::kNone;
  std::string text;
};
struct EphemeralResult {
  SessionId session;
  std::uint64_t number = 0;
  Revision at;  // the newest change when the write was applied
  std::vector<EphemeralRefusal> refused;
};
// Broadcast. All changes in (from, to], each key once at its latest; a key that is gone comes as a
// tombstone.
struct EphemeralUpdate {
  SwarmId swarm;
  StartId start;
  BroadcastNo broadcast;
  Revision from;
  Revision to;
  std::vector<Change> changes;
};
// Everything, please: at attach, and after a hole.
struct EphemeralRequest {
  SessionId session;
  RequestId request;
};
// All live ephemeral keys at `at`, in pieces.
struct EphemeralState {
  SessionId session;
  RequestId request;
  Revision at;
  std::uint32_t piece = 0;
  bool last = true;
  std::vector<Change> changes;
};

// ---- rounds ------------------------------------------------------------------------------------

struct AskedKey {
  Key key;
  Revision version;  // 0: no live record
  Hash128 content;
};
// Broadcast, and by ROUTER to a member that stays silent.
struct StateRequest {
  SwarmId swarm;
  StartId start;
  BroadcastNo broadcast;  // 0 when sent by ROUTER
  RoundId round;
  Epoch epoch;
  Revision head;
  Hash128 digest;
  bool all = false;  // every key: `keys` is empty
  std::vector<AskedKey> keys;
  std::int64_t remaining_millis = 0;
};
// DO NOT CHANGE the numbers.
enum class AnswerKind : std::uint8_t {
  kSame = 0,
  kBehind = 1,   // answered, no vote; it pulls
  kDiffers = 2,  // same version, other content: that replica is damaged and gets repaired
  kAbsent = 3,
  kOffer = 4,
};
[[nodiscard]] std::string_view to_text(AnswerKind kind);
// An agent's local candidate for a register. Not part of the state until a round takes it.
struct Offer {
  Register value;
  Revision based_on;  // the key's version when it was made
  Hlc hlc;
  friend bool operator==(const Offer&, const Offer&) = default;
};
struct Answer {
  Key key;
  AnswerKind kind = AnswerKind::kSame;
  Offer offer;  // with kOffer
};
struct StateResponse {
  SessionId session;
  RoundId round;
  AnswerKind rest = AnswerKind::kSame;  // for every asked key without an own answer
  std::vector<Answer> answers;
};
struct OfferOutcome {
  Key key;
  Hlc hlc;  // of the offer that it speaks of
  bool took = false;
  Revision version;  // of the key now
};
struct OfferResult {
  SessionId session;
  RoundId round;
  std::vector<OfferOutcome> outcomes;
};
struct SyncRequest {
  SessionId session;
  RequestId request;
  std::vector<Key> keys;
  bool all = false;
  std::int64_t timeout_millis = 0;  // 0: by priority
  bool priority_given = false;
  Priority priority = Priority::kNormal;
};
// DO NOT CHANGE the numbers. Codes: resolved, unchanged 0; moved, no_quorum, parked 4; no_agents 5;
// timeout 6; partial 8.
enum class RoundOutcome : std::uint8_t {
  kResolved = 0,
  kUnchanged = 1,
  kMoved = 2,
  kNoQuorum = 3,
  kNoAgents = 4,
  kTimeout = 5,
  kPartial = 6,
  kParked = 7,  // left to a person
};
[[nodiscard]] std::string_view to_text(RoundOutcome outcome);
[[nodiscard]] int exit_code(RoundOutcome outcome);
struct KeyReport {
  Key key;
  RoundOutcome outcome = RoundOutcome::kUnchanged;
  std::string strategy;
  Revision version;  // of the key after the round
  AgentId winner;    // whose offer was taken; empty: nobody's
  std::uint32_t offers = 0;
  std::uint32_t same = 0;
  std::uint32_t behind = 0;
  std::uint32_t absent = 0;
  std::uint32_t differs = 0;
};
struct SyncReport {
  SessionId session;
  RequestId request;
  RoundId round;
  RoundOutcome outcome = RoundOutcome::kUnchanged;  // the worst of its keys
  Code code = Code::kCommitted;                     // kCommitted, or why no round was held
  std::string text;
  Revision head;
  std::uint32_t expected = 0;  // members of the roster
  std::vector<AgentId> answered;
  std::vector<AgentId> missing;
  std::vector<AgentId> late;  // answered only after being asked again
  std::int64_t elapsed_millis = 0;
  std::vector<KeyReport> keys;
};

// ---- claims ------------------------------------------------------------------------------------
//
// Who may write which keys for a time (consensus/claims.h). Asked again until it is answered: of
// the same claimant the same request does the same. What is held is a record (claim_record.h),
// which everybody reads and follows like others.

// DO NOT CHANGE the numbers.
enum class ClaimVerb : std::uint8_t { kTake = 0, kRenew = 1, kRelease = 2, kHandover = 3 };
[[nodiscard]] std::string_view to_text(ClaimVerb verb);
struct ClaimRequest {
  SessionId session;
  RequestId request;
  ClaimVerb verb = ClaimVerb::kTake;
  std::string pattern;
  std::string label;                   // to take: what the holder calls itself
  FenceToken token;                    // else: of the claim
  std::int64_t ttl_millis = 0;         // to take; else 0: as it was
  std::int64_t wait_millis = 0;        // to take: in line, if need be
  AgentId to;                          // to hand over
  std::vector<std::string> can{};      // to take a task: what the holder is capable of
  std::optional<Register> checkpoint;  // of the work, for whoever holds it next
};
struct ClaimResult {
  SessionId session;
  RequestId request;
  std::string pattern;  // as it was asked; of a task that was taken: its key
  Code code = Code::kCommitted;
  Reason reason = Reason::kNone;
  std::string text;
  std::uint32_t place = 0;  // in line, from 1: not the last answer. 0: done, by `code`
  FenceToken token;
  std::int64_t ttl_millis = 0;
  Revision revision;  // of its record
  std::optional<Register> checkpoint;
  std::optional<Register> task{};  // that was taken: its document
};

// ---- questions ---------------------------------------------------------------------------------

struct GetQuery {
  std::vector<Key> keys;
  Revision at_least;
};
struct ListQuery {
  std::string glob;  // `*` any text, `?` one byte; empty: all
  Key after;
  std::uint32_t limit = 0;  // 0: as many as fit a chunk
  Revision at_least;
};
struct StatusQuery {};
struct AgentsQuery {};
struct ConflictsQuery {
  std::string glob;  // of the keys; empty: all
  ConflictId id;     // 0: all, else that one
  ConflictId after;
};
struct ReceiptsQuery {
  Key key;  // empty: of all keys
  std::optional<ReceiptPlace> after;
  std::uint32_t limit = 0;  // 0: a page
};
using Ask =
    std::variant<GetQuery, ListQuery, StatusQuery, AgentsQuery, ConflictsQuery, ReceiptsQuery>;
struct Query {
  SessionId session;
  RequestId request;
  Ask ask;
};
struct AgentInfo {
  AgentId agent;
  Role role = Role::kMember;
  Health health = Health::kHealthy;
  bool attached = false;  // its broadcast leg is live
  Cursor cursor;
  std::int64_t heard_millis_ago = 0;
  SessionId session;
  std::uint64_t over_limit = 0;  // messages and writes refused to this session by a limit
};
struct SwarmInfo {
  SwarmId swarm;
  Revision head;
  Revision floor;
  Hash128 digest;
  std::uint64_t keys = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t agents = 0;
  std::uint64_t open_rounds = 0;
  std::string channel;
};
struct NamedCount {
  std::string name;
  std::uint64_t count = 0;
};
struct QueryResult {
  SessionId session;
  RequestId request;
  Code code = Code::kCommitted;
  std::string text;
  Cursor at;  // the state that was read
  bool more = false;
  std::vector<Change> changes;  // a key that is absent comes with a null record
  std::vector<AgentInfo> agents;
  std::vector<SwarmInfo> swarms;
  std::vector<NamedCount> counters;
  std::string version;
  std::int64_t uptime_millis = 0;
  Level level = Level::kNone;
  bool writable = true;
  std::vector<ParkedConflict> conflicts;
  std::vector<ReceiptRow> receipts;  // `more`: go on after the last one's place
};
// Raises the floor: deletions at or below it are forgotten, readers behind it need a snapshot.
struct CompactRequest {
  SessionId session;
  RequestId request;
  Revision floor;  // 0: the lowest cursor of the attached agents
};
struct CompactResult {
  SessionId session;
  RequestId request;
  Code code = Code::kCommitted;
  std::string text;
  Revision floor;
  std::uint64_t forgotten = 0;  // tombstones
};
// A frame that could not be used, or a request that failed as a whole.
struct ErrorReply {
  SessionId session;
  RequestId request;
  Code code = Code::kRejected;
  std::string text;
  std::int64_t retry_millis = 0;  // with overloaded: nothing more before that, please; 0: unsaid
};

using Message =
    std::variant<Hello, Welcome, Refused, Attached, NoSession, Fenced, Bye, AgentHeartbeat,
                 HeartbeatAck, Heartbeat, Submit, SubmitResult, StateUpdate, DeltaRequest,
                 DeltaChunk, StateRequest, StateResponse, OfferResult, SyncRequest, SyncReport,
                 Query, QueryResult, CompactRequest, CompactResult, ErrorReply, EphemeralWrite,
                 EphemeralResult, EphemeralUpdate, EphemeralRequest, EphemeralState, ClaimRequest,
                 ClaimResult>;
using MessagePtr = std::shared_ptr<const Message>;

template <typename T>
[[nodiscard]] MessagePtr make_message(T&& message) {
  return std::make_shared<const Message>(std::forward<T>(message));
}
[[nodiscard]] std::string_view name_of(const Message& message);

}  // namespace waggle
