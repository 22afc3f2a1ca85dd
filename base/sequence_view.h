#pragma once

// What the author of an edit sees of a Sequence. Inner header of base/sequence.h.

#include <cstdint>

#include "base/sequence.h"

namespace waggle {

class SequenceView {
 public:
  // The author, the tree and the dot of the edit outlive the view; the tree may change meanwhile.
  SequenceView(const Sequence::Author& author, const SequenceTree& tree, const SpanDot& own)
      : author_(author),
        tree_(tree),
        own_(own),
        everything_(tree.sum().newest <= author.seen.value()) {}

  // True when it sees what is there as it is: all commits up to there, or all with its own.
  [[nodiscard]] bool sees_all_to(std::uint64_t newest) const {
    return everything_ || newest <= author_.seen.value();
  }
  [[nodiscard]] bool sees(const SpanDot& dot) const;

  // The next units of a span, from one on, that are all visible to the author or all not.
  struct Stretch {
    std::uint32_t units = 0;
    bool visible = false;
  };
  [[nodiscard]] Stretch stretch(const SequenceSpan& span, std::uint32_t from) const;

 private:
  [[nodiscard]] bool visible(const SequenceSpan& span, std::uint32_t unit) const;

  const Sequence::Author& author_;
  const SequenceTree& tree_;
  SpanDot own_;
  bool everything_;
  mutable Dot asked_;  // whose writer is kept between two questions, most are about the same one
  mutable std::uint32_t asked_writer_ = UINT32_MAX;
};

}  // namespace waggle
