#pragma once

// Documents that have rules of their own, proposals and tasks: how commands give and read them.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/config.h"
#include "cli/json.h"
#include "include/lib/request_client.h"

namespace waggle::cli {

// What the file holds; "-": standard input. Errors: kRejected.
[[nodiscard]] Result<std::string> document_in(const std::string& file);
// JSON if it is, else the text.
[[nodiscard]] Json json_or_text(const std::string& text);
// NAME=VALUE pairs of an option. Errors: kRejected, or what `take` says.
[[nodiscard]] Status each_pair(const char* option, const std::vector<std::string>& pairs,
                               const std::function<Status(std::string, const std::string&)>& take);
// KEY=VALUE pairs as the field "writes", if there are any.
[[nodiscard]] Status set_writes(const std::vector<std::string>& pairs, Json& out);

[[nodiscard]] Json names_of(const std::vector<std::string>& names);

// Prints what became of the write of a document, with `prints_id` its id too. The exit code.
[[nodiscard]] int report_write(const std::string& id, const Result<Outcome>& outcome, bool json,
                               bool prints_id);

// Each live record of which the key matches. A swarm that does not exist yet has none.
[[nodiscard]] Status each_record(RequestClient& client, const std::string& glob,
                                 const Config& config,
                                 const std::function<void(const Change&)>& take);

struct FoundDocument {
  std::string id;
  std::string text;
  std::uint64_t version = 0;
};
// `what`: "proposal", "task". Errors: kNotFound.
[[nodiscard]] Result<FoundDocument> find_document(RequestClient& client, std::string_view what,
                                                  std::string_view prefix, const std::string& id,
                                                  const Config& config);
// Those of all keys that begin so. A swarm that does not exist yet has none.
[[nodiscard]] Result<std::vector<FoundDocument>> find_documents(RequestClient& client,
                                                                std::string_view prefix,
                                                                const Config& config);

}  // namespace waggle::cli
