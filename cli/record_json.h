#pragma once

// Waggle's structs as JSON, the same in every command and in the lines of `waggle agent run`:
//
//   {"key":"plan","exists":true,"version":12,"type":"json","value":{"a":1},"writer":"scout-1",
//    "committed_at":"2025-03-01T12:00:00.250Z"}
//   {"key":"plan","exists":false}
//
// What stands behind `type` is in cli/value_json.h.

#include "base/message.h"
#include "base/mutation.h"
#include "base/record.h"
#include "cli/json.h"
#include "cli/value_json.h"
#include "consensus/claim_line.h"
#include "include/lib/request_client.h"

namespace waggle::cli {

// Version of the field names in all of the program's JSON. Fields may be added under one number.
inline constexpr int kContract = 1;

// As read: with "exists".
[[nodiscard]] Json record_json(const Change& read);
// As changed: with "deleted":true instead of a value for a tombstone.
[[nodiscard]] Json change_json(const Change& change);
// Adds code, level, revision and, where there are any, reason, conflict and the record that stands.
void add_outcome(Json& out, const Outcome& outcome);
void add_report(Json& out, const SyncReport& report);
[[nodiscard]] Json counters_json(const std::vector<NamedCount>& counters);
// The answer to what was asked about a claim.
void add_claim_result(Json& out, const ClaimResult& result);
// Who holds a claim: holder, label where it has one, token.
void add_holder(Json& out, const Claim& claim);
[[nodiscard]] std::string holder_word(const Claim& claim);  // for people
[[nodiscard]] Json agent_names(const std::vector<AgentId>& agents);

// A writer for people: of a client only that it was one, its random name says nothing.
[[nodiscard]] std::string writer_word(const AgentId& agent);

}  // namespace waggle::cli
