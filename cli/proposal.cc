// `waggle propose`, `waggle vote`, `waggle proposal ls|show|watch|cancel`.

#include "coordinator/proposal.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <waggle/agent.h>

#include "base/limits.h"
#include "base/shape.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/durations.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "io/random.h"

namespace waggle::cli {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLookMillis(200);

// ---- what is proposed --------------------------------------------------------------------------

Result<Json> share_of(const char* option, const std::string& text) {
  const Result<Json> number = parse_json(text);
  if (number && number->is_number()) return *number;
  return failed(Code::kRejected, fmt::format("{}: expected a share such as 0.66, got '{}'", option,
                                             printable(text, 64)));
}

Result<std::string> document_of(const CommandLine::Proposals& given) {
  if (!given.file.empty()) return document_in(given.file);
  Json out;
  out.set("title", given.title);
  if (!given.body.empty()) out.set("body", json_or_text(given.body));
  if (!given.threshold.empty()) {
    const Result<Json> number = parse_json(given.threshold);
    out.set("threshold", number && number->is_number() ? *number : Json(given.threshold));
  }
  if (given.of_cast) out.set("of", "cast");
  for (const auto& [option, name, text] :
       {std::tuple{"--participation", "participation", &given.participation},
        std::tuple{"--cap", "cap", &given.cap}}) {
    if (text->empty()) continue;
    Result<Json> share = share_of(option, *text);
    if (!share) return std::unexpected(std::move(share.error()));
    out.set(name, *std::move(share));
  }
  if (given.groups > 0) out.set("groups", given.groups);
  if (given.faults) out.set("byzantine", *given.faults);
  if (!given.options.empty()) {
    Json options{Json::Array{}};
    for (const std::string& name : given.options) {
      if (given.write_choice.empty()) {
        options.push(name);
        continue;
      }
      Json write;
      write.set("key", given.write_choice).set("value", name);
      Json writes{Json::Array{}};
      writes.push(std::move(write));
      Json option;
      option.set("name", name).set("writes", std::move(writes));
      options.push(std::move(option));
    }
    out.set("options", std::move(options));
  } else if (!given.write_choice.empty()) {
    return failed(Code::kRejected, "--write-choice: expected --option, twice or more, too");
  }
  if (!given.method.empty()) out.set("method", given.method);
  if (given.final_votes) out.set("changes", false);
  if (given.time_millis > 0) out.set("timeout_ms", given.time_millis);
  if (!given.supersedes.empty()) out.set("supersedes", given.supersedes);
  if (!given.roles.empty()) out.set("roles", names_of(given.roles));
  if (!given.electorate.empty()) out.set("electorate", names_of(given.electorate));
  Json weights{Json::Object{}};
  Json labels{Json::Object{}};
  Status read = each_pair("--weight", given.weights, [&](std::string agent, const std::string& n) {
    Result<Json> number = share_of("--weight", n);
    if (number) weights.set(std::move(agent), *std::move(number));
    return number ? Status() : std::unexpected(number.error());
  });
  if (read)
    read = each_pair("--label", given.labels, [&](std::string agent, const std::string& label) {
      labels.set(std::move(agent), label);
      return Status();
    });
  if (read) read = set_writes(given.writes, out);
  if (!read) return std::unexpected(std::move(read.error()));
  if (!given.weights.empty()) out.set("weights", std::move(weights));
  if (!given.labels.empty()) out.set("labels", std::move(labels));
  return out.dump();
}

// ---- what became of it -------------------------------------------------------------------------

int exit_of(BallotState state) {
  switch (state) {
    case BallotState::kOpen:
    case BallotState::kApproved:
      return kExitDone;
    case BallotState::kTimeout:
      return exit_code(Code::kTimeout);
    default:
      return exit_code(Code::kConflict);
  }
}

struct Found {
  Proposal proposal;
  Json document;
  std::uint64_t version = 0;
};

// Errors: kNotFound.
Result<Found> fetch(RequestClient& client, const std::string& id, const Config& config) {
  const Result<FoundDocument> document =
      find_document(client, "proposal", kProposalKeys, id, config);
  if (!document) return std::unexpected(document.error());
  Result<Proposal> proposal = recover_proposal(id, document->text);
  if (!proposal) return std::unexpected(std::move(proposal.error()));
  Result<Json> json = parse_json(document->text);
  if (!json) return std::unexpected(std::move(json.error()));
  return Found{*std::move(proposal), *std::move(json), document->version};
}

Json json_of(const Found& found) {
  Json out;
  out.set("id", found.proposal.id).set("version", found.version);
  return out.add_all(found.document);
}

// The votes of an open one; those of a closed one are in its document.
Result<Json> open_votes(RequestClient& client, const std::string& id, const Config& config) {
  Json votes{Json::Object{}};
  const std::string prefix = fmt::format("{}{}/", kVoteKeys, id);
  Status read = each_record(client, prefix + "*", config, [&](const Change& change) {
    if (const std::optional<Register> vote = register_of(change.record.get()))
      votes.set(change.key.value().substr(prefix.size()), json_or_text(vote->bytes));
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return votes;
}

std::string headline(const Found& found) {
  const Json* applied = found.document.find("applied");
  std::string text = fmt::format("{}: {}", found.proposal.id, to_text(found.proposal.state));
  if (const Json* chosen = found.document.find("chosen"))
    text += ": " + printable(*chosen->text(), 128);
  if (applied != nullptr && applied->boolean() != nullptr && !*applied->boolean())
    text += ", and not applied: " + *found.document.find("not_applied")->text();
  return text;
}

int report(const CommandLine& line, const Found& found) {
  const int code = exit_of(found.proposal.state);
  if (line.json) return print_json(json_of(found)) ? code : kExitFailure;
  return print_line(headline(found)) ? code : kExitFailure;
}

int watch(const CommandLine& line, const Config& config, RequestClient& client,
          const std::string& id) {
  while (true) {
    const Result<Found> found = fetch(client, id, config);
    if (!found) return fail(found.error(), line.json);
    if (found->proposal.state != BallotState::kOpen) return report(line, *found);
    std::this_thread::sleep_for(kLookMillis);
  }
}

int propose(const CommandLine& line, const Config& config) {
  const std::string id = line.proposal.id.empty() ? to_hex(random_seed()) : line.proposal.id;
  const Result<std::string> document = document_of(line.proposal);
  if (!document) return fail_usage(document.error().text, line.json);
  // What is wrong is said before anybody is asked.
  if (const Result<Proposal> read = read_proposal(id, *document); !read)
    return fail_usage(read.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  const Result<Outcome> outcome = (*client)->write(
      {{proposal_key(id), {}, PutOp{ContentType::kJson, *document}, {}}}, config.timeout_millis);
  const bool proposed = outcome && exit_code(outcome->code) == 0;
  if (!proposed || !line.proposal.wait) return report_write(id, outcome, line.json, true);
  if (!line.json) say("proposed as " + id);
  return watch(line, config, **client, id);
}

int vote(const CommandLine& line, const Config& config) {
  const CommandLine::Proposals& given = line.proposal;
  if (const Status shape = check_proposal_id(given.id); !shape)
    return fail_usage(shape.error().text, line.json);
  if (const Status shape = check_agent_id(given.agent); !shape)
    return fail_usage("--id: " + shape.error().text, line.json);
  const milliseconds time(config.timeout_millis);
  auto agent = SwarmAgent::open({.coordinator = config.coordinator,
                                 .swarm = config.swarm,
                                 .agent = given.agent,
                                 .data = expand_home(given.data),
                                 .start_from_head = true,
                                 .key = config.key,
                                 .coordinator_key = config.coordinator_key});
  const auto failure = [&](const Failure& error) {
    return fail({static_cast<Code>(error.code), error.text}, line.json);
  };
  if (!agent) return failure(agent.error());
  if (const auto attached = (*agent)->wait_attached(time); !attached)
    return failure(attached.error());
  WriteGroup group;
  const std::string key = vote_key(given.id, AgentId(given.agent)).value();
  const Register vote = vote_in_words(given.vote);
  if (vote.content == ContentType::kJson) {
    group.put_json(key, vote.bytes);
  } else {
    group.put(key, vote.bytes);
  }
  if (!given.reason.empty()) group.metadata("reason", given.reason);
  const auto result = (*agent)->commit(group, time);
  (void)(*agent)->leave();
  if (!result) return failure(result.error());
  if (!result->ok()) return failure({result->code, result->text});
  if (!line.json) return kExitDone;
  Json out;
  out.set("id", given.id).set("agent", given.agent).set("vote", given.vote);
  out.set("revision", result->revision).set("changed", result->changed);
  return print_json(out) ? kExitDone : kExitFailure;
}

int list(const CommandLine& line, const Config& config, RequestClient& client) {
  const auto found = find_documents(client, kProposalKeys, config);
  if (!found) return fail(found.error(), line.json);
  Json all{Json::Array{}};
  std::vector<std::vector<std::string>> rows = {{"PROPOSAL", "STATE", "BY", "OPENED", "TITLE"}};
  for (const FoundDocument& one : *found) {
    const Result<Proposal> proposal = recover_proposal(one.id, one.text);
    Result<Json> json = parse_json(one.text);
    if (!proposal || !json) continue;
    if (proposal->state != BallotState::kOpen && !line.proposal.all) continue;
    all.push(json_of({*proposal, *std::move(json), one.version}));
    rows.push_back({one.id, std::string(to_text(proposal->state)), writer_word(proposal->by),
                    wall_text(proposal->opened_wall_millis), printable(proposal->title, 60)});
  }
  if (line.json) {
    Json out;
    out.set("proposals", std::move(all));
    return print_json(out) ? kExitDone : kExitFailure;
  }
  if (rows.size() == 1) {
    say(fmt::format("no proposal {} in swarm '{}'", line.proposal.all ? "is kept" : "is open",
                    config.swarm));
    return kExitDone;
  }
  return print(table(rows)) ? kExitDone : kExitFailure;
}

int show(const CommandLine& line, const Config& config, RequestClient& client) {
  Result<Found> found = fetch(client, line.proposal.id, config);
  if (!found) return fail(found.error(), line.json);
  Json votes;
  if (found->proposal.state == BallotState::kOpen) {
    Result<Json> open = open_votes(client, line.proposal.id, config);
    if (!open) return fail(open.error(), line.json);
    votes = *open;
    found->document.set("votes", *std::move(open));
  } else if (const Json* closed = found->document.find("votes")) {
    votes = *closed;
  }
  if (line.json) return print_json(json_of(*found)) ? kExitDone : kExitFailure;
  const Proposal& proposal = found->proposal;
  std::string text = headline(*found) + "\n" + printable(proposal.title, 1024) + "\n";
  if (const Json* body = found->document.find("body")) text += printable(body->dump(), 2000) + "\n";
  text +=
      fmt::format("by {}, opened {}, for {}\n", writer_word(proposal.by),
                  wall_text(proposal.opened_wall_millis), duration_text(proposal.timeout_millis));
  for (const char* name : {"options", "method", "threshold", "of", "participation", "groups", "cap",
                           "byzantine", "writes", "tally", "refused", "equivocators"})
    if (const Json* value = found->document.find(name))
      text += fmt::format("{}: {}\n", name, printable(value->dump(), 2000));
  std::vector<std::vector<std::string>> rows = {{"AGENT", "WEIGHT", "LABEL", "VOTE"}};
  for (const auto& [agent, voter] : proposal.electorate) {
    const Json* vote = votes.find(agent.value());
    rows.push_back({agent.value(), fmt::format("{}", voter.weight / 1000.0),
                    voter.group.empty() ? "-" : printable(voter.group, 64),
                    vote == nullptr           ? "-"
                    : vote->text() != nullptr ? *vote->text()
                                              : printable(vote->dump(), 200)});
  }
  text += table(rows);
  return print(text) ? kExitDone : kExitFailure;
}

int cancel(const CommandLine& line, const Config& config, RequestClient& client) {
  const std::string& id = line.proposal.id;
  if (const Result<Found> found = fetch(client, id, config); !found)
    return fail(found.error(), line.json);
  return report_write(id,
                      client.write({{proposal_key(id), {}, DeleteOp{}, {}}}, config.timeout_millis),
                      line.json, false);
}

}  // namespace

int proposal(const CommandLine& line, const Config& config) {
  if (line.verb == Verb::kPropose) return propose(line, config);
  if (line.verb == Verb::kVote) return vote(line, config);
  if (line.verb != Verb::kProposalList)
    if (const Status shape = check_proposal_id(line.proposal.id); !shape)
      return fail_usage(shape.error().text, line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);
  switch (line.verb) {
    case Verb::kProposalList:
      return list(line, config, **client);
    case Verb::kProposalShow:
      return show(line, config, **client);
    case Verb::kProposalWatch:
      return watch(line, config, **client, line.proposal.id);
    default:
      return cancel(line, config, **client);
  }
}

}  // namespace waggle::cli
