#pragma once

// The keys of the job, and a task as the JSON that it is in the state.

#include <string>

#include <nlohmann/json.hpp>

#include "text.h"

namespace word_count {

inline const std::string kHeadline = "headline";
inline const std::string kLines = "total/lines";
inline const std::string kWords = "total/words";
inline const std::string kBytes = "total/bytes";

struct Task {
  Slice slice;
  std::string state;  // open, taken, done
  std::string by;
};

inline std::string task_key(std::size_t number) {
  std::string digits = std::to_string(number);
  return "task/" + std::string(5 - std::min<std::size_t>(digits.size(), 5), '0') + digits;
}

inline std::string to_json(const Task& task) {
  return nlohmann::json{{"file", task.slice.file},
                        {"offset", task.slice.offset},
                        {"bytes", task.slice.bytes},
                        {"state", task.state},
                        {"by", task.by}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline Task task_of(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {{json.at("file"), json.at("offset"), json.at("bytes")}, json.at("state"), json.at("by")};
}

}  // namespace word_count
