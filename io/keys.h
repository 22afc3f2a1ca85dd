#pragma once

// The keys of Waggle's processes and the two kinds of files that hold them.
//
//   secret key file       one line "waggle-secret-key-1 BASE64" beside comments; mode 0600. Of a
//                         seed of 32 random bytes, from which two pairs are derived
//                         (crypto_kdf of libsodium, context "waggle-k"):
//                           1  X25519, for CURVE: who connects (https://rfc.zeromq.org/spec/26/)
//                           2  Ed25519, for signatures: who wrote (RFC 8032)
//   public key            one word "wk1." + BASE64 of both public keys, 90 characters. It is no
//                         secret. `waggle keys new FILE` also leaves it in FILE.pub
//   authorized keys file  for each line a public key and what it may be:
//                           wk1.... agent=planner swarm=build since=2026-11-27T10:00:00Z  # host 7
//                         `agent` is needed; without `swarm` it enters every one
//
// BASE64 is the URL-safe alphabet without padding (RFC 4648 section 5), so that a key is one word
// in a shell. A fingerprint is the first 64 bits of BLAKE2b over the public key's word, in
// hexadecimal: enough for people to tell keys apart, and never used to decide.
//
// Safety: a secret leaves memory wiped, is read from files only, and only from such as nobody but
// their owner can read.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/signature.h"
#include "base/status.h"

namespace waggle {

using Key32 = std::array<std::uint8_t, 32>;

struct PublicKey {
  Key32 link{};     // X25519
  Key32 signing{};  // Ed25519

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string fingerprint() const;
  // Errors: kRejected.
  [[nodiscard]] static Result<PublicKey> parse(std::string_view word);
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

class SecretKey {
 public:
  explicit SecretKey(const Key32& seed);
  ~SecretKey();
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;

  [[nodiscard]] const PublicKey& pub() const { return public_; }
  [[nodiscard]] const Key32& link() const { return link_; }  // X25519, secret
  [[nodiscard]] Signature sign(std::string_view bytes) const;

 private:
  PublicKey public_;
  Key32 link_{};
  std::array<std::uint8_t, 64> signing_{};  // Ed25519, seed and public key
};
using SecretKeyPtr = std::shared_ptr<const SecretKey>;

// Makes FILE, which must not exist, with a fresh secret and FILE.pub with its public key; both are
// on disk when it returns. Errors: kRejected, the text says which file and why.
[[nodiscard]] Result<SecretKeyPtr> new_key_file(const std::string& path);
// Errors: kNotFound, kDenied (others can read it), kRejected (what it holds is no secret key).
[[nodiscard]] Result<SecretKeyPtr> read_secret_key(const std::string& path);
// A public key, from a public or a secret key file. Errors: as of read_secret_key().
[[nodiscard]] Result<PublicKey> read_public_key(const std::string& path);

// What a side that dials needs.
struct LinkKeys {
  SecretKeyPtr own;
  PublicKey coordinator;
};
using LinkKeysPtr = std::shared_ptr<const LinkKeys>;
// Null when neither path is given. Errors: those of the files; kRejected when only one is given.
[[nodiscard]] Result<LinkKeysPtr> read_link_keys(const std::string& own,
                                                 const std::string& coordinator);

// ---- authorized keys ---------------------------------------------------------------------------

struct AuthorizedKey {
  PublicKey key;
  AgentId agent;
  SwarmId swarm;        // empty: every one
  std::string since;    // as it is in the file; may be empty
  std::string comment;  // the same
};

// Errors: kNotFound; kRejected with file and line, also for a key that comes twice; kDenied when
// others can write the file.
[[nodiscard]] Result<std::vector<AuthorizedKey>> read_authorized_keys(const std::string& path);
// Adds a line, in a file that is replaced as a whole; makes the file where there is none. Errors:
// those of reading; kRejected when the key is there already.
[[nodiscard]] Status authorize_key(const std::string& path, const AuthorizedKey& added);
// Takes out every line that `matches`; the other lines stay as they are. Gives those that went.
[[nodiscard]] Result<std::vector<AuthorizedKey>> revoke_keys(
    const std::string& path, const std::function<bool(const AuthorizedKey&)>& matches);

}  // namespace waggle
