#include "memory/rocksdb_doctor.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "memory/head_marker.h"
#include "memory/rocksdb_database.h"
#include "memory/rocksdb_rows.h"
#include "memory/rocksdb_store.h"
#include "memory/store_directory.h"
#include "memory/store_keys.h"

namespace waggle {
namespace {

namespace fs = std::filesystem;

constexpr DatabaseOptions kOptions{std::size_t{16} << 20, 256};
constexpr std::size_t kFindingsOfFamily = 20;
constexpr std::string_view kMarkerRemedy =
    "restore a backup, or start with --accept-rollback, which begins a new epoch";

class Doctor {
 public:
  explicit Doctor(std::uint64_t disk_reserve_bytes) : disk_reserve_bytes_(disk_reserve_bytes) {}

  [[nodiscard]] Result<StoreReport> examine(const std::string& path) {
    if (Status opened = directory_.open_to_read(path); !opened) {
      if (opened.error().code != Code::kCorrupt) return std::unexpected(opened.error());
      add(opened.error());
    } else {
      database_path_ = directory_.file(StoreDirectory::kDatabase);
      examine_database();
    }
    examine_disk();
    return std::move(report_);
  }

 private:
  void examine_database();
  [[nodiscard]] std::unique_ptr<RocksdbDatabase> open();
  void examine_rows(RocksdbDatabase& database);
  void examine_family(RocksdbDatabase& database, std::string_view family);
  void examine_marker(RocksdbDatabase& database);
  void examine_disk();

  // Our errors are "FILE: what; remedy".
  void add(const Error& error);
  void add(Finding::Severity severity, std::string file, std::string text,
           std::string_view remedy) {
    report_.findings.push_back({severity, std::move(file), std::move(text), std::string(remedy)});
  }
  [[nodiscard]] std::string file_in(const std::string& text) const;
  [[nodiscard]] std::string logs() const;

  const std::uint64_t disk_reserve_bytes_;
  StoreDirectory directory_;
  const DatabaseKind* kind_ = &coordinator_database();
  std::string database_path_;
  StoreReport report_;
};

void Doctor::add(const Error& error) {
  std::string file = file_in(error.text);
  std::string text = error.text;
  std::string remedy;
  if (const std::size_t cut = text.rfind("; "); cut != std::string::npos) {
    remedy = text.substr(cut + 2);
    text.resize(cut);
  }
  for (const std::string& prefix : {file, database_path_, directory_.path()})
    for (const std::string& behind : {prefix + ": ", prefix + ", "})
      if (!prefix.empty() && text.starts_with(behind)) text.erase(0, behind.size());
  add(Finding::Severity::kDamage, std::move(file), std::move(text), remedy);
}

// A log that RocksDB found damaged is not named by it.
std::string Doctor::logs() const {
  std::string names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(database_path_, ignored))
    if (entry.path().extension() == ".log" && entry.file_size(ignored) > 0)
      names += (names.empty() ? "" : ", ") + entry.path().string();
  return names.empty() ? database_path_ : names;
}

// The file that a text of RocksDB names, by its path or by its number.
std::string Doctor::file_in(const std::string& text) const {
  const std::string inside = database_path_ + "/";
  if (const std::size_t at = database_path_.empty() ? std::string::npos : text.find(inside);
      at != std::string::npos) {
    std::size_t end = at + inside.size();
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 ||
                                 text[end] == '.' || text[end] == '-'))
      ++end;
    while (text[end - 1] == '.') --end;
    std::string name = text.substr(at, end - at);
    // A table that is missing it looks for under its old name too, and tells of that.
    if (name.ends_with(".ldb")) name.replace(name.size() - 4, 4, ".sst");
    return name;
  }
  constexpr std::string_view kMissingLog = "Missing WAL with log number: ";
  if (const std::size_t at = text.find(kMissingLog); at != std::string::npos)
    return fmt::format("{}/{:0>6}.log", database_path_,
                       std::to_string(std::atoll(text.c_str() + at + kMissingLog.size())));
  const std::size_t end = std::min(text.find(": "), text.find(", family '"));
  if (end != std::string::npos && text.starts_with(directory_.path())) return text.substr(0, end);
  return directory_.path();
}

void Doctor::examine_database() {
  const Result<const DatabaseKind*> kind = RocksdbDatabase::kind_of(database_path_);
  if (!kind) return add(kind.error());
  if (*kind != nullptr) {
    kind_ = *kind;
    report_.kind = kind_->name;
  }
  const std::unique_ptr<RocksdbDatabase> database = open();
  if (!database) return;
  const Result<std::string> format = database->meta(store_keys::kFormat);
  if (format) report_.format = std::stoull(*format);  // was looked at when it was opened
  examine_rows(*database);
  if (kind_ == &coordinator_database()) examine_marker(*database);
}

// One whose log is damaged is read as far as it stands, so that the rest can be examined too.
std::unique_ptr<RocksdbDatabase> Doctor::open() {
  using Recovery = RocksdbDatabase::Recovery;
  using Access = RocksdbDatabase::Access;
  auto opened =
      RocksdbDatabase::open(database_path_, *kind_, kOptions, Recovery::kStrict, Access::kRead);
  if (opened) return std::move(*opened);
  auto rest = RocksdbDatabase::open(database_path_, *kind_, kOptions, Recovery::kKeepReadable,
                                    Access::kRead);
  add(opened.error());
  if (!rest || opened.error().code != Code::kCorrupt) return nullptr;
  Finding& finding = report_.findings.back();
  if (finding.file == database_path_) finding.file = logs();
  return std::move(*rest);
}

void Doctor::examine_rows(RocksdbDatabase& database) {
  const std::size_t before = report_.findings.size();
  examine_family(database, "meta");
  for (const std::string& family : kind_->families) examine_family(database, family);
  // Where single rows are wrong their sum is too.
  if (report_.findings.size() == before)
    for (const Error& error : report_.audit.finish())
      add(Finding::Severity::kDamage, database_path_, "family 'state': " + error.text,
          kind_->remedy);
  // What no row lies in: indexes and filters.
  if (report_.findings.size() == before)
    if (Status whole = database.verify_tables(); !whole) add(whole.error());
}

void Doctor::examine_family(RocksdbDatabase& database, std::string_view family) {
  FamilyRows count{std::string(family), 0};
  std::size_t wrong = 0;
  Status read = database.scan(family, {}, {}, [&](auto key, auto value) -> Status {
    ++count.rows;
    Status whole = report_.audit.add(family, key, value);
    if (!whole && ++wrong <= kFindingsOfFamily) add(database.bad_row(family, whole.error()));
    return {};
  });
  if (wrong > kFindingsOfFamily)
    add(Finding::Severity::kDamage, database_path_,
        fmt::format("family '{}': {} more rows are damaged", family, wrong - kFindingsOfFamily),
        kind_->remedy);
  if (!read) add(read.error());
  if (count.rows > 0) report_.families.push_back(std::move(count));
}

void Doctor::examine_marker(RocksdbDatabase& database) {
  const std::string file = directory_.file(StoreDirectory::kMarker);
  const Result<RecoveredHeads> heads = load_heads(database);
  if (!heads) return;  // was told with its row
  const Result<std::string> lost = lost_since(file, *heads);
  if (!lost) return add(lost.error());
  if (lost->empty()) return;
  add(Finding::Severity::kDamage, file, "the store lost acknowledged commits: " + *lost,
      kMarkerRemedy);
}

void Doctor::examine_disk() {
  const Result<std::uint64_t> space = free_bytes(directory_.path());
  if (!space) return add(space.error());
  report_.free_bytes = *space;
  if (*space >= disk_reserve_bytes_) return;
  add(Finding::Severity::kWarning, directory_.path(),
      fmt::format("{} bytes are free, the reserve (disk_reserve) is {}: writes would be refused",
                  *space, disk_reserve_bytes_),
      "free space on this disk");
}

}  // namespace

std::string_view to_text(Finding::Severity severity) {
  return severity == Finding::Severity::kDamage ? "damage" : "warning";
}

Result<StoreReport> examine_store(const std::string& directory, std::uint64_t disk_reserve_bytes) {
  return Doctor(disk_reserve_bytes).examine(directory);
}

}  // namespace waggle
