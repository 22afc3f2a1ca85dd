#include "memory/store_keys.h"

#include <cstddef>

#include "base/check.h"
#include "base/limits.h"

namespace waggle::store_keys {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kKeyMax = 65'535;
static_assert(limits::kIdBytes <= kNameMax && limits::kKeyBytes <= kKeyMax);

template <std::size_t kBytes>
void put_number(std::string& out, std::uint64_t number) {
  for (std::size_t i = kBytes; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
}

void put_name(std::string& out, std::string_view name) {
  WAGGLE_CHECK(name.size() <= kNameMax, "a name of " + std::to_string(name.size()) + " bytes");
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
}

// Takes parts off the front; once one is missing, everything after it is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <std::size_t kBytes>
  std::uint64_t number() {
    std::uint64_t result = 0;
    for (const char byte : take(kBytes)) result = result << 8 | static_cast<unsigned char>(byte);
    return result;
  }
  std::string_view name() { return take(number<1>()); }
  std::string_view key() { return take(number<2>()); }
  std::string_view rest() { return take(rest_.size()); }
  // Every part was there, and nothing is left.
  [[nodiscard]] bool done() const { return whole_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) whole_ = false;
    if (!whole_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  bool whole_ = true;
};

WriterAt take_writer(Reader& reader) {
  WriterAt at;
  at.swarm = SwarmId(reader.name());
  at.agent = AgentId(reader.name());
  at.incarnation = Incarnation(reader.number<8>());
  return at;
}

// The end of everything that begins so and goes on with `tail_max` bytes at most.
Range beginning_with(std::string prefix, std::size_t tail_max) {
  std::string end = prefix + std::string(tail_max + 1, '\xff');
  return {std::move(prefix), std::move(end)};
}

// name(swarm) length(2) key
std::string whole_key(const SwarmId& swarm, const Key& key) {
  WAGGLE_CHECK(key.value().size() <= kKeyMax);
  std::string out;
  put_name(out, swarm.value());
  put_number<2>(out, key.value().size());
  out += key.value();
  return out;
}

}  // namespace

std::string swarm(const SwarmId& swarm) {
  return std::string(kSwarmPrefix) + swarm.value();
}

std::string state(const SwarmId& swarm, const Key& key) {
  std::string out;
  put_name(out, swarm.value());
  out += key.value();
  return out;
}

std::string writer(const WriterAt& at) {
  std::string out;
  put_name(out, at.swarm.value());
  put_name(out, at.agent.value());
  put_number<8>(out, at.incarnation.value());
  return out;
}

std::string outcome(const OutcomeAt& at) {
  std::string out = writer(at.writer);
  put_number<8>(out, at.seq.value());
  return out;
}

std::string receipt(const SwarmId& swarm, const ReceiptPlace& place) {
  std::string out = whole_key(swarm, place.key);
  put_number<8>(out, place.at.value());
  put_number<4>(out, place.index);
  return out;
}

std::string conflict(const ConflictAt& at) {
  std::string out;
  put_name(out, at.swarm.value());
  put_number<8>(out, at.id.value());
  return out;
}

std::string version(const VersionAt& at) {
  std::string out = whole_key(at.swarm, at.key);
  put_number<8>(out, at.version.value());
  return out;
}

std::string outbox(const OutboxAt& at) {
  std::string out;
  put_number<8>(out, at.incarnation.value());
  put_number<8>(out, at.seq.value());
  return out;
}

std::string value(std::string_view space, std::string_view key) {
  std::string out;
  put_name(out, space);
  out += key;
  return out;
}

Range outcomes_of(const WriterAt& at) {
  return beginning_with(writer(at), 8);
}

Range receipts_of(const SwarmId& swarm, const Key& key) {
  return beginning_with(whole_key(swarm, key), 12);
}

Range receipts_of(const SwarmId& swarm) {
  std::string prefix;
  put_name(prefix, swarm.value());
  return beginning_with(std::move(prefix), 2 + limits::kKeyBytes + 12);
}

Range whole_replica() {
  return beginning_with({}, limits::kKeyBytes);
}

Range values_of(std::string_view space, std::string_view prefix) {
  return beginning_with(value(space, prefix), limits::kKeyBytes);
}

std::optional<StateAt> read_state(std::string_view bytes) {
  Reader reader(bytes);
  StateAt at;
  at.swarm = SwarmId(reader.name());
  at.key = Key(reader.rest());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<WriterAt> read_writer(std::string_view bytes) {
  Reader reader(bytes);
  WriterAt at = take_writer(reader);
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<OutcomeAt> read_outcome(std::string_view bytes) {
  Reader reader(bytes);
  OutcomeAt at;
  at.writer = take_writer(reader);
  at.seq = Seq(reader.number<8>());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<ReceiptAt> read_receipt(std::string_view bytes) {
  Reader reader(bytes);
  ReceiptAt at;
  at.swarm = SwarmId(reader.name());
  at.place.key = Key(reader.key());
  at.place.at = Revision(reader.number<8>());
  at.place.index = static_cast<std::uint32_t>(reader.number<4>());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<ConflictAt> read_conflict(std::string_view bytes) {
  Reader reader(bytes);
  ConflictAt at;
  at.swarm = SwarmId(reader.name());
  at.id = ConflictId(reader.number<8>());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<VersionAt> read_version(std::string_view bytes) {
  Reader reader(bytes);
  VersionAt at;
  at.swarm = SwarmId(reader.name());
  at.key = Key(reader.key());
  at.version = Revision(reader.number<8>());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<OutboxAt> read_outbox(std::string_view bytes) {
  Reader reader(bytes);
  OutboxAt at;
  at.incarnation = Incarnation(reader.number<8>());
  at.seq = Seq(reader.number<8>());
  if (!reader.done()) return std::nullopt;
  return at;
}

std::optional<ValueAt> read_value(std::string_view bytes) {
  Reader reader(bytes);
  ValueAt at;
  at.space = reader.name();
  at.key = reader.rest();
  if (!reader.done()) return std::nullopt;
  return at;
}

std::string order(std::uint64_t order) {
  std::string out;
  put_number<kOrderBytes>(out, order);
  return out;
}

std::uint64_t read_order(std::string_view value) {
  WAGGLE_CHECK(value.size() >= kOrderBytes);
  return Reader(value).number<kOrderBytes>();
}

}  // namespace waggle::store_keys
