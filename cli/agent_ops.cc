#include "cli/agent_ops.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/agent_claims.h"
#include "cli/agent_tasks.h"
#include "cli/agent_writes.h"
#include "cli/nearest.h"
#include "cli/op_fields.h"
#include "cli/output.h"
#include "coordinator/proposal.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

const std::vector<OpForm>& op_forms() {
  static const std::vector<OpForm> kForms = [] {
    std::vector<OpForm> forms = write_forms();
    forms.insert(forms.end(), update_forms().begin(), update_forms().end());
    forms.insert(forms.end(), {{"propose", {"proposal", "proposal_id", "metadata"}},
                               {"vote", {"proposal_id", "vote", "metadata"}},
                               {"cancel", {"proposal_id"}}});
    forms.insert(forms.end(), claim_forms().begin(), claim_forms().end());
    forms.insert(forms.end(), task_forms().begin(), task_forms().end());
    forms.insert(forms.end(), {{"group", {"entries", "token"}},
                               {"get", {"key", "keys", "at_least", "timeout"}},
                               {"list", {"glob", "after", "limit", "at_least", "timeout"}},
                               {"offer", {"key", "value", "base64", "type"}},
                               {"withdraw", {"key"}},
                               {"sync", {"keys", "all", "timeout", "priority"}},
                               {"delta", {}},
                               {"status", {}},
                               {"watch", {}},
                               {"unwatch", {}},
                               {"leave", {}}});
    return forms;
  }();
  return kForms;
}

std::string hint_for(const std::string& op) {
  std::vector<std::string> names;
  std::string list;
  for (const OpForm& form : op_forms()) {
    names.emplace_back(form.op);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", form.op);
  }
  const std::string hint = did_you_mean(op, names);
  return hint.empty() ? "; expected one of " + list : hint;
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
  return read_duration(object, "timeout", millis);
}

Result<ReadCommand> read_of(const Json& object) {
  ReadCommand read;
  std::uint64_t at_least = 0;
  if (const Status revision = read_natural(object, "at_least", "a revision", 0, at_least);
      !revision)
    return std::unexpected(revision.error());
  read.at_least = Revision(at_least);
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
  if (const Status limit = read_natural(object, "limit", "a number above 0", 1, op.limit); !limit)
    return limit;
  op.ask = *std::move(read);
  return {};
}

Status parse_sync(const Json& object, AgentOp& op) {
  SyncCommand sync;
  if (const Status all = read_flag(object, "all", sync.all); !all) return all;
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

// Ordinary writes of keys with rules of their own.
Status parse_decision(const Json& object, AgentOp& op) {
  std::string id;
  if (object.find("proposal_id") != nullptr || op.op != "propose") {
    auto given = text_of(object, "proposal_id");
    if (!given) return std::unexpected(given.error());
    id = *std::move(given);
  } else {
    id = to_hex(random_seed());
  }
  if (const Status shape = check_proposal_id(id); !shape) return wrong(shape.error().text);
  auto metadata = metadata_of(object);
  if (!metadata) return std::unexpected(metadata.error());
  Entry entry{proposal_key(id), {}, {}, *std::move(metadata)};
  if (op.op == "propose") {
    const Json* proposal = object.find("proposal");
    if (proposal == nullptr) return wrong("the field \"proposal\" is missing");
    const std::string text = proposal->canonical();
    if (const auto read = read_proposal(id, text); !read) return wrong(read.error().text);
    entry.op = PutOp{ContentType::kJson, text};
  } else if (op.op == "vote") {
    const Json* vote = object.find("vote");
    if (vote == nullptr) return wrong("the field \"vote\" is missing");
    if (vote->text() == nullptr && vote->array() == nullptr)
      return wrong_type("vote", "for, against, abstain, or a list of options, the best first",
                        *vote);
    entry.key = vote_key(id, AgentId());  // whose is added where it is known
    entry.op = vote->text() != nullptr ? PutOp{ContentType::kText, *vote->text()}
                                       : PutOp{ContentType::kJson, vote->canonical()};
  } else {
    entry.op = DeleteOp{};
  }
  op.ask = WriteCommand{{}, {std::move(entry)}};
  op.proposal_id = std::move(id);
  return {};
}

Status parse_ask(const Json& object, AgentOp& op) {
  const std::string& name = op.op;
  if (is_write(name) && is_ephemeral(object)) {
    auto command = ephemeral_of(object, name);
    if (!command) return std::unexpected(command.error());
    op.ask = *std::move(command);
  } else if (is_write(name)) {
    auto entry = entry_of(object, name);
    if (!entry) return std::unexpected(entry.error());
    WriteCommand write{{}, {*std::move(entry)}};
    if (const Status as_of = read_as_of(object, write.as_of); !as_of) return as_of;
    if (const Status token = read_token(object, write.fence); !token) return token;
    op.ask = std::move(write);
  } else if (is_update(name)) {
    auto update = update_of(object, name);
    if (!update) return std::unexpected(update.error());
    if (const Status token = read_token(object, update->fence); !token) return token;
    op.ask = *std::move(update);
  } else if (name == "propose" || name == "vote" || name == "cancel") {
    return parse_decision(object, op);
  } else if (is_task(name)) {
    return parse_task(object, op);
  } else if (is_claim(name)) {
    auto claim = claim_of(object, name);
    if (!claim) return std::unexpected(claim.error());
    op.ask = *std::move(claim);
  } else if (name == "group") {
    auto group = group_of(object);
    if (!group) return std::unexpected(group.error());
    if (const Status token = read_token(object, group->fence); !token) return token;
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
  const auto form = std::ranges::find(op_forms(), op.op, &OpForm::op);
  if (form == op_forms().end()) {
    parsed.op = wrong(fmt::format("unknown op \"{}\"{}", printable(op.op, 64), hint_for(op.op)));
    return parsed;
  }
  Status status = check_fields(*object, op.op, form->fields, true);
  if (status) status = parse_ask(*object, op);
  if (!status) {
    parsed.op = std::unexpected(status.error());
  } else {
    parsed.op = std::move(op);
  }
  return parsed;
}

}  // namespace waggle::cli
