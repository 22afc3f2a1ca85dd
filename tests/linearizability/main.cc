// Reads a history, one operation a line as JSON, and says of each key whether it is linearizable:
//
//   {"key":"k","client":"a","kind":"swap","called":12,"returned":15,"value":"v","version":7,"expected":3}
//
// Without `returned`: it was never answered. Times are whole numbers of one clock. Exit code 0: all
// keys are; 1: one is not; 2: the input is wrong, or the search gave up.

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/linearizability/register_history.h"

using namespace waggle::linearizability;

int main() {
  const std::map<std::string, Operation::Kind> kinds = {{"read", Operation::Kind::kRead},
                                                        {"write", Operation::Kind::kWrite},
                                                        {"swap", Operation::Kind::kSwap},
                                                        {"no_swap", Operation::Kind::kNoSwap}};
  std::map<std::string, std::vector<Operation>> histories;
  std::string line;
  try {
    while (std::getline(std::cin, line)) {
      const auto json = nlohmann::json::parse(line);
      Operation one;
      one.kind = kinds.at(json.at("kind"));
      one.client = json.value("client", "");
      one.called = json.at("called");
      one.returned = json.value("returned", kNever);
      one.value = json.value("value", "");
      one.version = json.value("version", std::uint64_t{0});
      one.expected = json.value("expected", std::uint64_t{0});
      histories[json.at("key")].push_back(one);
    }
  } catch (const std::exception& error) {
    std::cerr << "no operation: " << line << ": " << error.what() << "\n";
    return 2;
  }
  int code = 0;
  for (auto& [key, operations] : histories) {
    const std::size_t count = operations.size();
    const Answer answer = check(std::move(operations));
    static constexpr const char* kWords[] = {"linearizable", "NOT linearizable", "gave up"};
    std::cout << key << ": " << count << " operations, "
              << kWords[static_cast<std::size_t>(answer.verdict)] << " after " << answer.steps
              << " steps" << (answer.text.empty() ? "" : ": ") << answer.text << "\n";
    if (answer.verdict != Verdict::kLinearizable)
      code = std::max(code, answer.verdict == Verdict::kNot ? 1 : 2);
  }
  return code;
}
