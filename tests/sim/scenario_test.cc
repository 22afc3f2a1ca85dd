// The walks of the protocol in scenarios/, one test case a file. With WAGGLE_TRACE=1 their story is
// printed.

#include "tests/sim/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace waggle::sim {
namespace {

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WAGGLE_TEST_DIR "/scenarios"))
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

BOOST_DATA_TEST_CASE(scenario, boost::unit_test::data::make(scenario_files()), path) {
  for (const std::string& found : run_scenario(path, std::getenv("WAGGLE_TRACE") != nullptr))
    BOOST_ERROR(found);
}

}  // namespace waggle::sim
