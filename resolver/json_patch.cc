#include "resolver/json_patch.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "resolver/json_document.h"
#include "resolver/json_number.h"
#include "resolver/json_pointer.h"

namespace waggle {
namespace {

// Bytes of canonical text that the copies of one patch make: what does not fit a document is of use
// only if it is removed again.
constexpr std::size_t kCopiedBytesMax = 2 * limits::kValueBytes;
// Items that move up or down in their array, and values that are looked through before they move.
constexpr std::size_t kStepsMax = std::size_t{32} << 20;

Result<JsonValue> parse_named(std::string_view what, std::string_view text) {
  Result<JsonValue> value = parse_json_document(text);
  if (!value) value.error().text = fmt::format("the {}: {}", what, value.error().text);
  return value;
}

// Nothing: there is none yet.
Result<std::optional<JsonValue>> parse_document(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Result<JsonValue> value = parse_named("document", text);
  if (!value) return std::unexpected(value.error());
  return std::move(*value);
}

Result<std::string> within_value_bytes(std::string_view what, const JsonValue& value) {
  std::string text = to_json(value);
  if (text.size() > limits::kValueBytes)
    return failed(Code::kRejected, fmt::format("the {}: {} bytes, expected at most {}", what,
                                               text.size(), limits::kValueBytes));
  return text;
}

// The beginning of a text, for an error.
std::string excerpt(std::string_view text) {
  constexpr std::size_t kExcerptBytes = 80;
  if (text.size() <= kExcerptBytes) return std::string(text);
  std::size_t end = kExcerptBytes;
  // Not within a character of several bytes.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{}...", text.substr(0, end));
}

// RFC 7396, section 2.
void merge_patch(JsonValue& target, const JsonValue& patch) {
  const JsonValue::Object* changes = patch.object();
  if (changes == nullptr) {
    target = patch;
    return;
  }
  if (target.object() == nullptr) target = JsonValue{JsonValue::Object{}};
  for (const auto& [name, change] : *changes) {
    if (change.is_null()) {
      target.object()->erase(name);
    } else {
      merge_patch((*target.object())[name], change);
    }
  }
}

// What makes `to` of `from`: by merge_patch(), `from` becomes `to`. Where they are equal, an object
// without members. `from` is null where there is nothing; `path` is where they stand.
Result<JsonValue> difference(const JsonValue* from, const JsonValue& to, const std::string& path) {
  if (to.object() == nullptr) return to;
  static const JsonValue::Object kNoMembers;
  const bool had_members = from != nullptr && from->object() != nullptr;
  const JsonValue::Object& before = had_members ? *from->object() : kNoMembers;
  JsonValue::Object changes;
  for (const auto& [name, value] : before)
    if (!to.object()->contains(name)) changes.emplace(name, JsonValue{});
  for (const auto& [name, value] : *to.object()) {
    const auto old = before.find(name);
    if (old != before.end() && old->second == value) continue;
    const std::string below = json_pointer_below(path, name);
    if (value.is_null())
      return failed(Code::kRejected,
                    fmt::format("a merge patch can't set {} to null, which removes it; use a JSON "
                                "patch or put the whole document",
                                excerpt(below)));
    Result<JsonValue> change =
        difference(old == before.end() ? nullptr : &old->second, value, below);
    if (!change) return change;
    changes.emplace(name, std::move(*change));
  }
  return JsonValue{std::move(changes)};
}

// Equality as RFC 6902 section 4.6 defines it: as ==, with numbers compared by value.
bool equal_by_value(const JsonValue& a, const JsonValue& b) {
  if (a.number() != nullptr && b.number() != nullptr)
    return equal_json_numbers(a.number()->text, b.number()->text);
  if (a.array() != nullptr && b.array() != nullptr)
    return std::ranges::equal(*a.array(), *b.array(), equal_by_value);
  if (a.object() != nullptr && b.object() != nullptr)
    return std::ranges::equal(*a.object(), *b.object(), [](const auto& one, const auto& other) {
      return one.first == other.first && equal_by_value(one.second, other.second);
    });
  return a == b;
}

struct Extent {
  std::size_t levels = 0;  // of arrays and objects within each other
  std::size_t values = 1;
};

Extent extent_of(const JsonValue& value) {
  Extent extent;
  const auto include = [&extent](const JsonValue& inner) {
    const Extent below = extent_of(inner);
    extent.levels = std::max(extent.levels, below.levels);
    extent.values += below.values;
  };
  if (const JsonValue::Array* items = value.array()) {
    for (const JsonValue& item : *items) include(item);
  } else if (const JsonValue::Object* members = value.object()) {
    for (const auto& [name, member] : *members) include(member);
  } else {
    return extent;
  }
  ++extent.levels;
  return extent;
}

std::unexpected<Error> unfit(std::string_view expected, std::string_view found) {
  return failed(Code::kRejected, fmt::format("expected {}, found {}", expected, found));
}

template <typename T>
Status to_status(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

std::string shown(const JsonValue& value) {
  return excerpt(to_json(value));
}

using Names = std::span<const std::string>;

// A document under change by the operations of one patch.
class PatchedDocument {
 public:
  explicit PatchedDocument(std::optional<JsonValue> root) : root_(std::move(root)) {}

  [[nodiscard]] const std::optional<JsonValue>& root() const { return root_; }

  [[nodiscard]] Status add(Names path, JsonValue value) {
    if (Status fits = check_levels(path, value); !fits) return fits;
    if (path.empty()) {
      root_ = std::move(value);
      return {};
    }
    Result<JsonValue*> parent = find(path.first(path.size() - 1));
    if (!parent) return std::unexpected(parent.error());
    const std::string& name = path.back();
    if (JsonValue::Object* members = (*parent)->object()) {
      members->insert_or_assign(name, std::move(value));
      return {};
    }
    JsonValue::Array* items = (*parent)->array();
    if (items == nullptr) return unfit("an array or object to add to", shown(**parent));
    const std::optional<std::size_t> index =
        name == "-" ? std::optional(items->size()) : to_array_index(name);
    if (!index || *index > items->size())
      return unfit(fmt::format("an index of 0..{} or \"-\"", items->size()),
                   fmt::format("\"{}\"", excerpt(name)));
    if (Status work = spend(steps_left_, items->size() - *index); !work) return work;
    items->insert(items->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return {};
  }

  [[nodiscard]] Result<JsonValue> remove(Names path) {
    if (path.empty())
      return unfit("a member or item", "the whole document, which a patch can't remove");
    Result<JsonValue*> found = find(path);
    if (!found) return std::unexpected(found.error());
    JsonValue removed = std::move(**found);
    JsonValue& parent = **find(path.first(path.size() - 1));
    if (JsonValue::Object* members = parent.object()) {
      members->erase(path.back());
    } else {
      JsonValue::Array& items = *parent.array();
      const std::size_t index = *to_array_index(path.back());
      if (Status work = spend(steps_left_, items.size() - index); !work)
        return std::unexpected(work.error());
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(index));
    }
    return removed;
  }

  [[nodiscard]] Status replace(Names path, JsonValue value) {
    if (Status fits = check_levels(path, value); !fits) return fits;
    Result<JsonValue*> found = find(path);
    if (!found) return std::unexpected(found.error());
    **found = std::move(value);
    return {};
  }

  [[nodiscard]] Status move(Names from, Names path) {
    if (from.size() < path.size() && std::ranges::equal(from, path.first(from.size())))
      return unfit("a path outside of \"from\"", "a path below it");
    if (std::ranges::equal(from, path)) return to_status(find(path));
    Result<JsonValue> moved = remove(from);
    if (!moved) return std::unexpected(moved.error());
    return add(path, std::move(*moved));
  }

  [[nodiscard]] Status copy(Names from, Names path) {
    Result<JsonValue*> found = find(from);
    if (!found) return std::unexpected(found.error());
    if (Status work = spend(copied_bytes_left_, to_json(**found).size()); !work) return work;
    return add(path, **found);
  }

  [[nodiscard]] Status test(Names path, const JsonValue& value) {
    Result<JsonValue*> found = find(path);
    if (!found) return std::unexpected(found.error());
    if (!equal_by_value(**found, value)) return unfit(shown(value), shown(**found));
    return {};
  }

 private:
  // Valid until the document changes.
  [[nodiscard]] Result<JsonValue*> find(Names path) {
    if (!root_) return unfit("a document", "none; add one at \"\" first");
    JsonValue* at = &*root_;
    for (const std::string& name : path) {
      if (JsonValue::Object* members = at->object()) {
        const auto member = members->find(name);
        if (member == members->end())
          return unfit(fmt::format("a member \"{}\"", excerpt(name)), shown(*at));
        at = &member->second;
      } else if (JsonValue::Array* items = at->array()) {
        const std::optional<std::size_t> index = to_array_index(name);
        if (!index || *index >= items->size())
          return unfit(fmt::format("an index below {}", items->size()),
                       fmt::format("\"{}\"", excerpt(name)));
        at = &(*items)[*index];
      } else {
        return unfit(fmt::format("an array or object that holds \"{}\"", excerpt(name)),
                     shown(*at));
      }
    }
    return at;
  }

  [[nodiscard]] Status check_levels(Names path, const JsonValue& value) {
    const Extent extent = extent_of(value);
    if (path.size() + extent.levels > kJsonNestingMax)
      return unfit(fmt::format("at most {} levels", kJsonNestingMax),
                   fmt::format("{}", path.size() + extent.levels));
    return spend(steps_left_, extent.values);
  }

  [[nodiscard]] static Status spend(std::size_t& left, std::size_t amount) {
    if (amount > left)
      return failed(Code::kRejected,
                    "the patch asks for too much work; put the whole document instead");
    left -= amount;
    return {};
  }

  std::optional<JsonValue> root_;
  std::size_t steps_left_ = kStepsMax;
  std::size_t copied_bytes_left_ = kCopiedBytesMax;
};

// One operation, as it is written.
class Operation {
 public:
  explicit Operation(const JsonValue& written) : written_(written) {}

  [[nodiscard]] Status apply(PatchedDocument& document) const {
    if (written_.object() == nullptr) return unfit("an object", shown(written_));
    Result<std::string> kind = text("op");
    if (!kind) return std::unexpected(kind.error());
    Result<std::vector<std::string>> path = pointer("path");
    if (!path) return std::unexpected(path.error());
    if (*kind == "remove") return to_status(document.remove(*path));
    if (*kind == "move" || *kind == "copy") {
      Result<std::vector<std::string>> from = pointer("from");
      if (!from) return std::unexpected(from.error());
      return *kind == "move" ? document.move(*from, *path) : document.copy(*from, *path);
    }
    if (*kind != "add" && *kind != "replace" && *kind != "test")
      return unfit("\"op\" to be add, remove, replace, move, copy or test",
                   fmt::format("\"{}\"", excerpt(*kind)));
    const JsonValue* value = member("value");
    if (value == nullptr) return unfit("a member \"value\"", shown(written_));
    if (*kind == "add") return document.add(*path, *value);
    return *kind == "replace" ? document.replace(*path, *value) : document.test(*path, *value);
  }

  // For an error: "operation 2 (remove "/a/b")".
  [[nodiscard]] std::string name(std::size_t number) const {
    const Result<std::string> kind = text("op");
    const Result<std::string> path = text("path");
    if (!kind || !path) return fmt::format("operation {}", number);
    return fmt::format("operation {} ({} \"{}\")", number, excerpt(*kind), excerpt(*path));
  }

 private:
  [[nodiscard]] const JsonValue* member(const std::string& name) const {
    const JsonValue::Object* members = written_.object();
    if (members == nullptr) return nullptr;
    const auto at = members->find(name);
    return at == members->end() ? nullptr : &at->second;
  }
  [[nodiscard]] Result<std::string> text(const std::string& name) const {
    const JsonValue* found = member(name);
    if (found == nullptr) return unfit(fmt::format("a member \"{}\"", name), shown(written_));
    if (found->text() == nullptr)
      return unfit(fmt::format("\"{}\" to be a string", name), shown(*found));
    return *found->text();
  }
  [[nodiscard]] Result<std::vector<std::string>> pointer(const std::string& name) const {
    const Result<std::string> written = text(name);
    if (!written) return std::unexpected(written.error());
    auto names = parse_json_pointer(*written);
    if (!names)
      names.error().text = fmt::format("{}, found \"{}\"", names.error().text, excerpt(*written));
    return names;
  }

  const JsonValue& written_;  // of the patch, which outlives this
};

}  // namespace

Result<std::string> apply_merge_patch(std::string_view document, std::string_view patch) {
  Result<std::optional<JsonValue>> parsed = parse_document(document);
  if (!parsed) return std::unexpected(parsed.error());
  JsonValue target = std::move(*parsed).value_or(JsonValue{});
  const Result<JsonValue> changes = parse_named("patch", patch);
  if (!changes) return std::unexpected(changes.error());
  merge_patch(target, *changes);
  return within_value_bytes("patched document", target);
}

Result<std::string> apply_json_patch(std::string_view document, std::string_view patch) {
  Result<std::optional<JsonValue>> root = parse_document(document);
  if (!root) return std::unexpected(root.error());
  const Result<JsonValue> operations = parse_named("patch", patch);
  if (!operations) return std::unexpected(operations.error());
  if (operations->array() == nullptr)
    return unfit("the patch to be an array of operations", operations->kind());

  PatchedDocument patched(std::move(*root));
  std::size_t number = 0;
  for (const JsonValue& written : *operations->array()) {
    const Operation operation(written);
    ++number;
    if (Status applied = operation.apply(patched); !applied)
      return failed(applied.error().code,
                    fmt::format("{}: {}", operation.name(number), applied.error().text));
  }
  if (!patched.root()) return unfit("an operation that adds a document at \"\"", "none");
  return within_value_bytes("patched document", *patched.root());
}

Result<std::string> make_merge_patch(std::string_view from, std::string_view to) {
  const Result<std::optional<JsonValue>> before = parse_document(from);
  if (!before) return std::unexpected(before.error());
  const Result<JsonValue> after = parse_named("wanted document", to);
  if (!after) return std::unexpected(after.error());
  const Result<JsonValue> changes =
      difference(before->has_value() ? &**before : nullptr, *after, "");
  if (!changes) return std::unexpected(changes.error());
  return within_value_bytes("merge patch", *changes);
}

}  // namespace waggle
