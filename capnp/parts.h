#pragma once

// The parts that several messages and stored forms share, each as a pair: write(builder, value) and
// read(reader). Inner header of the codec.
//
// read() checks the shape (base/shape.h) and throws a Refusal. write() leaves empty texts and lists
// as null pointers, which read back the same and cost nothing.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <waggle_schema/wire.capnp.h>

#include "base/conflict.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/message.h"
#include "base/mutation.h"
#include "base/receipt.h"
#include "base/record.h"
#include "base/shape.h"
#include "base/status.h"
#include "base/value.h"
#include "capnp/frame.h"

namespace waggle::codec {

// ---- text and bytes ----------------------------------------------------------------------------

// A std::string ends with the zero byte that Cap'n Proto wants.
[[nodiscard]] inline capnp::Text::Reader text_of(const std::string& text) {
  return {text.data(), text.size()};
}
template <typename Tag>
[[nodiscard]] capnp::Text::Reader text_of(const StrongText<Tag>& text) {
  return text_of(text.value());
}
[[nodiscard]] inline capnp::Data::Reader data_of(std::string_view bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline capnp::Data::Reader data_of(std::span<const std::uint8_t> bytes) {
  return {bytes.data(), bytes.size()};
}
[[nodiscard]] inline std::string_view view_of(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}
[[nodiscard]] inline std::string_view view_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

// UTF-8 of any length, at most `max` bytes.
[[nodiscard]] std::string read_text(capnp::Text::Reader text, std::string_view what,
                                    std::size_t max = limits::kFrameBytes);
[[nodiscard]] Key read_key(capnp::Text::Reader text);
[[nodiscard]] Key read_optional_key(capnp::Text::Reader text);
[[nodiscard]] AgentId read_agent(capnp::Text::Reader text);
[[nodiscard]] AgentId read_optional_agent(capnp::Text::Reader text);
[[nodiscard]] SwarmId read_swarm(capnp::Text::Reader text);
[[nodiscard]] Metadata read_metadata(capnp::List<wire::Pair>::Reader list);
[[nodiscard]] std::string read_bytes(capnp::Data::Reader data);  // at most limits::kValueBytes

// Null reads as zeros, any other length than Size is refused.
template <std::size_t Size>
[[nodiscard]] std::array<std::uint8_t, Size> read_array(capnp::Data::Reader data,
                                                        std::string_view what) {
  std::array<std::uint8_t, Size> bytes{};
  if (data.size() == 0) return bytes;
  if (data.size() != Size)
    refuse(fmt::format("{}: expected {} bytes or none, got {}", what, Size, data.size()));
  std::copy(data.begin(), data.end(), bytes.begin());
  return bytes;
}

// ---- numbers -----------------------------------------------------------------------------------

// At most limits::kNumberMax, so that the cores can count on from it.
[[nodiscard]] inline std::uint64_t read_number(std::uint64_t number, std::string_view what) {
  if (number > limits::kNumberMax) [[unlikely]]
    refuse(fmt::format("{}: expected at most 2^62, got {}", what, number));
  return number;
}
[[nodiscard]] inline Revision read_revision(std::uint64_t number) {
  return Revision(read_number(number, "revision"));
}
[[nodiscard]] inline Seq read_seq(std::uint64_t number) {
  return Seq(read_number(number, "seq"));
}
[[nodiscard]] inline BroadcastNo read_broadcast(std::uint64_t number) {
  return BroadcastNo(read_number(number, "broadcast number"));
}
// Milliseconds from 0 on.
[[nodiscard]] inline std::int64_t read_duration(std::int64_t millis, std::string_view what) {
  if (millis < 0 || static_cast<std::uint64_t>(millis) > limits::kNumberMax) [[unlikely]]
    refuse(fmt::format("{}: expected 0..2^62 milliseconds, got {}", what, millis));
  return millis;
}
// Milliseconds since 1970; before it is possible where a clock is wrong.
[[nodiscard]] inline std::int64_t read_wall(std::int64_t millis) {
  constexpr auto kMax = static_cast<std::int64_t>(limits::kNumberMax);
  if (millis < -kMax || millis > kMax) [[unlikely]]
    refuse(fmt::format("wall clock: expected -2^62..2^62 milliseconds, got {}", millis));
  return millis;
}

struct EnumRange {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  std::string_view name;
};
constexpr EnumRange range_of(Code) {
  return {0, 15, "code"};
}
constexpr EnumRange range_of(Level) {
  return {0, 3, "level"};
}
constexpr EnumRange range_of(Reason) {
  return {0, 26, "reason"};
}
constexpr EnumRange range_of(ConflictKind) {
  return {0, 7, "conflict kind"};
}
constexpr EnumRange range_of(ContentType) {
  return {1, 3, "content type"};
}
constexpr EnumRange range_of(Role) {
  return {0, 2, "role"};
}
constexpr EnumRange range_of(Priority) {
  return {0, 2, "priority"};
}
constexpr EnumRange range_of(Health) {
  return {0, 3, "health"};
}
constexpr EnumRange range_of(AnswerKind) {
  return {0, 4, "answer kind"};
}
constexpr EnumRange range_of(RoundOutcome) {
  return {0, 7, "round outcome"};
}
constexpr EnumRange range_of(ClaimVerb) {
  return {0, 3, "claim verb"};
}
static_assert(range_of(Code{}).last == static_cast<std::uint8_t>(Code::kInternal));
static_assert(range_of(Reason{}).last == static_cast<std::uint8_t>(Reason::kRateLimit));

template <typename Enum>
[[nodiscard]] Enum read_enum(std::uint8_t number) {
  constexpr EnumRange kRange = range_of(Enum{});
  if (number < kRange.first || number > kRange.last) [[unlikely]]
    refuse(
        fmt::format("{}: expected {}..{}, got {}", kRange.name, kRange.first, kRange.last, number));
  return static_cast<Enum>(number);
}
template <typename Enum>
[[nodiscard]] constexpr std::uint8_t number_of(Enum value) {
  return static_cast<std::uint8_t>(value);
}

// Hash128 and Cursor are groups of the struct that they stand in.
template <typename Group>
void write_hash(Group group, const Hash128& hash) {
  group.setHigh(hash.high);
  group.setLow(hash.low);
}
template <typename Group>
[[nodiscard]] Hash128 read_hash(Group group) {
  return {group.getHigh(), group.getLow()};
}
template <typename Group>
void write_cursor(Group group, const Cursor& cursor) {
  group.setEpoch(cursor.epoch.value());
  group.setRevision(cursor.revision.value());
}
template <typename Group>
[[nodiscard]] Cursor read_cursor(Group group) {
  return {Epoch(group.getEpoch()), read_revision(group.getRevision())};
}

// ---- lists -------------------------------------------------------------------------------------

template <typename List>
void check_count(const List& list, std::size_t max, std::string_view what) {
  if (list.size() > max) [[unlikely]]
    refuse(fmt::format("{}: expected at most {}, got {}", what, max, list.size()));
}
// read_one(element reader) -> T
template <typename List, typename ReadOne>
[[nodiscard]] auto read_list(const List& list, std::size_t max, std::string_view what,
                             const ReadOne& read_one) {
  check_count(list, max, what);
  std::vector<decltype(read_one(list[0]))> values;
  values.reserve(list.size());
  for (const auto& element : list) values.push_back(read_one(element));
  return values;
}
template <typename Values, typename Init>
using WriteOne = void (*)(decltype(std::declval<const Init&>()(0U)[0]),
                          const typename Values::value_type&);
// init(size) -> List builder; called only where there is something to write. write_one(element
// builder, value) is mostly `write`.
template <typename Values, typename Init>
void write_list(const Values& values, const Init& init,
                std::type_identity_t<WriteOne<Values, Init>> write_one) {
  if (values.empty()) return;
  auto list = init(static_cast<unsigned>(values.size()));
  unsigned at = 0;
  for (const auto& value : values) write_one(list[at++], value);
}
template <typename Texts, typename Init>
void write_texts(const Texts& texts, const Init& init) {
  if (texts.empty()) return;
  capnp::List<capnp::Text>::Builder list = init(static_cast<unsigned>(texts.size()));
  unsigned at = 0;
  for (const auto& text : texts) list.set(at++, text_of(text));
}
template <typename Init>
void write_incarnations(const std::vector<Incarnation>& incarnations, const Init& init) {
  if (incarnations.empty()) return;
  capnp::List<std::uint64_t>::Builder list = init(static_cast<unsigned>(incarnations.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, incarnations[i].value());
}
[[nodiscard]] std::vector<Incarnation> read_incarnations(capnp::List<std::uint64_t>::Reader list);
[[nodiscard]] std::vector<OwnThrough> read_own(capnp::List<wire::OwnThrough>::Reader list,
                                               std::string_view what);
[[nodiscard]] Lineage read_lineage(capnp::List<wire::EpochEnd>::Reader list);

// ---- parts -------------------------------------------------------------------------------------

void write(wire::OwnThrough::Builder to, const OwnThrough& own);
void write(wire::EpochEnd::Builder to, const EpochEnd& end);
void write(wire::Pair::Builder to, const std::pair<const std::string, std::string>& pair);

void write(wire::Value::Builder to, const Value& value);
[[nodiscard]] Value read(wire::Value::Reader from);
void write(wire::RegisterValue::Builder to, const Register& value);
[[nodiscard]] Register read(wire::RegisterValue::Reader from);
void write(wire::Record::Builder to, const Record& record);
[[nodiscard]] Record read(wire::Record::Reader from);
// One that a commit made: no ephemeral one.
[[nodiscard]] Record read_durable(wire::Record::Reader from);
void write(wire::Change::Builder to, const Change& change);
// With `absent` a change without a record is accepted.
enum class Absent : std::uint8_t { kRefused, kAccepted };
[[nodiscard]] Change read(wire::Change::Reader from, Absent absent);
void write(wire::Mutation::Builder to, const Mutation& mutation);
[[nodiscard]] Mutation read(wire::Mutation::Reader from);
void write(wire::Receipt::Builder to, const Receipt& receipt);
[[nodiscard]] Receipt read(wire::Receipt::Reader from);
void write(wire::Conflict::Builder to, const ParkedConflict& conflict);
[[nodiscard]] ParkedConflict read(wire::Conflict::Reader from);
void write(wire::Outcome::Builder to, const Outcome& outcome);
[[nodiscard]] Outcome read(wire::Outcome::Reader from);

}  // namespace waggle::codec
