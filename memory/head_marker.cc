#include "memory/head_marker.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"
#include "memory/store_directory.h"

namespace waggle {
namespace {

// DO NOT CHANGE: the layout on disk, docs/storage.md.
constexpr std::string_view kMagic = "WGLHEAD1";
constexpr std::size_t kSlotBytes = 8192;
constexpr std::size_t kHashBytes = 16;
constexpr std::size_t kHeaderBytes = 8 + kHashBytes + 8 + 8;  // magic, hash, counter, length
constexpr std::size_t kSwarmBytesMax = 8 + limits::kIdBytes + 8;
static_assert(kHeaderBytes + 8 + 1 + 8 + limits::kSwarms * kSwarmBytesMax <= kSlotBytes);

constexpr std::chrono::seconds kSyncInterval{1};

std::uint64_t get_u64(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string hash_bytes(std::string_view bytes) {
  const Hash128 hash = hash128(bytes);
  CanonicalBytes out;
  out.u64(hash.high);
  out.u64(hash.low);
  return out.bytes();
}

std::string slot_bytes(std::uint64_t counter, const Heads& heads) {
  CanonicalBytes body;
  body.u64(heads.epoch.value());
  body.u8(heads.ended ? 1 : 0);
  body.u64(heads.heads.size());
  for (const auto& [swarm, head] : heads.heads) {
    body.text(swarm.value());
    body.u64(head.value());
  }
  CanonicalBytes hashed;
  hashed.u64(counter);
  hashed.text(body.bytes());  // its length, then itself
  return std::string(kMagic) + hash_bytes(hashed.bytes()) + hashed.bytes();
}

struct Slot {
  std::uint64_t counter = 0;
  Heads heads;
};

// Reads what slot_bytes() wrote. The hash was right, so other shapes don't come by accident; they
// are refused all the same.
std::optional<Heads> read_body(std::string_view body) {
  Heads heads;
  if (body.size() < 17) return std::nullopt;
  heads.epoch = Epoch(get_u64(body, 0));
  heads.ended = body[8] != 0;
  const std::uint64_t count = get_u64(body, 9);
  std::size_t at = 17;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (body.size() - at < 8) return std::nullopt;
    const std::uint64_t length = get_u64(body, at);
    at += 8;
    if (length > body.size() - at || body.size() - at - length < 8) return std::nullopt;
    const SwarmId swarm{body.substr(at, length)};
    at += length;
    heads.heads[swarm] = Revision(get_u64(body, at));
    at += 8;
  }
  if (at != body.size()) return std::nullopt;
  return heads;
}

std::optional<Slot> read_slot(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::uint64_t length = get_u64(bytes, kHeaderBytes - 8);
  if (length > bytes.size() - kHeaderBytes) return std::nullopt;
  const std::size_t hashed_at = kMagic.size() + kHashBytes;
  const std::string_view hashed = bytes.substr(hashed_at, 16 + length);
  if (bytes.substr(kMagic.size(), kHashBytes) != hash_bytes(hashed)) return std::nullopt;
  std::optional<Heads> heads = read_body(bytes.substr(kHeaderBytes, length));
  if (!heads) return std::nullopt;
  return Slot{get_u64(bytes, hashed_at), std::move(*heads)};
}

// 0, or the errno.
int write_all(int file, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
  return 0;
}

using Slots = std::array<std::optional<Slot>, 2>;

Result<Slots> read_slots(const std::string& name) {
  Slots slots;
  const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return slots;
  if (file < 0) return failed(Code::kRejected, system_text(name, "can't be read", errno));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::string bytes(kSlotBytes, '\0');
    const ssize_t count = pread(file, bytes.data(), kSlotBytes, static_cast<off_t>(i * kSlotBytes));
    if (count < 0) {
      const int error = errno;
      ::close(file);
      return failed(Code::kCorrupt, system_text(name, "can't be read; restore a backup", error));
    }
    slots[i] = read_slot(std::string_view(bytes).substr(0, static_cast<std::size_t>(count)));
  }
  ::close(file);
  return slots;
}

// The slot with the newest heads, -1: none is whole.
int newest(const Slots& slots) {
  if (!slots[0] && !slots[1]) return -1;
  if (!slots[0]) return 1;
  if (!slots[1]) return 0;
  return slots[1]->counter > slots[0]->counter ? 1 : 0;
}

std::string shown(const SwarmId& swarm, Epoch epoch, Revision head) {
  return "swarm '" + swarm.value() + "' " + to_text(Cursor{epoch, head});
}

}  // namespace

std::string lost_since(const Heads& marker, const RecoveredHeads& recovered) {
  const bool same_epoch = marker.epoch == recovered.epoch;
  if (same_epoch && marker.ended)
    return "an earlier rollback to epoch " + to_hex(marker.epoch.value()) +
           " was accepted, but no new epoch was begun";
  if (marker.epoch && !recovered.epoch)
    return "the store has no epoch, the marker says " + to_hex(marker.epoch.value());
  for (const auto& [swarm, head] : marker.heads) {
    if (!head) continue;
    const std::string said = ", marker says " + shown(swarm, marker.epoch, head);
    const auto found = recovered.swarms.find(swarm);
    if (found == recovered.swarms.end()) return "recovered nothing of it" + said;
    const std::string have =
        "recovered head " + shown(swarm, recovered.epoch, found->second.head) + said;
    if (same_epoch && found->second.head < head) return have;
    if (same_epoch) continue;
    // The marker may be of an epoch that was ended on purpose, with less than it says. One that the
    // swarm never went through is of a later history than the recovered one.
    bool known = false;
    for (const EpochEnd& end : found->second.lineage) known |= end.epoch == marker.epoch;
    if (!known) return have;
  }
  return {};
}

Result<std::string> lost_since(const std::string& file, const RecoveredHeads& recovered) {
  const Result<std::optional<Heads>> marked = HeadMarker::read(file);
  if (!marked) return std::unexpected(marked.error());
  if (*marked) return lost_since(**marked, recovered);
  return "its marker " + file.substr(file.rfind('/') + 1) +
         " is missing or damaged, as in a copy of a store, so later commits may have been "
         "acknowledged";
}

Result<std::optional<Heads>> HeadMarker::read(const std::string& file) {
  Result<Slots> slots = read_slots(file);
  if (!slots) return std::unexpected(slots.error());
  const int best = newest(*slots);
  if (best < 0) return std::nullopt;
  return std::move((*slots)[static_cast<std::size_t>(best)]->heads);
}

Status HeadMarker::make(const std::string& file, const Heads& heads) {
  // A new file under another name, so that a crash leaves the old one or the new one.
  const std::string fresh = file + ".new";
  std::string bytes = slot_bytes(1, heads);
  bytes.resize(2 * kSlotBytes);  // later writes need no space
  const int out = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (out < 0) return failed(Code::kUnavailable, system_text(fresh, "can't be made", errno));
  int error = write_all(out, bytes, 0);
  if (error == 0 && fsync(out) != 0) error = errno;
  ::close(out);
  if (error == 0 && rename(fresh.c_str(), file.c_str()) != 0) error = errno;
  if (error != 0) return failed(Code::kUnavailable, system_text(fresh, "can't be written", error));
  return sync_directory(file.substr(0, file.rfind('/')));
}

HeadMarker::~HeadMarker() {
  close();
}

Status HeadMarker::open(const std::string& file, SyncFirst sync_first) {
  WAGGLE_CHECK(file_ < 0, file);
  const Result<Slots> slots = read_slots(file);
  if (!slots) return std::unexpected(slots.error());
  const int best = newest(*slots);
  WAGGLE_CHECK(best >= 0, file);
  file_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  // The newest slot may never have been synced: only then may the other one be written.
  if (file_ < 0 || fdatasync(file_) != 0)
    return failed(Code::kRejected, system_text(file, "can't be written", errno));
  const Slot& slot = *(*slots)[static_cast<std::size_t>(best)];
  counter_ = slot.counter;
  latest_ = slot.heads;
  open_slot_ = 1 - best;
  sync_first_ = std::move(sync_first);
  thread_ = std::thread([this] { run(); });
  return {};
}

void HeadMarker::publish(const Heads& heads) {
  if (file_ < 0) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (heads == latest_) return;
    latest_ = heads;
    wake = !dirty_ && !syncing_;
    if (syncing_)
      unwritten_ = true;
    else
      write_open_slot();
  }
  if (wake) changed_.notify_one();
}

void HeadMarker::write_open_slot() {
  unwritten_ = false;
  if (!failure_.empty()) return;
  const std::string bytes = slot_bytes(++counter_, latest_);
  const std::size_t offset = static_cast<std::size_t>(open_slot_) * kSlotBytes;
  const int error = bytes.size() > kSlotBytes ? EFBIG : write_all(file_, bytes, offset);
  if (error == 0)
    dirty_ = true;
  else
    failure_ = system_text("the marker", "can't be written", error);
}

void HeadMarker::sync(std::unique_lock<std::mutex>& lock) {
  syncing_ = true;
  lock.unlock();
  const bool first = !sync_first_ || sync_first_();
  const int error = first && fdatasync(file_) == 0 ? 0 : errno;
  lock.lock();
  syncing_ = false;
  if (first && error == 0) {
    ++syncs_;
    dirty_ = false;
    open_slot_ = 1 - open_slot_;
  } else {
    failure_ = system_text("the marker", "can't be synced", error);
  }
  if (unwritten_) write_open_slot();
}

void HeadMarker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return dirty_ || stopping_; });
    if (!stopping_) changed_.wait_for(lock, kSyncInterval, [this] { return stopping_; });
    if (dirty_ && failure_.empty()) sync(lock);
    if (!failure_.empty()) changed_.wait(lock, [this] { return stopping_; });
    if (stopping_ && (!dirty_ || !failure_.empty())) return;
  }
}

void HeadMarker::close() {
  if (file_ < 0) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  ::close(file_);
  file_ = -1;
}

std::uint64_t HeadMarker::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

std::string HeadMarker::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace waggle
