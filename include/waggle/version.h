#pragma once

// Which Waggle this is.

#include <cstdint>
#include <string_view>

namespace waggle {

// Of the library that runs, "MAJOR.MINOR.PATCH".
[[nodiscard]] std::string_view library_version();
// Peers of another protocol version refuse each other with a clear text.
[[nodiscard]] std::uint16_t library_protocol();

}  // namespace waggle
