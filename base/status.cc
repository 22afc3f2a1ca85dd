#include "base/status.h"

namespace waggle {

std::string_view to_text(Code code) {
  switch (code) {
    case Code::kCommitted:
      return "committed";
    case Code::kDuplicate:
      return "duplicate";
    case Code::kConflict:
      return "conflict";
    case Code::kParked:
      return "parked";
    case Code::kStale:
      return "stale";
    case Code::kGap:
      return "gap";
    case Code::kOverloaded:
      return "overloaded";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kUnknown:
      return "unknown";
    case Code::kRejected:
      return "rejected";
    case Code::kDenied:
      return "denied";
    case Code::kNotFound:
      return "not_found";
    case Code::kTimeout:
      return "timeout";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kInternal:
      return "internal";
  }
  return "unrecognised";
}

int exit_code(Code code) {
  switch (code) {
    case Code::kCommitted:
    case Code::kDuplicate:
      return 0;
    case Code::kConflict:
    case Code::kParked:
      return 4;
    case Code::kStale:
    case Code::kGap:
    case Code::kOverloaded:
    case Code::kUnavailable:
      return 5;
    case Code::kUnknown:
    case Code::kTimeout:
      return 6;
    case Code::kDenied:
      return 7;
    case Code::kNotFound:
      return 3;
    case Code::kRejected:
    case Code::kUnsupported:
    case Code::kCorrupt:
    case Code::kInternal:
      return 1;
  }
  return 1;
}

std::string_view to_text(Level level) {
  switch (level) {
    case Level::kNone:
      return "none";
    case Level::kMemory:
      return "memory";
    case Level::kWritten:
      return "written";
    case Level::kDurable:
      return "durable";
  }
  return "unrecognised";
}

}  // namespace waggle
