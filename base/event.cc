#include "base/event.h"

namespace waggle {

std::string_view to_text(Link link) {
  switch (link) {
    case Link::kJoining:
      return "joining";
    case Link::kAttached:
      return "attached";
    case Link::kLost:
      return "lost";
    case Link::kBehind:
      return "behind";
    case Link::kEnded:
      return "ended";
  }
  return "unrecognised";
}

}  // namespace waggle
