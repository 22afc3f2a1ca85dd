#include "cli/agent_events.h"

#include "cli/record_json.h"

namespace waggle::cli {
namespace {

std::string_view source_word(ChangeSource source) {
  switch (source) {
    case ChangeSource::kUpdate:
      return "update";
    case ChangeSource::kDelta:
      return "delta";
    case ChangeSource::kSnapshot:
      return "snapshot";
  }
  return "update";
}

// Null while no state was ever held.
Json cursor_json(const Cursor& cursor) {
  return cursor.epoch ? Json(to_text(cursor)) : Json();
}

}  // namespace

Json event_json(std::string_view name, const Json& id) {
  Json out;
  out.set("event", name);
  if (!id.is_null()) out.set("id", id);
  return out;
}

Json error_json(const Json& id, const Error& error) {
  Json out = event_json("error", id);
  return out.set("code", to_text(error.code)).set("text", error.text);
}

Json changed_json(const StateChanged& changed) {
  Json out = event_json("change", {});
  out.set("from", cursor_json(changed.from)).set("to", to_text(changed.to));
  out.set("source", source_word(changed.source));
  if (changed.round) out.set("round", to_hex(changed.round.value()));
  if (changed.cleared) out.set("cleared", true);
  Json changes{Json::Array{}};
  for (const Change& change : changed.changes) changes.push(change_json(change));
  return out.set("changes", std::move(changes));
}

Json link_json(const LinkChanged& link) {
  Json out = event_json("link", {});
  out.set("state", to_text(link.link));
  if (link.code != Code::kCommitted) out.set("code", to_text(link.code));
  if (!link.text.empty()) out.set("text", link.text);
  return out.set("cursor", cursor_json(link.cursor)).set("head", link.head.value());
}

Json caught_up_json(const Json& id, const CaughtUp& caught_up) {
  Json out = event_json("caught_up", id);
  out.set("from", cursor_json(caught_up.from)).set("to", cursor_json(caught_up.to));
  out.set("snapshot", caught_up.snapshot).set("changes", caught_up.changes);
  return out.set("bytes", caught_up.bytes).set("state_bytes", caught_up.state_bytes);
}

Json settled_json(const Json& id, const WriteSettled& settled) {
  Json out = event_json("settled", id);
  if (!settled.request) out.set("earlier", true);  // written by an earlier process
  out.set("incarnation", to_hex(settled.incarnation.value())).set("seq", settled.seq.value());
  add_outcome(out, settled.outcome);
  return out;
}

Json ephemeral_settled_json(const Json& id, const EphemeralSettled& settled) {
  Json out = event_json("settled", id);
  out.set("ephemeral", true).set("key", settled.key.value());
  out.set("ok", exit_code(settled.code) == 0).set("code", to_text(settled.code));
  if (settled.reason != Reason::kNone) out.set("reason", to_text(settled.reason));
  if (!settled.text.empty()) out.set("text", settled.text);
  return out;
}

Json ephemeral_json(const EphemeralChanged& changed) {
  Json out = event_json("ephemeral", {});
  Json changes{Json::Array{}};
  for (const Change& change : changed.changes) changes.push(change_json(change));
  return out.set("changes", std::move(changes));
}

Json read_json(const AgentOp& op, const ReadDone& done) {
  Json out = event_json(op.single ? "value" : "values", op.id);
  out.set("at", cursor_json(done.at)).set("pending", done.pending);
  if (op.single && !done.changes.empty()) return out.add_all(record_json(done.changes.front()));
  Json records{Json::Array{}};
  std::uint64_t count = 0;
  bool more = false;
  for (const Change& change : done.changes) {
    if (!op.after.empty() && change.key.value() <= op.after) continue;
    if (more = op.limit != 0 && count == op.limit; more) break;
    records.push(record_json(change));
    ++count;
  }
  if (op.op == "list") out.set("more", more);
  return out.set("records", std::move(records));
}

Json offer_settled_json(const Json& id, const OfferSettled& settled) {
  Json out = event_json("offer_settled", id);
  out.set("key", settled.key.value()).set("took", settled.took);
  return out.set("version", settled.version.value()).set("round", to_hex(settled.round.value()));
}

Json claim_json(const Json& id, const ClaimDone& done) {
  static constexpr std::string_view kNames[] = {"claimed", "claim_renewed", "claim_released",
                                                "claim_handed_over"};
  Json out = event_json(kNames[static_cast<std::size_t>(done.verb)], id);
  add_claim_result(out, done.result);
  return out;
}

Json claim_waits_json(const Json& id, const ClaimWaits& waits) {
  Json out = event_json("claim_waits", id);
  out.set("pattern", waits.pattern).set("place", static_cast<std::uint64_t>(waits.place));
  return out.set("text", waits.text);
}

Json claim_gained_json(const ClaimGained& gained) {
  Json out = event_json("claim_gained", {});
  out.set("pattern", gained.pattern).set("token", gained.token.value());
  out.set("from", gained.from.value());
  if (!gained.checkpoint) return out;
  Json checkpoint;
  add_value(checkpoint, Value(*gained.checkpoint));
  return out.set("checkpoint", std::move(checkpoint));
}

Json claim_lost_json(const ClaimLost& lost) {
  Json out = event_json("claim_lost", {});
  out.set("pattern", lost.pattern).set("token", lost.token.value());
  return out.set("text", lost.text);
}

Json overruled_json(const WriteOverruled& overruled) {
  Json out = event_json("overruled", {});
  out.set("key", overruled.key.value());
  out.set("incarnation", to_hex(overruled.incarnation.value())).set("seq", overruled.seq.value());
  out.set("version", overruled.version.value()).set("rule", overruled.now->choice->rule);
  return out.set("now", record_json({overruled.key, overruled.now}));
}

Json lost_json(const WritesLost& lost) {
  Json out = event_json("writes_lost", {});
  out.set("text", lost.text);
  Json writes{Json::Array{}};
  for (const OwnThrough& one : lost.writes) {
    Json write;
    write.set("incarnation", to_hex(one.incarnation.value()));
    writes.push(write.set("seq", one.seq.value()));
  }
  return out.set("writes", std::move(writes));
}

Json status_json(const Json& id, const StatusDone& status) {
  Json out = event_json("status", id);
  out.set("link", to_text(status.link)).set("cursor", cursor_json(status.cursor));
  out.set("digest", to_hex(status.digest)).set("keys", status.keys);
  out.set("state_bytes", status.state_bytes).set("outbox", status.outbox);
  return out.set("counters", counters_json(status.counters));
}

}  // namespace waggle::cli
