// The process's share of RocksDB: block cache, write-buffer manager, file manager and background threads.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/write_buffer_manager.h>

#include <memory>

#include "rocksdb_use.h"
#include "tailrace/state/memory_budget.h"

namespace tailrace::state {

// Thread-safe. RocksDB's own shared_ptrs keep the parts alive while a database uses them.
class RocksdbMemory final : public MemoryBudget {
 public:
  explicit RocksdbMemory(size_t bytes);

  size_t total_bytes() const override { return total_bytes_; }
  size_t used_bytes() const override;
  EngineUse engine_use() const override;

  const std::shared_ptr<rocksdb::Cache>& block_cache() const { return block_cache_; }
  const std::shared_ptr<rocksdb::WriteBufferManager>& write_buffers() const { return write_buffers_; }
  const std::shared_ptr<rocksdb::SstFileManager>& file_manager() const { return file_manager_; }
  const std::shared_ptr<rocksdb::Logger>& logger() const { return logger_; }
  RocksdbUse& use() { return use_; }

 private:
  const size_t total_bytes_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers_;
  std::shared_ptr<rocksdb::SstFileManager> file_manager_;
  std::shared_ptr<rocksdb::Logger> logger_;
  RocksdbUse use_;
};

// The container's memory limit, or the host's memory. Reads the cgroup files below `root` ("/" but in tests).
size_t AvailableMemoryBytes(const std::string& root);

}  // namespace tailrace::state
