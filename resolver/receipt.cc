#include "resolver/receipt.h"

#include <string_view>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/value.h"

namespace waggle {

ChainHash hash_of(const Receipt& receipt) {
  CanonicalBytes bytes;
  bytes.text(receipt.key.value());
  bytes.u64(receipt.version.value());
  bytes.u64(receipt.round.value());
  bytes.text(receipt.rule);
  bytes.u64(receipt.inputs.size());
  for (const ReceiptInput& input : receipt.inputs) {
    bytes.text(input.agent.value());
    bytes.u64(input.version.value());
    bytes.u64(input.hlc.bits);
    bytes.u64(input.content.high);
    bytes.u64(input.content.low);
    bytes.u8(input.ancestor ? 2 : input.committed ? 1 : 0);
  }
  bytes.u64(receipt.output.high);
  bytes.u64(receipt.output.low);
  bytes.text({reinterpret_cast<const char*>(receipt.previous.data()), receipt.previous.size()});
  bytes.u64(static_cast<std::uint64_t>(receipt.wall_millis));
  // Votes came later: a receipt without them has the hash that it always had.
  if (receipt.electorate != 0) {
    bytes.u64(receipt.electorate);
    for (const ReceiptInput& input : receipt.inputs) bytes.u64(input.weight);
  }
  return chain_hash(bytes.bytes());
}

ReceiptInput input_of(const AgentId& agent, Revision version, Hlc hlc,
                      const std::optional<Register>& value, bool committed) {
  ReceiptInput input;
  input.agent = agent;
  input.version = version;
  input.hlc = hlc;
  input.committed = committed;
  if (!value) return input;
  input.content = content_hash(*value);
  if (value->bytes.size() <= limits::kReceiptValueBytes) input.value = value;
  return input;
}

ReceiptInput input_of(const Record& standing) {
  std::optional<Register> value;
  if (const auto* reg = standing.live() ? std::get_if<Register>(&*standing.value) : nullptr)
    value = *reg;
  ReceiptInput input = input_of(standing.writer.agent, standing.version, standing.hlc, value, true);
  input.content = standing.content;
  return input;
}

std::string to_hex(const ChainHash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace waggle
