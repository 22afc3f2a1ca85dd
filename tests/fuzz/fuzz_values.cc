// Any bytes through the decoders of values, operations, sequences, deltas and packed bytes. The
// first byte names the decoder, the second the type. What decodes keeps its invariants and limits,
// and where it has one spelling it comes back from the very same bytes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/op_bytes.h"
#include "base/packing.h"
#include "base/shape.h"
#include "base/value_bytes.h"
#include "base/value_delta.h"
#include "tests/base/values_of_every_type.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/sound_value.h"

namespace waggle {
namespace {

using testing::check_refused;
using testing::check_sound;
using testing::Input;

enum class Form : std::uint8_t {
  kValue,
  kOp,
  kSequence,
  kDelta,
  kDifference,
  kPacked,
  kPackedValue,
  kCount,
};

const std::vector<TwoVersions>& samples() {
  static const std::vector<TwoVersions> kSamples = values_of_every_type();
  return kSamples;
}

// Bounds as callers have them, and ones that a small input reaches.
std::size_t some_bound(Input& input) {
  return std::vector<std::size_t>{limits::kFrameBytes, limits::kValueBytes, 0, 16,
                                  300}[input.below(5)];
}

// The next author's edit of a sequence that came from outside, and what folding leaves of it.
void edit_on(Sequence sequence, std::size_t bytes_max) {
  sequence.check_invariants();
  WAGGLE_CHECK(sequence.bytes() <= bytes_max);
  const std::string bytes = encode(sequence);
  const Result<Sequence> again = decode_sequence(bytes, bytes_max);
  WAGGLE_CHECK(again.has_value(), again.error().text);
  WAGGLE_CHECK(*again == sequence && encode(*again) == bytes);
  if (sequence.newest() >= Revision(limits::kNumberMax) || sequence.size() > 10'000) return;

  const Sequence before = sequence;
  const Dot dot{sequence.newest().next(), 0, {AgentId("z"), Incarnation(1), Seq(1)}};
  const std::uint64_t middle = sequence.size() / 2;
  for (const Revision seen : {sequence.newest(), sequence.base()}) {
    Sequence edited = before;
    const Status done =
        edited.edit({{0, 0, {"a"}}, {1, 0, {"b"}}}, dot, {seen, [](const Dot&) { return false; }});
    if (!done) continue;
    edited.check_invariants();
    const Result<Sequence> followed = apply_diff(before, diff(before, edited), SIZE_MAX);
    WAGGLE_CHECK(followed.has_value(), followed.error().text);
    WAGGLE_CHECK(*followed == edited && encode(*followed) == encode(edited));
  }
  if (middle > 0) {
    const Status done = sequence.edit({{middle, 1, {"\u20ac"}}}, dot,
                                      {sequence.newest(), [](const Dot&) { return false; }});
    WAGGLE_CHECK(done.has_value(), done.error().text);
    sequence.check_invariants();
  }
  sequence.fold(sequence.fold_point(sequence.history_bytes() / 2));
  sequence.check_invariants();
  sequence.fold(sequence.newest());
  sequence.check_invariants();
}

void try_value(std::size_t type, std::string_view bytes) {
  const Result<Value> value = decode_value(kValueTypes[type], bytes);
  if (!value) return check_refused(value.error());
  WAGGLE_CHECK(type_of(*value) == kValueTypes[type] && encode_value(*value) == bytes);
  check_sound(*value);
  if (const auto* list = std::get_if<List>(&*value)) edit_on(list->sequence, limits::kFrameBytes);
  if (const auto* text = std::get_if<Text>(&*value)) edit_on(text->sequence, limits::kFrameBytes);
  // From anywhere to what was decoded.
  const Value& from = samples()[type].earlier;
  const std::optional<std::string> delta = encode_delta(from, *value);
  if (!delta) return;
  const Result<Value> made = apply_delta(from, *delta);
  WAGGLE_CHECK(made.has_value(), made.error().text);
  WAGGLE_CHECK(*made == *value && encode_value(*made) == bytes);
}

void try_op(std::string_view bytes) {
  const Result<Op> op = decode_op(bytes);
  if (!op && op.error().code == Code::kUnsupported) return;
  if (!op) return check_refused(op.error());
  WAGGLE_CHECK(encode_op(*op) == bytes);
  WAGGLE_CHECK(!verb_of(*op).empty());
  (void)grows(*op);
  (void)check_entry({Key("k"), {}, *op, {}});
}

void try_delta(const Value& from, std::string_view bytes) {
  const Result<Value> value = apply_delta(from, bytes);
  if (!value) return check_refused(value.error());
  WAGGLE_CHECK(type_of(*value) == type_of(from));
  check_sound(*value);
  const std::optional<std::string> delta = encode_delta(from, *value);
  if (!delta) return;
  const Result<Value> made = apply_delta(from, *delta);
  WAGGLE_CHECK(made.has_value(), made.error().text);
  WAGGLE_CHECK(*made == *value);
}

void try_difference(const Sequence& from, std::size_t bytes_max, std::string_view bytes) {
  const Result<Sequence> to = apply_diff(from, bytes, bytes_max);
  if (to) edit_on(*to, bytes_max);
}

void try_packed(std::size_t bytes_max, Input& input) {
  const std::string_view prefix = input.flag() ? input.piece() : std::string_view();
  const Result<std::string> bytes = unpack(input.rest(), bytes_max, prefix);
  if (!bytes) return check_refused(bytes.error());
  WAGGLE_CHECK(bytes->size() <= bytes_max);
  const std::optional<std::string> packed = pack(*bytes, prefix);
  if (packed) WAGGLE_CHECK(unpack(*packed, bytes_max, prefix) == *bytes);
}

std::string seed_of(Form form, std::size_t type, std::string_view bytes) {
  return std::string({static_cast<char>(form), static_cast<char>(type)}) + std::string(bytes);
}

}  // namespace

testing::Seeds testing::seeds() {
  Seeds seeds;
  for (std::size_t i = 0; i < kValueTypes.size(); ++i) {
    const std::string name(to_text(kValueTypes[i]));
    const TwoVersions& sample = samples()[i];
    seeds["value_" + name] = seed_of(Form::kValue, i, encode_value(sample.earlier));
    if (const auto delta = encode_delta(sample.earlier, sample.later))
      seeds["delta_" + name] = seed_of(Form::kDelta, i, *delta);
  }
  const Sequence from = sample_sequence(SequenceUnit::kScalar, 9);
  const Sequence to = sample_sequence(SequenceUnit::kScalar, 11);
  seeds["sequence"] = seed_of(Form::kSequence, 0, encode(to));
  seeds["difference"] = seed_of(Form::kDifference, 0, diff(from, to));
  const std::string prose(300, 'p');
  seeds["packed"] = seed_of(Form::kPacked, 0, std::string(1, '\0') + *pack(prose));
  seeds["packed_against"] =
      seed_of(Form::kPacked, 0,
              std::string("\1\xc8", 2) + prose.substr(100) + *pack(prose, prose.substr(100)));
  seeds["packed_value"] =
      seed_of(Form::kPackedValue, 0, *pack_value(Register{ContentType::kJson, prose}));
  const std::vector<Op> ops = {
      PutOp{ContentType::kJson, "{}", ValueType::kMultiRegister},
      IncrOp{-3, ValueType::kBoundedCounter},
      SetAddOp{{"a", "b"}, ValueType::kRemoveWinsSet},
      SetRemoveOp{{"a"}},
      RaiseOp{2.5, ValueType::kMin},
      FlagOp{false, ValueType::kDisableFlag},
      ResetOp{},
      EscrowOp{EscrowVerb::kHandOver, 5, AgentId("b")},
      EditOp{{{1, 2, {"\u20ac"}}, {0, 0, {"x"}}}, ValueType::kText},
      field_op({"m", "p"}, DeleteOp{}),
      SettleOp{ConflictId(7), Settle::kValue, 0, {ContentType::kText, "v"}},
  };
  for (const Op& op : ops)
    seeds["op_" + std::string(verb_of(op))] = seed_of(Form::kOp, 0, encode_op(op));
  return seeds;
}

}  // namespace waggle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle;
  Input input(data, size);
  const auto form = static_cast<Form>(input.below(static_cast<std::size_t>(Form::kCount)));
  const std::size_t type = input.below(kValueTypes.size());
  switch (form) {
    case Form::kValue:
      try_value(type, input.rest());
      break;
    case Form::kOp:
      try_op(input.rest());
      break;
    case Form::kSequence: {
      const std::size_t bytes_max = type == 0 ? limits::kFrameBytes : some_bound(input);
      const std::string_view bytes = input.rest();
      const Result<Sequence> sequence = decode_sequence(bytes, bytes_max);
      if (!sequence) break;
      WAGGLE_CHECK(encode(*sequence) == bytes);
      edit_on(*sequence, bytes_max);
      break;
    }
    case Form::kDelta:
      try_delta(samples()[type].earlier, input.rest());
      break;
    case Form::kDifference: {
      const std::size_t bytes_max = type == 0 ? limits::kFrameBytes : some_bound(input);
      static const std::vector<Sequence> kFrom = {
          sample_sequence(SequenceUnit::kScalar, 9), sample_sequence(SequenceUnit::kElement, 9),
          sample_sequence(SequenceUnit::kScalar, 0), sample_sequence(SequenceUnit::kScalar, 40)};
      try_difference(kFrom[type % kFrom.size()], bytes_max, input.rest());
      break;
    }
    case Form::kPacked:
      try_packed(type == 0 ? limits::kValueBytes : some_bound(input), input);
      break;
    default:
      if (const Result<Value> value = unpack_value(input.rest())) check_sound(*value);
      break;
  }
  return 0;
}
