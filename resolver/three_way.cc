#include "resolver/three_way.h"

#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/diff3.h"
#include "resolver/json_merge.h"

namespace waggle {
namespace {

std::optional<ThreeWay> merge_documents(const Register& base, const Register& ours,
                                        const Register& theirs, MergeFavor favor) {
  const Result<JsonValue> began = parse_json_document(base.bytes);
  const Result<JsonValue> first = parse_json_document(ours.bytes);
  const Result<JsonValue> second = parse_json_document(theirs.bytes);
  if (!began || !first || !second) return std::nullopt;
  const JsonFavor side = favor == MergeFavor::kOurs     ? JsonFavor::kOurs
                         : favor == MergeFavor::kTheirs ? JsonFavor::kTheirs
                                                        : JsonFavor::kNone;
  const JsonMerge merged = merge_json(*began, *first, *second, {.favor = side});
  ThreeWay result;
  result.value = {ContentType::kJson, to_json(merged.value)};
  // Where it is what one side wrote, it stays as that side spelt it.
  if (result.value.bytes == to_json(*first)) {
    result.value = ours;
  } else if (result.value.bytes == to_json(*second)) {
    result.value = theirs;
  }
  for (const JsonConflict& conflict : merged.conflicts)
    result.conflicts.push_back(conflict.path.empty() ? "the whole" : conflict.path);
  return result;
}

ThreeWay merge_lines(const Register& base, const Register& ours, const Register& theirs,
                     MergeFavor favor) {
  TextMergeOptions options;
  options.markers = false;  // what stands is never a text that nobody wrote
  TextMerge merged = merge_text(base.bytes, ours.bytes, theirs.bytes, options);
  ThreeWay result;
  for (const TextConflict& conflict : merged.conflicts)
    result.conflicts.push_back(fmt::format("line {}", conflict.ours_line));
  if (favor == MergeFavor::kTheirs && !merged.automergeable) {
    options.favor = TextFavor::kTheirs;
    merged = merge_text(base.bytes, ours.bytes, theirs.bytes, options);
  }
  result.value = {ContentType::kText, std::move(merged.text)};
  return result;
}

}  // namespace

std::optional<ThreeWay> merge_three_way(const Register& base, const Register& ours,
                                        const Register& theirs, MergeFavor favor) {
  if (base.content != ours.content || ours.content != theirs.content) return std::nullopt;
  std::optional<ThreeWay> merged;
  if (ours.content == ContentType::kJson) {
    merged = merge_documents(base, ours, theirs, favor);
  } else if (ours.content == ContentType::kText) {
    merged = merge_lines(base, ours, theirs, favor);
  }
  // Both sides together may be more than a value may be.
  if (merged && merged->value.bytes.size() > limits::kValueBytes) return std::nullopt;
  return merged;
}

}  // namespace waggle
