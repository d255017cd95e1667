// What the open databases of the process use, for metrics.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tailrace/state/memory_budget.h"

namespace tailrace::state {

// How long writes to one database have been slowed or stopped by RocksDB. Thread-safe; RocksDB calls it.
class WriteStalls final : public rocksdb::EventListener {
 public:
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override;
  double Seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  mutable std::mutex mu_;
  int stalled_families_ = 0;
  Clock::time_point since_;  // while there are any
  double seconds_ = 0;       // of stalls that are over
};

// Thread-safe.
class RocksdbUse {
 public:
  void Add(rocksdb::DB* db, std::shared_ptr<const WriteStalls> stalls);
  // Before the database closes; waits for a reading.
  void Remove(rocksdb::DB* db);
  // Without the block cache, which belongs to no database.
  EngineUse Read() const;

 private:
  mutable std::mutex mu_;
  std::map<rocksdb::DB*, std::shared_ptr<const WriteStalls>> open_;  // shared with the database's options
  double closed_stall_seconds_ = 0;
};

}  // namespace tailrace::state
