#include "bench/disk.h"

#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waggle::bench {

struct BareDisk::Parts {
  int file = -1;
  std::unique_ptr<rocksdb::DB> database;
  std::uint64_t number = 0;
};

BareDisk::BareDisk(const std::string& directory) : parts_(std::make_unique<Parts>()) {
  mkdir(directory.c_str(), 0700);
  parts_->file =
      open((directory + "/append").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.allow_concurrent_memtable_write = false;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, directory + "/db", &database);
  parts_->database.reset(database);
  if (parts_->file < 0 || !opened.ok())
    throw std::runtime_error(directory + ": " + opened.ToString() + " " + std::strerror(errno));
}

BareDisk::~BareDisk() {
  if (parts_->file >= 0) close(parts_->file);
}

double BareDisk::append(std::size_t bytes) {
  const std::string data(bytes, 'x');
  const double begin = now_micros();
  if (write(parts_->file, data.data(), data.size()) != static_cast<ssize_t>(data.size()) ||
      fdatasync(parts_->file) != 0)
    throw std::runtime_error(std::string("append: ") + std::strerror(errno));
  return now_micros() - begin;
}

double BareDisk::batch(std::size_t bytes) {
  rocksdb::WriteBatch batch;
  batch.Put("key" + std::to_string(parts_->number++ % 1'000), std::string(bytes, 'x'));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const double begin = now_micros();
  const rocksdb::Status status = parts_->database->Write(synced, &batch);
  if (!status.ok()) throw std::runtime_error("batch: " + status.ToString());
  return now_micros() - begin;
}

}  // namespace waggle::bench
