#include "base/packing.h"

#include <memory>

#include <fmt/format.h>
#include <lz4.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace waggle {
namespace {

constexpr int kLevel = 1;  // higher levels gain next to nothing against a prefix

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// A new context for each value would cost more than the packing.
ZSTD_CCtx* packer() {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  WAGGLE_CHECK(context != nullptr, "no memory for a compressor");
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return context.get();
}

ZSTD_DCtx* unpacker() {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  WAGGLE_CHECK(context != nullptr, "no memory for a decompressor");
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return context.get();
}

// Enough for the larger of both, so that the whole prefix is within reach.
int window_log(std::size_t bytes) {
  int log = ZSTD_WINDOWLOG_MIN;
  while (log < ZSTD_WINDOWLOG_LIMIT_DEFAULT && (std::size_t{1} << log) < bytes) ++log;
  return log;
}

// Where it does not fit it would not save enough anyhow.
std::size_t room_for(std::string_view bytes) {
  return bytes.size() * 7 / 10;
}

std::optional<std::string> pack_by_zstd(std::string_view bytes, std::string_view prefix) {
  ZSTD_CCtx* const context = packer();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  // A wrong prefix unpacks to wrong bytes without a word; the checksum tells.
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (!prefix.empty()) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log(bytes.size() + prefix.size()));
    ZSTD_CCtx_refPrefix(context, prefix.data(), prefix.size());
  }
  std::string packed(room_for(bytes), '\0');
  const std::size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return std::nullopt;
  packed.resize(size);
  return packed;
}

// ---- LZ4 ---------------------------------------------------------------------------------------

constexpr char kLz4Mark = 'L';
constexpr std::size_t kLz4Reach = std::size_t{64} << 10;

// The library takes sizes as int; both are far above any value.
constexpr std::size_t kLz4Most = LZ4_MAX_INPUT_SIZE;

std::string_view end_of(std::string_view prefix) {
  return prefix.size() > kLz4Reach ? prefix.substr(prefix.size() - kLz4Reach) : prefix;
}

std::optional<std::string> pack_by_lz4(std::string_view bytes, std::string_view prefix) {
  if (bytes.size() > kLz4Most) return std::nullopt;
  ByteWriter header;
  header.u8(kLz4Mark);
  header.fixed64(hash128(bytes).low);
  header.number(bytes.size());
  std::string packed = header.take();
  const std::size_t head = packed.size();
  packed.resize(room_for(bytes));
  thread_local LZ4_stream_t stream;
  LZ4_initStream(&stream, sizeof stream);
  const std::string_view before = end_of(prefix);
  LZ4_loadDict(&stream, before.data(), static_cast<int>(before.size()));
  const int size = LZ4_compress_fast_continue(&stream, bytes.data(), packed.data() + head,
                                              static_cast<int>(bytes.size()),
                                              static_cast<int>(packed.size() - head), 1);
  if (size <= 0) return std::nullopt;
  packed.resize(head + static_cast<std::size_t>(size));
  return packed;
}

Result<std::string> unpack_by_lz4(std::string_view packed, std::size_t bytes_max,
                                  std::string_view prefix) {
  ByteReader reader("packed value", packed);
  static_cast<void>(reader.u8());
  const std::uint64_t check = reader.fixed64();
  const std::uint64_t size = reader.number(kLz4Most);
  const std::string_view block = reader.take(reader.remaining());
  if (const Status read = reader.finish(); !read) return std::unexpected(read.error());
  if (size > bytes_max)
    return failed(Code::kRejected,
                  fmt::format("packed value: expected at most {} bytes, got {}", bytes_max, size));
  const std::string_view before = end_of(prefix);
  std::string bytes(size, '\0');
  const int unpacked = LZ4_decompress_safe_usingDict(
      block.data(), bytes.data(), static_cast<int>(block.size()), static_cast<int>(size),
      before.data(), static_cast<int>(before.size()));
  if (unpacked < 0 || static_cast<std::uint64_t>(unpacked) != size)
    return failed(Code::kRejected, "packed value: expected an LZ4 block of the size that it names");
  if (hash128(bytes).low != check)
    return failed(Code::kRejected,
                  "packed value: its hash is of other bytes; it is damaged, or was packed against "
                  "another value");
  return bytes;
}

}  // namespace

std::optional<std::string> pack(std::string_view bytes, std::string_view prefix, Packing packing) {
  if (packing == Packing::kNone || bytes.size() < kPackLeast) return std::nullopt;
  return packing == Packing::kLz4 ? pack_by_lz4(bytes, prefix) : pack_by_zstd(bytes, prefix);
}

Result<std::string> unpack(std::string_view packed, std::size_t bytes_max,
                           std::string_view prefix) {
  if (packed.starts_with(kLz4Mark)) return unpack_by_lz4(packed, bytes_max, prefix);
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
    return failed(Code::kRejected,
                  "packed value: expected an LZ4 block or a Zstandard frame that names its size");
  if (size > bytes_max)
    return failed(Code::kRejected,
                  fmt::format("packed value: expected at most {} bytes, got {}", bytes_max, size));
  ZSTD_DCtx* const context = unpacker();
  if (!prefix.empty()) ZSTD_DCtx_refPrefix(context, prefix.data(), prefix.size());
  std::string bytes(size, '\0');
  const std::size_t unpacked =
      ZSTD_decompressDCtx(context, bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(unpacked) != 0)
    return failed(Code::kRejected, fmt::format("packed value: {}", ZSTD_getErrorName(unpacked)));
  if (unpacked != size)
    return failed(Code::kRejected,
                  fmt::format("packed value: expected {} bytes, got {}", size, unpacked));
  return bytes;
}

}  // namespace waggle
