#include "base/value_delta.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "base/limits.h"
#include "base/prng.h"
#include "base/record.h"
#include "base/value_bytes.h"
#include "tests/base/values_of_every_type.h"

namespace waggle {
namespace {

using namespace std::string_literals;

Record record_of(Value value, std::uint64_t version) {
  Record record;
  record.content = content_hash(value);
  record.value = std::move(value);
  record.version = Revision(version);
  return record;
}

// The change from version 1 to version 2 as a reader gets it.
Change as_it_travels(const Value& later, std::string delta) {
  Record record = record_of(later, 2);
  record.value.reset();
  Change change{Key("k"), std::make_shared<const Record>(std::move(record))};
  change.delta = std::make_shared<const Delta>(Delta{Revision(1), std::move(delta)});
  return change;
}

// Those of which a delta is worth it.
std::vector<std::pair<TwoVersions, std::string>> with_deltas() {
  std::vector<std::pair<TwoVersions, std::string>> all;
  for (TwoVersions& versions : values_of_every_type())
    if (std::optional<std::string> delta = encode_delta(versions.earlier, versions.later))
      all.emplace_back(std::move(versions), *std::move(delta));
  return all;
}

// Whatever comes of it, no other value passes for the one that was meant.
bool passes_only_as_itself(const TwoVersions& versions, const std::string& delta) {
  const Record held = record_of(versions.earlier, 1);
  const Result<Change> change = completed(as_it_travels(versions.later, delta), &held);
  return change ? change->record->value == versions.later : change.error().code == Code::kCorrupt;
}

BOOST_AUTO_TEST_SUITE(value_delta_test)

BOOST_AUTO_TEST_CASE(a_delta_is_exact_in_both_directions_and_smaller_than_the_value) {
  std::size_t types = 0;
  for (const auto& [earlier, later] : values_of_every_type()) {
    BOOST_TEST_CONTEXT(to_text(type_of(later))) {
      check_invariants(earlier);
      check_invariants(later);
      for (const auto& [from, to] : {std::pair(earlier, later), std::pair(later, earlier)}) {
        const std::optional<std::string> delta = encode_delta(from, to);
        if (!delta) continue;
        ++types;
        BOOST_TEST(delta->size() < encode_value(to).size());
        const Result<Value> made = apply_delta(from, *delta);
        BOOST_REQUIRE_MESSAGE(made, (made ? "" : made.error().text));
        BOOST_CHECK(*made == to);
        BOOST_CHECK(content_hash(*made) == content_hash(to));
        BOOST_CHECK(encode_value(*made) == encode_value(to));
        check_invariants(*made);
      }
    }
  }
  BOOST_TEST(types == 14U);  // seven types have deltas
}

// Somebody types, letter by letter, and goes elsewhere in one of `jumps_in` letters and deletes in
// some; somebody else holds what the deltas give. `visit` sees both after each letter.
template <typename Visit>
void type_letters(std::uint64_t letters, std::uint64_t jumps_in, const Visit& visit) {
  Prng random(3);
  Text typed;
  Value held = Text{};
  std::uint64_t cursor = 0;
  for (std::uint64_t i = 1; i <= letters; ++i) {
    if (jumps_in != 0 && random.chance(1, jumps_in))
      cursor = random.below(typed.sequence.size() + 1);
    SequenceEdit edit{cursor, 0, {"x"}};
    if (jumps_in != 0 && typed.sequence.size() > cursor + 2 && random.chance(1, 8))
      edit.removed = 1 + random.below(2);
    ++cursor;
    const Text before = typed;
    BOOST_REQUIRE(typed.sequence.edit({edit}, sample_dot(i),
                                      {Revision(i - 1), [](const Dot&) { return false; }}));
    const std::string change = diff(before.sequence, typed.sequence);
    Result<Sequence> made = apply_diff(std::get<Text>(held).sequence, change, limits::kFrameBytes);
    BOOST_REQUIRE_MESSAGE(made, (made ? "" : made.error().text));
    held = Text{*std::move(made)};
    visit(typed, std::get<Text>(held));
  }
}

BOOST_AUTO_TEST_CASE(a_text_costs_no_more_where_it_came_letter_by_letter) {
  type_letters(3'000, 0, [](const Text& typed, const Text& held) {
    BOOST_REQUIRE(held == typed);
    BOOST_REQUIRE_EQUAL(size_of(held), size_of(typed));
  });
  type_letters(3'000, 10, [](const Text& typed, const Text& held) {
    BOOST_REQUIRE_EQUAL(size_of(held), size_of(typed));
    // Beside a run that goes on at the border of two chunks.
    BOOST_REQUIRE_LE(held.sequence.runs(),
                     typed.sequence.runs() + typed.sequence.runs() / SequenceTree::kChunkSpans + 1);
  });
}

// How the units of a text stand in spans is nobody's business but the sequence's.
BOOST_AUTO_TEST_CASE(maps_with_equal_texts_are_equal) {
  std::uint64_t letters = 0;
  type_letters(3'000, 10, [&](const Text& typed, const Text& held) {
    if (++letters % 100 != 0) return;
    const auto map_of = [](const Text& text) {
      Map map;
      map.fields.set({"text", ValueType::kText}, sample_field(text, 9));
      return Value(map);
    };
    BOOST_REQUIRE(map_of(held) == map_of(typed));
    BOOST_REQUIRE(content_hash(map_of(held)) == content_hash(map_of(typed)));
  });
}

BOOST_AUTO_TEST_CASE(there_is_no_delta_between_types_or_of_a_small_one) {
  const std::vector<TwoVersions> all = values_of_every_type();
  BOOST_TEST(!encode_delta(all[2].earlier, all[11].later));
  BOOST_TEST(!encode_delta(Counter{1}, Counter{2}));
  BOOST_TEST(!encode_delta(EnableFlag{}, EnableFlag{{sample_dot(1)}}));
  BOOST_TEST(!encode_delta(Register{ContentType::kText, "short"},
                           Register{ContentType::kText, "shorter"}));
  BOOST_TEST(!apply_delta(Counter{1}, "\x01\0"s));
  BOOST_TEST(!apply_delta(Counter{1}, ""));
}

// The cost law: a delta names what changed, however much there is.
BOOST_AUTO_TEST_CASE(a_delta_costs_what_changed) {
  OrSet set;
  std::vector<std::size_t> sizes;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    set.elements.set("element " + std::to_string(1'000'000 + i), {sample_dot(1000 + i)});
    if (i != 100 && i != 10'000) continue;
    OrSet later = set;
    later.elements.erase("element 1000005");
    later.elements.set("element 1000007", {sample_dot(50'000)});
    sizes.push_back(encode_delta(set, later)->size());
  }
  BOOST_TEST(sizes[0] == sizes[1]);
}

BOOST_AUTO_TEST_CASE(a_delta_is_not_cut_short_or_followed_by_anything) {
  for (const auto& [versions, delta] : with_deltas()) {
    BOOST_TEST_CONTEXT(to_text(type_of(versions.later))) {
      for (std::size_t size = 0; size < delta.size(); ++size)
        BOOST_REQUIRE(!apply_delta(versions.earlier, std::string_view(delta).substr(0, size)));
      BOOST_REQUIRE(!apply_delta(versions.earlier, delta + '\0'));
    }
  }
}

BOOST_AUTO_TEST_CASE(no_flipped_bit_gives_another_value_than_the_one_meant) {
  for (const auto& [versions, delta] : with_deltas()) {
    BOOST_TEST_CONTEXT(to_text(type_of(versions.later))) {
      for (std::size_t at = 0; at < delta.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
          std::string flipped = delta;
          flipped[at] ^= static_cast<char>(1 << bit);
          BOOST_REQUIRE(passes_only_as_itself(versions, flipped));
          if (const Result<Value> made = apply_delta(versions.earlier, flipped)) {
            if (std::holds_alternative<Text>(*made) || std::holds_alternative<List>(*made))
              check_invariants(*made);
          }
        }
    }
  }
}

BOOST_AUTO_TEST_CASE(any_bytes_are_refused_or_give_a_value_that_has_bytes) {
  Prng random(11);
  const auto all = with_deltas();
  for (int round = 0; round < 20'000; ++round) {
    const auto& [versions, delta] = all[random.below(all.size())];
    std::string bytes = random.chance(1, 4) ? std::string() : delta;
    for (std::uint64_t changes = 1 + random.below(6); changes > 0; --changes) {
      const std::size_t at = random.below(bytes.size() + 1);
      const auto byte = static_cast<char>(random.chance(1, 2) ? random.below(4) : random.next());
      if (random.chance(1, 2) || at == bytes.size()) {
        bytes.insert(at, 1, byte);
      } else if (random.chance(1, 2)) {
        bytes.erase(at, 1);
      } else {
        bytes[at] = byte;
      }
    }
    BOOST_TEST_INFO_SCOPE("round " << round << " of seed 11");
    const Result<Value> made = apply_delta(versions.earlier, bytes);
    if (made) {
      const Result<Value> decoded = decode_value(type_of(*made), encode_value(*made));
      BOOST_REQUIRE_MESSAGE(decoded, (decoded ? "" : decoded.error().text));
      BOOST_REQUIRE(*decoded == *made);
      // Whatever it says of itself must hold.
      if (std::holds_alternative<Text>(*made) || std::holds_alternative<List>(*made))
        check_invariants(*made);
    }
    BOOST_REQUIRE(passes_only_as_itself(versions, bytes));
  }
}

BOOST_AUTO_TEST_CASE(a_delta_onto_another_version_is_stale_and_onto_other_content_corrupt) {
  for (const auto& [versions, delta] : with_deltas()) {
    BOOST_TEST_CONTEXT(to_text(type_of(versions.later))) {
      const Change change = as_it_travels(versions.later, delta);
      const Record held = record_of(versions.earlier, 1);
      const Result<Change> whole = completed(change, &held);
      BOOST_REQUIRE_MESSAGE(whole, (whole ? "" : whole.error().text));
      BOOST_CHECK(whole->record->value == versions.later);
      BOOST_CHECK(whole->delta == nullptr);

      Record tombstone = held;
      tombstone.value.reset();
      const Record older = record_of(versions.earlier, 3);
      for (const Record* other :
           {static_cast<const Record*>(nullptr), &std::as_const(tombstone), &older}) {
        const Result<Change> stale = completed(change, other);
        BOOST_REQUIRE(!stale);
        BOOST_CHECK(stale.error().code == Code::kStale);
      }
    }
  }
}

// The same version with other content: a damaged replica.
BOOST_AUTO_TEST_CASE(a_delta_onto_what_was_damaged_is_caught_by_the_content_hash) {
  const std::vector<TwoVersions> all = values_of_every_type();
  for (const auto& [versions, delta] : with_deltas()) {
    for (const TwoVersions& other : all) {
      for (const Value& damaged : {other.earlier, other.later, empty_value(type_of(other.later))}) {
        const Record held = record_of(damaged, 1);
        const Result<Change> change = completed(as_it_travels(versions.later, delta), &held);
        if (change) {
          BOOST_CHECK(change->record->value == versions.later);
        } else {
          BOOST_CHECK(change.error().code == Code::kCorrupt);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(maps_in_a_delta_nest_no_deeper_than_in_a_value) {
  Value earlier = Map{};
  Value later = Map{};
  for (std::size_t i = 0; i < limits::kMapDepth; ++i) {
    const bool deepest = i == 0;
    Map from;
    Map to;
    const ValueType type = deepest ? ValueType::kRegister : ValueType::kMap;
    const std::string padding(400, 'x');
    from.fields.set({"f", type}, sample_field(deepest ? Value(Register{}) : earlier, 1));
    to.fields.set({"f", type},
                  sample_field(deepest ? Value(Register{ContentType::kText, "v"}) : later, 2));
    for (Map* map : {&from, &to})
      map->fields.set({"still", ValueType::kRegister},
                      sample_field(Register{ContentType::kText, padding}, 1));
    earlier = from;
    later = to;
  }
  const std::optional<std::string> delta = encode_delta(earlier, later);
  BOOST_REQUIRE(delta);
  BOOST_CHECK(apply_delta(earlier, *delta) == later);
  Map from;
  Map to;
  from.fields.set({"f", ValueType::kMap}, sample_field(earlier, 1));
  to.fields.set({"f", ValueType::kMap}, sample_field(later, 1));
  const std::optional<std::string> deeper = encode_delta(from, to);
  BOOST_REQUIRE(deeper);
  const Result<Value> made = apply_delta(from, *deeper);
  BOOST_REQUIRE(!made);
  BOOST_TEST(made.error().text.find("within each other") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_large_register_is_packed_alone_and_a_packed_bomb_is_refused) {
  const Value large = Register{ContentType::kJson, std::string(5'000, 'r')};
  const std::optional<std::string> packed = pack_value(large);
  BOOST_REQUIRE(packed);
  BOOST_TEST(packed->size() < 100U);
  BOOST_CHECK(unpack_value(*packed) == large);
  BOOST_TEST(!pack_value(Counter{1}));
  BOOST_TEST(!pack_value(Register{ContentType::kText, "small"}));
  BOOST_TEST(!unpack_value(""));
  BOOST_TEST(!unpack_value("\x04" + packed->substr(1)));
  const std::optional<std::string> bomb =
      pack_value(Register{ContentType::kText, std::string(limits::kValueBytes + 1, 'b')});
  BOOST_REQUIRE(bomb);
  BOOST_TEST(!unpack_value(*bomb));
  BOOST_TEST(!apply_delta(large, *bomb));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
