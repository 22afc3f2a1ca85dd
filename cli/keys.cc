// `waggle keys`: make keys, and say whose are let in. Works on files only; a running coordinator
// reads them again on HUP.

#include "io/keys.h"

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "cli/commands.h"
#include "cli/durations.h"
#include "cli/output.h"

namespace waggle::cli {
namespace {

constexpr std::size_t kFingerprintDigits = 16;

std::string now_text() {
  return wall_text(std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count());
}

// Typed as it is, or in a file.
Result<PublicKey> key_of(const std::string& given) {
  if (given.starts_with("wk1.")) return PublicKey::parse(given);
  return read_public_key(expand_home(given));
}

Json key_json(const AuthorizedKey& key) {
  Json out;
  out.set("key", key.key.text()).set("fingerprint", key.key.fingerprint());
  out.set("agent", key.agent.value());
  out.set("swarm", key.swarm.empty() ? Json() : Json(key.swarm.value()));
  if (!key.since.empty()) out.set("since", key.since);
  if (!key.comment.empty()) out.set("comment", key.comment);
  return out;
}

std::string where(const AuthorizedKey& key) {
  return key.swarm.empty() ? "every swarm" : fmt::format("swarm '{}'", key.swarm.value());
}

int done(bool printed) {
  return printed ? kExitDone : kExitFailure;
}

int make(const CommandLine& line) {
  const std::string path = expand_home(line.keys.key);
  const Result<SecretKeyPtr> key = new_key_file(path);
  if (!key) return fail(key.error(), line.json);
  const PublicKey& pub = (*key)->pub();
  if (!line.json) {
    say(fmt::format("made '{}', which is secret, and '{}.pub', which is not; fingerprint {}", path,
                    path, pub.fingerprint()));
    return done(print_line(pub.text()));
  }
  Json out;
  out.set("file", path).set("public_file", path + ".pub").set("key", pub.text());
  return done(print_json(out.set("fingerprint", pub.fingerprint())));
}

int show(const CommandLine& line) {
  const Result<PublicKey> key = read_public_key(expand_home(line.keys.key));
  if (!key) return fail(key.error(), line.json);
  if (!line.json) {
    say("fingerprint " + key->fingerprint());
    return done(print_line(key->text()));
  }
  Json out;
  return done(print_json(out.set("key", key->text()).set("fingerprint", key->fingerprint())));
}

int authorize(const CommandLine& line, const std::string& file) {
  AuthorizedKey added;
  if (const Status shape = check_agent_id(line.keys.agent); !shape)
    return fail_usage("--id: " + shape.error().text, line.json);
  const Result<PublicKey> key = key_of(line.keys.key);
  if (!key) return fail(key.error(), line.json);
  added.key = *key;
  added.agent = AgentId(line.keys.agent);
  if (line.swarm) added.swarm = SwarmId(*line.swarm);
  added.since = now_text();
  added.comment = printable(line.keys.comment, 200);
  if (const Status written = authorize_key(file, added); !written)
    return fail(written.error(), line.json);
  if (line.json) return done(print_json(key_json(added).set("file", file)));
  say(fmt::format(
      "the key {} speaks for agent '{}' in {}; a running coordinator takes it up on HUP",
      added.key.fingerprint(), added.agent.value(), where(added)));
  return kExitDone;
}

int revoke(const CommandLine& line, const std::string& file) {
  const std::string& given = line.keys.key;
  const bool fingerprint = given.size() == kFingerprintDigits &&
                           given.find_first_not_of("0123456789abcdef") == std::string::npos;
  PublicKey named;
  if (!given.empty() && !fingerprint) {
    const Result<PublicKey> key = key_of(given);
    if (!key) return fail(key.error(), line.json);
    named = *key;
  }
  const auto gone = revoke_keys(file, [&](const AuthorizedKey& key) {
    if (given.empty()) return key.agent.value() == line.keys.agent;
    return fingerprint ? key.key.fingerprint() == given : key.key == named;
  });
  if (!gone) return fail(gone.error(), line.json);
  if (gone->empty())
    return fail({Code::kNotFound, given.empty() ? fmt::format("no key of agent '{}' is in '{}'",
                                                              line.keys.agent, file)
                                                : fmt::format("that key is not in '{}'", file)},
                line.json);
  for (const AuthorizedKey& key : *gone) {
    if (line.json) {
      if (!print_json(key_json(key).set("file", file))) return kExitFailure;
    } else {
      say(fmt::format(
          "the key {} of agent '{}' is let in no more; a running coordinator ends it on "
          "HUP",
          key.key.fingerprint(), key.agent.value()));
    }
  }
  return kExitDone;
}

int list(const CommandLine& line, const std::string& file) {
  const auto keys = read_authorized_keys(file);
  if (!keys) return fail(keys.error(), line.json);
  if (line.json) {
    for (const AuthorizedKey& key : *keys)
      if (!print_json(key_json(key))) return kExitFailure;
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {
      {"FINGERPRINT", "AGENT", "SWARM", "SINCE", "COMMENT"}};
  for (const AuthorizedKey& key : *keys)
    rows.push_back({key.key.fingerprint(), key.agent.value(),
                    key.swarm.empty() ? "every one" : key.swarm.value(),
                    key.since.empty() ? "-" : key.since, printable(key.comment, 60)});
  return done(print(table(rows)));
}

}  // namespace

int keys(const CommandLine& line, const Config& config) {
  if (line.verb == Verb::kKeysNew) return make(line);
  if (line.verb == Verb::kKeysShow) return show(line);
  const std::string file = expand_home(config.authorized_keys_file());
  if (file.empty())
    return fail_usage(
        "which file? Give --authorized-keys FILE, or set coordinator.key in the "
        "configuration",
        line.json);
  if (line.verb == Verb::kKeysAuthorize) return authorize(line, file);
  if (line.verb == Verb::kKeysRevoke) return revoke(line, file);
  return list(line, file);
}

}  // namespace waggle::cli
