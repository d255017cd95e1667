#include "embedded/embedded_consumer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::kafka::embedded {
namespace {

using base::Reaction;

// What one partition may take of a poll while others have records too.
constexpr size_t kShareMin = 500;

class BatchStorage : public RecordBatch::Storage {
 public:
  void Clear() override { chunks_.clear(); }
  Headers HeadersOf(const RecordView& record) const override { return DecodeHeaders(record.native); }
  void Hold(const ChunkBytes& chunk) { chunks_.push_back(chunk); }

 private:
  std::vector<ChunkBytes> chunks_;
};

BatchStorage& StorageOf(RecordBatch& batch) {
  auto* storage = dynamic_cast<BatchStorage*>(batch.storage());
  if (storage == nullptr) {
    batch.set_storage(std::make_unique<BatchStorage>());
    storage = static_cast<BatchStorage*>(batch.storage());
  }
  return *storage;
}

}  // namespace

absl::Status EmbeddedConsumer::Assign(std::vector<AssignedPartition> partitions) {
  std::vector<Source> sources;
  sources.reserve(partitions.size());
  for (AssignedPartition& assigned : partitions) {
    Source source;
    TAILRACE_ASSIGN_OR_RETURN(source.topic, engine_.Require(assigned.partition));
    source.log = source.topic->partitions[static_cast<size_t>(assigned.partition.partition.value())].get();
    source.partition = std::move(assigned.partition);
    if (assigned.start == base::kOffsetBeginning) {
      source.position = source.log->begin;
    } else if (assigned.start == base::kOffsetEnd) {
      source.position = source.log->end;
    } else {
      source.position = assigned.start.value();
    }
    sources.push_back(std::move(source));
  }
  sources_ = std::move(sources);
  first_ = 0;
  return absl::OkStatus();
}

bool EmbeddedConsumer::HasData(const Source& source) const {
  if (source.paused || source.failed) return false;
  return source.topic->deleted || source.position != source.log->end || source.position < source.log->begin;
}

bool EmbeddedConsumer::AnyData() const {
  return std::any_of(sources_.begin(), sources_.end(), [this](const Source& source) { return HasData(source); });
}

absl::Status EmbeddedConsumer::Poll(RecordBatch& batch, int timeout_ms) {
  batch.Clear();
  StorageOf(batch);
  if (!AnyData()) {
    if (timeout_ms <= 0) return absl::OkStatus();
    if (!engine_.WaitForAppend(timeout_ms, [this] { return AnyData(); })) return absl::OkStatus();
  }
  const auto ready = static_cast<size_t>(
      std::count_if(sources_.begin(), sources_.end(), [this](const Source& source) { return HasData(source); }));
  constexpr auto kAll = static_cast<size_t>(base::limits::kPollRecordsMax);
  const size_t share = std::max(kShareMin, kAll / std::max<size_t>(ready, 1));
  const size_t count = sources_.size();
  size_t visited = 0;
  for (; visited < count && batch.records().size() < kAll; ++visited) {
    const size_t index = (first_ + visited) % count;
    if (!HasData(sources_[index])) continue;
    const size_t room = std::min(share, kAll - batch.records().size());
    if (absl::Status status = Deliver(static_cast<int32_t>(index), room, batch); !status.ok()) {
      // What is in the batch already is lost to the caller with the error, so those sources go back.
      if (batch.empty()) return status;
      sources_[index].failed = false;
      break;
    }
  }
  first_ = count == 0 ? 0 : (first_ + std::max<size_t>(visited, 1)) % count;
  return absl::OkStatus();
}

absl::Status EmbeddedConsumer::Deliver(int32_t index, size_t records_max, RecordBatch& batch) {
  Source& source = sources_[static_cast<size_t>(index)];
  if (source.topic->deleted) {
    source.failed = true;
    return base::Error(Reaction::kFatal, absl::StatusCode::kNotFound,
                       absl::StrCat("topic ", source.partition.topic, " was deleted while it was read"));
  }
  const int64_t end = source.log->end;
  if (source.position < source.log->begin || source.position > end) return OutOfRange(source);
  std::vector<RecordView>& records = batch.mutable_records();
  BatchStorage& storage = StorageOf(batch);
  RecordView record;
  record.source = index;
  size_t delivered = 0;
  if (source.reading != nullptr) storage.Hold(source.reading);
  while (delivered < records_max && source.position < end) {
    if (!source.reader.Next(record)) {
      if (source.reader.damaged()) {
        source.failed = true;
        return base::Error(Reaction::kFatal, absl::StatusCode::kDataLoss,
                           absl::StrCat(engine_.Description(), " is damaged at ", source.partition.ToString(), " near offset ",
                                        source.position, "; restore the directory from a copy or delete it"));
      }
      source.reading = nullptr;
      if (source.next_chunk == source.chunks.size()) {
        TAILRACE_RETURN_IF_ERROR(Fetch(source));
        if (source.chunks.empty()) {
          // Nothing is left before `end`: its last records were compacted away or deleted.
          source.position = end;
          break;
        }
      }
      StoredChunk& chunk = source.chunks[source.next_chunk++];
      source.reader = ChunkReader(*chunk.bytes, chunk.base);
      source.reading = std::move(chunk.bytes);
      storage.Hold(source.reading);
      continue;
    }
    const int64_t offset = record.offset.value();
    if (offset < source.position) continue;
    records.push_back(record);
    source.position = offset + 1;
    ++delivered;
  }
  return absl::OkStatus();
}

absl::Status EmbeddedConsumer::Fetch(Source& source) {
  source.chunks.clear();
  source.next_chunk = 0;
  return engine_.Read(*source.log, source.position, base::limits::kLogReadBytesMax, source.chunks);
}

absl::Status EmbeddedConsumer::OutOfRange(Source& source) {
  source.failed = true;
  return base::Error(Reaction::kTaskCorrupted, absl::StatusCode::kOutOfRange,
                     absl::StrCat("offset ", source.position, " of ", source.partition.ToString(), " is outside the log [",
                                  source.log->begin.load(), ", ", source.log->end.load(),
                                  "]: its records were deleted or the topic was made anew"));
}

absl::Status EmbeddedConsumer::CheckSources(std::span<const int32_t> sources) const {
  for (int32_t source : sources) {
    TAILRACE_CHECK(source >= 0 && static_cast<size_t>(source) < sources_.size(), "a source is an index into the assignment");
  }
  return absl::OkStatus();
}

absl::Status EmbeddedConsumer::Pause(std::span<const int32_t> sources) {
  TAILRACE_RETURN_IF_ERROR(CheckSources(sources));
  for (int32_t source : sources) sources_[static_cast<size_t>(source)].paused = true;
  return absl::OkStatus();
}

absl::Status EmbeddedConsumer::Resume(std::span<const int32_t> sources) {
  TAILRACE_RETURN_IF_ERROR(CheckSources(sources));
  for (int32_t source : sources) sources_[static_cast<size_t>(source)].paused = false;
  return absl::OkStatus();
}

base::Offset EmbeddedConsumer::Position(int32_t source) const {
  return base::Offset{sources_.at(static_cast<size_t>(source)).position};
}

absl::StatusOr<OffsetRange> EmbeddedConsumer::QueryOffsets(const base::TopicPartition& partition, int) {
  TAILRACE_ASSIGN_OR_RETURN(TopicRef topic, engine_.Require(partition));
  const PartitionLog& log = *topic->partitions[static_cast<size_t>(partition.partition.value())];
  return OffsetRange{base::Offset{log.begin}, base::Offset{log.end}};
}

base::Offset EmbeddedConsumer::KnownEnd(int32_t source) const {
  return base::Offset{sources_.at(static_cast<size_t>(source)).log->end};
}

}  // namespace tailrace::kafka::embedded
