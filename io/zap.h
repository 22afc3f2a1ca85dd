#pragma once

// Who is let in: the table of authorized keys, and the handler that libzmq asks at each handshake
// (ZAP, https://rfc.zeromq.org/spec/27/).
//
//   peer's CURVE handshake --> libzmq --> handler: is the key in the table, for this socket?
//                                           yes --> 200, User-Id = the key in hexadecimal
//                                           no  --> 400, told and counted
//   each frame's User-Id   --> Admission::find() --> the identity it was sent by, or null
//
// A socket's ZAP domain says who may connect: "waggle" every authorized key, "waggle/SWARM" only
// those that enter that swarm.
//
// Safety: libzmq lets everybody in where no handler answers, unless ZMQ_ZAP_ENFORCE_DOMAIN is set
// (Socket::serve_curve() sets it); a frame without User-Id is from nobody; the end of the handler's
// thread before its context's ends the process. libzmq can't close the connection of one peer, so a
// key that is no longer in the table is refused by find() at each frame.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/identity.h"
#include "base/ids.h"
#include "io/keys.h"
#include "io/zmq_context.h"

namespace waggle {

inline constexpr std::string_view kZapDomain = "waggle";
[[nodiscard]] std::string zap_domain(const SwarmId& swarm);

// Thread-safe.
class Admission {
 public:
  // From now on these are let in. Gives the identities that ended by it: their keys are gone, or
  // are somebody else's now.
  [[nodiscard]] std::vector<IdentityPtr> replace(const std::vector<AuthorizedKey>& keys);
  // Of a User-Id. Null: nobody.
  [[nodiscard]] IdentityPtr find(std::string_view user_id) const;
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, IdentityPtr, std::less<>> by_user_id_;
};

// The User-Id of a key: 64 hexadecimal digits of its X25519 part.
[[nodiscard]] std::string user_id_of(const Key32& link);

class ZapHandler {
 public:
  struct Refusal {
    std::string address;      // of the peer, as far as libzmq knows it
    std::string fingerprint;  // empty: not in the table
    std::string user_id;      // empty: it came without CURVE
    std::string domain;
    std::string why;
  };
  // Answers for all sockets of the context, from now until stop(). REQUIRES: it is the only one of
  // the context, and no socket of it is bound with CURVE yet. `refused` is called on the handler's
  // thread and must not block. Borrows both.
  ZapHandler(const ZmqContext& context, const Admission& admission,
             std::function<void(const Refusal&)> refused);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void run();

  const Admission& admission_;
  std::function<void(const Refusal&)> refused_;
  void* answers_ = nullptr;  // REP; of the thread
  void* stop_here_ = nullptr;
  void* stop_there_ = nullptr;  // of the thread
  std::thread thread_;
};

}  // namespace waggle
