#include <algorithm>
#include <utility>

#include <waggle/group.h>

#include "base/shape.h"
#include "include/lib/convert.h"

namespace waggle {
namespace {

Entry& append(WriteGroup::Parts& parts, std::string_view key, Op op) {
  return parts.entries.emplace_back(Entry{Key(key), {}, std::move(op), {}});
}

// The entry of the same key and operation becomes the last one, which the next if_version() means.
template <typename SetOp>
void join(WriteGroup::Parts& parts, std::string_view key, std::string_view element) {
  const auto same = std::ranges::find_if(parts.entries, [&](const Entry& entry) {
    return entry.key.value() == key && std::holds_alternative<SetOp>(entry.op);
  });
  if (same == parts.entries.end()) {
    append(parts, key, SetOp{{std::string(element)}});
    return;
  }
  std::get<SetOp>(same->op).elements.emplace_back(element);
  std::rotate(same, same + 1, parts.entries.end());
}

void sort_elements(Op& op) {
  std::vector<std::string>* elements = nullptr;
  if (auto* adding = std::get_if<SetAddOp>(&op)) elements = &adding->elements;
  if (auto* removing = std::get_if<SetRemoveOp>(&op)) elements = &removing->elements;
  if (elements == nullptr) return;
  std::ranges::sort(*elements);
  elements->erase(std::unique(elements->begin(), elements->end()), elements->end());
}

}  // namespace

WriteGroup::WriteGroup() : parts_(std::make_unique<Parts>()) {}
WriteGroup::WriteGroup(const WriteGroup& other) : parts_(std::make_unique<Parts>(*other.parts_)) {}
WriteGroup::WriteGroup(WriteGroup&& other) noexcept
    : parts_(std::exchange(other.parts_, std::make_unique<Parts>())) {}
WriteGroup& WriteGroup::operator=(const WriteGroup& other) {
  *parts_ = *other.parts_;
  return *this;
}
WriteGroup& WriteGroup::operator=(WriteGroup&& other) noexcept {
  parts_.swap(other.parts_);
  return *this;
}
WriteGroup::~WriteGroup() = default;

WriteGroup& WriteGroup::put(std::string_view key, std::string_view text) {
  append(*parts_, key, PutOp{ContentType::kText, std::string(text)});
  return *this;
}
WriteGroup& WriteGroup::put_json(std::string_view key, std::string_view json) {
  append(*parts_, key, PutOp{ContentType::kJson, std::string(json)});
  return *this;
}
WriteGroup& WriteGroup::put_bytes(std::string_view key, std::string_view bytes) {
  append(*parts_, key, PutOp{ContentType::kBytes, std::string(bytes)});
  return *this;
}
WriteGroup& WriteGroup::incr(std::string_view key, std::int64_t amount) {
  append(*parts_, key, IncrOp{amount});
  return *this;
}
WriteGroup& WriteGroup::add(std::string_view key, std::string_view element) {
  join<SetAddOp>(*parts_, key, element);
  return *this;
}
WriteGroup& WriteGroup::remove(std::string_view key, std::string_view element) {
  join<SetRemoveOp>(*parts_, key, element);
  return *this;
}
WriteGroup& WriteGroup::erase(std::string_view key) {
  append(*parts_, key, DeleteOp{});
  return *this;
}

WriteGroup& WriteGroup::if_version(std::uint64_t version) {
  if (parts_->entries.empty()) {
    if (parts_->misuse.empty())
      parts_->misuse = "if_version() speaks of the entry before it, and there is none";
  } else {
    parts_->entries.back().expect = ExpectVersion{Revision(version)};
  }
  return *this;
}
WriteGroup& WriteGroup::metadata(std::string_view name, std::string_view text) {
  if (parts_->entries.empty()) {
    if (parts_->misuse.empty())
      parts_->misuse = "metadata() speaks of the entry before it, and there is none";
  } else {
    parts_->entries.back().metadata.insert_or_assign(std::string(name), std::string(text));
  }
  return *this;
}

bool WriteGroup::empty() const {
  return parts_->entries.empty();
}

Result<std::vector<Entry>> entries_of(const WriteGroup& group) {
  if (!group.parts().misuse.empty()) return failed(Code::kRejected, group.parts().misuse);
  std::vector<Entry> entries = group.parts().entries;
  for (Entry& entry : entries) sort_elements(entry.op);
  if (Status shape = check_entries(entries); !shape)
    return std::unexpected(std::move(shape.error()));
  return entries;
}

}  // namespace waggle
