#include "coordinator/proposed_write.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

Result<ProposedWrite> read_write(const DocumentFields& all, const JsonValue& item) {
  if (item.object() == nullptr)
    return all.wrong("writes", "objects with \"key\" and \"value\"", item);
  const std::string what = fmt::format("{}: \"writes\"", all.what());
  const DocumentFields fields(what, *item.object());
  const JsonValue* key = fields.find("key");
  const JsonValue* written = fields.find("value");
  if (key == nullptr || key->text() == nullptr || written == nullptr)
    return all.wrong("writes", "objects with \"key\" and \"value\"", item);
  if (Status known = fields.only({"key", "value", "if_version"}); !known)
    return std::unexpected(std::move(known.error()));
  ProposedWrite write;
  write.key = Key(*key->text());
  if (Status shape = check_key(write.key.value()); !shape)
    return std::unexpected(std::move(shape.error()));
  if (write.key.value().starts_with('~'))
    return all.wrong("writes", "no keys of the coordinator's own", *key);
  // As a put in JSON: a string is text, all else JSON.
  write.value = written->text() != nullptr ? Register{ContentType::kText, *written->text()}
                                           : Register{ContentType::kJson, to_json(*written)};
  if (fields.find("if_version") != nullptr) {
    std::uint64_t version = 0;
    if (Status read = fields.read_whole("if_version", 0, std::int64_t{1} << 53, version); !read)
      return std::unexpected(std::move(read.error()));
    write.if_version = Revision(version);
  }
  return write;
}

}  // namespace

Status read_writes(const DocumentFields& fields, std::vector<ProposedWrite>& writes) {
  const JsonValue* value = fields.find("writes");
  if (value == nullptr) return {};
  const JsonValue::Array* list = value->array();
  if (list == nullptr || list->empty() || list->size() > limits::kProposedWrites)
    return fields.wrong("writes", fmt::format("a list of 1 to {} writes", limits::kProposedWrites),
                        *value);
  std::set<Key> keys;
  for (const JsonValue& item : *list) {
    Result<ProposedWrite> write = read_write(fields, item);
    if (!write) return std::unexpected(std::move(write.error()));
    if (!keys.insert(write->key).second)
      return fields.wrong("writes", "each key once", json_text(write->key.value()));
    writes.push_back(*std::move(write));
  }
  return {};
}

JsonValue json_of(const std::vector<ProposedWrite>& writes) {
  JsonValue::Array list;
  for (const ProposedWrite& write : writes) {
    JsonValue::Object one;
    one["key"] = json_text(write.key.value());
    Result<JsonValue> value = parse_json_document(write.value.bytes);
    one["value"] = write.value.content == ContentType::kJson && value
                       ? *std::move(value)
                       : json_text(write.value.bytes);
    if (write.if_version)
      one["if_version"] = json_number(static_cast<std::int64_t>(write.if_version->value()));
    list.push_back({std::move(one)});
  }
  return {std::move(list)};
}

}  // namespace waggle
