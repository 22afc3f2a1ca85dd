// Any bytes through decode(). What decodes must encode to a frame that decodes to the same bytes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "capnp/codec.h"
#include "tests/capnp/filled.h"
#include "tests/fuzz/seeds.h"

namespace {

void try_frame(std::string_view frame) {
  const waggle::Result<waggle::Message> message = waggle::decode(frame);
  if (!message) {
    WAGGLE_CHECK(!message.error().text.empty());
    return;
  }
  WAGGLE_CHECK(waggle::protocol_of(frame) == waggle::kProtocolVersion);
  const std::string encoded = waggle::encode(*message);
  // A frame whose pointers share their targets may say more than fits one that doesn't share.
  if (encoded.size() > waggle::limits::kFrameBytes) return;
  const waggle::Result<waggle::Message> again = waggle::decode(encoded);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(waggle::encode(*again) == encoded);
}

}  // namespace

waggle::testing::Seeds waggle::testing::seeds() {
  Seeds seeds;
  for (const Message& message : filled_messages(1))
    seeds["seed_" + std::string(name_of(message))] = encode(message);
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_frame(input);
  // The same with a segment table that fits, so that the fuzzer need not find it.
  std::string fitted(input.substr(0, size - size % 8));
  if (fitted.size() < 8) return 0;
  const std::size_t words = fitted.size() / 8 - 1;
  for (int i = 0; i < 4; ++i) {
    fitted[i] = 0;
    fitted[4 + i] = static_cast<char>(words >> (8 * i));
  }
  try_frame(fitted);
  return 0;
}
