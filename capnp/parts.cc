#include "capnp/parts.h"

#include <algorithm>
#include <memory>
#include <variant>

#include "base/op_bytes.h"
#include "base/value_bytes.h"
#include "base/value_delta.h"
#include "capnp/codec.h"

namespace waggle::codec {
namespace {

constexpr std::uint8_t kDurable = 0;
constexpr std::uint8_t kEphemeral = 1;

// Meanings that must not be skipped over, see capnp/wire.capnp.
bool read_ephemeral(std::uint8_t value_class) {
  if (value_class > kEphemeral) [[unlikely]]
    refuse_unsupported(
        fmt::format("value class {}: this Waggle knows 0, durable, and 1, ephemeral", value_class));
  return value_class == kEphemeral;
}
template <typename Holder>
void refuse_fence(const Holder& from) {
  if (from.hasOrigin() && from.getOrigin().getFenceToken() != 0) [[unlikely]]
    refuse_unsupported("fence token: this Waggle does not check any, so it takes none");
}

std::vector<std::string> read_elements(capnp::List<capnp::Data>::Reader list) {
  return read_list(list, limits::kValueBytes, "elements",
                   [](capnp::Data::Reader data) { return std::string(view_of(data)); });
}

template <typename Init>
void write_elements(const std::vector<std::string>& elements, const Init& init) {
  // Also an empty list is written: it selects the operation.
  capnp::List<capnp::Data>::Builder list = init(static_cast<unsigned>(elements.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, data_of(elements[i]));
}

// The first three types and their operations have members of their own in the schema; the others
// travel in our own encoding.
struct WriteOp {
  wire::Entry::Op::Builder to;
  void operator()(const PutOp& op) {
    if (op.type != ValueType::kRegister) return typed(op);
    auto put = to.initPut();
    put.setContent(number_of(op.content));
    put.setBytes(data_of(op.bytes));
  }
  void operator()(const DeleteOp&) { to.setDelete(); }
  void operator()(const IncrOp& op) {
    if (op.type != ValueType::kCounter) return typed(op);
    to.setIncr(op.amount);
  }
  void operator()(const SetAddOp& op) {
    if (op.type != ValueType::kOrSet) return typed(op);
    write_elements(op.elements, [&](unsigned size) { return to.initSetAdd(size); });
  }
  void operator()(const SetRemoveOp& op) {
    if (op.type != ValueType::kOrSet) return typed(op);
    write_elements(op.elements, [&](unsigned size) { return to.initSetRemove(size); });
  }
  void operator()(const ClearOp&) { to.setClear(); }
  void operator()(const auto& op) { typed(op); }

 private:
  void typed(const Op& op) { to.setTyped(data_of(encode_op(op))); }
};

// One operation has one spelling: what has a member of its own does not come as `typed`.
bool has_own_member(const Op& op) {
  const auto* put = std::get_if<PutOp>(&op);
  const auto* incr = std::get_if<IncrOp>(&op);
  const auto* add = std::get_if<SetAddOp>(&op);
  const auto* remove = std::get_if<SetRemoveOp>(&op);
  return (put != nullptr && put->type == ValueType::kRegister) ||
         (incr != nullptr && incr->type == ValueType::kCounter) ||
         (add != nullptr && add->type == ValueType::kOrSet) ||
         (remove != nullptr && remove->type == ValueType::kOrSet);
}

Op read_typed_op(capnp::Data::Reader from) {
  Result<Op> op = decode_op(view_of(from));
  if (!op && op.error().code == Code::kUnsupported) refuse_unsupported(std::move(op.error().text));
  if (!op) refuse(std::move(op.error().text));
  if (has_own_member(*op)) refuse("operation: expected one that has no member of its own");
  return *std::move(op);
}

Op read_op(wire::Entry::Op::Reader from) {
  switch (from.which()) {
    case wire::Entry::Op::PUT: {
      const auto put = from.getPut();
      return PutOp{read_enum<ContentType>(put.getContent()), std::string(view_of(put.getBytes()))};
    }
    case wire::Entry::Op::DELETE:
      return DeleteOp{};
    case wire::Entry::Op::INCR:
      return IncrOp{from.getIncr()};
    case wire::Entry::Op::SET_ADD:
      return SetAddOp{read_elements(from.getSetAdd())};
    case wire::Entry::Op::SET_REMOVE:
      return SetRemoveOp{read_elements(from.getSetRemove())};
    case wire::Entry::Op::CLEAR:
      return ClearOp{};
    case wire::Entry::Op::TYPED:
      return read_typed_op(from.getTyped());
  }
  refuse_unsupported(
      fmt::format("operation {}: this Waggle knows 0..6", static_cast<unsigned>(from.which())));
}

Expect read_expect(wire::Entry::Expect::Reader from) {
  switch (from.which()) {
    case wire::Entry::Expect::ANY:
      return std::monostate{};
    case wire::Entry::Expect::VERSION:
      return ExpectVersion{Revision(from.getVersion())};
    case wire::Entry::Expect::MINE:
      return ExpectMine{Seq(from.getMine())};
    case wire::Entry::Expect::UNCHANGED:
      return ExpectUnchanged{};
  }
  refuse_unsupported(
      fmt::format("expectation {}: this Waggle knows 0..3", static_cast<unsigned>(from.which())));
}

void write_entry(wire::Entry::Builder to, const Entry& entry) {
  if (!entry.key.empty()) to.setKey(text_of(entry.key));
  if (const auto* version = std::get_if<ExpectVersion>(&entry.expect))
    to.getExpect().setVersion(version->version.value());
  if (const auto* mine = std::get_if<ExpectMine>(&entry.expect))
    to.getExpect().setMine(mine->seq.value());
  if (std::holds_alternative<ExpectUnchanged>(entry.expect)) to.getExpect().setUnchanged();
  std::visit(WriteOp{to.getOp()}, entry.op);
  write_list(entry.metadata, [&](unsigned size) { return to.initMetadata(size); }, write);
  if (entry.signature) to.setSignature(data_of(*entry.signature));
}

// Without its checks, which Mutation makes for all entries together.
Entry read_entry(wire::Entry::Reader from) {
  if (read_ephemeral(from.getValueClass()))
    refuse("mutation: expected durable writes, got an ephemeral one");
  return {.key = Key(view_of(from.getKey())),
          .expect = read_expect(from.getExpect()),
          .op = read_op(from.getOp()),
          .metadata = read_metadata(from.getMetadata()),
          .signature = from.hasSignature() ? std::optional(read_array<sizeof(Signature)>(
                                                 from.getSignature(), "signature"))
                                           : std::nullopt};
}

}  // namespace

Metadata read_metadata(capnp::List<wire::Pair>::Reader list) {
  check_count(list, limits::kMetadataBytes, "metadata");
  Metadata metadata;
  for (const auto& pair : list) {
    std::string name(view_of(pair.getName()));
    if (!metadata.empty() && metadata.rbegin()->first >= name)
      refuse("metadata: expected names sorted and unique");
    metadata.emplace_hint(metadata.end(), std::move(name), view_of(pair.getText()));
  }
  if (!metadata.empty()) require(check_metadata(metadata));
  return metadata;
}

std::string read_text(capnp::Text::Reader text, std::string_view what, std::size_t max) {
  const std::string_view view = view_of(text);
  if (view.size() > max) [[unlikely]]
    refuse(fmt::format("{}: expected at most {} bytes, got {}", what, max, view.size()));
  if (!is_utf8(view)) [[unlikely]]
    refuse(fmt::format("{}: expected UTF-8, got other bytes", what));
  return std::string(view);
}

Key read_key(capnp::Text::Reader text) {
  require(check_key(view_of(text)));
  return Key(view_of(text));
}

Key read_optional_key(capnp::Text::Reader text) {
  return text.size() == 0 ? Key() : read_key(text);
}

AgentId read_agent(capnp::Text::Reader text) {
  require(check_agent_id(view_of(text)));
  return AgentId(view_of(text));
}

AgentId read_optional_agent(capnp::Text::Reader text) {
  return text.size() == 0 ? AgentId() : read_agent(text);
}

SwarmId read_swarm(capnp::Text::Reader text) {
  require(check_swarm_id(view_of(text)));
  return SwarmId(view_of(text));
}

std::string read_bytes(capnp::Data::Reader data) {
  if (data.size() > limits::kValueBytes) [[unlikely]]
    refuse(
        fmt::format("value: expected at most {} bytes, got {}", limits::kValueBytes, data.size()));
  return std::string(view_of(data));
}

std::vector<Incarnation> read_incarnations(capnp::List<std::uint64_t>::Reader list) {
  return read_list(list, limits::kOwnThrough, "incarnations",
                   [](std::uint64_t incarnation) { return Incarnation(incarnation); });
}

void write(wire::OwnThrough::Builder to, const OwnThrough& own) {
  to.setIncarnation(own.incarnation.value());
  to.setSeq(own.seq.value());
}

std::vector<OwnThrough> read_own(capnp::List<wire::OwnThrough>::Reader list,
                                 std::string_view what) {
  return read_list(list, limits::kOwnThrough, what, [](wire::OwnThrough::Reader own) {
    return OwnThrough{Incarnation(own.getIncarnation()), read_seq(own.getSeq())};
  });
}

void write(wire::EpochEnd::Builder to, const EpochEnd& end) {
  to.setEpoch(end.epoch.value());
  to.setLast(end.last.value());
}

Lineage read_lineage(capnp::List<wire::EpochEnd>::Reader list) {
  return read_list(list, kListElements, "lineage", [](wire::EpochEnd::Reader end) {
    return EpochEnd{Epoch(end.getEpoch()), read_revision(end.getLast())};
  });
}

void write(wire::Pair::Builder to, const std::pair<const std::string, std::string>& pair) {
  to.setName(text_of(pair.first));
  if (!pair.second.empty()) to.setText(text_of(pair.second));
}

void write(wire::Value::Builder to, const Value& value) {
  if (const auto* reg = std::get_if<Register>(&value)) {
    auto group = to.initRegister();
    group.setContent(number_of(reg->content));
    group.setBytes(data_of(reg->bytes));
  } else if (const auto* counter = std::get_if<Counter>(&value)) {
    to.setCounter(counter->total);
  } else if (std::holds_alternative<OrSet>(value)) {
    to.setSet(data_of(encode_value(value)));
  } else {
    auto typed = to.initTyped();
    typed.setType(number_of(type_of(value)));
    typed.setBody(data_of(encode_value(value)));
  }
}

void write(wire::RegisterValue::Builder to, const Register& value) {
  to.setContent(number_of(value.content));
  to.setBytes(data_of(value.bytes));
}

Register read(wire::RegisterValue::Reader from) {
  return {read_enum<ContentType>(from.getContent()), read_bytes(from.getBytes())};
}

namespace {

Value read_body(ValueType type, capnp::Data::Reader body) {
  Result<Value> value = decode_value(type, view_of(body));
  if (!value) refuse(std::move(value.error().text));
  return *std::move(value);
}

}  // namespace

Value read(wire::Value::Reader from) {
  switch (from.which()) {
    case wire::Value::REGISTER: {
      const auto group = from.getRegister();
      return Register{read_enum<ContentType>(group.getContent()), read_bytes(group.getBytes())};
    }
    case wire::Value::COUNTER:
      return Counter{from.getCounter()};
    case wire::Value::SET:
      return read_body(ValueType::kOrSet, from.getSet());
    case wire::Value::TYPED: {
      const auto typed = from.getTyped();
      const std::optional<ValueType> type = value_type_of(typed.getType());
      if (!type)
        refuse_unsupported(fmt::format("value of type {}: this Waggle knows 1..{}", typed.getType(),
                                       kValueTypes.size()));
      if (number_of(*type) <= number_of(ValueType::kOrSet))
        refuse(fmt::format("value of type {}: expected its own member", to_text(*type)));
      return read_body(*type, typed.getBody());
    }
  }
  refuse_unsupported(
      fmt::format("value of kind {}: this Waggle knows 0..3", static_cast<unsigned>(from.which())));
}

Record read(wire::Record::Reader from) {
  refuse_fence(from);
  Record record;
  record.ephemeral = read_ephemeral(from.getValueClass());
  if (from.hasValue()) record.value = read(from.getValue());
  record.version = read_revision(from.getVersion());
  record.commit_wall_millis = read_wall(from.getCommitWallMillis());
  record.hlc = {from.getHlc()};
  const auto writer = from.getWriter();
  record.writer = {read_optional_agent(writer.getAgent()), Incarnation(writer.getIncarnation()),
                   read_seq(writer.getSeq())};
  record.metadata = read_metadata(from.getMetadata());
  record.content = read_hash(from.getContent());
  record.receipt = read_array<sizeof(ChainHash)>(from.getReceipt(), "receipt hash");
  record.receipts = from.getReceipts();
  if (from.hasChoice()) {
    const auto choice = from.getChoice();
    const Revision over = read_revision(choice.getOver());
    if (over >= record.version)
      refuse(fmt::format("choice: expected one over a version below {}, got {}",
                         record.version.value(), over.value()));
    const auto of = choice.getWriter();
    record.choice = std::make_shared<const Choice>(
        Choice{read_text(choice.getRule(), "rule"),
               over,
               {read_optional_agent(of.getAgent()), Incarnation(of.getIncarnation()),
                read_seq(of.getSeq())}});
  }
  if (from.hasOrigin() && from.getOrigin().hasSignature())
    record.signature = std::make_shared<const Signature>(
        read_array<sizeof(Signature)>(from.getOrigin().getSignature(), "signature"));
  return record;
}

Record read_durable(wire::Record::Reader from) {
  Record record = read(from);
  if (record.ephemeral) refuse("record: expected a durable one, got an ephemeral one");
  return record;
}

namespace {

// DO NOT CHANGE the numbers.
enum class DeltaForm : std::uint8_t {
  kDelta = 1,   // base/value_delta.h, against the value of version `from`
  kPacked = 2,  // a register's content type and its packed bytes (base/packing.h); `from` is 0
};

struct Body {
  DeltaForm form = DeltaForm::kDelta;
  Revision from;
  std::string bytes;
};

// A delta to what the reader holds, or packed bytes, where that is smaller. Nothing: as it is.
std::optional<Body> small_body(const Change& change) {
  const Record& record = *change.record;
  if (change.delta) return Body{DeltaForm::kDelta, change.delta->from, change.delta->bytes};
  if (!record.live()) return std::nullopt;
  if (change.base && change.base->live()) {
    if (std::optional<std::string> bytes =
            encode_delta(*change.base->value, *record.value, change.packing))
      return Body{DeltaForm::kDelta, change.base->version, *std::move(bytes)};
  }
  if (std::optional<std::string> bytes = pack_value(*record.value, change.packing))
    return Body{DeltaForm::kPacked, {}, *std::move(bytes)};
  return std::nullopt;
}

// `value`: with it, or without where it travels another way.
void write_record(wire::Record::Builder to, const Record& record, bool value) {
  to.setVersion(record.version.value());
  to.setCommitWallMillis(record.commit_wall_millis);
  to.setHlc(record.hlc.bits);
  auto writer = to.getWriter();
  if (!record.writer.agent.empty()) writer.setAgent(text_of(record.writer.agent));
  writer.setIncarnation(record.writer.incarnation.value());
  writer.setSeq(record.writer.seq.value());
  write_hash(to.getContent(), record.content);
  if (record.value && value) write(to.initValue(), *record.value);
  write_list(record.metadata, [&](unsigned size) { return to.initMetadata(size); }, write);
  if (record.receipt != ChainHash{}) to.setReceipt(data_of(record.receipt));
  to.setReceipts(record.receipts);
  if (record.choice) {
    auto choice = to.initChoice();
    choice.setRule(text_of(record.choice->rule));
    choice.setOver(record.choice->over.value());
    auto of = choice.getWriter();
    if (!record.choice->writer.agent.empty()) of.setAgent(text_of(record.choice->writer.agent));
    of.setIncarnation(record.choice->writer.incarnation.value());
    of.setSeq(record.choice->writer.seq.value());
  }
  to.setValueClass(record.ephemeral ? kEphemeral : kDurable);
  if (record.signature) to.initOrigin().setSignature(data_of(*record.signature));
}

}  // namespace

void write(wire::Record::Builder to, const Record& record) {
  write_record(to, record, true);
}

namespace {

Change read_delta(Key key, wire::Change::Delta::Reader from) {
  Record header = read(from.getHeader());
  if (header.value) refuse("delta: expected a record without its value");
  switch (static_cast<DeltaForm>(from.getForm())) {
    case DeltaForm::kDelta: {
      const Revision base = read_revision(from.getFrom());
      if (base >= header.version)
        refuse(fmt::format("delta: expected one to a version below {}, got {}",
                           header.version.value(), base.value()));
      return {std::move(key), std::make_shared<const Record>(std::move(header)), nullptr,
              std::make_shared<const Delta>(Delta{base, std::string(view_of(from.getBody()))})};
    }
    case DeltaForm::kPacked: {
      Result<Value> value = unpack_value(view_of(from.getBody()));
      if (!value) refuse(std::move(value.error().text));
      header.value = *std::move(value);
      return {std::move(key), std::make_shared<const Record>(std::move(header))};
    }
  }
  refuse_unsupported(fmt::format("delta of form {}: this Waggle knows 1 and 2", from.getForm()));
}

}  // namespace

void write(wire::Change::Builder to, const Change& change) {
  to.setKey(text_of(change.key));
  if (!change.record) {
    to.setAbsent();
  } else if (const std::optional<Body> body = small_body(change)) {
    auto group = to.initDelta();
    write_record(group.initHeader(), *change.record, false);
    group.setFrom(body->from.value());
    group.setForm(number_of(body->form));
    group.setBody(data_of(body->bytes));
  } else {
    write(to.initRecord(), *change.record);
  }
}

Change read(wire::Change::Reader from, Absent absent) {
  switch (from.which()) {
    case wire::Change::ABSENT:
      if (absent == Absent::kRefused) refuse("change: expected a record, got none");
      return {read_key(from.getKey()), nullptr};
    case wire::Change::RECORD:
      return {read_key(from.getKey()), std::make_shared<const Record>(read(from.getRecord()))};
    case wire::Change::DELTA:
      return read_delta(read_key(from.getKey()), from.getDelta());
  }
  refuse_unsupported(fmt::format("change of kind {}: this Waggle knows 0..2",
                                 static_cast<unsigned>(from.which())));
}

void write(wire::Mutation::Builder to, const Mutation& mutation) {
  to.setIncarnation(mutation.incarnation.value());
  to.setSeq(mutation.seq.value());
  to.setHlc(mutation.hlc.bits);
  to.setEpoch(mutation.context.epoch.value());
  to.setSeen(mutation.context.seen.value());
  write_list(
      mutation.context.own_through, [&](unsigned size) { return to.initOwnThrough(size); }, write);
  write_list(mutation.entries, [&](unsigned size) { return to.initEntries(size); }, write_entry);
  if (mutation.fence) to.initOrigin().setFenceToken(mutation.fence.value());
}

Mutation read(wire::Mutation::Reader from) {
  Mutation mutation;
  if (from.hasOrigin())
    mutation.fence = FenceToken(read_number(from.getOrigin().getFenceToken(), "fence token"));
  mutation.incarnation = Incarnation(from.getIncarnation());
  mutation.seq = Seq(from.getSeq());
  mutation.context.epoch = Epoch(from.getEpoch());
  mutation.context.seen = Revision(from.getSeen());
  mutation.context.own_through = read_own(from.getOwnThrough(), "own_through");
  mutation.hlc = {from.getHlc()};
  mutation.entries =
      read_list(from.getEntries(), limits::kGroupEntries, "group entries", read_entry);
  require(check_mutation(mutation));
  return mutation;
}

void write(wire::Outcome::Builder to, const Outcome& outcome) {
  to.setCode(number_of(outcome.code));
  to.setLevel(number_of(outcome.level));
  to.setReason(number_of(outcome.reason));
  to.setConflict(number_of(outcome.conflict));
  to.setChanged(outcome.changed);
  to.setRevision(outcome.revision.value());
  to.setExpected(outcome.expected.value());
  to.setCoordinatorWallMillis(outcome.coordinator_wall_millis);
  if (!outcome.key.empty()) to.setKey(text_of(outcome.key));
  if (outcome.committed) write(to.initCommitted(), *outcome.committed);
  if (!outcome.text.empty()) to.setText(text_of(outcome.text));
  to.setParked(outcome.parked.value());
  to.setRetryMillis(outcome.retry_millis);
}

Outcome read(wire::Outcome::Reader from) {
  Outcome outcome;
  outcome.code = read_enum<Code>(from.getCode());
  outcome.level = read_enum<Level>(from.getLevel());
  outcome.revision = read_revision(from.getRevision());
  outcome.changed = from.getChanged();
  outcome.reason = read_enum<Reason>(from.getReason());
  outcome.conflict = read_enum<ConflictKind>(from.getConflict());
  outcome.key = read_optional_key(from.getKey());
  if (from.hasCommitted())
    outcome.committed = std::make_shared<const Record>(read_durable(from.getCommitted()));
  outcome.expected = read_seq(from.getExpected());
  outcome.coordinator_wall_millis =
      read_number(from.getCoordinatorWallMillis(), "the coordinator's wall clock");
  outcome.text = read_text(from.getText(), "text");
  outcome.parked = ConflictId(read_number(from.getParked(), "conflict"));
  outcome.retry_millis = read_duration(from.getRetryMillis(), "time to come back");
  return outcome;
}

}  // namespace waggle::codec
