// One memory budget for all stores of the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tailrace::state {

// Of all stores under a budget; counters start with the process.
struct EngineUse {
  uint64_t block_cache_bytes = 0;  // write buffers are charged to it, too
  uint64_t memtable_bytes = 0;
  uint64_t files = 0;
  uint64_t pending_compaction_bytes = 0;  // an estimate
  uint64_t background_errors = 0;         // of databases that are open
  double write_stall_seconds = 0;
};

// Shares one block cache and one write-buffer manager between all tasks, with a strict limit, and grants write-back cache
// bytes to stream threads. Thread-safe. It outlives every TaskState that uses it.
class MemoryBudget {
 public:
  // `bytes` is state.memory.bytes; 0 means a quarter of the container's memory limit (cgroup), or of the host's memory.
  static std::shared_ptr<MemoryBudget> Create(size_t bytes);
  virtual ~MemoryBudget() = default;

  virtual size_t total_bytes() const = 0;
  // What block cache and write buffers hold now.
  virtual size_t used_bytes() const = 0;
  // Asks every open database: for metrics.
  virtual EngineUse engine_use() const = 0;
};

}  // namespace tailrace::state
