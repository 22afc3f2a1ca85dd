// `waggle state put|rm|incr|add|remove` and `waggle clear`.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace waggle::cli {
namespace {

// Reads one byte more than a value may have, so that what is too large is refused and not cut.
Result<std::string> read_value(std::istream& in, const std::string& name) {
  std::string bytes(limits::kValueBytes + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (in.bad())
    return failed(Code::kRejected, fmt::format("{} can't be read: {}", name, std::strerror(errno)));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.size() > limits::kValueBytes)
    return failed(Code::kRejected,
                  fmt::format("{} holds more than {} bytes, which is the limit of a "
                              "value; store it elsewhere and put its address here",
                              name, limits::kValueBytes));
  return bytes;
}

Result<std::string> value_of(const CommandLine::State& state) {
  if (!state.file.empty()) {
    std::ifstream file(state.file, std::ios::binary);
    if (!file)
      return failed(Code::kRejected, fmt::format("the file '{}' can't be opened: {}", state.file,
                                                 std::strerror(errno)));
    return read_value(file, fmt::format("the file '{}'", state.file));
  }
  if (state.value && *state.value != "-") return *state.value;
  if (fcntl(STDIN_FILENO, F_GETFD) < 0)
    return failed(Code::kRejected,
                  "standard input is closed and no value was given; an empty value "
                  "is written as ''");
  if (!state.value && isatty(STDIN_FILENO) == 1)
    say("the value is read from the terminal; ^D ends it");
  return read_value(std::cin, "standard input");
}

Result<Op> put_of(const CommandLine::State& state) {
  auto bytes = value_of(state);
  if (!bytes) return std::unexpected(bytes.error());
  const ContentType content =
      state.content.value_or(is_utf8(*bytes) ? ContentType::kText : ContentType::kBytes);
  if (content == ContentType::kText && !is_utf8(*bytes))
    return failed(Code::kRejected, "the value is not UTF-8, so it is no text; use --type bytes");
  if (content == ContentType::kJson) {
    const auto parsed = parse_json(*bytes);
    if (!parsed) return failed(Code::kRejected, "the value is not JSON: " + parsed.error().text);
    bytes = parsed->canonical();
  }
  return PutOp{content, *std::move(bytes)};
}

Result<Op> op_of(const CommandLine& line) {
  std::vector<std::string> elements = line.state.elements;
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  switch (line.verb) {
    case Verb::kStatePut:
      return put_of(line.state);
    case Verb::kStateIncrement:
      return IncrOp{line.state.amount};
    case Verb::kStateAdd:
      return SetAddOp{std::move(elements)};
    case Verb::kStateRemove:
      return SetRemoveOp{std::move(elements)};
    default:
      return DeleteOp{};
  }
}

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
  if (!line.admin.yes) {
    if (isatty(STDIN_FILENO) != 1 || !errors_to_terminal())
      return fail_usage(
          fmt::format("clearing all of swarm '{}' needs --yes where nobody can be asked",
                      config.swarm),
          line.json);
    const auto found = (*client)->query(StatusQuery{}, config.timeout_millis);
    if (!found) return fail(found.error(), line.json);
    std::uint64_t keys = 0;
    for (const SwarmInfo& swarm : found->swarms)
      if (swarm.swarm.value() == config.swarm) keys = swarm.keys;
    say(fmt::format("this deletes {} of swarm '{}' for all agents. Type the swarm's name to go on:",
                    counted(keys, "key"), config.swarm));
    std::string answer;
    if (!std::getline(std::cin, answer) || answer != config.swarm) {
      say("nothing was deleted");
      return kExitFailure;
    }
  }
  return report(line, config,
                (*client)->write({Entry{{}, {}, ClearOp{}, {}}}, config.timeout_millis), {});
}

}  // namespace

int state_write(const CommandLine& line, const Config& config) {
  const Status key = check_key(line.state.key);
  if (!key) return fail_usage(key.error().text, line.json);
  Result<Op> op = op_of(line);
  if (!op) return fail(op.error(), line.json);
  Entry entry{Key(line.state.key), {}, *std::move(op), {}};
  if (line.state.if_version) entry.expect = ExpectVersion{Revision(*line.state.if_version)};
  if (line.state.if_absent) entry.expect = ExpectVersion{Revision(0)};
  std::string nothing;
  if (line.verb == Verb::kStateRemoveKey)
    nothing = fmt::format("there is no key '{}' in swarm '{}'", printable(line.state.key, 128),
                          config.swarm);
  if (line.verb == Verb::kStateRemove)
    nothing = fmt::format("the set '{}' holds none of these", printable(line.state.key, 128));

  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  return report(line, config, (*client)->write({std::move(entry)}, config.timeout_millis), nothing);
}

int clear(const CommandLine& line, const Config& config) {
  if (line.admin.key.empty()) return clear_swarm(line, config);
  CommandLine remove = line;
  remove.verb = Verb::kStateRemoveKey;
  remove.state.key = line.admin.key;
  return state_write(remove, config);
}

}  // namespace waggle::cli
