#include "capnp/frame.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"

namespace waggle::codec {
namespace {

constexpr std::size_t kWord = sizeof(capnp::word);
constexpr std::size_t kScratchWords = (std::size_t{64} << 10) / kWord;
constexpr std::size_t kScratchWordsMax = limits::kFrameBytes / kWord;

// Invariant: all zero between two messages; the builder clears what it used.
std::vector<std::uint64_t>& build_words() {
  thread_local std::vector<std::uint64_t> words(kScratchWords);
  return words;
}

std::uint32_t load_u32(const char* bytes) {
  const auto at = [&](int i) { return std::uint32_t{static_cast<std::uint8_t>(bytes[i])}; };
  return at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24);
}

void store_u32(char* bytes, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
}

// The segment of a frame whose table is as it must be.
kj::ArrayPtr<const capnp::word> segment_of(std::string_view frame) {
  if (frame.size() > limits::kFrameBytes)
    refuse(
        fmt::format("frame: expected at most {} bytes, got {}", limits::kFrameBytes, frame.size()));
  if (frame.size() < 2 * kWord || frame.size() % kWord != 0)
    refuse(fmt::format("frame: expected a multiple of 8 bytes from 16 on, got {}", frame.size()));
  const std::uint32_t more_segments = load_u32(frame.data());
  if (more_segments != 0)
    refuse(fmt::format("frame: expected one segment, the table says {}",
                       std::uint64_t{more_segments} + 1));
  const std::size_t words = frame.size() / kWord - 1;
  const std::uint32_t claimed = load_u32(frame.data() + 4);
  if (claimed != words)
    refuse(fmt::format("frame: its table says {} words, got {}; it was cut or has trailing bytes",
                       claimed, words));

  const char* begin = frame.data() + kWord;
  if (reinterpret_cast<std::uintptr_t>(begin) % kWord != 0) {
    thread_local std::vector<std::uint64_t> aligned;
    if (aligned.size() < words) aligned.resize(words);
    std::memcpy(aligned.data(), begin, words * kWord);
    begin = reinterpret_cast<const char*>(aligned.data());
  }
  return {reinterpret_cast<const capnp::word*>(begin), words};
}

capnp::ReaderOptions options_for(std::size_t words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords =
      std::max(limits::kTraversalFloorWords, limits::kTraversalFactor * words);
  options.nestingLimit = limits::kNesting;
  return options;
}

}  // namespace

void refuse(std::string text) {
  throw Refusal{Code::kRejected, std::move(text)};
}

void refuse_unsupported(std::string text) {
  throw Refusal{Code::kUnsupported, std::move(text)};
}

kj::ArrayPtr<capnp::word> build_scratch() {
  std::vector<std::uint64_t>& words = build_words();
  return {reinterpret_cast<capnp::word*>(words.data()), words.size()};
}

void grow_build_scratch(std::size_t words) {
  std::vector<std::uint64_t>& scratch = build_words();
  const std::size_t wanted = std::min(std::max(words, 2 * scratch.size()), kScratchWordsMax);
  if (wanted > scratch.size()) scratch.resize(wanted);
}

bool to_frame(capnp::MessageBuilder& builder, std::string& frame, std::size_t& words) {
  const auto segments = builder.getSegmentsForOutput();
  words = 0;
  for (const auto& segment : segments) words += segment.size();
  if (segments.size() != 1) return false;
  const std::size_t size = (words + 1) * kWord;
  frame.resize_and_overwrite(size, [&](char* bytes, std::size_t) {
    store_u32(bytes, 0);
    store_u32(bytes + 4, static_cast<std::uint32_t>(words));
    std::memcpy(bytes + kWord, segments[0].begin(), words * kWord);
    return size;
  });
  return true;
}

FrameReader::FrameReader(std::string_view frame)
    : segment_(segment_of(frame)),
      reader_(kj::arrayPtr(&segment_, 1), options_for(segment_.size())) {}

}  // namespace waggle::codec
