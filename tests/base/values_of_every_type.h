#pragma once

// One value of each type with something in every part of it, and a later version of it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"

namespace waggle {

struct TwoVersions {
  Value earlier;
  Value later;
};

inline Dot sample_dot(std::uint64_t revision, const char* agent = "a") {
  return {Revision(revision), 0, {AgentId(agent), Incarnation(7), Seq(revision + 3)}};
}

inline Field sample_field(Value value, std::uint64_t revision) {
  return {std::make_shared<const Nested>(Nested{std::move(value)}),
          Hlc::of(revision, 1),
          {sample_dot(revision), sample_dot(revision + 1, "b")}};
}

inline Sequence sample_sequence(SequenceUnit unit, std::uint64_t edits) {
  Sequence sequence(unit);
  for (std::uint64_t i = 1; i <= edits; ++i) {
    const SequenceEdit edit{
        sequence.size() / 2, i % 3 == 0 ? 1U : 0U, {"a\u20ac" + std::to_string(i)}};
    const Status edited = sequence.edit({edit}, sample_dot(i, i % 2 == 0 ? "a" : "b"),
                                        {Revision(i - 1), [](const Dot&) { return false; }});
    if (!edited) return Sequence(unit);
  }
  sequence.fold(Revision(edits / 3));
  return sequence;
}

// Beside the versions many elements that do not change, so that a delta is worth it.
inline std::vector<TwoVersions> values_of_every_type() {
  OrSet set;
  GrowSet growing;
  RemoveWinsSet removing;
  Map map;
  for (std::uint64_t i = 0; i < 12; ++i) {
    const std::string name = "e" + std::to_string(i);
    set.elements.set(name, {sample_dot(i + 1), sample_dot(i + 2, "b")});
    growing.elements.set(name, {});
    removing.elements.set(name, {{sample_dot(i + 1)}, i == 3 ? Dots{sample_dot(i + 2)} : Dots{}});
    map.fields.set({name, ValueType::kCounter}, sample_field(Counter{5}, i + 1));
  }
  removing.removed = 1;
  removing.swept = Revision(1);
  map.fields.set({"inner", ValueType::kMap}, sample_field(map, 20));
  map.fields.set({"text", ValueType::kText},
                 sample_field(Text{sample_sequence(SequenceUnit::kScalar, 9)}, 20));

  OrSet later_set = set;
  later_set.elements.erase("e2");
  later_set.elements.set("e3", {sample_dot(30, "c")});
  later_set.elements.set("new\xff", {sample_dot(31)});
  GrowSet later_growing = growing;
  later_growing.elements.set("new", {});
  RemoveWinsSet later_removing = removing;
  later_removing.elements.erase("e3");
  later_removing.elements.set("e4", {{}, {sample_dot(30)}});
  later_removing.elements.set("new", {{sample_dot(31)}, {sample_dot(32, "b")}});
  later_removing.removed = 2;
  later_removing.swept = Revision(4);
  Map later_inner = map;
  later_inner.fields.set({"e1", ValueType::kMax}, sample_field(MaxValue{2.5}, 30));
  Map later_map = map;
  later_map.fields.erase(FieldId{"e2", ValueType::kCounter});
  later_map.fields.set({"e3", ValueType::kCounter}, sample_field(Counter{6}, 30));
  later_map.fields.set({"inner", ValueType::kMap}, sample_field(later_inner, 31));
  later_map.fields.set({"text", ValueType::kText},
                       sample_field(Text{sample_sequence(SequenceUnit::kScalar, 11)}, 31));
  const std::string prose(600, 'p');
  return {
      {Register{ContentType::kJson, prose}, Register{ContentType::kText, prose + "!"}},
      {Counter{-5}, Counter{1'000'000}},
      {set, later_set},
      {MaxValue{std::int64_t{-3}}, MaxValue{std::uint64_t{3}}},
      {MinValue{-2.5}, MinValue{std::string("\0z", 2)}},
      {OnceFlag{}, OnceFlag{}},
      {GrowCounter{1}, GrowCounter{UINT64_MAX}},
      {ResettableCounter{-7, Revision(3), {{sample_dot(4), 9}, {sample_dot(5, "b"), -1}}},
       ResettableCounter{2, Revision(4), {{sample_dot(5, "b"), -1}}}},
      {BoundedCounter{5, {{AgentId("a"), 2}, {AgentId("b"), 300}}}, BoundedCounter{5, {}}},
      {EnableFlag{{sample_dot(1), sample_dot(2, "b")}}, EnableFlag{}},
      {DisableFlag{{sample_dot(1)}}, DisableFlag{{sample_dot(9)}}},
      {growing, later_growing},
      {removing, later_removing},
      {MultiRegister{{{sample_dot(1), Hlc::of(5, 1), {ContentType::kText, "one"}},
                      {sample_dot(2, "b"), Hlc::of(4, 0), {ContentType::kBytes, ""}}}},
       MultiRegister{{{sample_dot(3), Hlc::of(6, 1), {ContentType::kText, "two"}}}}},
      {map, later_map},
      {List{sample_sequence(SequenceUnit::kElement, 9)},
       List{sample_sequence(SequenceUnit::kElement, 11)}},
      {Text{sample_sequence(SequenceUnit::kScalar, 9)},
       Text{sample_sequence(SequenceUnit::kScalar, 11)}},
  };
}

}  // namespace waggle
