// Runs a fuzz target without a fuzzer: over its corpus and over damaged copies of it. Linked once
// with each target; WAGGLE_CORPUS is the target's name.
//
// With WAGGLE_WRITE_CORPUS=1 in the environment the seeds are written anew first.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include "base/prng.h"
#include "tests/fuzz/seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace waggle {
namespace {

const std::filesystem::path kCorpus =
    std::filesystem::path(WAGGLE_TEST_DIR) / "corpus" / WAGGLE_CORPUS;

std::map<std::string, std::string> read_corpus() {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(kCorpus)) {
    std::ifstream in(file.path(), std::ios::binary);
    files[file.path().filename().string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

void run(std::string_view bytes) {
  BOOST_REQUIRE_EQUAL(
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
}

std::string damaged(std::string bytes, Prng& prng) {
  for (std::uint64_t times = 1 + prng.below(4); times > 0; --times) {
    if (bytes.empty()) return bytes;
    const std::size_t at = prng.below(bytes.size());
    switch (prng.below(6)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, 8, static_cast<char>(prng.next()));
        break;
      case 2:
        bytes.erase(at, 8);
        break;
      case 3:
        bytes[at] = static_cast<char>(prng.next());
        break;
      case 4:
        bytes.append(bytes.substr(at, 64));
        break;
      default:
        bytes[at] ^= static_cast<char>(1U << prng.below(8));
        break;
    }
  }
  return bytes;
}

struct WriteSeeds {
  WriteSeeds() {
    if (std::getenv("WAGGLE_WRITE_CORPUS") == nullptr) return;
    std::filesystem::create_directories(kCorpus);
    for (const auto& [name, bytes] : testing::seeds())
      std::ofstream(kCorpus / name, std::ios::binary) << bytes;
  }
};
BOOST_TEST_GLOBAL_FIXTURE(WriteSeeds);

BOOST_AUTO_TEST_SUITE(replay_test)

BOOST_AUTO_TEST_CASE(the_corpus_has_a_seed_of_each_kind_and_passes) {
  const auto corpus = read_corpus();
  for (const auto& [name, bytes] : testing::seeds())
    BOOST_CHECK_MESSAGE(corpus.contains(name),
                        name << " is missing; run this test with WAGGLE_WRITE_CORPUS=1");
  for (const auto& [name, bytes] : corpus) {
    BOOST_TEST_CONTEXT(name) {
      run(bytes);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_copies_of_the_corpus_pass) {
  Prng prng(7);
  for (const auto& [name, bytes] : read_corpus()) {
    BOOST_TEST_CONTEXT(name) {
      for (int i = 0; i < 150; ++i) run(damaged(bytes, prng));
    }
  }
}

BOOST_AUTO_TEST_CASE(short_inputs_pass) {
  Prng prng(8);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    run(bytes);
    for (char& byte : bytes) byte = static_cast<char>(prng.next());
    run(bytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace waggle
