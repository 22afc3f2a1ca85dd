// Keys and the files that hold them.

#include "io/keys.h"

#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <sys/stat.h>

#include "tests/io/scratch.h"

namespace waggle {
namespace {

using test::TempDirectory;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}
void put(const std::string& path, const std::string& text, mode_t mode = 0600) {
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
}
mode_t mode_of(const std::string& path) {
  struct stat about{};
  BOOST_REQUIRE(stat(path.c_str(), &about) == 0);
  return about.st_mode & 0777;
}
SecretKeyPtr made(const std::string& path) {
  Result<SecretKeyPtr> key = new_key_file(path);
  BOOST_REQUIRE(key);
  return *key;
}
template <typename T>
Code code_of(const Result<T>& result) {
  return result ? Code::kCommitted : result.error().code;
}
bool says(const Error& error, std::string_view what) {
  return error.text.find(what) != std::string::npos;
}

BOOST_AUTO_TEST_CASE(a_key_is_read_as_it_was_made_and_is_secret) {
  const TempDirectory directory;
  const std::string path = directory.file("a.key");
  const SecretKeyPtr key = made(path);
  BOOST_TEST(mode_of(path) == 0600u);
  const auto read = read_secret_key(path);
  BOOST_REQUIRE(read);
  BOOST_TEST(((*read)->pub() == key->pub()));
  BOOST_TEST(((*read)->link() == key->link()));
  // Of the public key both files know.
  BOOST_TEST((*read_public_key(path) == key->pub()));
  BOOST_TEST((*read_public_key(path + ".pub") == key->pub()));
  BOOST_TEST(text_of(path + ".pub") == key->pub().text() + "\n");
  // One word for a shell, and nothing of the secret in it.
  BOOST_TEST(key->pub().text().size() == 90u);
  BOOST_TEST(
      key->pub().text().find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_.") == std::string::npos);
  BOOST_TEST((key->link() != key->pub().link));
  BOOST_TEST((key->pub().signing != key->pub().link));
  BOOST_TEST((made(directory.file("b.key"))->pub() != key->pub()));
}

// Whoever keeps a file may still read it with the next version of Waggle.  The numbers were
// computed with OpenSSL and another BLAKE2b.
BOOST_AUTO_TEST_CASE(the_keys_of_a_seed_never_change) {
  const TempDirectory directory;
  put(directory.file("k"),
      "# written once\nwaggle-secret-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
  const auto key = read_secret_key(directory.file("k"));
  BOOST_REQUIRE(key);
  BOOST_TEST(
      (*key)->pub().text() ==
      "wk1.5EFoIZdvYVeWyPCd-yRzSUwqaijyHWyI1A6cuPOUqDwCYv7csMKDEiHq_nzUFAC0edo8vVppL-NnwqrlXVf9Wg");
  BOOST_TEST((*key)->pub().fingerprint() == "035bd1d280d84b95");
}

BOOST_AUTO_TEST_CASE(nothing_is_overwritten) {
  const TempDirectory directory;
  const std::string path = directory.file("a.key");
  const SecretKeyPtr key = made(path);
  const auto again = new_key_file(path);
  BOOST_REQUIRE(!again);
  BOOST_TEST(says(again.error(), "never overwritten"));
  BOOST_TEST(((*read_secret_key(path))->pub() == key->pub()));
  // A public key of that name stays too, and no secret is left without its public half.
  put(directory.file("c.key.pub"), "mine");
  BOOST_TEST(!new_key_file(directory.file("c.key")));
  BOOST_TEST(text_of(directory.file("c.key.pub")) == "mine");
  BOOST_TEST(!std::filesystem::exists(directory.file("c.key")));
}

BOOST_AUTO_TEST_CASE(a_secret_that_others_can_read_is_none) {
  const TempDirectory directory;
  const std::string path = directory.file("a.key");
  made(path);
  for (const mode_t mode : {0640u, 0604u, 0660u, 0602u}) {
    chmod(path.c_str(), mode);
    const auto read = read_secret_key(path);
    BOOST_TEST((code_of(read) == Code::kDenied), mode);
    BOOST_TEST(says(read.error(), "chmod 600"));
  }
  chmod(path.c_str(), 0400);
  BOOST_TEST(read_secret_key(path).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_refused_by_name) {
  const TempDirectory directory;
  BOOST_TEST((code_of(read_secret_key(directory.file("none"))) == Code::kNotFound));
  BOOST_TEST((code_of(read_secret_key(directory.file(""))) == Code::kRejected));
  made(directory.file("p"));
  const auto swapped = read_secret_key(directory.file("p.pub"));
  BOOST_REQUIRE(!swapped);
  BOOST_TEST(says(swapped.error(), "is a public key"));
  const std::string path = directory.file("k");
  const std::string good = [&] {
    made(directory.file("g"));
    return text_of(directory.file("g"));
  }();
  const std::size_t at = good.rfind(' ') + 1;
  for (const std::string& text :
       {std::string(), std::string("# only a comment\n"), std::string("waggle-secret-key-1\n"),
        std::string("waggle-secret-key-2 ") + good.substr(at), good.substr(0, good.size() - 3),
        good.substr(0, at) + "A" + good.substr(at), good + good,
        good.substr(0, at) + "*" + good.substr(at + 1)}) {
    put(path, text);
    BOOST_TEST((code_of(read_secret_key(path)) == Code::kRejected), text);
  }
  const std::string word = (*read_public_key(directory.file("g.pub"))).text();
  for (std::size_t size = 0; size < word.size(); ++size)
    BOOST_TEST(!PublicKey::parse(word.substr(0, size)));
  BOOST_TEST(!PublicKey::parse(word + "A"));
  BOOST_TEST(!PublicKey::parse("wk2." + word.substr(4)));
}

BOOST_AUTO_TEST_CASE(both_keys_of_a_link_or_none) {
  const TempDirectory directory;
  made(directory.file("a"));
  made(directory.file("c"));
  BOOST_TEST((read_link_keys("", "").value() == nullptr));
  BOOST_TEST((code_of(read_link_keys(directory.file("a"), "")) == Code::kRejected));
  BOOST_TEST((code_of(read_link_keys("", directory.file("c.pub"))) == Code::kRejected));
  const auto keys = read_link_keys(directory.file("a"), directory.file("c.pub"));
  BOOST_REQUIRE(keys);
  BOOST_TEST(((*keys)->coordinator == *read_public_key(directory.file("c.pub"))));
}

// ---- authorized keys ---------------------------------------------------------------------------

AuthorizedKey of(const SecretKeyPtr& key, const std::string& agent, const std::string& swarm = {}) {
  return {key->pub(), AgentId(agent), SwarmId(swarm), "2026-11-27T10:00:00.000Z", "host 7"};
}

BOOST_AUTO_TEST_CASE(authorized_keys_come_and_go_and_the_rest_of_the_file_stays) {
  const TempDirectory directory;
  const std::string file = directory.file("authorized_keys");
  const SecretKeyPtr a = made(directory.file("a"));
  const SecretKeyPtr b = made(directory.file("b"));
  BOOST_TEST((code_of(read_authorized_keys(file)) == Code::kNotFound));
  BOOST_REQUIRE(authorize_key(file, of(a, "planner")));
  BOOST_TEST(mode_of(file) == 0600u);
  put(file, text_of(file) + "\n  # my own remark\n");
  BOOST_REQUIRE(authorize_key(file, of(b, "scout", "bees")));
  const auto keys = read_authorized_keys(file);
  BOOST_REQUIRE(keys);
  BOOST_REQUIRE(keys->size() == 2u);
  BOOST_TEST((keys->at(0).key == a->pub()));
  BOOST_TEST(keys->at(0).agent.value() == "planner");
  BOOST_TEST(keys->at(0).swarm.empty());
  BOOST_TEST(keys->at(1).swarm.value() == "bees");
  BOOST_TEST(keys->at(1).since == "2026-11-27T10:00:00.000Z");
  BOOST_TEST(keys->at(1).comment == "host 7");
  // A key speaks for one agent.
  const Status again = authorize_key(file, of(a, "scout"));
  BOOST_REQUIRE(!again);
  BOOST_TEST(says(again.error(), "of agent 'planner'"));

  const auto gone =
      revoke_keys(file, [&](const AuthorizedKey& key) { return key.agent.value() == "planner"; });
  BOOST_REQUIRE(gone);
  BOOST_TEST(gone->size() == 1u);
  BOOST_TEST(read_authorized_keys(file)->size() == 1u);
  BOOST_TEST(text_of(file).find("# my own remark") != std::string::npos);
  BOOST_TEST(revoke_keys(file, [](const AuthorizedKey&) { return false; })->empty());
}

BOOST_AUTO_TEST_CASE(a_wrong_line_is_named_and_nobody_is_let_in_by_halves) {
  const TempDirectory directory;
  const std::string file = directory.file("authorized_keys");
  const std::string a = made(directory.file("a"))->pub().text();
  const std::string b = made(directory.file("b"))->pub().text();
  const auto wrong = [&](const std::string& line, std::string_view what) {
    put(file, "# heading\n" + b + " agent=other\n" + line + "\n");
    const auto keys = read_authorized_keys(file);
    BOOST_REQUIRE(!keys);
    BOOST_TEST(says(keys.error(), file + ":3:"), keys.error().text);
    BOOST_TEST(says(keys.error(), what), keys.error().text);
  };
  wrong(a, "agent=NAME is missing");
  wrong(a + " # agent=x", "agent=NAME is missing");
  wrong(a + " agent=", "agent=NAME is missing");
  wrong(a + " agent=~client", "Waggle's own");
  wrong(a + " agent=a/b", "");
  wrong(a + " agent=x swarm=", "");
  wrong(a + " agent=x admin", "expected agent=NAME");
  wrong(a.substr(0, 50) + " agent=x", "expected a public key");
  wrong("agent=x " + a, "expected a public key");
  wrong(b + " agent=x", "there already");
  put(file, b + " agent=other\n", 0620);
  BOOST_TEST((code_of(read_authorized_keys(file)) == Code::kDenied));
  // What can't be read is not added to.
  put(file, "nonsense\n");
  BOOST_TEST(!authorize_key(file, of(*read_secret_key(directory.file("a")), "x")));
  BOOST_TEST(text_of(file) == "nonsense\n");
}

}  // namespace
}  // namespace waggle
