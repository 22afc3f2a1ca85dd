// Rounds and visibility: what travels over legs whose bare cost is measured in the same run. Blocks
// of the bare exchange, of the disk and of Waggle alternate, so that a busy minute of the machine
// meets all of them; the ratio is the median of the blocks' ratios.

#include <array>
#include <memory>

#include <fmt/format.h>

#include "bench/bare.h"
#include "bench/disk.h"
#include "bench/process.h"
#include "bench/rows.h"
#include "bench/swarm.h"
#include "capnp/codec.h"

namespace waggle::bench {
namespace {

constexpr double kGoal = 1.5;

struct Size {
  std::size_t agents = 0;
  std::size_t quick = 0;  // exchanges in a block
  std::size_t full = 0;
};
constexpr std::array<Size, 4> kSizes = {Size{1, 60, 150}, Size{10, 60, 150}, Size{100, 30, 60},
                                        Size{1000, 4, 10}};

// The sizes of Waggle's own frames for such an exchange.
struct Frames {
  std::size_t write, submit_result, update, sync, request, same, offer, offer_result;
};

Frames frames() {
  const std::string value(256, '.');
  const Key key("bench/round");
  const auto big = [](auto id) { return decltype(id)(std::uint64_t{1} << 60); };
  Mutation mutation;
  mutation.incarnation = big(Incarnation());
  mutation.seq = Seq(1);
  mutation.context = {big(Epoch()), Revision(1), {{big(Incarnation()), Seq(1)}}};
  mutation.entries.push_back({key, {}, PutOp{ContentType::kBytes, value}, {}});
  Outcome outcome;
  outcome.code = Code::kCommitted;
  auto record = std::make_shared<Record>();
  record->value = Register{ContentType::kBytes, value};
  record->writer = {AgentId("agent-0"), big(Incarnation()), Seq(1)};
  StateUpdate update;
  update.swarm = SwarmId(kSwarmName);
  update.applied = {{AgentId("agent-0"), big(Incarnation()), Seq(1)}};
  update.changes = {{key, record}};
  SyncRequest sync;
  sync.keys = {key};
  StateRequest request;
  request.swarm = SwarmId(kSwarmName);
  request.keys = {{key, Revision(1), {}}};
  StateResponse offer;
  offer.answers = {{key, AnswerKind::kOffer, {Register{ContentType::kBytes, value}, {}, {}}}};
  OfferResult result;
  result.outcomes = {{key, {}, true, {}}};
  const auto size = [](Message message) { return encode(message).size(); };
  return {size(Submit{{}, {}, {{big(Incarnation()), Seq(1)}}, {mutation}}),
          size(SubmitResult{{}, {}, {{big(Incarnation()), Seq(1), outcome}}}),
          size(update),
          size(sync),
          size(request),
          size(StateResponse{}),
          size(offer),
          size(result)};
}

// One after the other: bare, disk, Waggle.
struct Blocks {
  Samples bare, disk, waggle, ratios;

  void add(const Samples& of_bare, const Samples& of_disk, const Samples& of_waggle) {
    bare.insert(bare.end(), of_bare.begin(), of_bare.end());
    disk.insert(disk.end(), of_disk.begin(), of_disk.end());
    waggle.insert(waggle.end(), of_waggle.begin(), of_waggle.end());
    ratios.push_back(median(of_waggle) / (median(of_bare) + median(of_disk)));
  }
  [[nodiscard]] Row row(std::string name) const {
    const double ratio = median(ratios);
    Row row{.name = std::move(name), .value = summarise(waggle), .unit = "us"};
    row.baseline = median(bare) + median(disk);
    row.ratio = ratio;
    row.goal = fmt::format("at most {}", kGoal);
    row.reached = ratio <= kGoal;
    row.parts.emplace_back("bare legs", with_unit(median(bare), "us"));
    if (!disk.empty()) row.parts.emplace_back("one WAL sync", with_unit(median(disk), "us"));
    return row;
  }
};

class Bench {
 public:
  Bench(Run& run, const Size& size)
      : run_(run),
        agents_(size.agents),
        each_(run.quick ? size.quick : size.full),
        blocks_(run.quick ? 3 : 7),
        disk_(scratch_.path("disk")),
        coordinator_(scratch_.path("store")),
        bare_(size.agents),
        swarm_(coordinator_.endpoint(), size.agents) {}

  Row agreeing() {
    Legs legs = round_legs();
    legs.answer = frames_.same;
    (void)swarm_.rounds(1, true);  // there is a value to agree on
    legs.report = encode(swarm_.report()).size();
    warm_up(legs, [&](std::size_t count) { return swarm_.rounds(count, false); });
    Blocks blocks;
    for (std::size_t i = 0; i < blocks_; ++i)
      blocks.add(bare(legs, each_), {}, swarm_.rounds(each_, false));
    return blocks.row(fmt::format("round.agree.{}", agents_));
  }

  Row conflict() {
    Legs legs = round_legs();
    legs.answer = frames_.offer;
    legs.update = frames_.update;
    legs.result = frames_.offer_result;
    (void)swarm_.rounds(1, true);
    legs.report = encode(swarm_.report()).size();
    warm_up(legs, [&](std::size_t count) { return swarm_.rounds(count, true); });
    Blocks blocks;
    for (std::size_t i = 0; i < blocks_; ++i)
      blocks.add(bare(legs, each_), disk(each_), swarm_.rounds(each_, true));
    return blocks.row(fmt::format("round.conflict.{}", agents_));
  }

  Row visible() {
    Legs legs;
    legs.command = frames_.write;
    legs.update = frames_.update;
    legs.report = frames_.submit_result;
    warm_up(legs, [&](std::size_t count) { return swarm_.writes(count).last; });
    Blocks blocks;
    RealSwarm::Writes all;
    const std::size_t each = 2 * each_;
    for (std::size_t i = 0; i < blocks_; ++i) {
      const Samples of_bare = bare(legs, each);
      const Samples of_disk = disk(each);
      const RealSwarm::Writes writes = swarm_.writes(each);
      blocks.add(of_bare, of_disk, writes.last);
      all.first.insert(all.first.end(), writes.first.begin(), writes.first.end());
      all.acknowledged.insert(all.acknowledged.end(), writes.acknowledged.begin(),
                              writes.acknowledged.end());
    }
    Row row = blocks.row(fmt::format("visible.{}", agents_));
    row.parts.emplace_back("first has it", with_unit(median(all.first), "us"));
    row.parts.emplace_back("writer is told", with_unit(median(all.acknowledged), "us"));
    return row;
  }

 private:
  [[nodiscard]] Legs round_legs() const {
    Legs legs;
    legs.command = frames_.sync;
    legs.request = frames_.request;
    return legs;
  }
  template <typename Waggle>
  void warm_up(const Legs& legs, const Waggle& waggle) {
    (void)bare(legs, each_ / 3 + 1);
    (void)waggle(each_ / 3 + 1);
  }
  Samples bare(const Legs& legs, std::size_t count) {
    Samples samples;
    for (std::size_t i = 0; i < count; ++i) samples.push_back(bare_.exchange(legs));
    return samples;
  }
  Samples disk(std::size_t count) {
    Samples samples;
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 30); ++i)
      samples.push_back(disk_.batch(300));
    return samples;
  }

  Run& run_;
  const std::size_t agents_;
  const std::size_t each_;
  const std::size_t blocks_;
  const Frames frames_ = frames();
  ScratchDirectory scratch_;
  BareDisk disk_;
  Coordinator coordinator_;
  BareSwarm bare_;
  RealSwarm swarm_;
};

}  // namespace

void measure_legs(Run& run) {
  const auto name = [](const char* what, const Size& size) {
    return fmt::format("{}.{}", what, size.agents);
  };
  bool any = false;
  for (const Size& size : kSizes)
    any = any || run.wanted(name("round.agree", size)) ||
          run.wanted(name("round.conflict", size)) || run.wanted(name("visible", size));
  if (!any) return;
  run.report.section(
      "full synchronisation round and visibility of a write, tcp loopback",
      "round.agree.N: ask N agents for one key of 256 B, all answer `same`, nothing is published.\n"
      "  round.conflict.N: each offers another value; lww, one synced commit, published to all, "
      "each "
      "told.\n"
      "  visible.N: one durable write of 256 B until the last of N agents (the writer one of them) "
      "has it.\n"
      "  bare: the same frames over the same legs without logic, and one synced RocksDB batch "
      "where "
      "a commit is made.");
  for (const Size& size : kSizes) {
    const bool agree = run.wanted(name("round.agree", size));
    const bool conflict = run.wanted(name("round.conflict", size));
    const bool visible = run.wanted(name("visible", size));
    if (!agree && !conflict && !visible) continue;
    try {
      Bench bench(run, size);
      if (agree) run.report.add(bench.agreeing());
      if (conflict) run.report.add(bench.conflict());
      if (visible) run.report.add(bench.visible());
    } catch (const std::exception& error) {
      run.report.failure(name("legs", size), error.what());
    }
  }
}

}  // namespace waggle::bench
