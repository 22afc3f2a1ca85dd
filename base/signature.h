#pragma once

// Signatures of writes (Ed25519, RFC 8032): a register that was put carries who wrote it, in a form
// that the coordinator can't make up. What is signed, in canonical bytes (base/hash.h):
//
//   text "waggle-write-1"   swarm, key, agent   incarnation, seq   content type, bytes
//   how many metadata, then name and text of each, rising
//
// So a signature fits one write of one agent in one swarm, whoever shows it and wherever.
//
// Not signed: when, on which version, in which group. A coordinator may still leave a write out,
// order it otherwise, or show an earlier one for the present.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/record.h"
#include "base/value.h"

namespace waggle {

using SigningKey = std::array<std::uint8_t, 32>;  // public

[[nodiscard]] std::string bytes_to_sign(const SwarmId& swarm, const Key& key, const Writer& writer,
                                        const Register& value, const Metadata& metadata);
[[nodiscard]] bool verifies(const SigningKey& key, std::string_view bytes,
                            const Signature& signature);
// The record is a register that carries a signature, and it is this agent's.
[[nodiscard]] bool verifies(const SigningKey& key, const SwarmId& swarm, const Key& of,
                            const Record& record);

using SignFn = std::function<Signature(std::string_view bytes)>;

}  // namespace waggle
