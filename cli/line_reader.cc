#include "cli/line_reader.h"

#include <utility>

namespace waggle::cli {

void LineReader::feed(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    too_long_ = too_long_ || line_.size() + piece.size() > bytes_max_;
    if (too_long_) {
      line_.clear();
    } else {
      line_ += piece;
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    give(take);
  }
}

void LineReader::finish(const Take& take) {
  if (!line_.empty() || too_long_) give(take);
}

void LineReader::give(const Take& take) {
  const std::string line = std::exchange(line_, {});
  if (std::exchange(too_long_, false)) {
    take(std::nullopt);
  } else {
    take(line);
  }
}

}  // namespace waggle::cli
