#pragma once

// One function for each command; each gives the program's exit code. REQUIRES: the settings were
// loaded, see run.cc.

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/config.h"
#include "cli/options.h"
#include "include/lib/agent_runtime.h"
#include "include/lib/request_client.h"

namespace waggle::cli {

// The whole program.
int run(int argc, char** argv);

int serve(const CommandLine& line, const Config& config);        // serve.cc
int agent_run(const CommandLine& line, const Config& config);    // agent_run.cc
int state_read(const CommandLine& line, const Config& config);   // state_read.cc
int state_write(const CommandLine& line, const Config& config);  // state_write.cc
int conflict(const CommandLine& line, const Config& config);     // conflict.cc
int receipt(const CommandLine& line, const Config& config);      // receipt.cc
int what_if(const CommandLine& line, const Config& config);      // receipt.cc
int claim(const CommandLine& line, const Config& config);        // claim.cc
int proposal(const CommandLine& line, const Config& config);     // proposal.cc
int task(const CommandLine& line, const Config& config);         // task.cc
int synchronise(const CommandLine& line, const Config& config);  // sync.cc
int delta(const CommandLine& line, const Config& config);        // delta.cc
int tail(const CommandLine& line, const Config& config);         // tail.cc
int status(const CommandLine& line, const Config& config);       // admin.cc
int agent_list(const CommandLine& line, const Config& config);   // admin.cc
int clear(const CommandLine& line, const Config& config);        // state_write.cc
int compact(const CommandLine& line, const Config& config);      // admin.cc
int keys(const CommandLine& line, const Config& config);         // keys.cc
int audit(const CommandLine& line, const Config& config);        // audit.cc
int snapshot(const CommandLine& line, const Config& config);     // snapshot.cc
int doctor(const CommandLine& line, const Config& config);       // doctor.cc
int config_check(const CommandLine& line);                       // run.cc
int version(const CommandLine& line);                            // run.cc

// Of the commands that work on a store: --store, or as of `waggle serve`. Empty: it can't be told.
[[nodiscard]] std::string store_directory(const CommandLine& line, const Config& config);
inline constexpr std::string_view kNoStoreDirectory =
    "which store? Neither HOME nor XDG_DATA_HOME is set: give --store DIR";

// Says hello to the configured coordinator, within the configured time.
[[nodiscard]] Result<std::unique_ptr<RequestClient>> dial(const Config& config);
// Of an agent at the configured coordinator, in the configured swarm.
[[nodiscard]] AgentRuntimeOptions agent_options(const Config& config);

}  // namespace waggle::cli
