// `waggle audit verify`: whether the registers of a swarm are what their writers signed, judged
// with the public keys at hand and not by the coordinator's word.

#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/signature.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/output.h"
#include "cli/record_json.h"
#include "io/keys.h"

namespace waggle::cli {
namespace {

enum class Verdict { kSigned, kUnsigned, kForged, kNoKey };
constexpr std::array<const char*, 4> kWords = {"signed", "unsigned", "forged", "no_key"};

struct Judgement {
  Verdict verdict = Verdict::kUnsigned;
  std::string key;  // fingerprint of the one that signed
};

Judgement judge(const std::vector<AuthorizedKey>& keys, const SwarmId& swarm,
                const Change& change) {
  const Record& record = *change.record;
  if (record.signature == nullptr) return {};
  bool known = false;
  for (const AuthorizedKey& one : keys) {
    if (one.agent != record.writer.agent) continue;
    known = true;
    if (verifies(one.key.signing, swarm, change.key, record))
      return {Verdict::kSigned, one.key.fingerprint()};
  }
  return {known ? Verdict::kForged : Verdict::kNoKey, {}};
}

Json judgement_json(const Change& change, const Judgement& judgement) {
  Json out;
  out.set("key", change.key.value()).set("version", change.record->version.value());
  out.set("writer", change.record->writer.agent.value());
  out.set("verdict", kWords[static_cast<std::size_t>(judgement.verdict)]);
  if (!judgement.key.empty()) out.set("signed_by", judgement.key);
  return out;
}

}  // namespace

int audit(const CommandLine& line, const Config& config) {
  const std::string file = expand_home(config.authorized_keys_file());
  if (file.empty())
    return fail_usage(
        "with whose keys? Give --authorized-keys FILE, where all agents' public keys "
        "stand",
        line.json);
  const auto keys = read_authorized_keys(file);
  if (!keys) return fail(keys.error(), line.json);
  const auto client = dial(config);
  if (!client) return fail(client.error(), line.json);

  std::array<std::uint64_t, 4> counts{};
  std::vector<std::vector<std::string>> rows = {{"KEY", "VERSION", "WRITER", "VERDICT"}};
  bool printed = true;
  const Status read = each_record(
      **client, line.audit.glob.empty() ? "*" : line.audit.glob, config, [&](const Change& change) {
        const Judgement judgement = judge(*keys, SwarmId(config.swarm), change);
        ++counts[static_cast<std::size_t>(judgement.verdict)];
        if (line.json) {
          printed = printed && print_json(judgement_json(change, judgement));
        } else if (judgement.verdict != Verdict::kUnsigned || line.audit.strict) {
          rows.push_back(
              {printable(change.key.value(), 64), std::to_string(change.record->version.value()),
               writer_word(change.record->writer.agent),
               judgement.key.empty() ? kWords[static_cast<std::size_t>(judgement.verdict)]
                                     : fmt::format("signed by {}", judgement.key)});
        }
      });
  if (!read) return fail(read.error(), line.json);
  if (rows.size() > 1) printed = print(table(rows));
  if (!printed) return kExitFailure;
  const auto count = [&](Verdict verdict) { return counts[static_cast<std::size_t>(verdict)]; };
  const std::string sum =
      fmt::format("{} signed, {} unsigned, {} forged, {} by agents without a key in '{}'",
                  count(Verdict::kSigned), count(Verdict::kUnsigned), count(Verdict::kForged),
                  count(Verdict::kNoKey), file);
  const bool sound = count(Verdict::kForged) == 0 && count(Verdict::kNoKey) == 0 &&
                     (!line.audit.strict || count(Verdict::kUnsigned) == 0);
  if (!sound) return fail({Code::kCorrupt, sum}, line.json);
  if (!line.json) say(sum);
  return kExitDone;
}

}  // namespace waggle::cli
