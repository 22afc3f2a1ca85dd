#pragma once

// The command line as the user gave it. Only options.cc and its parts know CLI11; its own
// exit codes become 2, and they add what it lacks: the nearest name to a mistyped one.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/message.h"
#include "base/op.h"

namespace waggle::cli {

enum class Verb {
  kServe,
  kAgentRun,
  kAgentList,
  kStateGet,
  kStateList,
  kStateWrite,  // which one: State::verb
  kConflictList,
  kConflictShow,
  kConflictDiff,
  kConflictResolve,
  kReceiptList,
  kReceiptShow,
  kReceiptVerify,
  kWhatIf,
  kClaimTake,
  kClaimRenew,
  kClaimRelease,
  kClaimHandover,
  kClaimList,
  kClaimRun,
  kPropose,
  kVote,
  kProposalList,
  kProposalShow,
  kProposalWatch,
  kProposalCancel,
  kTaskAdd,
  kTaskClaim,
  kTaskRun,
  kTaskDone,
  kTaskFail,
  kTaskList,
  kTaskShow,
  kTaskRetry,
  kTaskCancel,
  kSync,
  kDelta,
  kTail,
  kStatus,
  kClear,
  kCompact,
  kKeysNew,
  kKeysShow,
  kKeysAuthorize,
  kKeysRevoke,
  kKeysList,
  kAuditVerify,
  kSnapshotSave,
  kSnapshotVerify,
  kSnapshotInfo,
  kSnapshotRestore,
  kDoctor,
  kConfigCheck,
  kConfigDefault,
  kVersion,
};

// Only the part of the verb that was asked for is filled.
struct CommandLine {
  Verb verb = Verb::kVersion;

  // Of all commands. Empty: as configured.
  bool json = false;
  std::optional<std::string> config;
  std::optional<std::string> coordinator;
  std::optional<std::string> swarm;
  std::optional<std::int64_t> timeout_millis;
  std::optional<std::string> key;  // of `serve` the coordinator's
  std::optional<std::string> coordinator_key;
  std::optional<std::string> authorized_keys;  // of `serve` and `keys`

  struct Serve {
    std::optional<std::string> listen;
    std::optional<std::string> data;
    bool memory = false;
    bool insecure_listen = false;
    bool accept_rollback = false;
    std::optional<std::string> access_log;
    std::optional<std::string> access_rules;
  } serve;

  struct Keys {
    std::string key;    // a file, or a public key
    std::string agent;  // to authorize it for, or whose keys to revoke
    std::string comment;
  } keys;

  struct AgentRun {
    std::string id;
    std::string data;
    std::string on_change;
    std::string on_proposal;
    bool observer = false;
    bool changes = false;
    bool initial = false;
    bool no_stdin = false;
    std::int64_t drain_millis = 5'000;
  } agent;

  struct State {
    std::string verb;  // of a write: "put", "rm", "incr", ...
    std::string key;
    std::string glob;
    std::vector<std::string> field;  // of --field, from the outermost map on
    std::vector<std::string> name;   // of setfield and rmfield: the path within `field`
    std::optional<std::string> value;
    std::string file;
    std::optional<ContentType> content;
    bool beside = false;
    std::vector<std::string> elements;  // of a set, of a list; of a text its one piece
    std::optional<ValueType> type;      // empty: what the verb means without
    std::string kind;                   // of max and min
    Scalar scalar;                      // the same, read by it
    std::int64_t amount = 1;            // of incr
    std::uint64_t count = 1;            // of erase
    std::uint64_t at = 0;
    bool list = false;
    std::string as_of;  // a cursor; empty: the newest
    std::optional<std::uint64_t> if_version;
    bool if_absent = false;
    bool ephemeral = false;   // of put and rm
    std::uint64_t token = 0;  // of the claim to write under; 0: none
    std::uint64_t at_least = 0;
    bool long_list = false;
  } state;

  struct Conflict {
    std::string id;
    std::string glob;
    std::string take;  // a side's letter, "merged" or "dismiss"; empty: `value`
    std::optional<std::string> value;
    std::optional<std::uint64_t> if_version;
  } conflict;

  struct Claims {
    std::string pattern;
    std::string as;
    std::string to;
    std::uint64_t token = 0;  // 0: not given
    std::optional<std::int64_t> ttl_millis;
    std::int64_t wait_millis = 0;
    std::optional<std::string> checkpoint;
    std::vector<std::string> command;
  } claim;

  struct Proposals {
    std::string id;
    std::string title;
    std::string file;
    std::string body;
    std::string threshold;
    std::string participation;
    std::string cap;
    std::string supersedes;
    std::vector<std::string> electorate;
    std::vector<std::string> roles;
    std::vector<std::string> weights;  // agent=number
    std::vector<std::string> labels;   // agent=text
    std::vector<std::string> writes;   // key=value
    std::vector<std::string> options;
    std::string method;
    std::string write_choice;  // the key under which the name of the chosen option is put
    std::uint64_t groups = 0;
    std::optional<std::uint64_t> faults;
    std::int64_t time_millis = 0;
    bool of_cast = false;
    bool final_votes = false;
    bool wait = false;
    bool all = false;
    std::string vote;
    std::string agent;
    std::string data;
    std::string reason;
    friend bool operator==(const Proposals&, const Proposals&) = default;
  } proposal;

  struct Tasks {
    std::string id;
    std::string title;
    std::string file;
    std::string body;
    std::vector<std::string> needs;
    std::vector<std::string> after;
    std::optional<std::int64_t> priority;
    std::optional<std::uint64_t> retries;
    std::optional<std::int64_t> backoff_millis;
    std::vector<std::string> can;
    std::string glob = "*";
    std::string as;
    std::int64_t ttl_millis = 30'000;
    std::int64_t wait_millis = 0;
    std::uint64_t count = 0;  // 0: all
    std::uint64_t token = 0;  // 0: not given
    std::optional<std::string> result;
    std::vector<std::string> writes;  // key=value
    std::string why;
    bool no_retry = false;
    bool all = false;
    std::vector<std::string> command;
    friend bool operator==(const Tasks&, const Tasks&) = default;
  } task;

  struct Receipts {
    std::string key;
    std::string policy;  // of what-if: a configuration file
    std::uint64_t since = 0;
  } receipt;

  struct Audit {
    std::string glob;
    bool strict = false;
  } audit;

  struct Sync {
    std::vector<std::string> keys;
    bool all = false;
    std::optional<Priority> priority;
    std::int64_t every_millis = 0;
    std::uint64_t count = 0;  // 0: for ever
  } sync;

  struct Follow {
    std::string cursor;  // of delta and tail
    std::string prefix;
    bool or_snapshot = false;
    std::uint64_t count = 0;
    bool ephemeral = false;  // of tail: these too
  } follow;

  struct Store {
    std::string file;       // of a snapshot
    std::string directory;  // empty: as configured
    bool force = false;
  } store;

  struct Admin {
    std::string key;
    bool yes = false;
    std::uint64_t floor = 0;
    std::string file;  // of config check
    bool counters = false;
  } admin;
};

// The exit code when there is nothing to run: help was printed (0) or the line was wrong (2, said).
[[nodiscard]] std::expected<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace waggle::cli
