#include "base/record.h"

namespace waggle {

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
  return size;
}

}  // namespace waggle
