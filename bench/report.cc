#include "bench/report.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace waggle::bench {
namespace {

constexpr long kTmpfs = 0x01021994;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

std::string object(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out = "{";
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "", quoted(name), quoted(value));
  return out + "}";
}

std::string three_digits(double value) {
  const double size = std::abs(value);
  if (size >= 100 || size == 0) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string first_line_with(const char* path, const std::string& prefix) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(prefix)) {
      const std::size_t colon = line.find(':');
      return colon == std::string::npos ? line
                                        : line.substr(line.find_first_not_of(" \t", colon + 1));
    }
  return {};
}

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string one, five, fifteen;
  file >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

}  // namespace

std::string with_unit(double value, const std::string& unit) {
  if (unit == "us" && value >= 1e6) return three_digits(value / 1e6) + " s";
  if (unit == "us" && value >= 1e3) return three_digits(value / 1e3) + " ms";
  if (unit == "B" && value >= 1e6) return three_digits(value / 1e6) + " MB";
  if (unit == "B" && value >= 1e4) return three_digits(value / 1e3) + " kB";
  if (unit == "/s") {
    const std::string digits = fmt::format("{:.0f}", value);
    std::string grouped;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
      grouped += digits[i];
    }
    return grouped + " /s";
  }
  return three_digits(value) + (unit.empty() ? "" : " " + unit);
}

std::vector<std::pair<std::string, std::string>> machine(const std::string& directory) {
  utsname name{};
  uname(&name);
  struct statfs disk{};
  const bool known = statfs(directory.c_str(), &disk) == 0;
  const bool memory = known && static_cast<long>(disk.f_type) == kTmpfs;
  return {{"processor", first_line_with("/proc/cpuinfo", "model name")},
          {"cores", std::to_string(sysconf(_SC_NPROCESSORS_ONLN))},
          {"kernel", name.release},
          {"load_before", load_average()},
          {"data",
           directory + (memory ? " (in memory: a sync costs nothing, figures mean little)" : "")}};
}

Report::Report(std::string json, bool quick)
    : json_(std::move(json)),
      quick_(quick),
      machine_(machine(std::filesystem::temp_directory_path().string())) {
  for (const auto& [name, value] : machine_) std::printf("%-12s %s\n", name.c_str(), value.c_str());
}

void Report::section(const std::string& title, const std::string& text) {
  std::printf("\n%s\n  %s\n", title.c_str(), text.c_str());
  std::printf("  %-26s %11s %11s %11s %11s %7s  %s\n", "", "median", "p10", "p90", "bare", "ratio",
              "goal");
  std::fflush(stdout);
}

void Report::add(Row row) {
  const auto shown = [&](double value) { return with_unit(value, row.unit); };
  std::string goal = row.goal;
  if (row.reached) goal += *row.reached ? ": reached" : ": MISSED";
  std::printf("  %-26s %11s %11s %11s %11s %7s  %s\n", row.name.c_str(),
              shown(row.value.median).c_str(),
              row.value.samples > 1 ? shown(row.value.p10).c_str() : "",
              row.value.samples > 1 ? shown(row.value.p90).c_str() : "",
              row.baseline ? shown(*row.baseline).c_str() : "",
              row.ratio ? fmt::format("{:.2f}", *row.ratio).c_str() : "", goal.c_str());
  std::string parts;
  for (const auto& [name, value] : row.parts)
    parts += (parts.empty() ? "" : ", ") + name + " " + value;
  if (!parts.empty()) std::printf("  %-26s   %s\n", "", parts.c_str());
  std::fflush(stdout);
  rows_.push_back(std::move(row));
}

void Report::failure(const std::string& name, const std::string& text) {
  std::printf("  %-26s FAILED: %s\n", name.c_str(), text.c_str());
  std::fflush(stdout);
  failures_.emplace_back(name, text);
}

bool Report::finish() {
  if (json_.empty()) return failures_.empty();
  std::ofstream file(json_);
  file << "{\"format\": 1, \"quick\": " << (quick_ ? "true" : "false")
       << ", \"machine\": " << object(machine_) << ", \"failures\": " << object(failures_)
       << ",\n\"rows\": [";
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    file << (i == 0 ? "\n" : ",\n")
         << fmt::format(
                R"({{"name": {}, "unit": {}, "median": {}, "p10": {}, "p90": {}, "samples": {})",
                quoted(row.name), quoted(row.unit), number(row.value.median), number(row.value.p10),
                number(row.value.p90), row.value.samples);
    if (row.baseline) file << ", \"baseline\": " << number(*row.baseline);
    if (row.ratio) file << ", \"ratio\": " << number(*row.ratio);
    if (!row.goal.empty()) file << ", \"goal\": " << quoted(row.goal);
    if (row.reached) file << ", \"reached\": " << (*row.reached ? "true" : "false");
    if (!row.parts.empty()) file << ", \"parts\": " << object(row.parts);
    file << "}";
  }
  file << "\n]}\n";
  file.close();
  if (!file) {
    std::fprintf(stderr, "waggle_bench: can't write %s\n", json_.c_str());
    return false;
  }
  return failures_.empty();
}

}  // namespace waggle::bench
