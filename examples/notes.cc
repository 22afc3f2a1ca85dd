// Four agents type into one text: ada and bob at the same time, cyd and dan where they hear nobody.
// All type at the end, and what each typed stays together. In the end all read the same.
//
// A shared text is edited by position. A position counts in what its author sees; what the others
// typed and erased meanwhile is reckoned in. It prints
//
//   all know:    The oak is dry.
//   cyd, alone:  The old oak is dry. Mind the owl!
//   dan, alone:  The oak is dry. Bring wax.
//   ada and bob: The oak is damp. It is high. It is far.
//   cyd is back: The old oak is damp. It is high. It is far. Mind the owl!
//   dan is back: The old oak is damp. It is high. It is far. Mind the owl! Bring wax.
//   all read the same
//
// In which order the four sentences come is not promised, but it is the same everywhere.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <waggle/agent.h>
#include <waggle/state_synchronizer.h>

using namespace std::chrono_literals;
namespace fs = std::filesystem;

template <typename T>
T must(waggle::Expected<T> result) {
  if (!result) {
    std::cerr << result.error().text << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Letter by letter, each a write of its own.
void type(waggle::AgentText text, std::uint64_t at, const std::string& letters) {
  for (const char letter : letters) must(text.insert(at++, std::string(1, letter)));
}

int main() {
  std::string directory = (fs::temp_directory_path() / "waggle-notes-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const auto hive = must(waggle::StateSynchronizer::open({}));
  // Its directory is what makes it the same agent, wherever it looks for a coordinator.
  const auto open = [&](const std::string& name, const std::string& coordinator) {
    return must(waggle::SwarmAgent::open({.coordinator = coordinator,
                                          .swarm = "bees",
                                          .agent = name,
                                          .data = directory + "/" + name}));
  };
  // All that this agent typed is committed, and it reads all that anybody typed.
  const auto settled = [&](waggle::SwarmAgent& agent) {
    must(agent.wait_attached(30s));
    while (must(agent.status()).unsent > 0) must(agent.catch_up(30s));
    return must(agent.get("notes", must(hive->get_state_version("bees")).revision, 30s)).bytes;
  };
  const auto here = hive->endpoint();
  const auto out_of_reach = "ipc://" + directory + "/nobody";

  must(hive->write("bees", waggle::WriteGroup().insert("notes", 0, "The oak is dry.")));
  for (const char* name : {"cyd", "dan"}) settled(*open(name, here));
  const auto ada = open("ada", here);
  const auto bob = open("bob", here);
  const std::string known = settled(*ada);
  settled(*bob);
  std::cout << "all know:    " << known << "\n";

  {
    const auto cyd = open("cyd", out_of_reach);
    type(cyd->text("notes"), known.size(), " Mind the owl!");
    type(cyd->text("notes"), known.find(" oak"), " old");
    std::cout << "cyd, alone:  " << must(cyd->text("notes").text()) << "\n";
    const auto dan = open("dan", out_of_reach);
    type(dan->text("notes"), known.size(), " Bring wax.");
    std::cout << "dan, alone:  " << must(dan->text("notes").text()) << "\n";
  }

  // Neither waits for the other. A sentence that is one write stays one, whoever comes first.
  must(ada->text("notes").insert(known.size(), " It is high."));
  must(bob->text("notes").insert(known.size(), " It is far."));
  must(bob->flush(30s));
  const auto dry = settled(*ada).find("dry");
  must(ada->text("notes").erase(dry, 3));
  must(ada->text("notes").insert(dry, "damp"));
  std::cout << "ada and bob: " << settled(*ada) << "\n";

  const auto cyd = open("cyd", here);
  std::cout << "cyd is back: " << settled(*cyd) << "\n";
  const auto dan = open("dan", here);
  const std::string text = settled(*dan);
  std::cout << "dan is back: " << text << "\n";

  bool as_promised = text.starts_with("The old oak is damp.");
  std::size_t letters = std::string("The old oak is damp.").size();
  for (const std::string sentence :
       {" Mind the owl!", " Bring wax.", " It is high.", " It is far."}) {
    as_promised = as_promised && text.contains(sentence);
    letters += sentence.size();
  }
  as_promised = as_promised && text.size() == letters;
  for (const auto* agent : {&ada, &bob, &cyd, &dan})
    as_promised = as_promised && settled(**agent) == text &&
                  must((*agent)->status()).digest == must(hive->digest("bees"));
  std::cout << (as_promised ? "all read the same\n" : "a text that nobody wrote\n");
  fs::remove_all(directory);
  return as_promised ? 0 : 1;
}
