#include "base/packing.h"

#include <memory>

#include <fmt/format.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "base/check.h"

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

}  // namespace

std::optional<std::string> pack(std::string_view bytes, std::string_view prefix) {
  if (bytes.size() < kPackLeast) return std::nullopt;
  ZSTD_CCtx* const context = packer();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  // A wrong prefix unpacks to wrong bytes without a word; the checksum tells.
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (!prefix.empty()) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log(bytes.size() + prefix.size()));
    ZSTD_CCtx_refPrefix(context, prefix.data(), prefix.size());
  }
  // Where it does not fit it would not save enough anyhow.
  std::string packed(bytes.size() * 7 / 10, '\0');
  const std::size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) return std::nullopt;
  packed.resize(size);
  return packed;
}

Result<std::string> unpack(std::string_view packed, std::size_t bytes_max,
                           std::string_view prefix) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
    return failed(Code::kRejected, "packed value: expected a Zstandard frame that names its size");
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
