#pragma once

// What a rule says of one write: it applies and this is the value now, there is nothing to do, it
// loses (a conflict of a named kind), waits for a person, or it can never be done (a reason). Only
// `kApply` changes anything.

#include <optional>
#include <string>
#include <utility>

#include "base/mutation.h"
#include "base/value.h"

namespace waggle {

struct Verdict {
  enum class Kind : std::uint8_t { kApply, kNothing, kConflict, kReject, kPark };
  Kind kind = Kind::kNothing;
  std::optional<Value> value;  // with kApply; empty: delete
  ConflictKind conflict = ConflictKind::kNone;
  Reason reason = Reason::kNone;
  std::string text;
  // A rule chose between the standing record and this write: a receipt is due. Its name.
  std::string rule;
  // With kApply: the value is not what the writer wrote, so it is written by ~coordinator and seen
  // by nobody yet; `conflict` and `text` then say what of the write was not taken.
  bool merged = false;

  [[nodiscard]] static Verdict applies(std::optional<Value> value, std::string rule = {}) {
    Verdict verdict;
    verdict.kind = Kind::kApply;
    verdict.value = std::move(value);
    verdict.rule = std::move(rule);
    return verdict;
  }
  [[nodiscard]] static Verdict nothing() { return {}; }
  [[nodiscard]] static Verdict conflicts(ConflictKind kind, std::string text,
                                         std::string rule = {}) {
    Verdict verdict;
    verdict.kind = Kind::kConflict;
    verdict.conflict = kind;
    verdict.text = std::move(text);
    verdict.rule = std::move(rule);
    return verdict;
  }
  [[nodiscard]] static Verdict parks(ConflictKind kind, std::string rule) {
    Verdict verdict;
    verdict.kind = Kind::kPark;
    verdict.conflict = kind;
    verdict.rule = std::move(rule);
    return verdict;
  }
  [[nodiscard]] static Verdict rejects(Reason reason, std::string text) {
    Verdict verdict;
    verdict.kind = Kind::kReject;
    verdict.reason = reason;
    verdict.text = std::move(text);
    return verdict;
  }
};

}  // namespace waggle
