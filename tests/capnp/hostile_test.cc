// Frames that no honest peer sends. None of them may crash, hang or give half a message.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <waggle_schema/wire.capnp.h>

#include "base/limits.h"
#include "base/prng.h"
#include "capnp/codec.h"
#include "capnp/records.h"
#include "tests/capnp/filled.h"
#include "tests/noise.h"

namespace waggle {
namespace {

using testing::filled_messages;
using testing::Filler;
using testing::noise;

constexpr std::size_t kWord = 8;

bool refused(std::string_view frame, std::string_view part_of_text, Code code = Code::kRejected) {
  const Result<Message> decoded = decode(frame);
  if (decoded) return false;
  BOOST_CHECK_MESSAGE(decoded.error().code == code, to_text(decoded.error().code));
  BOOST_CHECK_MESSAGE(decoded.error().text.find(part_of_text) != std::string::npos,
                      decoded.error().text);
  return true;
}

template <typename T>
T load(const std::string& frame, std::size_t at) {
  T value{};
  std::memcpy(&value, frame.data() + at, sizeof value);
  return value;
}
template <typename T>
void store(std::string& frame, std::size_t at, T value) {
  std::memcpy(frame.data() + at, &value, sizeof value);
}
// Makes the segment table fit the bytes.
void claim_size(std::string& frame) {
  store<std::uint32_t>(frame, 4, static_cast<std::uint32_t>(frame.size() / kWord - 1));
}
void append_word(std::string& frame, std::uint64_t word) {
  frame.append(reinterpret_cast<const char*>(&word), sizeof word);
}

// Where pointer number `index` of the message below the envelope lies.
std::size_t pointer_at(const std::string& frame, std::size_t index) {
  constexpr std::size_t kMessagePointer = 3 * kWord;
  const auto pointer = load<std::uint64_t>(frame, kMessagePointer);
  const std::size_t offset = (pointer & 0xffffffff) >> 2;
  const std::size_t data_words = (pointer >> 32) & 0xffff;
  return kMessagePointer + kWord * (1 + offset + data_words + index);
}
// A list pointer at `at` to what begins at the end of the frame.
std::uint64_t list_pointer(const std::string& frame, std::size_t at, std::uint64_t element_size,
                           std::uint64_t count) {
  const std::uint64_t offset = (frame.size() - at) / kWord - 1;
  return (offset << 2) | 1 | (element_size << 32) | (count << 35);
}

// A frame whatever it says, built by the library.
template <typename Fill>
std::string raw(const Fill& fill) {
  capnp::MallocMessageBuilder builder(1U << 12);
  auto envelope = builder.initRoot<wire::Envelope>();
  envelope.setMagic(wire::MAGIC);
  envelope.setProtocol(kProtocolVersion);
  fill(envelope);
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

BOOST_AUTO_TEST_SUITE(hostile_test)

BOOST_AUTO_TEST_CASE(a_truncated_frame_is_refused) {
  for (const Message& message : filled_messages(2)) {
    const std::string frame = encode(message);
    for (std::size_t size = 0; size < frame.size(); ++size)
      BOOST_REQUIRE(!decode(std::string_view(frame).substr(0, size)));
  }
}

BOOST_AUTO_TEST_CASE(a_frame_cut_behind_a_fitting_segment_table_is_refused) {
  for (std::uint64_t turn = 0; turn < 4; ++turn) {
    for (const Message& message : filled_messages(turn)) {
      std::string frame = encode(message);
      while (frame.size() > 2 * kWord) {
        frame.resize(frame.size() - kWord);
        claim_size(frame);
        // The message struct's own words are there or not; nothing says which fields matter, so a
        // struct without pointers is judged by its pointer: it is always refused.
        BOOST_REQUIRE_MESSAGE(!decode(frame), name_of(message) << " at " << frame.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_never_crashes_and_what_decodes_can_be_encoded) {
  Prng prng(1);
  std::size_t accepted = 0;
  std::size_t refusals = 0;
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    for (const Message& message : filled_messages(turn)) {
      const std::string frame = encode(message);
      for (int i = 0; i < 100; ++i) {
        std::string flipped = frame;
        flipped[prng.below(flipped.size())] ^= static_cast<char>(1U << prng.below(8));
        const Result<Message> decoded = decode(flipped);
        decoded ? ++accepted : ++refusals;
        if (!decoded) continue;
        const Result<Message> again = decode(encode(*decoded));
        BOOST_REQUIRE_MESSAGE(again, (again ? "" : again.error().text));
        BOOST_REQUIRE(testing::same(*again, *decoded));
      }
    }
  }
  // Both happen, or the test would show nothing.
  BOOST_CHECK_GT(accepted, 1000U);
  BOOST_CHECK_GT(refusals, 1000U);
}

BOOST_AUTO_TEST_CASE(random_words_behind_a_good_header_never_crash) {
  Prng prng(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string frame = encode(Bye{SessionId(1)});
    store<std::uint16_t>(frame, 22, static_cast<std::uint16_t>(prng.below(26)));
    frame.resize(3 * kWord);
    // Near pointers to small structs and lists, so that many lead somewhere.
    const std::uint64_t words = 1 + prng.below(40);
    for (std::uint64_t word = 0; word < words; ++word) {
      const std::uint64_t kind = prng.below(3);
      append_word(frame, kind == 0 ? prng.next()
                                   : (prng.below(8) << 2) | (kind - 1) | (prng.below(32) << 32) |
                                         (prng.below(16) << 48));
    }
    claim_size(frame);
    (void)decode(frame);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_segment_table_is_refused) {
  const std::string good = encode(Attached{SessionId(1), Revision(2), BroadcastNo(3)});
  BOOST_REQUIRE(decode(good));
  std::string frame = good;
  store<std::uint32_t>(frame, 0, 0xffffffff);  // read as one more: none, or 2^32
  BOOST_CHECK(refused(frame, "one segment"));
  store<std::uint32_t>(frame, 0, 1);
  BOOST_CHECK(refused(frame, "one segment"));
  store<std::uint32_t>(frame, 0, 0x10000);
  BOOST_CHECK(refused(frame, "one segment"));
  for (const std::uint32_t words : {0U, 1U, 0x1fffffffU, 0x20000000U, 0xffffffffU}) {
    frame = good;
    store<std::uint32_t>(frame, 4, words);
    BOOST_CHECK(refused(frame, "its table says"));
  }
  BOOST_CHECK(refused(std::string(8, '\0'), "multiple of 8"));
  BOOST_CHECK(refused(std::string(), "multiple of 8"));
  BOOST_CHECK(refused(std::string(16, '\0'), "its table says"));
}

BOOST_AUTO_TEST_CASE(two_segments_that_the_library_would_read_are_refused) {
  capnp::MallocMessageBuilder builder(1, capnp::AllocationStrategy::FIXED_SIZE);
  auto envelope = builder.initRoot<wire::Envelope>();
  envelope.setMagic(wire::MAGIC);
  envelope.setProtocol(kProtocolVersion);
  envelope.initBye().setSession(1);
  BOOST_REQUIRE_GT(builder.getSegmentsForOutput().size(), 1U);
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  BOOST_CHECK(refused({reinterpret_cast<const char*>(bytes.begin()), bytes.size()}, "one segment"));
}

BOOST_AUTO_TEST_CASE(trailing_bytes_are_refused) {
  for (const Message& message : filled_messages(0)) {
    const std::string frame = encode(message);
    for (const std::size_t more : {1U, 7U, 8U, 64U})
      BOOST_CHECK(!decode(frame + std::string(more, '\0')));
  }
}

BOOST_AUTO_TEST_CASE(a_misaligned_frame_is_read_like_an_aligned_one) {
  for (const Message& message : filled_messages(1)) {
    const std::string frame = encode(message);
    for (std::size_t offset = 0; offset < kWord; ++offset) {
      const std::string moved = std::string(offset, 'x') + frame;
      const Result<Message> decoded = decode(std::string_view(moved).substr(offset));
      BOOST_REQUIRE(decoded);
      BOOST_CHECK(testing::same(*decoded, message));
      BOOST_CHECK(protocol_of(std::string_view(moved).substr(offset)) == kProtocolVersion);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_frame_beyond_the_limit_is_refused) {
  // Four values of 1 MiB make more than 4 MiB.
  StateUpdate update;
  update.swarm = SwarmId("s");
  Record record;
  record.value = Register{ContentType::kBytes, noise(limits::kValueBytes)};
  const auto shared = std::make_shared<const Record>(record);
  for (int i = 0; i < 3; ++i) update.changes.push_back({Key("k" + std::to_string(i)), shared});
  const std::size_t used = encode(update).size();
  BOOST_CHECK(decode(encode(update)));

  // Another change, whose bytes fill the frame exactly; each is rounded up to a word.
  Record last;
  last.value = Register{ContentType::kBytes, ""};
  update.changes.push_back({Key("k3"), std::make_shared<const Record>(last)});
  const std::size_t with_empty = encode(update).size();
  BOOST_REQUIRE_GT(with_empty, used);
  last.value = Register{ContentType::kBytes, noise(limits::kFrameBytes - with_empty)};
  update.changes[3].record = std::make_shared<const Record>(last);
  BOOST_CHECK_EQUAL(encode(update).size(), limits::kFrameBytes);
  BOOST_CHECK(decode(encode(update)));
  std::get<Register>(*last.value).bytes.push_back('x');
  update.changes[3].record = std::make_shared<const Record>(last);
  BOOST_CHECK(refused(encode(update), "at most 4194304 bytes"));
}

BOOST_AUTO_TEST_CASE(another_protocol_version_is_told_from_ours_before_anything_else) {
  std::string frame = encode(Filler(0).make<Hello>());
  BOOST_CHECK(protocol_of(frame) == kProtocolVersion);
  store<std::uint16_t>(frame, 20, 513);
  store<std::uint16_t>(frame, 22, 999);  // and a message that only it knows
  BOOST_CHECK(protocol_of(frame) == 513);
  BOOST_CHECK(refused(frame, "protocol 513", Code::kUnsupported));
  BOOST_CHECK(refused(frame, "protocol 1,", Code::kUnsupported));
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_not_ours_has_no_protocol_version) {
  std::string frame = encode(Filler(0).make<Hello>());
  frame[16] ^= 1;
  BOOST_CHECK(refused(frame, "magic"));
  BOOST_CHECK(!protocol_of(frame));
  BOOST_CHECK(!protocol_of(""));
  BOOST_CHECK(!protocol_of(std::string(64, '\0')));
  BOOST_CHECK(!protocol_of(std::string_view(frame).substr(0, 20)));
  // A null root.
  std::string null_root(16, '\0');
  store<std::uint32_t>(null_root, 4, 1);
  BOOST_CHECK(refused(null_root, "magic"));
}

BOOST_AUTO_TEST_CASE(a_message_or_a_meaning_of_a_newer_waggle_is_unsupported) {
  std::string frame = encode(Bye{SessionId(1)});
  store<std::uint16_t>(frame, 22, 32);
  BOOST_CHECK(refused(frame, "message 32", Code::kUnsupported));
  store<std::uint16_t>(frame, 22, 0xffff);
  BOOST_CHECK(refused(frame, "message 65535", Code::kUnsupported));

  const auto with_mutation = [](const auto& change) {
    return raw([&](wire::Envelope::Builder envelope) {
      auto mutation = envelope.initSubmit().initMutations(1)[0];
      mutation.setIncarnation(1);
      mutation.setSeq(1);
      auto entry = mutation.initEntries(1)[0];
      entry.setKey("k");
      entry.getOp().setIncr(1);
      change(mutation, entry);
    });
  };
  using Mutation = wire::Mutation::Builder;
  using Entry = wire::Entry::Builder;
  BOOST_CHECK(decode(with_mutation([](Mutation, Entry) {})));
  BOOST_CHECK(refused(with_mutation([](Mutation, Entry entry) { entry.setValueClass(2); }),
                      "value class", Code::kUnsupported));
  BOOST_CHECK(refused(with_mutation([](Mutation, Entry entry) { entry.setValueClass(1); }),
                      "expected durable writes"));
  // A fence that nobody looks at protects nothing: of an ephemeral write, say, none is.
  const auto update = [](const auto& change) {
    return raw([&](wire::Envelope::Builder envelope) {
      auto one = envelope.initStateUpdate();
      one.setSwarm("s");
      auto record = one.initChanges(1)[0];
      record.setKey("k");
      change(record.initRecord());
    });
  };
  BOOST_CHECK(decode(update([](wire::Record::Builder) {})));
  BOOST_CHECK(
      refused(update([](wire::Record::Builder record) { record.initOrigin().setFenceToken(1); }),
              "fence token", Code::kUnsupported));
  // What may be skipped is skipped.
  BOOST_CHECK(decode(with_mutation([](Mutation mutation, Entry) {
    mutation.setDurability(3);
    auto origin = mutation.initOrigin();
    origin.setProposal(1);
    origin.setUser("u");
    origin.setDevice("d");
  })));
}

BOOST_AUTO_TEST_CASE(the_classes_of_records_are_kept_apart) {
  const auto record = [](std::optional<Value> value, bool ephemeral) {
    auto made = std::make_shared<Record>();
    made->value = std::move(value);
    made->version = Revision(1);
    made->ephemeral = ephemeral;
    return made;
  };
  const Value reg = Register{ContentType::kText, "x"};
  const auto durable = [&](RecordPtr one) {
    StateUpdate update;
    update.swarm = SwarmId("s");
    update.changes.push_back({Key("k"), std::move(one)});
    return encode(update);
  };
  const auto news = [&](RecordPtr one) {
    EphemeralUpdate update;
    update.swarm = SwarmId("s");
    update.changes.push_back({Key("k"), std::move(one)});
    return encode(update);
  };
  BOOST_CHECK(decode(durable(record(reg, false))));
  BOOST_CHECK(refused(durable(record(reg, true)), "expected a durable record"));
  BOOST_CHECK(decode(news(record(reg, true))));
  BOOST_CHECK(decode(news(record(std::nullopt, true))));
  BOOST_CHECK(refused(news(record(reg, false)), "expected an ephemeral record"));
  BOOST_CHECK(refused(news(record(Counter{1}, true)), "a whole register"));
  DeltaChunk chunk;
  chunk.changes.push_back({Key("k"), record(reg, true)});
  BOOST_CHECK(refused(encode(chunk), "expected a durable record"));
  Outcome outcome;
  outcome.committed = record(reg, true);
  BOOST_CHECK(
      refused(encode(SubmitResult{SessionId(1), Epoch(1), {{Incarnation(1), Seq(1), outcome}}}),
              "expected a durable one"));
  BOOST_CHECK(!decode_stored<Record>(encode_stored(*record(reg, true))));
}

BOOST_AUTO_TEST_CASE(unordered_metadata_is_refused) {
  const auto with_names = [](const char* one, const char* other) {
    return raw([&](wire::Envelope::Builder envelope) {
      auto update = envelope.initStateUpdate();
      update.setSwarm("s");
      auto change = update.initChanges(1)[0];
      change.setKey("k");
      auto metadata = change.initRecord().initMetadata(2);
      metadata[0].setName(one);
      metadata[1].setName(other);
    });
  };
  BOOST_CHECK(decode(with_names("a", "b")));
  BOOST_CHECK(refused(with_names("b", "a"), "sorted"));
  BOOST_CHECK(refused(with_names("a", "a"), "sorted"));
}

BOOST_AUTO_TEST_CASE(a_hash_or_token_of_another_length_is_refused) {
  const auto with_token = [](std::size_t size) {
    return raw([&](wire::Envelope::Builder envelope) {
      auto hello = envelope.initHello();
      hello.setSwarm("s");
      hello.setAgent("a");
      hello.initToken(static_cast<unsigned>(size));
    });
  };
  BOOST_CHECK(decode(with_token(0)));
  BOOST_CHECK(decode(with_token(16)));
  BOOST_CHECK(refused(with_token(15), "token"));
  BOOST_CHECK(refused(with_token(17), "token"));
}

constexpr std::size_t kReports = 4;  // SyncReport.keys among its pointers
constexpr std::size_t kAnswered = 1;

BOOST_AUTO_TEST_CASE(a_list_of_half_a_billion_elements_without_size_is_refused) {
  constexpr std::uint64_t kMost = (1U << 29) - 1;
  constexpr std::uint64_t kVoid = 0;
  constexpr std::uint64_t kInlineComposite = 7;
  for (const std::size_t pointer : {kReports, kAnswered}) {
    std::string frame = encode(SyncReport{});
    const std::size_t at = pointer_at(frame, pointer);
    BOOST_REQUIRE_EQUAL(load<std::uint64_t>(frame, at), 0U);
    store(frame, at, list_pointer(frame, at, kVoid, kMost));
    BOOST_CHECK(!decode(frame));
  }
  // Composite: no words, and a tag that says 2^29-1 structs of no size.
  std::string frame = encode(SyncReport{});
  const std::size_t at = pointer_at(frame, kReports);
  store(frame, at, list_pointer(frame, at, kInlineComposite, 0));
  append_word(frame, kMost << 2);
  claim_size(frame);
  BOOST_CHECK(!decode(frame));
}

BOOST_AUTO_TEST_CASE(structs_without_size_do_not_stand_for_real_elements) {
  // 1000 results that take no byte: below each limit, but none has what a result must have.
  constexpr std::uint64_t kInlineComposite = 7;
  std::string frame = encode(SyncReport{});
  const std::size_t at = pointer_at(frame, kReports);
  store(frame, at, list_pointer(frame, at, kInlineComposite, 0));
  append_word(frame, std::uint64_t{1000} << 2);
  claim_size(frame);
  BOOST_CHECK(refused(frame, "key"));
}

BOOST_AUTO_TEST_CASE(a_list_whose_pointers_share_one_text_is_refused) {
  constexpr std::uint64_t kPointers = 6;
  constexpr std::uint64_t kBytes = 2;
  constexpr std::size_t kCount = 10'000;
  const std::string name(limits::kIdBytes, 'a');
  std::string frame = encode(SyncReport{});
  const std::size_t at = pointer_at(frame, kAnswered);
  store(frame, at, list_pointer(frame, at, kPointers, kCount));
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::uint64_t offset = kCount - 1 - i;
    append_word(frame, (offset << 2) | 1 | (kBytes << 32) | (std::uint64_t{name.size() + 1} << 35));
  }
  frame += name + std::string(kWord, '\0');
  claim_size(frame);
  // Read in full it would be nine times the frame.
  BOOST_CHECK(refused(frame, "traversal limit"));
}

BOOST_AUTO_TEST_CASE(a_pointer_to_its_own_parent_is_refused_or_read_but_never_followed_for_ever) {
  for (std::size_t pointer = 0; pointer < 5; ++pointer) {
    std::string frame = encode(Filler(0).make<SyncReport>());
    const std::size_t at = pointer_at(frame, pointer);
    // A list of one struct that begins at the root pointer.
    const std::int64_t offset = -static_cast<std::int64_t>(at / kWord);
    store<std::uint64_t>(frame, at,
                         (static_cast<std::uint64_t>(offset << 2) & 0xffffffff) | 1 |
                             (std::uint64_t{6} << 32) | (std::uint64_t{1} << 35));
    BOOST_CHECK(!decode(frame));
  }
}

BOOST_AUTO_TEST_CASE(the_deepest_message_stays_below_the_nesting_limit) {
  // A set's operation below an entry, a mutation, a submit and the envelope; a record below an
  // outcome, a result, an answer and the envelope.
  Submit submit = Filler(3).make<Submit>();
  BOOST_CHECK(decode(encode(submit)));
  SubmitResult result = Filler(0).make<SubmitResult>();
  BOOST_CHECK(decode(encode(result)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
