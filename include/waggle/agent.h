#pragma once

// One agent of a swarm, within your process. It holds a copy of the shared state, keeps it equal to
// the coordinator's, and carries your writes there exactly once:
//
//   auto agent = SwarmAgent::open({.swarm = "bees", .agent = "scout-1"});
//   (*agent)->put("flower/7", "blue");          // at once in this agent's view, and on its way
//   auto item = (*agent)->get("flower/7");      // item->pending until the coordinator committed it
//
// Writes never wait for the network. While no coordinator answers they are kept in order, on disk
// when `data` is given, and sent when it is back. Reads come from the copy, your own writes
// included.
//
// Thread-safe, unless said otherwise. Callbacks run on the host's thread, in the order of the
// revisions, and must not block; they may write. A blocking call within a callback is refused with
// kRejected, since the thread that it waits for is the one it runs on; blocking calls are those
// that take a timeout, and reads.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/consensus.h>
#include <waggle/group.h>
#include <waggle/handles.h>
#include <waggle/types.h>

namespace waggle {

// One network context and one thread for any number of agents of a process. Outlives them by
// itself: each holds a share.
class SwarmHost {
 public:
  SwarmHost();
  ~SwarmHost();
  SwarmHost(const SwarmHost&) = delete;
  SwarmHost& operator=(const SwarmHost&) = delete;

  struct Parts;
  [[nodiscard]] Parts& parts() { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

struct AgentConfig {
  std::string coordinator = "tcp://127.0.0.1:4600";  // or ipc:///path
  std::string swarm;                                 // 1..64 bytes, no white space, no '/'
  std::string agent;                                 // unique in its swarm
  std::string data = {};         // directory for unsent writes and the copy; empty: in memory
  bool observer = false;         // reads only; in no synchronisation
  bool start_from_head = false;  // no StateChange for the state as it is found at the start
  // At a coordinator that lets in only keys it knows, both or none: files of this agent's secret
  // key and of the coordinator's public key, as `waggle keys new` makes them.
  std::string key = {};
  std::string coordinator_key = {};
  std::shared_ptr<SwarmHost> host = {};  // empty: one of its own
};

enum class ChangeOrigin : std::uint8_t { kUpdate, kDelta, kSnapshot };
struct StateChange {
  StateVersion from;
  StateVersion to;
  ChangeOrigin origin = ChangeOrigin::kUpdate;
  std::uint64_t round = 0;  // of the synchronisation that made it; 0: none
  bool cleared = false;     // everything else is gone
  std::vector<StateItem> items;
};

// Ephemeral keys that changed; one that is gone does not exist in it. Not counted by a version: see
// SwarmAgent::ephemeral().
struct EphemeralChange {
  std::vector<StateItem> items;
};

enum class LinkState : std::uint8_t {
  kJoining,   // looks for its coordinator
  kAttached,  // live
  kLost,      // no answer; tries again by itself
  kBehind,    // the changes come faster than they can be fetched; keeps the old state meanwhile
  kEnded,     // for good: the id was taken over, refused or left; the text says why
};
[[nodiscard]] std::string_view name_of(LinkState state);
struct LinkStatus {
  LinkState state = LinkState::kJoining;
  StatusCode code = StatusCode::kCommitted;
  std::string text;  // why, for kLost and kEnded: "id_in_use: ..." when another process has the id
};

struct SettledWrite {
  WriteTicket ticket;  // number 0: written by an earlier process with the same `data`
  WriteResult result;
};
struct OfferSettlement {
  std::string key;
  std::uint64_t round = 0;
  bool took = false;  // this agent's value is the value now
  std::uint64_t version = 0;
};
// What a catch-up cost, and what sending the whole state would have.
struct CatchUpReport {
  StateVersion from;
  StateVersion to;
  bool snapshot = false;
  std::uint64_t changes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t state_bytes = 0;
};
// The coordinator's store was restored to before these acknowledged writes.
struct LostWrites {
  std::uint64_t count = 0;
  std::string text;
};

// A committed register of this agent's no longer stands, or was merged: a rule chose between it and
// a concurrent write, or a synchronisation or a person did. The copy has what stands now, so it may
// be amended. Not told: what was followed by a further write before this agent heard of it, or lies
// before an agent's first state; see the receipts of the key.
struct OverruledWrite {
  std::uint64_t version = 0;  // that it was committed as
  std::string rule;           // that chose, as in the receipt: "lww", "fww", "quorum(510)"
  StateItem now;
};

// A claim on a key, or on the keys that match a pattern (`*` stands for any text, '/' included, `?`
// for one byte): while it is held, only writes with its token are taken. An agent that holds the
// claim of a key brings the token by itself.
struct HeldClaim {
  std::string pattern;
  std::uint64_t token = 0;  // greater than that of every grant before
  std::chrono::milliseconds ttl{0};
  std::optional<std::string> checkpoint = {};  // how far the work of an earlier holder came
  std::optional<std::string> task_json = {};   // of a task: what it is (TaskBoard reads it)
};
struct ClaimOptions {
  std::chrono::milliseconds ttl{30'000};  // its time, from the grant and each renewal
  std::chrono::milliseconds wait{0};      // in line, where others hold it or wait
  bool renew = true;                      // by itself, for as long as this agent lives
  std::vector<std::string> can = {};      // of a task: what this agent is capable of
};
// It ended without this agent's doing; what is written under it is refused.
struct LostClaim {
  std::string pattern;
  std::uint64_t token = 0;
  std::string text;  // why
};
// As this agent's copy has it.
struct ClaimState {
  bool held = false;
  std::string holder;  // agent id; "~client-..." for a command
  std::string label;   // what a command calls itself
  std::uint64_t token = 0;
  std::optional<std::string> checkpoint = {};
};

// Of a claim "leader/NAME".
struct LeaderChange {
  std::string name;
  std::string leader = {};  // agent id, "~client-..." for a command; empty: nobody leads
  std::uint64_t token = 0;  // the term: greater than that of every leader before; 0: nobody leads
};

// The copy differed from the coordinator's state at the same revision, which must never happen: a
// fault of this process's memory or disk, or of Waggle. The state is pulled anew.
struct DivergedCopy {
  std::uint64_t revision = 0;
};

// Any may be empty.
struct AgentEvents {
  std::function<void(const StateChange&)> on_change = {};
  std::function<void(const EphemeralChange&)> on_ephemeral = {};
  std::function<void(const SettledWrite&)> on_settled = {};
  std::function<void(const LinkStatus&)> on_link = {};
  std::function<void(const OfferSettlement&)> on_offer = {};
  std::function<void(const CatchUpReport&)> on_caught_up = {};
  std::function<void(const OverruledWrite&)> on_overruled = {};
  std::function<void(const LostClaim&)> on_claim_lost = {};
  // Handed over by another agent; renewed until it is released.
  std::function<void(const HeldClaim&)> on_claim_gained = {};
  // Who leads has changed, as this agent's copy has it; at the start too, where somebody leads.
  std::function<void(const LeaderChange&)> on_leader = {};
  // Once for each open proposal on which this agent may vote; what it returns is its vote, nothing:
  // it does not vote now. With `start_from_head` not of those that are open already.
  std::function<std::optional<Vote>(const ProposalView&)> on_proposal = {};
  // The same of a proposal with options; what it returns are those that this agent approves, or
  // ranks, the best first; none: it abstains; nothing: it does not vote now.
  std::function<std::optional<std::vector<std::string>>(const ProposalView&)> on_choice = {};
  std::function<void(const LostWrites&)> on_writes_lost = {};
  std::function<void(const DivergedCopy&)> on_diverged = {};
};

struct AgentStatus {
  LinkStatus link;
  StateVersion cursor;
  std::string digest;  // of the committed state at the cursor, 32 hexadecimal digits: equal at
                       // equal cursors, for every agent and the coordinator
  std::uint64_t keys = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t unsent = 0;  // writes without an answer yet
  std::map<std::string, std::uint64_t> counters;
};

class SwarmAgent {
 public:
  // Does not wait for a coordinator. Failures: kRejected for an id, endpoint or directory that
  // can't be used; kUnavailable when another process has `data` open; kCorrupt for a damaged one.
  [[nodiscard]] static Expected<std::unique_ptr<SwarmAgent>> open(const AgentConfig& config,
                                                                  AgentEvents events = {});
  // Hands over what was written (to the disk, with `data`) and goes without a goodbye: another
  // process without the same `data` gets the id only after the lease of 45 s, see leave().
  ~SwarmAgent();
  SwarmAgent(const SwarmAgent&) = delete;
  SwarmAgent& operator=(const SwarmAgent&) = delete;

  // As it was opened with.
  [[nodiscard]] const std::string& id() const;

  // ---- writing: never waits for the network. Failures: kRejected, and kOverloaded when 65,536
  // commands or 100,000 unsent writes wait. The outcome comes by wait() or on_settled.
  Expected<WriteTicket> put(std::string_view key, std::string_view text);
  Expected<WriteTicket> put_json(std::string_view key, std::string_view json);
  Expected<WriteTicket> put_bytes(std::string_view key, std::string_view bytes);
  Expected<WriteTicket> incr(std::string_view key, std::int64_t amount = 1);
  Expected<WriteTicket> add(std::string_view key, std::string_view element);
  Expected<WriteTicket> remove(std::string_view key, std::string_view element);
  Expected<WriteTicket> erase(std::string_view key);
  Expected<WriteTicket> write(const WriteGroup& group);
  // A change of a JSON register, made of this agent's view when it is written: an object that is
  // merged into the document and removes with null (RFC 7396), or a list of operations (RFC 6902).
  // It applies only where nobody else changed the key meanwhile, else it is a conflict
  // "version_mismatch"; with `merge` as the key's strategy give kPolicy, and both changes are kept
  // where they are of different parts. A patch that does not fit is a kRejected outcome.
  enum class PatchRule : std::uint8_t { kUnchanged, kPolicy };
  Expected<WriteTicket> patch(std::string_view key, std::string_view patch,
                              PatchRule rule = PatchRule::kUnchanged);
  // A write that is made of what this agent's view holds of a key. `make` runs once, on the host's
  // thread, so nothing comes between what it is given and what it writes; it must not block. What
  // it throws or returns as a failure is the outcome.
  Expected<WriteTicket> update(std::string_view key,
                               std::function<Expected<WriteGroup>(const StateItem&)> make);
  // The outcome of a write. kTimeout: not answered yet; it stays on its way, so wait again.
  // kNotFound: no such ticket, or more than 4,096 others were answered since.
  [[nodiscard]] Expected<WriteResult> wait(WriteTicket ticket, std::chrono::milliseconds timeout);
  // Writes and waits.
  [[nodiscard]] Expected<WriteResult> commit(const WriteGroup& group,
                                             std::chrono::milliseconds timeout);
  // Waits until every write so far is answered.
  [[nodiscard]] Expected<void> flush(std::chrono::milliseconds timeout);

  // ---- reading: from the copy, this agent's own writes on top. With `at_least` it waits until the
  // copy holds that revision, which the WriteResult of any agent names (read your writes).
  // Failures: kTimeout.
  [[nodiscard]] Expected<StateItem> get(
      std::string_view key, std::uint64_t at_least = 0,
      std::chrono::milliseconds timeout = std::chrono::seconds(10));
  // Sorted by key. In the pattern `*` stands for any text, `?` for one byte. Of a list only the sum
  // of `pending` is known.
  [[nodiscard]] Expected<ItemList> list(
      std::string_view pattern = "*", std::uint64_t at_least = 0,
      std::chrono::milliseconds timeout = std::chrono::seconds(10));

  // ---- one key in the words of its type; see waggle/handles.h
  [[nodiscard]] AgentCounter counter(std::string key);
  [[nodiscard]] AgentGrowCounter grow_counter(std::string key);
  [[nodiscard]] AgentResettableCounter resettable_counter(std::string key);
  [[nodiscard]] AgentBoundedCounter bounded_counter(std::string key);
  [[nodiscard]] AgentSet set(std::string key);
  [[nodiscard]] AgentGrowSet grow_set(std::string key);
  [[nodiscard]] AgentRemoveWinsSet remove_wins_set(std::string key);
  [[nodiscard]] AgentFlag flag(std::string key);
  [[nodiscard]] AgentDisableFlag disable_flag(std::string key);
  [[nodiscard]] AgentOnce once(std::string key);
  [[nodiscard]] AgentMax max(std::string key);
  [[nodiscard]] AgentMin min(std::string key);
  [[nodiscard]] AgentMulti multi(std::string key);
  [[nodiscard]] AgentMap map(std::string key);
  [[nodiscard]] AgentList list_of(std::string key);
  [[nodiscard]] AgentText text(std::string key);
  // Of a prefix whose rule says ephemeral: presence, positions, what this agent is doing now.
  [[nodiscard]] AgentEphemeral ephemeral(std::string key);

  // ---- claims: who may write which keys for a time
  // A claim "leader/NAME" is a leader's: who holds it leads, and on_leader tells everybody whenever
  // that changes. Failures: kConflict when others hold it or wait,
  // kTimeout when they still do at the end of `wait`, kRejected for a pattern that matches all.
  [[nodiscard]] Expected<HeldClaim> claim(std::string_view pattern, ClaimOptions options = {});
  // Of one that this agent holds; the checkpoint, if one is given, is for whoever holds it next,
  // be it because this agent died. Failures: kDenied when it is not held any more.
  [[nodiscard]] Expected<HeldClaim> renew_claim(std::string_view pattern,
                                                std::optional<std::string> checkpoint = {});
  // Without a checkpoint the work is done, and nothing is left for the next holder.
  Expected<void> release_claim(std::string_view pattern,
                               std::optional<std::string> checkpoint = {});
  // Failures: kNotFound when no such agent is attached; the claim stays then.
  Expected<void> hand_over_claim(std::string_view pattern, std::string_view to,
                                 std::optional<std::string> checkpoint = {});
  [[nodiscard]] Expected<ClaimState> claim_state(std::string_view pattern);

  // ---- rounds
  // This agent's candidate for a register, answered when a synchronisation asks; not part of the
  // state until one takes it. Replaces an earlier one. Lost when the process ends.
  Expected<void> offer(std::string_view key, std::string_view text);
  Expected<void> withdraw(std::string_view key);
  // One full synchronisation: the coordinator asks every member, resolves, commits and publishes.
  [[nodiscard]] Expected<SyncResult> synchronize(const std::vector<std::string>& keys,
                                                 SyncOptions options = {});
  [[nodiscard]] Expected<SyncResult> synchronize_all(SyncOptions options = {});

  // ---- the link
  // Pulls what is missing now, whatever the broadcast says.
  [[nodiscard]] Expected<CatchUpReport> catch_up(std::chrono::milliseconds timeout);
  // Waits until it is attached and holds a state.
  [[nodiscard]] Expected<void> wait_attached(std::chrono::milliseconds timeout);
  [[nodiscard]] Expected<AgentStatus> status();
  // Says goodbye, so the id is free at once; writes that were not answered stay in `data`. Nothing
  // can be written afterwards.
  Expected<void> leave(std::chrono::milliseconds timeout = std::chrono::seconds(2));

 private:
  friend class AgentHandle;
  struct Parts;
  Expected<WriteTicket> append(const std::string& key, std::vector<std::string> field,
                               std::vector<std::string> inserted, ItemType type);
  Expected<WriteTicket> write_ephemeral(const std::string& key, std::optional<ContentKind> content,
                                        std::string bytes);
  explicit SwarmAgent(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
