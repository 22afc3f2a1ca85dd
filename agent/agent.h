#pragma once

// An agent's core: keeps its replica equal to the coordinator's state, carries its writes there
// exactly once, and answers rounds. A deterministic state machine (base/event.h).
//
//   joining --welcome--> welcomed --attached--> attached --silence, no_session--> joining
//      \--refused for good, fenced, left--> ended
//
//   agent.cc      routing, joining, beats, timers
//   writing.cc    commands of the application, submits and their results
//   following.cc  updates, holes, catch-up by staged pulls, digest
//   claiming.cc   claims: asked for, renewed, lost
//   answering.cc  offers and rounds
//
// Safety: the committed state moves only by an update that begins at or below the cursor and ends
// above it, or by a completed pull; both are applied whole. So a reader never sees half a commit
// and never goes back within an epoch.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/ephemeral_copy.h"
#include "agent/outbox.h"
#include "agent/own_claims.h"
#include "agent/replica.h"
#include "base/event.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/prng.h"
#include "base/signature.h"
#include "memory/commit_store.h"

namespace waggle {

struct AgentOptions {
  std::uint64_t seed = 0;  // of ids and jitter: from the system's random device in production
  SwarmId swarm;
  AgentId agent;
  Role role = Role::kMember;
  std::int64_t heartbeat_millis = 5'000;  // until the coordinator names its own
  std::int64_t resend_millis = 500;       // first silence after which a submit is sent again
  std::uint32_t chunk_bytes = 0;          // of a catch-up, about; 0: as the coordinator likes
  bool stored = true;  // false: there is no data directory, so nothing is made to be stored
  bool start_from_head = false;  // begin with the state as it is: no StateChanged for the first one
  SignFn sign;                   // of registers that it puts; empty: they go unsigned
};

class Agent final : public Core {
 public:
  Agent(AgentOptions options, AgentState recovered);

  void step(const Event& event, const Now& now, Actions& actions) override;
  void finish(const Now& now, Actions& actions) override;
  [[nodiscard]] bool full() const override { return false; }

  [[nodiscard]] Link link() const { return link_; }
  [[nodiscard]] const Replica& replica() const { return replica_; }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }
  // The view of one key: committed, with the own writes on top. Null: absent. A record that is not
  // committed yet has the version of the one below it.
  [[nodiscard]] RecordPtr view(const Key& key) const;
  // Every live key of the view that matches the glob, in order.
  [[nodiscard]] std::vector<Change> view_all(std::string_view glob) const;
  [[nodiscard]] const EphemeralCopy& ephemeral_copy() const { return ephemeral_; }
  [[nodiscard]] const OwnClaims& claims() const { return claims_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counters() const { return counters_; }
  [[nodiscard]] bool caught_up() const {
    return link_ == Link::kAttached && !pull_ && replica_.holds_state() && held_.empty();
  }
  void check_invariants() const;

 private:
  struct Pull {
    RequestId request;  // changes with each chunk asked for
    bool snapshot = false;
    bool holds = true;  // changes may come as deltas to what is held or staged
    Revision since;
    Revision base;
    std::map<Key, RecordPtr> staged;
    std::uint64_t changes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t chunks = 0;
    Cursor from;
    Instant resend_at;
    std::int64_t resend_millis = 1'000;
    bool told_behind = false;
    std::vector<RequestId> asked_by;  // CatchUp commands to answer
  };
  struct Acknowledged {
    Incarnation incarnation;
    Seq seq;
    Cursor at;
  };
  struct Reading {
    ReadCommand command;
    Instant deadline;
  };
  struct Syncing {
    SyncCommand command;
    Instant deadline;
    Instant resend_at;
  };

  // agent.cc
  void start();
  void on_received(const Message& message);
  void on_broadcast(const Message& message);
  void on_welcome(const Welcome& welcome);
  void on_refused(const Refused& refused);
  void on_attached(const Attached& attached);
  void on_malformed(const Malformed& malformed);
  void on_error(const ErrorReply& error);
  void come_back(const ErrorReply& error);
  void on_heartbeat(const Heartbeat& heartbeat);
  void on_ack(const HeartbeatAck& ack);
  void on_tick();
  void say_hello();
  void rejoin(Code code, std::string why);
  void end(Code code, std::string why);
  void beat();
  void set_link(Link link, Code code, std::string text);
  [[nodiscard]] bool welcomed() const { return static_cast<bool>(session_); }
  [[nodiscard]] std::int64_t wall() const { return now_.wall_millis + clock_shift_; }
  [[nodiscard]] std::int64_t jittered(std::int64_t millis);
  [[nodiscard]] Instant in(std::int64_t millis) const { return now_.monotonic + Millis{millis}; }
  void up(MessagePtr message) { actions_->send.emplace_back(SendUp{std::move(message)}); }
  void tell(Delivery delivery) { actions_->deliver.push_back(std::move(delivery)); }
  std::vector<Row>& rows() { return actions_->persist.rows; }
  void count(const char* what) { ++counters_[what]; }
  [[nodiscard]] Instant next_wake() const;

  // writing.cc
  void on_command(const Command& command);
  [[nodiscard]] Status may_write() const;
  void write(const WriteCommand& command);
  void update(const UpdateCommand& command);
  // The committed record with these writes on top; null: absent.
  [[nodiscard]] RecordPtr with(const Key& key, const std::vector<const Pending*>& writes) const;
  void read(const ReadCommand& command);
  void serve_reads();
  void status(RequestId request);
  [[nodiscard]] Mutation signed_by_us(Mutation mutation) const;
  void submit();
  void on_submit_result(const SubmitResult& result);
  void settle(Pending& pending, const Outcome& outcome);
  void give_up_writer(Incarnation incarnation, const Outcome& outcome);
  void shift_clock(std::uint64_t coordinator_wall_millis);
  void give_contexts();
  void epoch_changed(const std::vector<OwnThrough>& applied);
  void tell_lost(const std::function<bool(const Acknowledged&)>& is_lost);

  // following.cc
  void on_update(const MessagePtr& message);
  // False: it begins above the cursor.
  bool apply_update(const StateUpdate& update);
  void hold(const MessagePtr& message);
  void apply_held();
  void want_pull();
  void begin_pull(bool snapshot);
  void ask_chunk();
  void on_chunk(const DeltaChunk& chunk);
  void miss_base(const Error& error);
  [[nodiscard]] RecordPtr staged_or_held(const Key& key) const;
  void complete_pull(const DeltaChunk& chunk);
  // The keys that this agent may read are those that it could read when it pulled what it holds.
  [[nodiscard]] bool same_view() const { return held_view_ == view_; }
  // What it holds is the whole state.
  [[nodiscard]] bool holds_all() const { return view_ == 0 && same_view(); }
  void check_digest(Revision head, const Hash128& digest);
  void moved(StateChanged change);
  // The replica's rows: as many as everybody writes, so none is made in vain.
  // Before it is applied: a rule chose it over an own register. Not of what is found at the start.
  void note_overruled(const Change& change, std::vector<WriteOverruled>& overruled) const;
  void keep_record(const Change& change);
  void keep_cursor(const Cursor& cursor, bool wiped);

  // ephemeral.cc
  void ephemeral(const EphemeralCommand& command);
  void exchange_ephemeral();
  void ask_ephemeral();
  void send_ephemeral(EphemeralWrite write);
  void on_ephemeral_tick();
  void lose_ephemeral();
  void on_ephemeral_result(const EphemeralResult& result);
  void on_ephemeral_update(const MessagePtr& message);
  void on_ephemeral_state(const EphemeralState& state);
  void tell_ephemeral(std::vector<Change> changed);

  // claiming.cc
  void claim(const ClaimCommand& command);
  void send_claims();
  void on_claim_result(const ClaimResult& result);
  void on_claim_record(const Change& change);
  void tell_all(std::vector<Delivery> told);

  // answering.cc
  void offer(const OfferCommand& command);
  void withdraw(std::map<Key, Offer>::iterator offer);
  void on_state_request(const StateRequest& request);
  [[nodiscard]] AnswerKind compare(const StateRequest& request, const AskedKey& asked);
  void on_offer_result(const OfferResult& result);
  void sync(const SyncCommand& command);
  void send_sync(Syncing& syncing);
  void on_sync_report(const SyncReport& report);

  AgentOptions options_;
  Prng random_;
  const Incarnation process_;  // the first of this process; names it in every hello

  // Recovered.
  Token token_{};
  bool token_stored_ = false;
  Replica replica_;
  std::uint64_t held_view_ = 0;  // see Welcome::view: under which it was pulled
  Outbox outbox_;

  // Volatile: the attachment.
  Link link_ = Link::kJoining;
  SessionId session_;
  StartId start_;
  Epoch epoch_;  // of the coordinator, since the welcome
  std::uint64_t view_ = 0;
  bool private_keys_ = false;
  Lineage lineage_;
  Revision head_;  // the greatest known
  std::string channel_;
  bool attached_ = false;
  bool rolled_back_ = false;  // at the welcome the coordinator's head was below the cursor
  Revision rolled_back_to_;
  StartId moved_in_;  // of the coordinator that last moved the cursor
  BroadcastNo broadcast_;
  BroadcastNo broadcast_at_ack_;
  int legs_behind_ = 0;
  std::uint64_t heartbeat_number_ = 0;
  std::int64_t heartbeat_millis_ = 5'000;
  Instant heard_;  // by ROUTER: broadcasts say nothing of that leg, nor it of theirs
  Instant next_beat_;
  Instant hello_at_;
  std::int64_t hello_millis_ = 250;
  Instant attach_by_ = Instant::never();
  bool started_ = false;
  Instant stepped_;
  Error trouble_{Code::kCommitted, {}};  // the newest that was not told yet

  // Volatile: writing.
  HlcClock hlc_;
  std::int64_t clock_shift_ = 0;
  Outbox::Place sent_;
  Instant resend_at_ = Instant::never();
  std::int64_t resend_millis_ = 500;
  bool told_waiting_ = false;  // why the first unanswered write is refused at present
  bool over_rate_ = false;     // that is because this agent sends more than it may
  std::uint64_t window_ = limits::kWindow / 2;  // under way at most; smaller after such a refusal
  bool window_closed_ = false;  // waits for resend_at_ after `overloaded` or `unavailable`
  bool submit_wanted_ = false;
  std::map<Incarnation, Seq> answered_here_;  // the greatest answered in this session
  bool awaits_new_epoch_ = false;  // nothing is sent until the new history was caught up with
  std::deque<Acknowledged> acknowledged_;  // the newest, to say which a restore lost

  // Volatile: following.
  std::optional<Pull> pull_;
  Instant pull_at_ = Instant::never();
  bool whole_records_ = false;    // of the next pull
  bool snapshot_wanted_ = false;  // the next pull begins from nothing
  std::deque<MessagePtr> held_;
  std::size_t held_bytes_ = 0;

  // Volatile: ephemeral keys.
  EphemeralCopy ephemeral_;
  RequestId ephemeral_request_;
  Instant ephemeral_pull_at_ = Instant::never();
  Instant ephemeral_resend_at_ = Instant::never();

  OwnClaims claims_;

  // Volatile: of the application.
  std::map<Key, Offer> offers_;
  std::size_t offer_bytes_ = 0;  // of their values
  std::vector<Reading> readings_;
  std::vector<Syncing> syncings_;
  std::vector<RequestId> catch_ups_;
  std::map<std::string, std::uint64_t> counters_;

  // Of the present step.
  Now now_;
  Actions* actions_ = nullptr;
};

}  // namespace waggle
