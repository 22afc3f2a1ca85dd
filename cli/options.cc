#include "cli/options.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "cli/durations.h"
#include "cli/nearest.h"
#include "cli/option_parts.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

std::string count_of_text(const std::string& text) {
  const auto number = whole_number<std::uint64_t>(text);
  if (number && *number > 0) return {};
  return fmt::format("expected a whole number above 0, got '{}'", text);
}

constexpr const char* kAbout =
    "Waggle keeps the state of a swarm of agents the same everywhere: one coordinator orders,\n"
    "stores and publishes what they write, and brings those who were away up to date.";

constexpr const char* kFooter =
    "Try:\n"
    "  waggle serve                            a coordinator, on this machine only\n"
    "  waggle state put plan 'go north'        write; `waggle state get plan` reads it back\n"
    "  waggle agent run --id scout-1           an agent: JSON lines in, JSON lines out\n"
    "  waggle tail                             watch what changes\n"
    "  waggle help state put                   help on one command\n"
    "\n"
    "Exit codes: 0 done, 1 failure, 2 usage, 3 not found, 4 conflict, 5 unreachable, 6 timed out,\n"
    "7 denied, 8 partial, 130 and 143 interrupted.";

// Builds the parser over one CommandLine and says which verb was named.
class Parser {
 public:
  Parser() : app_(kAbout, "waggle") {
    app_.footer(kFooter);
    app_.require_subcommand(1);
    app_.fallthrough();  // common flags may stand behind the command
    app_.set_help_flag("-h,--help", "Show this help");
    app_.set_version_flag("--version", [] { return std::string("waggle " WAGGLE_VERSION); });
    common();
    serve();
    agent();
    state();
    resolution();
    add_decisions(app_, line_, commands_);
    synchronise();
    follow();
    add_stores(app_, line_, commands_);
    keys();
    audit();
    admin();
  }

  std::expected<CommandLine, int> parse(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    for (const std::string& word : words) {
      if (word == "--") break;
      line_.json = line_.json || word == "--json";  // also for what goes wrong below
    }
    if (words.empty()) {
      say("a command is needed");
      (void)fputs(app_.help().c_str(), stderr);
      return std::unexpected(kExitUsage);
    }
    if (words.front() == "help") return help(words);
    if (const std::string wrong = unknown_command(words); !wrong.empty())
      return std::unexpected(fail_usage(wrong, line_.json));
    if (const std::string wrong = empty_value(words); !wrong.empty())
      return std::unexpected(fail_usage(wrong, line_.json));
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return std::unexpected(print_help(*named(words)));
    } catch (const CLI::CallForVersion&) {
      line_.verb = Verb::kVersion;
      return line_;
    } catch (const CLI::ParseError& error) {
      return std::unexpected(fail_usage(explain(words, error), line_.json));
    }
    for (const auto& [command, verb] : commands_) {
      if (!command->parsed()) continue;
      line_.verb = verb;
      if (verb != Verb::kStateWrite) continue;
      line_.state.verb = command->get_name();
      if (const std::string wrong = settle_state_write(line_.state); !wrong.empty())
        return std::unexpected(
            fail_usage(fmt::format("{}: {}", path_of(*command), wrong), line_.json));
    }
    if (const std::string wrong = token_of_environment(); !wrong.empty())
      return std::unexpected(fail_usage(wrong, line_.json));
    if (const std::string wrong = contradiction(); !wrong.empty())
      return std::unexpected(fail_usage(wrong, line_.json));
    return line_;
  }

 private:
  // CLI11 takes an option with an empty value for one that was not given: a script whose variable
  // is empty would write without its condition.
  static std::string empty_value(const std::vector<std::string>& words) {
    static constexpr std::string_view kNeedValue[] = {
        "--if-version",  "--at-least",    "--count",  "--floor",        "--file",
        "--on-change",   "--on-proposal", "--config", "--listen",       "--id",
        "--swarm",       "--field",       "--as-of",  "--type",         "--kind",
        "--coordinator", "--token",       "--ttl",    "--to",           "--of",
        "--as",          "--can",         "--needs",  "--write-choice", "--store"};
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i)
      for (const std::string_view name : kNeedValue) {
        const bool here = words[i] == std::string(name) + "=";
        const bool next = words[i] == name && i + 1 < words.size() && words[i + 1].empty();
        if (here || next) return fmt::format("{}: expected a value, got an empty one", name);
      }
    return {};
  }

  CLI::App* command(CLI::App& parent, Verb verb, const char* name, const char* about) {
    return cli::command(parent, commands_, verb, name, about);
  }
  void common() {
    const char* group = "Of all commands";
    app_.add_flag("--json", line_.json, "Machine-readable output")->group(group);
    app_.add_option("--coordinator", line_.coordinator,
                    "The coordinator to ask [WAGGLE_COORDINATOR, tcp://127.0.0.1:4600]")
        ->type_name("ENDPOINT")
        ->group(group);
    app_.add_option("--swarm", line_.swarm, "The swarm [WAGGLE_SWARM, default]")
        ->type_name("NAME")
        ->group(group);
    duration(app_, "--timeout", line_.timeout_millis, "How long to wait [WAGGLE_TIMEOUT, 5s]")
        ->group(group);
    app_.add_option("--key", line_.key,
                    "This side's secret key, as `waggle keys new` made it [WAGGLE_KEY]")
        ->type_name("FILE")
        ->check(not_empty())
        ->group(group);
    app_.add_option("--coordinator-key", line_.coordinator_key,
                    "The coordinator's public key [WAGGLE_COORDINATOR_KEY]")
        ->type_name("FILE")
        ->check(not_empty())
        ->group(group);
    app_.add_option("--config", line_.config, "Configuration [WAGGLE_CONFIG]")
        ->type_name("FILE")
        ->group(group);
  }

  void serve() {
    CLI::App& app = *command(app_, Verb::kServe, "serve", "Run a coordinator until TERM or INT");
    auto& serve = line_.serve;
    app.add_option("--listen", serve.listen,
                   "Where to listen [WAGGLE_LISTEN, tcp://127.0.0.1:4600]; port 0 takes a free one")
        ->type_name("ENDPOINT");
    auto* data = app.add_option("--data", serve.data,
                                "Data directory [WAGGLE_DATA, ~/.local/share/waggle/coordinator]")
                     ->type_name("DIR")
                     ->check(not_empty());
    app.add_flag("--memory", serve.memory, "Keep everything in memory only; gone at the end")
        ->excludes(data);
    authorized_keys(app);
    app.add_option("--access-rules", serve.access_rules,
                   "Who may do what; without, whoever is let in may do everything "
                   "[WAGGLE_ACCESS_RULES]")
        ->type_name("FILE")
        ->check(not_empty());
    app.add_option("--access-log", serve.access_log,
                   "Write who was refused and who administered there [WAGGLE_ACCESS_LOG]")
        ->type_name("FILE")
        ->check(not_empty());
    app.add_flag("--insecure-listen", serve.insecure_listen,
                 "Listen where other machines reach it, without encryption or authentication");
    app.add_flag("--accept-rollback", serve.accept_rollback,
                 "Open a store that lost acknowledged writes, and begin a new epoch");
    app.footer(
        "With --key FILE every connection is encrypted, and only keys of the authorized keys file "
        "are\n"
        "let in. HUP reads keys and access rules again; without either HUP ends the coordinator "
        "as\n"
        "TERM does.");
  }

  void authorized_keys(CLI::App& app) {
    app.add_option("--authorized-keys", line_.authorized_keys,
                   "Who is let in [WAGGLE_AUTHORIZED_KEYS, authorized_keys beside the "
                   "coordinator's key]")
        ->type_name("FILE")
        ->check(not_empty());
  }

  void keys() {
    auto& keys = line_.keys;
    CLI::App& family_app =
        *family(app_, "keys", "Keys: who is let in, and which agent each speaks for");
    command(family_app, Verb::kKeysNew, "new", "Make a secret key FILE and its public key FILE.pub")
        ->add_option("FILE", keys.key, "Where to")
        ->required()
        ->check(not_empty());
    command(family_app, Verb::kKeysShow, "show", "Print the public key of a file")
        ->add_option("FILE", keys.key, "A secret or a public key")
        ->required()
        ->check(not_empty());
    CLI::App& authorize = *command(family_app, Verb::kKeysAuthorize, "authorize",
                                   "Let a key in, for one agent; with --swarm only there");
    CLI::App& revoke = *command(family_app, Verb::kKeysRevoke, "revoke",
                                "Let a key in no more, or all keys of an agent");
    CLI::App& list = *command(family_app, Verb::kKeysList, "ls", "List the keys that are let in");
    authorize.add_option("KEY", keys.key, "A public key, or a file that holds one")
        ->required()
        ->check(not_empty());
    revoke.add_option("KEY", keys.key, "A public key, its fingerprint, or a file that holds one")
        ->check(not_empty());
    authorize.add_option("--id", keys.agent, "The agent that it speaks for")
        ->type_name("NAME")
        ->required();
    revoke.add_option("--id", keys.agent, "All keys of this agent")->type_name("NAME");
    authorize.add_option("--comment", keys.comment, "Kept in the file")->type_name("TEXT");
    for (CLI::App* app : {&authorize, &revoke, &list}) {
      authorized_keys(*app);
      app->footer("A running coordinator reads the file again on HUP.");
    }
  }

  void audit() {
    CLI::App& family_app = *family(app_, "audit", "Whether values are what their writers signed");
    CLI::App& app = *command(family_app, Verb::kAuditVerify, "verify",
                             "Check the signatures of registers with the keys at hand");
    app.add_option("GLOB", line_.audit.glob, "Of keys that match: * any text, ? one byte [*]");
    app.add_flag("--strict", line_.audit.strict, "What is not signed is wrong too");
    authorized_keys(app);
    app.footer(
        "With a key an agent signs each register that it puts. The signature is kept with the "
        "value, "
        "so\n"
        "this trusts the public keys and not the coordinator. Exit code 1: something is wrong.");
  }

  void agent() {
    CLI::App& family_app = *family(app_, "agent", "Run an agent, list agents");
    CLI::App& app =
        *command(family_app, Verb::kAgentRun, "run",
                 "An agent: JSON lines on standard input, JSON lines on standard output");
    auto& agent = line_.agent;
    app.add_option("--id", agent.id, "Its id, unique in the swarm")->type_name("NAME")->required();
    app.add_option("--data", agent.data,
                   "Keeps unsent writes and the state over a restart; without: in memory")
        ->type_name("DIR")
        ->check(not_empty());
    app.add_option(
           "--on-change", agent.on_change,
           "Run this with /bin/sh for each change; the change is JSON on its standard input")
        ->type_name("CMD");
    app.add_option("--on-proposal", agent.on_proposal,
                   "Run this for each open proposal on which it may vote: the proposal is JSON on "
                   "its standard input, the vote what it prints: for, against, abstain, of options "
                   "NAME,NAME,..., or nothing")
        ->type_name("CMD");
    choice<bool>(
        app, "--role", {{"member", false}, {"observer", true}},
        [&agent](bool observer) { agent.observer = observer; },
        "An observer sees everything, never writes and answers no round [member]");
    app.add_flag("--changes", agent.changes, "Print every change, as after {\"op\":\"watch\"}");
    app.add_flag("--initial", agent.initial,
                 "Count the state that is there at the first start as changes too");
    app.add_flag("--no-stdin", agent.no_stdin, "Read no operations; run until TERM or INT");
    duration(app, "--drain", agent.drain_millis,
             "At the end of input wait so long for unanswered writes [5s]");
    app.footer(
        "Operations, one JSON object a line; \"id\" is echoed in every answer:\n"
        "  "
        "{\"op\":\"put\",\"key\":\"plan\",\"value\":{\"go\":\"north\"},\"if_version\":12,\"id\":1}"
        "\n"
        "  {\"op\":\"get\",\"key\":\"plan\"}           {\"op\":\"list\",\"glob\":\"task/*\"}\n"
        "  {\"op\":\"delete\",\"key\":\"plan\"}\n"
        "  {\"op\":\"propose\",\"proposal\":{\"title\":\"go north\"}}  "
        "{\"op\":\"vote\",\"proposal_id\":\"...\",\"vote\":\"for\"}\n"
        "  {\"op\":\"claim\",\"pattern\":\"plan/*\",\"wait\":\"1m\"}  claim_renew, claim_release, "
        "claim_handover\n"
        "  {\"op\":\"task_add\",\"task\":{\"title\":\"count\"}}  "
        "{\"op\":\"task_claim\",\"can\":[\"python\"],\"wait\":\"1h\"}\n"
        "  {\"op\":\"task_done\",\"task_id\":\"...\",\"result\":7}  task_fail, task_retry, "
        "task_cancel\n"
        "  {\"op\":\"put\",\"key\":\"here/a\",\"value\":\"busy\",\"ephemeral\":true}  and delete "
        "so\n"
        "  {\"op\":\"incr\",\"key\":\"seen\",\"amount\":2,\"type\":\"grow-counter\"}  "
        "{\"op\":\"reset\",\"key\":\"n\"}\n"
        "  {\"op\":\"reserve\",\"key\":\"fuel\",\"amount\":5} {\"op\":\"release\",...}  "
        "{\"op\":\"handover\",...,\"to\":\"b\"}\n"
        "  {\"op\":\"add\",\"key\":\"tags\",\"elements\":[\"a\"]}  {\"op\":\"remove\",...}\n"
        "  {\"op\":\"max\",\"key\":\"best\",\"value\":7}  {\"op\":\"min\",...}  "
        "{\"op\":\"once\",\"key\":\"done\"}\n"
        "  {\"op\":\"on\",\"key\":\"lamp\",\"type\":\"disable-flag\"}  {\"op\":\"off\",...}\n"
        "  {\"op\":\"setfield\",\"key\":\"ada\",\"field\":[\"home\",\"city\"],\"value\":\"Ulm\"}  "
        "{\"op\":\"rmfield\",...}\n"
        "  {\"op\":\"insert\",\"key\":\"song\",\"at\":0,\"text\":\"hum\"}  "
        "{\"op\":\"erase\",\"key\":\"song\",\"at\":0,\"count\":3}\n"
        "  {\"op\":\"append\",\"key\":\"song\",\"text\":\" and hum\"}  "
        "{\"op\":\"patch\",\"key\":\"plan\",\"patch\":{\"go\":null}}\n"
        "  any write with \"field\":\"name\": on that field of a map\n"
        "  {\"op\":\"group\",\"entries\":[{\"op\":\"put\",...},{\"op\":\"incr\",...}]}\n"
        "  {\"op\":\"offer\",\"key\":\"plan\",\"value\":\"mine\"}  "
        "{\"op\":\"withdraw\",\"key\":\"plan\"}\n"
        "  {\"op\":\"sync\",\"keys\":[\"plan\"],\"timeout\":\"10s\"}  {\"op\":\"delta\"}\n"
        "  {\"op\":\"watch\"} {\"op\":\"unwatch\"} {\"op\":\"status\"} {\"op\":\"leave\"}");
    command(family_app, Verb::kAgentList, "ls", "Who is in the swarm, and how they are");
  }

  void state() {
    CLI::App& family_app = *family(app_, "state", "Read and write the swarm's state");
    add_state_family(family_app, line_, commands_);
  }

  void synchronise() {
    CLI::App& app = *command(app_, Verb::kSync, "sync",
                             "Full synchronisation: ask all members, settle what differs, publish");
    auto& sync = line_.sync;
    app.add_option("KEY", sync.keys, "Keys to synchronise, in one round");
    app.add_flag("--all", sync.all, "Every key");
    choice<Priority>(
        app, "--priority",
        {{"normal", Priority::kNormal},
         {"high", Priority::kHigh},
         {"critical", Priority::kCritical}},
        [&sync](Priority priority) { sync.priority = priority; },
        "Its place among waiting rounds, and its time: 5s, 10s, 30s");
    duration(app, "--every", sync.every_millis,
             "Again and again, with 10 % of jitter; one line a run");
    app.add_option("--count", sync.count, "With --every: so many runs")
        ->check(count_of_text)
        ->type_name("N");
    app.footer(
        "--timeout is the time of the round [by priority or policy, else 10s].\n"
        "Exit codes: 0 settled or equal, 4 no quorum or overtaken by writes, 5 no agents,\n"
        "6 nobody answered in time, 8 partial: a missing member could have changed it.");
  }

  void follow() {
    auto& follow = line_.follow;
    CLI::App& delta = *command(app_, Verb::kDelta, "delta", "What changed since a cursor");
    delta.add_option("--since", follow.cursor, "EPOCH@REVISION, or REVISION of the present epoch")
        ->type_name("CURSOR")
        ->required();
    delta.add_option("--prefix", follow.prefix, "Only keys that begin so")->type_name("TEXT");
    delta.add_flag("--or-snapshot", follow.or_snapshot,
                   "The whole state where the changes since then are no longer known");

    CLI::App& tail = *command(app_, Verb::kTail, "tail", "Follow the changes, as JSON lines");
    tail.add_option("PREFIX", follow.prefix, "Only keys that begin so");
    tail.add_option("--from", follow.cursor,
                    "Begin behind this cursor; 0: with the state as it is [only what is new]")
        ->type_name("CURSOR");
    tail.add_flag("--ephemeral", follow.ephemeral,
                  "Ephemeral keys too: as they are, then changes; without a cursor, not counted");
    tail.add_option("--count", follow.count, "End after so many changes")
        ->check(count_of_text)
        ->type_name("N");
    tail.footer(
        "Every line names the cursor behind it; the last one is {\"event\":\"cursor\",...}. To go "
        "on\n"
        "without a hole: waggle tail --from CURSOR. It is a feed of the state: each key comes at "
        "its\n"
        "latest, values in between may be skipped.");
  }

  void resolution() {
    auto& conflict = line_.conflict;
    CLI::App& conflicts =
        *family(app_, "conflict", "What waits for a person, and how to settle it");
    command(conflicts, Verb::kConflictList, "ls", "List the conflicts that wait")
        ->add_option("GLOB", conflict.glob, "Of keys that match: * any text, ? one byte");
    CLI::App& show = *command(conflicts, Verb::kConflictShow, "show", "All sides of a conflict");
    CLI::App& diff = *command(conflicts, Verb::kConflictDiff, "diff", "Where the sides differ");
    CLI::App& resolve = *command(conflicts, Verb::kConflictResolve, "resolve",
                                 "Settle a conflict, by an ordinary commit");
    for (CLI::App* app : {&show, &diff, &resolve})
      app->add_option("CONFLICT", conflict.id, "Its name, such as C12")->required();
    auto* take = resolve
                     .add_option("--take", conflict.take,
                                 "A, B, ...: the value of that side; merged: all of them, where "
                                 "they don't contradict; dismiss: what stands stays")
                     ->type_name("SIDE")
                     ->check(not_empty());
    resolve.add_option("--value", conflict.value, "Another value")
        ->type_name("VALUE")
        ->excludes(take);
    resolve.add_option("--if-version", conflict.if_version, "Only if this is the key's version")
        ->check(revision_of_text)
        ->type_name("VERSION");
    resolve.footer(
        "  waggle conflict resolve C12 --take B\n"
        "  waggle conflict resolve C12 --value 'go north'");

    auto& receipt = line_.receipt;
    CLI::App& receipts =
        *family(app_, "receipt", "What was chosen among concurrent values, from what and why");
    command(receipts, Verb::kReceiptList, "ls", "List the receipts of a key, or of all")
        ->add_option("KEY", receipt.key, "The key");
    for (const auto& [verb, name, about] :
         {std::tuple{Verb::kReceiptShow, "show", "The inputs and the outcome of each"},
          std::tuple{Verb::kReceiptVerify, "verify",
                     "Check the chain and run the rules again on what was retained"}})
      command(receipts, verb, name, about)->add_option("KEY", receipt.key, "The key")->required();

    CLI::App& what_if =
        *command(app_, Verb::kWhatIf, "what-if", "Which choices another policy would have made");
    what_if
        .add_option("--policy", receipt.policy,
                    "A configuration whose [[policy]] sections are tried")
        ->type_name("FILE")
        ->required()
        ->check(not_empty());
    what_if.add_option("--since", receipt.since, "Only choices from this revision on")
        ->check(revision_of_text)
        ->type_name("REVISION");
    what_if.footer("Nothing is changed. Run it before you switch the policy of a coordinator.");
  }

  void admin() {
    auto& admin = line_.admin;
    CLI::App& status = *command(app_, Verb::kStatus, "status", "The coordinator and its swarms");
    status.add_flag("--counters", admin.counters, "With what it counted since its start");

    CLI::App& clear = *command(app_, Verb::kClear, "clear", "Delete a key, or the whole state");
    clear.add_option("KEY", admin.key, "The key; without: everything in the swarm");
    clear.add_flag("--yes", admin.yes, "Don't ask");
    token(clear, line_.state.token, "Of the claim under which the key is deleted");

    CLI::App& compact = *command(app_, Verb::kCompact, "compact",
                                 "Forget deletions that no attached agent needs any more");
    compact
        .add_option("--floor", admin.floor,
                    "Up to this revision; whoever was away for longer gets a snapshot")
        ->check(revision_of_text)
        ->type_name("REVISION");

    CLI::App& config = *family(app_, "config", "Check a configuration, print the default one");
    command(config, Verb::kConfigCheck, "check", "Check a configuration file")
        ->add_option("FILE", admin.file, "[the one that would be used]");
    command(config, Verb::kConfigDefault, "default", "Print a commented file with the defaults");

    command(app_, Verb::kVersion, "version", "Print the version");
    app_.add_subcommand("help", "Help on a command: waggle help state put");
  }

  // ---- what went wrong -------------------------------------------------------------------------

  static std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(sub->get_name());
    return names;
  }
  static CLI::App* find_command(CLI::App& app, const std::string& name) {
    for (CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      if (sub->get_name() == name) return sub;
    return nullptr;
  }
  static std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  // The words that are commands, from the first; flags of all commands may stand between.
  CLI::App* named(const std::vector<std::string>& words, std::string* stray = nullptr) {
    CLI::App* app = &app_;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word.starts_with("-")) {
        const CLI::Option* option = app_.get_option_no_throw(word);
        if (option != nullptr && option->get_items_expected_max() > 0) ++i;  // its value
        continue;
      }
      CLI::App* sub = find_command(*app, word);
      if (sub == nullptr) {
        if (stray != nullptr && !commands_of(*app).empty()) *stray = word;
        break;
      }
      app = sub;
    }
    return app;
  }

  std::string unknown_command(const std::vector<std::string>& words) {
    std::string stray;
    const CLI::App* app = named(words, &stray);
    if (stray.empty()) return {};
    const std::vector<std::string> known = commands_of(*app);
    std::string hint = did_you_mean(stray, known);
    if (app->get_name() == "state" && !only_for_agents(stray).empty())
      hint = only_for_agents(stray);
    const std::string family_name = app == &app_ ? std::string() : " " + app->get_name();
    return fmt::format("unknown command '{}{}'{}{}",
                       family_name.empty() ? "" : app->get_name() + " ", printable(stray, 64), hint,
                       hint.empty() ? fmt::format("; expected one of: {}", joined(known)) : "");
  }

  std::string explain(const std::vector<std::string>& words, const CLI::ParseError& error) {
    CLI::App* app = named(words);
    const std::string name = app == &app_ ? "waggle" : path_of(*app);
    const std::string help_hint = fmt::format("; see {} --help", name);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
      std::vector<std::string> known;
      for (const CLI::App* at = app; at != nullptr; at = at->get_parent())
        for (const CLI::Option* option : at->get_options())
          for (const std::string& flag : option->get_lnames()) known.push_back("--" + flag);
      for (const std::string& extra : app_.remaining(true)) {
        if (extra == "--") continue;
        if (!extra.starts_with("-"))
          return fmt::format("{} takes no '{}' here{}", name, printable(extra, 64), help_hint);
        const std::string flag = extra.substr(0, extra.find('='));
        const std::string hint = did_you_mean(flag, known);
        return fmt::format("{} has no flag {}{}", name, printable(flag, 64),
                           hint.empty() ? help_hint : hint);
      }
    }
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !commands_of(*app).empty())
      return fmt::format("{} needs a command: {}", name, joined(commands_of(*app)));
    return fmt::format("{}: {}{}", name, error.what(), help_hint);
  }

  int print_help(const CLI::App& app) const {
    const std::string above = &app == &app_ ? std::string() : path_of(*app.get_parent());
    std::string text = app.help(above);
    if (&app != &app_)
      text +=
          "\nOf all commands: --json --coordinator --swarm --timeout --key --coordinator-key "
          "--config; see waggle --help\n";
    return print(text) ? kExitDone : kExitFailure;
  }

  [[nodiscard]] std::string path_of(const CLI::App& app) const {
    if (&app == &app_) return "waggle";
    return path_of(*app.get_parent()) + " " + app.get_name();
  }

  std::expected<CommandLine, int> help(std::vector<std::string> words) {
    words.erase(words.begin());
    if (const std::string wrong = unknown_command(words); !wrong.empty())
      return std::unexpected(fail_usage(wrong));
    return std::unexpected(print_help(*named(words)));
  }

  // Of the commands that take a token, where none was given.
  std::string token_of_environment() {
    std::uint64_t* token = nullptr;
    switch (line_.verb) {
      case Verb::kClaimRenew:
      case Verb::kClaimRelease:
      case Verb::kClaimHandover:
        token = &line_.claim.token;
        break;
      case Verb::kTaskDone:
      case Verb::kTaskFail:
        token = &line_.task.token;
        break;
      case Verb::kStateWrite:
      case Verb::kClear:
        token = &line_.state.token;
        break;
      default:
        return {};
    }
    const char* text = std::getenv("WAGGLE_FENCE_TOKEN");
    if (*token != 0 || text == nullptr || *text == '\0') return {};
    if (const std::string wrong = natural_text(text, 1); !wrong.empty())
      return "WAGGLE_FENCE_TOKEN: " + wrong;
    *token = *whole_number<std::uint64_t>(text);
    return {};
  }

  // What the document of --file says itself was given beside it.
  [[nodiscard]] bool beside_file() const {
    CommandLine::Proposals proposal;
    proposal.file = line_.proposal.file;
    proposal.id = line_.proposal.id;
    proposal.wait = line_.proposal.wait;
    CommandLine::Tasks task;
    task.file = line_.task.file;
    task.id = line_.task.id;
    return line_.verb == Verb::kPropose ? line_.proposal != proposal : line_.task != task;
  }

  [[nodiscard]] std::string contradiction() const {
    if (line_.verb == Verb::kKeysRevoke && line_.keys.key.empty() == line_.keys.agent.empty())
      return "waggle keys revoke: name a key, or with --id an agent, and not both";
    if (line_.verb == Verb::kSync) {
      if (line_.sync.all != line_.sync.keys.empty())
        return line_.sync.all ? "waggle sync: name keys or --all, not both"
                              : "waggle sync: name the keys to synchronise, or --all";
      if (line_.sync.count != 0 && line_.sync.every_millis == 0)
        return "waggle sync: --count needs --every";
    }
    if ((line_.verb == Verb::kClaimRenew || line_.verb == Verb::kClaimRelease ||
         line_.verb == Verb::kClaimHandover) &&
        line_.claim.token == 0)
      return "waggle claim: which grant? Give --token N, as take printed it, or set "
             "WAGGLE_FENCE_TOKEN";
    if ((line_.verb == Verb::kTaskDone || line_.verb == Verb::kTaskFail) && line_.task.token == 0)
      return "waggle task: under which claim? Give --token N, as claim printed it, or set "
             "WAGGLE_FENCE_TOKEN";
    if (line_.verb == Verb::kTaskAdd) {
      const CommandLine::Tasks& task = line_.task;
      if (task.title.empty() == task.file.empty())
        return "waggle task add: say what is to be done, or give the whole document with --file, "
               "and "
               "not both";
      if (!task.file.empty() && beside_file())
        return "waggle task add: with --file the document says all of the task; leave out the "
               "other "
               "options but --id";
    }
    if (line_.verb == Verb::kPropose &&
        (line_.proposal.title.empty() == line_.proposal.file.empty()))
      return "waggle propose: say what is proposed, or give the whole document with --file, and "
             "not "
             "both";
    if (line_.verb == Verb::kPropose && !line_.proposal.file.empty() && beside_file())
      return "waggle propose: with --file the document says all of the proposal; leave out the "
             "other "
             "options but --id and --wait";
    if (line_.verb == Verb::kConflictResolve && line_.conflict.take.empty() &&
        !line_.conflict.value)
      return "waggle conflict resolve: name what to take: --take A, --take merged, --take dismiss, "
             "or --value VALUE";
    if (line_.verb == Verb::kAgentRun && line_.agent.observer && !line_.agent.on_proposal.empty())
      return "waggle agent run: an observer does not vote, so --on-proposal does nothing";
    if (line_.verb == Verb::kAgentRun && line_.agent.no_stdin && line_.agent.observer &&
        line_.agent.on_change.empty() && !line_.agent.changes)
      return "waggle agent run: an observer with --no-stdin does nothing; add --changes or "
             "--on-change";
    return {};
  }

  CommandLine line_;
  CLI::App app_;
  Commands commands_;
};

}  // namespace

std::expected<CommandLine, int> parse_command_line(int argc, char** argv) {
  return Parser().parse(argc, argv);
}

}  // namespace waggle::cli
