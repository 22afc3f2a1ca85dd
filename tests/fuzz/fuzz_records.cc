// Any bytes through the stored decoders. What decodes must come back from its own encoding, and
// what it holds of values must keep their invariants.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "capnp/records.h"
#include "tests/capnp/filled.h"
#include "tests/fuzz/seeds.h"

namespace {

void check_values(const waggle::Value& value) {
  waggle::check_invariants(value);
}
void check_values(const waggle::Record& record) {
  if (record.value) waggle::check_invariants(*record.value);
}
void check_values(const waggle::ParkedConflict& conflict) {
  WAGGLE_CHECK(conflict.sides.size() <= waggle::limits::kConflictSides);
}
void check_values(const auto&) {}

template <typename T>
void try_stored(std::string_view bytes) {
  const waggle::Result<T> value = waggle::decode_stored<T>(bytes);
  if (!value) {
    WAGGLE_CHECK(value.error().code == waggle::Code::kCorrupt ||
                 value.error().code == waggle::Code::kUnsupported);
    return;
  }
  check_values(*value);
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
      return try_stored<waggle::HeldState>(bytes);
    case 13:
      return try_stored<waggle::ParkedConflict>(bytes);
    default:
      return try_stored<waggle::Value>(bytes);
  }
}

}  // namespace

waggle::testing::Seeds waggle::testing::seeds() {
  Filler filler(2);
  const Record with_set = filler.make<Record>();
  Seeds seeds;
  seeds["seed_value"] = encode_stored(*with_set.value);
  seeds["seed_record"] = encode_stored(with_set);
  seeds["seed_record_register"] = encode_stored(filler.make<Record>());
  seeds["seed_store"] = encode_stored(filler.make<StoreRow>());
  seeds["seed_swarm"] = encode_stored(filler.make<SwarmRow>());
  seeds["seed_writer"] = encode_stored(filler.make<WriterRow>());
  seeds["seed_outcomes"] =
      encode_stored(std::vector<Outcome>{filler.make<Outcome>(), Filler(3).make<Outcome>()});
  seeds["seed_receipt"] = encode_stored(filler.make<Receipt>());
  seeds["seed_identity"] = encode_stored(filler.make<IdentityRow>());
  seeds["seed_mutation"] = encode_stored(filler.make<Mutation>());
  seeds["seed_cursor"] = encode_stored(HeldState{filler.make<Cursor>(), 0});
  seeds["seed_held"] = encode_stored(HeldState{filler.make<Cursor>(), 7});
  seeds["seed_conflict"] = encode_stored(filler.make<ParkedConflict>());
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
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
