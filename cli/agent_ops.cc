#include "cli/agent_ops.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/durations.h"
#include "cli/nearest.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

std::unexpected<Error> wrong(std::string text) {
  return failed(Code::kRejected, std::move(text));
}

std::unexpected<Error> wrong_type(std::string_view name, std::string_view wanted,
                                  const Json& found) {
  return wrong(
      fmt::format("\"{}\": expected {}, found {}", name, wanted, printable(found.dump(), 64)));
}

const std::vector<std::string>& fields_of(std::string_view op) {
  using Names = std::vector<std::string>;
  static const std::vector<std::pair<std::string_view, Names>> kFields = {
      {"put", {"key", "value", "base64", "type", "if_version", "if_absent", "if_mine", "metadata"}},
      {"delete", {"key", "if_version", "if_mine"}},
      {"incr", {"key", "amount", "if_version", "if_absent", "if_mine", "metadata"}},
      {"add", {"key", "elements", "if_version", "if_absent", "if_mine", "metadata"}},
      {"remove", {"key", "elements", "if_version", "if_mine", "metadata"}},
      {"group", {"entries"}},
      {"get", {"key", "keys", "at_least", "timeout"}},
      {"list", {"glob", "after", "limit", "at_least", "timeout"}},
      {"offer", {"key", "value", "base64", "type"}},
      {"withdraw", {"key"}},
      {"sync", {"keys", "all", "timeout", "priority"}},
      {"delta", {}},
      {"status", {}},
      {"watch", {}},
      {"unwatch", {}},
      {"leave", {}},
  };
  static const Names kNone;
  for (const auto& [name, fields] : kFields)
    if (name == op) return fields;
  return kNone;
}

const std::vector<std::string>& op_names() {
  static const std::vector<std::string> kNames = {
      "put",   "get",      "list", "incr",  "add",    "remove", "delete",  "group",
      "offer", "withdraw", "sync", "delta", "status", "watch",  "unwatch", "leave"};
  return kNames;
}

Status check_fields(const Json& object, std::string_view op, bool with_id) {
  const std::vector<std::string>& known = fields_of(op);
  for (const auto& [name, value] : *object.object()) {
    if (name == "op" || (name == "id" && with_id)) continue;
    if (std::find(known.begin(), known.end(), name) == known.end())
      return wrong(fmt::format("\"{}\" has no field \"{}\"{}", op, printable(name, 64),
                               did_you_mean(name, known)));
  }
  return {};
}

Result<std::string> text_of(const Json& object, std::string_view name) {
  const Json* field = object.find(name);
  if (field == nullptr) return wrong(fmt::format("the field \"{}\" is missing", name));
  if (field->text() == nullptr) return wrong_type(name, "a string", *field);
  return *field->text();
}

// The element itself, or {"base64":...} for one that is not UTF-8.
Result<std::string> element_of(const Json& item) {
  if (item.text() != nullptr) return *item.text();
  const Json* base64 = item.find("base64");
  if (base64 == nullptr || base64->text() == nullptr)
    return wrong_type("elements", "strings, or {\"base64\":...} for bytes", item);
  return from_base64(*base64->text());
}

Result<std::vector<std::string>> elements_of(const Json& object) {
  const Json* field = object.find("elements");
  if (field == nullptr) return wrong("the field \"elements\" is missing");
  if (field->array() == nullptr || field->array()->empty())
    return wrong_type("elements", "a list of one or more strings", *field);
  std::vector<std::string> elements;
  for (const Json& item : *field->array()) {
    auto element = element_of(item);
    if (!element) return std::unexpected(element.error());
    elements.push_back(*std::move(element));
  }
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

Result<Expect> expect_of(const Json& object) {
  int given = 0;
  Expect expect;
  std::uint64_t number = 0;
  if (const Json* field = object.find("if_version")) {
    if (!field->natural(number)) return wrong_type("if_version", "a version, 0 or more", *field);
    expect = ExpectVersion{Revision(number)};
    ++given;
  }
  if (const Json* field = object.find("if_absent")) {
    if (field->boolean() == nullptr) return wrong_type("if_absent", "true or false", *field);
    if (*field->boolean()) {
      expect = ExpectVersion{Revision(0)};
      ++given;
    }
  }
  if (const Json* field = object.find("if_mine")) {
    if (!field->natural(number) || number == 0)
      return wrong_type("if_mine", "the seq of an own write", *field);
    expect = ExpectMine{Seq(number)};
    ++given;
  }
  if (given > 1) return wrong("only one of \"if_version\", \"if_absent\", \"if_mine\" can hold");
  return expect;
}

Result<Metadata> metadata_of(const Json& object) {
  Metadata metadata;
  const Json* field = object.find("metadata");
  if (field == nullptr) return metadata;
  if (field->object() == nullptr) return wrong_type("metadata", "an object of strings", *field);
  for (const auto& [name, value] : *field->object()) {
    if (value.text() == nullptr) return wrong_type("metadata", "an object of strings", value);
    metadata[name] = *value.text();
  }
  return metadata;
}

Result<Op> write_of(const Json& object, std::string_view op) {
  if (op == "delete") return DeleteOp{};
  if (op == "incr") {
    IncrOp incr{1};
    const Json* amount = object.find("amount");
    if (amount != nullptr && !amount->integer(incr.amount))
      return wrong_type("amount", "a whole number of 64 bits", *amount);
    return incr;
  }
  if (op == "put") {
    auto content = register_of(object);
    if (!content) return std::unexpected(content.error());
    return PutOp{content->content, std::move(content->bytes)};
  }
  auto elements = elements_of(object);
  if (!elements) return std::unexpected(elements.error());
  if (op == "add") return SetAddOp{*std::move(elements)};
  return SetRemoveOp{*std::move(elements)};
}

bool is_write(std::string_view op) {
  return op == "put" || op == "delete" || op == "incr" || op == "add" || op == "remove";
}

Result<Entry> entry_of(const Json& object, std::string_view op) {
  const auto key = text_of(object, "key");
  if (!key) return std::unexpected(key.error());
  auto operation = write_of(object, op);
  if (!operation) return std::unexpected(operation.error());
  const auto expect = expect_of(object);
  if (!expect) return std::unexpected(expect.error());
  auto metadata = metadata_of(object);
  if (!metadata) return std::unexpected(metadata.error());
  return Entry{Key(*key), *expect, *std::move(operation), *std::move(metadata)};
}

Result<WriteCommand> group_of(const Json& object) {
  const Json* entries = object.find("entries");
  if (entries == nullptr) return wrong("the field \"entries\" is missing");
  if (entries->array() == nullptr || entries->array()->empty())
    return wrong_type("entries", "a list of one or more writes", *entries);
  WriteCommand write;
  for (std::size_t i = 0; i < entries->array()->size(); ++i) {
    const Json& item = (*entries->array())[i];
    const auto explain = [&](const std::string& text) {
      return wrong(fmt::format("entry {} of the group: {}", i + 1, text));
    };
    if (item.object() == nullptr)
      return explain(fmt::format("expected an object, found {}", item.kind()));
    const auto op = text_of(item, "op");
    if (!op) return explain(op.error().text);
    if (!is_write(*op))
      return explain(fmt::format("a group holds put, delete, incr, add and remove, not \"{}\"",
                                 printable(*op, 64)));
    if (const Status fields = check_fields(item, *op, false); !fields)
      return explain(fields.error().text);
    auto entry = entry_of(item, *op);
    if (!entry) return explain(entry.error().text);
    write.entries.push_back(*std::move(entry));
  }
  return write;
}

Result<std::vector<Key>> keys_of(const Json& list) {
  if (list.array() == nullptr || list.array()->empty())
    return wrong_type("keys", "a list of one or more strings", list);
  std::vector<Key> keys;
  for (const Json& item : *list.array()) {
    if (item.text() == nullptr) return wrong_type("keys", "strings", item);
    if (const Status shape = check_key(*item.text()); !shape) return std::unexpected(shape.error());
    keys.emplace_back(*item.text());
  }
  return keys;
}

Status timeout_of(const Json& object, std::int64_t& millis) {
  const Json* field = object.find("timeout");
  if (field == nullptr) return {};
  if (field->text() == nullptr) return wrong_type("timeout", "a duration such as \"10s\"", *field);
  const auto duration = parse_duration(*field->text());
  if (!duration) return wrong("\"timeout\": " + duration.error().text);
  millis = *duration;
  return {};
}

Result<ReadCommand> read_of(const Json& object) {
  ReadCommand read;
  std::uint64_t number = 0;
  if (const Json* field = object.find("at_least")) {
    if (!field->natural(number)) return wrong_type("at_least", "a revision", *field);
    read.at_least = Revision(number);
  }
  if (const Status timeout = timeout_of(object, read.timeout_millis); !timeout)
    return std::unexpected(timeout.error());
  return read;
}

Status parse_get(const Json& object, AgentOp& op) {
  auto read = read_of(object);
  if (!read) return std::unexpected(read.error());
  const Json* key = object.find("key");
  const Json* keys = object.find("keys");
  if ((key == nullptr) == (keys == nullptr)) return wrong("expected either \"key\" or \"keys\"");
  Json one;
  op.single = key != nullptr;
  if (op.single) {
    if (key->text() == nullptr) return wrong_type("key", "a string", *key);
    one.push(*key);
  }
  auto wanted = keys_of(op.single ? one : *keys);
  if (!wanted) return std::unexpected(wanted.error());
  read->keys = *std::move(wanted);
  op.ask = *std::move(read);
  return {};
}

Status parse_list(const Json& object, AgentOp& op) {
  auto read = read_of(object);
  if (!read) return std::unexpected(read.error());
  for (const auto& [name, out] : {std::pair{"glob", &read->glob}, std::pair{"after", &op.after}}) {
    if (object.find(name) == nullptr) continue;
    auto text = text_of(object, name);
    if (!text) return std::unexpected(text.error());
    *out = *std::move(text);
  }
  const Json* limit = object.find("limit");
  if (limit != nullptr && (!limit->natural(op.limit) || op.limit == 0))
    return wrong_type("limit", "a number above 0", *limit);
  op.ask = *std::move(read);
  return {};
}

Status parse_sync(const Json& object, AgentOp& op) {
  SyncCommand sync;
  const Json* all = object.find("all");
  if (all != nullptr && all->boolean() == nullptr) return wrong_type("all", "true or false", *all);
  sync.all = all != nullptr && *all->boolean();
  const Json* keys = object.find("keys");
  if (sync.all == (keys != nullptr)) return wrong("expected either \"keys\" or \"all\":true");
  if (keys != nullptr) {
    auto wanted = keys_of(*keys);
    if (!wanted) return std::unexpected(wanted.error());
    sync.keys = *std::move(wanted);
  }
  if (const Status timeout = timeout_of(object, sync.timeout_millis); !timeout) return timeout;
  if (object.find("priority") != nullptr) {
    const auto word = text_of(object, "priority");
    if (!word) return std::unexpected(word.error());
    sync.priority_given = true;
    if (*word == "critical") {
      sync.priority = Priority::kCritical;
    } else if (*word == "high") {
      sync.priority = Priority::kHigh;
    } else if (*word != "normal") {
      return wrong(fmt::format("\"priority\": expected normal, high or critical, found \"{}\"",
                               printable(*word, 64)));
    }
  }
  op.ask = std::move(sync);
  return {};
}

Status parse_offer(const Json& object, bool withdraw, AgentOp& op) {
  auto key = text_of(object, "key");
  if (!key) return std::unexpected(key.error());
  OfferCommand offer;
  offer.key = Key(*std::move(key));
  if (!withdraw) {
    auto content = register_of(object);
    if (!content) return std::unexpected(content.error());
    offer.value = *std::move(content);
  }
  op.ask = std::move(offer);
  return {};
}

Status parse_ask(const Json& object, AgentOp& op) {
  const std::string& name = op.op;
  if (is_write(name)) {
    auto entry = entry_of(object, name);
    if (!entry) return std::unexpected(entry.error());
    op.ask = WriteCommand{{}, {*std::move(entry)}};
  } else if (name == "group") {
    auto group = group_of(object);
    if (!group) return std::unexpected(group.error());
    op.ask = *std::move(group);
  } else if (name == "get") {
    return parse_get(object, op);
  } else if (name == "list") {
    return parse_list(object, op);
  } else if (name == "offer" || name == "withdraw") {
    return parse_offer(object, name == "withdraw", op);
  } else if (name == "sync") {
    return parse_sync(object, op);
  } else if (name == "delta") {
    op.ask = CatchUpCommand{};
  } else if (name == "status") {
    op.ask = StatusCommand{};
  } else {
    op.ask = name == "watch"     ? LocalOp::kWatch
             : name == "unwatch" ? LocalOp::kUnwatch
                                 : LocalOp::kLeave;
  }
  return {};
}

}  // namespace

Result<Register> register_of(const Json& object) {
  const Json* value = object.find("value");
  const Json* base64 = object.find("base64");
  std::string type;
  if (object.find("type") != nullptr) {
    auto word = text_of(object, "type");
    if (!word) return std::unexpected(word.error());
    type = *std::move(word);
    if (type != "text" && type != "json" && type != "bytes")
      return wrong(
          fmt::format("\"type\": expected text, json or bytes, found \"{}\"", printable(type, 64)));
  }
  if ((value == nullptr) == (base64 == nullptr))
    return wrong("expected either \"value\" or, for bytes, \"base64\"");
  if (base64 != nullptr || type == "bytes") {
    // With "type":"bytes" the value itself is base64 too.
    const Json& text = base64 != nullptr ? *base64 : *value;
    if (text.text() == nullptr)
      return wrong_type(base64 != nullptr ? "base64" : "value", "base64 in a string", text);
    auto bytes = from_base64(*text.text());
    if (!bytes) return std::unexpected(bytes.error());
    if (type == "json") {
      const auto parsed = parse_json(*bytes);
      if (!parsed) return wrong("\"base64\": not JSON, as \"type\" says: " + parsed.error().text);
      return Register{ContentType::kJson, parsed->canonical()};
    }
    if (type == "text" && !is_utf8(*bytes))
      return wrong("\"base64\": not UTF-8, so it is no text; use \"type\":\"bytes\"");
    return Register{type == "text" ? ContentType::kText : ContentType::kBytes, *std::move(bytes)};
  }
  if (type == "text" && value->text() == nullptr)
    return wrong_type("value", "a string, as \"type\" is text", *value);
  if (type != "json" && value->text() != nullptr)
    return Register{ContentType::kText, *value->text()};
  return Register{ContentType::kJson, value->canonical()};
}

ParsedOp parse_op(std::string_view line) {
  const auto object = parse_json(line);
  if (!object)
    return {{},
            wrong(fmt::format("expected one JSON object a line, such as {{\"op\":\"get\","
                              "\"key\":\"plan\"}}: {}",
                              object.error().text))};
  if (object->object() == nullptr)
    return {{}, wrong(fmt::format("expected a JSON object, found {}", object->kind()))};
  ParsedOp parsed{{}, AgentOp{}};
  if (const Json* id = object->find("id")) parsed.id = *id;
  const auto name = text_of(*object, "op");
  if (!name) {
    parsed.op = std::unexpected(name.error());
    return parsed;
  }
  AgentOp op;
  op.id = parsed.id;
  op.op = *name == "quit" ? "leave" : *name;
  const std::vector<std::string>& known = op_names();
  if (std::find(known.begin(), known.end(), op.op) == known.end()) {
    std::string hint = did_you_mean(op.op, known);
    if (hint.empty()) {
      hint = "; expected one of ";
      for (const std::string& one : known) hint += (&one == known.data() ? "" : ", ") + one;
    }
    parsed.op = wrong(fmt::format("unknown op \"{}\"{}", printable(op.op, 64), hint));
    return parsed;
  }
  Status status = check_fields(*object, op.op, true);
  if (status) status = parse_ask(*object, op);
  if (!status) {
    parsed.op = std::unexpected(status.error());
  } else {
    parsed.op = std::move(op);
  }
  return parsed;
}

}  // namespace waggle::cli
