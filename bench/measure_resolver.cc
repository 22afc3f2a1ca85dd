// The merge engine by itself, in this process, on one core: maps, counters, and a text typed edit
// by edit.

#include <stdexcept>

#include <fmt/format.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/packing.h"
#include "base/prng.h"
#include "base/value_bytes.h"
#include "base/value_delta.h"
#include "bench/rows.h"
#include "bench/trace.h"
#include "resolver/lattice_counters.h"
#include "resolver/lattice_lww_map.h"
#include "resolver/merge_type.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kKeys = 10'000;

template <typename R>
auto must(R result) {
  if (!result) throw std::runtime_error(result.error().text);
  if constexpr (!std::is_void_v<typename R::value_type>) return *std::move(result);
}

std::string key_of(std::size_t i) {
  return fmt::format("key{:05}", i);
}
std::string value_of(std::size_t i) {
  return fmt::format("value-{:015}", i);
}

Row row_of(std::string name, double value, std::string unit, std::string goal, bool reached) {
  Row row{.name = std::move(name), .value = summarise({value}), .unit = std::move(unit)};
  row.goal = std::move(goal);
  if (!row.goal.empty()) row.reached = reached;
  return row;
}

template <typename Work>
double seconds(const Work& work) {
  const double begin = now_micros();
  work();
  return (now_micros() - begin) / 1e6;
}

// ---- states of different stores ----------------------------------------------------------------

void measure_lattice(Run& run) {
  using namespace lattice;
  const ActorId here(0x10001);
  const ActorId there(0x20001);
  const std::size_t writes = run.quick ? 200'000 : 1'000'000;
  const auto at = [](std::size_t i) { return Hlc::of(1'700'000'000'000 + i / 1000, i % 1000); };
  LastWriterMap map;
  std::size_t clock = 0;
  for (; clock < kKeys; ++clock) must(map.assign(here, at(clock), key_of(clock), value_of(clock)));
  LastWriterMap replica = map;
  Prng random(1);
  std::vector<LastWriterMap::Delta> deltas;
  deltas.reserve(writes);
  for (std::size_t i = 0; i < writes; ++i, ++clock)
    deltas.push_back(
        must(map.assign(there, at(clock), key_of(random.below(kKeys)), value_of(clock))));
  const double merge = seconds([&] {
    for (const auto& delta : deltas) must(replica.join(delta));
  });
  if (!(map == replica)) throw std::runtime_error("the replicas differ");
  const double rate = static_cast<double>(writes) / merge;
  run.report.add(row_of("resolver.map.merge", rate, "/s", "at least 2 M/s", rate >= 2e6));

  const auto before = replica.context();
  for (std::size_t i = 0; i < 10; ++i, ++clock)
    must(map.assign(there, at(clock), key_of((clock * 7919) % kKeys), value_of(clock)));
  const std::string sent = must(map.delta_since(before)).encode();
  run.report.add(row_of("resolver.map.delta", static_cast<double>(sent.size()), "B",
                        "10 keys of 10,000 after the overwrites: up to 400 B with text keys",
                        sent.size() <= 400));
  const std::size_t packed = pack(sent).value_or(sent).size();
  run.report.add(row_of("resolver.map.delta.packed", static_cast<double>(packed), "B",
                        "the same as it would travel, packed: up to 300 B", packed <= 300));
  must(replica.join(must(LastWriterMap::Delta::decode(sent))));
  Samples applied;
  for (int round = 0; round < 200; ++round) {
    const auto seen = map.context();
    for (std::size_t i = 0; i < 10; ++i, ++clock)
      must(map.assign(there, at(clock), key_of((clock * 7919) % kKeys), value_of(clock)));
    const std::string delta = must(map.delta_since(seen)).encode();
    applied.push_back(
        seconds([&] { must(replica.join(must(LastWriterMap::Delta::decode(delta)))); }) * 1e6);
  }
  if (!(map == replica)) throw std::runtime_error("the replicas differ after deltas");
  Row apply{.name = "resolver.map.apply", .value = summarise(applied), .unit = "us"};
  apply.goal = "up to 10 us";
  apply.reached = apply.value.median <= 10;
  run.report.add(std::move(apply));
  const std::string bytes = map.encode();
  Samples loads;
  for (int round = 0; round < 20; ++round)
    loads.push_back(seconds([&] { must(LastWriterMap::decode(bytes)); }) * 1e3);
  Row load{.name = "resolver.map.load", .value = summarise(loads), .unit = "ms"};
  load.goal = "up to 5 ms";
  load.reached = load.value.median <= 5;
  run.report.add(std::move(load));

  PnCounter counter;
  std::vector<std::string> increments;
  PnCounter other;
  for (std::size_t i = 0; i < writes; ++i) increments.push_back(must(other.add(there, 1)).encode());
  const double counted = seconds([&] {
    for (const std::string& one : increments) must(counter.join(must(PnCounter::decode(one))));
  });
  const double counts = static_cast<double>(writes) / counted;
  run.report.add(row_of("resolver.counter", counts, "/s", "at least 1 M/s", counts >= 1e6));
}

// ---- committed values --------------------------------------------------------------------------

void measure_committed_map(Run& run) {
  const std::size_t writes = run.quick ? 100'000 : 1'000'000;
  Author author{AgentId("scout"), Incarnation(1), {}, {}, {}, {}};
  Value value = Map{};
  std::uint64_t revision = 0;
  const auto set = [&](std::size_t key) {
    const Dot dot{Revision(++revision), 0, {author.agent, author.incarnation, Seq(revision)}};
    author.seen = Revision(revision - 1);
    author.hlc = Hlc::of(1'700'000'000'000 + revision, 0);
    Verdict verdict =
        merge_op(field_op({key_of(key)}, PutOp{ContentType::kText, value_of(revision)}), &value,
                 {author, dot, {}});
    value = *std::move(verdict.value);
  };
  for (std::size_t key = 0; key < kKeys; ++key) set(key);
  Prng random(1);
  const double taken = seconds([&] {
    for (std::size_t i = 0; i < writes; ++i) set(random.below(kKeys));
  });
  run.report.add(
      row_of("resolver.committed.set", static_cast<double>(writes) / taken, "/s", "", true));
  const Value before = value;
  for (std::size_t i = 0; i < 10; ++i) set(i * 997);
  std::string delta;
  const double made = seconds([&] { delta = encode_delta(before, value).value(); });
  run.report.add(row_of("resolver.committed.delta", static_cast<double>(delta.size()), "B",
                        "10 fields of 10,000 after the overwrites", true));
  run.report.add(row_of("resolver.committed.diff", made * 1e6, "us", "", true));
  const Value held = must(decode_value(ValueType::kMap, encode_value(before)));
  Value after;
  const double applied = seconds([&] { after = must(apply_delta(held, delta)); });
  if (!(after == value)) throw std::runtime_error("the delta gives another map");
  run.report.add(row_of("resolver.committed.apply", applied * 1e6, "us", "", true));
}

// ---- text --------------------------------------------------------------------------------------

// For storing: slower than what travels, and smaller.
std::size_t stored_bytes(const std::string& bytes) {
  constexpr int kLevel = 9;
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  return ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kLevel);
}

void measure_text(Run& run) {
  const Trace trace = run.trace.empty() ? generated_trace() : read_trace(run.trace);
  Sequence text;
  std::uint64_t revision = 0;
  Writer writer{AgentId("author"), Incarnation(1), {}};
  const double taken = seconds([&] {
    for (const Patch& patch : trace.patches) {
      writer.seq = Seq(++revision);
      SequenceEdit edit{patch.at, patch.removed, {}};
      if (!patch.inserted.empty()) edit.inserted = {patch.inserted};
      must(text.edit({edit}, Dot{Revision(revision), 0, writer},
                     {Revision(revision - 1), [](const Dot&) { return false; }}));
    }
  });
  if (text.text() != trace.end) throw std::runtime_error("the trace ends in another text");
  const double rate = static_cast<double>(trace.patches.size()) / taken;
  run.report.add(row_of("resolver.text.edits", rate, "/s", "at least 400,000/s", rate >= 4e5));
  const std::string whole = encode(text);
  const std::size_t stored = stored_bytes(whole);
  run.report.add(row_of("resolver.text.history", static_cast<double>(stored), "B",
                        "with history: up to 160 kB", stored <= 160'000));
  const double load = seconds([&] { must(decode_sequence(whole, limits::kFrameBytes)); });
  run.report.add(row_of("resolver.text.load", load * 1e3, "ms", "", true));
  text.fold(Revision(revision));
  const std::size_t trimmed = stored_bytes(encode(text));
  // The letters of the generated one are drawn at random, so they can't be packed as prose can.
  const std::string goal = run.trace.empty() ? "" : "without: up to 66 kB";
  run.report.add(
      row_of("resolver.text.trimmed", static_cast<double>(trimmed), "B", goal, trimmed <= 66'000));
}

}  // namespace

void measure_resolver(Run& run) {
  if (!run.wanted("resolver")) return;
  run.report.section(
      "the merge engine in memory, on one core",
      "map.*: a last-writer-wins map of 10,000 keys of two stores, merged write by write; the "
      "delta "
      "of ten keys, its application, and loading the whole. counter: increments of another store, "
      "from bytes. committed.*: a committed map of 10,000 fields, written and taken apart. text.*: "
      "a "
      "text typed one edit a commit (generated, or --trace FILE), its bytes with history and "
      "without, packed by zstd at level 9.");
  measure_lattice(run);
  measure_committed_map(run);
  measure_text(run);
}

}  // namespace waggle::bench
