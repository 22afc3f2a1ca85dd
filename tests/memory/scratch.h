#pragma once

// A directory of its own for one test case, gone with it, and what tests do to the files in it. In
// memory where the system has a place for that, since thousands of syncs of a disk are slow; set
// TMPDIR to run on a disk.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <unistd.h>

#include "memory/rocksdb_store.h"

namespace waggle::test {

namespace fs = std::filesystem;

class Scratch {
 public:
  Scratch() {
    const bool in_memory = std::getenv("TMPDIR") == nullptr && access("/dev/shm", W_OK) == 0;
    std::string name =
        (in_memory ? fs::path("/dev/shm") : fs::temp_directory_path()) / "waggle-memory-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::string root() const { return root_; }
  // Of the store; does not exist at first.
  [[nodiscard]] std::string store() const { return root_ + "/store"; }
  [[nodiscard]] std::string marker() const { return store() + "/HEAD"; }
  [[nodiscard]] std::string database() const { return store() + "/db"; }

  // Files of the database that end so, by number: the newest last.
  [[nodiscard]] std::vector<std::string> files(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(database()))
      if (entry.path().extension() == ending) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::string root_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
inline void flip_bit(const std::string& path, std::size_t at) {
  std::string bytes = read_file(path);
  BOOST_REQUIRE_LT(at, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_file(path, bytes);
}

inline RocksdbOptions options_for(const std::string& path,
                                  StoreKind kind = StoreKind::kCoordinator) {
  RocksdbOptions options;
  options.path = path;
  options.kind = kind;
  options.write_buffer_bytes = std::size_t{256} << 10;
  return options;
}
inline std::unique_ptr<RocksdbStore> open_store(const RocksdbOptions& options) {
  auto opened = open_rocksdb(options);
  BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().text);
  return std::move(*opened);
}
// The error of an opening that must fail.
inline Error open_error(const RocksdbOptions& options) {
  const auto opened = open_rocksdb(options);
  BOOST_REQUIRE_MESSAGE(!opened.has_value(), "the store was opened, expected an error");
  BOOST_TEST_MESSAGE(opened.error().text);
  return opened.error();
}
inline bool mentions(const Error& error, const std::string& part) {
  const bool found = error.text.find(part) != std::string::npos;
  if (!found) BOOST_TEST_MESSAGE("not in the text: " + part + "; the text: " + error.text);
  return found;
}

}  // namespace waggle::test

namespace waggle {
inline std::ostream& operator<<(std::ostream& out, Code code) {
  return out << to_text(code);
}
inline std::ostream& operator<<(std::ostream& out, CommitResult result) {
  return out << static_cast<int>(result);
}
}  // namespace waggle
