#include "capnp/set_codec.h"

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/shape.h"

namespace waggle {
namespace {

constexpr char kFormat = 1;
constexpr std::size_t kIncarnationBytes = 8;

// A row of the writer table; ordered as (agent, incarnation).
using TableRow = std::pair<std::string_view, std::uint64_t>;

TableRow row_of(const Writer& writer) {
  return {writer.agent.value(), writer.incarnation.value()};
}

void put_varint(std::string& bytes, std::uint64_t value) {
  while (value >= 0x80) {
    bytes.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  bytes.push_back(static_cast<char>(value));
}

void put_string(std::string& bytes, std::string_view value) {
  put_varint(bytes, value.size());
  bytes.append(value);
}

// Takes bytes off the front. After the first thing that isn't as expected it is failed() and gives
// zeros and empty strings.
class SetReader {
 public:
  explicit SetReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool failed() const { return !text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void fail(std::string text) {
    if (text_.empty()) text_ = "set: " + std::move(text);
    rest_ = {};
  }

  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      fail(fmt::format("expected {} more bytes, got {}", size, rest_.size()));
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::uint64_t varint(std::uint64_t max) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return fail("expected a number, got the end"), 0;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return fail("expected a number of 64 bits"), 0;
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if ((byte & 0x80) != 0) continue;
      if (byte == 0 && shift > 0) return fail("expected a number no longer than needed"), 0;
      if (value > max)
        return fail(fmt::format("expected a number up to {}, got {}", max, value)), 0;
      return value;
    }
    return fail("expected a number of 64 bits"), 0;
  }

  // A count of things of at least `least` bytes each, so it can't exceed what is there.
  std::size_t count(std::size_t least) { return varint(rest_.size() / least); }

  std::string_view string(std::size_t max) { return take(varint(max)); }

  std::uint64_t incarnation() {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char c : take(kIncarnationBytes)) {
      value |= std::uint64_t{static_cast<std::uint8_t>(c)} << shift;
      shift += 8;
    }
    return value;
  }

 private:
  std::string_view rest_;
  std::string text_;
};

std::vector<TableRow> read_table(SetReader& in) {
  std::vector<TableRow> table;
  const std::size_t count = in.count(1 + kIncarnationBytes);
  table.reserve(count);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    const std::string_view agent = in.string(limits::kIdBytes);
    const std::uint64_t incarnation = in.incarnation();
    const TableRow row(agent, incarnation);
    if (!table.empty() && table.back() >= row) in.fail("expected writers sorted and unique");
    if (!agent.empty()) {
      if (const Status id = check_agent_id(agent); !id) in.fail(id.error().text);
    }
    table.push_back(row);
  }
  return table;
}

Dot read_dot(SetReader& in, const std::vector<TableRow>& table, std::vector<bool>& used) {
  if (table.empty()) return in.fail("expected a writer for each dot"), Dot{};
  Dot dot;
  dot.revision = Revision(in.varint(limits::kNumberMax));
  dot.index = static_cast<std::uint32_t>(in.varint(UINT32_MAX));
  const std::size_t writer = in.varint(table.size() - 1);
  dot.writer.seq = Seq(in.varint(limits::kNumberMax));
  if (in.failed()) return dot;
  used[writer] = true;
  dot.writer.agent = AgentId(table[writer].first);
  dot.writer.incarnation = Incarnation(table[writer].second);
  return dot;
}

}  // namespace

std::string encode_set(const OrSet& set) {
  std::map<TableRow, std::size_t> places;
  std::size_t dots_count = 0;
  std::size_t elements_size = 0;
  for (const auto& [element, dots] : set.elements) {
    elements_size += element.size() + 4;
    dots_count += dots.size();
    for (const Dot& dot : dots) places.try_emplace(row_of(dot.writer), 0);
  }

  std::string bytes;
  bytes.reserve(16 + 80 * places.size() + elements_size + 16 * dots_count);
  bytes.push_back(kFormat);
  put_varint(bytes, places.size());
  std::size_t next_place = 0;
  for (auto& [row, place] : places) {
    place = next_place++;
    put_string(bytes, row.first);
    for (unsigned shift = 0; shift < 64; shift += 8)
      bytes.push_back(static_cast<char>(row.second >> shift));
  }
  put_varint(bytes, set.elements.size());
  for (const auto& [element, dots] : set.elements) {
    put_string(bytes, element);
    put_varint(bytes, dots.size());
    for (const Dot& dot : dots) {
      put_varint(bytes, dot.revision.value());
      put_varint(bytes, dot.index);
      put_varint(bytes, places.find(row_of(dot.writer))->second);
      put_varint(bytes, dot.writer.seq.value());
    }
  }
  return bytes;
}

Result<OrSet> decode_set(std::string_view bytes) {
  constexpr std::size_t kElementLeast = 1 + 1 + 1 + 4;  // length, a byte, dot count, a dot
  constexpr std::size_t kDotLeast = 4;
  SetReader in(bytes);
  const std::string_view format = in.take(1);
  if (!in.failed() && format[0] != kFormat)
    return failed(Code::kRejected,
                  fmt::format("set: expected format {}, got {}", static_cast<int>(kFormat),
                              static_cast<std::uint8_t>(format[0])));
  const std::vector<TableRow> table = read_table(in);
  std::vector<bool> used(table.size());

  OrSet set;
  const std::size_t count = in.count(kElementLeast);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    std::string element(in.string(limits::kElementBytes));
    if (element.empty()) in.fail("expected an element of 1 or more bytes");
    if (!set.elements.empty() && set.elements.rbegin()->first >= element)
      in.fail("expected elements sorted and unique");
    const std::size_t dots_count = in.count(kDotLeast);
    if (dots_count == 0) in.fail("expected a dot for each element");
    std::vector<Dot> dots;
    dots.reserve(dots_count);
    for (std::size_t d = 0; d < dots_count && !in.failed(); ++d) {
      Dot dot = read_dot(in, table, used);
      if (!dots.empty() && dots.back() >= dot) in.fail("expected dots sorted and unique");
      dots.push_back(std::move(dot));
    }
    set.elements.emplace_hint(set.elements.end(), std::move(element), std::move(dots));
  }
  if (!in.failed() && !in.at_end()) in.fail("expected the end, got more bytes");
  for (const bool writer_used : used) {
    if (!writer_used) in.fail("expected each writer in use");
  }
  if (in.failed()) return failed(Code::kRejected, in.text());
  if (const std::size_t size = size_of(Value(set)); size > limits::kFrameBytes)
    return failed(Code::kRejected,
                  fmt::format("set: expected at most {} bytes, got {}", limits::kFrameBytes, size));
  return set;
}

}  // namespace waggle
