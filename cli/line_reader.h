#pragma once

// Cuts what is read into lines. Bound: a line of more than `bytes_max` is not kept; it comes as one
// that was too long.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace waggle::cli {

class LineReader {
 public:
  explicit LineReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // A line without its end; nothing: it was too long.
  using Take = std::function<void(const std::optional<std::string>& line)>;
  // Gives every line that ends in these bytes.
  void feed(std::string_view bytes, const Take& take);
  // Gives the last line, if it has no end.
  void finish(const Take& take);

 private:
  void give(const Take& take);

  const std::size_t bytes_max_;
  std::string line_;
  bool too_long_ = false;
};

}  // namespace waggle::cli
