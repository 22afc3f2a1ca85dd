#include "io/keys.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/shape.h"

namespace waggle {
namespace {

constexpr std::string_view kPublicPrefix = "wk1.";
constexpr std::string_view kSecretWord = "waggle-secret-key-1";
constexpr const char* kContext = "waggle-k";
constexpr std::uint64_t kLinkKey = 1;
constexpr std::uint64_t kSigningKey = 2;
constexpr int kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;
constexpr const char* kHeading =
    "# Whose keys this coordinator lets in. `waggle keys authorize` and `waggle keys revoke` edit\n"
    "# it; a running coordinator reads it again on SIGHUP.\n";

void prepare_sodium() {
  WAGGLE_CHECK(sodium_init() >= 0, "libsodium can't be initialised");
}

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  text.pop_back();  // the terminating zero
  return text;
}

// False: it is not exactly so many bytes.
bool from_base64(std::string_view text, std::span<std::uint8_t> bytes) {
  std::size_t length = 0;
  return sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &length,
                           nullptr, kBase64) == 0 &&
         length == bytes.size();
}

std::unexpected<Error> no_file(const std::string& path, const char* what, int error) {
  return failed(error == ENOENT ? Code::kNotFound : Code::kRejected,
                fmt::format("the file '{}' can't be {}: {}", path, what, std::strerror(error)));
}

// Closes; a text that held a secret is wiped by who asked for it.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct FileText {
  std::string text;
  mode_t mode = 0;
};

Result<FileText> read_file(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about{};
  if (file.fd() < 0 || fstat(file.fd(), &about) != 0) return no_file(path, "read", errno);
  if (!S_ISREG(about.st_mode))
    return failed(Code::kRejected, fmt::format("'{}' is no regular file", path));
  if (static_cast<std::size_t>(about.st_size) > kFileBytesMax)
    return failed(Code::kRejected, fmt::format("the file '{}' is too large for keys", path));
  FileText out{std::string(static_cast<std::size_t>(about.st_size), '\0'), about.st_mode};
  std::size_t at = 0;
  while (at < out.text.size()) {
    const ssize_t got = read(file.fd(), out.text.data() + at, out.text.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return no_file(path, "read", errno);
    if (got == 0) break;
    at += static_cast<std::size_t>(got);
  }
  out.text.resize(at);
  return out;
}

Status sync_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0 || fsync(file.fd()) != 0) return no_file(directory, "synced", errno);
  return {};
}

Status write_file(const std::string& path, std::string_view text, int flags, mode_t mode) {
  const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode));
  if (file.fd() < 0) {
    if (errno == EEXIST)
      return failed(Code::kRejected, fmt::format("'{}' is there already; keys are never "
                                                 "overwritten, choose another name",
                                                 path));
    return no_file(path, "made", errno);
  }
  while (!text.empty()) {
    const ssize_t put = write(file.fd(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return no_file(path, "written", errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (fsync(file.fd()) != 0) return no_file(path, "synced", errno);
  return sync_directory(path);
}

// Whole or not at all.
Status replace_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string fresh = fmt::format("{}.{}.new", path, getpid());
  if (Status written = write_file(fresh, text, O_TRUNC, mode); !written) return written;
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(fresh.c_str());
    return no_file(path, "replaced", error);
  }
  return sync_directory(path);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

std::string_view next_word(std::string_view& rest) {
  rest = trimmed(rest);
  const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

// The one line that is neither empty nor a comment; empty: there is none, or more than one.
std::string_view only_line(std::string_view text) {
  std::string_view found;
  while (!text.empty()) {
    const std::string_view line = trimmed(next_line(text));
    if (line.empty() || line.front() == '#') continue;
    if (!found.empty()) return {};
    found = line;
  }
  return found;
}

Result<SecretKeyPtr> secret_key_of(std::string_view text, const std::string& path) {
  std::string_view line = only_line(text);
  if (next_word(line) != kSecretWord) {
    return failed(Code::kRejected,
                  fmt::format("'{}' holds no secret key: expected one line \"{} ...\" as `waggle "
                              "keys new` writes it",
                              path, kSecretWord));
  }
  Key32 seed{};
  const bool whole = from_base64(trimmed(line), seed);
  SecretKeyPtr key = whole ? std::make_shared<const SecretKey>(seed) : nullptr;
  sodium_memzero(seed.data(), seed.size());
  if (!whole)
    return failed(Code::kRejected, fmt::format("the secret key in '{}' is damaged", path));
  return key;
}

std::string line_of(const AuthorizedKey& key) {
  std::string line = fmt::format("{} agent={}", key.key.text(), key.agent.value());
  if (!key.swarm.empty()) line += " swarm=" + key.swarm.value();
  if (!key.since.empty()) line += " since=" + key.since;
  if (!key.comment.empty()) line += "  # " + key.comment;
  return line + "\n";
}

// Nothing: an empty line or a comment. Errors are told without the file's name.
Result<std::optional<AuthorizedKey>> authorized_of(std::string_view line) {
  AuthorizedKey out;
  if (const std::size_t comment = line.find('#'); comment != std::string_view::npos) {
    out.comment = trimmed(line.substr(comment + 1));
    line = line.substr(0, comment);
  }
  line = trimmed(line);
  if (line.empty()) return std::nullopt;
  Result<PublicKey> key = PublicKey::parse(next_word(line));
  if (!key) return std::unexpected(std::move(key.error()));
  out.key = *key;
  while (!(line = trimmed(line)).empty()) {
    const std::string_view word = next_word(line);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
    if (name == "agent") {
      out.agent = AgentId(value);
    } else if (name == "swarm") {
      if (Status shape = check_swarm_id(value); !shape) return std::unexpected(shape.error());
      out.swarm = SwarmId(value);
    } else if (name == "since") {
      out.since = value;
    } else {
      return failed(Code::kRejected,
                    fmt::format("expected agent=NAME, swarm=NAME or since=TIME, got '{}'", word));
    }
  }
  if (out.agent.empty())
    return failed(Code::kRejected, "agent=NAME is missing: whom does the key speak for?");
  if (Status shape = check_agent_id(out.agent.value()); !shape)
    return std::unexpected(shape.error());
  if (is_reserved_agent(out.agent))
    return failed(Code::kRejected, fmt::format("agent={}: ids that begin with '~' are Waggle's own",
                                               out.agent.value()));
  return out;
}

struct AuthorizedLines {
  std::string text;
  mode_t mode = 0600;
  std::vector<AuthorizedKey> keys;
};

Result<AuthorizedLines> read_lines(const std::string& path) {
  Result<FileText> file = read_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  if ((file->mode & (S_IWGRP | S_IWOTH)) != 0)
    return failed(Code::kDenied, fmt::format("others than its owner can write '{}', so it says "
                                             "nothing: chmod go-w '{}'",
                                             path, path));
  AuthorizedLines out{std::move(file->text), file->mode & 0777, {}};
  std::string_view rest = out.text;
  for (std::uint32_t number = 1; !rest.empty(); ++number) {
    const auto wrong = [&](const std::string& why) {
      return failed(Code::kRejected, fmt::format("{}:{}: {}", path, number, why));
    };
    Result<std::optional<AuthorizedKey>> key = authorized_of(next_line(rest));
    if (!key) return wrong(key.error().text);
    if (!*key) continue;
    for (const AuthorizedKey& before : out.keys)
      if (before.key.link == (*key)->key.link || before.key.signing == (*key)->key.signing)
        return wrong(fmt::format("the key {} is there already, of agent '{}'",
                                 (*key)->key.fingerprint(), before.agent.value()));
    out.keys.push_back(*std::move(*key));
  }
  return out;
}

}  // namespace

// ---- keys --------------------------------------------------------------------------------------

std::string PublicKey::text() const {
  std::array<std::uint8_t, 64> both{};
  std::ranges::copy(link, both.begin());
  std::ranges::copy(signing, both.begin() + link.size());
  return std::string(kPublicPrefix) + base64(both);
}

std::string PublicKey::fingerprint() const {
  prepare_sodium();
  std::array<std::uint8_t, 32> hash{};
  const std::string word = text();
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(word.data()),
                     word.size(), nullptr, 0);
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < 8; ++i) first = first << 8 | hash[i];
  return to_hex(first);
}

Result<PublicKey> PublicKey::parse(std::string_view word) {
  prepare_sodium();
  std::array<std::uint8_t, 64> both{};
  if (!word.starts_with(kPublicPrefix) || !from_base64(word.substr(kPublicPrefix.size()), both)) {
    return failed(Code::kRejected,
                  fmt::format("expected a public key, {} and 86 further characters as `waggle keys "
                              "show` prints it; got '{}'",
                              kPublicPrefix, word.substr(0, 100)));
  }
  PublicKey key;
  std::copy_n(both.begin(), key.link.size(), key.link.begin());
  std::copy_n(both.begin() + key.link.size(), key.signing.size(), key.signing.begin());
  return key;
}

SecretKey::SecretKey(const Key32& seed) {
  prepare_sodium();
  Key32 part{};
  const auto derive = [&](std::uint64_t which) {
    WAGGLE_CHECK(
        crypto_kdf_derive_from_key(part.data(), part.size(), which, kContext, seed.data()) == 0,
        "crypto_kdf");
  };
  derive(kLinkKey);
  link_ = part;
  WAGGLE_CHECK(crypto_scalarmult_base(public_.link.data(), link_.data()) == 0, "scalarmult");
  derive(kSigningKey);
  static_assert(sizeof(signing_) == crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(public_.signing.data(), signing_.data(), part.data());
  sodium_memzero(part.data(), part.size());
}

SecretKey::~SecretKey() {
  sodium_memzero(link_.data(), link_.size());
  sodium_memzero(signing_.data(), signing_.size());
}

Signature SecretKey::sign(std::string_view bytes) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                       signing_.data());
  return signature;
}

Result<SecretKeyPtr> new_key_file(const std::string& path) {
  prepare_sodium();
  Key32 seed{};
  randombytes_buf(seed.data(), seed.size());
  auto key = std::make_shared<const SecretKey>(seed);
  std::string encoded = base64(seed);
  sodium_memzero(seed.data(), seed.size());
  std::string text = fmt::format(
      "# A secret key of Waggle: who holds this file is {}.\n"
      "# Its public key is in {}.pub; only that one leaves this machine.\n{} {}\n",
      key->pub().fingerprint(), path, kSecretWord, encoded);
  const Status written = write_file(path, text, O_EXCL, 0600);
  sodium_memzero(encoded.data(), encoded.size());
  sodium_memzero(text.data(), text.size());
  if (!written) return std::unexpected(written.error());
  if (Status shown = write_file(path + ".pub", key->pub().text() + "\n", O_EXCL, 0644); !shown) {
    unlink(path.c_str());
    return std::unexpected(std::move(shown.error()));
  }
  return key;
}

Result<SecretKeyPtr> read_secret_key(const std::string& path) {
  Result<FileText> file = read_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  if (only_line(file->text).starts_with(kPublicPrefix))
    return failed(Code::kRejected, fmt::format("'{}' is a public key; the secret one is most often "
                                               "the file of that name without '.pub'",
                                               path));
  if ((file->mode & (S_IRWXG | S_IRWXO)) != 0) {
    sodium_memzero(file->text.data(), file->text.size());
    return failed(
        Code::kDenied,
        fmt::format("the secret key '{}' is open to others (mode {:04o}): chmod 600 '{}', "
                    "and make a new key if somebody may have read it",
                    path, static_cast<unsigned>(file->mode & 0777), path));
  }
  Result<SecretKeyPtr> key = secret_key_of(file->text, path);
  sodium_memzero(file->text.data(), file->text.size());
  return key;
}

Result<PublicKey> read_public_key(const std::string& path) {
  Result<FileText> file = read_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  std::string_view line = only_line(file->text);
  const bool secret = line.starts_with(kSecretWord);
  Result<PublicKey> key = secret ? failed(Code::kRejected, "") : PublicKey::parse(next_word(line));
  sodium_memzero(file->text.data(), file->text.size());
  if (!secret) {
    if (!key) return failed(Code::kRejected, fmt::format("'{}': {}", path, key.error().text));
    return key;
  }
  const Result<SecretKeyPtr> whole = read_secret_key(path);
  if (!whole) return std::unexpected(whole.error());
  return (*whole)->pub();
}

Result<LinkKeysPtr> read_link_keys(const std::string& own, const std::string& coordinator) {
  if (own.empty() && coordinator.empty()) return nullptr;
  if (own.empty())
    return failed(Code::kRejected,
                  fmt::format("the coordinator's key '{}' is given, and no key of this side: "
                              "make one with `waggle keys new`",
                              coordinator));
  if (coordinator.empty())
    return failed(
        Code::kRejected,
        fmt::format("the key '{}' is given, and not the coordinator's public key, without "
                    "which anybody could pose as it: copy its .pub file here",
                    own));
  Result<SecretKeyPtr> secret = read_secret_key(own);
  if (!secret) return std::unexpected(std::move(secret.error()));
  Result<PublicKey> known = read_public_key(coordinator);
  if (!known) return std::unexpected(std::move(known.error()));
  return std::make_shared<const LinkKeys>(LinkKeys{std::move(*secret), *known});
}

// ---- authorized keys ---------------------------------------------------------------------------

Result<std::vector<AuthorizedKey>> read_authorized_keys(const std::string& path) {
  Result<AuthorizedLines> lines = read_lines(path);
  if (!lines) return std::unexpected(std::move(lines.error()));
  return std::move(lines->keys);
}

Status authorize_key(const std::string& path, const AuthorizedKey& added) {
  Result<AuthorizedLines> lines = read_lines(path);
  if (!lines) {
    if (lines.error().code != Code::kNotFound) return std::unexpected(std::move(lines.error()));
    lines = AuthorizedLines{kHeading, 0600, {}};
  }
  for (const AuthorizedKey& before : lines->keys)
    if (before.key.link == added.key.link || before.key.signing == added.key.signing)
      return failed(Code::kRejected,
                    fmt::format("the key {} is authorized already, of agent '{}'; a key speaks for "
                                "one agent, revoke it first to change that",
                                added.key.fingerprint(), before.agent.value()));
  if (!lines->text.empty() && lines->text.back() != '\n') lines->text += '\n';
  const std::string line = line_of(added);
  // What is written must be read again as the same.
  const Result<std::optional<AuthorizedKey>> read =
      authorized_of(std::string_view(line).substr(0, line.size() - 1));
  if (!read) return std::unexpected(read.error());
  return replace_file(path, lines->text + line, lines->mode);
}

Result<std::vector<AuthorizedKey>> revoke_keys(
    const std::string& path, const std::function<bool(const AuthorizedKey&)>& matches) {
  const Result<AuthorizedLines> lines = read_lines(path);
  if (!lines) return std::unexpected(lines.error());
  std::vector<AuthorizedKey> gone;
  std::string kept;
  std::string_view rest = lines->text;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    Result<std::optional<AuthorizedKey>> key = authorized_of(line);
    if (key && *key && matches(**key)) {
      gone.push_back(*std::move(*key));
    } else {
      kept += fmt::format("{}\n", line);
    }
  }
  if (gone.empty()) return gone;
  if (Status replaced = replace_file(path, kept, lines->mode); !replaced)
    return std::unexpected(std::move(replaced.error()));
  return gone;
}

}  // namespace waggle
