// A consumer that puts the records of its inputs in order by time, and withholds what lies behind an end (replay_reading.h).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tailrace/kafka/consumer.h"
#include "tailrace/processor/replay_reading.h"

namespace tailrace::processor {

// As kafka::Consumer. `reading` outlives it. Records that wait are copied, at most some thousand per partition.
class ReplayConsumer final : public kafka::Consumer {
 public:
  ReplayConsumer(std::unique_ptr<kafka::Consumer> inner, const ReplayReading& reading);
  ~ReplayConsumer() override;

  absl::Status Assign(std::vector<kafka::AssignedPartition> partitions) override;
  absl::Status Poll(kafka::RecordBatch& batch, int timeout_ms) override;
  absl::Status Pause(std::span<const int32_t> sources) override;
  absl::Status Resume(std::span<const int32_t> sources) override;
  base::Offset Position(int32_t source) const override;
  absl::StatusOr<kafka::OffsetRange> QueryOffsets(const base::TopicPartition& partition, int timeout_ms) override {
    return inner_->QueryOffsets(partition, timeout_ms);
  }
  base::Offset KnownEnd(int32_t source) const override;

 private:
  class Storage;
  struct Held {
    base::Offset offset;
    int64_t timestamp_ms = 0;
    bool has_key = false;
    bool has_value = false;
    std::string key;
    std::string value;
    kafka::Headers headers;
  };
  struct Source {
    bool ordered = false;
    base::Offset end = base::kOffsetUnknown;  // kOffsetUnknown: none
    bool paused = false;                      // by the caller
    bool inner_paused = false;
    std::deque<Held> held;
  };

  // Takes what the inner consumer gives.
  absl::Status Fetch(int timeout_ms);
  // The source whose record comes next; -1: none may be given out yet.
  int32_t Next(bool in_order) const;
  // Whether all inputs are here, or not expected any more.
  bool AllAssigned() const;
  // Whether nothing more comes from this source for now.
  bool AtEnd(size_t source) const;
  absl::Status Settle(size_t source);
  Storage& StorageOf(kafka::RecordBatch& batch);

  const std::unique_ptr<kafka::Consumer> inner_;
  const ReplayReading& reading_;
  std::vector<Source> sources_;
  kafka::RecordBatch raw_;
  size_t ordered_ = 0;              // sources that are inputs
  int64_t first_assigned_ms_ = -1;  // when this consumer got its first input
  bool any_held_ = false;
  bool any_end_ = false;
  int64_t waiting_since_ms_ = -1;  // for a source without records while others have some
};

}  // namespace tailrace::processor
