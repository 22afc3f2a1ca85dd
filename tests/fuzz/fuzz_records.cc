// Any bytes through the stored decoders and decode_set(). What decodes must come back from its own
// encoding; a set must come back from the very same bytes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "capnp/records.h"
#include "capnp/set_codec.h"

namespace {

template <typename T>
void try_stored(std::string_view bytes) {
  const waggle::Result<T> value = waggle::decode_stored<T>(bytes);
  if (!value) {
    WAGGLE_CHECK(value.error().code == waggle::Code::kCorrupt ||
                 value.error().code == waggle::Code::kUnsupported);
    return;
  }
  const std::string encoded = waggle::encode_stored(*value);
  if (encoded.size() > waggle::limits::kFrameBytes) return;
  const waggle::Result<T> again = waggle::decode_stored<T>(encoded);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(waggle::encode_stored(*again) == encoded);
}

void try_all(std::string_view bytes) {
  try_stored<waggle::Value>(bytes);
  try_stored<waggle::Record>(bytes);
  try_stored<waggle::StoreRow>(bytes);
  try_stored<waggle::SwarmRow>(bytes);
  try_stored<waggle::WriterRow>(bytes);
  try_stored<waggle::Outcome>(bytes);
  try_stored<waggle::Receipt>(bytes);
  try_stored<waggle::IdentityRow>(bytes);
  try_stored<waggle::Mutation>(bytes);
  try_stored<waggle::Cursor>(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const waggle::Result<waggle::OrSet> set = waggle::decode_set(input);
  if (set) WAGGLE_CHECK(waggle::encode_set(*set) == input);

  try_all(input);
  // The same with a segment table that fits, so that the fuzzer need not find it.
  std::string fitted(input.substr(0, size - size % 8));
  if (fitted.size() < 8) return 0;
  const std::size_t words = fitted.size() / 8 - 1;
  for (int i = 0; i < 4; ++i) {
    fitted[i] = 0;
    fitted[4 + i] = static_cast<char>(words >> (8 * i));
  }
  try_all(fitted);
  return 0;
}
