#pragma once

// Three-way merge of texts by line or by token, for two changes of one base.
//
// Both sides are aligned with the base (resolver/text_diff.h). Units that both alignments keep are
// stable and cut the three texts into pieces between them. For each piece:
//
//   ours == base      theirs is taken            |  ours == theirs  both did the same: it is taken
//   theirs == base    ours is taken              |  else            a conflict, see TextFavor
//
// Khanna, Kunal and Pierce, "A formal investigation of diff3", 2007. From there also what not to
// expect: changes of neighbouring units are one piece and conflict, and a merge of three branches
// depends on the order, so a caller always merges one change into the state that stands.
//
// Every byte of the result is a unit of one of the inputs, but for markers and the separators that
// TextFavor and MarkerStyle name. Cost: n log n plus the bounded search of the alignments.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "resolver/text_units.h"

namespace waggle {

// What a conflicting piece becomes. All but kNone leave no conflict.
enum class TextFavor : std::uint8_t {
  kNone,    // markers, or ours without them
  kOurs,    // ours
  kTheirs,  // theirs
  // Ours and then theirs, what both begin or end with once. If they would run into each other: '\n'
  // behind a last line that lacks it, a space between two words.
  kUnion,
};

// How a conflict is written. Each marker is a line of its own: a '\n' is added where what comes
// before has none.
enum class MarkerStyle : std::uint8_t {
  kMerge,   // ours and theirs; what both begin or end with stands outside
  kDiff3,   // ours, base and theirs, whole
  kZdiff3,  // as kMerge, with the whole base between them
};

struct TextMergeOptions {
  TextUnit unit = TextUnit::kLine;
  TextFavor favor = TextFavor::kNone;
  MarkerStyle style = MarkerStyle::kMerge;
  std::size_t marker_size = 7;  // cut to kMarkerSizeMax
  std::string ours_label = "ours";
  std::string base_label = "base";
  std::string theirs_label = "theirs";
  bool markers = true;  // false: a conflicting piece keeps ours
};
inline constexpr std::size_t kMarkerSizeMax = 255;

// The three versions of a piece, as MarkerStyle cuts it, and the lines where they begin, from 1; of
// an empty version, the line where it would begin.
struct TextConflict {
  std::size_t base_line = 1;
  std::size_t ours_line = 1;
  std::size_t theirs_line = 1;
  std::string base;
  std::string ours;
  std::string theirs;
  friend bool operator==(const TextConflict&, const TextConflict&) = default;
};

struct TextMerge {
  std::string text;
  bool automergeable = true;  // there are no conflicts
  std::vector<TextConflict> conflicts;
};

[[nodiscard]] TextMerge merge_text(std::string_view base, std::string_view ours,
                                   std::string_view theirs, const TextMergeOptions& options = {});

}  // namespace waggle
