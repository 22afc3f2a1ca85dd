#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <waggle/agent.h>
#include <waggle/handles.h>

#include "include/lib/convert.h"

namespace waggle {
namespace {

constexpr std::uint64_t kAmountMax = std::numeric_limits<std::int64_t>::max();

const StateItem* field_of(const StateItem& map, const std::string& name, ItemType type) {
  const auto found = std::ranges::find_if(
      map.fields, [&](const StateItem& field) { return field.key == name && field.type == type; });
  return found == map.fields.end() ? nullptr : &*found;
}

}  // namespace

// ---- what all share ----------------------------------------------------------------------------

std::string AgentHandle::name() const {
  std::string name = "'" + key_ + "'";
  for (const std::string& one : field_) name += " / '" + one + "'";
  return name;
}

std::vector<std::string> AgentHandle::inner(std::string name) const {
  std::vector<std::string> path = field_;
  path.push_back(std::move(name));
  return path;
}

Failure AgentHandle::too_large(std::string_view what) const {
  return {StatusCode::kRejected,
          fmt::format("{}: {}: expected at most {}", name(), what, kAmountMax)};
}

Expected<WriteTicket> AgentHandle::write(WriteGroup group) const {
  for (const std::string& one : field_) group.field(one);
  return agent_.write(group);
}

Expected<WriteTicket> AgentHandle::append(std::vector<std::string> inserted, ItemType type) const {
  return agent_.append(key_, field_, std::move(inserted), type);
}

Expected<std::optional<StateItem>> AgentHandle::find(ItemType type) const {
  Expected<StateItem> item = agent_.get(key_);
  if (!item) return std::unexpected(std::move(item.error()));
  if (!item->exists) return std::nullopt;
  const ItemType wanted = field_.empty() ? type : ItemType::kMap;
  if (item->type != wanted)
    return failure(StatusCode::kConflict, fmt::format("'{}' holds a {}, not a {}", key_,
                                                      name_of(item->type), name_of(wanted)));
  const StateItem* found = &*item;
  for (std::size_t i = 0; found != nullptr && i < field_.size(); ++i)
    found = field_of(*found, field_[i], i + 1 < field_.size() ? ItemType::kMap : type);
  if (found == nullptr) return std::nullopt;
  return *found;
}

Expected<std::int64_t> AgentHandle::number(ItemType type) const {
  const auto item = find(type);
  if (!item) return std::unexpected(item.error());
  return *item ? (*item)->number : 0;
}

Expected<std::vector<std::string>> AgentHandle::elements(ItemType type) const {
  auto item = find(type);
  if (!item) return std::unexpected(std::move(item.error()));
  return *item ? std::move((*item)->elements) : std::vector<std::string>();
}

// ---- counters ----------------------------------------------------------------------------------

Expected<WriteTicket> AgentCounter::add(std::int64_t amount) {
  return write(WriteGroup().incr(key(), amount));
}
Expected<std::int64_t> AgentCounter::value() const {
  return number(ItemType::kCounter);
}

Expected<WriteTicket> AgentGrowCounter::add(std::uint64_t amount) {
  if (amount > kAmountMax) return std::unexpected(too_large("amount"));
  return write(WriteGroup().incr(key(), static_cast<std::int64_t>(amount), ItemType::kGrowCounter));
}
Expected<std::uint64_t> AgentGrowCounter::value() const {
  const Expected<std::int64_t> total = number(ItemType::kGrowCounter);
  if (!total) return std::unexpected(total.error());
  const auto value = static_cast<std::uint64_t>(*total);
  if (value == kAmountMax)
    return failure(StatusCode::kConflict,
                   fmt::format("'{}' holds a grow-counter of {} or more", key(), kAmountMax));
  return value;
}

Expected<WriteTicket> AgentResettableCounter::add(std::int64_t amount) {
  return write(WriteGroup().incr(key(), amount, ItemType::kResettableCounter));
}
Expected<WriteTicket> AgentResettableCounter::reset() {
  return write(WriteGroup().reset(key()));
}
Expected<std::int64_t> AgentResettableCounter::value() const {
  return number(ItemType::kResettableCounter);
}

Expected<WriteTicket> AgentBoundedCounter::add(std::uint64_t amount) {
  if (amount > kAmountMax) return std::unexpected(too_large("amount"));
  return write(
      WriteGroup().incr(key(), static_cast<std::int64_t>(amount), ItemType::kBoundedCounter));
}
Expected<WriteTicket> AgentBoundedCounter::take(std::uint64_t amount) {
  if (amount > kAmountMax) return std::unexpected(too_large("amount"));
  return write(
      WriteGroup().incr(key(), -static_cast<std::int64_t>(amount), ItemType::kBoundedCounter));
}
Expected<WriteTicket> AgentBoundedCounter::reserve(std::uint64_t amount) {
  return write(WriteGroup().reserve(key(), amount));
}
Expected<WriteTicket> AgentBoundedCounter::release(std::uint64_t amount) {
  return write(WriteGroup().release(key(), amount));
}
Expected<WriteTicket> AgentBoundedCounter::hand_over(std::uint64_t amount,
                                                     std::string_view to_agent) {
  return write(WriteGroup().hand_over(key(), amount, to_agent));
}
Expected<std::uint64_t> AgentBoundedCounter::value() const {
  const Expected<std::int64_t> total = number(ItemType::kBoundedCounter);
  if (!total) return std::unexpected(total.error());
  return static_cast<std::uint64_t>(*total);
}
Expected<std::uint64_t> AgentBoundedCounter::free() const {
  const auto item = find(ItemType::kBoundedCounter);
  if (!item) return std::unexpected(item.error());
  return *item ? (*item)->free : 0;
}
Expected<std::map<std::string, std::uint64_t>> AgentBoundedCounter::reserved() const {
  auto item = find(ItemType::kBoundedCounter);
  if (!item) return std::unexpected(std::move(item.error()));
  if (!*item) return {};
  return std::move((*item)->reserved);
}

// ---- sets --------------------------------------------------------------------------------------

Expected<WriteTicket> AgentSet::add(std::string_view element) {
  return write(WriteGroup().add(key(), element));
}
Expected<WriteTicket> AgentSet::remove(std::string_view element) {
  return write(WriteGroup().remove(key(), element));
}
Expected<std::vector<std::string>> AgentSet::elements() const {
  return AgentHandle::elements(ItemType::kSet);
}

Expected<WriteTicket> AgentGrowSet::add(std::string_view element) {
  return write(WriteGroup().add(key(), element, ItemType::kGrowSet));
}
Expected<std::vector<std::string>> AgentGrowSet::elements() const {
  return AgentHandle::elements(ItemType::kGrowSet);
}

Expected<WriteTicket> AgentRemoveWinsSet::add(std::string_view element) {
  return write(WriteGroup().add(key(), element, ItemType::kRemoveWinsSet));
}
Expected<WriteTicket> AgentRemoveWinsSet::remove(std::string_view element) {
  return write(WriteGroup().remove(key(), element, ItemType::kRemoveWinsSet));
}
Expected<std::vector<std::string>> AgentRemoveWinsSet::elements() const {
  return AgentHandle::elements(ItemType::kRemoveWinsSet);
}

// ---- flags, extremes, registers ----------------------------------------------------------------

Expected<WriteTicket> AgentFlag::on() {
  return write(WriteGroup().on(key()));
}
Expected<WriteTicket> AgentFlag::off() {
  return write(WriteGroup().off(key()));
}
Expected<bool> AgentFlag::value() const {
  const auto item = find(ItemType::kEnableFlag);
  if (!item) return std::unexpected(item.error());
  return *item && (*item)->on;
}

Expected<WriteTicket> AgentDisableFlag::on() {
  return write(WriteGroup().on(key(), ItemType::kDisableFlag));
}
Expected<WriteTicket> AgentDisableFlag::off() {
  return write(WriteGroup().off(key(), ItemType::kDisableFlag));
}
Expected<bool> AgentDisableFlag::value() const {
  const auto item = find(ItemType::kDisableFlag);
  if (!item) return std::unexpected(item.error());
  return !*item || (*item)->on;
}

Expected<WriteTicket> AgentOnce::raise() {
  return write(WriteGroup().once(key()));
}
Expected<bool> AgentOnce::raised() const {
  const auto item = find(ItemType::kOnceFlag);
  if (!item) return std::unexpected(item.error());
  return item->has_value();
}

Expected<WriteTicket> AgentMax::raise(const Comparable& value) {
  return write(WriteGroup().max(key(), value));
}
Expected<std::optional<Comparable>> AgentMax::value() const {
  const auto item = find(ItemType::kMax);
  if (!item) return std::unexpected(item.error());
  if (!*item) return std::nullopt;
  return (*item)->comparable;
}

Expected<WriteTicket> AgentMin::raise(const Comparable& value) {
  return write(WriteGroup().min(key(), value));
}
Expected<std::optional<Comparable>> AgentMin::value() const {
  const auto item = find(ItemType::kMin);
  if (!item) return std::unexpected(item.error());
  if (!*item) return std::nullopt;
  return (*item)->comparable;
}

Expected<WriteTicket> AgentMulti::put(std::string_view text) {
  return write(WriteGroup().put(key(), text).beside());
}
Expected<std::vector<SiblingValue>> AgentMulti::values() const {
  auto item = find(ItemType::kMultiRegister);
  if (!item) return std::unexpected(std::move(item.error()));
  return *item ? std::move((*item)->siblings) : std::vector<SiblingValue>();
}

// ---- ephemeral keys ----------------------------------------------------------------------------

Expected<WriteTicket> AgentHandle::write_ephemeral(std::optional<ContentKind> content,
                                                   std::string_view bytes) const {
  return agent_.write_ephemeral(key_, content, std::string(bytes));
}

Expected<WriteTicket> AgentEphemeral::set(std::string_view text) {
  return write_ephemeral(ContentKind::kText, text);
}
Expected<WriteTicket> AgentEphemeral::set_json(std::string_view json) {
  return write_ephemeral(ContentKind::kJson, json);
}
Expected<WriteTicket> AgentEphemeral::set_bytes(std::string_view bytes) {
  return write_ephemeral(ContentKind::kBytes, bytes);
}
Expected<WriteTicket> AgentEphemeral::erase() {
  return write_ephemeral(std::nullopt, {});
}
Expected<std::optional<std::string>> AgentEphemeral::value() const {
  auto item = find(ItemType::kRegister);
  if (!item) return std::unexpected(std::move(item.error()));
  if (!*item) return std::nullopt;
  return std::move((*item)->bytes);
}

// ---- lists and texts ---------------------------------------------------------------------------

Expected<WriteTicket> AgentList::insert(std::uint64_t at, std::vector<std::string> elements) {
  return write(WriteGroup().insert(key(), at, std::move(elements)));
}
Expected<WriteTicket> AgentList::erase(std::uint64_t at, std::uint64_t count) {
  return write(WriteGroup().erase(key(), at, count, ItemType::kList));
}
Expected<WriteTicket> AgentList::append(std::vector<std::string> elements) {
  return AgentHandle::append(std::move(elements), ItemType::kList);
}
Expected<std::vector<std::string>> AgentList::elements() const {
  return AgentHandle::elements(ItemType::kList);
}

Expected<WriteTicket> AgentText::insert(std::uint64_t at, std::string_view text) {
  return write(WriteGroup().insert(key(), at, text));
}
Expected<WriteTicket> AgentText::erase(std::uint64_t at, std::uint64_t count) {
  return write(WriteGroup().erase(key(), at, count, ItemType::kText));
}
Expected<WriteTicket> AgentText::append(std::string_view text) {
  return AgentHandle::append({std::string(text)}, ItemType::kText);
}
Expected<std::string> AgentText::text() const {
  auto item = find(ItemType::kText);
  if (!item) return std::unexpected(std::move(item.error()));
  return *item ? std::move((*item)->bytes) : std::string();
}

// ---- maps --------------------------------------------------------------------------------------

Expected<WriteTicket> AgentMap::set(std::string_view field, std::string_view text) {
  return AgentMap(agent(), key(), inner(std::string(field))).write(WriteGroup().put(key(), text));
}
Expected<WriteTicket> AgentMap::set_json(std::string_view field, std::string_view json) {
  return AgentMap(agent(), key(), inner(std::string(field)))
      .write(WriteGroup().put_json(key(), json));
}
Expected<WriteTicket> AgentMap::set_bytes(std::string_view field, std::string_view bytes) {
  return AgentMap(agent(), key(), inner(std::string(field)))
      .write(WriteGroup().put_bytes(key(), bytes));
}
Expected<std::optional<StateItem>> AgentMap::get(std::string_view field) const {
  return AgentMap(agent(), key(), inner(std::string(field))).find(ItemType::kRegister);
}
Expected<WriteTicket> AgentMap::erase(std::string_view field) {
  return AgentMap(agent(), key(), inner(std::string(field))).write(WriteGroup().erase(key()));
}
Expected<std::vector<StateItem>> AgentMap::fields() const {
  auto item = find(ItemType::kMap);
  if (!item) return std::unexpected(std::move(item.error()));
  return *item ? std::move((*item)->fields) : std::vector<StateItem>();
}

AgentCounter AgentMap::counter(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}
AgentSet AgentMap::set(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}
AgentFlag AgentMap::flag(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}
AgentList AgentMap::list(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}
AgentText AgentMap::text(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}
AgentMap AgentMap::map(std::string field) const {
  return {agent(), key(), inner(std::move(field))};
}

}  // namespace waggle
