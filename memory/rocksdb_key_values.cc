#include <cstddef>
#include <string>
#include <utility>

#include "base/limits.h"
#include "memory/key_values.h"
#include "memory/rocksdb_database.h"
#include "memory/store_directory.h"
#include "memory/store_keys.h"

namespace waggle {
namespace {

constexpr DatabaseOptions kOptions{std::size_t{4} << 20, 64};

class RocksdbKeyValues final : public KeyValues {
 public:
  [[nodiscard]] Status open(const std::string& path) {
    const Result<StoreDirectory::Found> found = directory_.open(path);
    if (!found) return std::unexpected(found.error());
    const DatabaseKind& kind = provider_database();
    if (*found == StoreDirectory::Found::kNew) {
      Status made =
          RocksdbDatabase::make(directory_.file(StoreDirectory::kUnfinished), kind, kOptions);
      if (made) made = directory_.finish_making();
      if (!made) return made;
    }
    auto opened = RocksdbDatabase::open(directory_.file(StoreDirectory::kDatabase), kind, kOptions,
                                        RocksdbDatabase::Recovery::kStrict);
    if (!opened) return std::unexpected(opened.error());
    database_ = std::move(*opened);
    return {};
  }

  Status put(const std::string& space, const std::string& key, const std::string& value) override {
    rocksdb::WriteBatch batch;
    (void)batch.Put(values(), store_keys::value(space, key), value);
    return write(batch);
  }
  Status remove(const std::string& space, const std::string& key) override {
    rocksdb::WriteBatch batch;
    (void)batch.Delete(values(), store_keys::value(space, key));
    return write(batch);
  }
  Status clear(const std::string& space) override {
    const store_keys::Range range = store_keys::values_of(space, {});
    rocksdb::WriteBatch batch;
    (void)batch.DeleteRange(values(), range.begin, range.end);
    return write(batch);
  }
  Result<std::optional<std::string>> get(const std::string& space,
                                         const std::string& key) override {
    std::string value;
    const rocksdb::Status status = database_->db().Get(rocksdb::ReadOptions(), values(),
                                                       store_keys::value(space, key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return std::unexpected(database_->damaged("values", status.ToString()));
    return value;
  }
  Status visit(const std::string& space, std::string_view prefix, const Visit& visit) override {
    return scan(store_keys::values_of(space, prefix), visit);
  }
  Status visit_all(const Visit& visit) override { return scan({}, visit); }

 private:
  rocksdb::ColumnFamilyHandle* values() const { return database_->family("values"); }
  Status write(rocksdb::WriteBatch& batch) {
    if (!failure_.empty()) return failed(Code::kUnknown, failure_);
    if (database_->read_only())
      return failed(Code::kUnavailable, directory_.path() +
                                            ": the disk was full when it was "
                                            "opened; free space and start again");
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const rocksdb::Status status = database_->db().Write(synced, &batch);
    if (status.ok()) return {};
    failure_ = directory_.path() +
               ": a change failed, it is there after the next start or not: " + status.ToString();
    return failed(Code::kUnknown, failure_);
  }
  Status scan(const store_keys::Range& range, const Visit& visit) {
    return database_->scan("values", range.begin, range.end, [&](auto key, auto value) -> Status {
      const auto at = store_keys::read_value(key);
      if (!at) return std::unexpected(database_->damaged("values", "a key has no known shape"));
      visit(at->space, at->key, value);
      return {};
    });
  }

  StoreDirectory directory_;
  std::unique_ptr<RocksdbDatabase> database_;
  std::string failure_;
};

}  // namespace

Result<std::unique_ptr<KeyValues>> open_rocksdb_key_values(const std::string& path) {
  auto opened = std::make_unique<RocksdbKeyValues>();
  if (Status status = opened->open(path); !status) return std::unexpected(status.error());
  return opened;
}

}  // namespace waggle
