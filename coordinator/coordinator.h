#pragma once

// The coordinator's core: orders the commits of its swarms, makes them durable, publishes them, and
// brings everyone who was away up to date. A deterministic state machine (base/event.h); which
// message does what is numbered in docs/protocol.md.
//
//   coordinator.cc  routing, closing a group of steps, updates, what happens in time
//   joining.cc      hello, welcome, the broadcast leg, beats, the end of a session
//   commits.cc      a submit: strict order, judgement, commit, outcome
//   access.cc       who may do what
//   claims.cc       claims: granted, ended; what a write under one needs
//   proposals.cc    proposals and votes; writes that need one
//   tasks.cc        tasks: added, taken, reported on, given back
//   ephemeral.cc    keys that live in memory only
//   service.cc      deltas, questions, compaction
//   limiting.cc     what is more than its sender may send
//   synchronise.cc  full synchronisations
//
// Everything that a swarm decided since the group was opened is gathered in Swarm and leaves in
// finish(): one state_update for many commits, one submit_result for each agent.
//
// Safety: a core never looks at what is in flight to the disk. It may answer a question from state
// whose batch is not durable yet, because the answer itself waits for that batch (io/host.h).

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/prng.h"
#include "consensus/claims.h"
#include "consensus/task_queue.h"
#include "coordinator/agent_limits.h"
#include "coordinator/allowances.h"
#include "coordinator/conflict_inbox.h"
#include "coordinator/ephemeral_keys.h"
#include "coordinator/history.h"
#include "coordinator/proposal.h"
#include "coordinator/rounds.h"
#include "coordinator/sessions.h"
#include "coordinator/swarm_state.h"
#include "coordinator/task.h"
#include "coordinator/writers.h"
#include "memory/commit_store.h"
#include "resolver/author.h"
#include "resolver/policy.h"
#include "resolver/verdict.h"

namespace waggle {

struct CoordinatorOptions {
  std::uint64_t seed = 0;         // of ids: from the system's random device in production
  Level level = Level::kDurable;  // what the store gives
  Policies policies;
  Beat beat;
  std::int64_t round_timeout_millis = 10'000;
  std::int64_t tombstone_millis = std::int64_t{24} * 3600 * 1000;
  std::uint64_t tombstones_max = 100'000;
  std::uint64_t state_bytes_max = std::uint64_t{1} << 30;  // of one swarm
  AgentLimits limits;                                      // of each agent
  std::string version;
  AccessRulesPtr access;   // null: everybody may everything
  bool new_epoch = false;  // the store was restored or its loss accepted: begin a new history
};

class Coordinator final : public Core {
 public:
  Coordinator(CoordinatorOptions options, CoordinatorState recovered);
  ~Coordinator() override;

  void step(const Event& event, const Now& now, Actions& actions) override;
  void finish(const Now& now, Actions& actions) override;
  [[nodiscard]] bool full() const override;

  [[nodiscard]] Epoch epoch() const { return store_.epoch; }
  [[nodiscard]] const SwarmState* swarm(const SwarmId& id) const;
  [[nodiscard]] const EphemeralKeys* ephemeral(const SwarmId& id) const;
  [[nodiscard]] const Claims* claims(const SwarmId& id) const;
  [[nodiscard]] const Sessions& sessions() const { return sessions_; }
  [[nodiscard]] std::vector<SwarmId> swarms() const;
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counters() const { return counters_; }
  void check_invariants() const;

 private:
  // One commit of the open group, waiting for the update that tells of it.
  struct Told {
    Revision revision;
    RoundId round;
    bool cleared = false;
    std::vector<Change> changes;
    Applied by;  // its writer's seqs up to this one are decided at this revision
  };
  struct OpenProposal {
    OpenProposal(Proposal of, Instant until)
        : proposal(std::move(of)), closes(until), sums(proposal.electorate, proposal.votes) {}
    Proposal proposal;
    Instant closes;
    BallotSums sums;
  };
  using Proposals = std::map<std::string, OpenProposal>;
  using KnownTasks = std::map<std::string, Task, std::less<>>;
  struct Tasks {
    KnownTasks known;               // that are open or dead
    TaskQueue queue;                // the same; those that are dead are put aside
    std::deque<std::string> ended;  // that are kept, oldest first
    std::map<std::pair<Claimant, RequestId>, std::string> taken;
    std::set<std::string> unconfirmed;  // given to who waited, and not renewed yet
  };
  struct Swarm {
    explicit Swarm(SwarmRow row)
        : state(std::move(row)), writers(state.id()), history(state.id()), inbox(state.id()) {}
    SwarmState state;
    Writers writers;
    History history;
    ConflictInbox inbox;
    EphemeralKeys ephemeral;
    Claims claims;
    Proposals proposals;
    std::deque<std::string> closed;  // proposals that are kept, oldest first
    Tasks tasks;
    std::map<std::string, Key> expiry_at;   // by prefix: where the next look for old keys begins
    RightsPtr open_to_all = Rights::all();  // what everybody may
    std::string channel;                    // empty: its broadcast socket is not open yet
    bool channel_asked = false;
    std::deque<Received> hellos_waiting;
    BroadcastNo broadcast;
    Instant next_heartbeat{0};
    bool row_dirty = false;
    std::vector<Told> told;
    // Heads of the open group at which somebody completed a catch-up: an update that passed over
    // one would change, for that reader, what it holds from a version that it no longer holds.
    std::set<Revision> served;
  };
  struct Waiting {  // a result on its way, joined for each session in finish()
    PeerId peer;
    std::vector<MutationResult> results;
  };

  // coordinator.cc
  void on_received(const Received& received);
  void on_malformed(const Malformed& malformed);
  void on_tick();
  void no_session(const PeerId& peer, SessionId session);
  void send(const PeerId& peer, MessagePtr message);
  void send_error(const Session& session, RequestId request, Code code, std::string text);
  void send_results(SessionId session, Waiting& waiting);
  void publish(Swarm& swarm, const std::vector<Applied>& applied);
  void publish_run(Swarm& swarm, std::size_t first, std::size_t last, std::vector<Applied> applied);
  void choose_packing(std::vector<Change>& changes) const;
  void beat(Swarm& swarm);
  void count(const char* what, std::uint64_t by = 1) { counters_[what] += by; }

  // access.cc
  void on_access_changed(const AccessChanged& changed);
  [[nodiscard]] RightsPtr rights_of(const Received& received, const Hello& hello) const;
  [[nodiscard]] RightsPtr rights_of(const IdentityPtr& who, const AgentId& called,
                                    const SwarmId& swarm) const;
  [[nodiscard]] RightsPtr open_to_all(const SwarmId& swarm) const;
  void note_refusal(const SwarmId& swarm, const AgentId& agent, const IdentityPtr& who,
                    const char* what, std::string on, const std::string& why);
  void note_refusal(const Session& session, Act act, std::string_view on, const std::string& why);
  void note_administered(const Session& session, const char* on);
  // Why it may not; nothing: it may. What is refused is noted.
  [[nodiscard]] std::optional<std::string> not_allowed(const Session& session, Act act,
                                                       std::string_view key);
  [[nodiscard]] std::optional<std::string> not_allowed_all(const Session& session, Act act,
                                                           std::string_view pattern);
  [[nodiscard]] std::optional<Outcome> not_allowed(const Swarm& swarm, const Session& session,
                                                   const Mutation& mutation);
  [[nodiscard]] std::optional<Outcome> not_allowed(const Swarm& swarm, const Session& session,
                                                   const Key& of,
                                                   const std::vector<ProposedWrite>& writes);
  // Of its entries one whose signature is wrong, or missing where the policy wants one.
  [[nodiscard]] std::optional<Outcome> not_signed(const Swarm& swarm, const Session& session,
                                                  const Mutation& mutation);
  [[nodiscard]] bool all_may_read(const Swarm& swarm, const Key& key) const;
  std::uint64_t keep_readable(const Rights& rights, std::vector<Change>& changes) const;

  // limiting.cc
  // Of a message: so many of its writes may be stepped, and what the others are answered.
  struct Admitted {
    std::uint64_t writes = UINT64_MAX;
    Outcome refused;
  };
  [[nodiscard]] bool admits_stranger(const Received& received);
  [[nodiscard]] std::optional<Admitted> admits(Session& session, const Received& received);
  void ignore(const Sender& sender, const PeerId& peer, const Session* session);
  [[nodiscard]] std::string over_limit_text(std::string_view who,
                                            const Allowances::Refusal& refusal,
                                            const Allowances::Cost& cost,
                                            std::uint64_t taken) const;
  [[nodiscard]] std::optional<std::string> keys_full(const Swarm& swarm, const Session& session,
                                                     std::uint64_t fresh) const;
  [[nodiscard]] std::string too_large_text(const Key& key, std::size_t bytes) const;
  [[nodiscard]] std::optional<std::string> too_large(const Key& key, const Register* value) const;
  [[nodiscard]] std::uint32_t history_kept(const Key& key) const;

  // joining.cc
  Swarm* find(const SwarmId& id);
  Swarm* ensure(const SwarmId& id);  // null: no place for another swarm
  void open_channel(Swarm& swarm);
  void refuse(const PeerId& peer, Code code, std::string text, std::int64_t retry_millis = 0);
  void on_hello(const Received& received, const Hello& hello);
  void welcome(const Received& received, const Hello& hello, Swarm* swarm);
  // Why its key does not let it say that; nothing: it may.
  [[nodiscard]] static std::optional<std::string> not_its_own(const Identity& who,
                                                              const Hello& hello);
  void on_identity_ended(const Identity& who);
  void on_subscribed(const Subscribed& subscribed);
  void on_channel(const ChannelOpened& opened);
  void on_channel_failed(const ChannelFailed& failed);
  void on_heartbeat(Session& session, const AgentHeartbeat& beat);
  void end_session(const Session& session, const std::string& why, bool tell);
  void end_what_sessions_held();

  // commits.cc
  [[nodiscard]] Swarm* writable_by(const Session& session);
  void on_submit(Session& session, const Submit& submit, const Admitted& admitted);
  [[nodiscard]] Outcome step_mutation(Swarm& swarm, const Session& session,
                                      const Mutation& mutation, Seq confirmed);
  [[nodiscard]] Outcome commit_mutation(Swarm& swarm, const Session& session,
                                        const Mutation& mutation, Revision seen);
  // One entry of a mutation with what is decided about it.
  struct Judged {
    const Entry* entry;
    RecordPtr standing;
    RecordPtr ancestor;
    Verdict verdict;
    Hash128 content;
  };
  [[nodiscard]] std::optional<std::string> of_another_class(const Judged& one) const;
  [[nodiscard]] Outcome refuse_mutation(Swarm& swarm, const Judged& one, const Author& author,
                                        Outcome outcome);
  void add_ancestor(Receipt& receipt, const Judged& one) const;
  [[nodiscard]] RecordPtr record_of(Swarm& swarm, Judged& one, const Author& author, Hlc hlc);
  [[nodiscard]] Outcome clear_swarm(Swarm& swarm, Applied by);
  void commit(Swarm& swarm, std::vector<Change> changes, RoundId round, Applied by);
  [[nodiscard]] std::string state_full_text(const Swarm& swarm) const;
  [[nodiscard]] Revision seen_here(const Swarm& swarm, const Context& context) const;
  // The receipt is written; returns the link that the key's next record carries.
  void write_receipt(Swarm& swarm, Receipt receipt, const Record* standing, ChainHash& link,
                     std::uint32_t& number);

  // conflicts.cc
  [[nodiscard]] ConflictSide side_of(const Record* standing) const;
  const ParkedConflict& park(Swarm& swarm, ParkedConflict conflict);
  [[nodiscard]] Outcome park_mutation(Swarm& swarm, const Judged& one, const Author& author);
  [[nodiscard]] Outcome settle_conflict(Swarm& swarm, const Entry& entry, const SettleOp& settle,
                                        const Author& author);
  void close_with_receipt(Swarm& swarm, Receipt receipt, const RecordPtr& standing);
  void age_conflicts(Swarm& swarm);
  void expire_keys(Swarm& swarm);
  static void answer_conflicts(Swarm& swarm, const ConflictsQuery& ask, QueryResult& result);

  // claims.cc
  void restore_claims(Swarm& swarm);
  void on_claim_request(Session& session, const ClaimRequest& request);
  [[nodiscard]] static ClaimResult claim_refused(Code code, Reason reason, std::string text);
  [[nodiscard]] static Claim wanted_claim(const Session& session, const ClaimRequest& request);
  [[nodiscard]] ClaimResult judge_claim(Swarm& swarm, const Session& session,
                                        const ClaimRequest& request);
  [[nodiscard]] ClaimResult take_claim(Swarm& swarm, const Session& session,
                                       const ClaimRequest& request);
  [[nodiscard]] static ClaimResult granted(const Swarm& swarm, const Claim& claim);
  [[nodiscard]] FenceToken next_token(Swarm& swarm);
  [[nodiscard]] ClaimResult hold_claim(Swarm& swarm, Claim claim,
                                       const std::optional<Register>& checkpoint);
  enum class ClaimEnd { kReleased, kLeft, kLost };
  void end_claim(Swarm& swarm, const Claim& claim, ClaimEnd how, const char* why,
                 const std::optional<Register>& checkpoint = {});
  // For the next commit, by the coordinator itself; no value: a tombstone. `before` gives its
  // receipts on.
  [[nodiscard]] RecordPtr record_of_own(const Swarm& swarm, std::optional<Register> value,
                                        Metadata metadata, const Record* before = nullptr);
  void end_due_claims(Swarm& swarm);
  void tend_claims(Swarm& swarm);
  void serve_line(Swarm& swarm);
  void drop_claim(Swarm& swarm, const Claim& claim);
  void await_renewal(Swarm& swarm, const std::string& pattern, std::int64_t ttl_millis);
  void tell_waiting(const WaitingClaim& waiting, ClaimResult result);
  void end_claims_of(Swarm& swarm, const Session& ended, bool left);
  // Why it may not be written with that token; nothing: it may.
  [[nodiscard]] std::optional<std::string> claimed(const Swarm& swarm, std::string_view key,
                                                   FenceToken token) const;
  [[nodiscard]] std::optional<Outcome> fenced(const Swarm& swarm, const Mutation& mutation);

  // proposals.cc
  [[nodiscard]] Outcome decision_refused(const Swarm& swarm, const Key& key, Code code,
                                         Reason reason, std::string text);
  [[nodiscard]] Outcome step_decision(Swarm& swarm, const Session& session, const Entry& entry,
                                      const Author& author);
  [[nodiscard]] Outcome propose(Swarm& swarm, const Session& session, const Entry& entry,
                                std::string_view id, const Author& author);
  [[nodiscard]] Status fix_electorate(const Swarm& swarm, Proposal& proposal) const;
  [[nodiscard]] std::optional<std::string> against_policy(const Proposal& proposal) const;
  [[nodiscard]] Outcome equivocate(Swarm& swarm, OpenProposal& open, const Record& cast,
                                   const Entry& entry, const Author& author);
  [[nodiscard]] Outcome vote(Swarm& swarm, const Session& session, const Entry& entry,
                             const Author& author);
  [[nodiscard]] Outcome cancel_proposal(Swarm& swarm, const Entry& entry, std::string_view id,
                                        const Author& author);
  [[nodiscard]] static Result<Register> vote_on(const Proposal& proposal, const Register& given);
  static void count_vote(OpenProposal& open, const AgentId& agent, const Voter& voter,
                         const Register& vote);
  void judge_proposal(Swarm& swarm, Proposals::iterator open, bool over);
  void close_into(Swarm& swarm, Proposals::iterator open, BallotState state,
                  std::vector<Change>& changes);
  [[nodiscard]] std::optional<std::string> no_register_by_policy(const Key& key) const;
  [[nodiscard]] std::optional<std::string> not_writable_now(
      const Swarm& swarm, const std::vector<ProposedWrite>& writes) const;
  void tend_proposals(Swarm& swarm);
  void restore_proposals(Swarm& swarm);
  [[nodiscard]] static std::string joined(const std::set<AgentId>& agents);
  [[nodiscard]] std::optional<std::string> needs_proposal(std::string_view key) const;

  // tasks.cc
  void restore_tasks(Swarm& swarm);
  static void queue_task(Swarm& swarm, const Task& task, Instant not_before);
  [[nodiscard]] Change change_of(const Swarm& swarm, const Task& task);
  [[nodiscard]] static Outcome committed(const Swarm& swarm);
  [[nodiscard]] Outcome no_open_task(const Swarm& swarm, const Key& key, const std::string& id);
  [[nodiscard]] Outcome step_task(Swarm& swarm, const Session& session, const Mutation& mutation,
                                  const Author& author);
  [[nodiscard]] Outcome add_task(Swarm& swarm, const Session& session, const Entry& entry,
                                 const std::string& id, const Author& author);
  [[nodiscard]] Outcome report_on_task(Swarm& swarm, const Session& session,
                                       const Mutation& mutation, const std::string& id,
                                       const Author& author);
  [[nodiscard]] std::optional<Outcome> writes_refused(const Swarm& swarm, const Key& key,
                                                      const std::vector<ProposedWrite>& writes);
  void end_task(Swarm& swarm, KnownTasks::iterator known, TaskState state, const AgentId& by,
                std::vector<Change>& changes);
  void fail_task(Swarm& swarm, Task& task, const AgentId& by, std::string why, bool retry,
                 std::vector<Change>& changes);
  [[nodiscard]] Outcome cancel_task(Swarm& swarm, const Entry& entry, const std::string& id,
                                    const Author& author);
  [[nodiscard]] ClaimResult take_task(Swarm& swarm, const Session& session,
                                      const ClaimRequest& request);
  [[nodiscard]] ClaimResult grant_task(Swarm& swarm, const WaitingClaim& wanted,
                                       const std::string& id);
  [[nodiscard]] static ClaimResult with_task(const Swarm& swarm, ClaimResult taken);
  void give_back_task(Swarm& swarm, const Claim& claim, const std::string& lost,
                      std::vector<Change>& changes);
  void serve_tasks(Swarm& swarm);
  void tend_tasks(Swarm& swarm);

  // ephemeral.cc
  void on_ephemeral_write(Session& session, const EphemeralWrite& write);
  [[nodiscard]] std::optional<EphemeralRefusal> write_ephemeral(Swarm& swarm,
                                                                const Session& session,
                                                                const EphemeralEntry& entry);
  void end_ephemeral(Swarm& swarm, const Session& ended, const Session* successor);
  void publish_ephemeral(Swarm& swarm);
  void on_ephemeral_request(Session& session, const EphemeralRequest& request);
  static void list_ephemeral(const Swarm& swarm, const ListQuery& list, QueryResult& result);

  // service.cc
  void on_delta_request(Session& session, const DeltaRequest& request);
  void on_query(Session& session, const Query& query);
  void on_compact(Session& session, const CompactRequest& request);
  void answer_denied(const Session& session, QueryResult result, std::string text);
  void answer_status(const Session& session, QueryResult& result);
  std::uint64_t raise_floor(Swarm& swarm, Revision floor, std::uint64_t most);
  void forget_old(Swarm& swarm);

  // synchronise.cc
  void on_sync_request(Session& session, const SyncRequest& request);
  void on_state_response(Session& session, const StateResponse& response);
  void conclude_rounds();
  void ask_rounds();
  void ask(Round round);
  [[nodiscard]] std::vector<Key> hidden_keys(const Swarm& swarm, const Round& round) const;
  void leave_claimed(const Swarm& swarm, Settlement& settlement);
  void conclude(RoundId id);
  void amend_round(DecidedRound& decided);
  void keep_for_late_answers(const Swarm& swarm, const Round& round,
                             std::vector<DecidedRound::Left> keys);
  void tell_offers(const Swarm& swarm, const Round& round,
                   const std::function<bool(const Key&)>& tells);
  std::map<Key, Revision> commit_round(Swarm& swarm, RoundId id, const Settlement& settlement);
  [[nodiscard]] Receipt receipt_of(const Swarm& swarm, RoundId round,
                                   const Settlement::Weighed& weighed,
                                   const Record* standing) const;
  [[nodiscard]] RecordPtr version_of(const Swarm& swarm, const Key& key, const Record* standing,
                                     Revision version) const;
  // False: too many conflicts wait.
  [[nodiscard]] bool park_offers(Swarm& swarm, RoundId round, const Settlement::Weighed& weighed,
                                 const Record* standing);
  void report(const Round& round, RoundOutcome outcome, Code code, std::string text);
  [[nodiscard]] StateRequest state_request(const Round& round);

  CoordinatorOptions options_;
  Prng random_;
  StartId start_;

  // Recovered.
  StoreRow store_;
  bool store_dirty_ = false;
  std::map<SwarmId, std::unique_ptr<Swarm>> swarms_;

  // Volatile.
  AccessRulesPtr access_;
  Sessions sessions_;
  Allowances allowances_;
  Rounds rounds_;
  std::vector<Round> to_ask_again_;
  HlcClock hlc_;
  bool writable_ = true;
  std::string not_writable_text_;
  std::map<SessionId, Waiting> results_;
  std::map<PeerId, Instant> told_no_session_;
  std::map<std::string, std::uint64_t> counters_;
  std::vector<NamedCount> measured_;  // by transport and store
  bool started_ = false;
  Instant started_at_;
  Instant next_sweep_;
  Instant next_alarm_{0};
  Instant expected_wake_ = Instant::never();
  Instant stepped_{0};
  std::size_t group_bytes_ = 0;

  // Of the present step.
  Now now_;
  Actions* actions_ = nullptr;
};

}  // namespace waggle
