#include "base/record.h"

#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/value_delta.h"

namespace waggle {
namespace {

auto plain_parts(const Record& record) {
  return std::tie(record.value, record.version, record.commit_wall_millis, record.hlc,
                  record.writer, record.metadata, record.content, record.receipt, record.receipts,
                  record.ephemeral);
}

}  // namespace

bool operator==(const Record& a, const Record& b) {
  const bool same_choice = a.choice == b.choice || (a.choice && b.choice && *a.choice == *b.choice);
  const bool same_signature =
      a.signature == b.signature || (a.signature && b.signature && *a.signature == *b.signature);
  return same_choice && same_signature && plain_parts(a) == plain_parts(b);
}

bool operator==(const Change& a, const Change& b) {
  return a.key == b.key &&
         (a.record == b.record || (a.record && b.record && *a.record == *b.record));
}

Hash128 digest_part(const Key& key, const Record& record) {
  if (!record.live()) return {};
  CanonicalBytes bytes(key.value().size() + 40);
  bytes.text(key.value());
  bytes.u64(record.version.value());
  bytes.u8(static_cast<std::uint8_t>(type_of(*record.value)));
  bytes.u64(record.content.high);
  bytes.u64(record.content.low);
  return hash128(bytes.bytes());
}

std::size_t wire_size(const Key& key, const Record& record) {
  constexpr std::size_t kFixed = 160;
  std::size_t size = kFixed + key.value().size() + record.writer.agent.value().size();
  if (record.value) size += size_of(*record.value);
  for (const auto& [name, text] : record.metadata) size += 32 + name.size() + text.size();
  if (record.choice) size += 32 + record.choice->rule.size();
  if (record.signature) size += 96;
  return size;
}

std::size_t wire_size(const Change& change) {
  return wire_size(change.key, *change.record) + (change.delta ? change.delta->bytes.size() : 0);
}

Result<Change> completed(const Change& change, const Record* held) {
  if (!change.delta) return change;
  const Delta& delta = *change.delta;
  if (held == nullptr || !held->live() || held->version != delta.from)
    return failed(
        Code::kStale,
        fmt::format("'{}' comes as a change to version {}, version {} is held", change.key.value(),
                    delta.from.value(), held != nullptr ? held->version.value() : 0));
  Result<Value> value = apply_delta(*held->value, delta.bytes);
  if (!value) return failed(Code::kCorrupt, std::move(value.error().text));
  if (content_hash(*value) != change.record->content)
    return failed(Code::kCorrupt,
                  fmt::format("'{}' of version {} does not come out as its content hash says",
                              change.key.value(), change.record->version.value()));
  auto whole = std::make_shared<Record>(*change.record);
  whole->value = *std::move(value);
  return Change{change.key, std::move(whole)};
}

std::optional<Register> register_of(const Record* record) {
  if (record == nullptr || !record->live()) return std::nullopt;
  const auto* value = std::get_if<Register>(&*record->value);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::shared_ptr<const Choice> choice_over(const Record* standing, std::string rule) {
  if (!register_of(standing)) return nullptr;
  return std::make_shared<const Choice>(
      Choice{std::move(rule), standing->version, standing->writer});
}

}  // namespace waggle
