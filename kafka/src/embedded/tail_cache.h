// The newest chunks of every partition, in memory: a reader at the end of a partition never touches the disk.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "embedded/storage.h"

namespace tailrace::kafka::embedded {

// Thread-safe. Holds at most `bytes_max`; the chunk that was inserted first goes first, whatever its partition.
class TailCache {
 public:
  explicit TailCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // `newest`: the chunk is later than all of its partition. Others, which compaction writes, are not kept.
  void Insert(LogId log, const StoredChunk& chunk, bool newest);
  void Erase(LogId log, int64_t from, int64_t to);
  // As Storage::Read; false when the chunk that holds `offset` is not here, which says nothing about the disk.
  bool Read(LogId log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out);

 private:
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetErased() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t bytes_max_;
  absl::Mutex mu_;
  std::map<LogId, std::deque<StoredChunk>> logs_ ABSL_GUARDED_BY(mu_);
  std::deque<LogId> order_ ABSL_GUARDED_BY(mu_);  // one entry per insertion
  size_t chunks_ ABSL_GUARDED_BY(mu_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace tailrace::kafka::embedded
