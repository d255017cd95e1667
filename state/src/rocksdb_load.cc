#include "rocksdb_load.h"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "rocksdb_backend.h"
#include "rocksdb_options.h"
#include "rocksdb_status.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

// Fewer entries than this are cheaper in RocksDB's write buffers than in files of their own.
constexpr size_t kFileEntriesMin = 20'000;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

RocksdbLoad::RocksdbLoad(RocksdbDatabase* database, size_t stores)
    : database_(database), arena_(&pool_), items_(stores), item_marks_(stores, 0) {}

void RocksdbLoad::Add(int32_t store, std::string_view key1, std::string_view key2, const char* value, size_t value_size) {
  auto& items = items_[static_cast<size_t>(store)];
  const size_t key_size = key1.size() + key2.size();
  char* memory = arena_.Allocate(key_size + value_size + sizeof(Item::prefix));
  if (!key1.empty()) std::memcpy(memory, key1.data(), key1.size());
  if (!key2.empty()) std::memcpy(memory + key1.size(), key2.data(), key2.size());
  Item item;
  char head[sizeof(item.prefix)] = {};
  std::memcpy(head, memory, std::min(key_size, sizeof(head)));
  for (size_t i = 0; i < 3; ++i) item.prefix[i] = base::LoadBigEndian<uint64_t>(head + 8 * i);
  item.key = memory;
  item.key_size = static_cast<uint32_t>(key_size);
  item.value = value == nullptr ? nullptr : memory + key_size;
  item.value_size = static_cast<uint32_t>(value_size);
  item.index = next_index_++;
  items.push_back(item);
  ++count_;
}

void RocksdbLoad::Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
                      std::string_view value2) {
  Add(store, key1, key2, "", value1.size() + value2.size());
  char* value = const_cast<char*>(items_[static_cast<size_t>(store)].back().value);  // just made from the arena
  if (!value1.empty()) std::memcpy(value, value1.data(), value1.size());
  if (!value2.empty()) std::memcpy(value + value1.size(), value2.data(), value2.size());
}

void RocksdbLoad::Delete(int32_t store, std::string_view key1, std::string_view key2) { Add(store, key1, key2, nullptr, 0); }

void RocksdbLoad::DeleteBefore(int32_t store, std::string_view to) {
  ranges_.push_back({store, std::string(to)});
}

void RocksdbLoad::Begin() {
  for (size_t i = 0; i < items_.size(); ++i) item_marks_[i] = items_[i].size();
  range_mark_ = ranges_.size();
}

void RocksdbLoad::Drop() {
  for (size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].size() <= item_marks_[i]) continue;
    count_ -= items_[i].size() - item_marks_[i];
    items_[i].resize(item_marks_[i]);
  }
  if (ranges_.size() > range_mark_) ranges_.erase(ranges_.begin() + static_cast<ptrdiff_t>(range_mark_), ranges_.end());
}

std::string RocksdbLoad::Accept(std::string_view commit_record) {
  return std::exchange(record_, std::string(commit_record));
}

bool RocksdbLoad::full() const {
  return arena_.bytes() + count_ * sizeof(Item) >= base::limits::kRestoreStagedBytesMax;
}

void RocksdbLoad::SortLatest(std::vector<Item>& items) {
  auto same = [](const Item& a, const Item& b) {
    return a.prefix[0] == b.prefix[0] && a.prefix[1] == b.prefix[1] && a.prefix[2] == b.prefix[2] && a.key_view() == b.key_view();
  };
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    if (a.prefix[0] != b.prefix[0]) return a.prefix[0] < b.prefix[0];
    if (a.prefix[1] != b.prefix[1]) return a.prefix[1] < b.prefix[1];
    if (a.prefix[2] != b.prefix[2]) return a.prefix[2] < b.prefix[2];
    if (const int order = a.key_view().compare(b.key_view()); order != 0) return order < 0;
    return a.index > b.index;  // the latest first, which `unique` keeps
  });
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
}

absl::Status RocksdbLoad::Seal(bool& deferred) {
  if (empty()) return absl::OkStatus();
  absl::Status status;
  if (count_ >= kFileEntriesMin) {
    status = WriteFiles(record_);
    if (status.ok() && !ranges_.empty()) {
      deferred = true;
      status = WriteBuffers(record_, /*with_items=*/false);
    }
  } else {
    deferred = true;
    status = WriteBuffers(record_, /*with_items=*/true);
  }
  if (!status.ok()) {
    // Sorting has moved what is staged, so nothing of it can be dropped; replaying the dropped part does no harm.
    Begin();
    return status;
  }
  for (auto& items : items_) items.clear();
  ranges_.clear();
  record_.clear();
  count_ = 0;
  next_index_ = 0;
  arena_.Clear();
  pool_.Trim(0);
  Begin();
  return absl::OkStatus();
}

std::string RocksdbLoad::NextFile() { return database_->directory + "/load/" + std::to_string(files_++) + ".sst"; }

absl::Status RocksdbLoad::WriteFiles(std::string_view record) {
  const auto* memory = static_cast<const RocksdbMemory*>(database_->memory.get());
  std::error_code error;
  std::filesystem::create_directories(database_->directory + "/load", error);
  rocksdb::EnvOptions env_options;
  rocksdb::Status status;
  std::vector<rocksdb::IngestExternalFileArg> files;
  auto add_file = [&](rocksdb::ColumnFamilyHandle* family, const rocksdb::ColumnFamilyOptions& family_options, auto fill) {
    const rocksdb::Options options(DatabaseOptions(*memory), family_options);
    rocksdb::SstFileWriter writer(env_options, options, family);
    rocksdb::IngestExternalFileArg file;
    file.column_family = family;
    file.external_files = {NextFile()};
    file.options.move_files = true;
    if (status.ok()) status = writer.Open(file.external_files[0]);
    if (status.ok()) status = fill(writer);
    if (status.ok()) status = writer.Finish();
    files.push_back(std::move(file));
  };
  for (size_t store = 0; store < items_.size() && status.ok(); ++store) {
    std::vector<Item>& items = items_[store];
    if (items.empty()) continue;
    SortLatest(items);
    add_file(database_->stores[store], StoreFamilyOptions(*memory), [&](rocksdb::SstFileWriter& writer) {
      rocksdb::Status filled;
      for (const Item& item : items) {
        filled = item.value == nullptr ? writer.Delete(ToSlice(item.key_view()))
                                       : writer.Put(ToSlice(item.key_view()), rocksdb::Slice(item.value, item.value_size));
        if (!filled.ok()) break;
      }
      return filled;
    });
  }
  if (status.ok()) {
    add_file(database_->metadata, MetadataFamilyOptions(*memory),
             [&](rocksdb::SstFileWriter& writer) { return writer.Put("commit", ToSlice(record)); });
  }
  // All or nothing, and on disk when it returns.
  if (status.ok()) status = database_->db->IngestExternalFiles(files);
  if (status.ok()) return absl::OkStatus();
  for (const rocksdb::IngestExternalFileArg& file : files) std::filesystem::remove(file.external_files[0], error);
  return FromRocksdb(status, "restore", database_->directory);
}

absl::Status RocksdbLoad::WriteBuffers(std::string_view record, bool with_items) {
  rocksdb::WriteBatch batch;
  rocksdb::Status status;
  for (size_t store = 0; store < items_.size() && with_items; ++store) {
    SortLatest(items_[store]);
    for (const Item& item : items_[store]) {
      status = item.value == nullptr ? batch.Delete(database_->stores[store], ToSlice(item.key_view()))
                                     : batch.Put(database_->stores[store], ToSlice(item.key_view()),
                                                 rocksdb::Slice(item.value, item.value_size));
      TAILRACE_CHECK(status.ok(), status.ToString());
    }
  }
  for (const Range& range : ranges_) {
    status = batch.DeleteRange(database_->stores[static_cast<size_t>(range.store)], rocksdb::Slice(), range.to);
    TAILRACE_CHECK(status.ok(), status.ToString());
  }
  status = batch.Put(database_->metadata, "commit", ToSlice(record));
  TAILRACE_CHECK(status.ok(), status.ToString());
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  status = database_->db->Write(options, &batch);
  return status.ok() ? absl::OkStatus() : FromRocksdb(status, "restore", database_->directory);
}

}  // namespace tailrace::state
