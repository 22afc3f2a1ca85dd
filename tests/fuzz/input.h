#pragma once

// The bytes of a fuzz input as choices. After the last byte every choice is the first one, so a
// shorter input is a simpler case.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::testing {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // In [0, bound). REQUIRES: 0 < bound <= 256.
  std::size_t below(std::size_t bound) { return byte() % bound; }
  bool flag() { return below(2) == 1; }
  // True in one of `whole` bytes.
  bool rarely(std::size_t whole) { return below(whole) == whole - 1; }
  std::uint64_t number() {
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | byte();
    return number;
  }
  template <typename T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  // Bytes behind a length of one byte, as far as there are so many.
  std::string_view piece() {
    const std::size_t wanted = byte();
    const std::size_t size = std::min(wanted, rest_.size());
    const std::string_view piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  // Up to that byte, which is taken off, or to the end.
  std::string_view up_to(char end) {
    const std::size_t at = std::min(rest_.find(end), rest_.size());
    const std::string_view piece = rest_.substr(0, at);
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return piece;
  }

 private:
  std::string_view rest_;
};

// Cut, flipped, repeated: what becomes of bytes on a bad way.
inline std::string damaged(std::string bytes, Input& input) {
  for (std::size_t times = 1 + input.below(3); times > 0 && !bytes.empty(); --times) {
    const std::size_t at = (input.byte() << 8 | input.byte()) % bytes.size();
    switch (input.below(5)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(input.byte());
        break;
      case 2:
        bytes[at] ^= static_cast<char>(1U << input.below(8));
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, 1 + input.below(16)));
        break;
      default:
        bytes.erase(at, 1 + input.below(16));
        break;
    }
  }
  return bytes;
}

}  // namespace waggle::testing
