// The word-count job: `waggle_demo` tells the story, `waggle_demo --worker` is one of its agents.

#include <filesystem>

#include <CLI/CLI.hpp>
#include <signal.h>

#include "story.h"
#include "worker.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  word_count::DemoOptions demo;
  word_count::WorkerOptions worker;
  bool is_worker = false;
  demo.self = std::filesystem::canonical("/proc/self/exe").string();
  demo.program = WAGGLE_PROGRAM;

  CLI::App app{"Eight agents count words together while they are killed and stopped."};
  app.add_option("--input", demo.input, "directory of text files; links are skipped")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  app.add_option("--agents", demo.agents, "agent processes")
      ->capture_default_str()
      ->check(CLI::Range(5, 64));
  app.add_option("--seconds", demo.seconds,
                 "about how long the counting is paced to take; 0: no pace")
      ->capture_default_str()
      ->check(CLI::Range(0, 600));
  app.add_flag("--json", demo.json, "a report as JSON on standard output");
  app.add_option("--program", demo.program, "the waggle program")->capture_default_str();
  app.add_flag("--worker", is_worker, "be one agent")->group("");
  app.add_option("--coordinator", worker.coordinator)->group("");
  app.add_option("--swarm", worker.swarm)->group("");
  app.add_option("--id", worker.id)->group("");
  app.add_option("--data", worker.data)->group("");
  app.add_option("--pace", worker.pace_millis)->group("");
  app.add_option("--offer", worker.offer)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return is_worker ? word_count::work(worker) : word_count::run_demo(demo);
}
