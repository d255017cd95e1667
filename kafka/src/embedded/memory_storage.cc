#include <algorithm>
#include <deque>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "embedded/storage.h"

namespace tailrace::kafka::embedded {
namespace {

// Chunks in deques, so that a reader shares them without a copy and DeleteRecords gives memory back at once.
class MemoryStorage : public Storage {
 public:
  absl::Status Apply(const StorageBatch& batch) override {
    absl::MutexLock lock(&mu_);
    for (const StorageBatch::Delete& range : batch.deletes) Erase(range);
    for (const StorageBatch::Put& put : batch.puts) Insert(put);
    return absl::OkStatus();
  }

  absl::Status Read(LogId log, int64_t offset, size_t bytes_max, std::vector<StoredChunk>& out) override {
    absl::ReaderMutexLock lock(&mu_);
    auto found = logs_.find(log);
    if (found == logs_.end()) return absl::OkStatus();
    const Chunks& chunks = found->second;
    auto at = std::upper_bound(chunks.begin(), chunks.end(), offset,
                               [](int64_t o, const StoredChunk& chunk) { return o < chunk.base; });
    if (at != chunks.begin()) --at;
    size_t bytes = 0;
    for (; at != chunks.end() && bytes < bytes_max; ++at) {
      ChunkInfo info;
      if (ParseChunkInfo(*at->bytes, info) && at->base + info.span <= offset) continue;
      out.push_back(*at);
      bytes += at->bytes->size();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<StoredChunk> Last(LogId log) override {
    absl::ReaderMutexLock lock(&mu_);
    auto found = logs_.find(log);
    if (found == logs_.end() || found->second.empty()) return StoredChunk{};
    return found->second.back();
  }

  // The engine keeps all metadata in memory itself.
  absl::Status VisitMetadata(const MetadataVisitor&) override { return absl::OkStatus(); }
  absl::Status Reclaim() override { return absl::OkStatus(); }
  std::string Description() const override { return "in-memory log"; }

 private:
  using Chunks = std::deque<StoredChunk>;

  static Chunks::iterator LowerBound(Chunks& chunks, int64_t base) {
    return std::lower_bound(chunks.begin(), chunks.end(), base,
                            [](const StoredChunk& chunk, int64_t b) { return chunk.base < b; });
  }

  void Erase(const StorageBatch::Delete& range) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    auto found = logs_.find(range.log);
    if (found == logs_.end()) return;
    Chunks& chunks = found->second;
    chunks.erase(LowerBound(chunks, range.from), LowerBound(chunks, range.to));
    if (chunks.empty()) logs_.erase(found);
  }

  void Insert(const StorageBatch::Put& put) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Chunks& chunks = logs_[put.log];
    if (chunks.empty() || chunks.back().base < put.chunk.base) {
      chunks.push_back(put.chunk);
    } else {
      chunks.insert(LowerBound(chunks, put.chunk.base), put.chunk);
    }
  }

  absl::Mutex mu_;
  std::map<LogId, Chunks> logs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<Storage> NewMemoryStorage() { return std::make_unique<MemoryStorage>(); }

}  // namespace tailrace::kafka::embedded
