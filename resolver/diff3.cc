#include "resolver/diff3.h"

#include <algorithm>
#include <span>
#include <utility>

#include "resolver/text_diff.h"

namespace waggle {
namespace {

// Counts the lines before a place. Places only rise, so all conflicts together read the text once.
class LineCounter {
 public:
  // The line of the place right behind the first `bytes` of the text, from 1.
  std::size_t line_behind(std::string_view text, std::size_t bytes) {
    const std::string_view passed = text.substr(bytes_, bytes - bytes_);
    line_ += static_cast<std::size_t>(std::ranges::count(passed, '\n'));
    bytes_ = bytes;
    return line_;
  }

 private:
  std::size_t bytes_ = 0;
  std::size_t line_ = 1;
};

struct Version {
  Version(std::string_view text_, TextUnit unit) : text(text_), units(text_, unit) {}
  std::string_view text;
  UnitText units;
  std::size_t at = 0;  // units before it are merged
  LineCounter lines;
};

// Units [begin, end) of a version.
struct Piece {
  Version* version;
  std::size_t begin, end;

  [[nodiscard]] std::string_view bytes() const { return version->units.slice(begin, end); }
  [[nodiscard]] std::span<const std::size_t> numbers() const {
    return std::span(version->units.numbers()).subspan(begin, end - begin);
  }
  [[nodiscard]] std::size_t line() const {
    return version->lines.line_behind(version->text, version->units.slice(0, begin).size());
  }
  friend bool operator==(const Piece& left, const Piece& right) {
    return std::ranges::equal(left.numbers(), right.numbers());
  }
};

class Merger {
 public:
  Merger(std::string_view base, std::string_view ours, std::string_view theirs,
         const TextMergeOptions& options)
      : options_(options),
        base_(base, options.unit),
        ours_(ours, options.unit),
        theirs_(theirs, options.unit) {
    number_units({&base_.units, &ours_.units, &theirs_.units});
  }

  TextMerge run() {
    const std::vector<std::size_t> in_ours = align(base_.units.numbers(), ours_.units.numbers());
    const std::vector<std::size_t> in_theirs =
        align(base_.units.numbers(), theirs_.units.numbers());
    for (std::size_t i = 0; i < base_.units.size(); ++i) {
      if (in_ours[i] == kUnmatched || in_theirs[i] == kUnmatched) continue;
      merge_up_to(i, in_ours[i], in_theirs[i]);
      append(base_.units.slice(i, i + 1));
      base_.at = i + 1;
      ours_.at = in_ours[i] + 1;
      theirs_.at = in_theirs[i] + 1;
    }
    merge_up_to(base_.units.size(), ours_.units.size(), theirs_.units.size());
    merge_.automergeable = merge_.conflicts.empty();
    return std::move(merge_);
  }

 private:
  void append(std::string_view bytes) { merge_.text.append(bytes); }

  // The piece before the next stable unit; all three may be empty.
  void merge_up_to(std::size_t base_end, std::size_t ours_end, std::size_t theirs_end) {
    const Piece base{&base_, base_.at, base_end};
    const Piece ours{&ours_, ours_.at, ours_end};
    const Piece theirs{&theirs_, theirs_.at, theirs_end};
    if (ours == base)
      append(theirs.bytes());
    else if (theirs == base || ours == theirs)
      append(ours.bytes());
    else
      on_conflict(base, ours, theirs);
  }

  void on_conflict(const Piece& base, Piece ours, Piece theirs) {
    std::string_view before;
    std::string_view behind;
    if (options_.style != MarkerStyle::kDiff3 || options_.favor == TextFavor::kUnion) {
      before = take_common_front(ours, theirs);
      behind = take_common_back(ours, theirs);
    }
    append(before);
    switch (options_.favor) {
      case TextFavor::kOurs:
        append(ours.bytes());
        break;
      case TextFavor::kTheirs:
        append(theirs.bytes());
        break;
      case TextFavor::kUnion:
        append(ours.bytes());
        append(separator(ours.bytes(), theirs.bytes()));
        append(theirs.bytes());
        break;
      case TextFavor::kNone:
        leave_conflict({base.line(), ours.line(), theirs.line(), std::string(base.bytes()),
                        std::string(ours.bytes()), std::string(theirs.bytes())});
        break;
    }
    append(behind);
  }

  static std::string_view take_common_front(Piece& ours, Piece& theirs) {
    const auto differ = std::ranges::mismatch(ours.numbers(), theirs.numbers());
    const auto count = static_cast<std::size_t>(differ.in1 - ours.numbers().begin());
    ours.begin += count;
    theirs.begin += count;
    return ours.version->units.slice(ours.begin - count, ours.begin);
  }

  static std::string_view take_common_back(Piece& ours, Piece& theirs) {
    const std::size_t end = ours.end;
    while (ours.begin < ours.end && theirs.begin < theirs.end &&
           ours.numbers().back() == theirs.numbers().back()) {
      --ours.end;
      --theirs.end;
    }
    return ours.version->units.slice(ours.end, end);
  }

  // Between two units that no version had side by side: without it they could become one.
  [[nodiscard]] std::string_view separator(std::string_view left, std::string_view right) const {
    if (left.empty() || right.empty()) return "";
    if (options_.unit == TextUnit::kLine) return left.ends_with('\n') ? "" : "\n";
    return is_word_byte(left.back()) && is_word_byte(right.front()) ? " " : "";
  }

  void leave_conflict(TextConflict conflict) {
    if (options_.markers)
      append_marked(conflict);
    else
      append(conflict.ours);
    merge_.conflicts.push_back(std::move(conflict));
  }

  void append_marked(const TextConflict& conflict) {
    append_marker('<', options_.ours_label);
    append(conflict.ours);
    if (options_.style != MarkerStyle::kMerge) {
      append_marker('|', options_.base_label);
      append(conflict.base);
    }
    append_marker('=', "");
    append(conflict.theirs);
    append_marker('>', options_.theirs_label);
  }

  void append_marker(char sign, std::string_view label) {
    if (!merge_.text.empty() && !merge_.text.ends_with('\n')) append("\n");
    merge_.text.append(std::min(options_.marker_size, kMarkerSizeMax), sign);
    if (!label.empty()) merge_.text.append(" ").append(label);
    append("\n");
  }

  const TextMergeOptions& options_;
  Version base_;
  Version ours_;
  Version theirs_;
  TextMerge merge_;
};

}  // namespace

TextMerge merge_text(std::string_view base, std::string_view ours, std::string_view theirs,
                     const TextMergeOptions& options) {
  return Merger(base, ours, theirs, options).run();
}

}  // namespace waggle
