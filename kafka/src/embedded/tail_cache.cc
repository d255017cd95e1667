#include "embedded/tail_cache.h"

#include <algorithm>

namespace tailrace::kafka::embedded {
namespace {

// What a chunk costs beside its bytes: two deque entries, the control block and the string.
constexpr size_t kOverheadBytes = 128;

// Entries of the drop order whose chunk was erased, before the order is made anew.
constexpr size_t kStaleEntriesMax = 1024;

size_t Cost(const StoredChunk& chunk) { return chunk.bytes->size() + kOverheadBytes; }

}  // namespace

void TailCache::Insert(LogId log, const StoredChunk& chunk, bool newest) {
  if (!newest) return;
  absl::MutexLock lock(&mu_);
  logs_[log].push_back(chunk);
  order_.push_back(log);
  bytes_ += Cost(chunk);
  ++chunks_;
  while (bytes_ > bytes_max_ && !order_.empty()) DropOldest();
  if (order_.size() > 2 * chunks_ + kStaleEntriesMax) ForgetErased();
}

void TailCache::ForgetErased() {
  order_.clear();
  for (const auto& [log, chunks] : logs_) order_.insert(order_.end(), chunks.size(), log);
}

void TailCache::DropOldest() {
  const LogId log = order_.front();
  order_.pop_front();
  auto found = logs_.find(log);
  // The chunk of this entry may have been erased: then a later entry of the partition stands for what is left, and an
  // early drop of it costs one read from disk.
  if (found == logs_.end()) return;
  bytes_ -= Cost(found->second.front());
  found->second.pop_front();
  --chunks_;
  if (found->second.empty()) logs_.erase(found);
}

void TailCache::Erase(LogId log, int64_t from, int64_t to) {
  absl::MutexLock lock(&mu_);
  auto found = logs_.find(log);
  if (found == logs_.end()) return;
  std::deque<StoredChunk>& chunks = found->second;
  if (from > chunks.front().base) {
    // A hole would break the order of reading, so everything before it goes too.
    from = chunks.front().base;
  }
  while (!chunks.empty() && chunks.front().base >= from && chunks.front().base < to) {
    bytes_ -= Cost(chunks.front());
    chunks.pop_front();
    --chunks_;
  }
  if (chunks.empty()) logs_.erase(found);
}

bool TailCache::Read(LogId log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out) {
  absl::MutexLock lock(&mu_);
  auto found = logs_.find(log);
  if (found == logs_.end() || found->second.front().base > offset) return false;
  const std::deque<StoredChunk>& chunks = found->second;
  auto at = std::upper_bound(chunks.begin(), chunks.end(), offset,
                             [](int64_t o, const StoredChunk& chunk) { return o < chunk.base; });
  --at;
  size_t bytes = 0;
  for (; at != chunks.end() && bytes < bytes_max; ++at) {
    ChunkInfo info;
    if (ParseChunkInfo(*at->bytes, info) && at->base + info.span <= offset) continue;
    out.push_back(*at);
    bytes += at->bytes->size();
  }
  return true;
}

}  // namespace tailrace::kafka::embedded
