#include "resolver/receipt.h"

#include <string_view>

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
    bytes.u8(input.committed ? 1 : 0);
  }
  bytes.u64(receipt.output.high);
  bytes.u64(receipt.output.low);
  bytes.text({reinterpret_cast<const char*>(receipt.previous.data()), receipt.previous.size()});
  bytes.u64(static_cast<std::uint64_t>(receipt.wall_millis));
  return chain_hash(bytes.bytes());
}

}  // namespace waggle
