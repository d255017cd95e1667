#include "rocksdb_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "rocksdb_env.h"

namespace tailrace::state {
namespace {

// Below this RocksDB spends its time flushing.
constexpr size_t kBudgetBytesMin = size_t{8} << 20;

// What goes wrong reaches the caller as a status; RocksDB's own log would cost a file and a rotation per task.
class SilentLogger final : public rocksdb::Logger {
 public:
  SilentLogger() : Logger(rocksdb::InfoLogLevel::HEADER_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

size_t ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text) || text == "max") return SIZE_MAX;
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  return end == text.c_str() || value == 0 ? SIZE_MAX : static_cast<size_t>(value);
}

// The cgroup of this process, as /proc/self/cgroup names it ("0::/path" or "9:memory:/path").
std::string CgroupPath(const std::string& root, const std::string& marker) {
  std::ifstream file(root + "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (const size_t at = line.find(marker); at != std::string::npos) return line.substr(at + marker.size());
  }
  return "/";
}

}  // namespace

size_t AvailableMemoryBytes(const std::string& root) {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGE_SIZE);
  size_t limit = pages > 0 && page_bytes > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page_bytes) : size_t{1} << 30;
  const std::string base = root + "sys/fs/cgroup";
  limit = std::min(limit, ReadLimit(base + "/memory.max"));
  limit = std::min(limit, ReadLimit(base + CgroupPath(root, "0::") + "/memory.max"));
  limit = std::min(limit, ReadLimit(base + "/memory/memory.limit_in_bytes"));
  limit = std::min(limit, ReadLimit(base + "/memory" + CgroupPath(root, ":memory:") + "/memory.limit_in_bytes"));
  return limit;
}

RocksdbMemory::RocksdbMemory(size_t bytes)
    : total_bytes_(std::max(bytes == 0 ? AvailableMemoryBytes("/") / 4 : bytes, kBudgetBytesMin)) {
  rocksdb::LRUCacheOptions cache;
  cache.capacity = total_bytes_;
  // Write buffers are charged to the cache and so push blocks out. The limit on pinned blocks stays soft: a hard one would
  // answer a query or a lookup with an error just when memory is short.
  cache.strict_capacity_limit = false;
  cache.high_pri_pool_ratio = 0.3;
  cache.num_shard_bits = total_bytes_ >= (size_t{256} << 20) ? 4 : 2;
  cache.use_adaptive_mutex = true;
  block_cache_ = rocksdb::NewLRUCache(cache);
  write_buffers_ = std::make_shared<rocksdb::WriteBufferManager>(total_bytes_ / 2, block_cache_);
  file_manager_.reset(rocksdb::NewSstFileManager(StateEnv()));
  logger_ = std::make_shared<SilentLogger>();
  // One fixed set of threads for all databases of the process.
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  StateEnv()->SetBackgroundThreads(std::clamp(cores / 2, 1, 4), rocksdb::Env::Priority::LOW);
  StateEnv()->SetBackgroundThreads(std::clamp(cores / 4, 1, 2), rocksdb::Env::Priority::HIGH);
}

size_t RocksdbMemory::used_bytes() const { return block_cache_->GetUsage(); }

EngineUse RocksdbMemory::engine_use() const {
  EngineUse use = use_.Read();
  use.block_cache_bytes = used_bytes();
  return use;
}

std::shared_ptr<MemoryBudget> MemoryBudget::Create(size_t bytes) { return std::make_shared<RocksdbMemory>(bytes); }

}  // namespace tailrace::state
