// The options of claims, proposals and votes, and tasks.

#include <tuple>

#include "cli/option_parts.h"

namespace waggle::cli {
namespace {

void add_claims(CLI::App& app, CommandLine::Claims& claim, Commands& commands) {
  CLI::App& claims = *family(app, "claim", "Who may write which keys for a time");
  CLI::App& take =
      *command(claims, commands, Verb::kClaimTake, "take", "Claim a key or a pattern of keys");
  CLI::App& renew = *command(claims, commands, Verb::kClaimRenew, "renew", "Begin its time anew");
  CLI::App& release = *command(claims, commands, Verb::kClaimRelease, "release", "Give it back");
  CLI::App& handover =
      *command(claims, commands, Verb::kClaimHandover, "handover", "Give it to an agent");
  CLI::App& run =
      *command(claims, commands, Verb::kClaimRun, "run", "Hold a claim while a command runs");
  command(claims, commands, Verb::kClaimList, "ls", "List what is held, and checkpoints that wait")
      ->add_option("GLOB", claim.pattern, "Of claims that match");
  for (CLI::App* one : {&take, &renew, &release, &handover, &run})
    one->add_option("PATTERN", claim.pattern, "A key, or keys: * any text ('/' too), ? one byte")
        ->required();
  for (CLI::App* one : {&renew, &release, &handover})
    token(*one, claim.token, "The claim's token, as take printed it [WAGGLE_FENCE_TOKEN]");
  for (CLI::App* one : {&take, &run}) {
    one->add_option("--as", claim.as, "What the holder is called in lists [this host]")
        ->type_name("NAME");
    duration(*one, "--wait", claim.wait_millis, "In line, when others hold it or wait [0s]");
  }
  for (CLI::App* one : {&take, &run})
    duration(*one, "--ttl", claim.ttl_millis, "Its time, without renewal [30s]");
  for (CLI::App* one : {&renew, &handover})
    duration(*one, "--ttl", claim.ttl_millis, "Its time from now on [as it was]");
  handover.add_option("--to", claim.to, "The agent")->type_name("AGENT")->required();
  for (CLI::App* one : {&renew, &release, &handover})
    one->add_option("--checkpoint", claim.checkpoint,
                    "How far the work came, for whoever holds it next")
        ->type_name("TEXT");
  take.footer(
      "Prints the fencing token. Writes of claimed keys need it: waggle state put KEY VALUE\n"
      "--token N, or WAGGLE_FENCE_TOKEN in the environment; all others are refused until the\n"
      "claim is released or its time is over.\n"
      "  token=$(waggle claim take 'plan/*' --ttl 1m --wait 10s)");
  handover.footer("Prints the token that the agent has now; the one that was given is over.");
  release.footer("A checkpoint that is given stays for the next holder; without one it goes.");
  run.add_option("COMMAND", claim.command, "The command and its arguments, behind --")->required();
  run.footer(
      "The token is in its environment as WAGGLE_FENCE_TOKEN, which the state commands take.\n"
      "The claim is renewed while the command runs, and released behind it. When it is lost, the\n"
      "command is ended (TERM, 5 s later KILL). Exit code: the command's; 4 not granted, 6 not\n"
      "within --wait, 7 lost, 126 and 127 the command can't be run or found.\n"
      "  waggle claim run leader/planner --wait 1h -- ./plan-for-all");
}

void add_proposals(CLI::App& app, CommandLine::Proposals& proposal, Commands& commands) {
  CLI::App& propose =
      *command(app, commands, Verb::kPropose, "propose", "Put something to the vote of the agents");
  propose.add_option("TITLE", proposal.title, "What is proposed, in words");
  propose.add_option("--file", proposal.file, "The whole proposal, a JSON document; - for input")
      ->type_name("FILE");
  propose.add_option("--id", proposal.id, "Its id [drawn at random]")->type_name("ID");
  propose.add_option("--body", proposal.body, "More about it: JSON, or a text")->type_name("TEXT");
  propose
      .add_option("--threshold", proposal.threshold,
                  "simple, supermajority, strong, unanimous, or a share [simple: 0.51]")
      ->type_name("SHARE");
  propose.add_flag("--cast", proposal.of_cast,
                   "Of the votes cast, without abstentions [of the whole electorate]");
  propose.add_option("--participation", proposal.participation, "At least so many take part")
      ->type_name("SHARE");
  propose.add_option("--electorate", proposal.electorate, "Who votes [all who are attached]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("AGENT,...");
  propose.add_option("--role", proposal.roles, "Who has one of these roles votes, with its weight")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ROLE,...");
  propose.add_option("--weight", proposal.weights, "Of a vote [1]; may be given again")
      ->allow_extra_args(false)
      ->type_name("AGENT=N");
  propose.add_option("--label", proposal.labels, "The group of an agent, such as its model")
      ->allow_extra_args(false)
      ->type_name("AGENT=TEXT");
  propose.add_option("--groups", proposal.groups, "Votes for from so many different groups")
      ->check([](const std::string& text) { return natural_text(text, 0); })
      ->type_name("N");
  propose
      .add_option("--byzantine", proposal.faults,
                  "Though N voters lie: signed votes of 2N+1 of 3N+1 voters, who have keys")
      ->check([](const std::string& text) { return natural_text(text, 0); })
      ->type_name("N");
  propose.add_option("--cap", proposal.cap, "What one group counts for at most")
      ->type_name("SHARE");
  propose.add_option("--write", proposal.writes, "Committed with the approval; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  propose.add_option("--option", proposal.options, "One of those to choose from; give it again")
      ->allow_extra_args(false)
      ->type_name("NAME");
  choice<std::string>(
      propose, "--method", {{"approval", "approval"}, {"runoff", "runoff"}},
      [&proposal](const std::string& word) { proposal.method = word; },
      "How one is chosen: the one that most approve, or who is first most often, with a run-off "
      "[approval]");
  propose
      .add_option("--write-choice", proposal.write_choice, "Put the name of the chosen one there")
      ->type_name("KEY");
  propose.add_option("--supersedes", proposal.supersedes, "Closes this earlier one")
      ->type_name("ID");
  propose.add_flag("--final-votes", proposal.final_votes, "A vote can't be changed");
  duration(propose, "--for", proposal.time_millis, "How long it is open [30s]");
  propose.add_flag("--wait", proposal.wait, "Until it is decided");
  propose.footer(
      "Prints its id. With --wait also the outcome: exit code 0 approved, 4 rejected, no quorum,\n"
      "superseded or cancelled, 6 timed out.\n"
      "  waggle propose 'which way' --option north --option south --write-choice plan/way --wait\n"
      "  waggle propose 'go north' --threshold strong --write plan/goal=north --wait");

  CLI::App& vote =
      *command(app, commands, Verb::kVote, "vote", "Vote as an agent that runs nowhere else");
  vote.add_option("PROPOSAL", proposal.id, "Its id")->required();
  vote.add_option("VOTE", proposal.vote,
                  "for, against or abstain; of options NAME,NAME,..., the best first, or abstain")
      ->required();
  vote.add_option("--id", proposal.agent, "The agent that votes")
      ->type_name("AGENT")
      ->required()
      ->check(not_empty());
  vote.add_option("--data", proposal.data, "Its data directory, if it has one")->type_name("DIR");
  vote.add_option("--reason", proposal.reason, "Is kept with the vote")->type_name("TEXT");
  vote.footer("A running agent votes by itself: {\"op\":\"vote\",...} of waggle agent run.");

  CLI::App& family_app = *family(app, "proposal", "What is and was put to the vote");
  command(family_app, commands, Verb::kProposalList, "ls", "List open proposals")
      ->add_flag("--all", proposal.all, "Those that are closed too");
  for (const auto& [verb, name, about] :
       {std::tuple{Verb::kProposalShow, "show", "The proposal, the votes, the outcome"},
        std::tuple{Verb::kProposalWatch, "watch", "Wait for the outcome"},
        std::tuple{Verb::kProposalCancel, "cancel", "Take back an open one"}})
    command(family_app, commands, verb, name, about)
        ->add_option("PROPOSAL", proposal.id, "Its id")
        ->required();
}

void add_tasks(CLI::App& app, CommandLine::Tasks& task, Commands& commands) {
  CLI::App& tasks = *family(app, "task", "Work that is shared out: each task is done once");
  CLI::App& add = *command(tasks, commands, Verb::kTaskAdd, "add", "Add a task");
  add.add_option("TITLE", task.title, "What is to be done, in words");
  add.add_option("--file", task.file, "The whole task, a JSON document; - for input")
      ->type_name("FILE");
  add.add_option("--id", task.id, "Its id [drawn at random]")->type_name("ID");
  add.add_option("--body", task.body, "More about it: JSON, or a text")->type_name("TEXT");
  add.add_option("--needs", task.needs, "Capabilities that its worker has to have")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  add.add_option("--priority", task.priority, "Higher is earlier, -1000 to 1000 [0]")
      ->check([](const std::string& text) {
        return whole_number<std::int64_t>(text)
                   ? std::string()
                   : fmt::format("expected a whole number, got '{}'", text);
      })
      ->type_name("N");
  add.add_option("--after", task.after, "Tasks that have to be done before")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("ID,...");
  add.add_option("--retries", task.retries, "So often again when it failed [3]")
      ->check([](const std::string& text) { return natural_text(text, 0); })
      ->type_name("N");
  duration(add, "--backoff", task.backoff_millis,
           "Before it is tried again, doubled each time [1s]");
  add.footer("Prints its id.\n  waggle task add 'count the words' --needs python --after fetch");

  CLI::App& claim = *command(tasks, commands, Verb::kTaskClaim, "claim", "Take the next one");
  CLI::App& run = *command(tasks, commands, Verb::kTaskRun, "run", "Run a command for each task");
  for (CLI::App* one : {&claim, &run}) {
    one->add_option("--can", task.can, "What the worker is capable of")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("NAME,...");
    one->add_option("--of", task.glob, "Only tasks whose ids match [*]")->type_name("GLOB");
    one->add_option("--as", task.as, "What the worker is called in lists [this host]")
        ->type_name("NAME");
    duration(*one, "--ttl", task.ttl_millis, "The time of the claim, without renewal [30s]");
    duration(*one, "--wait", task.wait_millis, "In line, when none is ready [0s]");
  }
  claim.footer(
      "Prints the task's id and its token; with --json the whole task too. Exit code: 3 none is\n"
      "ready, 6 none was within --wait. Renew it: waggle claim renew '~task/ID' --token N\n"
      "  read -r id token < <(waggle task claim --can python --wait 1h)");
  run.add_option("--count", task.count, "So many tasks [all, until none is ready within --wait]")
      ->check([](const std::string& text) { return natural_text(text, 1); })
      ->type_name("N");
  run.add_option("COMMAND", task.command, "The command and its arguments, behind --")->required();
  run.footer(
      "The task is a JSON document on its standard input, its id in WAGGLE_TASK, the token in\n"
      "WAGGLE_FENCE_TOKEN, how far an earlier worker came in WAGGLE_CHECKPOINT. Exit code 0 of the "
      "command: the task is done; another: that attempt\n"
      "failed. It may report by itself: waggle task done \"$WAGGLE_TASK\" --result ... Its claim "
      "is\n"
      "renewed meanwhile; when that is lost, the command is ended. Exit code: 0, 1 when a command\n"
      "failed, 3 or 6 when there was no task.\n"
      "  waggle task run --can python --wait 1h -- ./count-words");

  CLI::App& done = *command(tasks, commands, Verb::kTaskDone, "done", "Report a task as done");
  CLI::App& failed =
      *command(tasks, commands, Verb::kTaskFail, "fail", "Report an attempt as failed");
  for (CLI::App* one : {&done, &failed}) {
    one->add_option("TASK", task.id, "Its id")->required();
    token(*one, task.token, "Of the claim, as claim printed it [WAGGLE_FENCE_TOKEN]");
  }
  done.add_option("--result", task.result, "Is kept with the task: JSON, or a text")
      ->type_name("TEXT");
  done.add_option("--write", task.writes, "Written in the same commit; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  failed.add_option("--why", task.why, "Is kept with the task")->type_name("TEXT");
  failed.add_flag("--no-retry", task.no_retry, "It is dead at once");
  command(tasks, commands, Verb::kTaskList, "ls", "List open and dead tasks")
      ->add_flag("--all", task.all, "Those that ended too");
  for (const auto& [verb, name, about] :
       {std::tuple{Verb::kTaskShow, "show", "The task and what became of it"},
        std::tuple{Verb::kTaskRetry, "retry", "Try a dead one again"},
        std::tuple{Verb::kTaskCancel, "cancel", "Take back one that is open or dead"}})
    command(tasks, commands, verb, name, about)->add_option("TASK", task.id, "Its id")->required();
}

}  // namespace

void add_decisions(CLI::App& app, CommandLine& line, Commands& commands) {
  add_claims(app, line.claim, commands);
  add_proposals(app, line.proposal, commands);
  add_tasks(app, line.task, commands);
}

}  // namespace waggle::cli
