#include "base/glob.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace waggle {

namespace {

// Only the last `*` is ever taken back: what an earlier one could take more, the last one can too.
// `takes`: whether that byte of the pattern, which is no `*`, stands for that byte of the text.
template <typename Takes>
bool match(std::string_view pattern, std::string_view text, const Takes& takes) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;  // of the last `*` passed
  std::size_t star_end = 0;                   // where the text that it takes ends
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_end = in;
    } else if (at < pattern.size() && takes(pattern[at], text[in])) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++star_end;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text) {
  return match(pattern, text, [](char one, char byte) { return one == '?' || one == byte; });
}

// The inner pattern as a text in which a `*` is a byte that only a `*` stands for.
bool glob_covers(std::string_view outer, std::string_view inner) {
  return match(outer, inner,
               [](char one, char byte) { return byte != '*' && (one == '?' || one == byte); });
}

bool is_plain_key(std::string_view pattern) {
  return pattern.find_first_of("*?") == std::string_view::npos;
}

// reached[j]: what of `a` stands before `i` and what of `b` stands before `j` can be the same text.
bool globs_overlap(std::string_view a, std::string_view b) {
  const std::size_t both = std::min(glob_prefix(a).size(), glob_prefix(b).size());
  if (a.substr(0, both) != b.substr(0, both)) return false;
  a.remove_prefix(both);
  b.remove_prefix(both);
  std::vector<char> reached(b.size() + 1, 0);
  reached[0] = 1;
  const auto run_over_stars = [&] {
    for (std::size_t j = 0; j < b.size(); ++j)
      if (reached[j] && b[j] == '*') reached[j + 1] = 1;
  };
  run_over_stars();
  for (const char one : a) {
    std::vector<char> next(b.size() + 1, 0);
    for (std::size_t j = 0; j <= b.size(); ++j) {
      // A star of `a` takes nothing, or what led to next[j]: one more byte, or star, of `b`.
      if (one == '*') {
        next[j] = reached[j] || (j > 0 && next[j - 1]);
        continue;
      }
      if (!reached[j] || j == b.size()) continue;
      if (b[j] == '*') next[j] = 1;  // it takes the byte, and may take more
      if (b[j] == '?' || one == '?' || b[j] == one) {
        if (b[j] != '*') next[j + 1] = 1;
      }
    }
    reached = std::move(next);
    run_over_stars();
  }
  return reached[b.size()] != 0;
}

std::string_view glob_prefix(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?"));
}

}  // namespace waggle
