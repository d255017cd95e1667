#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "embedded/storage.h"
#include "embedded/tail_cache.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"

namespace tailrace::kafka::embedded {
namespace {

using base::Reaction;

constexpr size_t kKeyBytes = 16;
// Deleted chunks are dropped from the files once there are this many bytes of them.
constexpr size_t kReclaimBytes = 64u << 20;

std::string ChunkKey(LogId log, int64_t base) {
  std::string key;
  key.reserve(kKeyBytes);
  base::AppendBigEndian(key, log.topic);
  base::AppendBigEndian(key, log.partition);
  base::AppendBigEndian(key, base);
  return key;
}

std::string_view ToView(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

// The log is written once and read in order: values go to blob files, so that compaction moves only small keys.
rocksdb::ColumnFamilyOptions ChunkFamilyOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 32u << 20;
  options.enable_blob_files = true;
  options.min_blob_size = 512;
  options.blob_file_size = 64u << 20;
  options.blob_compression_type = rocksdb::kLZ4Compression;
  options.enable_blob_garbage_collection = true;
  options.compression = rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(8u << 20);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions MetadataFamilyOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 4u << 20;
  options.compression = rocksdb::kNoCompression;
  return options;
}

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.max_total_wal_size = 128u << 20;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.bytes_per_sync = 1u << 20;
  options.wal_bytes_per_sync = 1u << 20;
  return options;
}

// A directory with RocksDB in it: the write-ahead log survives the process, not the loss of power (no fsync per write).
class RocksStorage : public Storage {
 public:
  explicit RocksStorage(std::string directory)
      : directory_(std::move(directory)), tail_(base::limits::kLogTailBytesMax) {}

  ~RocksStorage() override {
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      if (db_ != nullptr) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    }
    if (db_ != nullptr) db_->Close().PermitUncheckedError();
  }

  absl::Status Open() {
    std::error_code error;
    std::filesystem::create_directories(directory_, error);
    if (error) {
      return base::UsageError(absl::StrCat("the directory ", directory_, " of the embedded log cannot be made: ",
                                           error.message(), "; choose another directory or its permissions"));
    }
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, MetadataFamilyOptions()}, {"chunks", ChunkFamilyOptions()}};
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(rocksdb::Options(DatabaseOptions(), {}), directory_, families, &families_, &db);
    db_.reset(db);
    if (status.ok()) return absl::OkStatus();
    const std::string text = status.ToString();
    if (text.find("lock") != std::string::npos && text.find("LOCK") != std::string::npos) {
      return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("the embedded log in ", directory_,
                                      " is open already: it serves one process at a time; stop the other one, or give "
                                      "this one a directory of its own (", text, ")"));
    }
    return Failed("cannot be opened", status);
  }

  absl::Status Apply(const StorageBatch& batch) override {
    rocksdb::WriteBatch writes;
    rocksdb::Status status;
    for (const StorageBatch::Delete& range : batch.deletes) {
      if (status.ok()) status = writes.DeleteRange(chunks(), ChunkKey(range.log, range.from), ChunkKey(range.log, range.to));
      deleted_since_reclaim_ = true;
    }
    for (const StorageBatch::Put& put : batch.puts) {
      if (status.ok()) status = writes.Put(chunks(), ChunkKey(put.log, put.chunk.base), *put.chunk.bytes);
    }
    for (const auto& [key, value] : batch.metadata) {
      if (!status.ok()) break;
      status = value ? writes.Put(metadata(), key, *value) : writes.Delete(metadata(), key);
    }
    if (status.ok()) status = db_->Write(rocksdb::WriteOptions(), &writes);
    if (!status.ok()) {
      // After a full disk RocksDB refuses writes until it is told to go on; the next write then finds out by itself.
      absl::Status failed = Failed("cannot be written", status);
      db_->Resume().PermitUncheckedError();
      return failed;
    }
    for (const StorageBatch::Delete& range : batch.deletes) tail_.Erase(range.log, range.from, range.to);
    for (const StorageBatch::Put& put : batch.puts) tail_.Insert(put.log, put.chunk, batch.deletes.empty());
    return absl::OkStatus();
  }

  absl::Status Read(LogId log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out) override {
    if (tail_.Read(log, offset, bytes_max, out)) return absl::OkStatus();
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    const std::string lower_key = ChunkKey(log, 0);
    const std::string upper_key = ChunkKey({log.topic, log.partition + 1}, 0);
    const rocksdb::Slice lower(lower_key);
    const rocksdb::Slice upper(upper_key);
    options.iterate_lower_bound = &lower;
    options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, chunks()));
    it->SeekForPrev(ChunkKey(log, offset));
    if (!it->Valid() && it->status().ok()) it->SeekToFirst();
    for (size_t bytes = 0; it->Valid() && bytes < bytes_max; it->Next()) {
      const std::string_view value = ToView(it->value());
      const auto base = base::LoadBigEndian<int64_t>(it->key().data() + 8);
      ChunkInfo info;
      if (!ParseChunkInfo(value, info)) return Damaged(log, base);
      if (base + info.span <= offset) continue;
      out.push_back({base, std::make_shared<const std::string>(value)});
      bytes += value.size();
    }
    return it->status().ok() ? absl::OkStatus() : Failed("cannot be read", it->status());
  }

  absl::StatusOr<StoredChunk> Last(LogId log) override {
    rocksdb::ReadOptions options;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, chunks()));
    it->SeekForPrev(ChunkKey(log, INT64_MAX));
    if (!it->status().ok()) return Failed("cannot be read", it->status());
    if (!it->Valid() || ToView(it->key()).substr(0, 8) != std::string_view(ChunkKey(log, 0)).substr(0, 8)) return StoredChunk{};
    return StoredChunk{base::LoadBigEndian<int64_t>(it->key().data() + 8),
                       std::make_shared<const std::string>(ToView(it->value()))};
  }

  absl::Status VisitMetadata(const MetadataVisitor& visit) override {
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), metadata()));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      if (absl::Status status = visit(ToView(it->key()), ToView(it->value())); !status.ok()) {
        return base::Annotate(status, Description());
      }
    }
    return it->status().ok() ? absl::OkStatus() : Failed("cannot be read", it->status());
  }

  absl::Status Reclaim() override {
    if (!std::exchange(deleted_since_reclaim_, false)) return absl::OkStatus();
    uint64_t garbage = 0;
    uint64_t live = 0;
    db_->GetIntProperty(chunks(), rocksdb::DB::Properties::kLiveBlobFileGarbageSize, &garbage);
    db_->GetIntProperty(chunks(), rocksdb::DB::Properties::kLiveBlobFileSize, &live);
    // The garbage is known only after the keys' deletions have met them, which moves keys alone and is cheap.
    if (live < kReclaimBytes) return absl::OkStatus();
    rocksdb::CompactRangeOptions options;
    options.blob_garbage_collection_policy =
        garbage * 2 > live ? rocksdb::BlobGarbageCollectionPolicy::kForce : rocksdb::BlobGarbageCollectionPolicy::kUseDefault;
    const rocksdb::Status status = db_->CompactRange(options, chunks(), nullptr, nullptr);
    return status.ok() ? absl::OkStatus() : Failed("cannot be compacted", status);
  }

  std::string Description() const override { return absl::StrCat("embedded log at ", directory_); }

 private:
  rocksdb::ColumnFamilyHandle* metadata() const { return families_[0]; }
  rocksdb::ColumnFamilyHandle* chunks() const { return families_[1]; }

  absl::Status Damaged(LogId log, int64_t base) const {
    return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                       absl::StrCat("the embedded log in ", directory_, " is damaged at topic id ", log.topic, ", partition ",
                                    log.partition, ", offset ", base, "; restore the directory from a copy or delete it"));
  }

  absl::Status Failed(std::string_view what, const rocksdb::Status& status) const {
    const std::string start = absl::StrCat("the embedded log in ", directory_, " ", absl::string_view(what.data(), what.size()));
    if (status.IsNoSpace()) {
      return base::Error(Reaction::kRetry, absl::StatusCode::kResourceExhausted,
                         absl::StrCat(start, ": the disk is full; free some space (", status.ToString(), ")"));
    }
    if (status.IsCorruption()) {
      return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                         absl::StrCat(start, ": its files are damaged; restore the directory from a copy or delete it (",
                                      status.ToString(), ")"));
    }
    return base::Error(Reaction::kFatal, absl::StatusCode::kInternal,
                       absl::StrCat(start, "; look at the disk and the permissions (", status.ToString(), ")"));
  }

  const std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  TailCache tail_;
  bool deleted_since_reclaim_ = false;  // used only by Apply and Reclaim
};

}  // namespace

absl::StatusOr<std::unique_ptr<Storage>> OpenRocksStorage(const std::string& directory) {
  auto storage = std::make_unique<RocksStorage>(directory);
  TAILRACE_RETURN_IF_ERROR(storage->Open());
  return storage;
}

}  // namespace tailrace::kafka::embedded
