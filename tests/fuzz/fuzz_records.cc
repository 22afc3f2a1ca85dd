// Any bytes through the stored decoders, decode_value() and decode_op(). What decodes must come
// back from its own encoding; a value and an operation must come back from the very same bytes.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "base/op_bytes.h"
#include "base/value_bytes.h"
#include "capnp/records.h"

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

// Only the decoder of the kind that the bytes name: every other one refuses them by that name.
void try_kind(std::string_view bytes) {
  constexpr std::size_t kKindAt = 18;  // behind the segment table, the root pointer and the format
  switch (bytes.size() > kKindAt ? bytes[kKindAt] : 0) {
    case 3:
      return try_stored<waggle::Record>(bytes);
    case 4:
      return try_stored<waggle::StoreRow>(bytes);
    case 5:
      return try_stored<waggle::SwarmRow>(bytes);
    case 6:
      return try_stored<waggle::WriterRow>(bytes);
    case 7:  // a single one, of the store's format 1
    case 12:
      return try_stored<std::vector<waggle::Outcome>>(bytes);
    case 8:
      return try_stored<waggle::Receipt>(bytes);
    case 9:
      return try_stored<waggle::IdentityRow>(bytes);
    case 10:
      return try_stored<waggle::Mutation>(bytes);
    case 11:
      return try_stored<waggle::Cursor>(bytes);
    default:
      return try_stored<waggle::Value>(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const waggle::ValueType type : waggle::kValueTypes) {
    const waggle::Result<waggle::Value> value = waggle::decode_value(type, input);
    if (value) WAGGLE_CHECK(waggle::encode_value(*value) == input);
  }
  const waggle::Result<waggle::Op> op = waggle::decode_op(input);
  if (op) WAGGLE_CHECK(waggle::encode_op(*op) == input);

  try_kind(input);
  // The same with a segment table that fits, so that the fuzzer need not find it.
  std::string fitted(input.substr(0, size - size % 8));
  if (fitted.size() < 8) return 0;
  const std::size_t words = fitted.size() / 8 - 1;
  for (int i = 0; i < 4; ++i) {
    fitted[i] = 0;
    fitted[4 + i] = static_cast<char>(words >> (8 * i));
  }
  try_kind(fitted);
  return 0;
}
