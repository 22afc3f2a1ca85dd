#include "consensus/claim_record.h"

#include <charconv>

#include <fmt/format.h>

namespace waggle {
namespace {

template <typename Number>
std::optional<Number> number_in(const Metadata& metadata, const char* name, int base) {
  const auto found = metadata.find(name);
  if (found == metadata.end()) return std::nullopt;
  Number number{};
  const char* const end = found->second.data() + found->second.size();
  const auto [rest, error] = std::from_chars(found->second.data(), end, number, base);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::string text_in(const Metadata& metadata, const char* name) {
  const auto found = metadata.find(name);
  return found == metadata.end() ? std::string() : found->second;
}

}  // namespace

Key claim_key(std::string_view pattern) {
  return Key(fmt::format("{}{}", kClaimKeys, pattern));
}

std::string_view pattern_of(std::string_view claim_key) {
  return claim_key.substr(kClaimKeys.size());
}

Metadata to_metadata(const Claim& claim) {
  Metadata metadata{{"holder", claim.holder.agent.value()},
                    {"process", to_hex(claim.holder.process.value())},
                    {"token", fmt::to_string(claim.token.value())},
                    {"ttl_ms", fmt::to_string(claim.ttl_millis)},
                    {"of", claim.of_session ? "session" : "time"}};
  if (!claim.label.empty()) metadata["label"] = claim.label;
  if (claim.asked) metadata["asked"] = to_hex(claim.asked.value());
  if (!claim.handed_by.empty()) metadata["handed_by"] = claim.handed_by.value();
  return metadata;
}

std::optional<Claim> claim_of(const Key& key, const Record& record) {
  if (!record.live() || !is_claim_key(key.value())) return std::nullopt;
  const auto token = number_in<std::uint64_t>(record.metadata, "token", 10);
  const auto process = number_in<std::uint64_t>(record.metadata, "process", 16);
  const auto ttl = number_in<std::int64_t>(record.metadata, "ttl_ms", 10);
  const std::string holder = text_in(record.metadata, "holder");
  const std::string pattern(pattern_of(key.value()));
  if (!token || *token == 0 || !process || !ttl || holder.empty()) return std::nullopt;
  if (!check_claim_pattern(pattern) || !check_claim_time(*ttl)) return std::nullopt;
  return Claim{pattern,
               {AgentId(holder), Incarnation(*process)},
               text_in(record.metadata, "label"),
               AgentId(text_in(record.metadata, "handed_by")),
               FenceToken(*token),
               *ttl,
               text_in(record.metadata, "of") == "session",
               RequestId(number_in<std::uint64_t>(record.metadata, "asked", 16).value_or(0))};
}

std::optional<Register> checkpoint_of(const Record* record) {
  std::optional<Register> value = register_of(record);
  if (value && value->content == ContentType::kText && value->bytes.empty()) return std::nullopt;
  return value;
}

}  // namespace waggle
