#pragma once

// A map of named fields, each a causal type of its own, maps included; all share the context of the
// object. Update-wins: a concurrent update keeps a field that somebody removes. Reset-remove: of
// such a field only what the remover had not seen is left.
//
//   concurrent use   by field; removal of a field takes away what its author had seen of it
//   metadata         that of the fields; nothing for removed ones
//   a delta          the fields on the changed path, their new dots and the dots that they replace
//
// A field is its name *and* its type, so two authors who give one name to different types make two
// fields, and never a state that can't be merged. A field is there iff something in it is: one that
// was emptied from inside is gone, and one that is removed and made anew begins empty, whatever a
// stale replica still holds (what was seen stays seen; nothing is resurrected).
//
// Fields may be flags, add-wins and remove-wins sets, multi-registers (which are the last-writer
// registers of a map, see latest()), resettable counters and maps. Types without dots can't be
// reset and are no fields. Bound: limits::kMapDepth maps within each other.
//
// Sources: Almeida, Shoker and Baquero, "Delta state replicated data types", 2018 (ORMap); Brown et
// al., "Riak DT map", 2014 (field identity, reset-remove).
//
//   map.mutate(actor, [](const MapStore& map, Mutation& m) {
//     return map.update<AddWinsStore>(m, "tags", &AddWinsStore::add, "bee");
//   });

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "resolver/lattice_flags.h"
#include "resolver/lattice_multi_register.h"
#include "resolver/lattice_resettable.h"
#include "resolver/lattice_sets.h"

namespace waggle::lattice {

class MapStore;

struct FieldId {
  std::string name;  // 1..limits::kElementBytes bytes
  Type type = Type::kMultiRegister;
  friend auto operator<=>(const FieldId&, const FieldId&) = default;
};

// A map inside a field: a value, though it is kept elsewhere. Never null but when moved from.
class InnerMap {
 public:
  InnerMap();
  explicit InnerMap(MapStore map);
  InnerMap(const InnerMap& other);
  InnerMap(InnerMap&& other) noexcept;
  InnerMap& operator=(const InnerMap& other);
  InnerMap& operator=(InnerMap&& other) noexcept;
  ~InnerMap();
  [[nodiscard]] const MapStore& operator*() const { return *map_; }
  [[nodiscard]] MapStore& operator*() { return *map_; }
  friend bool operator==(const InnerMap& a, const InnerMap& b);

 private:
  std::unique_ptr<MapStore> map_;
};

// The store of one field. Its type never changes: the field's id determines it.
class Field {
 public:
  using Stores = std::variant<MultiRegisterStore, EnableWinsStore, DisableWinsStore, AddWinsStore,
                              RemoveWinsStore, ResettableStore, InnerMap>;
  Field() = default;
  explicit Field(Stores store) : store_(std::move(store)) {}
  // Null: of another type.
  template <typename Store>
  [[nodiscard]] const Store* get() const;

  void join(const Field& other, const Sides& sides, Join how);
  void keep_unseen(const CausalContext& seen);
  void forget_dots();
  void rename(const Renaming& renaming);
  void collect(std::vector<Dot>& into) const;
  [[nodiscard]] bool empty() const;
  void write(ByteWriter& out, const Actors& actors) const;
  void read(ByteReader& in, const Reading& reading);
  friend bool operator==(const Field&, const Field&) = default;

 private:
  Stores store_;
};
template <>
[[nodiscard]] Field bottom_of<Field, FieldId>(const FieldId& id);
void write_key(ByteWriter& out, const FieldId& id);
[[nodiscard]] bool read_key(ByteReader& in, FieldId& id);

class MapStore : public DotMap<FieldId, Field> {
 public:
  static constexpr Type kType = Type::kMap;
  // Null: no such field.
  template <typename Store>
  [[nodiscard]] const Store* find(std::string_view name) const;

  // Changes one field by a mutator of its store: write(store, mutation, args...).
  // Errors: the mutator's; kRejected for the name and for maps nested too deep.
  template <typename Store, typename Write, typename... Args>
  [[nodiscard]] Result<MapStore> update(Mutation& m, std::string_view name, Write&& write,
                                        Args&&... args) const;
  // A field that isn't there: nothing happens.
  [[nodiscard]] Result<MapStore> remove(Mutation& m, const FieldId& id) const;
  [[nodiscard]] Result<MapStore> clear(Mutation& m) const;
};
using OrMap = Causal<MapStore>;

[[nodiscard]] Status check_field_name(std::string_view name);

template <typename Store>
const Store* Field::get() const {
  if constexpr (std::is_same_v<Store, MapStore>) {
    const auto* inner = std::get_if<InnerMap>(&store_);
    return inner == nullptr ? nullptr : &**inner;
  } else {
    return std::get_if<Store>(&store_);
  }
}

template <typename Store>
const Store* MapStore::find(std::string_view name) const {
  const auto found = entries_.find(FieldId{std::string(name), Store::kType});
  return found == entries_.end() ? nullptr : found->second.template get<Store>();
}

template <typename Store, typename Write, typename... Args>
Result<MapStore> MapStore::update(Mutation& m, std::string_view name, Write&& write,
                                  Args&&... args) const {
  if (Status allowed = check_field_name(name); !allowed) return std::unexpected(allowed.error());
  const Store nothing;
  const Store* held = find<Store>(name);
  constexpr bool kInner = std::is_same_v<Store, MapStore>;
  if constexpr (kInner) m.enter();
  Result<Store> written = std::invoke(std::forward<Write>(write), held ? *held : nothing, m,
                                      std::forward<Args>(args)...);
  if constexpr (kInner) m.leave();
  if (!written) return std::unexpected(std::move(written.error()));
  MapStore delta;
  FieldId id{std::string(name), Store::kType};
  if constexpr (kInner) {
    delta.entries_.emplace(std::move(id), Field(InnerMap(*std::move(written))));
  } else {
    delta.entries_.emplace(std::move(id), Field(*std::move(written)));
  }
  return delta;
}

}  // namespace waggle::lattice
