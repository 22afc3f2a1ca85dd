#pragma once

// A coordinator within your process: it orders the commits of its swarms, makes them durable, tells
// every agent, and brings those who were away up to date. What `waggle serve` runs, as an object.
//
//   auto hive = StateSynchronizer::open({});                    // in memory, any free port
//   auto agent = SwarmAgent::open({.coordinator = (*hive)->endpoint(), ...});
//   auto result = (*hive)->synchronize_state("bees", "nest", std::chrono::seconds(10));
//
// It runs on threads of its own. Thread-safe; all calls but endpoint() and stop() wait for its
// answer and are refused with kRejected within a callback of an agent, whose thread may be needed
// for it. A swarm begins with its first member or write; asking about another gives kNotFound.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/conflict_resolver.h>
#include <waggle/decisions.h>
#include <waggle/group.h>
#include <waggle/memory_provider.h>
#include <waggle/types.h>

namespace waggle {

// Of values of 256 bytes and more on their way to readers, where it saves more than 30 %; with both
// also against the version that the reader has.
enum class Compress : std::uint8_t { kAuto, kNone, kLz4, kZstd };

// Rules for the keys that begin with a prefix; the longest that fits counts.
struct KeyRule {
  std::string prefix;                 // empty: the default
  ResolverRule resolve = {};          // of registers; counters and sets always merge
  std::optional<ItemType> type = {};  // fixed for all keys of the prefix
  std::optional<std::chrono::milliseconds> timeout = {};  // of a round
  std::optional<SyncPriority> priority = {};
  // So long after a round a late answer may still change its outcome, where nobody wrote the key.
  std::chrono::milliseconds amend{0};
  std::optional<std::uint32_t> history =
      {};  // earlier versions kept: 0..64; 16 with kMerge, else 0
  std::optional<std::chrono::milliseconds> parked_for = {};  // then a conflict is dismissed
  // Its keys are in memory only, and go with their writer's session or after `time_to_live`; no
  // other setting applies. See SwarmAgent::ephemeral().
  bool ephemeral = false;
  std::optional<std::chrono::milliseconds> time_to_live =
      {};                                          // without a write; then it is deleted
  std::optional<std::uint64_t> elements_max = {};  // of a set, map, list or text
  // A write of an absent key by an agent that was away for longer than deletions are remembered is
  // a conflict, or applied.
  bool apply_late_writes = false;
  // Above 500: its keys are written by proposals only, approved by at least so many of 1000 of all
  // members, or of `voters` where they are named.
  std::uint32_t vote_permille = 0;
  std::vector<std::string> voters = {};
  std::chrono::milliseconds claim_grace{0};  // a claim stays so long without its holder
  Compress compress = Compress::kAuto;
};

// Agents that vote with one weight, under a name that proposals use (ProposalDraft::roles).
struct VotingRoleRule {
  std::string name;
  std::vector<std::string> agents;
  double weight = 1;  // 0 to 1000; of an agent with several roles the largest counts
};

// What some agents may do with some keys. Without a grant everybody who is let in may everything;
// with one, nobody may what none grants. Calls of this process may everything.
struct AccessGrant {
  std::vector<std::string> agents;          // ids or patterns of them; "*": everybody
  std::vector<std::string> roles = {};      // of SynchronizerConfig::roles
  std::vector<std::string> swarms = {"*"};  // patterns
  std::vector<std::string> keys = {"*"};    // patterns
  std::vector<std::string> allow = {};      // read, write, propose, vote, claim, sync, administer
};

// What each agent may do, so that one that lost its mind harms no other. Beyond: its writes wait
// and what it asks is answered `overloaded`, both with the time to come back. 0: no limit. Your own
// calls of a StateSynchronizer are not counted.
struct AgentLimit {
  std::uint64_t messages_per_second = 50'000;
  std::uint64_t writes_per_second = 250'000;  // a message may carry many
  std::uint64_t bytes_per_second = std::uint64_t{256} << 20;
  std::chrono::milliseconds burst = std::chrono::seconds(2);  // that brings what may come at once
  std::uint32_t rounds = 32;                                  // synchronisations that are not over
  std::uint64_t keys = 0;  // live ones of a swarm that it wrote last; then it makes no new one
  std::size_t value_bytes = std::size_t{1} << 20;   // 1 to 1 MiB
  std::uint32_t history = 64;                       // earlier versions of a key, at most; 0: none
  std::size_t queue_bytes = std::size_t{16} << 20;  // that wait for it, when it reads too slowly
};

struct SynchronizerConfig {
  std::string listen = "tcp://127.0.0.1:*";  // `*`: any free port; or ipc:///path
  bool allow_remote = false;  // listening beyond this machine without keys is refused without it
  // With a secret key of `waggle keys new` every connection is encrypted, and only keys in the file
  // of `waggle keys authorize` are let in, each for the agent that it names. Files, both or none.
  std::string key = {};
  std::string authorized_keys = {};
  std::string data = {};         // the store's directory; empty: in memory
  bool sync = true;              // false: acknowledged writes may be lost by a power failure
  bool accept_rollback = false;  // open although acknowledged commits are missing: a new epoch
  std::uint64_t disk_reserve_bytes = std::uint64_t{256} << 20;  // below it writes are refused
  std::chrono::milliseconds round_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds heartbeat = std::chrono::seconds(5);
  AgentLimit limit = {};
  std::vector<KeyRule> rules = {};
  std::vector<VotingRoleRule> roles = {};
  std::vector<AccessGrant> access = {};
  std::vector<CustomMerger> mergers = {};  // that rules may name
};

struct AgentPresence {
  std::string agent;
  bool observer = false;
  bool attached = false;  // takes part in rounds
  std::string health;     // "healthy", "degraded", "critical", "failed"
  StateVersion cursor;
  std::chrono::milliseconds heard_ago{0};
};

class StateSynchronizer {
 public:
  // Failures: kRejected for a configuration that can't be, kDenied for listening beyond this
  // machine, kUnavailable when the address or the directory is in use, kCorrupt for a damaged
  // store.
  [[nodiscard]] static Expected<std::unique_ptr<StateSynchronizer>> open(
      const SynchronizerConfig& config);
  // stop().
  ~StateSynchronizer();
  StateSynchronizer(const StateSynchronizer&) = delete;
  StateSynchronizer& operator=(const StateSynchronizer&) = delete;

  // Reads the authorized keys again: whose key is gone is told, ended and heard no more. Failures:
  // those of the file; all stays as it was then.
  Expected<void> reload_keys();
  // Where agents dial, with the port that was taken.
  [[nodiscard]] std::string endpoint() const;
  // What a commit's acknowledgement means.
  [[nodiscard]] Durability durability() const;
  // What people should know about how it was opened; may be empty.
  [[nodiscard]] std::string notice() const;

  // ---- full synchronisation: ask every member, resolve, commit, publish.
  [[nodiscard]] Expected<SyncResult> synchronize_state(const std::string& swarm,
                                                       const std::string& key,
                                                       std::chrono::milliseconds timeout);
  [[nodiscard]] Expected<SyncResult> synchronize_state(const std::string& swarm,
                                                       const std::vector<std::string>& keys,
                                                       const SyncOptions& options = {});
  // Every key of the swarm.
  [[nodiscard]] Expected<SyncResult> synchronize_swarm(const std::string& swarm,
                                                       const SyncOptions& options = {});

  // ---- the state: as it is committed, linearizable.
  // What changed since a version of this swarm; from version {} the whole state.
  [[nodiscard]] Expected<DeltaResult> delta_sync(const std::string& swarm,
                                                 const StateVersion& since);
  // Failures: kStale when `at_least` is above the head.
  [[nodiscard]] Expected<StateItem> get_state(const std::string& swarm, const std::string& key,
                                              std::uint64_t at_least = 0);
  [[nodiscard]] Expected<ItemList> list_state(const std::string& swarm,
                                              const std::string& pattern = "*");
  [[nodiscard]] Expected<StateVersion> get_state_version(const std::string& swarm);
  // 0: no such key.
  [[nodiscard]] Expected<std::uint64_t> get_state_version(const std::string& swarm,
                                                          const std::string& key);
  // The result of a rule is in the WriteResult; a Failure means that there is no answer. kTimeout:
  // it is unknown whether the write was applied.
  [[nodiscard]] Expected<WriteResult> put_state(const std::string& swarm, const std::string& key,
                                                const std::string& text);
  [[nodiscard]] Expected<WriteResult> write(const std::string& swarm, const WriteGroup& group);
  // A change of a JSON register, as SwarmAgent::patch() has it: made of what is committed, and made
  // anew where somebody else wrote in between.
  [[nodiscard]] Expected<WriteResult> patch_state(const std::string& swarm, const std::string& key,
                                                  const std::string& patch);
  // Deletes one key, or everything in one commit.
  [[nodiscard]] Expected<WriteResult> clear_state(const std::string& swarm, const std::string& key);
  [[nodiscard]] Expected<WriteResult> clear_state(const std::string& swarm);

  // ---- conflicts that wait for a person, and receipts of what rules chose
  [[nodiscard]] Expected<std::vector<WaitingConflict>> conflicts(const std::string& swarm,
                                                                 const std::string& pattern = "*");
  // An ordinary commit. kRejected: it is settled already.
  [[nodiscard]] Expected<WriteResult> settle(const std::string& swarm,
                                             const WaitingConflict& conflict,
                                             const ConflictChoice& choice);
  // Oldest first; without a key, of all keys. At most the newest 256 of a key are kept.
  [[nodiscard]] Expected<std::vector<ChoiceReceipt>> receipts(const std::string& swarm,
                                                              const std::string& key = {});

  [[nodiscard]] Expected<std::vector<AgentPresence>> agents(const std::string& swarm);
  // The digest of a swarm's state, as AgentStatus has it.
  [[nodiscard]] Expected<std::string> digest(const std::string& swarm);
  // Namespaces of your own in memory, and `synchronized_state` as a window on this swarm. It must
  // not be used after the synchronizer is gone.
  [[nodiscard]] std::unique_ptr<MemoryProvider> memory(const std::string& swarm);

  // Takes no more, finishes what is decided, persists, closes. Agents keep their writes and come
  // back to whoever serves the same data next. Returns why it ended before, when it did.
  Expected<void> stop();

 private:
  struct Parts;
  explicit StateSynchronizer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
