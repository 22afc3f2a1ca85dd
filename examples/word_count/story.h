#pragma once

// The demo: starts a coordinator and the agents as real processes, breaks what can be broken while
// they work, and checks the result against wc and by digest.

#include <string>

namespace word_count {

struct DemoOptions {
  std::string input = "/usr/share/common-licenses";
  std::string program;  // of waggle
  std::string self;     // this program, for the workers
  int agents = 8;
  int seconds = 14;   // the counting is paced to take about so long
  bool json = false;  // the report as JSON on standard output, the story on standard error
};

// The exit code: 0 when everything was equal.
int run_demo(const DemoOptions& options);

}  // namespace word_count
