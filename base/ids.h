#pragma once

// The words of Waggle as distinct types, so that a revision can't be passed where a sequence is
// expected. Integers are StrongInt, names are StrongText. All are plain values, ordered and
// hashable; `value()` gives the bare representation to codecs and texts.

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace waggle {

template <typename Tag>
class StrongInt {
 public:
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(std::uint64_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  // The following number. REQUIRES: not the last representable one.
  [[nodiscard]] constexpr StrongInt next() const { return StrongInt(value_ + 1); }
  constexpr explicit operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;

 private:
  std::uint64_t value_ = 0;
};

template <typename Tag>
class StrongText {
 public:
  StrongText() = default;
  explicit StrongText(std::string value) : value_(std::move(value)) {}
  explicit StrongText(std::string_view value) : value_(value) {}
  explicit StrongText(const char* value) : value_(value) {}
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  friend auto operator<=>(const StrongText&, const StrongText&) = default;

 private:
  std::string value_;
};

// Names.
using SwarmId = StrongText<struct SwarmIdTag>;  // a named group of agents and their state
using AgentId = StrongText<struct AgentIdTag>;  // unique in its swarm; `~...` are Waggle's own
using Key = StrongText<struct KeyTag>;          // 1..1024 bytes of UTF-8

// Numbers that count.
using Revision = StrongInt<struct RevisionTag>;      // of a swarm: +1 with each commit
using Seq = StrongInt<struct SeqTag>;                // of a writer's mutations, from 1, no holes
using ConflictId = StrongInt<struct ConflictTag>;    // of a swarm's parked conflicts, from 1
using FenceToken = StrongInt<struct FenceTag>;       // of a claim's grants in a swarm; 0: none
using BroadcastNo = StrongInt<struct BroadcastTag>;  // XPUB messages of a swarm since the start

// Numbers drawn at random; 0 means none.
using Epoch = StrongInt<struct EpochTag>;              // of a store's history
using Incarnation = StrongInt<struct IncarnationTag>;  // one start of an agent's process
using SessionId = StrongInt<struct SessionTag>;        // one attachment of an agent
using StartId = StrongInt<struct StartTag>;            // one start of a coordinator
using RoundId = StrongInt<struct RoundTag>;            // one full synchronisation
using RequestId = StrongInt<struct RequestTag>;        // pairs a caller's question and its answer
using Nonce = StrongInt<struct NonceTag>;              // proves that a broadcast leg is live

// A connection as the transport names it. Opaque to the cores; a new connection of the same agent
// has another one (ZeroMQ routing ids change silently when a DEALER reconnects).
using PeerId = StrongText<struct PeerTag>;

inline constexpr std::string_view kCoordinatorName = "~coordinator";
inline constexpr std::string_view kClientPrefix = "~client";

[[nodiscard]] inline bool is_reserved_agent(const AgentId& id) {
  return !id.value().empty() && id.value().front() == '~';
}
[[nodiscard]] inline bool is_client_agent(const AgentId& id) {
  return id.value().starts_with(kClientPrefix);
}
// Of a client only that it was one: its random name says nothing.
[[nodiscard]] inline AgentId public_name(const AgentId& id) {
  return is_client_agent(id) ? AgentId(kClientPrefix) : id;
}

// 16 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(std::uint64_t value);
// Two for each byte.
[[nodiscard]] std::string hex_of(std::string_view bytes);
// False: it is not exactly those.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::uint8_t> bytes);

// A position in a swarm's history, typed by people as EPOCH@REVISION.
struct Cursor {
  Epoch epoch;
  Revision revision;
  friend auto operator<=>(const Cursor&, const Cursor&) = default;
};
[[nodiscard]] std::string to_text(const Cursor& cursor);

}  // namespace waggle

template <typename Tag>
struct std::hash<waggle::StrongInt<Tag>> {
  std::size_t operator()(waggle::StrongInt<Tag> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value());
  }
};
template <typename Tag>
struct std::hash<waggle::StrongText<Tag>> {
  std::size_t operator()(const waggle::StrongText<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value());
  }
};
