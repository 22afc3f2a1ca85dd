// A reader that was away comes back for 10 changed keys of many.

#include <stdexcept>

#include <fmt/format.h>

#include "base/record.h"
#include "bench/peer.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"
#include "capnp/records.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kChanged = 10;
constexpr std::size_t kValueBytes = 1'024;
constexpr double kGoal = 1.2;

struct Pulled {
  double micros = 0;
  double wire = 0;     // frames up and down
  double records = 0;  // the changed records, encoded as they are stored, and their keys
  double values = 0;   // their keys and values alone
};

Pulled pull(Peer& reader, Revision since, RequestId request) {
  Pulled pulled;
  const std::uint64_t before = reader.bytes_in() + reader.bytes_out();
  DeltaRequest ask;
  ask.session = reader.welcome().session;
  ask.cursor = {reader.welcome().epoch, since};
  ask.request = request;
  std::vector<Change> changes;
  const double begin = now_micros();
  for (bool complete = false; !complete;) {
    reader.send(ask);
    const MessagePtr message = reader.receive(5'000);
    const auto* chunk = message ? std::get_if<DeltaChunk>(message.get()) : nullptr;
    if (chunk == nullptr || chunk->reset) throw std::runtime_error("no delta came");
    changes.insert(changes.end(), chunk->changes.begin(), chunk->changes.end());
    complete = chunk->complete;
    ask.cursor.revision = chunk->to;
  }
  pulled.micros = now_micros() - begin;
  pulled.wire = static_cast<double>(reader.bytes_in() + reader.bytes_out() - before);
  if (changes.size() != kChanged)
    throw std::runtime_error(
        fmt::format("{} changes came instead of {}", changes.size(), kChanged));
  for (const Change& change : changes) {
    pulled.records +=
        static_cast<double>(encode_record(*change.record).size() + change.key.value().size());
    pulled.values += static_cast<double>(kValueBytes + change.key.value().size());
  }
  return pulled;
}

}  // namespace

void measure_delta(Run& run) {
  if (!run.wanted("delta")) return;
  run.report.section(
      "delta sync: 10 changed keys of 1 KB",
      "delta.bytes.N: of N keys; what went over the wire, request included, against the changed "
      "records as encoded.\n"
      "  delta.time.N: from the request to the decoded answer. No scan: the same for any N.");
  for (const std::size_t keys : {std::size_t{10'000}, std::size_t{100'000}}) {
    try {
      const ScratchDirectory scratch;
      Coordinator coordinator(scratch.path("store"));
      const ZmqContext context;
      const Revision since = fill(context, coordinator.endpoint(), "k", keys, kValueBytes);
      fill(context, coordinator.endpoint(), "k", kChanged, kValueBytes);
      Peer reader(context, coordinator.endpoint(), "~client-reader");
      Samples times;
      Pulled pulled;
      for (int i = 0; i < (run.quick ? 300 : 1'000); ++i) {
        pulled = pull(reader, since, RequestId(static_cast<std::uint64_t>(i) + 1));
        times.push_back(pulled.micros);
      }
      Row bytes{.name = fmt::format("delta.bytes.{}", keys),
                .value = {pulled.wire, pulled.wire, pulled.wire, 1},
                .unit = "B"};
      bytes.baseline = pulled.records;
      bytes.ratio = pulled.wire / pulled.records;
      bytes.goal = fmt::format("at most {}", kGoal);
      bytes.reached = *bytes.ratio <= kGoal;
      bytes.parts.emplace_back("keys and values alone", with_unit(pulled.values, "B"));
      bytes.parts.emplace_back("ratio to them", fmt::format("{:.2f}", pulled.wire / pulled.values));
      run.report.add(std::move(bytes));
      run.report.add({.name = fmt::format("delta.time.{}", keys),
                      .value = summarise(times),
                      .unit = "us",
                      .goal = "the same for 10 times the keys"});
    } catch (const std::exception& error) {
      run.report.failure(fmt::format("delta.{}", keys), error.what());
    }
  }
}

}  // namespace waggle::bench
