#include "resolver/three_way.h"

#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/diff3.h"
#include "resolver/json_merge.h"

namespace waggle {
namespace {

// What a union leaves to be decided: it took both arrays, and a change before a removal.
bool is_united(const JsonConflict& conflict) {
  if (conflict.kind == JsonConflictKind::kDeleteEdit) return true;
  return conflict.ours.starts_with('[') && conflict.theirs.starts_with('[') &&
         conflict.kind != JsonConflictKind::kBothMoved;
}

std::string name_of(const JsonConflict& conflict) {
  const std::string place = conflict.path.empty() ? "the whole" : conflict.path;
  if (conflict.kind == JsonConflictKind::kBothChanged) return place;
  return fmt::format("{} ({})", place, to_text(conflict.kind));
}

std::optional<ThreeWay> merge_documents(const Register& base, const Register& ours,
                                        const Register& theirs, const MergeRule& rule) {
  const Result<JsonValue> began = parse_json_document(base.bytes);
  const Result<JsonValue> first = parse_json_document(ours.bytes);
  const Result<JsonValue> second = parse_json_document(theirs.bytes);
  if (!began || !first || !second) return std::nullopt;
  const bool favors_theirs = rule.favor == MergeFavor::kTheirs;
  JsonMergeOptions options{.favor = JsonFavor::kOurs,
                           .additive_numbers = rule.additive_numbers,
                           .array_keys = rule.array_keys};
  if (rule.unite) {
    options.favor = JsonFavor::kUnion;
  } else if (favors_theirs) {
    options.favor = JsonFavor::kTheirs;
  }
  // What a union can't unite stays as the first side has it, so that side is the favored one.
  const bool exchanged = rule.unite && favors_theirs;
  const JsonMerge merged = exchanged ? merge_json(*began, *second, *first, options)
                                     : merge_json(*began, *first, *second, options);
  ThreeWay result;
  result.value = {ContentType::kJson, to_json(merged.value)};
  // Where it is what one side wrote, it stays as that side spelt it.
  if (result.value.bytes == to_json(*first)) {
    result.value = ours;
  } else if (result.value.bytes == to_json(*second)) {
    result.value = theirs;
  }
  for (const JsonConflict& conflict : merged.conflicts)
    if (!rule.unite || !is_united(conflict)) result.conflicts.push_back(name_of(conflict));
  return result;
}

ThreeWay merge_texts(const Register& base, const Register& ours, const Register& theirs,
                     const MergeRule& rule) {
  TextMergeOptions options;
  options.unit = rule.unit;
  options.markers = false;  // what stands is never a text that nobody wrote
  if (rule.unite) options.favor = TextFavor::kUnion;
  TextMerge merged = merge_text(base.bytes, ours.bytes, theirs.bytes, options);
  ThreeWay result;
  for (const TextConflict& conflict : merged.conflicts)
    result.conflicts.push_back(fmt::format("line {}", conflict.ours_line));
  if (rule.favor == MergeFavor::kTheirs && !merged.automergeable) {
    options.favor = TextFavor::kTheirs;
    merged = merge_text(base.bytes, ours.bytes, theirs.bytes, options);
  }
  result.value = {ContentType::kText, std::move(merged.text)};
  return result;
}

}  // namespace

std::optional<ThreeWay> merge_three_way(const Register& base, const Register& ours,
                                        const Register& theirs, const MergeRule& rule) {
  if (base.content != ours.content || ours.content != theirs.content) return std::nullopt;
  std::optional<ThreeWay> merged;
  if (ours.content == ContentType::kJson) {
    merged = merge_documents(base, ours, theirs, rule);
  } else if (ours.content == ContentType::kText) {
    merged = merge_texts(base, ours, theirs, rule);
  }
  // Both sides together may be more than a value may be.
  if (merged && merged->value.bytes.size() > limits::kValueBytes) return std::nullopt;
  return merged;
}

Result<Register> merge_sides(const ParkedConflict& conflict) {
  // From nothing a removal would look like an addition of the other side.
  if (!conflict.ancestor)
    return failed(Code::kConflict,
                  "what the sides began from is not known, for it was not kept or they began from "
                  "different versions, so they can't be merged; take one, or give the value");
  std::optional<Register> value;
  for (const ConflictSide& side : conflict.sides) {
    if (!side.value)
      return failed(Code::kConflict, "a side is a deletion, so there is nothing to merge with");
    if (!value) {
      value = side.value;
      continue;
    }
    const std::optional<ThreeWay> both = merge_three_way(*conflict.ancestor, *value, *side.value);
    if (!both || !both->conflicts.empty())
      return failed(
          Code::kConflict,
          fmt::format("the sides say different things{}; take one, or give the value",
                      both && !both->conflicts.empty() ? " in " + both->conflicts.front()
                                                       : std::string(", and can't be merged")));
    value = both->value;
  }
  return *value;
}

}  // namespace waggle
