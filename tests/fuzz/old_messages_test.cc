// Messages as an older peer sends them: the corpus of fuzz_codec, which is not written anew when
// the schema grows.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include "capnp/codec.h"

namespace waggle {
namespace {

BOOST_AUTO_TEST_SUITE(old_messages_test)

BOOST_AUTO_TEST_CASE(every_message_of_the_corpus_decodes) {
  const auto corpus = std::filesystem::path(WAGGLE_TEST_DIR) / "corpus" / "fuzz_codec";
  for (const auto& file : std::filesystem::directory_iterator(corpus)) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with("seed_")) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const Result<Message> message = decode(bytes);
    BOOST_CHECK_MESSAGE(message, name << ": " << (message ? "" : message.error().text));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
