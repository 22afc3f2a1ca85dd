// The writes of `waggle state`, and `waggle clear`.

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/shape.h"
#include "cli/commands.h"
#include "cli/field_values.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "cli/state_op.h"
#include "include/lib/patch_key.h"
#include "resolver/update.h"

namespace waggle::cli {
namespace {

// Says what became of a write. `nothing`: what it means when it changed nothing; empty: nothing.
int report(const CommandLine& line, const Config& config, const Result<Outcome>& outcome,
           const std::string& nothing) {
  if (!outcome) return fail(outcome.error(), line.json);
  const bool done = exit_code(outcome->code) == 0;
  const bool missing = done && !outcome->changed && !nothing.empty();
  if (line.json) {
    Json out;
    if (!line.state.key.empty()) out.set("key", line.state.key);
    add_outcome(out, *outcome);
    if (!print_json(out)) return kExitFailure;
    return missing ? exit_code(Code::kNotFound) : exit_code(outcome->code);
  }
  if (missing) return fail({Code::kNotFound, nothing}, false);
  if (!done) {
    std::string text = outcome->text.empty() ? std::string(to_text(outcome->code)) : outcome->text;
    if (outcome->conflict != ConflictKind::kNone)
      text = fmt::format("conflict ({}): {}", to_text(outcome->conflict), text);
    const bool about_version = outcome->conflict == ConflictKind::kVersionMismatch;
    if (about_version && outcome->committed && outcome->committed->live())
      text += fmt::format(", written by {}; read it and decide",
                          writer_word(outcome->committed->writer.agent));
    return fail({outcome->code, text}, false);
  }
  // For scripts the bare number, which is what --if-version and --at-least take.
  const std::string revision = std::to_string(outcome->revision.value());
  if (!print_line(output_is_terminal() ? fmt::format("revision {} of swarm '{}', {}", revision,
                                                     config.swarm, to_text(outcome->level))
                                       : revision))
    return kExitFailure;
  if (outcome->level == Level::kMemory)
    say(fmt::format("revision {} is in the coordinator's memory only", revision));
  if (outcome->level == Level::kWritten)
    say(fmt::format("revision {} is not yet synced to the coordinator's disk", revision));
  return kExitDone;
}

int clear_swarm(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  if (!line.admin.yes && (isatty(STDIN_FILENO) != 1 || !errors_to_terminal()))
    return fail_usage(
        fmt::format("clearing all of swarm '{}' needs --yes where nobody can be asked",
                    config.swarm),
        line.json);
  const auto found = (*client)->query(StatusQuery{}, config.timeout_millis);
  if (!found) return fail(found.error(), line.json);
  const auto swarm = std::ranges::find_if(
      found->swarms, [&](const SwarmInfo& one) { return one.swarm.value() == config.swarm; });
  if (swarm == found->swarms.end())
    return fail({Code::kNotFound, fmt::format("there is no swarm '{}'", config.swarm)}, line.json);
  if (!line.admin.yes) {
    say(fmt::format("this deletes {} of swarm '{}' for all agents. Type the swarm's name to go on:",
                    counted(swarm->keys, "key"), config.swarm));
    std::string answer;
    if (!std::getline(std::cin, answer) || answer != config.swarm) {
      say("nothing was deleted");
      return kExitFailure;
    }
  }
  return report(line, config,
                (*client)->write({Entry{{}, {}, ClearOp{}, {}}}, config.timeout_millis), {});
}

// What it means that a write changed nothing, where that is worth an exit code; empty: as wished.
std::string nothing_text(const CommandLine::State& state, const Config& config) {
  const std::string key = printable(state.key, 128);
  if (state.verb == "rm")
    return fmt::format("there is no key '{}' in swarm '{}'", key, config.swarm);
  if (state.verb == "remove") return fmt::format("the set '{}' holds none of these", key);
  if (state.verb == "rmfield")
    return fmt::format("the map '{}' has no field {}", key, text_of_path(state.field));
  return {};
}

// Of an append: what was read is what it is behind, whatever comes meanwhile.
Result<Outcome> append(const CommandLine::State& state, Entry entry, RequestClient& client,
                       std::int64_t timeout_millis) {
  const Result<KeyRead> read = read_key(client, entry.key, timeout_millis);
  if (!read) return std::unexpected(read.error());
  entry.op = append_op(read->record.get(), state.field, state.elements, *state.type);
  return client.write({std::move(entry)}, timeout_millis, read->at);
}

int write_ephemeral(const CommandLine& line, const Config& config, const Op& op) {
  EphemeralEntry entry{Key(line.state.key), std::nullopt, {}};
  if (const auto* put = std::get_if<PutOp>(&op)) entry.value = Register{put->content, put->bytes};
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const auto refused = (*client)->write_ephemeral(std::move(entry), config.timeout_millis);
  if (!refused) return fail(refused.error(), line.json);
  const Code code = *refused ? (*refused)->code : Code::kCommitted;
  if (!line.json) return *refused ? fail({code, (*refused)->text}, false) : kExitDone;
  Json out;
  out.set("key", line.state.key).set("ephemeral", true).set("ok", !*refused);
  out.set("code", to_text(code));
  if (*refused && (*refused)->reason != Reason::kNone)
    out.set("reason", to_text((*refused)->reason));
  if (*refused) out.set("text", (*refused)->text);
  return print_json(out) ? exit_code(code) : kExitFailure;
}

// What is wrong with the operation itself is said before anybody is dialled.
int write(const CommandLine& line, const Config& config) {
  const CommandLine::State& state = line.state;
  Entry entry{Key(state.key), {}, {}, {}};
  if (state.if_version) entry.expect = ExpectVersion{Revision(*state.if_version)};
  if (state.if_absent) entry.expect = ExpectVersion{Revision(0)};
  KeyPatch patch{entry.key, state.field, {}, {}, entry.expect};
  if (state.verb == "patch") {
    Result<PatchText> text = patch_of(state);
    if (!text) return fail(text.error(), line.json);
    patch.form = text->form;
    patch.text = std::move(text->text);
  } else {
    Result<Op> op = op_of(state);
    if (!op) return fail(op.error(), line.json);
    entry.op = *std::move(op);
    if (const Status shape = check_entry(entry); !shape) return fail(shape.error(), line.json);
    if (state.ephemeral) return write_ephemeral(line, config, entry.op);
  }

  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const std::int64_t timeout = config.timeout_millis;
  (*client)->write_under(FenceToken(state.token));
  if (state.verb == "patch") return report(line, config, patch_key(**client, patch, timeout), {});
  if (state.verb == "append")
    return report(line, config, append(state, std::move(entry), **client, timeout), {});
  std::optional<Cursor> seen;  // none: the newest state that the client knows
  if (!state.as_of.empty()) {
    const Result<Cursor> as_of = (*client)->parse_cursor(state.as_of);
    if (!as_of) return fail(as_of.error(), line.json);
    if (const Status known = (*client)->check_known(*as_of); !known)
      return fail(known.error(), line.json);
    seen = *as_of;
  }
  return report(line, config, (*client)->write({std::move(entry)}, timeout, seen),
                nothing_text(state, config));
}

}  // namespace

int state_write(const CommandLine& line, const Config& config) {
  if (const Status key = check_key(line.state.key); !key)
    return fail_usage(key.error().text, line.json);
  return write(line, config);
}

int clear(const CommandLine& line, const Config& config) {
  if (line.admin.key.empty()) return clear_swarm(line, config);
  CommandLine remove = line;
  remove.state.verb = "rm";
  remove.state.key = line.admin.key;
  return state_write(remove, config);
}

}  // namespace waggle::cli
