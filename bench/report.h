#pragma once

// The table on standard output and the JSON file. A row is printed as soon as it is measured, so
// that a run that was cut short has said what it knew.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/summary.h"

namespace waggle::bench {

struct Row {
  std::string name;  // "round.conflict.100": what --only matches
  Summary value;
  std::string unit = {};
  // What bare sockets and the disk need for the same, in the same unit and the same run.
  std::optional<double> baseline = {};
  std::optional<double> ratio = {};  // median over the blocks of the run, not of the medians
  std::string goal = {};             // empty: shown only
  std::optional<bool> reached = {};
  std::vector<std::pair<std::string, std::string>> parts = {};
};

class Report {
 public:
  // `json` empty: no file.
  Report(std::string json, bool quick);

  // A group of rows; the text explains what they measure.
  void section(const std::string& title, const std::string& text);
  void add(Row row);
  void failure(const std::string& name, const std::string& text);

  // Writes the file. False: something failed, or the file could not be written.
  [[nodiscard]] bool finish();

 private:
  std::string json_;
  bool quick_ = false;
  std::vector<std::pair<std::string, std::string>> machine_;  // before anything was measured
  std::vector<Row> rows_;
  std::vector<std::pair<std::string, std::string>> failures_;
};

// 12.3 us, 4.56 ms, 78,900 /s, 12.3 MB: three digits that count.
[[nodiscard]] std::string with_unit(double value, const std::string& unit);
// Processor, kernel, load and file system, for whoever compares two runs.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> machine(
    const std::string& directory);

}  // namespace waggle::bench
