#include "base/op_bytes.h"

#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

using namespace std::string_literals;

FieldOp typed_removal(std::vector<std::string> path, ValueType type) {
  FieldOp op = field_op(std::move(path), DeleteOp{});
  op.removed_type = type;
  return op;
}

// Every verb, with each type and kind that it has.
std::vector<Op> every_op() {
  using enum ValueType;
  std::vector<Op> ops = {
      PutOp{ContentType::kJson, "{\"a\":1}", kRegister},
      PutOp{ContentType::kBytes, "\0\xff"s, kMultiRegister},
      IncrOp{0, kCounter},
      IncrOp{INT64_MIN, kCounter},
      IncrOp{INT64_MAX, kGrowCounter},
      IncrOp{-300, kResettableCounter},
      IncrOp{300, kBoundedCounter},
      SetAddOp{{"a", "b\xff"}, kOrSet},
      SetAddOp{{"a"}, kGrowSet},
      SetAddOp{{std::string(limits::kElementBytes, 'e')}, kRemoveWinsSet},
      SetRemoveOp{{"a", "b"}, kOrSet},
      SetRemoveOp{{"a"}, kRemoveWinsSet},
      RaiseOp{std::int64_t{-1}, kMax},
      RaiseOp{UINT64_MAX, kMax},
      RaiseOp{-0.5, kMin},
      RaiseOp{"bytes\0"s, kMin},
      FlagOp{true, kOnceFlag},
      FlagOp{true, kEnableFlag},
      FlagOp{false, kDisableFlag},
      ResetOp{},
      EscrowOp{EscrowVerb::kReserve, 1, {}},
      EscrowOp{EscrowVerb::kRelease, limits::kNumberMax, {}},
      EscrowOp{EscrowVerb::kHandOver, 200, AgentId("bee")},
      EditOp{{{0, 0, {"text \u20ac"}}, {300, 2, {}}, {1, 1, {"x"}}}, kText},
      EditOp{{{5, 0, {"one", "", "three"}}}, kList},
      SettleOp{ConflictId(7), Settle::kDismiss, 0, {}},
      SettleOp{ConflictId(7), Settle::kSide, 15, {}},
      SettleOp{ConflictId(7), Settle::kValue, 0, {ContentType::kText, "mine"}},
      field_op({"f"}, DeleteOp{}),
      typed_removal({"m", "f"}, kText),
  };
  // Each operation on a value as one on a field.
  const std::size_t plain = ops.size();
  for (std::size_t i = 0; i < plain; ++i)
    if (!std::holds_alternative<FieldOp>(ops[i]) && !std::holds_alternative<SettleOp>(ops[i]))
      ops.emplace_back(
          field_op(std::vector<std::string>(1 + i % limits::kMapDepth, "name"), ops[i]));
  return ops;
}

bool unsupported(std::string_view bytes) {
  const Result<Op> op = decode_op(bytes);
  return !op && op.error().code == Code::kUnsupported;
}
bool refused(std::string_view bytes, std::string_view part_of_text) {
  const Result<Op> op = decode_op(bytes);
  if (op || op.error().code != Code::kRejected) return false;
  BOOST_CHECK_MESSAGE(op.error().text.find(part_of_text) != std::string::npos, op.error().text);
  return true;
}

BOOST_AUTO_TEST_SUITE(op_bytes_test)

BOOST_AUTO_TEST_CASE(every_operation_comes_back_the_same_and_is_of_a_shape_that_passes) {
  for (const Op& op : every_op()) {
    BOOST_TEST_CONTEXT(verb_of(op)) {
      const Result<Op> decoded = decode_op(encode_op(op));
      BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
      BOOST_CHECK(*decoded == op);
      const Status shape = check_entry({Key("k"), {}, op, {}});
      BOOST_CHECK_MESSAGE(shape, (shape ? "" : shape.error().text));
    }
  }
}

// DO NOT CHANGE: operations lie in outboxes and travel between releases.
BOOST_AUTO_TEST_CASE(operations_have_known_bytes) {
  using enum ValueType;
  const std::vector<std::pair<Op, std::string>> known = {
      {PutOp{ContentType::kText, "v", kMultiRegister}, "\x01\x00\x0e\x01\x01v"s},
      {IncrOp{-2, kCounter}, "\x01\x01\x02\x03"s},
      {SetAddOp{{"a"}, kOrSet}, "\x01\x02\x03\x01\x01"s + "a"},
      {SetRemoveOp{{"a"}, kRemoveWinsSet}, "\x01\x03\x0d\x01\x01"s + "a"},
      {RaiseOp{std::uint64_t{300}, kMax}, "\x01\x04\x04\x01\xac\x02"s},
      {RaiseOp{1.0, kMin}, "\x01\x04\x05\x02\0\0\0\0\0\0\xf0\x3f"s},
      {FlagOp{true, kEnableFlag}, "\x01\x05\x0a\x01"s},
      {ResetOp{}, "\x01\x06"s},
      {EscrowOp{EscrowVerb::kHandOver, 5, AgentId("b")}, "\x01\x07\x02\x05\x01"s + "b"},
      {EditOp{{{1, 2, {"x"}}}, kText}, "\x01\x08\x11\x01\x01\x02\x01\x01x"s},
      {field_op({"f"}, IncrOp{1, kCounter}), "\x01\x09\x01\x01"s + "f\0\x01\x02\x02"s},
      {typed_removal({"f"}, kText), "\x01\x09\x01\x01"s + "f\x11\x0a"s},
      {SettleOp{ConflictId(7), Settle::kSide, 2, {ContentType::kText, ""}},
       "\x01\x0b\x07\x01\x02\x01\x00"s},
  };
  for (const auto& [op, bytes] : known) {
    BOOST_TEST_CONTEXT(verb_of(op)) {
      BOOST_CHECK(encode_op(op) == bytes);
      BOOST_CHECK(decode_op(bytes) == op);
    }
  }
}

BOOST_AUTO_TEST_CASE(no_operation_is_cut_short_or_followed_by_anything) {
  for (const Op& op : every_op()) {
    BOOST_TEST_CONTEXT(verb_of(op)) {
      const std::string bytes = encode_op(op);
      for (std::size_t size = 0; size < bytes.size(); ++size)
        BOOST_REQUIRE(!decode_op(std::string_view(bytes).substr(0, size)));
      BOOST_REQUIRE(!decode_op(bytes + '\0'));
    }
  }
}

// What decodes is spelt in the one way: encoding it gives the bytes that came.
BOOST_AUTO_TEST_CASE(no_other_bytes_decode_to_an_operation) {
  int accepted = 0;
  for (const Op& op : every_op()) {
    const std::string bytes = encode_op(op);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = bytes;
        flipped[at] ^= static_cast<char>(1 << bit);
        const Result<Op> decoded = decode_op(flipped);
        if (!decoded) continue;
        ++accepted;
        BOOST_REQUIRE(*decoded != op);
        BOOST_REQUIRE(encode_op(*decoded) == flipped);
        (void)check_entry({Key("k"), {}, *decoded, {}});
      }
    }
  }
  BOOST_TEST(accepted > 0);
}

BOOST_AUTO_TEST_CASE(a_verb_type_or_format_of_a_newer_release_is_not_supported) {
  BOOST_TEST(unsupported("\x02\x06"s));
  BOOST_TEST(unsupported("\x01\x0c"s));
  BOOST_TEST(unsupported("\x01\xff"s));
  BOOST_TEST(unsupported("\x01\x01\x12\x02"s));                 // a type
  BOOST_TEST(unsupported("\x01\x09\x01\x01"s + "f\0\x0c"s));    // a verb on a field
  BOOST_TEST(unsupported("\x01\x09\x01\x01"s + "f\x12\x0a"s));  // a removed type
  BOOST_TEST(unsupported("\x01\x09\x01\x01"s + "f\0\x01\x12\x02"s));
}

BOOST_AUTO_TEST_CASE(what_can_not_be_meant_is_refused) {
  BOOST_TEST(refused("", "operation"));
  BOOST_TEST(refused("\x01\x0a"s, "only of a field"));
  BOOST_TEST(refused("\x01\x09\x01\x01"s + "f\0\x09\x01\x01"s + "g\0\x06"s, "within each other"));
  BOOST_TEST(refused("\x01\x05\x0a\x02"s, "0 or 1"));
  BOOST_TEST(refused("\x01\x00\x01\x04\x01v"s, "content type"));
  BOOST_TEST(refused("\x01\x04\x04\x04\x01"s, "kind of 0..3"));
  BOOST_TEST(refused("\x01\x04\x04\x02\0\0\0\0\0\0\xf8\x7f"s, "NaN"));
  BOOST_TEST(refused("\x01\x04\x04\x02\0\0\0\0\0\0\0\x80"s, "-0"));
  // Counts far beyond what is there reserve nothing.
  BOOST_TEST(refused("\x01\x02\x03\xff\xff\xff\xff\x0f"s, "up to"));
  BOOST_TEST(refused("\x01\x08\x11\xff\xff\xff\xff\x0f"s, "up to"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
