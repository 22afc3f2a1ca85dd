#pragma once

// The truth, kept outside of the cores: what the coordinator's disk holds for certain, replayed
// from its batches by rules of our own. While it replays it checks each commit:
//
//   revisions     rise by one, without holes
//   once          a write makes at most one commit of a history
//   effects       the record is what its write makes of the record before: counters add, sets drop
//                 what was seen and keep the rest, a put puts, an expected version stood; a clear
//                 leaves nothing and raises the floor to its own revision; a settlement makes the
//                 value that it names, a merge says of whom, only what has outlived its time is
//                 expired; the other types as typed_effects.h says; of a document that merges what
//                 others changed meanwhile stays
//   stamps        see stamp_truth.h
//   parked        a write that is answered as parked is a side of a conflict that waits or waited
//
// A clear has no record: its batch forgets every key and holds its outcome, which names its
// revision.
//
// A history is a value: a copy is what a backup would hold. What outlives a restore (the digests of
// all epochs, what was ever committed) is in the Chronicle.
//
// One thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/conflict.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/row.h"
#include "tests/sim/claim_truth.h"
#include "tests/sim/decision_truth.h"
#include "tests/sim/ledger.h"
#include "tests/sim/stamp_truth.h"
#include "tests/sim/story.h"
#include "tests/sim/task_truth.h"
#include "tests/sim/timeline.h"
#include "tests/sim/typed_effects.h"

namespace waggle::sim {

// Of the keys that some agents may not read (Plan::hidden).
[[nodiscard]] inline bool is_hidden(const Key& key) {
  return key.value().starts_with('#');
}

struct Chronicle {
  struct Origin {
    Epoch epoch;  // 0: none
    Revision last;
  };
  std::map<Epoch, Origin> origins;
  using Digests = std::map<Epoch, std::map<Revision, Hash128>>;
  Digests digests;
  Digests open_digests;  // of the keys that are not is_hidden()
  std::map<std::pair<Epoch, Key>, std::map<Revision, RecordPtr>> records;
  std::map<std::string, Cursor> ever_committed;  // by the id of the write, its newest commit
  std::map<std::string, std::set<ConflictId>> ever_parked;  // by the id of the write

  // Empty: there never was such a state.
  [[nodiscard]] std::optional<Hash128> digest_at(Cursor cursor) const {
    return digest_at(digests, cursor);
  }
  [[nodiscard]] std::optional<Hash128> open_digest_at(Cursor cursor) const {
    return digest_at(open_digests, cursor);
  }
  [[nodiscard]] std::optional<Hash128> digest_at(const Digests& of, Cursor cursor) const;
  // The record of the key that was committed at exactly that version; null: none.
  [[nodiscard]] RecordPtr record_at(Cursor cursor, const Key& key) const;
  // The newest record of the key, tombstones included, at or below the cursor; null: none ever.
  [[nodiscard]] RecordPtr newest_at(Cursor cursor, const Key& key) const;
  // The revision of `cursor` in the history of `epoch`: cut at the end of what they share.
  [[nodiscard]] Revision translate(Cursor cursor, Epoch epoch) const;
};

class History {
 public:
  using Found = std::function<void(CheckerName checker, std::string text)>;

  // Borrows them.
  History(Chronicle& chronicle, Ledger& ledger, Found found, const Timeline& timeline)
      : chronicle_(&chronicle), ledger_(&ledger), found_(std::move(found)), timeline_(&timeline) {}

  // A batch that no crash can undo.
  void take(const Batch& batch);

  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Revision head() const { return head_; }
  [[nodiscard]] Revision floor() const { return floor_; }
  [[nodiscard]] const Hash128& digest() const { return digest_; }
  [[nodiscard]] const std::map<Key, RecordPtr>& records() const { return records_; }
  [[nodiscard]] std::optional<Revision> committed(const std::string& id) const;
  // True iff a record of the present history was made under those numbers.
  [[nodiscard]] bool committed_by(const Writer& writer) const { return writers_.contains(writer); }
  [[nodiscard]] const std::map<std::string, Revision>& commits() const { return committed_; }
  // The newest clear of the present history at or below `revision`; 0: none.
  [[nodiscard]] Revision cleared_before(Revision revision) const;
  // The conflicts that wait.
  [[nodiscard]] std::vector<ParkedConflict> waiting() const;
  [[nodiscard]] const ClaimTruth& claims() const { return claims_; }

 private:
  struct Conflict {
    ParkedConflict parked;  // as it was last
    bool waits = true;
  };

  // The clears of a batch by their revision.
  [[nodiscard]] std::map<Revision, Writer> clears_of(const Batch& batch) const;
  // Does those that come next.
  void clear_up_to(Revision revision, std::map<Revision, Writer>& due);
  void take_row(const RecordRow& row);
  void take_row(const ForgetRow& row, bool clears);
  void take_row(const OutcomeRow& row);
  void take_row(const ConflictRow& row);
  void take_outcome(const Writer& writer, const Outcome& outcome);
  void take_parked(Deed& deed, const Outcome& outcome);
  // The write's commit at that revision, checked to be its only one. Null: nobody's.
  Deed* take_commit(const Writer& writer, Revision revision, const std::string& what);
  void check_effect(const RecordRow& row, const Record* before);
  // Of a record that the coordinator made in its own name.
  void check_own(const RecordRow& row, const Record* before);
  // A claim's, a proposal's, a vote's or a task's.
  void check_ruled(const RecordRow& row, const std::string& what);
  void check_settled(const RecordRow& row, const Record* before, const Deed& deed);
  // Up to its cursor, or its own that were in its view.
  [[nodiscard]] std::function<bool(const Dot&)> seen_by(const Deed& deed) const;
  // Of JSON that merges: what its writer had not touched, and others did, is not put back.
  void check_untouched(const RecordRow& row, const Record& before, const Deed& deed,
                       const Entry& entry);
  void check_set(const RecordRow& row, const Record* before, const Deed& deed, const Entry& entry);
  void replace(const Key& key, RecordPtr record);

  Chronicle* chronicle_;
  Ledger* ledger_;
  Found found_;
  const Timeline* timeline_;
  Epoch epoch_;
  Revision head_;
  Revision floor_;
  Hash128 digest_;
  Hash128 open_digest_;
  std::map<Key, RecordPtr> records_;
  std::map<std::string, Revision> committed_;
  std::set<Writer> writers_;
  std::set<Revision> cleared_;
  std::map<Revision, Writer> made_;  // in the batch that is taken: the write that a commit answers
  std::map<ConflictId, Conflict> conflicts_;
  TypedEffects typed_;
  ClaimTruth claims_;
  DecisionTruth decisions_;
  TaskTruth tasks_;
  StampTruth stamps_;
};

}  // namespace waggle::sim
