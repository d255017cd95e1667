#pragma once

#include <memory>
#include <vector>

#include "embedded/log_engine.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::kafka::embedded {

// Reads chunks of the engine; the batch shares them, so no record is copied.
class EmbeddedConsumer : public Consumer {
 public:
  explicit EmbeddedConsumer(LogEngine& engine) : engine_(engine) {}

  absl::Status Assign(std::vector<AssignedPartition> partitions) override;
  absl::Status Poll(RecordBatch& batch, int timeout_ms) override;
  absl::Status Pause(std::span<const int32_t> sources) override;
  absl::Status Resume(std::span<const int32_t> sources) override;
  base::Offset Position(int32_t source) const override;
  absl::StatusOr<OffsetRange> QueryOffsets(const base::TopicPartition& partition, int timeout_ms) override;
  base::Offset KnownEnd(int32_t source) const override;

 private:
  struct Source {
    base::TopicPartition partition;
    TopicRef topic;
    PartitionLog* log = nullptr;
    int64_t position = 0;
    bool paused = false;
    bool failed = false;  // reported; silent until the next Assign
    // Chunks that were read and not yet delivered; `reader` walks the front one.
    std::vector<StoredChunk> chunks;
    size_t next_chunk = 0;
    ChunkReader reader;
    ChunkBytes reading;
  };

  absl::Status CheckSources(std::span<const int32_t> sources) const;
  bool HasData(const Source& source) const;
  bool AnyData() const;
  absl::Status Deliver(int32_t index, size_t records_max, RecordBatch& batch);
  absl::Status Fetch(Source& source);
  absl::Status OutOfRange(Source& source);

  LogEngine& engine_;
  std::vector<Source> sources_;
  size_t first_ = 0;  // the source whose turn it is
};

}  // namespace tailrace::kafka::embedded
