#pragma once

// The truth, kept outside of the cores: what the coordinator's disk holds for certain, replayed
// from its batches by rules of our own. While it replays it checks each commit:
//
//   revisions     rise by one, without holes
//   once          a write makes at most one commit of a history
//   effects       the record is what its write makes of the record before: counters add, sets drop
//                 what was seen and keep the rest, a put puts, an expected version stood
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

#include "base/hash.h"
#include "base/ids.h"
#include "base/row.h"
#include "tests/sim/ledger.h"

namespace waggle::sim {

struct Chronicle {
  struct Origin {
    Epoch epoch;  // 0: none
    Revision last;
  };
  std::map<Epoch, Origin> origins;
  std::map<Epoch, std::map<Revision, Hash128>> digests;
  std::map<std::pair<Epoch, Key>, std::map<Revision, RecordPtr>> records;
  std::map<std::string, Cursor> ever_committed;  // by the id of the write, its newest commit

  // Empty: there never was such a state.
  [[nodiscard]] std::optional<Hash128> digest_at(Cursor cursor) const;
  // The record of the key that was committed at exactly that version; null: none.
  [[nodiscard]] RecordPtr record_at(Cursor cursor, const Key& key) const;
  // The revision of `cursor` in the history of `epoch`: cut at the end of what they share.
  [[nodiscard]] Revision translate(Cursor cursor, Epoch epoch) const;
};

class History {
 public:
  using Found = std::function<void(const char* checker, std::string text)>;

  // Borrows them.
  History(Chronicle& chronicle, Ledger& ledger, Found found)
      : chronicle_(&chronicle), ledger_(&ledger), found_(std::move(found)) {}

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

 private:
  void take_row(const RecordRow& row);
  void take_row(const ForgetRow& row);
  void take_row(const OutcomeRow& row);
  void take_outcome(const Writer& writer, const Outcome& outcome);
  void check_effect(const RecordRow& row, const Record* before);
  void check_set(const RecordRow& row, const Record* before, const Deed& deed, const Entry& entry);
  void replace(const Key& key, RecordPtr record);

  Chronicle* chronicle_;
  Ledger* ledger_;
  Found found_;
  Epoch epoch_;
  Revision head_;
  Revision floor_;
  Hash128 digest_;
  std::map<Key, RecordPtr> records_;
  std::map<std::string, Revision> committed_;
  std::set<Writer> writers_;
};

}  // namespace waggle::sim
