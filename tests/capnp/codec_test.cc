#include "capnp/codec.h"

#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "tests/capnp/filled.h"

namespace waggle {
namespace {

using testing::bare_messages;
using testing::filled_messages;
using testing::Filler;

// Shows the reason where it fails.
bool decodes(const Message& message) {
  const Result<Message> decoded = decode(encode(message));
  if (!decoded) BOOST_TEST_MESSAGE(decoded.error().text);
  return decoded.has_value();
}

bool refused(const Message& message, std::string_view part_of_text) {
  const Result<Message> decoded = decode(encode(message));
  if (decoded) return false;
  BOOST_TEST_INFO(decoded.error().text);
  BOOST_CHECK(decoded.error().code == Code::kRejected);
  BOOST_CHECK(decoded.error().text.find(part_of_text) != std::string::npos);
  return true;
}

Mutation put(std::uint64_t seq, std::string key, std::string bytes) {
  return {.incarnation = Incarnation(1),
          .seq = Seq(seq),
          .context = {},
          .hlc = {},
          .entries = {{Key(std::move(key)), {}, PutOp{ContentType::kBytes, std::move(bytes)}, {}}}};
}
Submit submit_of(Mutation mutation) {
  Submit submit;
  submit.mutations.push_back(std::move(mutation));
  return submit;
}
Submit submit_of(Op op) {
  Mutation mutation = put(1, "k", "");
  mutation.entries[0].op = std::move(op);
  return submit_of(std::move(mutation));
}
StateUpdate update_of(Record record) {
  StateUpdate update;
  update.swarm = SwarmId("s");
  update.changes.push_back({Key("k"), std::make_shared<const Record>(std::move(record))});
  return update;
}

// A message with one field set.
template <typename T, typename Field>
T with(Field T::* field, std::type_identity_t<Field> value) {
  T message{};
  message.*field = std::move(value);
  return message;
}
Hello hello_of(std::string swarm, std::string agent) {
  Hello hello;
  hello.swarm = SwarmId(std::move(swarm));
  hello.agent = AgentId(std::move(agent));
  return hello;
}
ListQuery list_of(std::string glob, std::string after) {
  return {.glob = std::move(glob), .after = Key(std::move(after)), .limit = 0, .at_least = {}};
}

BOOST_AUTO_TEST_SUITE(codec_test)

BOOST_AUTO_TEST_CASE(every_message_with_all_fields_set_comes_back_the_same) {
  for (std::uint64_t turn = 0; turn < 12; ++turn) {
    for (const Message& message : filled_messages(turn)) {
      BOOST_TEST_CONTEXT(name_of(message) << ", turn " << turn) {
        const Result<Message> decoded = decode(encode(message));
        BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
        BOOST_CHECK(testing::same(*decoded, message));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_message_with_default_fields_comes_back_the_same) {
  for (const Message& message : bare_messages()) {
    BOOST_TEST_CONTEXT(name_of(message)) {
      const Result<Message> decoded = decode(encode(message));
      BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
      BOOST_CHECK(testing::same(*decoded, message));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_comparison_of_these_tests_sees_a_changed_field) {
  const Message message = Filler(0).make<SyncReport>();
  Message other = message;
  BOOST_CHECK(testing::same(message, other));
  std::get<SyncReport>(other).keys[2].differs += 1;
  BOOST_CHECK(!testing::same(message, other));
  const Message update = Filler(0).make<StateUpdate>();
  Message with_copied_record = update;
  Change& change = std::get<StateUpdate>(with_copied_record).changes[1];
  Record record = *change.record;
  change.record = std::make_shared<const Record>(record);
  BOOST_CHECK(testing::same(update, with_copied_record));
  record.receipt[31] ^= 1;
  change.record = std::make_shared<const Record>(record);
  BOOST_CHECK(!testing::same(update, with_copied_record));
}

BOOST_AUTO_TEST_CASE(the_tag_on_the_wire_is_the_place_in_message) {
  std::size_t place = 0;
  for (const Message& message : bare_messages()) {
    const std::string frame = encode(message);
    std::uint16_t tag = 0;
    std::memcpy(&tag, frame.data() + 22, sizeof tag);
    BOOST_CHECK_EQUAL(tag, place++);
  }
}

// DO NOT CHANGE: the example of capnp/wire.capnp.
BOOST_AUTO_TEST_CASE(the_example_of_the_schema_is_what_is_written) {
  constexpr unsigned char kExample[] = {0,    0,    0,    0,    4, 0, 0, 0,  //
                                        0,    0,    0,    0,    1, 0, 1, 0,  //
                                        0x57, 0x61, 0x67, 0x6c, 1, 0, 6, 0,  //
                                        0,    0,    0,    0,    1, 0, 0, 0,  //
                                        7,    0,    0,    0,    0, 0, 0, 0};
  const std::string frame = encode(Bye{SessionId(7)});
  BOOST_CHECK(frame == std::string(reinterpret_cast<const char*>(kExample), sizeof kExample));
}

BOOST_AUTO_TEST_CASE(equal_messages_give_equal_frames_whatever_was_built_before) {
  const Message message = Filler(3).make<StateUpdate>();
  const std::string first = encode(message);
  (void)encode(submit_of(put(1, "k", std::string(limits::kValueBytes, 'x'))));
  for (const Message& other : filled_messages(1)) (void)encode(other);
  BOOST_CHECK(encode(message) == first);
}

BOOST_AUTO_TEST_CASE(a_message_larger_than_the_scratch_is_still_one_segment) {
  Submit submit;
  for (std::uint64_t seq = 1; seq <= 64; ++seq)
    submit.mutations.push_back(put(seq, "key", std::string(7'000, 'x')));
  for (int again = 0; again < 3; ++again) {
    const std::string frame = encode(submit);
    BOOST_CHECK_EQUAL(frame.substr(0, 4), std::string(4, '\0'));
    const Result<Message> decoded = decode(frame);
    BOOST_REQUIRE(decoded);
    BOOST_CHECK(testing::same(*decoded, Message(submit)));
  }
}

BOOST_AUTO_TEST_CASE(an_absent_key_travels_only_in_the_answer_to_a_question) {
  QueryResult result;
  result.changes.push_back({Key("k"), nullptr});
  BOOST_CHECK(decodes(result));
  StateUpdate update;
  update.swarm = SwarmId("s");
  update.changes.push_back({Key("k"), nullptr});
  BOOST_CHECK(refused(update, "expected a record"));
  DeltaChunk chunk;
  chunk.changes.push_back({Key("k"), nullptr});
  BOOST_CHECK(refused(chunk, "expected a record"));
}

BOOST_AUTO_TEST_CASE(keys_and_ids_are_held_to_their_limits) {
  BOOST_CHECK(decodes(submit_of(put(1, std::string(limits::kKeyBytes, 'k'), ""))));
  BOOST_CHECK(refused(submit_of(put(1, std::string(limits::kKeyBytes + 1, 'k'), "")), "1..1024"));
  BOOST_CHECK(refused(submit_of(put(1, "", "")), "key: expected 1..1024"));
  BOOST_CHECK(refused(submit_of(put(1, "\xff", "")), "UTF-8"));

  const Hello hello =
      hello_of(std::string(limits::kIdBytes, 's'), std::string(limits::kIdBytes, 'a'));
  BOOST_CHECK(decodes(hello));
  for (const std::string& wrong :
       {std::string(limits::kIdBytes + 1, 'a'), std::string(), std::string("a b"),
        std::string("a/b"), std::string("\xc0\x80"), std::string("a\0b", 3), std::string("a\nb")}) {
    Hello other = hello;
    other.agent = AgentId(wrong);
    BOOST_CHECK(refused(other, "agent id"));
    other = hello;
    other.swarm = SwarmId(wrong);
    BOOST_CHECK(refused(other, "swarm id"));
  }

  Query query;
  query.ask = list_of(std::string(limits::kKeyBytes, '*'), "");
  BOOST_CHECK(decodes(query));
  query.ask = list_of(std::string(limits::kKeyBytes + 1, '*'), "");
  BOOST_CHECK(refused(query, "glob"));
  query.ask = list_of("\xff", "");
  BOOST_CHECK(refused(query, "UTF-8"));
  query.ask = list_of("", std::string(limits::kKeyBytes + 1, 'k'));
  BOOST_CHECK(refused(query, "key"));
  query.ask = GetQuery{.keys = {Key()}, .at_least = {}};
  BOOST_CHECK(refused(query, "key"));

  DeltaRequest request;
  request.prefix = std::string(limits::kKeyBytes + 1, 'p');
  BOOST_CHECK(refused(request, "prefix"));
}

BOOST_AUTO_TEST_CASE(texts_that_are_not_utf8_are_refused) {
  BOOST_CHECK(refused(with(&Refused::text, "\xed\xa0\x80"), "UTF-8"));
  BOOST_CHECK(refused(with(&Fenced::text, "\x80"), "UTF-8"));
  BOOST_CHECK(refused(with(&ErrorReply::text, "\xf4\x90\x80\x80"), "UTF-8"));
  BOOST_CHECK(refused(with(&Welcome::channel, "\xff"), "channel"));
  QueryResult result;
  result.counters.push_back({"\xff", 1});
  BOOST_CHECK(refused(result, "counter"));
}

BOOST_AUTO_TEST_CASE(values_are_held_to_their_limits_and_may_hold_any_bytes) {
  const std::string any("\0\xff\xfe\x80", 4);
  BOOST_CHECK(decodes(submit_of(put(1, "k", any))));
  BOOST_CHECK(decodes(submit_of(put(1, "k", std::string(limits::kValueBytes, '\xff')))));
  BOOST_CHECK(refused(submit_of(put(1, "k", std::string(limits::kValueBytes + 1, 'x'))), "value"));

  Record record;
  record.value = Register{ContentType::kBytes, std::string(limits::kValueBytes, '\xff')};
  BOOST_CHECK(decodes(update_of(record)));
  record.value = Register{ContentType::kBytes, std::string(limits::kValueBytes + 1, 'x')};
  BOOST_CHECK(refused(update_of(record), "value"));

  StateResponse response;
  response.answers.push_back({Key("k"), AnswerKind::kOffer, {}});
  std::string& offered = response.answers[0].offer.value.bytes;
  offered.assign(limits::kValueBytes, 'x');
  BOOST_CHECK(decodes(response));
  offered.push_back('x');
  BOOST_CHECK(refused(response, "value"));
}

BOOST_AUTO_TEST_CASE(elements_are_sorted_unique_and_within_their_limits) {
  const std::string longest(limits::kElementBytes, '\xff');
  BOOST_CHECK(decodes(submit_of(SetAddOp{{std::string("\0", 1), "a", longest}})));
  BOOST_CHECK(decodes(submit_of(SetRemoveOp{{"a", "b"}})));
  BOOST_CHECK(refused(submit_of(SetAddOp{{}}), "at least one"));
  BOOST_CHECK(refused(submit_of(SetAddOp{{"b", "a"}}), "sorted"));
  BOOST_CHECK(refused(submit_of(SetRemoveOp{{"a", "a"}}), "sorted"));
  BOOST_CHECK(refused(submit_of(SetAddOp{{""}}), "element"));
  BOOST_CHECK(refused(submit_of(SetAddOp{{longest + "x"}}), "element"));
}

BOOST_AUTO_TEST_CASE(metadata_is_held_to_its_limit) {
  Mutation mutation = put(1, "k", "v");
  Metadata& metadata = mutation.entries[0].metadata;
  metadata["name"] = std::string(limits::kMetadataBytes - 4, 'x');
  BOOST_CHECK(decodes(submit_of(mutation)));
  metadata["name"].push_back('x');
  BOOST_CHECK(refused(submit_of(mutation), "metadata"));
  metadata = {{"", "x"}};
  BOOST_CHECK(refused(submit_of(mutation), "metadata"));
  metadata = {{"name", "\xff"}};
  BOOST_CHECK(refused(submit_of(mutation), "UTF-8"));

  Record record;
  record.metadata = {{"n", std::string(limits::kMetadataBytes, 'x')}};
  BOOST_CHECK(refused(update_of(record), "metadata"));
}

BOOST_AUTO_TEST_CASE(a_group_is_held_to_its_limits) {
  const auto group = [](std::size_t entries, std::size_t bytes) {
    Mutation mutation = put(1, "unused", "");
    mutation.entries.clear();
    for (std::size_t i = 0; i < entries; ++i)
      mutation.entries.push_back({Key(std::to_string(1000 + i)),
                                  {},
                                  PutOp{ContentType::kText, std::string(bytes, 'x')},
                                  {}});
    return mutation;
  };
  BOOST_CHECK(decodes(submit_of(group(limits::kGroupEntries, 1))));
  BOOST_CHECK(refused(submit_of(group(limits::kGroupEntries + 1, 1)), "group"));
  BOOST_CHECK(refused(submit_of(group(0, 0)), "entry"));
  // Keys of four bytes.
  BOOST_CHECK(decodes(submit_of(group(2, limits::kGroupBytes / 2 - 4))));
  BOOST_CHECK(refused(submit_of(group(2, limits::kGroupBytes / 2 - 3)), "group"));

  Mutation twice = group(2, 1);
  twice.entries[1].key = twice.entries[0].key;
  BOOST_CHECK(refused(submit_of(twice), "one entry a key"));

  Mutation with_clear = group(2, 1);
  with_clear.entries[1].op = ClearOp{};
  with_clear.entries[1].key = Key();
  BOOST_CHECK(refused(submit_of(with_clear), "clear"));
  with_clear.entries.erase(with_clear.entries.begin());
  BOOST_CHECK(decodes(submit_of(with_clear)));
  with_clear.entries[0].key = Key("k");
  BOOST_CHECK(refused(submit_of(with_clear), "clear"));
}

BOOST_AUTO_TEST_CASE(lists_are_held_to_their_limits) {
  Submit submit;
  for (std::uint64_t seq = 1; seq <= limits::kWindow; ++seq)
    submit.mutations.push_back(put(seq, "k", ""));
  BOOST_CHECK(decodes(submit));
  submit.mutations.push_back(put(limits::kWindow + 1, "k", ""));
  BOOST_CHECK(refused(submit, "mutations"));

  submit.mutations.clear();
  submit.confirmed.resize(limits::kOwnThrough);
  BOOST_CHECK(decodes(submit));
  submit.confirmed.emplace_back();
  BOOST_CHECK(refused(submit, "confirmed"));

  Mutation mutation = put(1, "k", "");
  mutation.context.own_through.resize(limits::kOwnThrough + 1);
  BOOST_CHECK(refused(submit_of(mutation), "own_through"));

  Hello hello = hello_of("s", "a");
  hello.incarnations.resize(limits::kOwnThrough);
  BOOST_CHECK(decodes(hello));
  hello.incarnations.emplace_back();
  BOOST_CHECK(refused(hello, "incarnations"));

  SyncRequest sync;
  sync.keys.assign(limits::kRoundKeys, Key("k"));
  BOOST_CHECK(decodes(sync));
  sync.keys.emplace_back("k");
  BOOST_CHECK(refused(sync, "keys"));

  StateRequest request;
  request.swarm = SwarmId("s");
  request.keys.assign(limits::kRoundKeys, {Key("k"), {}, {}});
  BOOST_CHECK(decodes(request));
  request.keys.push_back({Key("k"), {}, {}});
  BOOST_CHECK(refused(request, "keys"));
  request.keys.resize(1);
  request.all = true;
  BOOST_CHECK(refused(request, "all"));
  request.keys.clear();
  BOOST_CHECK(decodes(request));

  StateResponse response;
  response.answers.assign(limits::kOffersPerAgent, {Key("k"), AnswerKind::kSame, {}});
  BOOST_CHECK(decodes(response));
  response.answers.push_back({Key("k"), AnswerKind::kSame, {}});
  BOOST_CHECK(refused(response, "answers"));

  QueryResult result;
  result.swarms.assign(limits::kSwarms, with(&SwarmInfo::swarm, SwarmId("s")));
  BOOST_CHECK(decodes(result));
  result.swarms.push_back(result.swarms.front());
  BOOST_CHECK(refused(result, "swarms"));
  result.swarms.clear();
  result.counters.resize(kListElements);
  BOOST_CHECK(decodes(result));
  result.counters.emplace_back();
  BOOST_CHECK(refused(result, "counters"));
}

BOOST_AUTO_TEST_CASE(mutations_of_a_submit_are_of_one_incarnation_and_rise) {
  Submit submit;
  submit.mutations = {put(3, "k", ""), put(4, "k", ""), put(9, "k", "")};
  BOOST_CHECK(decodes(submit));
  submit.mutations[2].seq = Seq(4);
  BOOST_CHECK(refused(submit, "rising"));
  submit.mutations[2].seq = Seq(9);
  submit.mutations[2].incarnation = Incarnation(2);
  BOOST_CHECK(refused(submit, "incarnation"));
  submit.mutations = {put(0, "k", "")};
  BOOST_CHECK(refused(submit, "seq"));
  submit.mutations = {put(1, "k", "")};
  submit.mutations[0].incarnation = Incarnation();
  BOOST_CHECK(refused(submit, "incarnation"));
}

// Whoever adds one to what was decoded can't wrap.
BOOST_AUTO_TEST_CASE(a_number_that_can_not_be_counted_up_is_refused) {
  constexpr std::uint64_t kMax = limits::kNumberMax;
  BOOST_CHECK(decodes(Attached{SessionId(UINT64_MAX), Revision(kMax), {}}));
  BOOST_CHECK(refused(with(&Attached::head, Revision(kMax + 1)), "revision"));
  BOOST_CHECK(refused(with(&Attached::broadcast, BroadcastNo(UINT64_MAX)), "broadcast"));
  BOOST_CHECK(refused(with(&AgentHeartbeat::number, kMax + 1), "number"));
  BOOST_CHECK(refused(with(&AgentHeartbeat::cursor, {Epoch(1), Revision(kMax + 1)}), "revision"));
  BOOST_CHECK(refused(with(&AgentHeartbeat::confirmed, {{Incarnation(1), Seq(kMax + 1)}}), "seq"));
  BOOST_CHECK(decodes(submit_of(put(kMax, "k", ""))));
  BOOST_CHECK(refused(submit_of(put(kMax + 1, "k", "")), "seq"));

  Mutation mutation = put(1, "k", "");
  mutation.context.seen = Revision(kMax + 1);
  BOOST_CHECK(refused(submit_of(mutation), "seen"));
  mutation.context.seen = Revision(kMax);
  mutation.context.own_through = {{Incarnation(1), Seq(kMax + 1)}};
  BOOST_CHECK(refused(submit_of(mutation), "seq"));
  mutation.context.own_through.clear();
  mutation.entries[0].expect = ExpectVersion{Revision(kMax + 1)};
  BOOST_CHECK(refused(submit_of(mutation), "expected version"));
  mutation.entries[0].expect = ExpectMine{Seq(kMax + 1)};
  BOOST_CHECK(refused(submit_of(mutation), "own seq"));
  mutation.entries[0].expect = ExpectMine{Seq(kMax)};
  BOOST_CHECK(decodes(submit_of(mutation)));

  Record record;
  record.version = Revision(kMax + 1);
  BOOST_CHECK(refused(update_of(record), "revision"));
  record.version = Revision(kMax);
  record.hlc = {UINT64_MAX};
  BOOST_CHECK(decodes(update_of(record)));
  record.writer.seq = Seq(kMax + 1);
  BOOST_CHECK(refused(update_of(record), "seq"));
}

BOOST_AUTO_TEST_CASE(a_time_that_could_overflow_is_refused) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  BOOST_CHECK(refused(with(&Refused::retry_millis, kMost), "retry"));
  BOOST_CHECK(refused(with(&Refused::retry_millis, -1), "retry"));
  BOOST_CHECK(refused(with(&SyncRequest::timeout_millis, -1), "timeout"));
  BOOST_CHECK(refused(with(&Welcome::heartbeat_millis, kMost), "heartbeat"));
  BOOST_CHECK(
      refused(with(&Welcome::wall_millis, std::numeric_limits<std::int64_t>::min()), "wall"));
  StateRequest request;
  request.swarm = SwarmId("s");
  request.remaining_millis = kMost;
  BOOST_CHECK(refused(request, "remaining"));
}

BOOST_AUTO_TEST_CASE(an_enumerator_that_nobody_knows_is_refused) {
  BOOST_CHECK(refused(with(&Refused::code, static_cast<Code>(16)), "code"));
  Hello hello = hello_of("s", "a");
  hello.role = static_cast<Role>(3);
  BOOST_CHECK(refused(hello, "role"));
  BOOST_CHECK(refused(with(&StateResponse::rest, static_cast<AnswerKind>(5)), "answer"));
  BOOST_CHECK(refused(with(&SyncRequest::priority, static_cast<Priority>(3)), "priority"));
  BOOST_CHECK(refused(with(&SyncReport::outcome, static_cast<RoundOutcome>(8)), "round outcome"));
  BOOST_CHECK(refused(with(&QueryResult::level, static_cast<Level>(4)), "level"));
  BOOST_CHECK(refused(submit_of(PutOp{static_cast<ContentType>(0), "x"}), "content type"));
  BOOST_CHECK(refused(submit_of(PutOp{static_cast<ContentType>(4), "x"}), "content type"));
  QueryResult result;
  result.agents.push_back(with(&AgentInfo::agent, AgentId("a")));
  result.agents[0].health = static_cast<Health>(4);
  BOOST_CHECK(refused(result, "health"));
  SubmitResult results;
  results.results.resize(1);
  results.results[0].outcome.reason = static_cast<Reason>(27);
  BOOST_CHECK(refused(results, "reason"));
  results.results[0].outcome.reason = Reason::kNone;
  results.results[0].outcome.conflict = static_cast<ConflictKind>(8);
  BOOST_CHECK(refused(results, "conflict"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
