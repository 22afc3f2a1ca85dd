// Reads the command line and the configuration, and runs one command.

#include <fmt/format.h>

#include "base/message.h"
#include "base/shape.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "io/endpoint.h"

namespace waggle::cli {

Result<std::unique_ptr<RequestClient>> dial(const Config& config) {
  const Result<LinkKeysPtr> keys = read_link_keys(config.key, config.coordinator_key);
  if (!keys) return std::unexpected(keys.error());
  return RequestClient::dial(config.coordinator, SwarmId(config.swarm), config.timeout_millis,
                             *keys);
}

AgentRuntimeOptions agent_options(const Config& config) {
  AgentRuntimeOptions options;
  options.coordinator = config.coordinator;
  options.swarm = SwarmId(config.swarm);
  options.key = config.key;
  options.coordinator_key = config.coordinator_key;
  options.explain = true;
  return options;
}

int version(const CommandLine& line) {
  if (!line.json) return print_line("waggle " WAGGLE_VERSION) ? kExitDone : kExitFailure;
  Json out;
  out.set("program", "waggle").set("version", WAGGLE_VERSION);
  out.set("protocol", static_cast<unsigned>(kProtocolVersion)).set("contract", kContract);
  return print_json(out) ? kExitDone : kExitFailure;
}

int config_check(const CommandLine& line) {
  std::optional<std::string> path = line.config;
  if (!line.admin.file.empty()) path = line.admin.file;
  std::string used;
  const Result<Config> config = load_config(path, &used);
  if (!config) return fail_usage(config.error().text, line.json);
  if (line.json) {
    Json out;
    out.set("ok", true).set("file", used.empty() ? Json() : Json(used));
    out.set("policies", static_cast<std::uint64_t>(config->policy_count));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (used.empty())
    return print_line(fmt::format("no configuration file, which is fine; it would be {}",
                                  default_config_path()))
               ? kExitDone
               : kExitFailure;
  const std::string policies =
      fmt::format("{} {}", config->policy_count, config->policy_count == 1 ? "policy" : "policies");
  return print_line(fmt::format("{}: fine, {}", used, policies)) ? kExitDone : kExitFailure;
}

namespace {

// Flags over what was loaded.
Status apply_flags(const CommandLine& line, Config& config) {
  if (line.coordinator) {
    if (const auto endpoint = parse_dial(*line.coordinator); !endpoint)
      return failed(Code::kRejected, "--coordinator: " + endpoint.error().text);
    config.coordinator = *line.coordinator;
  }
  if (line.swarm) {
    if (const Status shape = check_swarm_id(*line.swarm); !shape)
      return failed(Code::kRejected, "--swarm: " + shape.error().text);
    config.swarm = *line.swarm;
  }
  if (line.timeout_millis) {
    if (*line.timeout_millis == 0)
      return failed(Code::kRejected, "--timeout: 0 is no time to wait");
    config.timeout_millis = *line.timeout_millis;
  }
  if (line.key) (line.verb == Verb::kServe ? config.serve_key : config.key) = *line.key;
  if (line.coordinator_key) config.coordinator_key = *line.coordinator_key;
  if (line.authorized_keys) config.authorized_keys = *line.authorized_keys;
  if (line.serve.access_rules) config.access_rules = *line.serve.access_rules;
  if (line.serve.access_log) config.access_log = *line.serve.access_log;
  if (line.serve.listen) config.listen = *line.serve.listen;
  if (line.serve.data) config.data = expand_home(*line.serve.data);
  return {};
}

}  // namespace

int run(int argc, char** argv) {
  const auto line = parse_command_line(argc, argv);
  if (!line) return line.error();
  switch (line->verb) {
    case Verb::kVersion:
      return version(*line);
    case Verb::kConfigDefault:
      return print(default_config_text()) ? kExitDone : kExitFailure;
    case Verb::kConfigCheck:
      return config_check(*line);
    default:
      break;
  }
  Result<Config> config = load_config(line->config);
  if (!config) return fail_usage(config.error().text, line->json);
  if (const Status applied = apply_flags(*line, *config); !applied)
    return fail_usage(applied.error().text, line->json);
  switch (line->verb) {
    case Verb::kServe:
      return serve(*line, *config);
    case Verb::kAgentRun:
      return agent_run(*line, *config);
    case Verb::kAgentList:
      return agent_list(*line, *config);
    case Verb::kStateGet:
    case Verb::kStateList:
      return state_read(*line, *config);
    case Verb::kStateWrite:
      return state_write(*line, *config);
    case Verb::kConflictList:
    case Verb::kConflictShow:
    case Verb::kConflictDiff:
    case Verb::kConflictResolve:
      return conflict(*line, *config);
    case Verb::kClaimTake:
    case Verb::kClaimRenew:
    case Verb::kClaimRelease:
    case Verb::kClaimHandover:
    case Verb::kClaimList:
    case Verb::kClaimRun:
      return claim(*line, *config);
    case Verb::kPropose:
    case Verb::kVote:
    case Verb::kProposalList:
    case Verb::kProposalShow:
    case Verb::kProposalWatch:
    case Verb::kProposalCancel:
      return proposal(*line, *config);
    case Verb::kTaskAdd:
    case Verb::kTaskClaim:
    case Verb::kTaskRun:
    case Verb::kTaskDone:
    case Verb::kTaskFail:
    case Verb::kTaskList:
    case Verb::kTaskShow:
    case Verb::kTaskRetry:
    case Verb::kTaskCancel:
      return task(*line, *config);
    case Verb::kReceiptList:
    case Verb::kReceiptShow:
    case Verb::kReceiptVerify:
      return receipt(*line, *config);
    case Verb::kWhatIf:
      return what_if(*line, *config);
    case Verb::kSync:
      return synchronise(*line, *config);
    case Verb::kDelta:
      return delta(*line, *config);
    case Verb::kTail:
      return tail(*line, *config);
    case Verb::kStatus:
      return status(*line, *config);
    case Verb::kClear:
      return clear(*line, *config);
    case Verb::kCompact:
      return compact(*line, *config);
    case Verb::kKeysNew:
    case Verb::kKeysShow:
    case Verb::kKeysAuthorize:
    case Verb::kKeysRevoke:
    case Verb::kKeysList:
      return keys(*line, *config);
    case Verb::kAuditVerify:
      return audit(*line, *config);
    case Verb::kSnapshotSave:
    case Verb::kSnapshotVerify:
    case Verb::kSnapshotInfo:
    case Verb::kSnapshotRestore:
      return snapshot(*line, *config);
    case Verb::kDoctor:
      return doctor(*line, *config);
    case Verb::kVersion:
    case Verb::kConfigCheck:
    case Verb::kConfigDefault:
      break;
  }
  return kExitFailure;
}

}  // namespace waggle::cli
