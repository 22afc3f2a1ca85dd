#pragma once

// The input of the job: text files, cut into slices of 20 lines, and what is counted in a slice.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace word_count {

inline constexpr std::size_t kLinesPerSlice = 20;

struct Slice {
  std::string file;
  std::uint64_t offset = 0;  // bytes
  std::uint64_t bytes = 0;
};

struct Counts {
  std::int64_t lines = 0;
  std::int64_t words = 0;
  std::int64_t bytes = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

// Regular files below a directory, links skipped, sorted.
[[nodiscard]] std::vector<std::string> files_below(const std::filesystem::path& directory);
[[nodiscard]] std::vector<Slice> slices_of(const std::vector<std::string>& files);
[[nodiscard]] std::string read_slice(const Slice& slice);

// Lines, words and bytes as wc counts them in the C locale: a word is a run without white space
// that has at least one printable character.
[[nodiscard]] Counts count(const std::string& text);
// Runs of ASCII letters in lower case, by their first two letters: many small sets instead of one
// large one, since a set travels whole with each change of it.
[[nodiscard]] std::map<std::string, std::set<std::string>> vocabulary(const std::string& text);

}  // namespace word_count
