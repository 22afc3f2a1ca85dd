#pragma once

// Asks a coordinator and waits for the answer: what `waggle state get|put`, `waggle sync` and the
// public StateSynchronizer do. A client has no broadcast leg, no heartbeat and no state; it says
// hello with a random writer id and asks.
//
// A write is sent again, under the same id and with the same seen_revision, until it is answered or
// the time is over, so it takes effect at most once; when the time is over after it was sent, the
// outcome is `unknown` (kTimeout with that text), never "failed".
//
// Not thread-safe: one thread at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/message.h"
#include "base/status.h"
#include "io/keys.h"
#include "io/local_peers.h"

namespace waggle {

class MessagePort;  // include/lib/message_port.h

class RequestClient {
 public:
  // Over a socket, without keys where `keys` is null. Errors: parse_dial(), kUnavailable when
  // nobody answers within the time (the text names the endpoint and what to try), kUnsupported for
  // another protocol version, kDenied when the coordinator does not let this key in, or any without
  // one.
  [[nodiscard]] static Result<std::unique_ptr<RequestClient>> dial(const std::string& coordinator,
                                                                   const SwarmId& swarm,
                                                                   std::int64_t timeout_millis,
                                                                   const LinkKeysPtr& keys = {});
  // Within the coordinator's process.
  [[nodiscard]] static Result<std::unique_ptr<RequestClient>> over(std::unique_ptr<LocalPort> port,
                                                                   const SwarmId& swarm,
                                                                   std::int64_t timeout_millis);
  // Over any port; for tests that lose messages.
  [[nodiscard]] static Result<std::unique_ptr<RequestClient>> over(
      std::unique_ptr<MessagePort> port, const SwarmId& swarm, std::int64_t timeout_millis);
  ~RequestClient();
  RequestClient(const RequestClient&) = delete;
  RequestClient& operator=(const RequestClient&) = delete;

  [[nodiscard]] const Welcome& welcome() const;

  [[nodiscard]] Result<QueryResult> query(Ask ask, std::int64_t timeout_millis);
  // `seen`: the state that the write speaks of, where that is not the newest this client was told
  // of; positions in texts and lists are those of it. It never counts for more than is known.
  [[nodiscard]] Result<Outcome> write(std::vector<Entry> entries, std::int64_t timeout_millis,
                                      const std::optional<Cursor>& seen = std::nullopt);
  // An ephemeral key, which lives for the time to live of its policy: a client has no session that
  // stays. Gives the refusal; nothing: it was taken. Errors: there was no answer.
  [[nodiscard]] Result<std::optional<EphemeralRefusal>> write_ephemeral(
      EphemeralEntry entry, std::int64_t timeout_millis);
  // While `stop` says true, what waits ends with kUnavailable, "interrupted". Asked every 100 ms.
  void stop_when(std::function<bool()> stop);
  // All further writes say that they are made under the claim of that token; 0: of none.
  void write_under(FenceToken fence);
  // Takes a claim for a time, whatever becomes of this client, and renews, releases or hands over
  // one whose token it names. Waits in line as long as `request` says; `waits` is told the place.
  // The result may be a refusal. A request that has a number is the same as an earlier one of that
  // number, else it gets one. Errors: there was no answer.
  [[nodiscard]] Result<ClaimResult> claim(
      ClaimRequest request, std::int64_t timeout_millis,
      const std::function<void(const ClaimResult&)>& waits = {});
  [[nodiscard]] Result<SyncReport> synchronise(const SyncRequest& request,
                                               std::int64_t timeout_millis);
  [[nodiscard]] Result<CompactResult> compact(Revision floor, std::int64_t timeout_millis);

  // All chunks from a cursor, pulled until complete. `reset`: it can't be served from there; with
  // `or_snapshot` the whole state is pulled instead and `snapshot` says so.
  struct Delta {
    Cursor from;
    Cursor to;
    bool snapshot = false;
    bool reset = false;
    std::string text;
    std::vector<Change> changes;
    std::uint64_t bytes = 0;  // wire_size of the changes
  };
  [[nodiscard]] Result<Delta> delta(const Cursor& since, const std::string& prefix,
                                    bool or_snapshot, std::int64_t timeout_millis);
  // EPOCH@REV, a short prefix of the epoch, @REV or REV of the present epoch.
  [[nodiscard]] Result<Cursor> parse_cursor(const std::string& text) const;
  // Errors: kStale for a state that this coordinator did not have when it was dialled.
  [[nodiscard]] Status check_known(const Cursor& cursor) const;

 private:
  struct Parts;
  explicit RequestClient(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
