#pragma once

// The ephemeral keys as one agent sees them: a copy of the swarm's, and its own, which it keeps
// saying for as long as it lives.
//
//   own key:  waits --(sent)--> on its way --(result)--> stands --> forgotten when somebody else's
//             ^                     |                      |        write, or a deletion, is newer
//             +-- written again ----+----------------------+
//             +-- a new session: said again ---------------+
//
// One write is on its way at a time; what changes meanwhile goes together in the next, so that the
// link carries the newest values at its own pace.
//
// Safety: nothing is said before the copy is as new as the attachment, so that what others wrote
// while this agent was away is not overwritten by what it had.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "base/ids.h"
#include "base/message.h"
#include "base/record.h"
#include "base/status.h"
#include "base/time.h"

namespace waggle {

class EphemeralCopy {
 public:
  explicit EphemeralCopy(Writer self) : self_(std::move(self)) {}

  // ---- the swarm's keys
  [[nodiscard]] Revision at() const { return at_; }
  // Attached to that start of the coordinator, which was at `at`: the copy is of that start now,
  // or, if it is not as new, waits for its state.
  void attached(StartId start, Revision at, std::vector<Change>& changed);
  // Known to be there: an update was missed if the copy is older.
  void heard_of(Revision at);
  // What is missing can be asked for; false: nothing is.
  [[nodiscard]] bool behind() const { return behind_; }
  void on_update(const MessagePtr& message, std::vector<Change>& changed);
  // `request`: the one that was asked last.
  void on_state(const EphemeralState& state, RequestId request, std::vector<Change>& changed);
  // The link is lost. What was seen stays in view.
  void lose_link();

  // The view of one key, own writes on top; null: there is none.
  [[nodiscard]] RecordPtr find(const Key& key) const;
  [[nodiscard]] std::vector<Change> list(std::string_view glob) const;
  // The own write of it waits for its answer.
  [[nodiscard]] bool pending(const Key& key) const;
  // No own write waits for an answer.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] const std::map<Key, RecordPtr>& committed() const { return keys_; }
  // The own ones with a value.
  [[nodiscard]] std::vector<Change> own() const;

  // ---- the own keys
  // Errors: kOverloaded.
  [[nodiscard]] Status write(EphemeralCommand command, const Now& now);
  // What to send now, if anything: it is on its way then.
  [[nodiscard]] std::optional<EphemeralWrite> next(Instant now);
  // The write on its way, to send it again; null: there is none.
  [[nodiscard]] const EphemeralWrite* on_its_way() const {
    return sent_.entries.empty() ? nullptr : &sent_;
  }
  [[nodiscard]] std::vector<EphemeralSettled> on_result(const EphemeralResult& result);
  // A new session: everything own is to be said again.
  void begin_session();
  // The agent left: nobody is going to answer.
  [[nodiscard]] std::vector<RequestId> end();

 private:
  struct Own {
    RecordPtr record;  // null: to be deleted
    Instant written;
    bool waits = true;
    bool on_its_way = false;
    Revision at;                          // with neither: when it was applied
    std::vector<RequestId> asked;         // answered by the next write
    std::vector<RequestId> asked_on_way;  // answered by the one on its way

    [[nodiscard]] bool pending() const { return waits || on_its_way; }
    [[nodiscard]] std::size_t bytes() const;  // of its value
  };

  void set(const Key& key, RecordPtr record, std::vector<Change>& changed);
  [[nodiscard]] bool apply(const EphemeralUpdate& update, std::vector<Change>& changed);
  void apply_held(std::vector<Change>& changed);
  void replace(Revision at, std::map<Key, RecordPtr> keys, std::vector<Change>& changed);
  void forget_overtaken(const Key& key);
  void keep(Own& own, RecordPtr record);
  void forget(std::map<Key, Own>::iterator own);

  const Writer self_;

  StartId start_;
  Revision at_;
  Revision known_;  // the newest heard of
  std::map<Key, RecordPtr> keys_;
  bool live_ = false;    // attached, and at least as new as the attachment was
  bool behind_ = false;  // attached, and something is missing
  std::deque<MessagePtr> held_;
  std::size_t held_bytes_ = 0;
  std::map<Key, RecordPtr> staged_;
  std::uint32_t next_piece_ = 0;

  std::map<Key, Own> own_;
  std::size_t own_bytes_ = 0;
  std::size_t asked_ = 0;
  EphemeralWrite sent_;
  std::uint64_t number_ = 0;
};

}  // namespace waggle
