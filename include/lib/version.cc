#include <waggle/version.h>

#include "base/message.h"

namespace waggle {

std::string_view library_version() {
  return WAGGLE_VERSION;
}
std::uint16_t library_protocol() {
  return kProtocolVersion;
}

}  // namespace waggle
