#pragma once

// The agent's own writes, from the moment they are made until nothing more has to be known of them.
//
//   queued --(sent, again after silence)--> answered --(the cursor reaches its revision)--> gone
//      \------(an update says it is applied: reflected)-------/
//
// Two things end at different times. A write leaves the *outbox* (and the disk) only with its
// result, so that its writer is always told. It leaves the *overlay* exactly when the cursor
// reaches the revision at which it was decided, known from the result or from an update's
// `applied`, so that a view never counts it twice and never loses it.
//
// Writes are numbered per incarnation, a start of the process. Incarnations drain in order: nothing
// of a later one is sent before the earlier one is answered.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/message.h"
#include "base/mutation.h"
#include "base/row.h"

namespace waggle {

struct Pending {
  Mutation mutation;
  RequestId request;                   // 0: written by an earlier process
  bool has_context = true;             // false: written before a state was ever held
  bool sent = false;                   // ever
  bool answered = false;               // has its result: no longer in the outbox
  bool committed = false;              // the result says so
  bool conditional = false;            // has an expected version: enters the view only on commit
  std::optional<Revision> decided_at;  // known from result or update
  std::size_t bytes = 0;  // counted for it in Outbox::bytes(), however it is changed later

  [[nodiscard]] bool in_view() const { return !conditional || committed; }
};

class Outbox {
 public:
  // Position of a write: its incarnation's place among the agent's own, then its seq.
  struct Place {
    std::uint64_t order = 0;
    Seq seq;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  explicit Outbox(Incarnation incarnation) : incarnation_(incarnation) {}

  void restore(const OutboxRow& row);
  // Begins the present incarnation, after all that were restored.
  void begin();

  [[nodiscard]] Incarnation incarnation() const { return incarnation_; }
  // Given out in the present incarnation; 0: none yet.
  [[nodiscard]] Seq last() const;
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return pending_.empty(); }

  // Adds a write under the next seq; its row goes to the disk.
  Pending& add(Mutation mutation, RequestId request, bool has_context, std::vector<Row>& rows);
  Pending* find(Incarnation incarnation, Seq seq);

  // The result came. Deletes the row. False: unknown or answered before.
  bool answer(Incarnation incarnation, Seq seq, Revision decided_at, bool committed,
              std::vector<Row>& rows);
  // An update or a chunk says that everything up to that seq is reflected at `at`.
  void reflected(Incarnation incarnation, Seq through, Revision at);
  // The cursor reached `cursor`: what was decided at or below it leaves the overlay.
  void drop_reflected(Revision cursor);
  // Revisions of another epoch mean nothing any more: whatever is answered leaves the overlay.
  void forget_decisions();

  // Of the incarnations below, through which seq all have their results: what is confirmed.
  [[nodiscard]] std::vector<OwnThrough> confirmed() const;
  // Own writes that a new write of this agent knows of.
  [[nodiscard]] std::vector<OwnThrough> own_through() const;
  // With unanswered writes, oldest first and not more than a message may name; last the present
  // one.
  [[nodiscard]] std::vector<Incarnation> incarnations() const;

  // What to send now, after `after`: of the first incarnation with unanswered writes only, each
  // with a context, at most `most` and about `bytes_max`.
  [[nodiscard]] std::vector<Pending*> to_send(const Place& after, std::size_t most,
                                              std::size_t bytes_max);
  [[nodiscard]] Place place_of(const Pending& pending) const;
  // Place before that seq of that incarnation, to send it again.
  [[nodiscard]] Place before(Incarnation incarnation, Seq seq) const;
  [[nodiscard]] const Pending* first_unanswered() const;

  // Writes that touch a key and are in the view, in order.
  [[nodiscard]] std::vector<const Pending*> overlay(const Key& key) const;
  // The same with those whose condition waits for its answer, as if it held.
  [[nodiscard]] std::vector<const Pending*> hoped_for(const Key& key) const;
  [[nodiscard]] std::set<Key> overlaid_keys() const;
  void for_each(const std::function<void(Pending&)>& visit);
  void store_again(const Pending& pending, std::vector<Row>& rows) const;

  // Moves the unanswered writes for which `chosen` holds under a new incarnation, in order. What
  // they expect of each other is translated.
  void renumber(Incarnation fresh, const std::function<bool(const Pending&)>& chosen,
                std::vector<Row>& rows);

 private:
  struct Line {
    std::uint64_t order = 0;
    Seq last;                    // given out
    std::size_t unanswered = 0;  // of this incarnation
    Seq confirmed;               // all results through here were received
    std::set<Seq> ahead;         // results received beyond it
  };

  [[nodiscard]] std::vector<const Pending*> touching(const Key& key,
                                                     bool (*wanted)(const Pending&)) const;
  void index(const Place& place, const Pending& pending);
  void unindex(const Place& place, const Pending& pending);
  void mark_answered(Line& line, Seq seq);
  void decide(const Place& place, Pending& pending, Revision at);

  Incarnation incarnation_;
  std::map<Incarnation, Line> lines_;
  std::map<Place, Pending> pending_;
  std::map<Key, std::set<Place>> by_key_;
  // Decided, and the cursor has not reached it yet or its result came since: what drop_reflected()
  // looks at, so that an update costs nothing for the writes that still wait.
  std::set<std::pair<Revision, Place>> decided_;
  std::uint64_t next_order_ = 1;
  std::size_t unanswered_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace waggle
