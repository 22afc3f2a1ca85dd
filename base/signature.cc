#include "base/signature.h"

#include <sodium.h>

#include "base/hash.h"

namespace waggle {

std::string bytes_to_sign(const SwarmId& swarm, const Key& key, const Writer& writer,
                          const Register& value, const Metadata& metadata) {
  CanonicalBytes out(128 + key.value().size() + value.bytes.size());
  out.text("waggle-write-1");
  out.text(swarm.value());
  out.text(key.value());
  out.text(writer.agent.value());
  out.u64(writer.incarnation.value());
  out.u64(writer.seq.value());
  out.u8(static_cast<std::uint8_t>(value.content));
  out.text(value.bytes);
  out.u64(metadata.size());
  for (const auto& [name, text] : metadata) {
    out.text(name);
    out.text(text);
  }
  return out.bytes();
}

bool verifies(const SigningKey& key, std::string_view bytes, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     bytes.size(), key.data()) == 0;
}

bool verifies(const SigningKey& key, const SwarmId& swarm, const Key& of, const Record& record) {
  const auto* value = record.live() ? std::get_if<Register>(&*record.value) : nullptr;
  return value != nullptr && record.signature != nullptr &&
         verifies(key, bytes_to_sign(swarm, of, record.writer, *value, record.metadata),
                  *record.signature);
}

}  // namespace waggle
