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

ValueType to_type(ItemType type) {
  return static_cast<ValueType>(type);
}

// The entry of the same key and operation becomes the last one, which the next if_version() means.
template <typename SetOp>
void join(WriteGroup::Parts& parts, std::string_view key, std::string_view element, ItemType type) {
  const auto same = std::ranges::find_if(parts.entries, [&](const Entry& entry) {
    const auto* op = std::get_if<SetOp>(&entry.op);
    return entry.key.value() == key && op != nullptr && op->type == to_type(type);
  });
  if (same == parts.entries.end()) {
    append(parts, key, SetOp{{std::string(element)}, to_type(type)});
    return;
  }
  std::get<SetOp>(same->op).elements.emplace_back(element);
  std::rotate(same, same + 1, parts.entries.end());
}

EditOp edit(std::uint64_t at, std::uint64_t removed, std::vector<std::string> inserted,
            ValueType type) {
  return {{{.at = at, .removed = removed, .inserted = std::move(inserted)}}, type};
}

// The entry that a call speaks of; null: there is none, which is remembered.
Entry* entry_before(WriteGroup::Parts& parts, std::string_view call) {
  if (!parts.entries.empty()) return &parts.entries.back();
  parts.misused(std::string(call) + " speaks of the entry before it, and there is none");
  return nullptr;
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
WriteGroup& WriteGroup::incr(std::string_view key, std::int64_t amount, ItemType type) {
  append(*parts_, key, IncrOp{amount, to_type(type)});
  return *this;
}
WriteGroup& WriteGroup::reset(std::string_view key) {
  append(*parts_, key, ResetOp{});
  return *this;
}
WriteGroup& WriteGroup::reserve(std::string_view key, std::uint64_t amount) {
  append(*parts_, key, EscrowOp{EscrowVerb::kReserve, amount, {}});
  return *this;
}
WriteGroup& WriteGroup::release(std::string_view key, std::uint64_t amount) {
  append(*parts_, key, EscrowOp{EscrowVerb::kRelease, amount, {}});
  return *this;
}
WriteGroup& WriteGroup::hand_over(std::string_view key, std::uint64_t amount,
                                  std::string_view to_agent) {
  append(*parts_, key, EscrowOp{EscrowVerb::kHandOver, amount, AgentId(to_agent)});
  return *this;
}
WriteGroup& WriteGroup::add(std::string_view key, std::string_view element, ItemType type) {
  join<SetAddOp>(*parts_, key, element, type);
  return *this;
}
WriteGroup& WriteGroup::remove(std::string_view key, std::string_view element, ItemType type) {
  join<SetRemoveOp>(*parts_, key, element, type);
  return *this;
}
WriteGroup& WriteGroup::max(std::string_view key, const Comparable& value) {
  append(*parts_, key, RaiseOp{value, ValueType::kMax});
  return *this;
}
WriteGroup& WriteGroup::min(std::string_view key, const Comparable& value) {
  append(*parts_, key, RaiseOp{value, ValueType::kMin});
  return *this;
}
WriteGroup& WriteGroup::once(std::string_view key) {
  append(*parts_, key, FlagOp{true, ValueType::kOnceFlag});
  return *this;
}
WriteGroup& WriteGroup::on(std::string_view key, ItemType type) {
  append(*parts_, key, FlagOp{true, to_type(type)});
  return *this;
}
WriteGroup& WriteGroup::off(std::string_view key, ItemType type) {
  append(*parts_, key, FlagOp{false, to_type(type)});
  return *this;
}
WriteGroup& WriteGroup::insert(std::string_view key, std::uint64_t at, std::string_view text) {
  append(*parts_, key, edit(at, 0, {std::string(text)}, ValueType::kText));
  return *this;
}
WriteGroup& WriteGroup::insert(std::string_view key, std::uint64_t at,
                               std::vector<std::string> elements) {
  append(*parts_, key, edit(at, 0, std::move(elements), ValueType::kList));
  return *this;
}
WriteGroup& WriteGroup::erase(std::string_view key, std::uint64_t at, std::uint64_t count,
                              ItemType type) {
  append(*parts_, key, edit(at, count, {}, to_type(type)));
  return *this;
}
WriteGroup& WriteGroup::erase(std::string_view key) {
  append(*parts_, key, DeleteOp{});
  return *this;
}

WriteGroup& WriteGroup::beside() {
  Entry* entry = entry_before(*parts_, "beside()");
  if (entry == nullptr) return *this;
  if (auto* put = std::get_if<PutOp>(&entry->op)) {
    put->type = ValueType::kMultiRegister;
  } else {
    parts_->misused("beside() speaks of a put before it, found another operation");
  }
  return *this;
}
WriteGroup& WriteGroup::field(std::string_view name) {
  Entry* entry = entry_before(*parts_, "field()");
  if (entry == nullptr) return *this;
  if (auto* of_field = std::get_if<FieldOp>(&entry->op)) {
    of_field->path.emplace_back(name);
    return *this;
  }
  sort_elements(entry->op);  // no add or remove joins it any more
  entry->op = field_op({std::string(name)}, std::move(entry->op));
  return *this;
}
WriteGroup& WriteGroup::only(ItemType type) {
  Entry* entry = entry_before(*parts_, "only()");
  if (entry == nullptr) return *this;
  if (auto* of_field = std::get_if<FieldOp>(&entry->op)) {
    of_field->removed_type = to_type(type);
  } else {
    parts_->misused("only() speaks of the removal of a field before it, found another operation");
  }
  return *this;
}

WriteGroup& WriteGroup::if_version(std::uint64_t version) {
  if (Entry* entry = entry_before(*parts_, "if_version()"))
    entry->expect = ExpectVersion{Revision(version)};
  return *this;
}
WriteGroup& WriteGroup::if_unchanged() {
  if (Entry* entry = entry_before(*parts_, "if_unchanged()")) entry->expect = ExpectUnchanged{};
  return *this;
}
WriteGroup& WriteGroup::metadata(std::string_view name, std::string_view text) {
  if (Entry* entry = entry_before(*parts_, "metadata()"))
    entry->metadata.insert_or_assign(std::string(name), std::string(text));
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
