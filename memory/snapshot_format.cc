#include "memory/snapshot_format.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/packing.h"

namespace waggle {
namespace {

// DO NOT CHANGE: the layout, docs/storage.md. The line breaks show a copy that was made as text.
constexpr std::string_view kMagic = "WGLSNAP\r\n\x1a\n";
constexpr std::size_t kPreludeBytes = kMagic.size() + 8 + 8;  // magic, format, check
constexpr std::size_t kHeaderBytes = 1 + 1 + 8 + 8;           // kind, packing, length, check
constexpr std::size_t kDigestBytes = sizeof(ChainHash);

enum Kind : std::uint8_t { kHead = 1, kRows = 2, kEnd = 3 };
enum Packed : std::uint8_t { kPlain = 0, kPacked = 1 };

// Texts of a head and names of families.
constexpr std::size_t kTextMax = 255;
static_assert(limits::kIdBytes <= kTextMax);

std::string_view bytes_of(const ChainHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  ByteReader reader("number", bytes.substr(at, 8));
  return reader.fixed64();
}

// What finds a damaged length before it is believed; the digest finds everything.
std::uint64_t check_of(std::string_view before, std::string_view bytes) {
  std::string all(before);
  all += bytes;
  return hash128(all).low;
}

std::string with_check(std::string_view before, std::string bytes) {
  ByteWriter check;
  check.fixed64(check_of(before, bytes));
  return bytes + check.take();
}

ChainHash next_digest(const ChainHash& before, std::string_view header, std::string_view stored) {
  std::string all;
  all.reserve(before.size() + header.size() + stored.size());
  all += bytes_of(before);
  all += header;
  all += stored;
  return chain_hash(all);
}

std::string head_bytes(const SnapshotHead& head) {
  ByteWriter out;
  out.string(head.program);
  out.signed_number(head.made_wall_millis);
  out.number(head.store_format);
  out.fixed64(head.epoch.value());
  out.number(head.swarms.size());
  for (const SnapshotSwarm& swarm : head.swarms) {
    out.string(swarm.swarm.value());
    out.number(swarm.head.value());
    out.number(swarm.floor.value());
    out.u8(swarm.digest ? 1 : 0);
    if (!swarm.digest) continue;
    out.fixed64(swarm.digest->high);
    out.fixed64(swarm.digest->low);
  }
  return out.take();
}

Result<SnapshotHead> read_head(std::string_view bytes) {
  ByteReader in("head", bytes);
  SnapshotHead head;
  head.program = in.string(kTextMax);
  head.made_wall_millis = in.signed_number();
  head.store_format = in.number();
  head.epoch = Epoch(in.fixed64());
  for (std::size_t left = in.count(4); left > 0; --left) {
    SnapshotSwarm swarm;
    swarm.swarm = SwarmId(in.string(kTextMax));
    swarm.head = Revision(in.number(limits::kNumberMax));
    swarm.floor = Revision(in.number(limits::kNumberMax));
    if (in.u8() != 0) {
      swarm.digest.emplace();
      swarm.digest->high = in.fixed64();
      swarm.digest->low = in.fixed64();
    }
    head.swarms.push_back(std::move(swarm));
  }
  if (Status whole = in.finish(); !whole) return std::unexpected(whole.error());
  return head;
}

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

Status SnapshotWriter::put(std::string_view bytes) {
  summary_.bytes += bytes.size();
  return sink_(bytes);
}

Status SnapshotWriter::begin(const SnapshotHead& head) {
  WAGGLE_CHECK(summary_.bytes == 0);
  summary_.head = head;
  ByteWriter prelude;
  prelude.raw(kMagic);
  prelude.fixed64(kSnapshotFormat);
  const std::string bytes = with_check({}, prelude.take());
  summary_.digest = chain_hash(bytes);
  if (Status written = put(bytes); !written) return written;
  return write_block(kHead, head_bytes(head));
}

Status SnapshotWriter::write_block(std::uint8_t kind, std::string_view payload) {
  const std::optional<std::string> packed = pack(payload);
  const std::string_view stored = packed ? std::string_view(*packed) : payload;
  ByteWriter header;
  header.u8(kind);
  header.u8(packed ? kPacked : kPlain);
  header.fixed64(stored.size());
  const std::string bytes = with_check(bytes_of(summary_.digest), header.take());
  summary_.digest = next_digest(summary_.digest, bytes, stored);
  Status written = put(bytes);
  if (written) written = put(stored);
  if (written) written = put(bytes_of(summary_.digest));
  return written;
}

Status SnapshotWriter::add(std::string_view family, std::string_view key, std::string_view value) {
  auto& families = summary_.families;
  if (families.empty() || families.back().family != family) {
    if (Status written = write_rows(); !written) return written;
    families.push_back({std::string(family), 0});
  } else if (rows_.size() + key.size() + value.size() > kSnapshotBlockBytes) {
    if (Status written = write_rows(); !written) return written;
  }
  ByteWriter row(key.size() + value.size() + 16);
  row.string(key);
  row.string(value);
  rows_ += row.take();
  ++rows_count_;
  ++families.back().rows;
  ++summary_.rows;
  return {};
}

Status SnapshotWriter::write_rows() {
  if (rows_count_ == 0) return {};
  ByteWriter payload(rows_.size() + 64);
  payload.string(summary_.families.back().family);
  payload.number(rows_count_);
  payload.raw(rows_);
  rows_.clear();
  rows_count_ = 0;
  return write_block(kRows, payload.take());
}

Status SnapshotWriter::end() {
  if (Status written = write_rows(); !written) return written;
  ByteWriter payload;
  payload.number(summary_.families.size());
  for (const FamilyRows& family : summary_.families) {
    payload.string(family.family);
    payload.number(family.rows);
  }
  return write_block(kEnd, payload.take());
}

// ---- reading -----------------------------------------------------------------------------------

std::unexpected<Error> SnapshotReader::damaged(std::uint64_t at, std::string_view text) const {
  return failed(Code::kCorrupt,
                fmt::format("{}: is damaged at byte {}: {}; {}", name_, at, text, kSnapshotRemedy));
}

Result<std::string> SnapshotReader::take(std::size_t size, std::string_view what) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const Result<std::size_t> got = source_(bytes.data() + have, size - have);
    if (!got) return std::unexpected(got.error());
    if (*got == 0)
      return failed(Code::kCorrupt, fmt::format("{}: is cut short at byte {}, within {}; {}", name_,
                                                summary_.bytes + have, what, kSnapshotRemedy));
    have += *got;
  }
  summary_.bytes += size;
  return bytes;
}

Result<SnapshotHead> SnapshotReader::begin() {
  const Result<std::string> prelude = take(kPreludeBytes, "its first bytes");
  if (!prelude) return std::unexpected(prelude.error());
  if (!prelude->starts_with(kMagic))
    return failed(Code::kRejected, name_ +
                                       ": is no snapshot of Waggle; expected a file that "
                                       "`waggle snapshot save` made");
  const std::string_view checked = std::string_view(*prelude).substr(0, kPreludeBytes - 8);
  if (number_at(*prelude, kPreludeBytes - 8) != check_of({}, checked))
    return damaged(kMagic.size(), "its format number differs from its checksum");
  if (const std::uint64_t format = number_at(*prelude, kMagic.size()); format != kSnapshotFormat)
    return failed(
        Code::kUnsupported,
        fmt::format("{}: has the snapshot format {}, this Waggle knows the format {}; use "
                    "the Waggle that made it or a later one",
                    name_, format, kSnapshotFormat));
  summary_.digest = chain_hash(*prelude);
  const Result<Block> block = read_block();
  if (!block) return std::unexpected(block.error());
  if (block->kind != kHead) return damaged(block->at, "expected its head first");
  Result<SnapshotHead> head = read_head(block->payload);
  if (!head) return damaged(block->at, head.error().text);
  summary_.head = *head;
  return head;
}

Result<SnapshotReader::Block> SnapshotReader::read_block() {
  Block block;
  block.at = summary_.bytes;
  const Result<std::string> header = take(kHeaderBytes, "the beginning of a block");
  if (!header) return std::unexpected(header.error());
  const std::string_view checked = std::string_view(*header).substr(0, kHeaderBytes - 8);
  if (number_at(*header, kHeaderBytes - 8) != check_of(bytes_of(summary_.digest), checked))
    return damaged(block.at, "the beginning of a block differs from its checksum");
  block.kind = static_cast<std::uint8_t>((*header)[0]);
  const auto packed = static_cast<std::uint8_t>((*header)[1]);
  const std::uint64_t size = number_at(*header, 2);
  if (size > kSnapshotBlockBytesMax || packed > kPacked)
    return damaged(block.at, "a block of no known shape");
  Result<std::string> stored = take(size, "a block");
  if (!stored) return std::unexpected(stored.error());
  const Result<std::string> digest = take(kDigestBytes, "the digest of a block");
  if (!digest) return std::unexpected(digest.error());
  const ChainHash expected = next_digest(summary_.digest, *header, *stored);
  if (*digest != bytes_of(expected))
    return damaged(block.at, fmt::format("the {} bytes of a block differ from their digest",
                                         kHeaderBytes + size + kDigestBytes));
  summary_.digest = expected;
  if (packed == kPlain) {
    block.payload = std::move(*stored);
    return block;
  }
  Result<std::string> payload = unpack(*stored, kSnapshotBlockBytesMax);
  if (!payload) return damaged(block.at, payload.error().text);
  block.payload = std::move(*payload);
  return block;
}

Result<bool> SnapshotReader::next(const Visit& visit) {
  const Result<Block> block = read_block();
  if (!block) return std::unexpected(block.error());
  if (block->kind == kEnd) {
    if (Status whole = read_end(*block); !whole) return std::unexpected(whole.error());
    return false;
  }
  if (block->kind != kRows)
    return damaged(block->at, fmt::format("a block of the kind {}", block->kind));
  if (Status read = read_rows(*block, visit); !read) return std::unexpected(read.error());
  return true;
}

// A family comes once, whole.
Status SnapshotReader::enter(std::string_view family) {
  auto& families = summary_.families;
  if (!families.empty() && families.back().family == family) return {};
  if (!families_.emplace(family).second)
    return failed(Code::kCorrupt, fmt::format("the family '{}' comes twice", family));
  families.push_back({std::string(family), 0});
  last_key_.clear();
  return {};
}

Status SnapshotReader::read_rows(const Block& block, const Visit& visit) {
  ByteReader in("rows", block.payload);
  const std::string_view family = in.string(kTextMax);
  std::size_t left = in.count(2);
  if (Status entered = enter(family); !entered) return damaged(block.at, entered.error().text);
  for (; left > 0 && !in.failed(); --left) {
    const std::string_view key = in.string(kSnapshotBlockBytesMax);
    const std::string_view value = in.string(kSnapshotBlockBytesMax);
    if (in.failed()) break;
    FamilyRows& count = summary_.families.back();
    if (count.rows > 0 && key <= last_key_)
      return damaged(block.at, fmt::format("the keys of family '{}' don't rise", family));
    last_key_ = key;
    ++count.rows;
    ++summary_.rows;
    if (Status visited = visit(family, key, value); !visited) {
      const Error& error = visited.error();
      if (error.code == Code::kCorrupt)
        return damaged(block.at, fmt::format("family '{}': {}", family, error.text));
      return failed(error.code, fmt::format("{}, byte {}, family '{}': {}", name_, block.at, family,
                                            error.text));
    }
  }
  if (Status whole = in.finish(); !whole) return damaged(block.at, whole.error().text);
  return {};
}

Status SnapshotReader::read_end(const Block& block) {
  ByteReader in("end", block.payload);
  std::vector<FamilyRows> families;
  for (std::size_t left = in.count(2); left > 0; --left) {
    FamilyRows family;
    family.family = in.string(kTextMax);
    family.rows = in.number();
    families.push_back(std::move(family));
  }
  if (Status whole = in.finish(); !whole) return damaged(block.at, whole.error().text);
  if (families != summary_.families)
    return damaged(block.at, "its rows are not as many as its end says");
  char more = 0;
  const Result<std::size_t> got = source_(&more, 1);
  if (!got) return std::unexpected(got.error());
  if (*got != 0) return damaged(summary_.bytes, "more bytes follow its end");
  return {};
}

}  // namespace waggle
