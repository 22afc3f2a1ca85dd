#include "text.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace word_count {

namespace fs = std::filesystem;

std::vector<std::string> files_below(const fs::path& directory) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (!entry.is_symlink() && entry.is_regular_file()) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Slice> slices_of(const std::vector<std::string>& files) {
  std::vector<Slice> slices;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("can't read " + file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::size_t begin = 0;
    while (begin < text.size()) {
      std::size_t end = begin;
      for (std::size_t line = 0; line < kLinesPerSlice && end < text.size(); ++line) {
        const std::size_t newline = text.find('\n', end);
        end = newline == std::string::npos ? text.size() : newline + 1;
      }
      slices.push_back({file, begin, end - begin});
      begin = end;
    }
  }
  return slices;
}

std::string read_slice(const Slice& slice) {
  std::ifstream in(slice.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(slice.offset));
  std::string text(slice.bytes, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size())))
    throw std::runtime_error("can't read " + slice.file);
  return text;
}

Counts count(const std::string& text) {
  Counts counts;
  counts.bytes = static_cast<std::int64_t>(text.size());
  bool in_word = false;
  for (const char c : text) {
    if (c == '\n') ++counts.lines;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      counts.words += in_word ? 1 : 0;
      in_word = false;
    } else if (c > ' ' && c < 0x7f) {
      in_word = true;
    }
  }
  counts.words += in_word ? 1 : 0;
  return counts;
}

std::map<std::string, std::set<std::string>> vocabulary(const std::string& text) {
  std::map<std::string, std::set<std::string>> words;
  std::string word;
  const auto finish = [&] {
    // An element of a set has at most 1024 bytes; no word of a language comes near.
    if (!word.empty() && word.size() <= 1024) words[word.substr(0, 2)].insert(word);
    word.clear();
  };
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower >= 'a' && lower <= 'z') {
      word.push_back(lower);
    } else {
      finish();
    }
  }
  finish();
  return words;
}

}  // namespace word_count
