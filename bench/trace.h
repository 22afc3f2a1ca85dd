#pragma once

// An editing trace: one author's edits of one text, in their order.

#include <cstdint>
#include <string>
#include <vector>

namespace waggle::bench {

struct Patch {
  std::uint64_t at = 0;
  std::uint64_t removed = 0;
  std::string inserted;
};
struct Trace {
  std::vector<Patch> patches;
  std::string end;  // the text that they make of an empty one
};

// Of the shape of a paper that was written in an editor, 260,000 edits: runs of typing, some of
// them taken back, with the cursor moving now and then.
[[nodiscard]] Trace generated_trace();
// JSON with txns[].patches[] = [position, deleted, inserted] and endContent, gzipped or not. Throws
// what is wrong with it.
[[nodiscard]] Trace read_trace(const std::string& path);

}  // namespace waggle::bench
