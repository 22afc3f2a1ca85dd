#pragma once

// The seeds of the fuzz targets by file name: one of each message and of each stored form.

#include <map>
#include <string>

#include "base/value_bytes.h"
#include "capnp/codec.h"
#include "capnp/records.h"
#include "tests/capnp/filled.h"

namespace waggle::testing {

using Seeds = std::map<std::string, std::string>;

[[nodiscard]] inline Seeds codec_seeds() {
  Seeds seeds;
  for (const Message& message : filled_messages(1))
    seeds["seed_" + std::string(name_of(message))] = encode(message);
  return seeds;
}

[[nodiscard]] inline Seeds record_seeds() {
  Filler filler(2);
  const Record with_set = filler.make<Record>();
  Seeds seeds;
  seeds["seed_set"] = encode_value(*with_set.value);
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
  seeds["seed_cursor"] = encode_stored(filler.make<Cursor>());
  return seeds;
}

}  // namespace waggle::testing
