#pragma once

// Walks of the protocol as text: one command a line, `#` begins a comment. The world is calm: what
// is lost, late or down is what the text says. All checkers watch, and at the end of each file
// everything is healed and must be quiet and equal.
//
//   agents N                        before all else; agents are a1, a2 ...; the coordinator is c
//   start c | start a1
//   crash c | crash a1              power fails
//   kill a1                         the disk keeps all
//   agent a1 put KEY TEXT           delete KEY, incr KEY N, add KEY E..., remove KEY E..., clear,
//            group KEY N KEY N ...  increments of several counters at once
//            cas KEY TEXT           put, expecting the version that the view shows
//            offer KEY TEXT         withdraw KEY, sync KEY... | sync all, catch-up
//            put-json KEY JSON
//            propose ID FIELDS      a proposal, or task ID FIELDS: a document without its braces
//            vote ID WORD [AGENT]   in its own name, or another's
//            claim PATTERN TTL [WAIT]   release PATTERN; with `~task/*` the next task
//   client incr KEY N               a client of its own, again until it is answered; client clear
//   compact [REVISION]
//   drop FROM->TO NAME [N]          loses the next N (default 1) frames of that name on that way:
//                                   a1->c, c->a1, c=>a1 (broadcast), `*` for any name
//   drop-no-more                    forgets what is still to be dropped or held
//   hold FROM->TO NAME              the next such frame waits; `release` lets all that wait go
//   double FROM->TO NAME            the next such frame arrives, and once more with `release`
//   cut a1 up|down|broadcast        mend a1
//   reconnect a1                    silently
//   lose-data a1 | lose-data c      while it is down
//   back-up                         restore: while the coordinator is down
//   advance TIME                    500ms, 3s
//   repeat N COMMAND...
//   settle                          until all is quiet, at most 120 s
//   expect a1 KEY VALUE             of the view; a counter's number, a set's elements with commas,
//                                   `-` for absent; `committed a1 KEY VALUE` of the committed
//                                   state; `expect c KEY VALUE` of the coordinator
//   expect-settled a1 N CODE        the answer to the N-th write of the present process, or the
//                                   reason where it has one
//   expect-field KEY FIELD TEXT     of a document at the coordinator, `-` for absent
//   expect-claim PATTERN AGENT      held at the coordinator, `-` by nobody
//   expect-number a1 N kept|anew    under the number that it was queued with, or under another one
//   expect-outbox a1 N              so many writes wait for their answer
//   expect-count a1|c NAME N        a counter of the core is at least N
//   expect-link a1 LINK             expect-client CODE
//   expect-lost a1 N                so many writes were told to be lost by a restore
//
// One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace waggle::sim {

// What went wrong, with file and line; empty: nothing.
[[nodiscard]] std::vector<std::string> run_scenario(const std::string& path, bool told);

}  // namespace waggle::sim
