#include "cli/agent_writes.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/nearest.h"
#include "cli/op_fields.h"
#include "cli/op_words.h"
#include "cli/output.h"
#include "resolver/update.h"

namespace waggle::cli {
namespace {

const OpForm* form_of(std::string_view op) {
  const auto& forms = write_forms();
  const auto found = std::ranges::find(forms, op, &OpForm::op);
  return found == forms.end() ? nullptr : &*found;
}

// As to_text() writes it.
std::optional<Cursor> cursor_of(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at != 16) return std::nullopt;
  std::uint64_t epoch = 0;
  std::uint64_t revision = 0;
  const char* const end = text.data() + text.size();
  const auto [middle, bad] = std::from_chars(text.data(), text.data() + at, epoch, 16);
  const auto [last, wrong] = std::from_chars(text.data() + at + 1, end, revision);
  if (bad != std::errc() || wrong != std::errc() || middle != text.data() + at || last != end ||
      revision > limits::kNumberMax || epoch == 0)
    return std::nullopt;
  return Cursor{Epoch(epoch), Revision(revision)};
}

// What an update makes of the value at the path.
using Making =
    std::function<Result<Op>(const Record* standing, const std::vector<std::string>& path)>;

std::vector<std::string> write_names() {
  std::vector<std::string> names;
  for (const OpForm& form : write_forms()) names.emplace_back(form.op);
  return names;
}

// `expect`: what it means that none is given.
Result<Expect> expect_of(const Json& object, Expect expect = {}) {
  int given = 0;
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
  if (const Json* field = object.find("if_unchanged")) {
    if (field->boolean() == nullptr) return wrong_type("if_unchanged", "true or false", *field);
    if (*field->boolean()) {
      expect = ExpectUnchanged{};
      ++given;
    } else if (given == 0) {
      expect = std::monostate{};
    }
  }
  if (given > 1)
    return wrong(
        "only one of \"if_version\", \"if_absent\", \"if_mine\", \"if_unchanged\" can hold");
  return expect;
}

// "field": a name, or a list of names from the outermost map on; none: the key itself.
Result<std::vector<std::string>> path_of(const Json& object) {
  const Json* field = object.find("field");
  std::vector<std::string> path;
  if (field == nullptr) return path;
  if (field->text() != nullptr) return std::vector{*field->text()};
  constexpr std::string_view kWanted = "a name, or a list of one or more names";
  if (field->array() == nullptr || field->array()->empty())
    return wrong_type("field", kWanted, *field);
  for (const Json& name : *field->array()) {
    if (name.text() == nullptr) return wrong_type("field", kWanted, *field);
    path.push_back(*name.text());
  }
  return path;
}

// "type": one of the verb's own.
Result<ValueType> type_of(const Json& object, std::string_view op) {
  if (object.find("type") == nullptr) return types_of(op).front();
  const auto word = text_of(object, "type");
  if (!word) return std::unexpected(word.error());
  const auto type = type_for(op, *word);
  if (!type) return wrong("\"type\": " + type.error().text);
  return type;
}

Result<Op> put_of(const Json& object) {
  auto content = register_of(object);
  if (!content) return std::unexpected(content.error());
  bool beside = false;
  if (const Status read = read_flag(object, "beside", beside); !read)
    return std::unexpected(read.error());
  return PutOp{content->content, std::move(content->bytes),
               beside ? ValueType::kMultiRegister : ValueType::kRegister};
}

Result<Op> incr_of(const Json& object) {
  const auto type = type_of(object, "incr");
  if (!type) return std::unexpected(type.error());
  IncrOp incr{1, *type};
  const Json* amount = object.find("amount");
  if (amount != nullptr && !amount->integer(incr.amount))
    return wrong_type("amount", "a whole number of 64 bits", *amount);
  return incr;
}

Result<Op> set_op_of(const Json& object, std::string_view op) {
  const auto type = type_of(object, op);
  if (!type) return std::unexpected(type.error());
  auto elements = elements_of(object);
  if (!elements) return std::unexpected(elements.error());
  if (op == "add") return SetAddOp{sorted_unique(*std::move(elements)), *type};
  return SetRemoveOp{sorted_unique(*std::move(elements)), *type};
}

Result<Op> escrow_of(const Json& object, std::string_view op) {
  EscrowOp escrow;
  if (object.find("amount") == nullptr) return wrong("the field \"amount\" is missing");
  if (const Status read =
          read_natural(object, "amount", "a whole number above 0", 1, escrow.amount);
      !read)
    return std::unexpected(read.error());
  if (op == "release") escrow.verb = EscrowVerb::kRelease;
  if (op != "handover") return escrow;
  escrow.verb = EscrowVerb::kHandOver;
  auto to = text_of(object, "to");
  if (!to) return std::unexpected(to.error());
  escrow.to = AgentId(*std::move(to));
  return escrow;
}

// A number by its form or as "kind" says; text and base64 are bytes, and say so.
Result<Op> raise_of(const Json& object, std::string_view op) {
  const ValueType type = op == "max" ? ValueType::kMax : ValueType::kMin;
  std::string kind;
  if (object.find("kind") != nullptr) {
    auto word = text_of(object, "kind");
    if (!word) return std::unexpected(word.error());
    if (!is_kind(*word))
      return wrong_type("kind", "integer, natural, real or bytes", *object.find("kind"));
    kind = *std::move(word);
  }
  const Json* value = object.find("value");
  if (kind == "bytes") {
    auto bytes = register_of(object);
    if (!bytes) return std::unexpected(bytes.error());
    if (value != nullptr && value->text() == nullptr)
      return wrong_type("value", "a string, as \"kind\" is bytes", *value);
    return RaiseOp{Scalar(std::move(bytes->bytes)), type};
  }
  if (value == nullptr || object.find("base64") != nullptr)
    return wrong("expected a number in \"value\"; bytes are compared with \"kind\":\"bytes\"");
  if (!value->is_number())
    return wrong_type("value", "a number; texts are compared with \"kind\":\"bytes\"", *value);
  const auto scalar = scalar_of(value->dump(), kind);
  if (!scalar) return wrong("\"value\": " + scalar.error().text);
  return RaiseOp{*scalar, type};
}

Result<Op> flag_of(const Json& object, std::string_view op) {
  if (op == "once") return FlagOp{true, ValueType::kOnceFlag};
  const auto type = type_of(object, op);
  if (!type) return std::unexpected(type.error());
  return FlagOp{op == "on", *type};
}

Result<Op> insertion_of(const Json& object, std::uint64_t at) {
  const Json* text = object.find("text");
  if ((text == nullptr) == (object.find("elements") == nullptr))
    return wrong("expected either \"text\" or, of a list, \"elements\"");
  if (text != nullptr) {
    if (text->text() == nullptr) return wrong_type("text", "a string", *text);
    return insertion(at, {*text->text()}, ValueType::kText);
  }
  auto elements = elements_of(object);
  if (!elements) return std::unexpected(elements.error());
  return insertion(at, *std::move(elements), ValueType::kList);
}

Result<Op> edit_of(const Json& object, std::string_view op) {
  std::uint64_t at = 0;
  if (object.find("at") == nullptr) return wrong("the field \"at\" is missing");
  if (const Status read = read_natural(object, "at", "a position, 0 or more", 0, at); !read)
    return std::unexpected(read.error());
  if (op == "insert") return insertion_of(object, at);
  std::uint64_t count = 1;
  if (const Status read = read_natural(object, "count", "a whole number above 0", 1, count); !read)
    return std::unexpected(read.error());
  const auto type = type_of(object, op);
  if (!type) return std::unexpected(type.error());
  return erasure(at, count, *type);
}

// On the key or the field itself.
Result<Op> write_of(const Json& object, std::string_view op) {
  if (op == "put" || op == "setfield") return put_of(object);
  if (op == "incr") return incr_of(object);
  if (op == "reset") return ResetOp{};
  if (op == "reserve" || op == "release" || op == "handover") return escrow_of(object, op);
  if (op == "add" || op == "remove") return set_op_of(object, op);
  if (op == "max" || op == "min") return raise_of(object, op);
  if (op == "once" || op == "on" || op == "off") return flag_of(object, op);
  if (op == "insert" || op == "erase") return edit_of(object, op);
  return DeleteOp{};
}

Result<Op> place_of(const Json& object, std::string_view op) {
  auto path = path_of(object);
  if (!path) return std::unexpected(path.error());
  const bool of_field = op == "setfield" || op == "rmfield";
  if (of_field && path->empty()) return wrong("the field \"field\" is missing");
  auto bare = write_of(object, op);
  if (!bare) return bare;
  if (op != "rmfield" || object.find("type") == nullptr)
    return within(*std::move(path), *std::move(bare));
  const auto word = text_of(object, "type");
  if (!word) return std::unexpected(word.error());
  const auto type = field_type_of(*word);
  if (!type) return wrong("\"type\": " + type.error().text);
  FieldOp removal = field_op(*std::move(path), *std::move(bare));
  removal.removed_type = *type;
  return removal;
}

}  // namespace

const std::vector<OpForm>& write_forms() {
  // What makes a key where there is none can also ask that there is none.
  const auto making = [](std::string_view op, std::vector<std::string> fields) {
    fields.insert(fields.begin(), "key");
    fields.insert(fields.end(),
                  {"field", "if_version", "if_absent", "if_mine", "if_unchanged", "metadata", "token"});
    return OpForm{op, std::move(fields)};
  };
  const auto changing = [](std::string_view op, std::vector<std::string> fields) {
    fields.insert(fields.begin(), "key");
    fields.insert(fields.end(), {"field", "if_version", "if_mine", "if_unchanged", "metadata", "token"});
    return OpForm{op, std::move(fields)};
  };
  static const std::vector<OpForm> kForms = {
      making("put", {"value", "base64", "type", "beside", "ephemeral"}),
      {"delete", {"key", "field", "if_version", "if_mine", "if_unchanged", "ephemeral", "token"}},
      making("incr", {"amount", "type"}),
      changing("reset", {}),
      changing("reserve", {"amount"}),
      changing("release", {"amount"}),
      changing("handover", {"amount", "to"}),
      making("add", {"elements", "type"}),
      changing("remove", {"elements", "type"}),
      making("max", {"value", "base64", "kind"}),
      making("min", {"value", "base64", "kind"}),
      making("once", {}),
      making("on", {"type"}),
      making("off", {"type"}),
      making("setfield", {"value", "base64", "type"}),
      changing("rmfield", {"type"}),
      making("insert", {"at", "text", "elements", "as_of"}),
      changing("erase", {"at", "count", "type", "as_of"}),
  };
  return kForms;
}

bool is_write(std::string_view op) {
  return form_of(op) != nullptr;
}

Result<Entry> entry_of(const Json& object, std::string_view op) {
  const auto key = text_of(object, "key");
  if (!key) return std::unexpected(key.error());
  auto operation = place_of(object, op);
  if (!operation) return std::unexpected(operation.error());
  const auto expect = expect_of(object);
  if (!expect) return std::unexpected(expect.error());
  auto metadata = metadata_of(object);
  if (!metadata) return std::unexpected(metadata.error());
  return Entry{Key(*key), *expect, *std::move(operation), *std::move(metadata)};
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

bool is_ephemeral(const Json& object) {
  const Json* field = object.find("ephemeral");
  return field != nullptr && (field->boolean() == nullptr || *field->boolean());
}

Result<EphemeralCommand> ephemeral_of(const Json& object, std::string_view op) {
  bool ephemeral = false;
  if (const Status read = read_flag(object, "ephemeral", ephemeral); !read)
    return std::unexpected(read.error());
  for (const char* name : {"beside", "field", "if_version", "if_absent", "if_mine", "if_unchanged",
                           "token"})
    if (object.find(name) != nullptr)
      return wrong(
          fmt::format("\"{}\" can't go with \"ephemeral\": the last write of an ephemeral "
                      "key stands, whatever was there",
                      name));
  const auto key = text_of(object, "key");
  if (!key) return std::unexpected(key.error());
  auto metadata = metadata_of(object);
  if (!metadata) return std::unexpected(metadata.error());
  EphemeralCommand command{{}, Key(*key), std::nullopt, *std::move(metadata)};
  if (op == "delete") return command;
  auto content = register_of(object);
  if (!content) return std::unexpected(content.error());
  command.value = *std::move(content);
  return command;
}

const std::vector<OpForm>& update_forms() {
  static const std::vector<OpForm> kForms = [] {
    const std::vector<std::string> all = {"field",   "if_version",   "if_absent",
                                          "if_mine", "if_unchanged", "metadata", "token"};
    std::vector<OpForm> forms = {{"append", {"key", "text", "elements"}},
                                 {"patch", {"key", "patch"}}};
    for (OpForm& form : forms) form.fields.insert(form.fields.end(), all.begin(), all.end());
    return forms;
  }();
  return kForms;
}

bool is_update(std::string_view op) {
  return std::ranges::find(update_forms(), op, &OpForm::op) != update_forms().end();
}

Result<UpdateCommand> update_of(const Json& object, std::string_view op) {
  const auto key = text_of(object, "key");
  if (!key) return std::unexpected(key.error());
  if (const Status shape = check_key(*key); !shape) return std::unexpected(shape.error());
  auto path = path_of(object);
  if (!path) return std::unexpected(path.error());
  auto metadata = metadata_of(object);
  if (!metadata) return std::unexpected(metadata.error());
  auto expect = expect_of(object, op == "patch" ? Expect(ExpectUnchanged{}) : Expect());
  if (!expect) return std::unexpected(expect.error());

  Making make;
  if (op == "append") {
    auto inserted = insertion_of(object, 0);
    if (!inserted) return std::unexpected(inserted.error());
    make = [edit = std::get<EditOp>(*std::move(inserted))](
               const Record* standing, const std::vector<std::string>& at) -> Result<Op> {
      return append_op(standing, at, edit.edits.front().inserted, edit.type);
    };
  } else {
    const Json* patch = object.find("patch");
    if (patch == nullptr) return wrong("the field \"patch\" is missing");
    std::string text = patch->dump();
    const auto form = patch_form_of(text);
    if (!form) return std::unexpected(form.error());
    make = [form = *form, text = std::move(text)](const Record* standing,
                                                  const std::vector<std::string>& at) {
      return patch_op(standing, at, form, text);
    };
  }
  return UpdateCommand{{},
                       Key(*key),
                       [entry = Entry{Key(*key), *std::move(expect), {}, *std::move(metadata)},
                        path = *std::move(path), make = std::move(make)](
                           const Record* standing) -> Result<std::vector<Entry>> {
                         auto made = make(standing, path);
                         if (!made) return std::unexpected(std::move(made.error()));
                         std::vector<Entry> entries = {entry};
                         entries.front().op = *std::move(made);
                         return entries;
                       }};
}

Status read_as_of(const Json& object, std::optional<Cursor>& out) {
  const Json* field = object.find("as_of");
  if (field == nullptr) return {};
  constexpr std::string_view kWanted = "a revision, or a cursor EPOCH@REVISION";
  std::uint64_t revision = 0;
  if (field->natural(revision)) {
    out = Cursor{{}, Revision(revision)};
    return {};
  }
  if (field->text() == nullptr) return wrong_type("as_of", kWanted, *field);
  const std::optional<Cursor> cursor = cursor_of(*field->text());
  if (!cursor) return wrong_type("as_of", kWanted, *field);
  out = *cursor;
  return {};
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
    const OpForm* form = form_of(*op);
    if (is_update(*op))
      return explain(fmt::format("\"{}\" is made of what stands, and stands alone", *op));
    if (form == nullptr)
      return explain(fmt::format("a group holds writes, \"{}\" is none{}", printable(*op, 64),
                                 did_you_mean(*op, write_names())));
    if (const Status fields = check_fields(item, *op, form->fields, false); !fields)
      return explain(fields.error().text);
    if (item.find("token") != nullptr)
      return explain("a token is of the whole group: put it beside \"entries\"");
    if (is_ephemeral(item)) return explain("an ephemeral key is in no group; write it by itself");
    auto entry = entry_of(item, *op);
    if (!entry) return explain(entry.error().text);
    write.entries.push_back(*std::move(entry));
  }
  return write;
}

}  // namespace waggle::cli
