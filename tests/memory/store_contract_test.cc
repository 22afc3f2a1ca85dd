// What every CommitStore must do, run on the one in memory and the one on disk.

#include <memory>
#include <string>
#include <utility>

#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "memory/memory_store.h"
#include "memory/rocksdb_store.h"
#include "memory/row_table.h"
#include "tests/memory/rows.h"
#include "tests/memory/scratch.h"

namespace waggle::test {
namespace {

constexpr int kStreamBatches = 3000;
constexpr int kReopenEvery = 500;

// Two owners of one store each: how it is opened, and how it is opened again.
class InMemory {
 public:
  explicit InMemory(StoreKind) : store_(std::make_unique<MemoryStore>()) {}
  CommitStore& store() { return *store_; }
  void reopen() { store_ = std::make_unique<MemoryStore>(store_->table()); }
  static Level level() { return Level::kMemory; }

 private:
  std::unique_ptr<MemoryStore> store_;
};

class OnDisk {
 public:
  explicit OnDisk(StoreKind kind) : options_(options_for(scratch_.store(), kind)) {
    store_ = open_store(options_);
  }
  CommitStore& store() { return *store_; }
  void reopen() {
    store_.reset();
    store_ = open_store(options_);
  }
  static Level level() { return Level::kDurable; }

 private:
  Scratch scratch_;
  RocksdbOptions options_;
  std::unique_ptr<RocksdbStore> store_;
};

using Stores = boost::mpl::list<InMemory, OnDisk>;

template <typename Owner>
struct Coordinator : Owner {
  Coordinator() : Owner(StoreKind::kCoordinator) {}
  void commit(std::vector<Row> rows) {
    BOOST_REQUIRE_EQUAL(this->store().commit(synced(std::move(rows))), CommitResult::kDone);
  }
  CoordinatorState load() {
    auto state = this->store().load_coordinator();
    BOOST_REQUIRE_MESSAGE(state.has_value(), state.error().text);
    return std::move(*state);
  }
  std::vector<Receipt> receipts(const std::string& swarm, const std::string& key,
                                std::size_t limit = 100) {
    auto found = this->store().receipts({SwarmId(swarm), Key(key), {}, limit});
    BOOST_REQUIRE_MESSAGE(found.has_value(), found.error().text);
    std::vector<Receipt> receipts;
    for (ReceiptRow& row : *found) receipts.push_back(std::move(row.receipt));
    return receipts;
  }
};

template <typename Owner>
struct Agent : Owner {
  Agent() : Owner(StoreKind::kAgent) {}
  void commit(std::vector<Row> rows, bool sync = true) {
    BOOST_REQUIRE_EQUAL(this->store().commit(Batch{std::move(rows), sync}), CommitResult::kDone);
  }
  AgentState load() {
    auto state = this->store().load_agent();
    BOOST_REQUIRE_MESSAGE(state.has_value(), state.error().text);
    return std::move(*state);
  }
};

template <typename State>
void same_lines(const State& got, const State& expected) {
  const auto a = lines_of(got);
  const auto b = lines_of(expected);
  BOOST_TEST(a == b, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store_contract)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_new_coordinator_store_is_empty, Owner, Stores) {
  Coordinator<Owner> owner;
  same_lines(owner.load(), CoordinatorState{});
  BOOST_TEST((owner.store().level() == Owner::level()));
  BOOST_TEST(owner.store().failure().empty());
  BOOST_TEST(owner.receipts("bees", "key").empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_new_agent_store_is_empty, Owner, Stores) {
  Agent<Owner> owner;
  same_lines(owner.load(), AgentState{});
  BOOST_TEST((owner.load().identity.token == Token{}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_batch_is_done, Owner, Stores) {
  Coordinator<Owner> owner;
  owner.commit({});
  same_lines(owner.load(), CoordinatorState{});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_row_of_a_coordinator_comes_back_as_it_was, Owner, Stores) {
  Coordinator<Owner> owner;
  const StoreRow store{Epoch(11), Hlc::of(1'700'000'000'000, 3)};
  SwarmRow swarm = swarm_row("bees", 8);
  swarm.lineage = {{Epoch(3), Revision(4)}, {Epoch(5), Revision(6)}};
  swarm.floor = Revision(2);
  swarm.channel = "tcp:7001";
  swarm.clients_mark = Revision(5);
  swarm.members_mark = Revision(6);
  const RecordPtr record = text_record("\"full\"", 8);
  swarm.digest = digest_part(Key("nectar"), *record);
  const WriterRow writer = writer_row("bees", "drone", 9, 4);
  OutcomeRow outcome = outcome_row("bees", "drone", 9, 4);
  outcome.outcomes[0].code = Code::kConflict;
  outcome.outcomes[0].conflict = ConflictKind::kConcurrentUpdate;
  outcome.outcomes[0].key = Key("nectar");
  outcome.outcomes[0].committed = text_record("theirs", 7);
  outcome.outcomes[0].text = "somebody else's";
  owner.commit({store, swarm, record_row("bees", "nectar", record), writer, outcome});
  for (int i = 0; i < 2; ++i) {
    const CoordinatorState state = owner.load();
    BOOST_TEST((state.store == store));
    BOOST_REQUIRE_EQUAL(state.swarms.size(), 1U);
    BOOST_TEST((state.swarms[0] == swarm));
    BOOST_REQUIRE_EQUAL(state.records.size(), 1U);
    BOOST_TEST(state.records[0].swarm.value() == "bees");
    BOOST_TEST(state.records[0].key.value() == "nectar");
    BOOST_TEST((*state.records[0].record == *record));
    BOOST_REQUIRE_EQUAL(state.writers.size(), 1U);
    BOOST_TEST((state.writers[0] == writer));
    BOOST_REQUIRE_EQUAL(state.outcomes.size(), 1U);
    BOOST_TEST((state.outcomes[0].agent == AgentId("drone")));
    BOOST_TEST((state.outcomes[0].seq == Seq(4)));
    BOOST_TEST((state.outcomes[0].outcomes == outcome.outcomes));
    owner.reopen();
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_type_of_value_comes_back_as_it_was, Owner, Stores) {
  Coordinator<Owner> owner;
  OrSet set;
  set.elements.set("pollen", {Dot{Revision(1), 0, Writer{AgentId("a"), Incarnation(1), Seq(1)}},
                              Dot{Revision(2), 3, Writer{AgentId("b"), Incarnation(2), Seq(5)}}});
  const std::string any("\0\xff\n", 3);
  const std::vector<RecordPtr> records = {record_of(Register{ContentType::kBytes, any}, 1),
                                          record_of(Counter{-5}, 2), record_of(set, 3),
                                          tombstone(4), record_of(OrSet{}, 5)};
  std::vector<Row> rows;
  for (std::size_t i = 0; i < records.size(); ++i)
    rows.emplace_back(record_row("bees", "key-" + std::to_string(i), records[i]));
  owner.commit(std::move(rows));
  owner.reopen();
  const CoordinatorState state = owner.load();
  BOOST_REQUIRE_EQUAL(state.records.size(), records.size());
  for (std::size_t i = 0; i < records.size(); ++i)
    BOOST_TEST((*state.records[i].record == *records[i]), "value " << i);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(records_load_by_swarm_then_key_whatever_the_length_of_names, Owner,
                              Stores) {
  Coordinator<Owner> owner;
  owner.commit({record_row("z", "b", text_record("1", 1)),
                record_row("z", "a", text_record("1", 1)),
                record_row("bees", "b", text_record("1", 1)),
                record_row("bees", "\xc3\xa4", text_record("1", 1)),
                record_row("bee", "sx", text_record("1", 1)), writer_row("z", "a", 1, 1),
                writer_row("bees", "zz", 1, 1), writer_row("bees", "aaa", 2, 1),
                writer_row("bees", "aaa", 1, 1)});
  std::string order;
  for (const RecordRow& row : owner.load().records)
    order += row.swarm.value() + "/" + row.key.value() + " ";
  BOOST_TEST(order == "bee/sx bees/b bees/\xc3\xa4 z/a z/b ");
  order.clear();
  for (const WriterRow& row : owner.load().writers)
    order += row.swarm.value() + "/" + row.agent.value() + "/" +
             std::to_string(row.incarnation.value()) + " ";
  BOOST_TEST(order == "bees/aaa/1 bees/aaa/2 bees/zz/1 z/a/1 ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_record_of_a_key_is_the_one_that_is_there, Owner, Stores) {
  Coordinator<Owner> owner;
  owner.commit({record_row("bees", "a", text_record("old", 1))});
  owner.commit({record_row("bees", "a", text_record("new", 2))});
  owner.commit({record_row("bees", "a", text_record("amended", 2))});
  const CoordinatorState state = owner.load();
  BOOST_REQUIRE_EQUAL(state.records.size(), 1U);
  BOOST_TEST((*state.records[0].record == *text_record("amended", 2)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(records_that_miss_their_digest_are_reported, Owner, Stores) {
  Coordinator<Owner> owner;
  const RecordPtr record = text_record("1", 1);
  SwarmRow swarm = swarm_row("bees", 1);
  swarm.digest = digest_part(Key("a"), *record);
  owner.commit({record_row("bees", "a", record), swarm});
  BOOST_TEST(owner.load().records.size() == 1U);
  // A commit that forgot its swarm's row: what it wrote is not covered.
  owner.commit({record_row("bees", "b", record)});
  const auto state = owner.store().load_coordinator();
  BOOST_REQUIRE(!state.has_value());
  BOOST_TEST(state.error().code == Code::kCorrupt);
  BOOST_TEST(mentions(state.error(), "swarm 'bees'"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(rows_of_one_batch_apply_in_order, Owner, Stores) {
  Coordinator<Owner> owner;
  WriterRow gone = writer_row("bees", "drone", 1, 0);
  gone.gone = true;
  owner.commit({record_row("bees", "a", text_record("1", 1)),
                record_row("bees", "a", text_record("2", 2)),
                ForgetRow{SwarmId("bees"), Key("a"), Revision(2)},
                record_row("bees", "a", text_record("3", 3)), writer_row("bees", "drone", 1, 1),
                outcome_row("bees", "drone", 1, 1), gone, writer_row("bees", "drone", 1, 2),
                outcome_row("bees", "drone", 1, 2)});
  owner.reopen();
  const CoordinatorState state = owner.load();
  BOOST_REQUIRE_EQUAL(state.records.size(), 1U);
  BOOST_TEST(state.records[0].record->version.value() == 3U);
  BOOST_REQUIRE_EQUAL(state.outcomes.size(), 1U);
  BOOST_TEST(state.outcomes[0].seq.value() == 2U);
  BOOST_TEST(state.writers.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tombstone_is_kept_until_it_is_forgotten, Owner, Stores) {
  Coordinator<Owner> owner;
  owner.commit({record_row("bees", "dead", tombstone(3))});
  BOOST_REQUIRE_EQUAL(owner.load().records.size(), 1U);
  BOOST_TEST(!owner.load().records[0].record->live());
  owner.commit({ForgetRow{SwarmId("bees"), Key("dead"), Revision(3)}});
  BOOST_TEST(owner.load().records.empty());
  owner.reopen();
  BOOST_TEST(owner.load().records.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_writer_goes_with_its_outcomes_and_nobody_elses, Owner, Stores) {
  Coordinator<Owner> owner;
  owner.commit({writer_row("bees", "drone", 9, 2), outcome_row("bees", "drone", 9, 1),
                outcome_row("bees", "drone", 9, 2), outcome_row("bees", "drone", 8, 1),
                outcome_row("bees", "drone", 10, 1), outcome_row("bees", "drones", 9, 1),
                outcome_row("bee", "drone", 9, 1)});
  WriterRow gone = writer_row("bees", "drone", 9, 0);
  gone.gone = true;
  owner.commit({gone});
  owner.reopen();
  BOOST_TEST(owner.load().writers.empty());
  std::string left;
  for (const OutcomeRow& row : owner.load().outcomes)
    left += row.swarm.value() + "/" + row.agent.value() + "/" +
            std::to_string(row.incarnation.value()) + " ";
  BOOST_TEST(left == "bee/drone/9 bees/drone/8 bees/drone/10 bees/drones/9 ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_confirmed_outcome_is_deleted, Owner, Stores) {
  Coordinator<Owner> owner;
  owner.commit({outcome_row("bees", "drone", 9, 1), outcome_row("bees", "drone", 9, 2)});
  OutcomeRow confirmed = outcome_row("bees", "drone", 9, 1);
  confirmed.outcomes.clear();
  owner.commit({confirmed, confirmed});
  BOOST_REQUIRE_EQUAL(owner.load().outcomes.size(), 1U);
  BOOST_TEST(owner.load().outcomes[0].seq.value() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(receipts_come_oldest_first_and_at_most_as_many_as_asked, Owner,
                              Stores) {
  Coordinator<Owner> owner;
  // More than 255 of them: numbers order by value, not by their last byte. The key was forgotten
  // once in between, so its numbers begin anew.
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < 300; ++i) rows.emplace_back(receipt_row("bees", "a", 10 + i, i));
  for (std::uint32_t i = 0; i < 3; ++i) rows.emplace_back(receipt_row("bees", "a", 900 + i, i));
  rows.emplace_back(receipt_row("bees", "ab", 1, 0));
  rows.emplace_back(receipt_row("bee", "a", 1, 0));
  owner.commit(std::move(rows));
  owner.reopen();
  const std::vector<Receipt> all = owner.receipts("bees", "a", 1000);
  BOOST_REQUIRE_EQUAL(all.size(), 303U);
  for (std::uint32_t i = 0; i < 303; ++i)
    BOOST_TEST(all[i].version.value() == (i < 300 ? 10 + i : 600 + i));
  BOOST_TEST((all[4] == receipt_row("bees", "a", 14, 4).receipt));
  BOOST_TEST(owner.receipts("bees", "a", 2).size() == 2U);
  BOOST_TEST(owner.receipts("bees", "a", 0).empty());
  BOOST_TEST(owner.receipts("bees", "ab").size() == 1U);
  BOOST_TEST(owner.receipts("bees", "abc").empty());
}

// "from-to, number": of a key's receipts the versions of first and last.
template <typename Owner>
std::string extent(Coordinator<Owner>& owner, const char* key) {
  const std::vector<Receipt> kept = owner.receipts("bees", key, 10'000);
  if (kept.empty()) return "none";
  return std::to_string(kept.front().version.value()) + "-" +
         std::to_string(kept.back().version.value()) + ", " + std::to_string(kept.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_receipt_may_say_how_many_of_its_key_stay, Owner, Stores) {
  Coordinator<Owner> owner;
  // Beside it in order, and never touched.
  owner.commit({receipt_row("bees", "a", 1, 0), receipt_row("bees", "b\x01", 1, 0),
                receipt_row("bee", "b", 1, 0)});
  for (std::uint32_t i = 0; i < 300; ++i) owner.commit({receipt_row("bees", "b", 10 + i, i)});
  BOOST_TEST(extent(owner, "b") == "10-309, 300");
  ReceiptRow some_go = receipt_row("bees", "b", 310, 300);
  some_go.keep = 256;
  owner.commit({some_go});
  BOOST_TEST(extent(owner, "b") == "55-310, 256");
  owner.reopen();
  BOOST_TEST(extent(owner, "b") == "55-310, 256");
  owner.commit({some_go});  // the same again
  BOOST_TEST(extent(owner, "b") == "55-310, 256");
  BOOST_TEST(extent(owner, "a") == "1-1, 1");
  BOOST_TEST(extent(owner, "b\x01") == "1-1, 1");
  BOOST_TEST(owner.receipts("bee", "b").size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(receipts_of_one_batch_count_as_those_before_it, Owner, Stores) {
  Coordinator<Owner> owner;
  for (std::uint32_t i = 0; i < 5; ++i) owner.commit({receipt_row("bees", "b", 10 + i, i)});
  std::vector<Row> rows;
  for (std::uint32_t i = 5; i < 20; ++i) {
    ReceiptRow row = receipt_row("bees", "b", 10 + i, i);
    if (i == 10 || i == 18) row.keep = 4;
    rows.emplace_back(row);
    rows.emplace_back(receipt_row("bees", "c", 10 + i, i));
  }
  owner.commit(std::move(rows));
  BOOST_TEST(extent(owner, "b") == "25-29, 5");
  BOOST_TEST(extent(owner, "c") == "15-29, 15");
  owner.reopen();
  BOOST_TEST(extent(owner, "b") == "25-29, 5");
}

// It was forgotten and written again, so its numbers begin anew, and are no measure of its age.
BOOST_AUTO_TEST_CASE_TEMPLATE(receipts_of_a_keys_earlier_lives_go_first, Owner, Stores) {
  Coordinator<Owner> owner;
  for (std::uint32_t life = 0; life < 4; ++life) {
    for (std::uint32_t i = 0; i < 30; ++i) {
      ReceiptRow row = receipt_row("bees", "b", 100 * life + i, i);
      if (i == 0) row.keep = 40;
      owner.commit({row});
    }
  }
  BOOST_TEST(extent(owner, "b") == "121-329, 69");
  owner.reopen();
  BOOST_TEST(extent(owner, "b") == "121-329, 69");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_row_of_an_agent_comes_back_as_it_was, Owner, Stores) {
  Agent<Owner> owner;
  const IdentityRow identity{SwarmId("bees"), AgentId("drone"), Token{1, 2, 3, 255}};
  const Cursor cursor{Epoch(11), Revision(8)};
  const OutboxRow outbox = outbox_row(9, 4, 2);
  const RecordPtr record = text_record("nectar", 8);
  owner.commit({identity, outbox, ReplicaRow{Key("a"), record}, ReplicaCursorRow{cursor, false}});
  for (int i = 0; i < 2; ++i) {
    const AgentState state = owner.load();
    BOOST_TEST((state.identity == identity));
    BOOST_TEST((state.cursor == cursor));
    BOOST_REQUIRE_EQUAL(state.replica.size(), 1U);
    BOOST_TEST((*state.replica[0].record == *record));
    BOOST_REQUIRE_EQUAL(state.outbox.size(), 1U);
    BOOST_TEST((state.outbox[0].mutation == outbox.mutation));
    BOOST_TEST(state.outbox[0].order == 2U);
    BOOST_TEST((state.outbox[0].incarnation == Incarnation(9)));
    owner.reopen();
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_outbox_loads_by_order_then_seq, Owner, Stores) {
  Agent<Owner> owner;
  // The later incarnation has the smaller number: only `order` says which is older.
  owner.commit({outbox_row(5, 2, 2), outbox_row(5, 1, 2), outbox_row(77, 300, 1),
                outbox_row(77, 2, 1), outbox_row(77, 1, 1)});
  OutboxRow answered = outbox_row(77, 1, 0);
  answered.mutation.reset();
  owner.commit({answered});
  std::string order;
  for (const OutboxRow& row : owner.load().outbox)
    order += std::to_string(row.order) + "." + std::to_string(row.seq.value()) + " ";
  BOOST_TEST(order == "1.2 1.300 2.1 2.2 ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wipe_voids_only_what_came_before_it, Owner, Stores) {
  Agent<Owner> owner;
  const std::string longest(1024, '\xf4');
  owner.commit({ReplicaRow{Key("a"), text_record("1", 1)},
                ReplicaRow{Key("b"), text_record("1", 1)},
                ReplicaRow{Key(longest), text_record("1", 1)}, outbox_row(9, 1, 1)});
  owner.commit({ReplicaRow{Key("c"), text_record("1", 1)},
                ReplicaCursorRow{Cursor{Epoch(2), Revision(1)}, true},
                ReplicaRow{Key("b"), text_record("2", 2)}},
               false);
  owner.commit({ReplicaRow{Key("d"), text_record("3", 3)},
                ReplicaCursorRow{Cursor{Epoch(2), Revision(3)}, false}},
               false);
  owner.reopen();
  std::string keys;
  for (const ReplicaRow& row : owner.load().replica) keys += row.key.value();
  BOOST_TEST(keys == "bd");
  BOOST_TEST((owner.load().cursor == Cursor{Epoch(2), Revision(3)}));
  BOOST_TEST(owner.load().outbox.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_replica_row_without_a_record_deletes_it, Owner, Stores) {
  Agent<Owner> owner;
  owner.commit({ReplicaRow{Key("a"), text_record("1", 1)}});
  owner.commit({ReplicaRow{Key("a"), nullptr}, ReplicaRow{Key("b"), nullptr}});
  BOOST_TEST(owner.load().replica.empty());
}

// What is written and removed in one batch is as the last row of it says.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_last_row_of_a_batch_counts_for_a_record, Owner, Stores) {
  Coordinator<Owner> owner;
  const auto row = [](const char* swarm, const char* key, const char* text, std::uint64_t version) {
    return RecordRow{SwarmId(swarm), Key(key), text_record(text, version)};
  };
  owner.commit({row("s", "a", "1", 1), row("s", "a", "2", 2), row("t", "a", "3", 3),
                row("s", "b", "4", 4), ForgetRow{SwarmId("s"), Key("b"), Revision(4)},
                ForgetRow{SwarmId("s"), Key("c"), Revision(1)}, row("s", "c", "5", 5)});
  owner.reopen();
  std::string text;
  for (const RecordRow& one : owner.load().records)
    text += one.swarm.value() + "/" + one.key.value() + "=" +
            std::get<Register>(*one.record->value).bytes + " ";
  BOOST_TEST(text == "s/a=2 s/c=5 t/a=3 ");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_random_coordinator_stream_gives_what_the_table_gives, Owner,
                              Stores) {
  Coordinator<Owner> owner;
  CoordinatorStream stream(2024);
  RowTable table;
  for (int i = 1; i <= kStreamBatches; ++i) {
    const Batch batch = stream.next();
    table.apply(batch);
    BOOST_REQUIRE_EQUAL(owner.store().commit(batch), CommitResult::kDone);
    if (i % kReopenEvery != 0) continue;
    owner.reopen();
    const auto expected = table.load_coordinator();
    BOOST_REQUIRE_MESSAGE(expected.has_value(), expected.error().text);
    same_lines(owner.load(), *expected);
  }
  for (const auto& [swarm, key] : stream.receipt_keys()) {
    std::vector<Receipt> expected;
    for (ReceiptRow& row : table.receipts({swarm, key, {}, 50}))
      expected.push_back(std::move(row.receipt));
    same_lines(owner.receipts(swarm.value(), key.value(), 50), expected);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_random_agent_stream_gives_what_the_table_gives, Owner, Stores) {
  Agent<Owner> owner;
  AgentStream stream(4048);
  RowTable table;
  for (int i = 1; i <= kStreamBatches; ++i) {
    const Batch batch = stream.next();
    table.apply(batch);
    BOOST_REQUIRE_EQUAL(owner.store().commit(batch), CommitResult::kDone);
    if (i % kReopenEvery != 0) continue;
    owner.reopen();
    same_lines(owner.load(), table.load_agent());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace waggle::test
