#pragma once

// A check states what must be true because of our own code. It is on in every build and stops the
// process, because going on after a broken invariant could make a wrong state durable. Input of a
// peer, of a file or of a user must never reach a failing check: such input is refused with an
// Error (base/status.h).

#include <string>
#include <string_view>

namespace waggle {

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               std::string_view text);

}  // namespace waggle

// The text is evaluated only when the condition fails, so it may carry values.
#define WAGGLE_CHECK(condition, ...)                                                      \
  do {                                                                                    \
    if (!(condition)) [[unlikely]]                                                        \
      ::waggle::check_failed(#condition, __FILE__, __LINE__, ::std::string(__VA_ARGS__)); \
  } while (false)
