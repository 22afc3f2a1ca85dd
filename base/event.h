#pragma once

// The one way in and out of a core. A core is a deterministic state machine: events and the time go
// in, actions come out, and it holds no socket, thread, clock, file or random device. The host
// (io/host.h) runs it, the same in production and in the simulator:
//
//   arrived events --> step(event, now) ... step(event, now) --> finish(now)
//                                                                   |
//        wake_at <-- deliver <-- send <-- durable <-- persist <-----+
//
// step() may be called many times before finish(): what it decides is joined, so that many commits
// share one synced batch, one update and one result for each agent. finish() closes the group.
//
// Safety: nothing in `send` or `deliver` leaves before the batch of its own group and of every
// earlier group is durable. That is what makes a commit durable before it is visible.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/access.h"
#include "base/identity.h"
#include "base/ids.h"
#include "base/message.h"
#include "base/mutation.h"
#include "base/row.h"
#include "base/status.h"
#include "base/time.h"

namespace waggle {

// ---- what an application asks of its agent -----------------------------------------------------

struct WriteCommand {
  RequestId request;
  std::vector<Entry> entries;
  // Positions count in the state at this cursor, with the agent's own writes; its epoch 0: the one
  // that the agent follows. None: in the view. Only for edits of texts and lists.
  std::optional<Cursor> as_of{};
  FenceToken
      fence{};  // of the claim to write under; 0: of the own one that covers the keys, if any
};
// A write that is made of what the view holds, so that nothing comes in between.
struct UpdateCommand {
  RequestId request;
  Key key;
  // Of what the view holds, null where that is nothing. Called once, on the agent's thread; must
  // not block or throw. Errors: told as CommandFailed.
  std::function<Result<std::vector<Entry>>(const Record*)> make;
  FenceToken fence{};  // see WriteCommand
};
// The newest value of a key that lives as long as this agent's session. It is sent again in each
// new session, until it is deleted or somebody else writes the key.
struct EphemeralCommand {
  RequestId request;
  Key key;
  std::optional<Register> value;  // empty: delete
  Metadata metadata;
};
// Of a claim: the answer is a ClaimDone.
struct ClaimCommand {
  RequestId request;
  ClaimVerb verb = ClaimVerb::kTake;
  std::string pattern;
  FenceToken token{};            // but to take; 0: that under which this agent holds it
  std::int64_t ttl_millis = 0;   // to take; else 0: as it was
  std::int64_t wait_millis = 0;  // to take: in line, if need be
  bool renews = true;            // to take: the agent renews it for as long as it lives
  AgentId to{};                  // to hand over
  std::optional<Register> checkpoint{};
  std::vector<std::string> can{};  // to take a task: what this agent is capable of
};
struct OfferCommand {
  RequestId request;
  Key key;
  std::optional<Register> value;  // empty: withdraw the offer
};
struct ReadCommand {
  RequestId request;
  std::vector<Key> keys;  // empty: every key that matches `glob`
  std::string glob;
  Revision at_least;  // waits until the agent holds this revision
  std::int64_t timeout_millis = 10'000;
};
struct SyncCommand {
  RequestId request;
  std::vector<Key> keys;
  bool all = false;
  std::int64_t timeout_millis = 0;
  bool priority_given = false;
  Priority priority = Priority::kNormal;
};
// Pull what is missing now, whatever the broadcast says.
struct CatchUpCommand {
  RequestId request;
};
struct StatusCommand {
  RequestId request;
};
// Say goodbye: the id is free at once, the outbox stays.
struct LeaveCommand {};
using Command =
    std::variant<WriteCommand, UpdateCommand, EphemeralCommand, ClaimCommand, OfferCommand,
                 ReadCommand, SyncCommand, CatchUpCommand, StatusCommand, LeaveCommand>;

// ---- what an agent tells its application -------------------------------------------------------

// The write is in the outbox (durable with a data directory) and in the view.
struct WriteQueued {
  RequestId request;
  Incarnation incarnation;
  Seq seq;
};
struct CommandFailed {
  RequestId request;
  Error error;
};
// The final answer to a write, once for each write; `request` is 0 when an earlier process wrote
// it.
struct WriteSettled {
  RequestId request;
  Incarnation incarnation;
  Seq seq;
  Outcome outcome;
};
// A committed register of this agent's id no longer stands, or was merged: a rule chose between it
// and a concurrent write, or a round, or a person did. Told once the view has what stands now, so
// that it may be amended. Not told: what is followed by a further write before this agent hears of
// it, or before this agent first holds a state; the key's receipts have it.
struct WriteOverruled {
  Key key;
  Incarnation incarnation;
  Seq seq;
  Revision version;  // that it was committed as
  RecordPtr now;     // with its choice
};
struct ReadDone {
  RequestId request;
  Cursor at;
  bool pending = false;         // at least one value counts own writes that are not committed yet
  std::vector<Change> changes;  // absent keys with a null record
};
// The committed state moved from one revision to the next one held.
enum class ChangeSource : std::uint8_t { kUpdate, kDelta, kSnapshot };
struct StateChanged {
  Cursor from;
  Cursor to;
  ChangeSource source = ChangeSource::kUpdate;
  RoundId round;
  bool cleared = false;
  std::vector<Change> changes;  // deleted keys come as tombstones
};
// The answer to an ephemeral write, for all that it overtook too: the coordinator has that value or
// a newer one of this agent. Never final: see EphemeralCommand.
struct EphemeralSettled {
  RequestId request;
  Key key;
  Code code = Code::kCommitted;
  Reason reason = Reason::kNone;
  std::string text;
};
// Ephemeral keys changed, as seen by this agent: its own that wait for their answer are not among
// them. A key that is gone comes as a tombstone.
struct EphemeralChanged {
  Revision at;
  std::vector<Change> changes;
};
// The answer to a ClaimCommand. Refused: its token is the one that was named, or taken to be meant.
struct ClaimDone {
  RequestId request;
  ClaimVerb verb = ClaimVerb::kTake;
  ClaimResult result;
};
struct ClaimWaits {
  RequestId request;
  std::string pattern;
  std::uint32_t place = 0;  // in line, from 1
  std::string text;
};
// A claim that another agent handed over to this one. It is renewed until it is released.
struct ClaimGained {
  std::string pattern;
  FenceToken token;
  AgentId from;
  std::optional<Register> checkpoint;
};
// A claim that this agent held ended without its doing: what it writes under it is refused.
struct ClaimLost {
  std::string pattern;
  FenceToken token;
  std::string text;
};
// After a catch-up: what it cost, and what sending the whole state would have.
struct CaughtUp {
  RequestId request;  // 0: not asked for
  Cursor from;
  Cursor to;
  bool snapshot = false;
  std::uint64_t changes = 0;
  std::uint64_t bytes = 0;        // wire_size of the changes
  std::uint64_t state_bytes = 0;  // wire_size of the whole state now held
};
enum class Link : std::uint8_t {
  kJoining,   // says hello
  kAttached,  // live on both legs
  kLost,      // no answer; tries again
  kBehind,    // a catch-up can't keep pace with the changes
  kEnded,     // for good: fenced, refused or left; the text says why
};
[[nodiscard]] std::string_view to_text(Link link);
struct LinkChanged {
  Link link = Link::kJoining;
  Code code = Code::kCommitted;
  std::string text;
  Cursor cursor;
  Revision head;
};
struct OfferSettled {
  Key key;
  RoundId round;
  bool took = false;
  Revision version;
};
struct SyncDone {
  RequestId request;
  SyncReport report;
};
// The coordinator's store was restored to before these acknowledged writes.
struct WritesLost {
  std::vector<OwnThrough> writes;
  std::string text;
};
// The state differed from the coordinator's at the same revision; it is pulled anew.
struct DigestMismatch {
  Revision revision;
};
struct StatusDone {
  RequestId request;
  Link link = Link::kJoining;
  Cursor cursor;
  Hash128 digest;
  std::uint64_t keys = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t outbox = 0;
  std::vector<NamedCount> counters;
};
// Told by a coordinator: something that a person should know now.
struct Alarm {
  std::string text;
};
// For a coordinator's access log: somebody was refused, or did what only some may.
struct AccessNote {
  std::int64_t wall_millis = 0;
  bool refused = true;
  std::string agent;  // as proved by its key, else as it called itself; may be empty
  std::string key;    // fingerprint; empty: without keys, or unknown
  std::string from;   // address, where it is known
  std::string swarm;  // may be empty
  std::string what;   // "connect", "hello", "write", ...
  std::string on;     // the key or pattern it was about; may be empty
  std::string why;
};
using Delivery =
    std::variant<Alarm, AccessNote, WriteQueued, CommandFailed, WriteSettled, ReadDone,
                 StateChanged, CaughtUp, LinkChanged, OfferSettled, SyncDone, WritesLost,
                 DigestMismatch, StatusDone, EphemeralSettled, EphemeralChanged, WriteOverruled,
                 ClaimDone, ClaimWaits, ClaimGained, ClaimLost>;

// ---- events ------------------------------------------------------------------------------------

struct Received {  // by DEALER or ROUTER
  PeerId peer;     // at an agent: empty
  MessagePtr message;
  IdentityPtr who{};  // at a coordinator with keys: who proved to be at the other end
  // At a coordinator: of its frame; 0: it came by no connection, and no limit counts it.
  std::size_t bytes = 0;
  bool inner = false;  // at a coordinator: it comes from its own process
};
struct BroadcastReceived {  // at an agent, by SUB
  MessagePtr message;
};
struct Malformed {  // a frame that the codec refused
  PeerId peer;
  Error error;
};
struct Subscribed {  // at a coordinator, from XPUB
  SwarmId swarm;
  Nonce nonce;
};
struct ChannelOpened {
  SwarmId swarm;
  std::string channel;
};
struct ChannelFailed {
  SwarmId swarm;
  std::string text;
};
struct PeerLost {  // its queue overflowed or the transport can't reach it
  PeerId peer;
};
// From now on nothing is taken of this identity: its key was revoked, or is another's.
struct IdentityEnded {
  IdentityPtr who;
};
// From now on these rules hold; null: none.
struct AccessChanged {
  AccessRulesPtr rules;
};
struct SpaceChanged {  // the disk reserve was passed, in either direction
  bool writable = true;
  std::string text;
};
struct Measured {  // what transport and store counted, to be told with the status
  std::vector<NamedCount> counters;
};
struct Tick {};  // time went on
using Event =
    std::variant<Received, BroadcastReceived, Malformed, Subscribed, ChannelOpened, ChannelFailed,
                 PeerLost, IdentityEnded, AccessChanged, SpaceChanged, Measured, Command, Tick>;

// ---- actions -----------------------------------------------------------------------------------

struct SendTo {  // coordinator -> one peer
  PeerId peer;
  MessagePtr message;
};
struct Broadcast {  // coordinator -> everyone in the swarm
  SwarmId swarm;
  MessagePtr message;
};
struct OpenChannel {  // bind a broadcast socket; `wanted` is the address it had before, or empty
  SwarmId swarm;
  std::string wanted;
};
struct DropPeer {  // forget what is queued for it
  PeerId peer;
};
// What comes from that peer within the time may be thrown away unread: it sends far more than it
// may. Only a saving; without it the same is refused one by one.
struct IgnorePeer {
  PeerId peer;
  std::int64_t millis = 0;
};
struct SendUp {  // agent -> its coordinator
  MessagePtr message;
};
struct JoinChannel {  // agent: connect a new SUB, subscribe everything, then the nonce
  std::string channel;
  Nonce nonce;
};
struct LeaveChannel {};
// Coordinator -> one peer: the answer to a question that only the store can answer. The host reads
// the receipts and fills them in.
struct SendReceipts {
  PeerId peer;
  QueryResult result;
  ReceiptScan scan;
};
struct Redial {};  // agent: drop the connection to the coordinator and make a new one
using Send = std::variant<SendTo, Broadcast, OpenChannel, DropPeer, SendUp, JoinChannel,
                          LeaveChannel, Redial, SendReceipts, IgnorePeer>;

struct Actions {
  Batch persist;
  std::vector<Send> send;
  std::vector<Delivery> deliver;
  // Set anew by every step() and finish(): step a Tick then. Early, late and repeated ones are
  // fine.
  Instant wake_at = Instant::never();
};

class Core {
 public:
  virtual ~Core() = default;
  virtual void step(const Event& event, const Now& now, Actions& actions) = 0;
  virtual void finish(const Now& now, Actions& actions) = 0;
  // True when the joined work of the open group is large enough that it should be closed.
  [[nodiscard]] virtual bool full() const = 0;
};

}  // namespace waggle
