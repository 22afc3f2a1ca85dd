#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace waggle {

void check_failed(const char* condition, const char* file, int line, std::string_view text) {
  std::fprintf(stderr, "waggle: a check failed, which is a bug of Waggle: %s at %s:%d%s%.*s\n",
               condition, file, line, text.empty() ? "" : ": ", static_cast<int>(text.size()),
               text.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace waggle
