#include "base/value_parts.h"

#include <memory>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/scalar_bytes.h"
#include "base/shape.h"

namespace waggle {
namespace {

template <typename... Fs>
struct Overload : Fs... {
  using Fs::operator()...;
};

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kIncarnationBytes = 8;
constexpr std::size_t kDotLeast = 4;
constexpr std::size_t kHlcBytes = 8;

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

ValueWriter::TableRow ValueWriter::row_of(const Writer& writer) {
  return {writer.agent.value(), writer.incarnation.value()};
}

void ValueWriter::collect(const Dot& dot) {
  places_.try_emplace(row_of(dot.writer), 0);
}

void ValueWriter::collect(const Dots& dots) {
  for (const Dot& one : dots) collect(one);
}

void ValueWriter::collect(const Field& field) {
  collect(field.updates);
  collect(field.value->value);
}

void ValueWriter::collect(const Value& value) {
  std::visit(Overload{[this](const OrSet& set) {
                        for (const auto& [element, dots] : set.elements) collect(dots);
                      },
                      [this](const RemoveWinsSet& set) {
                        for (const auto& [element, both] : set.elements) {
                          collect(both.adds);
                          collect(both.removals);
                        }
                      },
                      [this](const EnableFlag& flag) { collect(flag.enabled); },
                      [this](const DisableFlag& flag) { collect(flag.disabled); },
                      [this](const ResettableCounter& counter) {
                        for (const Share& share : counter.shares) collect(share.dot);
                      },
                      [this](const MultiRegister& multi) {
                        for (const Sibling& sibling : multi.siblings) collect(sibling.dot);
                      },
                      [this](const Map& map) {
                        for (const auto& [id, field] : map.fields) collect(field);
                      },
                      [](const auto&) {}},
             value);
}

void ValueWriter::begin() {
  out_.u8(kFormat);
  out_.number(places_.size());
  std::size_t next_place = 0;
  for (auto& [row, place] : places_) {
    place = next_place++;
    out_.string(row.first);
    out_.fixed64(row.second);
  }
}

void ValueWriter::dot(const Dot& dot) {
  out_.number(dot.revision.value());
  out_.number(dot.index);
  out_.number(places_.find(row_of(dot.writer))->second);
  out_.number(dot.writer.seq.value());
}

void ValueWriter::dots(const Dots& dots) {
  out_.number(dots.size());
  for (const Dot& one : dots) dot(one);
}

void ValueWriter::field(const FieldId& id, const Field& field) {
  out_.string(id.name);
  out_.u8(static_cast<std::uint8_t>(id.type));
  out_.fixed64(field.hlc.bits);
  dots(field.updates);
  body(field.value->value);
}

void ValueWriter::body(const Value& value) {
  std::visit(Overload{[this](const Register& reg) { write_register(out_, reg); },
                      [this](const Counter& counter) { out_.signed_number(counter.total); },
                      [this](const OrSet& set) {
                        out_.number(set.elements.size());
                        for (const auto& [element, held] : set.elements) {
                          out_.string(element);
                          dots(held);
                        }
                      },
                      [this](const MaxValue& max) { write_scalar(out_, max.value); },
                      [this](const MinValue& min) { write_scalar(out_, min.value); },
                      [](const OnceFlag&) {},
                      [this](const GrowCounter& counter) { out_.number(counter.total); },
                      [this](const ResettableCounter& counter) {
                        out_.signed_number(counter.base);
                        out_.number(counter.folded_through.value());
                        out_.number(counter.shares.size());
                        for (const Share& share : counter.shares) {
                          dot(share.dot);
                          out_.signed_number(share.amount);
                        }
                      },
                      [this](const BoundedCounter& counter) {
                        out_.number(counter.free);
                        out_.number(counter.reserved.size());
                        for (const auto& [agent, amount] : counter.reserved) {
                          out_.string(agent.value());
                          out_.number(amount);
                        }
                      },
                      [this](const EnableFlag& flag) { dots(flag.enabled); },
                      [this](const DisableFlag& flag) { dots(flag.disabled); },
                      [this](const GrowSet& set) {
                        out_.number(set.elements.size());
                        for (const auto& [element, none] : set.elements) out_.string(element);
                      },
                      [this](const RemoveWinsSet& set) {
                        out_.number(set.swept.value());
                        out_.number(set.elements.size());
                        for (const auto& [element, both] : set.elements) {
                          out_.string(element);
                          dots(both.adds);
                          dots(both.removals);
                        }
                      },
                      [this](const MultiRegister& multi) {
                        out_.number(multi.siblings.size());
                        for (const Sibling& sibling : multi.siblings) {
                          dot(sibling.dot);
                          out_.fixed64(sibling.hlc.bits);
                          write_register(out_, sibling.value);
                        }
                      },
                      [this](const Map& map) {
                        out_.number(map.fields.size());
                        for (const auto& [id, one] : map.fields) field(id, one);
                      },
                      [this](const List& list) { out_.string(encode(list.sequence)); },
                      [this](const Text& text) { out_.string(encode(text.sequence)); }},
             value);
}

// ---- reading -----------------------------------------------------------------------------------

ValueReader::ValueReader(std::string_view what, std::string_view bytes) : in_(what, bytes) {
  if (const std::uint8_t format = in_.u8(); !in_.failed() && format != kFormat)
    in_.fail(fmt::format("expected format {}, got {}", kFormat, format));
  const std::size_t count = in_.count(1 + kIncarnationBytes);
  table_.reserve(count);
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
    const std::string_view agent = in_.string(limits::kIdBytes);
    Writer writer{AgentId(agent), Incarnation(in_.fixed64()), {}};
    if (!table_.empty() && table_.back() >= writer) in_.fail("expected writers sorted and unique");
    if (!agent.empty()) {
      if (const Status id = check_agent_id(agent); !id) in_.fail(id.error().text);
    }
    table_.push_back(std::move(writer));
  }
  used_.resize(table_.size());
}

Status ValueReader::finish() {
  if (!in_.failed() && !in_.at_end()) in_.fail("expected the end, got more bytes");
  for (const bool used : used_)
    if (!used) in_.fail("expected each writer in use");
  return in_.finish();
}

void ValueReader::spend(std::size_t bytes) {
  spent_ += bytes;
  if (spent_ > limits::kFrameBytes)
    in_.fail(fmt::format("expected at most {} bytes, got more", limits::kFrameBytes));
}

Dot ValueReader::dot() {
  if (table_.empty()) return in_.fail("expected a writer for each dot"), Dot{};
  Dot dot;
  dot.revision = Revision(in_.number(limits::kNumberMax));
  dot.index = static_cast<std::uint32_t>(in_.number(UINT32_MAX));
  const std::size_t place = in_.number(table_.size() - 1);
  const Seq seq(in_.number(limits::kNumberMax));
  if (in_.failed()) return dot;
  used_[place] = true;
  dot.writer = table_[place];
  dot.writer.seq = seq;
  return dot;
}

Dots ValueReader::dots(std::size_t least) {
  const std::size_t count = in_.count(kDotLeast);
  if (count < least) in_.fail("expected a dot for each element");
  Dots dots;
  dots.reserve(in_.failed() ? 0 : count);
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
    Dot one = dot();
    if (!dots.empty() && dots.back() >= one) in_.fail("expected dots sorted and unique");
    dots.push_back(std::move(one));
  }
  return dots;
}

std::string ValueReader::element(std::size_t least) {
  std::string element(in_.string(limits::kElementBytes));
  if (element.size() < least) in_.fail("expected an element of 1 or more bytes");
  return element;
}

FieldId ValueReader::field_id() {
  FieldId id;
  id.name = element(1);
  if (!is_utf8(id.name)) in_.fail("expected a field's name in UTF-8");
  const std::uint8_t number = in_.u8();
  if (const auto type = value_type_of(number)) {
    id.type = *type;
  } else {
    in_.fail(fmt::format("expected a field of type 1..{}, got {}, which is of a newer Waggle",
                         kValueTypes.size(), number));
  }
  return id;
}

Field ValueReader::field(ValueType type, std::size_t depth) {
  Field field;
  field.hlc = {in_.fixed64()};
  field.updates = dots(1);
  field.value = std::make_shared<const Nested>(Nested{body(type, depth)});
  return field;
}

namespace {

// Reads `count` entries of rising names into what PersistentMap::from_sorted() takes.
// read_one(pair&) reads name and value.
template <typename PersistentMap, typename ReadOne>
PersistentMap read_entries(ByteReader& in, std::size_t least, std::string_view what,
                           const ReadOne& read_one) {
  std::vector<std::pair<typename PersistentMap::Key, typename PersistentMap::Mapped>> entries;
  const std::size_t count = in.count(least);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    auto& entry = entries.emplace_back();
    read_one(entry);
    if (i > 0 && entries[i - 1].first >= entry.first)
      in.fail(fmt::format("expected {} sorted and unique", what));
  }
  if (in.failed()) return {};
  return PersistentMap::from_sorted(std::move(entries));
}

}  // namespace

Value ValueReader::body(ValueType type, std::size_t depth) {
  constexpr std::size_t kElementLeast = 1 + 1 + 1 + kDotLeast;  // length, a byte, count, a dot
  constexpr std::size_t kFieldLeast = 1 + 1 + 1 + kHlcBytes + 1 + kDotLeast;
  switch (type) {
    case ValueType::kRegister: {
      Register value = read_register(in_);
      spend(value.bytes.size());
      return value;
    }
    case ValueType::kCounter:
      return Counter{in_.signed_number()};
    case ValueType::kOrSet: {
      OrSet set;
      set.elements =
          read_entries<decltype(set.elements)>(in_, kElementLeast, "elements", [this](auto& entry) {
            entry.first = element(1);
            entry.second = dots(1);
          });
      spend(set.elements.weight().bytes);
      return set;
    }
    case ValueType::kMax:
      return MaxValue{read_scalar(in_)};
    case ValueType::kMin:
      return MinValue{read_scalar(in_)};
    case ValueType::kOnceFlag:
      return OnceFlag{};
    case ValueType::kGrowCounter:
      return GrowCounter{in_.number()};
    case ValueType::kResettableCounter:
      return resettable();
    case ValueType::kBoundedCounter:
      return bounded();
    case ValueType::kEnableFlag:
      return EnableFlag{dots(0)};
    case ValueType::kDisableFlag:
      return DisableFlag{dots(0)};
    case ValueType::kGrowSet: {
      GrowSet set;
      set.elements = read_entries<decltype(set.elements)>(
          in_, 2, "elements", [this](auto& entry) { entry.first = element(1); });
      spend(set.elements.weight().bytes);
      return set;
    }
    case ValueType::kRemoveWinsSet: {
      RemoveWinsSet set;
      set.swept = Revision(in_.number(limits::kNumberMax));
      set.elements = read_entries<decltype(set.elements)>(
          in_, 2 + 2 + kDotLeast, "elements", [&](auto& entry) {
            entry.first = element(1);
            entry.second = {dots(0), dots(0)};
            if (entry.second.adds.empty() && entry.second.removals.empty())
              in_.fail("expected a dot for each element");
            set.removed += entry.second.present() ? 0 : 1;
          });
      spend(set.elements.weight().bytes);
      return set;
    }
    case ValueType::kMultiRegister:
      return multi();
    case ValueType::kMap: {
      if (depth >= limits::kMapDepth)
        return in_.fail(
                   fmt::format("expected at most {} maps within each other", limits::kMapDepth)),
               Map{};
      Map map;
      map.fields = read_entries<decltype(map.fields)>(in_, kFieldLeast, "fields", [&](auto& entry) {
        entry.first = field_id();
        entry.second = field(entry.first.type, depth + 1);
      });
      return map;
    }
    case ValueType::kList:
      return List{sequence(SequenceUnit::kElement)};
    case ValueType::kText:
      return Text{sequence(SequenceUnit::kScalar)};
  }
  return in_.fail("expected a known type"), Value();
}

ResettableCounter ValueReader::resettable() {
  ResettableCounter counter;
  counter.base = in_.signed_number();
  counter.folded_through = Revision(in_.number(limits::kNumberMax));
  const std::size_t count = in_.count(kDotLeast + 1);
  if (count > limits::kCounterShares)
    in_.fail(fmt::format("expected at most {} shares, got {}", limits::kCounterShares, count));
  std::int64_t total = counter.base;
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
    Share share{dot(), in_.signed_number()};
    if (share.dot.revision <= counter.folded_through ||
        (i > 0 && counter.shares.back().dot >= share.dot))
      in_.fail("expected shares sorted and above what is folded");
    if (__builtin_add_overflow(total, share.amount, &total))
      in_.fail("expected a total of 64 bits");
    counter.shares.push_back(std::move(share));
  }
  return counter;
}

BoundedCounter ValueReader::bounded() {
  BoundedCounter counter;
  counter.free = in_.number(limits::kNumberMax);
  std::uint64_t total = counter.free;
  const std::size_t count = in_.count(3);
  if (count > limits::kReserves)
    in_.fail(fmt::format("expected at most {} reserves, got {}", limits::kReserves, count));
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
    const std::string_view agent = in_.string(limits::kIdBytes);
    if (const Status id = check_agent_id(agent); !id) in_.fail(id.error().text);
    if (!counter.reserved.empty() && counter.reserved.rbegin()->first.value() >= agent)
      in_.fail("expected reserves sorted and unique");
    const std::uint64_t amount = in_.number(limits::kNumberMax);
    if (amount == 0 || amount > limits::kNumberMax - total)
      in_.fail("expected reserves above 0 and together at most 2^62");
    total += amount;
    counter.reserved.emplace_hint(counter.reserved.end(), AgentId(agent), amount);
  }
  return counter;
}

MultiRegister ValueReader::multi() {
  MultiRegister multi;
  const std::size_t count = in_.count(kDotLeast + kHlcBytes + 2);
  if (count == 0 || count > limits::kSiblings)
    in_.fail(fmt::format("expected 1..{} siblings, got {}", limits::kSiblings, count));
  for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
    Dot place = dot();
    const Hlc hlc{in_.fixed64()};
    if (i > 0 && multi.siblings.back().dot >= place)
      in_.fail("expected siblings sorted and unique");
    multi.siblings.push_back({std::move(place), hlc, read_register(in_)});
    spend(multi.siblings.back().value.bytes.size());
  }
  return multi;
}

Sequence ValueReader::sequence(SequenceUnit unit) {
  const std::string_view bytes = in_.string(limits::kFrameBytes);
  if (in_.failed()) return Sequence(unit);
  Result<Sequence> sequence = decode_sequence(bytes, limits::kFrameBytes - spent_);
  if (!sequence) return in_.fail(sequence.error().text), Sequence(unit);
  if (sequence->unit() != unit) return in_.fail("expected units of another kind"), Sequence(unit);
  spend(sequence->bytes());
  return *std::move(sequence);
}

}  // namespace waggle
