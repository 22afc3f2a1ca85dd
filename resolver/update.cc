#include "resolver/update.h"

#include <utility>

#include <fmt/format.h>

#include "resolver/json_patch.h"

namespace waggle {
namespace {

Op within(std::vector<std::string> path, Op op) {
  if (path.empty()) return op;
  return field_op(std::move(path), std::move(op));
}

}  // namespace

const Value* value_at(const Record* record, const std::vector<std::string>& path, ValueType type) {
  if (record == nullptr || !record->live()) return nullptr;
  const Value* value = &*record->value;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Map* map = std::get_if<Map>(value);
    if (map == nullptr) return nullptr;
    const bool last = i + 1 == path.size();
    const Field* field = map->fields.find(FieldId{path[i], last ? type : ValueType::kMap});
    if (field == nullptr) return nullptr;
    value = &field->value->value;
  }
  return type_of(*value) == type ? value : nullptr;
}

Op append_op(const Record* standing, std::vector<std::string> path,
             std::vector<std::string> inserted, ValueType type) {
  const Value* value = value_at(standing, path, type);
  const std::uint64_t end = value == nullptr ? 0 : count_of(*value);
  return within(std::move(path),
                EditOp{{{.at = end, .removed = 0, .inserted = std::move(inserted)}}, type});
}

Result<PatchForm> patch_form_of(std::string_view patch) {
  const std::size_t first = patch.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && patch[first] == '{') return PatchForm::kMerge;
  if (first != std::string_view::npos && patch[first] == '[') return PatchForm::kList;
  return failed(Code::kRejected,
                "a patch: expected an object, which is merged into the document (RFC 7396), or a "
                "list of operations (RFC 6902)");
}

Result<Op> patch_op(const Record* standing, std::vector<std::string> path, PatchForm form,
                    std::string_view patch) {
  const Value* value = value_at(standing, path, ValueType::kRegister);
  std::string_view document;
  if (value != nullptr) {
    const auto& reg = std::get<Register>(*value);
    if (reg.content != ContentType::kJson)
      return failed(Code::kRejected,
                    fmt::format("a patch is for JSON, and what stands is {}; put a JSON document "
                                "first",
                                reg.content == ContentType::kText ? "text" : "bytes"));
    document = reg.bytes;
  }
  Result<std::string> patched = form == PatchForm::kMerge ? apply_merge_patch(document, patch)
                                                          : apply_json_patch(document, patch);
  if (!patched) return std::unexpected(std::move(patched.error()));
  return within(std::move(path), PutOp{ContentType::kJson, *std::move(patched)});
}

}  // namespace waggle
