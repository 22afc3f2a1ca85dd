#pragma once

// What a write does: one key, or several that change together or not at all.
//
//   WriteGroup group;
//   group.put("task/7", "done").if_version(seen.version).incr("tasks_done", 1).add("names", "ada");
//
// At most 256 keys and 512 KiB, each key once; a single put may carry 1 MiB. What breaks a limit is
// refused when the group is written. A plain value; not thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <waggle/types.h>

namespace waggle {

class WriteGroup {
 public:
  WriteGroup();
  WriteGroup(const WriteGroup& other);
  WriteGroup(WriteGroup&& other) noexcept;
  WriteGroup& operator=(const WriteGroup& other);
  WriteGroup& operator=(WriteGroup&& other) noexcept;
  ~WriteGroup();

  // A register: text, JSON (stored as it is given: write equal values in equal bytes), or bytes.
  WriteGroup& put(std::string_view key, std::string_view text);
  WriteGroup& put_json(std::string_view key, std::string_view json);
  WriteGroup& put_bytes(std::string_view key, std::string_view bytes);
  // A counter. Increments of all agents add up, each exactly once.
  WriteGroup& incr(std::string_view key, std::int64_t amount = 1);
  // A set: 1..1024 bytes an element. A remove takes away what its writer had seen; what somebody
  // adds at the same time stays. Several adds, or several removes, of one key join.
  WriteGroup& add(std::string_view key, std::string_view element);
  WriteGroup& remove(std::string_view key, std::string_view element);
  // Deletes the key, whatever its type.
  WriteGroup& erase(std::string_view key);

  // Of the entry before it: it applies only at this version of the key (compare and set), else the
  // whole group is a conflict "version_mismatch". 0, or if_absent(): only when there is no such
  // key.
  WriteGroup& if_version(std::uint64_t version);
  WriteGroup& if_absent() { return if_version(0); }
  // Of the entry before it: kept with the value. All together at most 4 KiB of UTF-8.
  WriteGroup& metadata(std::string_view name, std::string_view text);

  [[nodiscard]] bool empty() const;

  struct Parts;
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
