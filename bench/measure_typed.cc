// Typed values through the whole system: an agent writes, the coordinator in its own process
// merges, syncs and publishes, another agent follows.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

#include <fmt/format.h>

#include "base/value.h"
#include "bench/peer.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"
#include "bench/trace.h"
#include "include/lib/agent_runtime.h"

namespace waggle::bench {
namespace {

constexpr std::size_t kUnderWay = 1'024;

// A writer and a reader on one thread. The writer keeps so many writes under way.
class Pair {
 public:
  explicit Pair(const std::string& endpoint) : loop_(std::make_shared<AgentLoop>()) {
    AgentRuntimeOptions options;
    options.coordinator = endpoint;
    options.swarm = SwarmId(kSwarmName);
    options.agent = AgentId("reader");
    reader_ = open(options, [this](const Delivery& delivery) { on_reader(delivery); });
    options.agent = AgentId("writer");
    writer_ = open(options, [this](const Delivery& delivery) { on_writer(delivery); });
    wait([this] { return attached_ == 2; }, "the agents did not join in time");
  }
  ~Pair() {
    reader_.reset();
    writer_.reset();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  // Seconds from the first write until the last is acknowledged as durable and the reader has it.
  double write(std::size_t count, const std::function<Entry(std::size_t)>& make) {
    const double begin = now_micros();
    for (std::size_t i = 0; i < count; ++i) {
      wait([&] { return i - settled_ < kUnderWay; }, "no write was acknowledged in time");
      if (!writer_->post(WriteCommand{writer_->next_request(), {make(i)}}))
        throw std::runtime_error("too many commands wait");
    }
    wait([&] { return settled_ == count && seen_ >= head_; }, "the writes were not over in time");
    const double taken = (now_micros() - begin) / 1e6;
    const std::lock_guard lock(mutex_);
    settled_ = 0;
    return taken;
  }
  [[nodiscard]] RecordPtr read(const std::string& key) {
    RecordPtr record;
    reader_->inspect([&](const Agent& agent) { record = agent.view(Key(key)); });
    return record;
  }

 private:
  std::unique_ptr<AgentRuntime> open(const AgentRuntimeOptions& options, DeliverFn deliver) {
    auto agent = AgentRuntime::open(options, loop_, std::move(deliver));
    if (!agent) throw std::runtime_error(agent.error().text);
    return std::move(*agent);
  }
  template <typename Done>
  void wait(Done done, const char* what) {
    std::unique_lock lock(mutex_);
    const bool in_time = changed_.wait_for(lock, std::chrono::seconds(120),
                                           [&] { return done() || !failure_.empty(); });
    if (!failure_.empty()) throw std::runtime_error(failure_);
    if (!in_time) throw std::runtime_error(what);
  }
  void on_link(const Delivery& delivery) {
    if (std::holds_alternative<CaughtUp>(delivery)) ++attached_;
    if (const auto* failed = std::get_if<CommandFailed>(&delivery)) failure_ = failed->error.text;
  }
  void on_writer(const Delivery& delivery) {
    const std::lock_guard lock(mutex_);
    on_link(delivery);
    if (const auto* settled = std::get_if<WriteSettled>(&delivery)) {
      if (settled->outcome.code != Code::kCommitted || settled->outcome.level != Level::kDurable)
        failure_ = "a write was not durable: " + settled->outcome.text;
      head_ = std::max(head_, settled->outcome.revision);
      ++settled_;
    }
    changed_.notify_one();
  }
  void on_reader(const Delivery& delivery) {
    const std::lock_guard lock(mutex_);
    on_link(delivery);
    if (const auto* moved = std::get_if<StateChanged>(&delivery)) seen_ = moved->to.revision;
    changed_.notify_one();
  }

  std::shared_ptr<AgentLoop> loop_;
  std::unique_ptr<AgentRuntime> reader_;
  std::unique_ptr<AgentRuntime> writer_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t attached_ = 0;
  std::size_t settled_ = 0;
  Revision head_;
  Revision seen_;
  std::string failure_;
};

Row row_of(std::string name, double value, std::string unit) {
  return {.name = std::move(name), .value = summarise({value}), .unit = std::move(unit)};
}

void measure_counter(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  Pair pair(coordinator.endpoint());
  const std::size_t writes = run.quick ? 20'000 : 100'000;
  const double taken =
      pair.write(writes, [](std::size_t) { return Entry{Key("n"), {}, IncrOp{1}, {}}; });
  const RecordPtr total = pair.read("n");
  if (!total || std::get<Counter>(*total->value).total != static_cast<std::int64_t>(writes))
    throw std::runtime_error("the counter is wrong");
  run.report.add(row_of("typed.counter", static_cast<double>(writes) / taken, "/s"));
}

// A map that others read: of a thousand fields, one is written at a time.
void measure_map(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  Pair pair(coordinator.endpoint());
  const auto set = [](std::size_t i) {
    return Entry{Key("m"),
                 {},
                 field_op({fmt::format("key{:05}", i % 1'000)},
                          PutOp{ContentType::kText, fmt::format("value-{:015}", i)}),
                 {}};
  };
  pair.write(1'000, set);
  const std::size_t writes = run.quick ? 2'000 : 10'000;
  const double taken = pair.write(writes, set);
  const RecordPtr map = pair.read("m");
  if (!map || count_of(*map->value) != 1'000) throw std::runtime_error("the map is wrong");
  run.report.add(row_of("typed.map", static_cast<double>(writes) / taken, "/s"));
}

void measure_text(Run& run) {
  const Trace trace = run.trace.empty() ? generated_trace() : read_trace(run.trace);
  const std::size_t edits = std::min<std::size_t>(trace.patches.size(), run.quick ? 5'000 : 30'000);
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  Pair pair(coordinator.endpoint());
  std::string expected;  // in bytes, as the traces are ASCII
  for (std::size_t i = 0; i < edits; ++i) {
    const Patch& patch = trace.patches[i];
    expected.replace(patch.at, patch.removed, patch.inserted);
  }
  const double taken = pair.write(edits, [&](std::size_t i) {
    const Patch& patch = trace.patches[i];
    EditOp op{{{.at = patch.at, .removed = patch.removed, .inserted = {}}}, ValueType::kText};
    if (!patch.inserted.empty()) op.edits.front().inserted = {patch.inserted};
    return Entry{Key("t"), {}, std::move(op), {}};
  });
  const RecordPtr text = pair.read("t");
  if (!text || std::get<Text>(*text->value).sequence.text() != expected)
    throw std::runtime_error("the reader has another text");
  run.report.add(row_of("typed.text", static_cast<double>(edits) / taken, "/s"));
}

// Ten small keys of 10,000, again and again overwritten.
void measure_delta_of_small_keys(Run& run) {
  const ScratchDirectory scratch;
  Coordinator coordinator(scratch.path("store"));
  const ZmqContext context;
  constexpr std::size_t kValueBytes = 21;
  Revision since = fill(context, coordinator.endpoint(), "k", 10'000, kValueBytes);
  for (int i = 0; i < (run.quick ? 1 : 10); ++i)
    since = fill(context, coordinator.endpoint(), "k", 10'000, kValueBytes);
  fill(context, coordinator.endpoint(), "k", 10, kValueBytes);
  Peer reader(context, coordinator.endpoint(), "~client-reader");
  const std::uint64_t before = reader.bytes_in();
  DeltaRequest ask;
  ask.session = reader.welcome().session;
  ask.cursor = {reader.welcome().epoch, since};
  ask.request = RequestId(1);
  const double begin = now_micros();
  reader.send(ask);
  const MessagePtr message = reader.receive(5'000);
  const double micros = now_micros() - begin;
  const auto* chunk = message ? std::get_if<DeltaChunk>(message.get()) : nullptr;
  if (chunk == nullptr || chunk->changes.size() != 10) throw std::runtime_error("no delta came");
  Row row = row_of("typed.delta", static_cast<double>(reader.bytes_in() - before), "B");
  row.parts.emplace_back("request to decoded answer", with_unit(micros, "us"));
  run.report.add(std::move(row));
}

}  // namespace

void measure_typed(Run& run) {
  if (!run.wanted("typed")) return;
  run.report.section(
      "typed values through the whole system",
      "counter, map, text: writes a second of one agent, each its own commit, until all are "
      "durable "
      "and another agent has them. A typed value is written whole to the disk with each batch. "
      "delta: the frame of ten changed small keys of 10,000.");
  for (const auto& [name, measure] :
       {std::pair{"typed.counter", &measure_counter}, std::pair{"typed.map", &measure_map},
        std::pair{"typed.text", &measure_text},
        std::pair{"typed.delta", &measure_delta_of_small_keys}}) {
    if (!run.wanted(name)) continue;
    try {
      measure(run);
    } catch (const std::exception& error) {
      run.report.failure(name, error.what());
    }
  }
}

}  // namespace waggle::bench
