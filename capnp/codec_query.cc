// Questions and their answers.

#include <variant>

#include "base/limits.h"
#include "capnp/codec.h"
#include "capnp/messages.h"
#include "capnp/parts.h"

namespace waggle::codec {
namespace {

struct WriteAsk {
  wire::Query::Builder to;
  void operator()(const GetQuery& ask) {
    auto get = to.initGet();
    write_texts(ask.keys, [&](unsigned size) { return get.initKeys(size); });
    get.setAtLeast(ask.at_least.value());
  }
  void operator()(const ListQuery& ask) {
    auto list = to.initList();
    if (!ask.glob.empty()) list.setGlob(text_of(ask.glob));
    if (!ask.after.empty()) list.setAfter(text_of(ask.after));
    list.setLimit(ask.limit);
    list.setAtLeast(ask.at_least.value());
  }
  void operator()(const StatusQuery&) { to.setStatus(); }
  void operator()(const AgentsQuery&) { to.setAgents(); }
  void operator()(const ConflictsQuery& ask) {
    auto conflicts = to.initConflicts();
    if (!ask.glob.empty()) conflicts.setGlob(text_of(ask.glob));
    conflicts.setId(ask.id.value());
    conflicts.setAfter(ask.after.value());
  }
  void operator()(const ReceiptsQuery& ask) {
    auto receipts = to.initReceipts();
    if (!ask.key.empty()) receipts.setKey(text_of(ask.key));
    receipts.setLimit(ask.limit);
    receipts.setHasAfter(ask.after.has_value());
    if (!ask.after) return;
    if (!ask.after->key.empty()) receipts.setAfterKey(text_of(ask.after->key));
    receipts.setAfterAt(ask.after->at.value());
    receipts.setAfterIndex(ask.after->index);
  }
};

GetQuery read_get(wire::GetQuery::Reader from) {
  return {.keys = read_list(from.getKeys(), limits::kRoundKeys, "keys", read_key),
          .at_least = read_revision(from.getAtLeast())};
}

ListQuery read_list_query(wire::ListQuery::Reader from) {
  return {.glob = read_text(from.getGlob(), "glob", limits::kKeyBytes),
          .after = read_optional_key(from.getAfter()),
          .limit = from.getLimit(),
          .at_least = read_revision(from.getAtLeast())};
}

ConflictsQuery read_conflicts_query(wire::ConflictsQuery::Reader from) {
  return {.glob = read_text(from.getGlob(), "glob", limits::kKeyBytes),
          .id = ConflictId(read_number(from.getId(), "conflict")),
          .after = ConflictId(read_number(from.getAfter(), "conflict"))};
}

ReceiptsQuery read_receipts_query(wire::ReceiptsQuery::Reader from) {
  ReceiptsQuery ask{.key = read_optional_key(from.getKey()), .after = {}, .limit = from.getLimit()};
  if (from.getHasAfter())
    ask.after = ReceiptPlace{read_optional_key(from.getAfterKey()),
                             read_revision(from.getAfterAt()), from.getAfterIndex()};
  return ask;
}

void write_receipt(wire::ReceiptAt::Builder to, const ReceiptRow& row) {
  to.setAt(row.at.value());
  to.setIndex(row.index);
  write(to.initReceipt(), row.receipt);
}

ReceiptRow read_receipt(wire::ReceiptAt::Reader from) {
  return {.swarm = {},
          .at = read_revision(from.getAt()),
          .index = from.getIndex(),
          .receipt = read(from.getReceipt())};
}

void write_agent(wire::AgentInfo::Builder to, const AgentInfo& info) {
  to.setAgent(text_of(info.agent));
  to.setRole(number_of(info.role));
  to.setHealth(number_of(info.health));
  to.setAttached(info.attached);
  write_cursor(to.getCursor(), info.cursor);
  to.setHeardMillisAgo(info.heard_millis_ago);
  to.setSession(info.session.value());
  to.setOverLimit(info.over_limit);
}

AgentInfo read_agent_info(wire::AgentInfo::Reader from) {
  return {.agent = read_agent(from.getAgent()),
          .role = read_enum<Role>(from.getRole()),
          .health = read_enum<Health>(from.getHealth()),
          .attached = from.getAttached(),
          .cursor = read_cursor(from.getCursor()),
          .heard_millis_ago = read_duration(from.getHeardMillisAgo(), "time since heard"),
          .session = SessionId(from.getSession()),
          .over_limit = from.getOverLimit()};
}

void write_swarm(wire::SwarmInfo::Builder to, const SwarmInfo& info) {
  to.setSwarm(text_of(info.swarm));
  to.setHead(info.head.value());
  to.setFloor(info.floor.value());
  write_hash(to.getDigest(), info.digest);
  to.setKeys(info.keys);
  to.setTombstones(info.tombstones);
  to.setStateBytes(info.state_bytes);
  to.setAgents(info.agents);
  to.setOpenRounds(info.open_rounds);
  if (!info.channel.empty()) to.setChannel(text_of(info.channel));
}

SwarmInfo read_swarm_info(wire::SwarmInfo::Reader from) {
  return {.swarm = read_swarm(from.getSwarm()),
          .head = read_revision(from.getHead()),
          .floor = read_revision(from.getFloor()),
          .digest = read_hash(from.getDigest()),
          .keys = from.getKeys(),
          .tombstones = from.getTombstones(),
          .state_bytes = from.getStateBytes(),
          .agents = from.getAgents(),
          .open_rounds = from.getOpenRounds(),
          .channel = read_text(from.getChannel(), "channel")};
}

void write_count(wire::NamedCount::Builder to, const NamedCount& named) {
  to.setName(text_of(named.name));
  to.setCount(named.count);
}

NamedCount read_count(wire::NamedCount::Reader from) {
  return {read_text(from.getName(), "counter"), from.getCount()};
}

}  // namespace

void write(wire::Query::Builder to, const Query& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  std::visit(WriteAsk{to}, from.ask);
}

Query read(wire::Query::Reader from) {
  Query query{SessionId(from.getSession()), RequestId(from.getRequest()), {}};
  switch (from.which()) {
    case wire::Query::GET:
      query.ask = read_get(from.getGet());
      return query;
    case wire::Query::LIST:
      query.ask = read_list_query(from.getList());
      return query;
    case wire::Query::STATUS:
      query.ask = StatusQuery{};
      return query;
    case wire::Query::AGENTS:
      query.ask = AgentsQuery{};
      return query;
    case wire::Query::CONFLICTS:
      query.ask = read_conflicts_query(from.getConflicts());
      return query;
    case wire::Query::RECEIPTS:
      query.ask = read_receipts_query(from.getReceipts());
      return query;
  }
  refuse_unsupported(
      fmt::format("question {}: this Waggle knows 0..5", static_cast<unsigned>(from.which())));
}

void write(wire::QueryResult::Builder to, const QueryResult& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setCode(number_of(from.code));
  to.setLevel(number_of(from.level));
  to.setMore(from.more);
  to.setWritable(from.writable);
  write_cursor(to.getAt(), from.at);
  to.setUptimeMillis(from.uptime_millis);
  if (!from.text.empty()) to.setText(text_of(from.text));
  if (!from.version.empty()) to.setVersion(text_of(from.version));
  write_list(from.changes, [&](unsigned size) { return to.initChanges(size); }, write);
  write_list(from.agents, [&](unsigned size) { return to.initAgents(size); }, write_agent);
  write_list(from.swarms, [&](unsigned size) { return to.initSwarms(size); }, write_swarm);
  write_list(from.counters, [&](unsigned size) { return to.initCounters(size); }, write_count);
  write_list(from.receipts, [&](unsigned size) { return to.initReceipts(size); }, write_receipt);
  write_list(from.conflicts, [&](unsigned size) { return to.initConflicts(size); }, write);
}

QueryResult read(wire::QueryResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .code = read_enum<Code>(from.getCode()),
          .text = read_text(from.getText(), "text"),
          .at = read_cursor(from.getAt()),
          .more = from.getMore(),
          .changes = read_list(
              from.getChanges(), kListElements, "changes",
              [](wire::Change::Reader change) { return read(change, Absent::kAccepted); }),
          .agents = read_list(from.getAgents(), limits::kSessions, "agents", read_agent_info),
          .swarms = read_list(from.getSwarms(), limits::kSwarms, "swarms", read_swarm_info),
          .counters = read_list(from.getCounters(), kListElements, "counters", read_count),
          .version = read_text(from.getVersion(), "version"),
          .uptime_millis = read_duration(from.getUptimeMillis(), "uptime"),
          .level = read_enum<Level>(from.getLevel()),
          .writable = from.getWritable(),
          .conflicts = read_list(from.getConflicts(), kListElements, "conflicts",
                                 [](wire::Conflict::Reader conflict) { return read(conflict); }),
          .receipts = read_list(from.getReceipts(), kListElements, "receipts", read_receipt)};
}

void write(wire::CompactRequest::Builder to, const CompactRequest& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setFloor(from.floor.value());
}

CompactRequest read(wire::CompactRequest::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .floor = read_revision(from.getFloor())};
}

void write(wire::CompactResult::Builder to, const CompactResult& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setCode(number_of(from.code));
  to.setFloor(from.floor.value());
  to.setForgotten(from.forgotten);
  if (!from.text.empty()) to.setText(text_of(from.text));
}

CompactResult read(wire::CompactResult::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .code = read_enum<Code>(from.getCode()),
          .text = read_text(from.getText(), "text"),
          .floor = read_revision(from.getFloor()),
          .forgotten = from.getForgotten()};
}

void write(wire::ErrorReply::Builder to, const ErrorReply& from) {
  to.setSession(from.session.value());
  to.setRequest(from.request.value());
  to.setCode(number_of(from.code));
  if (!from.text.empty()) to.setText(text_of(from.text));
  to.setRetryMillis(from.retry_millis);
}

ErrorReply read(wire::ErrorReply::Reader from) {
  return {.session = SessionId(from.getSession()),
          .request = RequestId(from.getRequest()),
          .code = read_enum<Code>(from.getCode()),
          .text = read_text(from.getText(), "text"),
          .retry_millis = read_duration(from.getRetryMillis(), "time to come back")};
}

}  // namespace waggle::codec
