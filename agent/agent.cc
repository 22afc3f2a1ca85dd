#include "agent/agent.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace waggle {
namespace {

constexpr std::int64_t kHelloMillis = 250;
constexpr std::int64_t kHelloMillisMax = 2'000;
constexpr std::int64_t kAttachMillis = 2'000;
constexpr std::int64_t kForeignProtocolMillis = 5'000;
constexpr int kSilentBeats = 3;
constexpr int kLeaseBeats = 9;

}  // namespace

Agent::Agent(AgentOptions options, AgentState recovered)
    : options_(std::move(options)),
      random_(options_.seed),
      process_(random_.id<Incarnation>()),
      outbox_(process_),
      heartbeat_millis_(options_.heartbeat_millis),
      resend_millis_(options_.resend_millis),
      ephemeral_(Writer{options_.agent, process_, {}}),
      claims_(Claimant{options_.agent, process_}) {
  token_ = recovered.identity.token;
  token_stored_ = token_ != Token{};
  if (!token_stored_)
    for (auto& byte : token_) byte = static_cast<std::uint8_t>(random_.below(256));
  replica_.restore(recovered.cursor);
  held_view_ = recovered.view;
  for (ReplicaRow& row : recovered.replica)
    replica_.restore(recovered.cursor, row.key, std::move(row.record));
  Hlc newest;
  for (const OutboxRow& row : recovered.outbox) {
    outbox_.restore(row);
    if (row.mutation) newest = std::max(newest, row.mutation->hlc);
  }
  hlc_ = HlcClock(newest);
  outbox_.begin();
}

void Agent::check_invariants() const {
  replica_.check_invariants();
}

void Agent::step(const Event& event, const Now& now, Actions& actions) {
  now_ = now;
  actions_ = &actions;
  if (!std::exchange(started_, true)) start();
  // This process itself stood still for longer than its lease. What waits in the socket is an old
  // story told update by update: one delta tells it shorter.
  const bool stood_still = now.monotonic - stepped_ > Millis{heartbeat_millis_ * kLeaseBeats};
  stepped_ = now.monotonic;
  if (stood_still && welcomed()) {
    count("stalls");
    rejoin(Code::kUnavailable, "this process stood still for longer than its lease");
  }
  if (const auto* command = std::get_if<Command>(&event)) {
    on_command(*command);
  } else if (link_ != Link::kEnded) {
    if (const auto* received = std::get_if<Received>(&event)) {
      heard_ = now.monotonic;
      on_received(*received->message);
    } else if (const auto* broadcast = std::get_if<BroadcastReceived>(&event)) {
      if (const auto* update = std::get_if<StateUpdate>(broadcast->message.get())) {
        if (update->swarm == options_.swarm) on_update(broadcast->message);
      } else if (const auto* news = std::get_if<EphemeralUpdate>(broadcast->message.get())) {
        if (news->swarm == options_.swarm) on_ephemeral_update(broadcast->message);
      } else {
        on_broadcast(*broadcast->message);
      }
    } else if (const auto* malformed = std::get_if<Malformed>(&event)) {
      on_malformed(*malformed);
    } else if (std::holds_alternative<Tick>(event)) {
      on_tick();
    }
  }
  if (!options_.stored) actions.persist = {};
  actions.wake_at = next_wake();
  actions_ = nullptr;
}

void Agent::finish(const Now& now, Actions& actions) {
  now_ = now;
  actions_ = &actions;
  if (submit_wanted_ && welcomed()) submit();
  submit_wanted_ = false;
  exchange_ephemeral();
  send_claims();
  actions.wake_at = next_wake();
  actions_ = nullptr;
}

void Agent::start() {
  if (!token_stored_) {
    // Stored before the first hello, so that after a crash the id is still shown to be its own.
    rows().emplace_back(IdentityRow{options_.swarm, options_.agent, token_});
    actions_->persist.sync = true;
    token_stored_ = true;
  }
  heard_ = now_.monotonic;
  set_link(Link::kJoining, Code::kCommitted, {});
  say_hello();
}

Instant Agent::next_wake() const {
  if (link_ == Link::kEnded) return Instant::never();
  Instant wake = welcomed() ? next_beat_ : hello_at_;
  wake =
      std::min({wake, attach_by_, resend_at_, pull_at_, ephemeral_pull_at_, ephemeral_resend_at_});
  if (pull_) wake = std::min(wake, pull_->resend_at);
  wake = std::min(wake, claims_.next_wake(attached_));
  for (const Reading& reading : readings_) wake = std::min(wake, reading.deadline);
  for (const Syncing& syncing : syncings_)
    wake = std::min({wake, syncing.deadline, syncing.resend_at});
  return wake;
}

std::int64_t Agent::jittered(std::int64_t millis) {
  return std::max<std::int64_t>(random_.between(millis / 2, millis + millis / 2), 1);
}

void Agent::set_link(Link link, Code code, std::string text) {
  link_ = link;
  tell(LinkChanged{link, code, std::move(text), replica_.cursor(), head_});
}

// ---- joining -----------------------------------------------------------------------------------

void Agent::say_hello() {
  Hello hello;
  hello.swarm = options_.swarm;
  hello.agent = options_.agent;
  hello.role = options_.role;
  hello.cursor = replica_.cursor();
  hello.token = token_;
  hello.incarnations = outbox_.incarnations();
  std::erase(hello.incarnations, process_);
  hello.incarnations.push_back(process_);
  up(make_message(std::move(hello)));
  count("hellos");
  hello_at_ = in(jittered(hello_millis_));
  hello_millis_ = std::min(hello_millis_ * 2, kHelloMillisMax);
}

void Agent::rejoin(Code code, std::string why) {
  count("rejoins");
  session_ = {};
  attached_ = false;
  attach_by_ = Instant::never();
  pull_.reset();
  pull_at_ = Instant::never();
  held_.clear();
  held_bytes_ = 0;
  lose_ephemeral();
  actions_->send.emplace_back(LeaveChannel{});
  if (!trouble_.text.empty()) why += "; before that: " + std::exchange(trouble_, {}).text;
  if (link_ != Link::kJoining) set_link(Link::kLost, code, std::move(why));
  hello_millis_ = kHelloMillis;
  say_hello();
}

void Agent::end(Code code, std::string why) {
  session_ = {};
  attached_ = false;
  pull_.reset();
  held_.clear();
  held_bytes_ = 0;
  lose_ephemeral();
  actions_->send.emplace_back(LeaveChannel{});
  set_link(Link::kEnded, code, why);
  // Whoever left on purpose still has no answer to what was asked.
  if (code == Code::kCommitted) {
    code = Code::kUnavailable;
    why = "the agent left the swarm before it was answered";
  }
  for (const Reading& reading : std::exchange(readings_, {}))
    tell(CommandFailed{reading.command.request, {code, why}});
  for (const Syncing& syncing : std::exchange(syncings_, {}))
    tell(CommandFailed{syncing.command.request, {code, why}});
  for (const RequestId request : std::exchange(catch_ups_, {}))
    tell(CommandFailed{request, {code, why}});
  tell_all(claims_.end({code, why}));
  for (const RequestId request : ephemeral_.end()) tell(CommandFailed{request, {code, why}});
}

void Agent::on_welcome(const Welcome& welcome) {
  if (welcomed()) {
    count("ignored_second_welcome");
    return;
  }
  session_ = welcome.session;
  start_ = welcome.start;
  epoch_ = welcome.epoch;
  lineage_ = welcome.lineage;
  head_ = welcome.head;
  channel_ = welcome.channel;
  view_ = welcome.view;
  private_keys_ = welcome.private_keys;
  broadcast_ = {};
  broadcast_at_ack_ = {};
  legs_behind_ = 0;
  heartbeat_number_ = 0;
  if (welcome.heartbeat_millis > 0) heartbeat_millis_ = welcome.heartbeat_millis;
  next_beat_ = in(heartbeat_millis_);
  hello_millis_ = kHelloMillis;
  trouble_ = {Code::kCommitted, {}};
  // An offer from the future would be no offer, and nobody answers an offer before a round.
  const auto ahead = [&](std::int64_t own) {
    return HlcClock::too_far_ahead(
        Hlc::of(static_cast<std::uint64_t>(std::max<std::int64_t>(own, 0)), 0),
        welcome.wall_millis);
  };
  if (!ahead(now_.wall_millis)) {
    clock_shift_ = 0;  // it was set right meanwhile
  } else if (ahead(wall())) {
    shift_clock(static_cast<std::uint64_t>(std::max<std::int64_t>(welcome.wall_millis, 0)));
  }
  awaits_new_epoch_ = replica_.holds_state() && replica_.cursor().epoch != epoch_;
  // A welcome may be an old one that came late; a coordinator that goes on running has not lost
  // what it showed, only one that was started anew may have.
  rolled_back_ = replica_.cursor().epoch == epoch_ && replica_.cursor().revision > welcome.head &&
                 welcome.start != moved_in_;
  rolled_back_to_ = welcome.head;
  sent_ = {};
  answered_here_.clear();
  window_closed_ = false;
  resend_at_ = Instant::never();
  submit_wanted_ = true;
  actions_->send.emplace_back(JoinChannel{welcome.channel, welcome.nonce});
  attach_by_ = in(kAttachMillis);
  ephemeral_.begin_session();
}

void Agent::on_refused(const Refused& refused) {
  if (welcomed()) {
    count("ignored_refusal");
    return;
  }
  if (refused.retry_millis <= 0) {
    end(refused.code, refused.text);
    return;
  }
  if (link_ != Link::kLost) set_link(Link::kLost, refused.code, refused.text);
  // Not before, where there was too much of something; spread, since there may be many of them.
  hello_at_ = refused.code == Code::kOverloaded
                  ? in(refused.retry_millis + random_.between(0, refused.retry_millis / 2))
                  : in(jittered(refused.retry_millis));
}

// This agent sends more than it may: what was refused is sent again at the time that is named, not
// before. Without a request it speaks of an ephemeral write, which has none.
void Agent::come_back(const ErrorReply& error) {
  count("requests_over_limit");
  const Instant at = in(error.retry_millis);
  if (pull_ && pull_->request == error.request) pull_->resend_at = at;
  for (Syncing& syncing : syncings_)
    if (syncing.command.request == error.request) syncing.resend_at = at;
  if (error.request && error.request == ephemeral_request_ &&
      ephemeral_pull_at_ != Instant::never())
    ephemeral_pull_at_ = at;
  if (!error.request && ephemeral_.on_its_way() != nullptr) ephemeral_resend_at_ = at;
  claims_.come_back(error.request, at);
}

// What the coordinator could not use. A request of the application that it names is over.
void Agent::on_error(const ErrorReply& error) {
  count("errors_received");
  if (error.code == Code::kOverloaded && error.retry_millis > 0) {
    come_back(error);
    return;
  }
  trouble_ = {error.code, error.text};
  const auto syncing = std::find_if(syncings_.begin(), syncings_.end(), [&](const Syncing& s) {
    return error.request && s.command.request == error.request;
  });
  if (syncing != syncings_.end()) {
    const RequestId request = syncing->command.request;
    syncings_.erase(syncing);
    tell(CommandFailed{request, {error.code, error.text}});
  }
}

// A frame that can't be read, or this side's own socket: said with the next state of the link, or
// at once by an agent that is not in, which would else seem to hear nothing.
void Agent::on_malformed(const Malformed& malformed) {
  count("malformed_frames");
  if (welcomed()) {
    trouble_ = malformed.error;
    return;
  }
  if (trouble_.text != malformed.error.text) {
    trouble_ = malformed.error;
    set_link(Link::kLost, malformed.error.code, malformed.error.text);
  }
  // Another protocol version will not change by being asked more often.
  if (malformed.error.code == Code::kUnsupported) hello_at_ = in(jittered(kForeignProtocolMillis));
}

void Agent::on_attached(const Attached& attached) {
  if (attached_) {
    count("ignored_second_attached");
    return;
  }
  attached_ = true;
  attach_by_ = Instant::never();
  head_ = std::max(head_, attached.head);
  broadcast_ = std::max(broadcast_, attached.broadcast);
  set_link(Link::kAttached, Code::kCommitted, {});
  std::vector<Change> changed;
  ephemeral_.attached(start_, attached.ephemeral, changed);
  tell_ephemeral(std::move(changed));
  // Not before: a round that this agent asks for should find it in the roster.
  for (Syncing& syncing : syncings_) send_sync(syncing);
  claims_.ask_again(now_.monotonic);
  const bool same_history = replica_.holds_state() && replica_.cursor().epoch == epoch_;
  if (same_history && same_view() && replica_.cursor().revision == attached.head &&
      catch_ups_.empty())
    return;
  if (!pull_) {
    // Updates may have come before this, so only the welcome shows that the coordinator's store was
    // rolled back.
    if (rolled_back_) count("coordinator_rolled_back");
    begin_pull(!replica_.holds_state() || rolled_back_);
  }
}

// ---- messages ----------------------------------------------------------------------------------

void Agent::on_received(const Message& message) {
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    on_welcome(*welcome);
    return;
  }
  if (const auto* refused = std::get_if<Refused>(&message)) {
    on_refused(*refused);
    return;
  }
  if (std::holds_alternative<StateRequest>(message)) {
    on_state_request(std::get<StateRequest>(message));
    return;
  }
  SessionId named;
  std::visit(
      [&](const auto& m) {
        if constexpr (requires { m.session; }) named = m.session;
      },
      message);
  if (!welcomed() || named != session_) {
    count("ignored_foreign_session");
    return;
  }
  if (const auto* attached = std::get_if<Attached>(&message)) {
    on_attached(*attached);
  } else if (const auto* result = std::get_if<SubmitResult>(&message)) {
    on_submit_result(*result);
  } else if (const auto* chunk = std::get_if<DeltaChunk>(&message)) {
    on_chunk(*chunk);
  } else if (const auto* ack = std::get_if<HeartbeatAck>(&message)) {
    on_ack(*ack);
  } else if (const auto* offers = std::get_if<OfferResult>(&message)) {
    on_offer_result(*offers);
  } else if (const auto* report = std::get_if<SyncReport>(&message)) {
    on_sync_report(*report);
  } else if (const auto* written = std::get_if<EphemeralResult>(&message)) {
    on_ephemeral_result(*written);
  } else if (const auto* all = std::get_if<EphemeralState>(&message)) {
    on_ephemeral_state(*all);
  } else if (const auto* claim = std::get_if<ClaimResult>(&message)) {
    on_claim_result(*claim);
  } else if (std::holds_alternative<NoSession>(message)) {
    rejoin(Code::kUnavailable, "the coordinator does not know this session; it was restarted");
  } else if (const auto* fenced = std::get_if<Fenced>(&message)) {
    end(Code::kDenied, "this session was ended: " + fenced->text);
  } else if (const auto* error = std::get_if<ErrorReply>(&message)) {
    on_error(*error);
  } else {
    count("ignored_wrong_direction");
  }
}

void Agent::on_broadcast(const Message& message) {
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    if (heartbeat->swarm == options_.swarm) on_heartbeat(*heartbeat);
  } else if (const auto* request = std::get_if<StateRequest>(&message)) {
    if (request->swarm == options_.swarm && request->start == start_)
      broadcast_ = std::max(broadcast_, request->broadcast);
    on_state_request(*request);
  } else {
    count("ignored_wrong_direction");
  }
}

// ---- beats -------------------------------------------------------------------------------------

void Agent::beat() {
  next_beat_ = in(heartbeat_millis_);
  AgentHeartbeat beat;
  beat.session = session_;
  beat.number = ++heartbeat_number_;
  beat.cursor = replica_.cursor();
  beat.broadcast = broadcast_;
  beat.confirmed = outbox_.confirmed();
  beat.incarnations = outbox_.incarnations();
  up(make_message(std::move(beat)));
}

void Agent::on_heartbeat(const Heartbeat& heartbeat) {
  if (!welcomed()) return;
  if (heartbeat.start != start_) {
    rejoin(Code::kUnavailable, "the coordinator was restarted");
    return;
  }
  broadcast_ = std::max(broadcast_, heartbeat.broadcast);
  if (heartbeat.epoch != epoch_) return;
  head_ = std::max(head_, heartbeat.head);
  if (!attached_) return;
  ephemeral_.heard_of(heartbeat.ephemeral);
  if (heartbeat.head > replica_.cursor().revision) {
    want_pull();
  } else {
    if (holds_all()) check_digest(heartbeat.head, heartbeat.digest);
  }
}

void Agent::on_ack(const HeartbeatAck& ack) {
  head_ = std::max(head_, ack.head);
  // What had been broadcast at the last ack should have arrived by now. Twice not: that leg is
  // dead.
  legs_behind_ = broadcast_ < broadcast_at_ack_ ? legs_behind_ + 1 : 0;
  broadcast_at_ack_ = ack.broadcast;
  if (legs_behind_ >= 2) {
    count("broadcast_legs_lost");
    rejoin(Code::kUnavailable, "the broadcasts no longer arrive");
    return;
  }
  if (attached_ && ack.head > replica_.cursor().revision) want_pull();
}

void Agent::on_tick() {
  if (!welcomed()) {
    if (now_.monotonic >= hello_at_) {
      if (now_.monotonic - heard_ > Millis{heartbeat_millis_} && link_ == Link::kJoining)
        set_link(Link::kLost, Code::kUnavailable, "no coordinator answers");
      if (now_.monotonic - heard_ > Millis{heartbeat_millis_ * kSilentBeats}) {
        // After a fault of the protocol, say because another program listens there, ZeroMQ never
        // connects this socket again (libzmq issue 4196).
        count("redials");
        actions_->send.emplace_back(Redial{});
        heard_ = now_.monotonic;
      }
      say_hello();
    }
  } else {
    if (now_.monotonic - heard_ > Millis{heartbeat_millis_ * kSilentBeats}) {
      count("links_lost");
      actions_->send.emplace_back(Redial{});
      heard_ = now_.monotonic;
      rejoin(Code::kUnavailable, "the coordinator is silent");
    } else if (!attached_ && now_.monotonic >= attach_by_) {
      count("attach_timeouts");
      rejoin(Code::kUnavailable, "the broadcast socket did not come up");
    }
    if (welcomed() && now_.monotonic >= next_beat_) beat();
  }
  if (now_.monotonic >= resend_at_) {
    // From the first unanswered one, with back-off: the coordinator knows what it has.
    resend_at_ = Instant::never();
    window_closed_ = false;
    sent_ = {};
    submit_wanted_ = true;
    resend_millis_ = std::min<std::int64_t>(resend_millis_ * 2, 8 * options_.resend_millis);
    count("resends");
  }
  on_ephemeral_tick();
  tell_all(claims_.tick(now_.monotonic));
  if (now_.monotonic >= pull_at_) {
    pull_at_ = Instant::never();
    if (attached_ && !pull_ && (head_ > replica_.cursor().revision || !held_.empty()))
      begin_pull(!replica_.holds_state());
  }
  if (pull_ && now_.monotonic >= pull_->resend_at) {
    pull_->resend_millis = std::min<std::int64_t>(pull_->resend_millis * 2, 8'000);
    count("pulls_repeated");
    ask_chunk();
  }
  for (std::size_t i = 0; i < readings_.size();) {
    if (now_.monotonic < readings_[i].deadline) {
      ++i;
      continue;
    }
    const ReadCommand command = std::move(readings_[i].command);
    readings_.erase(readings_.begin() + static_cast<std::ptrdiff_t>(i));
    tell(
        CommandFailed{command.request,
                      {Code::kTimeout,
                       fmt::format("revision {} was asked for at least, the agent holds {}",
                                   command.at_least.value(), replica_.cursor().revision.value())}});
  }
  for (std::size_t i = 0; i < syncings_.size();) {
    Syncing& syncing = syncings_[i];
    if (now_.monotonic >= syncing.deadline) {
      tell(CommandFailed{syncing.command.request,
                         {Code::kTimeout, "no coordinator answered the synchronisation in time"}});
      syncings_.erase(syncings_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (now_.monotonic >= syncing.resend_at) send_sync(syncing);
    ++i;
  }
}

}  // namespace waggle
