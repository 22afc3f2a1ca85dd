#include "io/endpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <sys/un.h>

#include "base/hash.h"

namespace waggle {

namespace {

constexpr std::size_t kPathBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view kForms =
    "expected tcp://HOST:PORT, ipc://PATH or inproc://NAME, for instance tcp://127.0.0.1:4600";

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool all_of(std::string_view text, std::string_view others) {
  return !text.empty() &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || others.contains(c); });
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') && all_of(host.substr(1, host.size() - 2), ":.%");
  }
  return all_of(host, ".-_");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

Result<Endpoint> parse_tcp(std::string_view rest, std::string_view text, bool listening) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) {
    return failed(Code::kRejected, quoted(text) + " has no port; " + std::string(kForms));
  }
  const std::string_view host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  Endpoint endpoint{.kind = Endpoint::Kind::kTcp, .host = std::string(host), .path = {}};
  if (host == "localhost") endpoint.host = "127.0.0.1";
  if (!is_host(host) && !(listening && host == "*")) {
    return failed(Code::kRejected, quoted(host) + " in " + quoted(text) +
                                       " is no host; expected a name, an IPv4 address or an IPv6 "
                                       "address in brackets");
  }
  if (listening && port == "*") return endpoint;
  const std::optional<std::uint16_t> number = parse_port(port);
  if (!number || (*number == 0 && !listening)) {
    return failed(Code::kRejected,
                  quoted(port) + " in " + quoted(text) + " is no port; expected a number from 1 " +
                      (listening ? "to 65535, or * for any free port" : "to 65535"));
  }
  endpoint.port = *number;
  return endpoint;
}

Result<Endpoint> parse(std::string_view text, bool listening) {
  constexpr std::string_view kTcp = "tcp://";
  constexpr std::string_view kIpc = "ipc://";
  constexpr std::string_view kInproc = "inproc://";
  if (text.contains('\0')) {
    return failed(Code::kRejected, "an endpoint holds a zero byte; " + std::string(kForms));
  }
  if (text.starts_with(kTcp)) return parse_tcp(text.substr(kTcp.size()), text, listening);
  const bool ipc = text.starts_with(kIpc);
  if (!ipc && !text.starts_with(kInproc)) {
    return failed(Code::kRejected, quoted(text) + " is no endpoint; " + std::string(kForms));
  }
  const std::string_view path = text.substr(ipc ? kIpc.size() : kInproc.size());
  const std::size_t longest = ipc ? kPathBytes : 200;
  if (path.empty() || path == "*" || path.size() > longest) {
    return failed(Code::kRejected, quoted(text) + " needs a " + (ipc ? "path" : "name") +
                                       " of 1 to " + std::to_string(longest) + " bytes");
  }
  return Endpoint{.kind = ipc ? Endpoint::Kind::kIpc : Endpoint::Kind::kInproc,
                  .host = {},
                  .path = std::string(path)};
}

// A swarm's name as part of a path: other characters than these are written %XX.
std::string path_part(const SwarmId& swarm) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : swarm.value()) {
    if (is_alnum(c) || c == '-' || c == '_') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::string Endpoint::text() const {
  switch (kind) {
    case Kind::kTcp:
      return "tcp://" + host + ":" + (port == 0 ? "*" : std::to_string(port));
    case Kind::kIpc:
      return "ipc://" + path;
    case Kind::kInproc:
      return "inproc://" + path;
  }
  return {};
}

bool Endpoint::remote() const {
  if (kind != Kind::kTcp) return false;
  if (host == "[::1]" || host == "localhost") return false;
  // 127/8, written as an address: "127.evil.example" is a name.
  const bool address = host.find_first_not_of("0123456789.") == std::string::npos;
  return !(address && host.starts_with("127."));
}

Result<Endpoint> parse_listen(std::string_view text, bool allow_remote) {
  Result<Endpoint> endpoint = parse(text, true);
  if (endpoint && endpoint->remote() && !allow_remote) {
    return failed(Code::kDenied,
                  quoted(text) +
                      " can be reached from other machines, and nothing proves who "
                      "connects there; listen on tcp://127.0.0.1:PORT or ipc://PATH, or "
                      "allow remote peers on purpose in a network that you trust");
  }
  return endpoint;
}

Result<Endpoint> parse_dial(std::string_view text) {
  return parse(text, false);
}

Result<Endpoint> channel_endpoint(const Endpoint& listen, const SwarmId& swarm,
                                  std::uint16_t port) {
  Endpoint channel = listen;
  if (listen.kind == Endpoint::Kind::kTcp) {
    channel.port = port;
    return channel;
  }
  channel.path = listen.path + "." + path_part(swarm);
  if (channel.kind == Endpoint::Kind::kIpc && channel.path.size() > kPathBytes) {
    channel.path = listen.path + "." + to_hex(hash128(swarm.value()).low);
    if (channel.path.size() > kPathBytes) {
      return failed(Code::kRejected, "the path of " + listen.text() +
                                         " leaves no room for a swarm's broadcast socket; it may "
                                         "have at most " +
                                         std::to_string(kPathBytes - 17) + " bytes");
    }
  }
  return channel;
}

std::string channel_text(const Endpoint& channel) {
  if (channel.kind == Endpoint::Kind::kTcp) return "tcp:" + std::to_string(channel.port);
  return channel.text();
}

std::uint16_t channel_port(std::string_view channel) {
  constexpr std::string_view kPrefix = "tcp:";
  if (!channel.starts_with(kPrefix)) return 0;
  return parse_port(channel.substr(kPrefix.size())).value_or(0);
}

Result<Endpoint> broadcast_endpoint(const Endpoint& dialled, std::string_view channel) {
  const auto refused = [&](std::string_view why) {
    return failed(Code::kRejected, "the coordinator at " + dialled.text() + " named " +
                                       quoted(channel) +
                                       " for its broadcasts: " + std::string(why));
  };
  Endpoint endpoint = dialled;
  if (dialled.kind == Endpoint::Kind::kTcp) {
    endpoint.port = channel_port(channel);
    if (endpoint.port == 0) return refused("expected tcp:PORT");
    return endpoint;
  }
  const Result<Endpoint> named = parse(channel, false);
  if (!named || named->kind != dialled.kind)
    return refused("expected the transport of the dialled");
  if (named->kind == Endpoint::Kind::kInproc) return *named;
  const std::string_view name = file_name(named->path);
  if (name.empty() || name == "." || name == "..") return refused("expected a file");
  const std::size_t directory = dialled.path.size() - file_name(dialled.path).size();
  endpoint.path = dialled.path.substr(0, directory) + std::string(name);
  if (endpoint.path.size() > kPathBytes) return refused("the path is too long here");
  return endpoint;
}

}  // namespace waggle
