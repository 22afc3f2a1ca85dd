// `waggle claim take|renew|release|handover|ls|run`: who may write which keys for a time.

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/limits.h"
#include "base/shape.h"
#include "cli/claimed_run.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "consensus/claim_record.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

constexpr std::int64_t kTtlMillis = 30'000;

Result<ClaimRequest> request_of(const CommandLine& line) {
  const CommandLine::Claims& given = line.claim;
  if (Status shape = check_claim_pattern(given.pattern); !shape)
    return std::unexpected(std::move(shape.error()));
  ClaimRequest request;
  request.request = RequestId(random_seed());
  request.pattern = given.pattern;
  request.token = FenceToken(given.token);
  request.ttl_millis = given.ttl_millis.value_or(0);
  if (given.checkpoint) request.checkpoint = Register{ContentType::kText, *given.checkpoint};
  switch (line.verb) {
    case Verb::kClaimRenew:
      request.verb = ClaimVerb::kRenew;
      break;
    case Verb::kClaimRelease:
      request.verb = ClaimVerb::kRelease;
      break;
    case Verb::kClaimHandover:
      if (Status shape = check_agent_id(given.to); !shape)
        return std::unexpected(std::move(shape.error()));
      request.verb = ClaimVerb::kHandover;
      request.to = AgentId(given.to);
      break;
    default:
      if (Result<std::string> label = label_of(given.as); label) {
        request.label = *std::move(label);
      } else {
        return std::unexpected(std::move(label.error()));
      }
      request.ttl_millis = given.ttl_millis.value_or(kTtlMillis);
      request.wait_millis = given.wait_millis;
  }
  if (given.ttl_millis || request.ttl_millis != 0)
    if (Status time = check_claim_time(request.ttl_millis); !time)
      return std::unexpected(std::move(time.error()));
  return request;
}

int ask(const CommandLine& line, const Config& config) {
  const Result<ClaimRequest> request = request_of(line);
  if (!request) return fail_usage(request.error().text, line.json);
  Signals signals(Signals::Quit::kTaken);  // a claim that is left behind blocks others
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  LeavesLine line_end(**client, signals);
  const Result<ClaimResult> result = line_end.ask(*request, config.timeout_millis, line.json);
  // What was given up or changed meanwhile is said, what was taken is given back.
  if (line_end.signal() != 0 && (request->verb == ClaimVerb::kTake || !result))
    return line_end.exit_code();
  if (!result) return fail(result.error(), line.json);
  if (line.json) {
    Json out;
    add_claim_result(out, *result);
    return print_json(out) ? exit_code(result->code) : kExitFailure;
  }
  if (exit_code(result->code) != 0) return fail({result->code, result->text}, false);
  if (result->checkpoint && line.verb == Verb::kClaimTake)
    say(fmt::format("the work stands at: {}", preview(Value(*result->checkpoint), 200)));
  if (line.verb == Verb::kClaimRelease) return kExitDone;
  return print_line(std::to_string(result->token.value())) ? kExitDone : kExitFailure;
}

// ---- ls ----------------------------------------------------------------------------------------

int list(const CommandLine& line, const Config& config) {
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {
      {"CLAIM", "HOLDER", "TOKEN", "TIME", "SINCE", "CHECKPOINT"}};
  const std::string glob =
      fmt::format("{}{}", kClaimKeys, line.claim.pattern.empty() ? "*" : line.claim.pattern);
  const Status read = each_record(**client, glob, config, [&](const Change& change) {
    const std::optional<Claim> claim = claim_of(change.key, *change.record);
    const std::optional<Register> checkpoint = checkpoint_of(change.record.get());
    if (!claim && !checkpoint) return;
    const std::string pattern(pattern_of(change.key.value()));
    Json one;
    one.set("pattern", pattern).set("held", claim.has_value());
    if (claim) {
      add_holder(one, *claim);
      one.set("ttl_ms", claim->ttl_millis);
    } else {
      const auto ended = change.record->metadata.find("ended");
      if (ended != change.record->metadata.end()) one.set("ended", ended->second);
    }
    one.set("since", wall_text(change.record->commit_wall_millis));
    if (checkpoint) {
      Json value;
      add_value(value, Value(*checkpoint));
      one.set("checkpoint", std::move(value));
    }
    all.push(std::move(one));
    rows.push_back({printable(pattern, 64), claim ? holder_word(*claim) : "-",
                    claim ? std::to_string(claim->token.value()) : "-",
                    claim ? duration_text(claim->ttl_millis) : "-",
                    wall_text(change.record->commit_wall_millis),
                    checkpoint ? preview(Value(*checkpoint), 60) : "-"});
  });
  if (!read) return fail(read.error(), line.json);
  if (line.json) {
    Json out;
    out.set("claims", std::move(all));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (rows.size() == 1) {
    say(line.claim.pattern.empty() ? fmt::format("nothing is claimed in swarm '{}'", config.swarm)
                                   : fmt::format("no claim in swarm '{}' matches '{}'",
                                                 config.swarm, printable(line.claim.pattern, 64)));
    return kExitDone;
  }
  return print(table(rows)) ? kExitDone : kExitFailure;
}

// ---- run ---------------------------------------------------------------------------------------

int run_claimed(const CommandLine& line, const Config& config) {
  Result<ClaimRequest> request = request_of(line);
  if (!request) return fail_usage(request.error().text, line.json);
  Signals signals(Signals::Quit::kTaken);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  ClaimedRun run(**client, config, signals, *std::move(request), line.json);
  const Result<ClaimResult> taken = run.take(line.claim.wait_millis);
  if (run.signal() != 0) return run.signalled();
  if (!taken) return fail(taken.error(), line.json);
  if (exit_code(taken->code) != 0) return fail({taken->code, taken->text}, line.json);
  Environment environment;
  if (taken->checkpoint) environment.emplace_back("WAGGLE_CHECKPOINT", taken->checkpoint->bytes);
  const int code = run.run(line.claim.command, std::move(environment));
  if (run.lost()) return exit_code(Code::kDenied);
  run.release();
  return code;
}

}  // namespace

int claim(const CommandLine& line, const Config& config) {
  if (line.verb == Verb::kClaimList) return list(line, config);
  if (line.verb == Verb::kClaimRun) return run_claimed(line, config);
  return ask(line, config);
}

}  // namespace waggle::cli
