#pragma once

// Rows for tests: single ones, loaded states as lines that can be compared and read, and random
// streams of batches as a coordinator or an agent would make them.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/row.h"
#include "capnp/records.h"
#include "memory/commit_store.h"

namespace waggle::test {

inline RecordPtr record_of(Value value, std::uint64_t version) {
  Record record;
  record.content = content_hash(value);
  record.value = std::move(value);
  record.version = Revision(version);
  record.commit_wall_millis = 1'700'000'000'000 + static_cast<std::int64_t>(version);
  record.hlc = Hlc::of(1'700'000'000'000 + version, version % 7);
  record.writer = Writer{AgentId("drone"), Incarnation(9), Seq(version)};
  record.metadata["source"] = "test";
  return std::make_shared<const Record>(std::move(record));
}
inline RecordPtr text_record(std::string text, std::uint64_t version) {
  return record_of(Register{ContentType::kText, std::move(text)}, version);
}
inline RecordPtr tombstone(std::uint64_t version) {
  Record record;
  record.version = Revision(version);
  record.hlc = Hlc::of(1'700'000'000'000, 0);
  record.writer = Writer{AgentId("drone"), Incarnation(9), Seq(version)};
  return std::make_shared<const Record>(std::move(record));
}

inline SwarmRow swarm_row(const std::string& swarm, std::uint64_t head) {
  SwarmRow row;
  row.swarm = SwarmId(swarm);
  row.head = Revision(head);
  return row;
}
inline RecordRow record_row(const std::string& swarm, const std::string& key, RecordPtr record) {
  return RecordRow{SwarmId(swarm), Key(key), std::move(record)};
}
inline WriterRow writer_row(const std::string& swarm, const std::string& agent,
                            std::uint64_t incarnation, std::uint64_t through) {
  WriterRow row;
  row.swarm = SwarmId(swarm);
  row.agent = AgentId(agent);
  row.incarnation = Incarnation(incarnation);
  row.through = Seq(through);
  row.beyond_seen = Revision(through + 1);
  row.used_wall_millis = 1'700'000'000'000;
  return row;
}
inline OutcomeRow outcome_row(const std::string& swarm, const std::string& agent,
                              std::uint64_t incarnation, std::uint64_t seq) {
  Outcome outcome;
  outcome.code = Code::kCommitted;
  outcome.level = Level::kDurable;
  outcome.revision = Revision(seq);
  outcome.changed = true;
  return OutcomeRow{SwarmId(swarm), AgentId(agent), Incarnation(incarnation), Seq(seq), {outcome}};
}
inline ReceiptRow receipt_row(const std::string& swarm, const std::string& key, std::uint64_t at,
                              std::uint32_t index) {
  Receipt receipt;
  receipt.key = Key(key);
  receipt.version = Revision(at);
  receipt.rule = "lww";
  receipt.inputs = {
      {AgentId("a"), Revision(at), Hlc::of(5, 1), Hash128{1, 2}, true, false, 0, {}},
      {AgentId("b"), Revision(at), Hlc::of(6, 0), Hash128{3, 4}, false, false, 0, {}}};
  receipt.output = Hash128{1, 2};
  receipt.previous[0] = static_cast<std::uint8_t>(index);
  receipt.wall_millis = 1'700'000'000'000;
  return ReceiptRow{SwarmId(swarm), Revision(at), index, std::move(receipt)};
}
inline OutboxRow outbox_row(std::uint64_t incarnation, std::uint64_t seq, std::uint64_t order) {
  Mutation mutation;
  mutation.incarnation = Incarnation(incarnation);
  mutation.seq = Seq(seq);
  mutation.hlc = Hlc::of(1'700'000'000'000, seq);
  mutation.entries = {Entry{Key("key"), {}, PutOp{ContentType::kText, std::to_string(seq)}, {}}};
  return OutboxRow{Incarnation(incarnation), Seq(seq), order, std::move(mutation)};
}

inline Batch synced(std::vector<Row> rows) {
  return Batch{std::move(rows), true};
}

// What one commit of a coordinator writes, as on its hot path.
inline Batch commit_batch(const std::string& swarm, std::uint64_t revision,
                          const std::string& text = "value") {
  Batch batch;
  batch.rows.emplace_back(
      record_row(swarm, "key-" + std::to_string(revision), text_record(text, revision)));
  batch.rows.emplace_back(swarm_row(swarm, revision));
  batch.rows.emplace_back(writer_row(swarm, "drone", 9, revision));
  batch.rows.emplace_back(outcome_row(swarm, "drone", 9, revision));
  batch.sync = true;
  return batch;
}

// ---- loaded states as lines --------------------------------------------------------------------

// Equal values give equal lines; the stored form stands for what has no text.
template <typename T>
std::string bytes_of(const T& value) {
  return to_hex(hash128(encode_stored(value)));
}
inline std::string line_of(const RecordPtr& record) {
  return to_text(Cursor{Epoch(), record->version}) + " " + bytes_of(*record);
}

inline std::vector<std::string> lines_of(const CoordinatorState& state) {
  std::vector<std::string> lines;
  lines.push_back("store " + bytes_of(state.store));
  for (const SwarmRow& row : state.swarms)
    lines.push_back("swarm " + row.swarm.value() + " " + bytes_of(row));
  for (const RecordRow& row : state.records)
    lines.push_back("record " + row.swarm.value() + " " + row.key.value() + " " +
                    line_of(row.record));
  for (const WriterRow& row : state.writers)
    lines.push_back("writer " + row.swarm.value() + " " + row.agent.value() + " " + bytes_of(row));
  for (const OutcomeRow& row : state.outcomes)
    lines.push_back("outcome " + row.swarm.value() + " " + row.agent.value() + " " +
                    to_hex(row.incarnation.value()) + " " + std::to_string(row.seq.value()) + " " +
                    bytes_of(row.outcomes));
  return lines;
}
inline std::vector<std::string> lines_of(const AgentState& state) {
  std::vector<std::string> lines;
  lines.push_back("identity " + bytes_of(state.identity));
  lines.push_back("cursor " + to_text(state.cursor));
  for (const ReplicaRow& row : state.replica)
    lines.push_back("replica " + row.key.value() + " " + line_of(row.record));
  for (const OutboxRow& row : state.outbox)
    lines.push_back("outbox " + std::to_string(row.order) + " " + to_hex(row.incarnation.value()) +
                    " " + std::to_string(row.seq.value()) + " " + bytes_of(*row.mutation));
  return lines;
}
inline std::vector<std::string> lines_of(const std::vector<Receipt>& receipts) {
  std::vector<std::string> lines;
  for (const Receipt& receipt : receipts)
    lines.push_back(receipt.key.value() + " " + std::to_string(receipt.version.value()) + " " +
                    bytes_of(receipt));
  return lines;
}

// ---- random streams ----------------------------------------------------------------------------

inline Value random_value(Prng& prng, std::uint64_t version) {
  switch (prng.below(3)) {
    case 0:
      return Register{ContentType::kBytes, std::string(prng.below(300), 'v')};
    case 1:
      return Counter{prng.between(-1000, 1000)};
    default: {
      OrSet set;
      for (std::uint64_t i = 0; i < prng.below(4); ++i)
        set.elements.set("element-" + std::to_string(prng.below(9)),
                         {Dot{Revision(version), static_cast<std::uint32_t>(i),
                              Writer{AgentId("drone"), Incarnation(3), Seq(1 + i)}}});
      return set;
    }
  }
}

// Batches of a coordinator, with rows that fit one another: each swarm's row has the digest of its
// records. The names of the swarms are of several lengths and one begins with another.
class CoordinatorStream {
 public:
  explicit CoordinatorStream(std::uint64_t seed) : prng_(seed) {
    for (const char* name : {"bee", "bees", "a-long-swarm", "z"}) swarms_[name] = {};
  }
  [[nodiscard]] Batch next() {
    Batch batch;
    batch.sync = prng_.chance(3, 4);
    for (std::uint64_t i = 1 + prng_.below(3); i > 0; --i) step(batch.rows);
    return batch;
  }
  [[nodiscard]] std::vector<std::pair<SwarmId, Key>> receipt_keys() const {
    std::vector<std::pair<SwarmId, Key>> keys;
    for (const auto& [name, swarm] : swarms_)
      for (const auto& [key, count] : swarm.receipts) keys.emplace_back(SwarmId(name), Key(key));
    return keys;
  }

 private:
  struct Swarm {
    std::uint64_t head = 0;
    std::map<std::string, RecordPtr> keys;
    std::map<std::string, std::uint32_t> receipts;
    std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> writers;
  };

  void step(std::vector<Row>& rows) {
    auto at = swarms_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(prng_.below(swarms_.size())));
    auto& [name, swarm] = *at;
    switch (prng_.below(10)) {
      case 0:
        return forget(rows, name, swarm);
      case 1:
        return end_writer(rows, name, swarm);
      case 2:
        return confirm(rows, name, swarm);
      case 3:
        return settle(rows, name, swarm);
      case 4:
        rows.emplace_back(StoreRow{Epoch(7), Hlc::of(prng_.below(1'000'000), 0)});
        return;
      default:
        return commit(rows, name, swarm);
    }
  }
  static SwarmRow digested_row(const std::string& name, const Swarm& swarm) {
    SwarmRow row = swarm_row(name, swarm.head);
    row.digest.emplace();
    for (const auto& [key, record] : swarm.keys) *row.digest += digest_part(Key(key), *record);
    return row;
  }
  void commit(std::vector<Row>& rows, const std::string& name, Swarm& swarm) {
    const std::uint64_t revision = ++swarm.head;
    std::map<std::string, bool> keys;
    for (std::uint64_t i = 1 + prng_.below(4); i > 0; --i)
      keys["key-" + std::to_string(prng_.below(60))] = prng_.chance(1, 4);
    for (const auto& [key, dies] : keys) {
      swarm.keys[key] =
          dies ? tombstone(revision) : record_of(random_value(prng_, revision), revision);
      rows.emplace_back(record_row(name, key, swarm.keys[key]));
    }
    rows.emplace_back(digested_row(name, swarm));
    const std::string agent = "agent-" + std::to_string(prng_.below(12));
    const std::uint64_t incarnation = 1 + prng_.below(3);
    const std::uint64_t seq = ++swarm.writers[{agent, incarnation}];
    rows.emplace_back(writer_row(name, agent, incarnation, seq));
    rows.emplace_back(outcome_row(name, agent, incarnation, seq));
  }
  void forget(std::vector<Row>& rows, const std::string& name, Swarm& swarm) {
    if (swarm.keys.empty()) return;
    auto key = swarm.keys.begin();
    std::advance(key, static_cast<std::ptrdiff_t>(prng_.below(swarm.keys.size())));
    rows.emplace_back(ForgetRow{SwarmId(name), Key(key->first), key->second->version});
    swarm.receipts[key->first] = 0;  // a new life of the key counts anew
    swarm.keys.erase(key);
    rows.emplace_back(digested_row(name, swarm));
  }
  void end_writer(std::vector<Row>& rows, const std::string& name, Swarm& swarm) {
    if (swarm.writers.empty()) return;
    auto writer = swarm.writers.begin();
    std::advance(writer, static_cast<std::ptrdiff_t>(prng_.below(swarm.writers.size())));
    WriterRow row = writer_row(name, writer->first.first, writer->first.second, 0);
    row.gone = true;
    rows.emplace_back(std::move(row));
    swarm.writers.erase(writer);
  }
  void confirm(std::vector<Row>& rows, const std::string& name, Swarm& swarm) {
    for (const auto& [writer, through] : swarm.writers) {
      if (!prng_.chance(1, 4)) continue;
      OutcomeRow row = outcome_row(name, writer.first, writer.second, 1 + prng_.below(through));
      row.outcomes.clear();
      rows.emplace_back(std::move(row));
    }
  }
  void settle(std::vector<Row>& rows, const std::string& name, Swarm& swarm) {
    if (swarm.keys.empty()) return;
    commit(rows, name, swarm);
    const std::string& key = swarm.keys.begin()->first;
    rows.emplace_back(receipt_row(name, key, swarm.head, swarm.receipts[key]++));
  }

  Prng prng_;
  std::map<std::string, Swarm> swarms_;
};

// Batches of an agent.
class AgentStream {
 public:
  explicit AgentStream(std::uint64_t seed) : prng_(seed) {}
  [[nodiscard]] Batch next() {
    Batch batch;
    for (std::uint64_t i = 1 + prng_.below(4); i > 0; --i) step(batch);
    return batch;
  }

 private:
  void step(Batch& batch) {
    const std::uint64_t incarnation = 1 + prng_.below(4);
    switch (prng_.below(12)) {
      case 0:
        batch.rows.emplace_back(ReplicaCursorRow{Cursor{Epoch(7), Revision(++revision_)}, false});
        return;
      case 1:
        batch.rows.emplace_back(ReplicaCursorRow{Cursor{Epoch(7), Revision()}, prng_.chance(1, 3)});
        return;
      case 2:
        batch.rows.emplace_back(IdentityRow{SwarmId("bees"), AgentId("drone"), Token{1, 2, 3}});
        return;
      case 3:
      case 4:
        batch.rows.emplace_back(outbox_row(incarnation, ++seq_, 10 - incarnation));
        batch.sync = true;
        return;
      case 5: {
        OutboxRow row = outbox_row(incarnation, 1 + prng_.below(seq_ + 1), 10 - incarnation);
        row.mutation.reset();
        batch.rows.emplace_back(std::move(row));
        return;
      }
      case 6:
        batch.rows.emplace_back(ReplicaRow{key(), nullptr});
        return;
      default:
        ++revision_;
        batch.rows.emplace_back(
            ReplicaRow{key(), record_of(random_value(prng_, revision_), revision_)});
        return;
    }
  }
  Key key() { return Key("key-" + std::to_string(prng_.below(200))); }

  Prng prng_;
  std::uint64_t revision_ = 0;
  std::uint64_t seq_ = 0;
};

}  // namespace waggle::test
