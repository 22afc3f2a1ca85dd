// Three-way merges of JSON and of text. The first byte names which, and whether the three versions
// are as they stand, with NUL between them, or grown: a base of the bytes' choice, and what two
// sides make of it.
//
// A side that changed nothing leaves the other's change as it is; the same change on both sides is
// taken once; exchanging the sides exchanges the result; nothing of it is invented; what merges of
// itself is the same whatever is favored.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "base/shape.h"
#include "resolver/diff3.h"
#include "resolver/json_merge.h"
#include "resolver/json_patch.h"
#include "resolver/three_way.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/seeds.h"

namespace waggle {
namespace {

using testing::Input;

// ---- JSON --------------------------------------------------------------------------------------

JsonValue number_of(std::string text) {
  return {JsonValue::Number{std::move(text)}};
}

JsonValue some_scalar(Input& input) {
  const std::vector<JsonValue> scalars = {number_of("1"),
                                          number_of("2"),
                                          {std::string("s")},
                                          {true},
                                          {},
                                          number_of("2.5"),
                                          {std::string()},
                                          number_of("-9223372036854775808"),
                                          number_of("18446744073709551615")};
  return input.one_of(scalars);
}

std::string some_name(Input& input) {
  const std::vector<std::string> names = {"a", "b", "id", "c/~", "*", ""};
  return input.one_of(names);
}

JsonValue some_json(Input& input, int depth) {
  const std::size_t what = input.below(depth < 4 ? 5 : 2);
  if (what < 2) return some_scalar(input);
  if (what == 2) {
    JsonValue::Array items;
    for (std::size_t count = input.below(5); count > 0; --count)
      items.push_back(some_json(input, depth + 1));
    return {std::move(items)};
  }
  if (what == 3) {  // items with keys
    JsonValue::Array items;
    for (std::size_t count = input.below(4); count > 0; --count) {
      JsonValue::Object item{{"id", number_of(std::to_string(count))}};
      if (input.flag()) item.emplace("a", some_json(input, depth + 1));
      items.push_back({std::move(item)});
    }
    return {std::move(items)};
  }
  JsonValue::Object members;
  for (std::size_t count = input.below(5); count > 0; --count) {
    std::string name = some_name(input);
    members.insert_or_assign(std::move(name), some_json(input, depth + 1));
  }
  return {std::move(members)};
}

// One side's changes. Each step goes down to a member or an item, or changes what is there.
void change_json(JsonValue& value, Input& input, int depth) {
  if (JsonValue::Object* members = value.object(); members != nullptr && !input.rarely(8)) {
    const std::string name = some_name(input);
    const auto found = members->find(name);
    if (found == members->end()) {
      members->emplace(name, some_json(input, depth + 1));
    } else if (input.rarely(4)) {
      members->erase(found);
    } else {
      change_json(found->second, input, depth + 1);
    }
    return;
  }
  if (JsonValue::Array* items = value.array(); items != nullptr && !input.rarely(8)) {
    const std::size_t at = items->empty() ? 0 : input.below(items->size());
    const auto place = items->begin() + static_cast<std::ptrdiff_t>(at);
    switch (items->empty() ? 0 : input.below(4)) {
      case 0:
        items->insert(place, some_json(input, depth + 1));
        break;
      case 1:
        items->erase(place);
        break;
      case 2:
        std::swap((*items)[at], items->front());
        break;
      default:
        change_json(*place, input, depth + 1);
        break;
    }
    return;
  }
  value = some_json(input, depth);
}

struct Documents {
  JsonValue base;
  JsonValue ours;
  JsonValue theirs;
};

Documents grown(Input& input) {
  Documents grown;
  grown.base = some_json(input, 0);
  for (JsonValue* side : {&grown.ours, &grown.theirs}) {
    *side = grown.base;
    for (std::size_t changes = input.below(4); changes > 0; --changes) change_json(*side, input, 0);
  }
  return grown;
}

JsonConflict exchanged(JsonConflict conflict) {
  std::swap(conflict.ours, conflict.theirs);
  return conflict;
}

void check_valid(const JsonValue& merged, const Documents& of, const JsonMergeOptions& options) {
  const std::string text = to_json(merged);
  if (text.size() > limits::kValueBytes) return;
  const Result<JsonValue> read = parse_json_document(text);
  WAGGLE_CHECK(read.has_value(), read.error().text);
  WAGGLE_CHECK(to_json(*parse_json_document(to_json(*read))) == to_json(*read));
  if (options.additive_numbers) return;  // a sum may have more digits
  WAGGLE_CHECK(text.size() <= to_json(of.ours).size() + to_json(of.theirs).size(),
               "more than both sides together");
}

void merge_documents(const Documents& of, JsonMergeOptions options) {
  const auto& [base, ours, theirs] = of;
  for (const JsonValue* side : {&ours, &theirs}) {
    const JsonMerge forth = merge_json(base, *side, base, options);
    WAGGLE_CHECK(forth.automergeable() && forth.value == *side, "merge(base, x, base) is not x");
    const JsonMerge back = merge_json(base, base, *side, options);
    WAGGLE_CHECK(back.automergeable() && back.value == *side, "merge(base, base, x) is not x");
    if (options.additive_numbers) continue;
    const JsonMerge twice = merge_json(base, *side, *side, options);
    WAGGLE_CHECK(twice.automergeable() && twice.value == *side, "merge(base, x, x) is not x");
  }

  options.favor = JsonFavor::kOurs;
  const JsonMerge first = merge_json(base, ours, theirs, options);
  check_valid(first.value, of, options);
  WAGGLE_CHECK(std::ranges::is_sorted(first.conflicts, {}, &JsonConflict::path));
  options.favor = JsonFavor::kTheirs;
  const JsonMerge second = merge_json(base, theirs, ours, options);
  WAGGLE_CHECK(first.value == second.value, "exchanging the sides gives another value");
  WAGGLE_CHECK(std::ranges::equal(first.conflicts, second.conflicts, {}, {}, exchanged),
               "exchanging the sides gives other conflicts");
  for (const JsonFavor favor : {JsonFavor::kNone, JsonFavor::kTheirs, JsonFavor::kUnion}) {
    options.favor = favor;
    const JsonMerge other = merge_json(base, ours, theirs, options);
    check_valid(other.value, of, options);
    WAGGLE_CHECK(other.conflicts.size() >= first.conflicts.size() ||
                 other.conflicts == first.conflicts);
    if (first.automergeable() || favor == JsonFavor::kNone)
      WAGGLE_CHECK(other.value == first.value && other.conflicts == first.conflicts);
  }
}

void patch_documents(const JsonValue& from, const JsonValue& to) {
  const std::string before = to_json(from);
  const std::string after = to_json(to);
  const Result<std::string> patch = make_merge_patch(before, after);
  if (!patch) {
    WAGGLE_CHECK(patch.error().code == Code::kRejected);
    return;
  }
  WAGGLE_CHECK(apply_merge_patch(before, *patch) == after, "a patch that gives something else");
}

void try_documents(bool as_they_stand, Input& input) {
  JsonMergeOptions options;
  options.additive_numbers = input.rarely(4);
  if (input.flag()) {
    options.array_keys = {{"", "id"}, {"/a", "id"}, {"/*/a", "id"}, {"/a/*/a", "id"}};
  }
  Documents documents;
  if (as_they_stand) {
    for (JsonValue* one : {&documents.base, &documents.ours, &documents.theirs}) {
      Result<JsonValue> read = parse_json_document(input.up_to('\0'));
      if (!read) return;
      // Canonical once and for all: -0.0 is written as what reads as 0.
      *one = *parse_json_document(to_json(*read));
    }
  } else {
    documents = grown(input);
  }
  merge_documents(documents, options);
  patch_documents(documents.base, documents.ours);
  patch_documents(documents.ours, documents.theirs);
}

// ---- text --------------------------------------------------------------------------------------

std::string some_line(Input& input) {
  const std::vector<std::string> lines = {"a\n", "b\n",      "\n",    "a b\n",
                                          "}\n", "\u20ac x", "a\r\n", ""};
  return input.one_of(lines);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

std::string changed(std::vector<std::string> lines, Input& input) {
  for (std::size_t changes = input.below(5); changes > 0; --changes) {
    const std::size_t at = lines.empty() ? 0 : input.below(lines.size());
    if (lines.empty() || input.flag()) {
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), some_line(input));
    } else if (input.flag()) {
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      lines[at] = some_line(input);
    }
  }
  return joined(lines);
}

TextConflict exchanged(TextConflict conflict) {
  std::swap(conflict.ours, conflict.theirs);
  std::swap(conflict.ours_line, conflict.theirs_line);
  return conflict;
}

struct Texts {
  std::string base;
  std::string ours;
  std::string theirs;
};

void merge_texts(const Texts& of, TextMergeOptions options) {
  const auto& [base, ours, theirs] = of;
  for (const std::string& side : {ours, theirs}) {
    for (const TextMerge& merged :
         {merge_text(base, side, base, options), merge_text(base, base, side, options),
          merge_text(base, side, side, options)})
      WAGGLE_CHECK(merged.automergeable && merged.text == side, "a change alone is not taken");
  }
  const TextMerge first = merge_text(base, ours, theirs, options);
  const TextMerge second = merge_text(base, theirs, ours, options);
  WAGGLE_CHECK(first.automergeable == first.conflicts.empty());
  WAGGLE_CHECK(first.automergeable == second.automergeable);
  WAGGLE_CHECK(!first.automergeable || first.text == second.text,
               "exchanging the sides gives another text");
  const auto exchange = [](const TextConflict& conflict) { return exchanged(conflict); };
  WAGGLE_CHECK(std::ranges::equal(first.conflicts, second.conflicts, {}, {}, exchange),
               "exchanging the sides gives other conflicts");
  const bool utf8 = is_utf8(base) && is_utf8(ours) && is_utf8(theirs);
  if (utf8) WAGGLE_CHECK(is_utf8(first.text), "a merge that is no UTF-8");

  options.markers = false;
  options.favor = TextFavor::kOurs;
  const TextMerge mine = merge_text(base, ours, theirs, options);
  options.favor = TextFavor::kTheirs;
  const TextMerge yours = merge_text(base, theirs, ours, options);
  WAGGLE_CHECK(mine.automergeable && yours.automergeable && mine.text == yours.text);
  options.favor = TextFavor::kNone;
  const TextMerge plain = merge_text(base, ours, theirs, options);
  WAGGLE_CHECK(plain.text == mine.text && plain.automergeable == first.automergeable);
  options.favor = TextFavor::kUnion;
  const TextMerge both = merge_text(base, ours, theirs, options);
  WAGGLE_CHECK(both.automergeable && (!utf8 || is_utf8(both.text)));
  if (first.automergeable) WAGGLE_CHECK(first.text == mine.text && first.text == both.text);
  // Each byte stands for one of a side, but a separator for each conflict.
  WAGGLE_CHECK(both.text.size() <= ours.size() + theirs.size() + first.conflicts.size());
}

void try_texts(bool as_they_stand, Input& input) {
  TextMergeOptions options;
  options.unit = input.flag() ? TextUnit::kToken : TextUnit::kLine;
  options.style = static_cast<MarkerStyle>(input.below(3));
  options.marker_size = input.rarely(8) ? input.byte() : 7;
  Texts texts;
  if (as_they_stand) {
    for (std::string* text : {&texts.base, &texts.ours, &texts.theirs}) *text = input.up_to('\0');
  } else {
    std::vector<std::string> lines;
    for (std::size_t count = input.below(12); count > 0; --count) lines.push_back(some_line(input));
    texts = {joined(lines), changed(lines, input), changed(lines, input)};
  }
  merge_texts(texts, options);
}

// ---- registers ---------------------------------------------------------------------------------

void try_registers(Input& input) {
  const auto content = static_cast<ContentType>(1 + input.below(3));
  MergeRule rule;
  rule.favor = static_cast<MergeFavor>(input.below(3));
  const std::string base(input.up_to('\0'));
  const std::string ours(input.up_to('\0'));
  const std::string theirs(input.rest());
  const auto merged = merge_three_way({content, base}, {content, ours}, {content, theirs}, rule);
  if (!merged) return;
  WAGGLE_CHECK(content != ContentType::kBytes && merged->value.content == content);
  WAGGLE_CHECK(merged->value.bytes.size() <= limits::kValueBytes);
  if (content == ContentType::kJson)
    WAGGLE_CHECK(parse_json_document(merged->value.bytes).has_value());
  const auto alone = merge_three_way({content, base}, {content, ours}, {content, base}, rule);
  WAGGLE_CHECK(alone && alone->conflicts.empty() && alone->value.bytes == ours);
}

enum class What : std::uint8_t {
  kDocuments,
  kGrownDocuments,
  kTexts,
  kGrownTexts,
  kRegisters,
  kCount,
};

}  // namespace

testing::Seeds testing::seeds() {
  const std::string nul(1, '\0');
  const auto choices = [](What what, unsigned step) {
    std::string bytes(1, static_cast<char>(what));
    for (unsigned i = 0; i < 96; ++i) bytes += static_cast<char>(i * i * step + 13 * i);
    return bytes;
  };
  const std::string base = R"({"a":[{"id":1,"a":1},{"id":2}],"b":{"c":1},"n":5,"x":[1,2,3]})";
  const std::string ours = R"({"a":[{"id":2},{"id":1,"a":2}],"b":{"c":2},"n":7,"x":[1,2,3,4]})";
  const std::string theirs = R"({"a":[{"id":1,"a":1},{"id":3}],"b":{},"n":6,"x":[0,1,2,3]})";
  const std::string documents = base + nul + ours + nul + theirs;
  const std::string texts = "a\nb\nc\n" + nul + "a\nB\nc\n" + nul + "a\nb\nc\nd";
  return {
      {"documents", std::string("\0\0\0", 3) + documents},
      {"documents_by_key", std::string("\0\0\1", 3) + documents},
      {"documents_additive", std::string("\0\3\0", 3) + documents},
      {"documents_grown", choices(What::kGrownDocuments, 3)},
      {"documents_grown_more", choices(What::kGrownDocuments, 7)},
      {"texts_by_line", std::string("\2\0\0\0", 4) + texts},
      {"texts_by_token", std::string("\2\1\1\0", 4) + texts},
      {"texts_grown", choices(What::kGrownTexts, 3)},
      {"texts_grown_more", choices(What::kGrownTexts, 7)},
      {"registers_text", std::string("\4\0\0", 3) + texts},
      {"registers_json", std::string("\4\1\2", 3) + documents},
  };
}

}  // namespace waggle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle;
  Input input(data, size);
  switch (const auto what =
              static_cast<What>(input.below(static_cast<std::size_t>(What::kCount)))) {
    case What::kDocuments:
    case What::kGrownDocuments:
      try_documents(what == What::kDocuments, input);
      break;
    case What::kTexts:
    case What::kGrownTexts:
      try_texts(what == What::kTexts, input);
      break;
    default:
      try_registers(input);
      break;
  }
  return 0;
}
