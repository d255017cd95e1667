// One task's database: a column family per store and one for metadata.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "log_debt.h"
#include "backend.h"
#include "rocksdb_load.h"
#include "rocksdb_memory.h"

namespace tailrace::state {

// The open database. Shared by the backend and by the snapshots of views: it closes with the last of them.
struct RocksdbDatabase {
  ~RocksdbDatabase();

  std::string directory;
  std::shared_ptr<RocksdbMemory> memory;  // outlives the database
  std::shared_ptr<LogDebt> log_debt;     // shared with its log files
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> stores;  // by store index; null for stores kept in memory
  rocksdb::ColumnFamilyHandle* metadata = nullptr;
  std::atomic<int> live_snapshots{0};
};

class RocksdbBackend final : public Backend {
 public:
  struct Options {
    std::string directory;  // the task's; the database is in its folder "db"
    std::string identity;   // of application and task
    std::shared_ptr<MemoryBudget> memory;
    // By store index: the description that fixes the layout on disk; empty name for stores kept in memory.
    struct Store {
      std::string name;
      std::string layout;
    };
    std::vector<Store> stores;
  };
  // `stored_layouts` receives the layout with which each store was created, `commit_record` that of the last commit (empty
  // for a new database).
  static absl::StatusOr<std::unique_ptr<RocksdbBackend>> Open(const Options& options,
                                                              std::vector<std::string>& stored_layouts,
                                                              std::string& commit_record);

  absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const override;
  std::unique_ptr<BackendCursor> NewCursor(int32_t store) const override;
  ~RocksdbBackend() override;
  BackendBatch& NewBatch() override;
  // A batch for Write with Durability::kDeferred. When it is not to be written after all: DropLoad.
  BackendBatch& NewLoad();
  void DropLoad() { load_.Drop(); }
  // Makes what deferred writes have staged readable. Reading does it too.
  absl::Status Settle() const;
  absl::Status Write(std::string_view commit_record, Durability durability) override;
  std::shared_ptr<const BackendReader> Snapshot() override;
  absl::Status Flush() override;
  void ReleaseBefore(int32_t store, std::string_view to) override;

 private:
  class Batch final : public BackendBatch {
   public:
    void Put(int32_t store, std::string_view key1, std::string_view key2, std::string_view value1,
             std::string_view value2) override;
    void Delete(int32_t store, std::string_view key1, std::string_view key2) override;
    void DeleteBefore(int32_t store, std::string_view to) override;

   private:
    friend class RocksdbBackend;
    rocksdb::WriteBatch batch_;
    RocksdbDatabase* database_ = nullptr;
  };

  explicit RocksdbBackend(std::shared_ptr<RocksdbDatabase> database)
      : database_(std::move(database)), load_(database_.get(), database_->stores.size()) {
    batch_.database_ = database_.get();
  }
  absl::Status Error(const rocksdb::Status& status, std::string_view what) const;
  absl::Status FlushFamilies(bool wait);
  absl::Status ResumeAfterFailure() const;

  std::shared_ptr<RocksdbDatabase> database_;  // shared with snapshots
  Batch batch_;
  // Mutable, because reading first settles what is staged.
  mutable RocksdbLoad load_;
  mutable bool deferred_writes_ = false;  // written without log and not yet flushed
  mutable bool failed_ = false;           // the last write failed: ask RocksDB to resume before the next
};

}  // namespace tailrace::state
