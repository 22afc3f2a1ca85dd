#include "capnp/records.h"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>
#include <waggle_schema/records.capnp.h>

#include "base/limits.h"
#include "capnp/frame.h"
#include "capnp/parts.h"

namespace waggle {
namespace {

using codec::data_of;
using codec::FrameReader;
using codec::read;
using codec::read_durable;
using codec::text_of;
using codec::write;

// One more than a revision that a writer named, which may be the greatest that is allowed: a row
// that we wrote must not be refused.
Revision read_beyond(std::uint64_t number) {
  return number == limits::kNumberMax + 1 ? Revision(number) : codec::read_revision(number);
}

// fill(Stored builder) writes its one member.
template <typename Fill>
std::string stored(const Fill& fill) {
  return codec::frame_of([&](capnp::MessageBuilder& builder) {
    auto root = builder.initRoot<wire::Stored>();
    root.setFormat(wire::STORED_FORMAT);
    fill(root);
  });
}

// read_one(Stored reader) -> T, called when it holds a member of one of these kinds.
template <typename ReadOne>
auto unstored(std::string_view bytes, std::initializer_list<wire::Stored::Which> kinds,
              const ReadOne& read_one) {
  auto result = codec::unframe(bytes, [&](FrameReader& frame) {
    const auto root = frame.root<wire::Stored>();
    if (root.getFormat() > wire::STORED_FORMAT)
      codec::refuse_unsupported(fmt::format(
          "stored record: this Waggle reads formats up to {}, it has format {}; use the newer one",
          wire::STORED_FORMAT, root.getFormat()));
    if (root.getFormat() != wire::STORED_FORMAT)
      codec::refuse(fmt::format("stored record: expected format {}, got {}", wire::STORED_FORMAT,
                                root.getFormat()));
    if (std::find(kinds.begin(), kinds.end(), root.which()) == kinds.end())
      codec::refuse(fmt::format("stored record: expected kind {}, got {}",
                                static_cast<unsigned>(*kinds.begin()),
                                static_cast<unsigned>(root.which())));
    return read_one(root);
  });
  if (!result && result.error().code != Code::kUnsupported) result.error().code = Code::kCorrupt;
  return result;
}

}  // namespace

std::string encode_stored(const Value& value) {
  return stored([&](wire::Stored::Builder to) { write(to.initValue(), value); });
}

template <>
Result<Value> decode_stored<Value>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::VALUE},
                  [](wire::Stored::Reader from) { return read(from.getValue()); });
}

std::string encode_stored(const Record& record) {
  return stored([&](wire::Stored::Builder to) { write(to.initRecord(), record); });
}

template <>
Result<Record> decode_stored<Record>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::RECORD},
                  [](wire::Stored::Reader from) { return read_durable(from.getRecord()); });
}

std::string encode_stored(const StoreRow& row) {
  return stored([&](wire::Stored::Builder root) {
    auto to = root.initStore();
    to.setEpoch(row.epoch.value());
    to.setHlcBound(row.hlc_bound.bits);
  });
}

template <>
Result<StoreRow> decode_stored<StoreRow>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::STORE}, [](wire::Stored::Reader root) {
    const auto from = root.getStore();
    return StoreRow{.epoch = Epoch(from.getEpoch()), .hlc_bound = {from.getHlcBound()}};
  });
}

std::string encode_stored(const SwarmRow& row) {
  return stored([&](wire::Stored::Builder root) {
    auto to = root.initSwarm();
    to.setSwarm(text_of(row.swarm));
    codec::write_list(row.lineage, [&](unsigned size) { return to.initLineage(size); }, write);
    to.setHead(row.head.value());
    to.setFloor(row.floor.value());
    if (!row.channel.empty()) to.setChannel(text_of(row.channel));
    to.setClientsMark(row.clients_mark.value());
    to.setMembersMark(row.members_mark.value());
    to.setHasDigest(row.digest.has_value());
    if (row.digest) codec::write_hash(to.getDigest(), *row.digest);
    to.setLastConflict(row.last_conflict.value());
    to.setLastToken(row.last_token.value());
  });
}

template <>
Result<SwarmRow> decode_stored<SwarmRow>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::SWARM}, [](wire::Stored::Reader root) {
    const auto from = root.getSwarm();
    return SwarmRow{
        .swarm = codec::read_swarm(from.getSwarm()),
        .lineage = codec::read_lineage(from.getLineage()),
        .head = codec::read_revision(from.getHead()),
        .floor = codec::read_revision(from.getFloor()),
        .channel = codec::read_text(from.getChannel(), "channel"),
        .clients_mark = read_beyond(from.getClientsMark()),
        .members_mark = read_beyond(from.getMembersMark()),
        .digest =
            from.getHasDigest() ? std::optional(codec::read_hash(from.getDigest())) : std::nullopt,
        .last_conflict = ConflictId(codec::read_number(from.getLastConflict(), "conflict")),
        .last_token = FenceToken(codec::read_number(from.getLastToken(), "token"))};
  });
}

std::string encode_stored(const WriterRow& row) {
  return stored([&](wire::Stored::Builder root) {
    auto to = root.initWriter();
    to.setSwarm(text_of(row.swarm));
    to.setAgent(text_of(row.agent));
    to.setIncarnation(row.incarnation.value());
    to.setThrough(row.through.value());
    to.setBeyondSeen(row.beyond_seen.value());
    to.setUsedWallMillis(row.used_wall_millis);
  });
}

template <>
Result<WriterRow> decode_stored<WriterRow>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::WRITER}, [](wire::Stored::Reader root) {
    const auto from = root.getWriter();
    return WriterRow{.swarm = codec::read_swarm(from.getSwarm()),
                     .agent = codec::read_agent(from.getAgent()),
                     .incarnation = Incarnation(from.getIncarnation()),
                     .through = codec::read_seq(from.getThrough()),
                     .beyond_seen = read_beyond(from.getBeyondSeen()),
                     .used_wall_millis = codec::read_wall(from.getUsedWallMillis())};
  });
}

std::string encode_stored(const std::vector<Outcome>& outcomes) {
  return stored([&](wire::Stored::Builder to) {
    codec::write_list(outcomes, [&](unsigned size) { return to.initOutcomes(size); }, write);
  });
}

template <>
Result<std::vector<Outcome>> decode_stored<std::vector<Outcome>>(std::string_view bytes) {
  return unstored(
      bytes, {wire::Stored::OUTCOMES, wire::Stored::OUTCOME}, [](wire::Stored::Reader from) {
        if (from.isOutcome()) return std::vector<Outcome>{read(from.getOutcome())};
        auto outcomes = codec::read_list(from.getOutcomes(), limits::kWindow, "outcomes",
                                         [](wire::Outcome::Reader one) { return read(one); });
        if (outcomes.empty()) codec::refuse("outcomes: expected at least one, got none");
        return outcomes;
      });
}

std::string encode_stored(const Receipt& receipt) {
  return stored([&](wire::Stored::Builder root) { write(root.initReceipt(), receipt); });
}

template <>
Result<Receipt> decode_stored<Receipt>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::RECEIPT},
                  [](wire::Stored::Reader root) { return read(root.getReceipt()); });
}

std::string encode_stored(const ParkedConflict& conflict) {
  return stored([&](wire::Stored::Builder root) { write(root.initConflict(), conflict); });
}

template <>
Result<ParkedConflict> decode_stored<ParkedConflict>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::CONFLICT},
                  [](wire::Stored::Reader root) { return read(root.getConflict()); });
}

std::string encode_stored(const IdentityRow& row) {
  return stored([&](wire::Stored::Builder root) {
    auto to = root.initIdentity();
    to.setSwarm(text_of(row.swarm));
    to.setAgent(text_of(row.agent));
    to.setToken(data_of(row.token));
  });
}

template <>
Result<IdentityRow> decode_stored<IdentityRow>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::IDENTITY}, [](wire::Stored::Reader root) {
    const auto from = root.getIdentity();
    return IdentityRow{.swarm = codec::read_swarm(from.getSwarm()),
                       .agent = codec::read_agent(from.getAgent()),
                       .token = codec::read_array<sizeof(Token)>(from.getToken(), "token")};
  });
}

std::string encode_stored(const Mutation& mutation) {
  return stored([&](wire::Stored::Builder to) { write(to.initMutation(), mutation); });
}

template <>
Result<Mutation> decode_stored<Mutation>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::MUTATION},
                  [](wire::Stored::Reader from) { return read(from.getMutation()); });
}

// Of the whole state as a bare cursor, as it was before there were views: older readers know it.
std::string encode_stored(const HeldState& held) {
  return stored([&](wire::Stored::Builder root) {
    if (held.view == 0) {
      codec::write_cursor(root.initCursor(), held.cursor);
      return;
    }
    auto to = root.initHeld();
    codec::write_cursor(to.initCursor(), held.cursor);
    to.setView(held.view);
  });
}

template <>
Result<HeldState> decode_stored<HeldState>(std::string_view bytes) {
  return unstored(bytes, {wire::Stored::CURSOR, wire::Stored::HELD}, [](wire::Stored::Reader root) {
    if (root.isCursor()) return HeldState{.cursor = codec::read_cursor(root.getCursor())};
    const auto from = root.getHeld();
    return HeldState{.cursor = codec::read_cursor(from.getCursor()), .view = from.getView()};
  });
}

}  // namespace waggle
