// The part of LogEngine that deletes: DeleteRecords, retention, compaction; and the look-up by time, which walks the
// chunks in the same way.
#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/unordered/unordered_flat_map.hpp"
#include "embedded/log_engine.h"
#include "tailrace/base/limits.h"
#include "xxhash.h"

namespace tailrace::kafka::embedded {
namespace {

using base::Reaction;

// 128 bits of a key: the chance that two keys of a partition meet is below 1e-20 for billions of keys.
struct KeyHash {
  uint64_t low;
  uint64_t high;
  friend bool operator==(const KeyHash&, const KeyHash&) = default;
  friend size_t hash_value(const KeyHash& hash) { return hash.low; }
};

KeyHash HashOf(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {hash.low64, hash.high64};
}

// Deltas inside a chunk have 32 bits.
constexpr int64_t kDeltaMax = INT32_MAX;

using LastOffsets = boost::unordered_flat_map<KeyHash, int64_t>;

absl::Status Damaged(std::string_view description, const PartitionLog& log, int64_t base) {
  return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                     absl::StrCat(absl::string_view(description.data(), description.size()), " is damaged at topic id ",
                                  log.id.topic, ", partition ", log.id.partition, ", offset ", base,
                                  "; restore the directory from a copy or delete it"));
}

int64_t ConfigMs(const StoredTopic& topic, const std::string& name, int64_t otherwise) {
  auto found = topic.config.find(name);
  if (found == topic.config.end()) return otherwise;
  int64_t value = otherwise;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

bool HasPolicy(const StoredTopic& topic, std::string_view policy) {
  auto found = topic.config.find("cleanup.policy");
  if (found == topic.config.end()) return policy == "delete";
  return found->second.find(policy) != std::string::npos;
}

}  // namespace

absl::Status LogEngine::VisitChunks(const PartitionLog& log, int64_t from, int64_t to,
                                    const std::function<absl::Status(const StoredChunk&)>& visit) {
  std::vector<StoredChunk> chunks;
  while (from < to) {
    chunks.clear();
    TAILRACE_RETURN_IF_ERROR(storage_->Read(log.id, from, base::limits::kLogReadBytesMax, chunks));
    if (chunks.empty()) return absl::OkStatus();
    for (const StoredChunk& chunk : chunks) {
      if (chunk.base >= to) return absl::OkStatus();
      ChunkInfo info;
      if (!ParseChunkInfo(*chunk.bytes, info)) return Damaged(Description(), log, chunk.base);
      if (absl::Status status = visit(chunk); !status.ok()) return absl::IsCancelled(status) ? absl::OkStatus() : status;
      from = chunk.base + info.span;
    }
  }
  return absl::OkStatus();
}

absl::Status LogEngine::DeleteBefore(const Topic& topic, PartitionLog& log, int64_t before) {
  before = std::min(before, log.end.load());
  if (before <= log.begin) return absl::OkStatus();
  // A chunk is dropped once all of it is before the new begin; the begin hides the rest of the one it falls into.
  std::vector<StoredChunk> holder;
  TAILRACE_RETURN_IF_ERROR(storage_->Read(log.id, before, 1, holder));
  const int64_t drop_before = holder.empty() ? before : std::min(holder.front().base, before);
  StorageBatch batch;
  batch.deletes.push_back({log.id, 0, drop_before});
  batch.metadata.emplace_back(LogBeginKey(log.id), EncodeI64(before));
  // The begin moves first, so that no reader takes a missing chunk for a gap.
  const int64_t old_begin = log.begin.exchange(before);
  if (absl::Status status = storage_->Apply(batch); !status.ok()) {
    log.begin = old_begin;
    return base::Annotate(status, absl::StrCat("delete records of ", topic.name, "-", log.id.partition));
  }
  return absl::OkStatus();
}

absl::Status LogEngine::DeleteRecords(const TopicRef& topic, base::Partition partition, int64_t before) {
  absl::MutexLock lock(&mu_);
  PartitionLog& log = *topic->partitions.at(static_cast<size_t>(partition.value()));
  if (before == base::kOffsetEnd.value()) before = log.end;
  if (before < 0 || before > log.end) {
    return base::Error(Reaction::kFatal, absl::StatusCode::kOutOfRange,
                       absl::StrCat("delete records of ", topic->name, "-", partition.value(), ": offset ", before,
                                    " is outside [", log.begin.load(), ", ", log.end.load(), "]"));
  }
  return DeleteBefore(*topic, log, before);
}

absl::StatusOr<int64_t> LogEngine::OffsetForTime(const PartitionLog& log, int64_t timestamp_ms) {
  const int64_t begin = log.begin;
  const int64_t end = log.end;
  int64_t found = end;
  TAILRACE_RETURN_IF_ERROR(VisitChunks(log, begin, end, [&](const StoredChunk& chunk) {
    ChunkInfo info;
    if (!ParseChunkInfo(*chunk.bytes, info) || info.max_timestamp_ms < timestamp_ms) return absl::OkStatus();
    ChunkReader reader(*chunk.bytes, chunk.base);
    RecordView record;
    while (found == end && reader.Next(record)) {
      const int64_t offset = record.offset.value();
      if (record.timestamp_ms >= timestamp_ms && offset >= begin && offset < end) found = offset;
    }
    return found < end ? absl::CancelledError() : absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<int64_t> LogEngine::FirstKept(const PartitionLog& log, int64_t oldest_ms) {
  const int64_t end = log.end;
  int64_t keep = end;
  TAILRACE_RETURN_IF_ERROR(VisitChunks(log, log.begin, end, [&](const StoredChunk& chunk) {
    ChunkInfo info;
    if (!ParseChunkInfo(*chunk.bytes, info) || info.max_timestamp_ms < oldest_ms) return absl::OkStatus();
    keep = chunk.base;
    return absl::CancelledError();
  }));
  return keep;
}

absl::Status LogEngine::ApplyRetention() {
  for (const TopicRef& topic : Topics()) {
    const int64_t retention_ms = ConfigMs(topic->stored, "retention.ms", -1);
    if (retention_ms < 0 || !HasPolicy(topic->stored, "delete")) continue;
    for (const auto& log : topic->partitions) {
      TAILRACE_ASSIGN_OR_RETURN(const int64_t keep, FirstKept(*log, clock_.WallMs() - retention_ms));
      absl::MutexLock lock(&mu_);
      if (!topic->deleted) TAILRACE_RETURN_IF_ERROR(DeleteBefore(*topic, *log, keep));
    }
  }
  absl::MutexLock lock(&mu_);
  return storage_->Reclaim();
}

absl::Status LogEngine::Compact(bool force) {
  for (const TopicRef& topic : Topics()) {
    if (!HasPolicy(topic->stored, "compact")) continue;
    for (const auto& log : topic->partitions) {
      const int64_t dirty = log->dirty_bytes;
      if (!force && (dirty < base::limits::kLogCompactionBytes || dirty < log->clean_bytes)) continue;
      TAILRACE_RETURN_IF_ERROR(CompactPartition(*topic, *log));
    }
  }
  absl::MutexLock lock(&mu_);
  return storage_->Reclaim();
}

absl::Status LogEngine::CompactPartition(const Topic& topic, PartitionLog& log) {
  TAILRACE_ASSIGN_OR_RETURN(const StoredChunk newest, storage_->Last(log.id));
  if (newest.bytes == nullptr) return absl::OkStatus();
  const int64_t begin = log.begin;
  const int64_t end = log.end;
  log.dirty_bytes = 0;
  LastOffsets last;
  TAILRACE_RETURN_IF_ERROR(VisitChunks(log, begin, end, [&](const StoredChunk& chunk) {
    ChunkReader reader(*chunk.bytes, chunk.base);
    RecordView record;
    while (reader.Next(record)) {
      const KeyHash hash = HashOf(record.key.view());
      auto found = last.find(hash);
      if (found != last.end()) {
        found->second = record.offset.value();
      } else if (last.size() < base::limits::kLogCompactionKeysMax) {
        last.emplace(hash, record.offset.value());
      }
    }
    return absl::OkStatus();
  }));

  // Tombstones have done their work once every reader has had delete.retention.ms (a day) to see them.
  const int64_t tombstones_before_ms = clock_.WallMs() - ConfigMs(topic.stored, "delete.retention.ms", 86'400'000);
  auto kept = [&](const RecordView& record) {
    if (record.offset.value() < begin) return false;
    if (record.key.is_null()) return true;
    auto found = last.find(HashOf(record.key.view()));
    if (found != last.end() && found->second > record.offset.value()) return false;
    return !record.value.is_null() || record.timestamp_ms >= tombstones_before_ms;
  };

  // A stretch of chunks is replaced by what is kept of it, in one write; readers see the one or the other.
  int64_t clean_bytes = static_cast<int64_t>(newest.bytes->size());
  int64_t stretch_from = -1;
  int64_t stretch_to = -1;
  size_t stretch_bytes = 0;
  size_t stretch_chunks = 0;
  size_t dropped = 0;
  StorageBatch batch;
  ChunkBuilder builder;
  int64_t builder_base = 0;
  auto seal = [&] {
    if (builder.empty()) return;
    StoredChunk chunk{builder_base, builder.Seal()};
    clean_bytes += static_cast<int64_t>(chunk.bytes->size());
    batch.puts.push_back({log.id, std::move(chunk)});
  };
  auto finish_stretch = [&]() -> absl::Status {
    seal();
    if (stretch_from >= 0 && (dropped > 0 || batch.puts.size() * 2 <= stretch_chunks)) {
      batch.deletes.push_back({log.id, stretch_from, stretch_to});
      absl::MutexLock lock(&mu_);
      // Records deleted meanwhile must not come back; the next compaction does this stretch.
      if (!topic.deleted && log.begin <= begin) TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
    }
    batch = {};
    stretch_from = -1;
    stretch_bytes = stretch_chunks = dropped = 0;
    return absl::OkStatus();
  };
  TAILRACE_RETURN_IF_ERROR(VisitChunks(log, begin, newest.base, [&](const StoredChunk& chunk) -> absl::Status {
    if (stretch_from < 0) stretch_from = chunk.base;
    stretch_to = chunk.base + 1;
    stretch_bytes += chunk.bytes->size();
    ++stretch_chunks;
    ChunkReader reader(*chunk.bytes, chunk.base);
    RecordView record;
    while (reader.Next(record)) {
      if (!kept(record)) {
        ++dropped;
        continue;
      }
      const int64_t offset = record.offset.value();
      if (offset - builder_base > kDeltaMax) seal();
      if (builder.empty()) builder_base = offset;
      builder.AddRaw(static_cast<uint32_t>(offset - builder_base), reader.raw(), record.timestamp_ms);
      if (builder.bytes() >= base::limits::kLogChunkBytes) seal();
    }
    if (reader.damaged()) return Damaged(Description(), log, chunk.base);
    return stretch_bytes >= base::limits::kLogReadBytesMax ? finish_stretch() : absl::OkStatus();
  }));
  TAILRACE_RETURN_IF_ERROR(finish_stretch());
  log.clean_bytes = clean_bytes;
  return absl::OkStatus();
}

}  // namespace tailrace::kafka::embedded
