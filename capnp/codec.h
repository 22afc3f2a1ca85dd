#pragma once

// The gateway between plain messages and bytes. One Message becomes one frame: a Cap'n Proto
// message of exactly one segment whose root is `Envelope` (capnp/wire.capnp), behind its segment
// table of eight bytes. Text and bytes are copied once each way; nothing points into a frame
// afterwards.
//
// decode() takes bytes from anyone. It checks shape and limits (base/limits.h, base/shape.h):
// sizes, list lengths, valid UTF-8, known enumerators, numbers that can still be counted up. What a
// message means (session, epoch, sequence) is the cores' business. A refused frame never gives half
// a message.
//
// Thread-safe: each thread has scratch memory of its own, of at most limits::kFrameBytes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/message.h"
#include "base/status.h"

namespace waggle {

// Elements of one list in a frame that has no narrower limit. Far above what fits a frame of real
// elements; it bounds what a frame of empty ones can make us allocate.
inline constexpr std::size_t kListElements = std::size_t{1} << 16;

// REQUIRES: the parts are within base/limits.h. A sum of parts may still be beyond
// limits::kFrameBytes, then no decode() takes it: whoever joins parts watches the size.
[[nodiscard]] std::string encode(const Message& message);

// Any bytes, at any alignment. Errors: kRejected for a frame that is damaged or breaks a limit;
// kUnsupported for another protocol version, a message or a meaning that this Waggle doesn't know.
[[nodiscard]] Result<Message> decode(std::string_view frame);

// The protocol version that a frame names, whatever else it holds; nothing if it isn't ours at all.
[[nodiscard]] std::optional<std::uint16_t> protocol_of(std::string_view frame);

}  // namespace waggle
