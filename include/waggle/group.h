#pragma once

// What a write does: one key, or several that change together or not at all.
//
//   WriteGroup group;
//   group.put("task/7", "done").if_version(seen.version).incr("tasks_done", 1).add("names", "ada");
//   group.incr("ada", 1).field("visits").on("lamp").max("best", 7.5);
//
// Each operation names the type that it is for where several types share it, so that a write never
// changes the type of a key by accident. What each type means: docs/types.md.
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
  // Counters; increments of all agents add up, each exactly once. Types: kCounter, kGrowCounter
  // (0 or more), kResettableCounter, kBoundedCounter.
  WriteGroup& incr(std::string_view key, std::int64_t amount = 1,
                   ItemType type = ItemType::kCounter);
  // Of a resettable counter: takes away what its writer had seen.
  WriteGroup& reset(std::string_view key);
  // Of a bounded counter, 1 or more: of what is free for the writer, back, and to another agent.
  WriteGroup& reserve(std::string_view key, std::uint64_t amount);
  WriteGroup& release(std::string_view key, std::uint64_t amount);
  WriteGroup& hand_over(std::string_view key, std::uint64_t amount, std::string_view to_agent);
  // Sets: 1..1024 bytes an element. A remove takes away what its writer had seen. Several adds, or
  // several removes, of one key join. Types: kSet, kGrowSet (add only), kRemoveWinsSet.
  WriteGroup& add(std::string_view key, std::string_view element, ItemType type = ItemType::kSet);
  WriteGroup& remove(std::string_view key, std::string_view element,
                     ItemType type = ItemType::kSet);
  // The greatest, or the least, of all values that were written.
  WriteGroup& max(std::string_view key, const Comparable& value);
  WriteGroup& min(std::string_view key, const Comparable& value);
  // Flags. once: raised for ever. Types of the others: kEnableFlag, kDisableFlag.
  WriteGroup& once(std::string_view key);
  WriteGroup& on(std::string_view key, ItemType type = ItemType::kEnableFlag);
  WriteGroup& off(std::string_view key, ItemType type = ItemType::kEnableFlag);
  // Texts, positions in unicode scalar values, and lists, positions in elements: from 0, in the
  // view of the agent that writes; through StateSynchronizer, in the newest state.
  WriteGroup& insert(std::string_view key, std::uint64_t at, std::string_view text);
  WriteGroup& insert(std::string_view key, std::uint64_t at, std::vector<std::string> elements);
  WriteGroup& erase(std::string_view key, std::uint64_t at, std::uint64_t count,
                    ItemType type = ItemType::kText);
  // Deletes the key, whatever its type.
  WriteGroup& erase(std::string_view key);

  // Of the put before it: kept beside what others put at the same time, in a multi-register.
  WriteGroup& beside();
  // Of the entry before it: it is for this field of the map that the key holds. Again: for the
  // field of the map in that field. Of an erase(key): the fields of every type of that name go.
  WriteGroup& field(std::string_view name);
  // Of the removal of a field before it: only the field of this type goes.
  WriteGroup& only(ItemType type);
  // Of the entry before it: it applies only at this version of the key (compare and set), else the
  // whole group is a conflict "version_mismatch". 0, or if_absent(): only when there is no such
  // key.
  WriteGroup& if_version(std::uint64_t version);
  WriteGroup& if_absent() { return if_version(0); }
  // Of the entry before it: it applies only where nobody else changed the key since the view in
  // which it was written. Unlike the other conditions it is in the agent's view at once.
  WriteGroup& if_unchanged();
  // Of the entry before it: kept with the value. All together at most 4 KiB of UTF-8.
  WriteGroup& metadata(std::string_view name, std::string_view text);

  [[nodiscard]] bool empty() const;

  struct Parts;
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace waggle
