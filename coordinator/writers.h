#pragma once

// Who has written how far: the table that makes a mutation's effect exactly-once.
//
//   (agent, incarnation) -> the last seq that was consumed, and the outcomes not yet confirmed
//
// A seq is consumed in the same batch as the commit it made, so after a crash either both are there
// or none. A repeated mutation finds its seq consumed and gets its first outcome again.
//
// A member's row goes when its agent no longer lists the incarnation, or after 30 days in which its
// agent was not there.
// A client (`waggle state put`) has one row for each run: these are remembered for 10 minutes and
// up to limits::kClientRows of them. Forgetting a row whose mutation made a commit raises a durable
// mark above what its writer had seen; a first write that had seen less than the mark could be a
// repetition of one that was forgotten, so it is answered `unknown` and not applied.
//
// Safety: a commit is above everything its writer had seen, so the mark is never above the head,
// and a new writer, who has seen the head, is not below the mark.

#include <cstddef>
#include <cstdint>
#include <deque>
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

inline constexpr std::int64_t kClientRowMillis = 10 * 60 * 1000;
inline constexpr std::int64_t kMemberRowMillis = std::int64_t{30} * 24 * 3600 * 1000;

class Writers {
 public:
  explicit Writers(SwarmId swarm) : swarm_(std::move(swarm)) {}

  void restore(const WriterRow& row);
  void restore(const OutcomeRow& row);

  enum class Turn : std::uint8_t {
    kNext,       // to be stepped now
    kRepeated,   // was consumed before; `outcome` when it is not confirmed yet
    kGap,        // `expected` must come first
    kForgotten,  // a member's row is gone though it confirmed results: write again
    kUnknown,    // may be a repetition of a write whose row is gone
    kBeyond,     // further ahead of what is confirmed than the window allows
  };
  struct Answer {
    Turn turn = Turn::kNext;
    Seq expected;
    const Outcome* outcome = nullptr;
  };
  // `confirmed`: what the agent says it has results for; `seen`: of the mutation, in this epoch.
  [[nodiscard]] Answer turn_of(const AgentId& agent, Incarnation incarnation, Seq seq,
                               Seq confirmed, Revision seen, const SwarmRow& marks) const;

  // REQUIRES: turn_of said kNext. Its rows come with take_advanced().
  void consume(const AgentId& agent, Incarnation incarnation, Seq seq, const Outcome& outcome,
               Revision seen, std::int64_t wall_millis);
  // The agent has its results up to these seqs.
  void confirm(const AgentId& agent, const std::vector<OwnThrough>& confirmed,
               std::vector<Row>& rows);
  // The agent is there: its rows are young again. Stored at most once a day.
  void touch(const AgentId& agent, std::int64_t wall_millis, std::vector<Row>& rows);
  // The agent's outbox holds nothing of other incarnations any more. Returns those that had a row.
  std::vector<Incarnation> retire_others(const AgentId& agent, const std::vector<Incarnation>& kept,
                                         std::vector<Row>& rows);
  // Forgets what is too much, and of what is too old a bounded part. Raises the marks in
  // `swarm_row`; true iff it did.
  bool forget_old(std::int64_t wall_millis, bool members, SwarmRow& swarm_row,
                  std::vector<Row>& rows);

  // What each writer consumed since the last call, and appends their rows: one of the writer and,
  // as far as their size allows, one of all its new outcomes.
  [[nodiscard]] std::vector<Applied> take_advanced(std::vector<Row>& rows);
  // Of one agent, all its incarnations.
  [[nodiscard]] std::vector<OwnThrough> through(const AgentId& agent) const;
  // Outcomes that were not confirmed: sent again after a welcome.
  [[nodiscard]] std::vector<MutationResult> unconfirmed(const AgentId& agent,
                                                        std::size_t most) const;
  [[nodiscard]] std::size_t rows() const { return rows_count_; }

 private:
  struct Line {
    Seq through;
    Revision beyond_seen;  // 1 + the greatest seen_revision of its commits; 0: none made
    std::int64_t used_wall_millis = 0;
    bool advanced = false;
    // Not confirmed: of `first` and the seqs after it. Invariant: `stored` are the rows that hold
    // them on disk, rising; the newest `unstored` outcomes have no row yet.
    Seq first;
    std::deque<Outcome> outcomes;
    std::size_t unstored = 0;
    struct StoredRow {
      Seq first;
      Seq last;
    };
    std::deque<StoredRow> stored;

    [[nodiscard]] const Outcome* outcome_of(Seq seq) const;
  };
  using Lines = std::map<Incarnation, Line>;

  [[nodiscard]] const Line* find(const AgentId& agent, Incarnation incarnation) const;
  void used_now(const AgentId& agent, Incarnation incarnation, Line& line,
                std::int64_t wall_millis);
  void erase(const AgentId& agent, Incarnation incarnation, std::vector<Row>& rows);
  [[nodiscard]] WriterRow row_of(const AgentId& agent, Incarnation incarnation,
                                 const Line& line) const;

  SwarmId swarm_;
  std::map<AgentId, Lines> lines_;
  std::vector<std::pair<AgentId, Incarnation>> advanced_;
  std::set<std::pair<std::int64_t, std::pair<AgentId, Incarnation>>> clients_by_use_;
  std::set<std::pair<std::int64_t, std::pair<AgentId, Incarnation>>> members_by_use_;
  std::size_t rows_count_ = 0;
};

}  // namespace waggle
