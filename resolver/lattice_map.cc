#include "resolver/lattice_map.h"

#include "base/shape.h"

namespace waggle::lattice {
namespace {

// Calls `act` with the store inside, a map's too.
template <typename Stores, typename Act>
decltype(auto) visit_store(Stores& stores, Act&& act) {
  return std::visit(
      [&](auto& store) -> decltype(auto) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(store)>, InnerMap>) {
          return act(*store);
        } else {
          return act(store);
        }
      },
      stores);
}

}  // namespace

InnerMap::InnerMap() : map_(std::make_unique<MapStore>()) {}
InnerMap::InnerMap(MapStore map) : map_(std::make_unique<MapStore>(std::move(map))) {}
InnerMap::InnerMap(const InnerMap& other) : map_(std::make_unique<MapStore>(*other.map_)) {}
InnerMap::InnerMap(InnerMap&& other) noexcept = default;
InnerMap& InnerMap::operator=(const InnerMap& other) {
  if (this != &other) map_ = std::make_unique<MapStore>(*other.map_);
  return *this;
}
InnerMap& InnerMap::operator=(InnerMap&& other) noexcept = default;
InnerMap::~InnerMap() = default;

bool operator==(const InnerMap& a, const InnerMap& b) {
  return *a == *b;
}

void Field::join(const Field& other, const Sides& sides, Join how) {
  visit_store(store_, [&](auto& mine) {
    using Store = std::remove_cvref_t<decltype(mine)>;
    // Both are what the same id determines.
    const auto* theirs = other.get<Store>();
    WAGGLE_CHECK(theirs != nullptr);
    mine.join(*theirs, sides, how);
  });
}

void Field::keep_unseen(const CausalContext& seen) {
  visit_store(store_, [&](auto& store) { store.keep_unseen(seen); });
}

void Field::forget_dots() {
  visit_store(store_, [](auto& store) { store.forget_dots(); });
}

void Field::rename(const Renaming& renaming) {
  visit_store(store_, [&](auto& store) { store.rename(renaming); });
}

void Field::collect(std::vector<Dot>& into) const {
  visit_store(store_, [&](const auto& store) { store.collect(into); });
}

bool Field::empty() const {
  return visit_store(store_, [](const auto& store) { return store.empty(); });
}

void Field::write(ByteWriter& out, const Actors& actors) const {
  visit_store(store_, [&](const auto& store) { store.write(out, actors); });
}

void Field::read(ByteReader& in, const Reading& reading) {
  Reading inner = reading;
  if (std::holds_alternative<InnerMap>(store_)) ++inner.depth;
  if (inner.depth >= limits::kMapDepth) return in.fail("expected fewer maps within each other");
  visit_store(store_, [&](auto& store) { store.read(in, inner); });
}

template <>
Field bottom_of<Field, FieldId>(const FieldId& id) {
  switch (id.type) {
    case Type::kEnableWinsFlag:
      return Field(EnableWinsStore());
    case Type::kDisableWinsFlag:
      return Field(DisableWinsStore());
    case Type::kAddWinsSet:
      return Field(AddWinsStore());
    case Type::kRemoveWinsSet:
      return Field(RemoveWinsStore());
    case Type::kResettableCounter:
      return Field(ResettableStore());
    case Type::kMap:
      return Field(InnerMap());
    default:
      return Field(MultiRegisterStore());
  }
}

void write_key(ByteWriter& out, const FieldId& id) {
  out.string(id.name);
  out.u8(static_cast<std::uint8_t>(id.type));
}

bool read_key(ByteReader& in, FieldId& id) {
  if (!read_key(in, id.name)) return false;
  const std::uint8_t type = in.u8();
  id.type = static_cast<Type>(type);
  switch (id.type) {
    case Type::kMultiRegister:
    case Type::kEnableWinsFlag:
    case Type::kDisableWinsFlag:
    case Type::kAddWinsSet:
    case Type::kRemoveWinsSet:
    case Type::kResettableCounter:
    case Type::kMap:
      break;
    default:
      in.fail(fmt::format("expected a type that a field may have, got {} ({})", to_text(id.type),
                          type));
  }
  return !in.failed();
}

Status check_field_name(std::string_view name) {
  return check_element(name);
}

Result<MapStore> MapStore::remove(Mutation& m, const FieldId& id) const {
  MapStore delta;
  const auto held = entries_.find(id);
  if (held == entries_.end()) return delta;
  m.drop_all_of(held->second);
  // All that it held is named, so that the delta is joined where its dots were.
  Field names = held->second;
  names.forget_dots();
  delta.entries_.emplace(id, std::move(names));
  return delta;
}

Result<MapStore> MapStore::clear(Mutation& m) const {
  m.drop_all_of(*this);
  MapStore delta = *this;
  delta.forget_dots();
  return delta;
}

}  // namespace waggle::lattice
