#include "cli/agent_tasks.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/op_fields.h"
#include "coordinator/task.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

constexpr std::int64_t kTtlMillis = 30'000;

Status parse_claim(const Json& object, AgentOp& op) {
  ClaimCommand claim;
  claim.ttl_millis = kTtlMillis;
  std::string ids = "*";
  if (object.find("of") != nullptr) {
    Result<std::string> given = text_of(object, "of");
    if (!given) return std::unexpected(std::move(given.error()));
    ids = *std::move(given);
  }
  claim.pattern = fmt::format("{}{}", kTaskKeys, ids);
  if (const Json* can = object.find("can")) {
    if (can->array() == nullptr) return wrong_type("can", "a list of strings", *can);
    for (const Json& name : *can->array()) {
      if (name.text() == nullptr) return wrong_type("can", "strings", name);
      claim.can.push_back(*name.text());
    }
  }
  for (const auto& [name, out] :
       {std::pair{"ttl", &claim.ttl_millis}, std::pair{"wait", &claim.wait_millis}})
    if (Status read = read_duration(object, name, *out); !read) return read;
  if (Status renew = read_flag(object, "renew", claim.renews); !renew) return renew;
  op.ask = std::move(claim);
  return {};
}

// As the coordinator reads it. Errors: kRejected.
Result<std::string> report_of(const Json& object, const std::string& name) {
  Json out;
  out.set("state", name == "task_done" ? "done" : name == "task_fail" ? "failed" : "open");
  for (const char* field : {"result", "writes", "why", "retry"})
    if (const Json* value = object.find(field)) out.set(field, *value);
  std::string text = out.canonical();
  if (Result<TaskReport> read = read_task_report(text); !read)
    return std::unexpected(std::move(read.error()));
  return text;
}

}  // namespace

const std::vector<OpForm>& task_forms() {
  static const std::vector<OpForm> kForms = {
      {"task_add", {"task", "task_id", "metadata"}},
      {"task_claim", {"can", "of", "ttl", "wait", "renew"}},
      {"task_done", {"task_id", "result", "writes", "token"}},
      {"task_fail", {"task_id", "why", "retry", "token"}},
      {"task_retry", {"task_id"}},
      {"task_cancel", {"task_id"}}};
  return kForms;
}

bool is_task(std::string_view op) {
  return std::ranges::find(task_forms(), op, &OpForm::op) != task_forms().end();
}

Status parse_task(const Json& object, AgentOp& op) {
  if (op.op == "task_claim") return parse_claim(object, op);
  std::string id;
  if (op.op == "task_add" && object.find("task_id") == nullptr) {
    id = to_hex(random_seed());
  } else {
    Result<std::string> given = text_of(object, "task_id");
    if (!given) return std::unexpected(std::move(given.error()));
    id = *std::move(given);
  }
  if (const Status shape = check_task_id(id); !shape) return wrong(shape.error().text);
  WriteCommand write;
  Entry entry{task_key(id), {}, {}, {}};
  if (op.op == "task_add") {
    auto metadata = metadata_of(object);
    if (!metadata) return std::unexpected(metadata.error());
    entry.metadata = *std::move(metadata);
    const Json* task = object.find("task");
    if (task == nullptr) return wrong("the field \"task\" is missing");
    const std::string text = task->canonical();
    if (const auto read = read_task(id, text); !read) return wrong(read.error().text);
    entry.op = PutOp{ContentType::kJson, text};
  } else if (op.op == "task_cancel") {
    entry.op = DeleteOp{};
  } else {
    Result<std::string> report = report_of(object, op.op);
    if (!report) return wrong(report.error().text);
    entry.op = PutOp{ContentType::kJson, *std::move(report)};
    if (Status token = read_token(object, write.fence); !token) return token;
  }
  write.entries.push_back(std::move(entry));
  op.ask = std::move(write);
  op.task_id = std::move(id);
  return {};
}

}  // namespace waggle::cli
