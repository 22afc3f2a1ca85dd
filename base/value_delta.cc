#include "base/value_delta.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/packing.h"
#include "base/value_parts.h"

namespace waggle {
namespace {

enum class How : std::uint8_t { kRemoved = 0, kWhole = 1, kChange = 2 };

// The keys that differ, with the later value; null: removed.
template <typename Map>
std::vector<std::pair<const typename Map::Key*, const typename Map::Mapped*>> changed(
    const Map& from, const Map& to) {
  std::vector<std::pair<const typename Map::Key*, const typename Map::Mapped*>> entries;
  Map::diff(from, to, [&](const auto& key, const auto*, const auto* later) {
    entries.emplace_back(&key, later);
  });
  return entries;
}

bool has_delta(ValueType type) {
  switch (type) {
    case ValueType::kOrSet:
    case ValueType::kGrowSet:
    case ValueType::kRemoveWinsSet:
    case ValueType::kMap:
    case ValueType::kList:
    case ValueType::kText:
      return true;
    default:
      return false;
  }
}

// Two passes over what changed, as ValueWriter has them.
class DeltaWriter {
 public:
  std::string delta(const Value& from, const Value& to) {
    collect(from, to);
    writer_.begin();
    write(from, to);
    return writer_.take();
  }

 private:
  void collect(const Value& from, const Value& to) {
    if (const auto* set = std::get_if<OrSet>(&to)) {
      for (const auto& [element, dots] : changed(std::get<OrSet>(from).elements, set->elements))
        if (dots != nullptr) writer_.collect(*dots);
    } else if (const auto* removing = std::get_if<RemoveWinsSet>(&to)) {
      for (const auto& [element, dots] :
           changed(std::get<RemoveWinsSet>(from).elements, removing->elements)) {
        if (dots == nullptr) continue;
        writer_.collect(dots->adds);
        writer_.collect(dots->removals);
      }
    } else if (const auto* map = std::get_if<Map>(&to)) {
      Map::Fields::diff(std::get<Map>(from).fields, map->fields,
                        [this](const FieldId&, const Field* earlier, const Field* later) {
                          if (later == nullptr) return;
                          if (how(earlier, *later) == How::kWhole) return writer_.collect(*later);
                          writer_.collect(later->updates);
                          collect(earlier->value->value, later->value->value);
                        });
    }
  }

  static How how(const Field* earlier, const Field& later) {
    return earlier != nullptr && has_delta(type_of(later.value->value)) ? How::kChange
                                                                        : How::kWhole;
  }

  void write(const Value& from, const Value& to) {
    ByteWriter& out = writer_.out();
    if (const auto* set = std::get_if<OrSet>(&to)) {
      const auto entries = changed(std::get<OrSet>(from).elements, set->elements);
      out.number(entries.size());
      for (const auto& [element, dots] : entries) {
        out.string(*element);
        writer_.dots(dots != nullptr ? *dots : Dots{});
      }
    } else if (const auto* growing = std::get_if<GrowSet>(&to)) {
      const auto entries = changed(std::get<GrowSet>(from).elements, growing->elements);
      out.number(entries.size());
      for (const auto& [element, there] : entries) {
        out.string(*element);
        out.u8(there != nullptr ? 1 : 0);
      }
    } else if (const auto* removing = std::get_if<RemoveWinsSet>(&to)) {
      const auto entries = changed(std::get<RemoveWinsSet>(from).elements, removing->elements);
      out.number(removing->swept.value());
      out.number(entries.size());
      for (const auto& [element, dots] : entries) {
        out.string(*element);
        writer_.dots(dots != nullptr ? dots->adds : Dots{});
        writer_.dots(dots != nullptr ? dots->removals : Dots{});
      }
    } else if (const auto* list = std::get_if<List>(&to)) {
      out.string(diff(std::get<List>(from).sequence, list->sequence));
    } else if (const auto* text = std::get_if<Text>(&to)) {
      out.string(diff(std::get<Text>(from).sequence, text->sequence));
    } else {
      write_fields(std::get<Map>(from), std::get<Map>(to));
    }
  }

  void write_fields(const Map& from, const Map& to) {
    ByteWriter& out = writer_.out();
    std::size_t count = 0;
    Map::Fields::diff(from.fields, to.fields,
                      [&](const FieldId&, const Field*, const Field*) { ++count; });
    out.number(count);
    Map::Fields::diff(from.fields, to.fields,
                      [&](const FieldId& id, const Field* earlier, const Field* later) {
                        out.string(id.name);
                        out.u8(static_cast<std::uint8_t>(id.type));
                        const How chosen = later == nullptr ? How::kRemoved : how(earlier, *later);
                        out.u8(static_cast<std::uint8_t>(chosen));
                        if (chosen == How::kRemoved) return;
                        out.fixed64(later->hlc.bits);
                        writer_.dots(later->updates);
                        if (chosen == How::kWhole) return writer_.body(later->value->value);
                        write(earlier->value->value, later->value->value);
                      });
  }

  ValueWriter writer_;
};

// Reads a change onto a copy of the earlier value.
class DeltaReader {
 public:
  DeltaReader(std::string_view what, std::string_view delta) : reader_(what, delta) {}

  Result<Value> read(const Value& from) {
    Value to = change(from, 0);
    if (Status finished = reader_.finish(); !finished)
      return std::unexpected(std::move(finished.error()));
    if (const std::size_t size = size_of(to); size > limits::kFrameBytes)
      return failed(Code::kRejected, fmt::format("{}: expected at most {} bytes, got {}",
                                                 to_text(type_of(to)), limits::kFrameBytes, size));
    return to;
  }

 private:
  // Names rise, so that a delta has one spelling and none twice.
  template <typename ReadOne>
  void each(std::size_t least, const ReadOne& read_one) {
    const std::size_t count = in().count(least);
    std::string last;
    for (std::size_t i = 0; i < count && !in().failed(); ++i) {
      std::string element = reader_.element(1);
      if (i > 0 && last >= element) in().fail("expected elements sorted and unique");
      if (in().failed()) return;
      last = element;
      read_one(std::move(element));
    }
  }

  Value change(const Value& from, std::size_t depth) {
    switch (type_of(from)) {
      case ValueType::kOrSet: {
        OrSet set = std::get<OrSet>(from);
        each(3, [&](std::string element) {
          Dots dots = reader_.dots(0);
          if (!dots.empty()) {
            set.elements.set(std::move(element), std::move(dots));
          } else if (!set.elements.erase(element)) {
            in().fail("expected to remove an element that is there");
          }
        });
        return set;
      }
      case ValueType::kGrowSet: {
        GrowSet set = std::get<GrowSet>(from);
        each(3, [&](std::string element) {
          const std::uint8_t there = in().u8();
          if (there > 1) in().fail(fmt::format("expected 0 or 1, got {}", there));
          if (there == 1) {
            set.elements.set(std::move(element), NoDots{});
          } else if (!set.elements.erase(element)) {
            in().fail("expected to remove an element that is there");
          }
        });
        return set;
      }
      case ValueType::kRemoveWinsSet:
        return change_both(std::get<RemoveWinsSet>(from));
      case ValueType::kMap:
        return change_fields(std::get<Map>(from), depth);
      case ValueType::kList:
        return List{change_sequence(std::get<List>(from).sequence)};
      case ValueType::kText:
        return Text{change_sequence(std::get<Text>(from).sequence)};
      default:
        return in().fail("expected a type that has deltas"), from;
    }
  }

  RemoveWinsSet change_both(RemoveWinsSet set) {
    set.swept = Revision(in().number(limits::kNumberMax));
    each(4, [&](std::string element) {
      AddsAndRemovals dots{reader_.dots(0), reader_.dots(0)};
      const AddsAndRemovals* held = set.elements.find(element);
      if (held != nullptr && !held->present()) --set.removed;
      if (!dots.adds.empty() || !dots.removals.empty()) {
        set.removed += dots.present() ? 0 : 1;
        set.elements.set(std::move(element), std::move(dots));
      } else if (!set.elements.erase(element)) {
        in().fail("expected to remove an element that is there");
      }
    });
    return set;
  }

  Map change_fields(Map map, std::size_t depth) {
    if (depth >= limits::kMapDepth)
      return in().fail(
                 fmt::format("expected at most {} maps within each other", limits::kMapDepth)),
             map;
    const std::size_t count = in().count(4);
    FieldId last;
    for (std::size_t i = 0; i < count && !in().failed(); ++i) {
      FieldId id = reader_.field_id();
      if (i > 0 && last >= id) in().fail("expected fields sorted and unique");
      const std::uint8_t how = in().u8();
      if (in().failed()) break;
      last = id;
      const Field* held = map.fields.find(id);
      switch (static_cast<How>(how)) {
        case How::kRemoved:
          if (!map.fields.erase(id)) in().fail("expected to remove a field that is there");
          break;
        case How::kWhole: {
          Field field = reader_.field(id.type, depth + 1);
          map.fields.set(std::move(id), std::move(field));
          break;
        }
        case How::kChange: {
          if (held == nullptr) {
            in().fail("expected to change a field that is there");
            break;
          }
          Field field;
          field.hlc = {in().fixed64()};
          field.updates = reader_.dots(1);
          field.value =
              std::make_shared<const Nested>(Nested{change(held->value->value, depth + 1)});
          map.fields.set(std::move(id), std::move(field));
          break;
        }
        default:
          in().fail(fmt::format("expected 0..2, got {}", how));
      }
    }
    return map;
  }

  Sequence change_sequence(const Sequence& from) {
    const std::string_view bytes = in().string(limits::kFrameBytes);
    if (in().failed()) return from;
    Result<Sequence> to = apply_diff(from, bytes, limits::kFrameBytes);
    if (!to) return in().fail(to.error().text), from;
    return *std::move(to);
  }

  ByteReader& in() { return reader_.in(); }

  ValueReader reader_;
};

// A register is its content type and its bytes, packed against those before them or alone.
std::optional<std::string> pack_register(const Register& value, std::string_view before,
                                         Packing packing) {
  const std::optional<std::string> packed = pack(value.bytes, before, packing);
  if (!packed) return std::nullopt;
  return static_cast<char>(value.content) + *packed;
}

Result<Value> unpack_register(std::string_view packed, std::string_view before) {
  if (packed.empty() || packed[0] < 1 || packed[0] > 3)
    return failed(Code::kRejected, "register: expected a content type of 1..3 and packed bytes");
  Result<std::string> bytes = unpack(packed.substr(1), limits::kValueBytes, before);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  return Register{static_cast<ContentType>(packed[0]), *std::move(bytes)};
}

}  // namespace

std::optional<std::string> encode_delta(const Value& from, const Value& to, Packing packing) {
  if (from.index() != to.index()) return std::nullopt;
  if (const auto* reg = std::get_if<Register>(&to))
    return pack_register(*reg, std::get<Register>(from).bytes, packing);
  if (!has_delta(type_of(to))) return std::nullopt;
  std::string delta = DeltaWriter().delta(from, to);
  if (delta.size() >= size_of(to)) return std::nullopt;
  return delta;
}

Result<Value> apply_delta(const Value& from, std::string_view delta) {
  if (const auto* reg = std::get_if<Register>(&from)) return unpack_register(delta, reg->bytes);
  return DeltaReader(to_text(type_of(from)), delta).read(from);
}

std::optional<std::string> pack_value(const Value& value, Packing packing) {
  const auto* reg = std::get_if<Register>(&value);
  return reg != nullptr ? pack_register(*reg, {}, packing) : std::nullopt;
}

Result<Value> unpack_value(std::string_view packed) {
  return unpack_register(packed, {});
}

}  // namespace waggle
