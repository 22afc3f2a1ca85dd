#pragma once

// Where a coordinator listens and an agent dials, as people write it:
//
//   tcp://127.0.0.1:4600   tcp://localhost:4600   tcp://[::1]:4600   tcp://host.example:4600
//   tcp://127.0.0.1:*      listening only: any free port
//   ipc:///run/waggle.sock a Unix socket
//   inproc://name          within one process and one ZmqContext
//
// Only these three transports are ever handed to ZeroMQ, whose Debian build knows more. An endpoint
// that a peer names is never connected as it is, see broadcast_endpoint().

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"

namespace waggle {

struct Endpoint {
  enum class Kind : std::uint8_t { kTcp, kIpc, kInproc };
  Kind kind = Kind::kTcp;
  std::string host;        // tcp: an address, a name, [v6] in brackets, or `*`; localhost is
                           // written 127.0.0.1
  std::uint16_t port = 0;  // tcp: 0 is any free port
  std::string path;        // ipc: the path; inproc: the name

  // As ZeroMQ takes it; port 0 is written `*`.
  [[nodiscard]] std::string text() const;
  // True iff other machines may reach a socket that is bound here.
  [[nodiscard]] bool remote() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// To listen on. Refused with a text: what is no endpoint (kRejected), and a tcp address that other
// machines reach unless `allow_remote` (kDenied).
[[nodiscard]] Result<Endpoint> parse_listen(std::string_view text, bool allow_remote = false);

// To dial. A port is needed.
[[nodiscard]] Result<Endpoint> parse_dial(std::string_view text);

// ---- broadcast channels ------------------------------------------------------------------------

// Where a swarm's broadcast socket is bound beside the coordinator's `listen`. tcp: `port`, else
// the address derived from the swarm's name.
[[nodiscard]] Result<Endpoint> channel_endpoint(const Endpoint& listen, const SwarmId& swarm,
                                                std::uint16_t port);

// What is said of a bound broadcast socket in `welcome`: "tcp:PORT", "ipc://PATH", "inproc://NAME".
[[nodiscard]] std::string channel_text(const Endpoint& channel);

// The port of "tcp:PORT"; 0 when it is none.
[[nodiscard]] std::uint16_t channel_port(std::string_view channel);

// What an agent that dialled `dialled` connects for the channel that the coordinator named. Safety:
// same transport and same host; an ipc channel is looked up in the directory of the dialled path.
// So a coordinator can't send its agents to other machines or files.
[[nodiscard]] Result<Endpoint> broadcast_endpoint(const Endpoint& dialled,
                                                  std::string_view channel);

}  // namespace waggle
