// `waggle agent run`: an agent driven by JSON lines, so that any language can script one.
//
//   standard input --lines--> operations --> agent (its own thread)
//   standard output <--lines-- one thread <-- deliveries, reports of --on-change
//
// One thread waits for input, deliveries, signals and room in the output, so no side holds up
// another. Bounds: input is not read while too much waits for the agent or for the reader of the
// output; changes that nobody reads are dropped and reported ("lagged").

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/agent_events.h"
#include "cli/agent_ops.h"
#include "cli/asked_ops.h"
#include "cli/commands.h"
#include "cli/delivery_queue.h"
#include "cli/durations.h"
#include "cli/line_buffer.h"
#include "cli/line_reader.h"
#include "cli/on_change.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/signals.h"
#include "coordinator/proposal.h"
#include "include/lib/agent_runtime.h"

namespace waggle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLineBytesMax = std::size_t{8} << 20;  // a value, escaped, and its frame
constexpr std::size_t kChangesBytesMax = std::size_t{64} << 20;
constexpr std::size_t kOutputFull = std::size_t{16} << 20;  // no more input until it is read
constexpr std::size_t kUnqueuedMax = 1'024;                 // writes the agent did not take yet
constexpr std::size_t kUnsettledMax = 4'096;                // while it is attached
constexpr auto kStartPatience = std::chrono::seconds(2);
constexpr int kFlushMillis = 2'000;
constexpr int kLeaveMillis = 1'000;

class AgentProgram {
 public:
  AgentProgram(const CommandLine& line, const Config& config)
      : args_(line.agent), json_(line.json), config_(config), queue_(kChangesBytesMax) {
    watching_ = args_.changes;
    reading_ = !args_.no_stdin;
  }

  int run() {
    if (const Status shape = check_agent_id(args_.id); !shape)
      return fail_usage("--id: " + shape.error().text, json_);
    AgentRuntimeOptions options = agent_options(config_);
    options.agent = AgentId(args_.id);
    options.role = args_.observer ? Role::kObserver : Role::kMember;
    options.data = expand_home(args_.data);
    options.start_from_head = !args_.initial;
    if (!options.data.empty())
      if (const Status made = make_parents(options.data); !made) return fail(made.error(), json_);
    Environment environment = environment_of(config_);
    environment.emplace_back("WAGGLE_AGENT", args_.id);
    if (!args_.on_change.empty())
      on_change_.emplace(args_.on_change, environment, [this] { queue_.wake(); });
    if (!args_.on_proposal.empty())
      on_proposal_.emplace(
          args_.on_proposal, environment, [this] { queue_.wake(); }, OnChange::Of::kProposal);
    auto runtime = AgentRuntime::open(options, std::make_shared<AgentLoop>(),
                                      [this](const Delivery& delivery) { queue_.push(delivery); });
    if (!runtime) return fail(runtime.error(), json_);
    runtime_ = std::move(*runtime);
    runtime_->inspect([this](const Agent& agent) { earlier_ = agent.outbox().unanswered(); });
    say_hello(options);
    while (!over_) turn();
    return leave();
  }

 private:
  void say_hello(const AgentRuntimeOptions& options) {
    Json hello = event_json("hello", {});
    hello.set("contract", kContract).set("version", WAGGLE_VERSION);
    hello.set("swarm", config_.swarm).set("agent", args_.id).set("role", to_text(options.role));
    hello.set("coordinator", config_.coordinator);
    hello.set("data", options.data.empty() ? Json() : Json(options.data));
    out_.add(hello.set("pid", static_cast<std::int64_t>(getpid())));
  }

  // ---- waiting ---------------------------------------------------------------------------------

  // The first operations wait for the first attachment, so that they meet the swarm's state and a
  // sync finds this agent; but not for long, since an agent also works where nobody answers.
  [[nodiscard]] bool started() {
    if (!started_ && Clock::now() >= start_by_) become_unreachable("no coordinator answers yet");
    started_ = started_ || unreachable_ || (attached_ && state_held_);
    return started_;
  }

  void turn() {
    const bool read_input = started() && reading_ && out_.size() < kOutputFull &&
                            asked_.unqueued() < kUnqueuedMax &&
                            (!attached_ || asked_.writes() < kUnsettledMax);
    pollfd fds[] = {{signals_.fd(), POLLIN, 0},
                    {queue_.fd(), POLLIN, 0},
                    {read_input ? STDIN_FILENO : -1, POLLIN, 0},
                    {STDOUT_FILENO, static_cast<short>(out_.empty() ? 0 : POLLOUT), 0}};
    int wait = started_ ? -1 : 50;
    if (drain_until_) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(*drain_until_ - Clock::now());
      wait = static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 20, 1'000));
    }
    if (poll(fds, 4, wait) < 0) return;
    if (const int signal = signals_.take(); signal != 0) on_signal(signal);
    if (fds[3].revents != 0) {
      const bool gone =
          out_.empty() ? (fds[3].revents & (POLLERR | POLLHUP)) != 0 : !out_.write_some();
      if (gone) on_reader_gone();
    }
    if (fds[1].revents != 0) take_deliveries();
    if (fds[2].revents != 0) read_some();
    if (drain_until_) over_ = drained() || drain_is_over();
  }

  void on_signal(int signal) {
    if (signal_ != 0) _exit(128 + signal);
    signal_ = signal;
    begin_drain();
    if (!drained())
      say(fmt::format(
          "{} received: waiting up to {} for what is unanswered; once more exits at once",
          signal_name(signal), duration_text(args_.drain_millis)));
  }

  void on_reader_gone() {
    if (reader_gone_) return;
    reader_gone_ = true;
    say("nobody reads standard output any more: leaving");
    begin_drain();
    over_ = drained();
  }

  void begin_drain() {
    reading_ = false;
    if (!drain_until_) drain_until_ = Clock::now() + std::chrono::milliseconds(args_.drain_millis);
  }

  // Longer than --drain only for what was asked with a time of its own, when the input ended.
  [[nodiscard]] bool drain_is_over() const {
    const auto now = Clock::now();
    if (now < *drain_until_) return false;
    const bool timed = !held_reads_.empty() || asked_.timed();
    return !timed || signal_ != 0 || reader_gone_ || now >= asked_until_;
  }

  void asked_for(std::int64_t millis) {
    asked_until_ = std::max(asked_until_, Clock::now() + std::chrono::milliseconds(millis));
  }

  [[nodiscard]] bool drained() {
    if (asked_.empty() && held_reads_.empty() && earlier_ == 0)
      return (!on_change_ || on_change_->idle()) && (!on_proposal_ || on_proposal_->idle());
    return false;
  }

  // ---- input -----------------------------------------------------------------------------------

  void read_some() {
    char bytes[std::size_t{64} << 10];
    const ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    const auto take = [this](const std::optional<std::string>& line) { on_line(line); };
    if (size > 0) return input_.feed({bytes, static_cast<std::size_t>(size)}, take);
    input_.finish(take);
    begin_drain();
  }

  void on_line(const std::optional<std::string>& line) {
    ++lines_;
    if (!reading_) {  // behind a leave
      if (line && line->find_first_not_of(" \t\r") != std::string::npos)
        refuse(parse_op(*line).id,
               {Code::kUnavailable, "the agent is leaving; nothing behind \"leave\" is done"});
      return;
    }
    if (!line)
      return refuse({}, {Code::kRejected, fmt::format("the line has more than {} bytes; a value "
                                                      "may have {}",
                                                      kLineBytesMax, limits::kValueBytes)});
    if (line->find_first_not_of(" \t\r") == std::string::npos) return;
    ParsedOp parsed = parse_op(*line);
    if (!parsed.op) return refuse(parsed.id, parsed.op.error());
    do_op(*std::move(parsed.op));
  }

  void refuse(const Json& id, const Error& error) {
    Json out = error_json(id, error);
    out_.add(out.set("line", lines_));
  }

  void do_op(AgentOp op) {
    if (const auto* local = std::get_if<LocalOp>(&op.ask)) {
      if (*local == LocalOp::kLeave) {
        leave_id_ = op.id;
        return begin_drain();
      }
      watching_ = *local == LocalOp::kWatch;
      Json out = event_json("watching", op.id);
      out_.add(out.set("on", watching_));
      return;
    }
    if (op.op == "vote") {
      Key& key = std::get<WriteCommand>(op.ask).entries.front().key;
      key = Key(key.value() + args_.id);
    }
    const RequestId request = runtime_->next_request();
    // Before the first state is held, an answer would say "absent" of everything.
    if (std::holds_alternative<ReadCommand>(op.ask)) {
      asked_for(std::get<ReadCommand>(op.ask).timeout_millis);
      if (!state_held_ && !unreachable_) {
        held_reads_.emplace(request, std::move(op));
        return;
      }
    }
    post(request, std::move(op));
  }

  void post(RequestId request, AgentOp op) {
    std::optional<Command> command;
    if (const auto* write = std::get_if<WriteCommand>(&op.ask)) {
      command = WriteCommand{request, write->entries, write->as_of, write->fence};
      std::get<WriteCommand>(op.ask).entries.clear();
    } else if (auto* update = std::get_if<UpdateCommand>(&op.ask)) {
      command = UpdateCommand{request, update->key, std::move(update->make), update->fence};
    } else if (auto* claim = std::get_if<ClaimCommand>(&op.ask)) {
      claim->request = request;
      command = *claim;
      asked_for(claim->wait_millis + 11'000);
    } else if (auto* ephemeral = std::get_if<EphemeralCommand>(&op.ask)) {
      ephemeral->request = request;
      command = std::move(*ephemeral);
    } else if (const auto* offer = std::get_if<OfferCommand>(&op.ask)) {
      command = OfferCommand{request, offer->key, offer->value};
    } else if (auto* read = std::get_if<ReadCommand>(&op.ask)) {
      read->request = request;
      command = *read;
    } else if (auto* sync = std::get_if<SyncCommand>(&op.ask)) {
      sync->request = request;
      command = *sync;
      asked_for((sync->timeout_millis > 0 ? sync->timeout_millis : 30'000) + 3'000);
    } else if (std::holds_alternative<CatchUpCommand>(op.ask)) {
      command = CatchUpCommand{request};
    } else {
      command = StatusCommand{request};
    }
    asked_.add(request, std::move(op));
    if (runtime_->post(*std::move(command))) return;
    refuse(asked_.id_of(request), {Code::kOverloaded,
                                   "too many operations wait for the agent; wait "
                                   "for answers and send it again"});
    asked_.forget(request);
  }

  // ---- deliveries ------------------------------------------------------------------------------

  void take_deliveries() {
    queue_.clear();
    DeliveryQueue::Taken taken = queue_.take();
    for (const Delivery& delivery : taken.deliveries)
      std::visit([this](const auto& one) { on(one); }, delivery);
    if (taken.dropped) lagged(taken.dropped_from, taken.dropped_to);
    for (auto* command : {&on_change_, &on_proposal_})
      if (*command)
        for (const Json& report : (*command)->take_reports()) out_.add(report);
    if (on_proposal_)
      for (const auto& [id, text] : on_proposal_->take_answers()) answer(id, text);
  }

  void lagged(const Cursor& from, const Cursor& to) {
    Json out = event_json("lagged", {});
    out.set("from", to_text(from)).set("to", to_text(to));
    out_.add(out.set("text",
                     "changes were dropped because they were not read fast enough; list "
                     "gives the present state"));
  }

  void on(const Alarm&) {}  // a coordinator's
  void on(const AccessNote&) {}

  void on(const WriteQueued& queued) {
    const AgentOp* op = asked_.find(queued.request);
    if (op == nullptr) return;
    if (const auto* offer = std::get_if<OfferCommand>(&op->ask)) {
      Json out = event_json(offer->value ? "offered" : "withdrawn", op->id);
      out_.add(out.set("key", offer->key.value()));
      if (offer->value) {
        offers_[offer->key] = op->id;
      } else {
        offers_.erase(offer->key);
      }
      return asked_.forget(queued.request);
    }
    asked_.set_queued(queued.request);
    Json out = event_json("queued", op->id);
    if (!op->proposal_id.empty()) out.set("proposal_id", op->proposal_id);
    if (!op->task_id.empty()) out.set("task_id", op->task_id);
    out.set("incarnation", to_hex(queued.incarnation.value()));
    out_.add(out.set("seq", queued.seq.value()));
  }

  void on(const CommandFailed& failure) {
    const AgentOp* op = asked_.find(failure.request);
    if (op == nullptr) return;
    out_.add(error_json(op->id, failure.error));
    asked_.forget(failure.request);
  }

  void on(const WriteSettled& settled) {
    out_.add(settled_json(asked_.id_of(settled.request), settled));
    if (!settled.request && earlier_ > 0) --earlier_;
    asked_.forget(settled.request);
  }

  void on(const EphemeralSettled& settled) {
    out_.add(ephemeral_settled_json(asked_.id_of(settled.request), settled));
    asked_.forget(settled.request);
  }

  void on(const EphemeralChanged& changed) {
    if (watching_) out_.add(ephemeral_json(changed));
  }

  void on(const ReadDone& done) {
    const AgentOp* op = asked_.find(done.request);
    if (op == nullptr) return;
    out_.add(read_json(*op, done));
    asked_.forget(done.request);
  }

  void on(const StateChanged& changed) {
    state_is_held();
    if (on_change_) tell_command(changed);
    for (const Change& change : changed.changes) consider(change.key, change.record);
    if (!watching_ || (changed.changes.empty() && !changed.cleared)) return;
    if (out_.size() > kChangesBytesMax) return lagged(changed.from, changed.to);
    out_.add(changed_json(changed));
  }

  // Asks the command, once, about an open proposal on which this agent may vote.
  void consider(const Key& key, const RecordPtr& record) {
    if (!on_proposal_ || !key.value().starts_with(kProposalKeys)) return;
    const std::string id = key.value().substr(kProposalKeys.size());
    const std::optional<Register> document = register_of(record.get());
    const Result<Proposal> proposal = recover_proposal(id, document ? document->bytes : "{}");
    if (!proposal || proposal->state != BallotState::kOpen) {
      considered_.erase(id);
      return;
    }
    if (!proposal->electorate.contains(AgentId(args_.id)) ||
        !considered_.emplace(id, *proposal).second)
      return;
    Json one = event_json("proposal", {});
    one.set("id", id);
    if (Result<Json> json = parse_json(document->bytes)) one.add_all(*std::move(json));
    on_proposal_->add(id, record->version.value(), one);
  }

  // What the command said: a vote is its first word, of options its first line; nothing is no vote.
  void answer(const std::string& id, const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return;
    const auto considered = considered_.find(id);
    const bool chooses = considered != considered_.end() && !considered->second.options.empty();
    // Names of options may have spaces: of them it is the whole line.
    std::string word =
        text.substr(begin, text.find_first_of(chooses ? "\r\n" : " \t\r\n", begin) - begin);
    word.resize(word.find_last_not_of(" \t") + 1);
    Status fine;
    if (!chooses) {
      if (const Result<Stance> stance = stance_of(word); !stance)
        fine = std::unexpected(stance.error());
    } else if (const auto choice = choice_of(considered->second, vote_in_words(word)); !choice) {
      fine = std::unexpected(choice.error());
    }
    if (!fine) {
      Json failure = event_json("on_proposal_failed", {});
      out_.add(failure.set("key", id).set("text", printable(fine.error().text, 256)));
      return;
    }
    AgentOp op;
    op.op = "vote";
    op.proposal_id = id;
    Register vote = chooses ? vote_in_words(word) : Register{ContentType::kText, word};
    op.ask = WriteCommand{
        {},
        {{vote_key(id, AgentId(args_.id)), {}, PutOp{vote.content, std::move(vote.bytes)}, {}}}};
    post(runtime_->next_request(), std::move(op));
  }

  // Of this process only: what waits for the command when the process ends is not kept.
  void tell_command(const StateChanged& changed) {
    if (changed.cleared) {
      Json cleared = event_json("cleared", {});
      cleared.set("swarm", config_.swarm).set("version", changed.to.revision.value());
      on_change_->add({}, changed.to.revision.value(), cleared);
    }
    for (const Change& change : changed.changes) {
      Json one = event_json("change", {});
      one.add_all(change_json(change));
      on_change_->add(change.key.value(), change.record->version.value(), one);
    }
  }

  void on(const CaughtUp& caught_up) {
    state_is_held();
    out_.add(caught_up_json(asked_.id_of(caught_up.request), caught_up));
    asked_.forget(caught_up.request);
  }

  void on(const LinkChanged& link) {
    attached_ = link.link == Link::kAttached;
    if (link.cursor.epoch) state_is_held();
    if (link.link == Link::kLost) {
      become_unreachable(link.text);
    } else if (attached_ && std::exchange(unreachable_, false)) {
      say(fmt::format("connected to {}", config_.coordinator));
    }
    if (link.link == Link::kEnded && leaving_) {
      left_ = true;
      return;
    }
    if (attached_ && link.code != Code::kCommitted) say(link.text);
    out_.add(link_json(link));
    if (link.link == Link::kEnded) {
      ended_ = Error{link.code, link.text};
      over_ = true;
    }
  }

  void become_unreachable(const std::string& why) {
    if (unreachable_ && why == unreachable_why_) return;
    unreachable_ = true;
    unreachable_why_ = why;
    say(fmt::format("not connected to {}: {}; trying again, writes are kept{}", config_.coordinator,
                    why, args_.data.empty() ? " as long as this process lives" : ""));
    release_reads();
  }

  void on(const OfferSettled& settled) {
    const auto offer = offers_.find(settled.key);
    out_.add(offer_settled_json(offer == offers_.end() ? Json() : offer->second, settled));
    if (offer != offers_.end()) offers_.erase(offer);
  }

  void on(const SyncDone& done) {
    const AgentOp* op = asked_.find(done.request);
    if (op == nullptr) return;
    Json out = event_json("synced", op->id);
    add_report(out, done.report);
    out_.add(out);
    asked_.forget(done.request);
  }

  void on(const ClaimDone& done) {
    out_.add(claim_json(asked_.id_of(done.request), done));
    asked_.forget(done.request);
  }
  void on(const ClaimWaits& waits) {
    out_.add(claim_waits_json(asked_.id_of(waits.request), waits));
  }
  void on(const ClaimGained& gained) { out_.add(claim_gained_json(gained)); }
  void on(const ClaimLost& lost) { out_.add(claim_lost_json(lost)); }

  void on(const WriteOverruled& overruled) { out_.add(overruled_json(overruled)); }

  void on(const WritesLost& lost) {
    say(lost.text);
    out_.add(lost_json(lost));
  }

  void on(const DigestMismatch& mismatch) {
    Json out = event_json("digest_mismatch", {});
    out.set("revision", mismatch.revision.value());
    out_.add(out.set("text", "the state held differed from the coordinator's; it is fetched anew"));
  }

  void on(const StatusDone& status) {
    const AgentOp* op = asked_.find(status.request);
    if (op == nullptr) return;
    out_.add(status_json(op->id, status));
    asked_.forget(status.request);
  }

  void state_is_held() {
    if (std::exchange(state_held_, true)) return;
    release_reads();
    // What is open already is no change.
    std::vector<Change> open;
    if (on_proposal_)
      runtime_->inspect(
          [&](const Agent& agent) { open = agent.view_all(fmt::format("{}*", kProposalKeys)); });
    for (const Change& change : open) consider(change.key, change.record);
  }

  void release_reads() {
    for (auto& [request, op] : std::exchange(held_reads_, {})) post(request, std::move(op));
  }

  // ---- the end ---------------------------------------------------------------------------------

  // What is still asked for is answered with an error by the agent when it leaves; writes are not.
  int leave() {
    release_reads();
    leaving_ = true;
    if (!ended_ && runtime_->post(LeaveCommand{})) {
      const auto deadline = Clock::now() + std::chrono::milliseconds(kLeaveMillis);
      while (!left_ && Clock::now() < deadline) {
        pollfd fd{queue_.fd(), POLLIN, 0};
        if (poll(&fd, 1, 20) > 0) take_deliveries();
      }
    }
    std::uint64_t outbox = 0;
    bool reached = false;
    runtime_->inspect([&](const Agent& agent) {
      outbox = agent.outbox().unanswered();
      reached = agent.counters().contains("submits");
    });
    // What the store did not take before it failed is in memory only.
    const std::size_t not_taken = ended_ && ended_->code == Code::kUnknown ? asked_.unqueued() : 0;
    outbox -= std::min<std::uint64_t>(outbox, not_taken);
    runtime_.reset();
    take_deliveries();
    if (on_proposal_) (void)on_proposal_->stop();
    const std::size_t given_up = on_change_ ? on_change_->stop() : 0;
    const bool kept = !args_.data.empty();
    for (const auto& [request, asked] : asked_.all()) {
      if (!is_write(asked.op)) continue;
      Json out = event_json("unsettled", asked.op.id);
      out_.add(out.set("kept", kept && asked.queued));
    }
    for (const auto& [key, id] : offers_) {
      Json out = event_json("unsettled", id);
      out_.add(out.set("offer", key.value()).set("kept", false));
    }
    Json left = event_json("left", leave_id_);
    left.set("outbox", outbox).set("kept", kept || outbox == 0);
    out_.add(left);
    if (!reader_gone_) out_.flush(kFlushMillis);
    if (given_up > 0)
      say(fmt::format("{} for --on-change were not run to their end", counted(given_up, "change")));
    if (outbox > 0)
      say(kept ? fmt::format("{} unanswered; {} in {} for the next start", counted(outbox, "write"),
                             outbox == 1 ? "it waits" : "they wait", args_.data)
               : fmt::format("{} unanswered and without --data not kept: {}",
                             counted(outbox, "write"),
                             reached ? "unknown whether applied"
                                     : "not applied, no coordinator was reached"));
    if (not_taken > 0)
      say(fmt::format("{} not taken by the store when it failed: write again",
                      counted(not_taken, "write")));
    if (ended_) {
      // The store failed, or the coordinator refused this agent for good.
      return fail(*ended_, json_);
    }
    if (signal_ != 0) return 128 + signal_;
    if (reader_gone_) return kExitFailure;
    return outbox > 0 && !kept ? exit_code(Code::kUnknown) : kExitDone;
  }

  const CommandLine::AgentRun& args_;
  const bool json_;
  const Config& config_;
  Signals signals_;  // before the first thread
  DeliveryQueue queue_;
  LineBuffer out_;
  std::optional<OnChange> on_change_;
  std::optional<OnChange> on_proposal_;
  std::map<std::string, Proposal> considered_;  // proposals that it was asked about
  std::unique_ptr<AgentRuntime> runtime_;

  LineReader input_{kLineBytesMax};
  std::uint64_t lines_ = 0;
  bool reading_ = true;

  AskedOps asked_;
  std::size_t earlier_ = 0;  // writes of an earlier process that are not settled
  std::map<RequestId, AgentOp> held_reads_;
  std::map<Key, Json> offers_;
  bool watching_ = false;
  bool state_held_ = false;
  bool attached_ = false;
  bool unreachable_ = false;
  std::string unreachable_why_;
  bool started_ = false;
  const Clock::time_point start_by_ = Clock::now() + kStartPatience;

  std::optional<Clock::time_point> drain_until_;
  Clock::time_point asked_until_ = Clock::time_point::min();
  Json leave_id_;
  bool over_ = false;
  bool leaving_ = false;
  bool left_ = false;
  bool reader_gone_ = false;
  int signal_ = 0;
  std::optional<Error> ended_;
};

}  // namespace

int agent_run(const CommandLine& line, const Config& config) {
  return AgentProgram(line, config).run();
}

}  // namespace waggle::cli
