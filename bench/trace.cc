#include "bench/trace.h"

#include <stdexcept>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "base/prng.h"

namespace waggle::bench {
namespace {

// Of a plain file too: the library tells them apart.
std::string read_gzipped(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("the trace '" + path + "' can't be opened");
  std::string all;
  char bytes[1 << 16];
  int size = 0;
  while ((size = gzread(file, bytes, sizeof bytes)) > 0)
    all.append(bytes, static_cast<std::size_t>(size));
  gzclose(file);
  if (size < 0) throw std::runtime_error("the trace '" + path + "' is damaged");
  return all;
}

}  // namespace

Trace generated_trace() {
  constexpr std::size_t kEdits = 260'000;
  Trace trace;
  Prng random(7);
  std::size_t cursor = 0;
  while (trace.patches.size() < kEdits) {
    if (random.chance(1, 14)) cursor = random.below(trace.end.size() + 1);
    const bool erases = random.chance(3, 10);
    for (std::uint64_t run = 1 + random.below(erases ? 12 : 30); run > 0; --run) {
      if (erases) {
        if (cursor == 0) break;
        trace.end.erase(--cursor, 1);
        trace.patches.push_back({cursor, 1, {}});
      } else {
        const char letter = static_cast<char>("etaoinshrdlu ,.\n"[random.below(16)]);
        trace.patches.push_back({cursor, 0, std::string(1, letter)});
        trace.end.insert(cursor++, 1, letter);
      }
    }
  }
  return trace;
}

Trace read_trace(const std::string& path) {
  const auto json = nlohmann::json::parse(read_gzipped(path));
  Trace trace;
  for (const auto& transaction : json.at("txns"))
    for (const auto& patch : transaction.at("patches"))
      trace.patches.push_back({patch.at(0), patch.at(1), patch.at(2)});
  trace.end = json.at("endContent");
  return trace;
}

}  // namespace waggle::bench
