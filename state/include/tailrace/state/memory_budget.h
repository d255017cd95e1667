// One memory budget for all stores of the process.
#pragma once

#include <cstddef>
#include <memory>

namespace tailrace::state {

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
};

}  // namespace tailrace::state
