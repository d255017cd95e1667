#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rdkafka/client.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::kafka::rdkafka {

class RdConsumer : public Consumer {
 public:
  static absl::StatusOr<std::unique_ptr<RdConsumer>> New(const Settings& settings);
  ~RdConsumer() override;

  absl::Status Assign(std::vector<AssignedPartition> partitions) override;
  absl::Status Poll(RecordBatch& batch, int timeout_ms) override;
  absl::Status Pause(std::span<const int32_t> sources) override;
  absl::Status Resume(std::span<const int32_t> sources) override;
  base::Offset Position(int32_t source) const override;
  absl::StatusOr<OffsetRange> QueryOffsets(const base::TopicPartition& partition, int timeout_ms) override;
  base::Offset KnownEnd(int32_t source) const override;

 private:
  class BatchStorage;

  struct Source {
    base::TopicPartition partition;
    int64_t position = base::kOffsetUnknown.value();
    // The end that was reached last; other than `position` when more has been delivered since.
    int64_t reached_end = base::kOffsetUnknown.value();
    bool paused = false;         // by the caller
    bool client_paused = false;  // in the client too, because enough is held already
    // Records that arrived while paused. Keeping them is cheap; pausing the client throws its buffer away.
    std::vector<rd_kafka_message_t*> held;
  };
  // How a message finds its source: by the address of its topic's object and its partition, mostly those of the one before.
  struct Route {
    const rd_kafka_topic_t* topic = nullptr;
    int32_t partition = -1;
    int32_t source = -1;
  };

  explicit RdConsumer(std::unique_ptr<Client> client);

  static BatchStorage& StorageOf(RecordBatch& batch);
  void WarmUp(rd_kafka_topic_t* topic);
  int32_t FindSource(const rd_kafka_message_t& message);
  void Accept(rd_kafka_message_t* message, RecordBatch& batch, BatchStorage& storage);
  void Deliver(rd_kafka_message_t* message, int32_t index, RecordBatch& batch, BatchStorage& storage);
  void AcceptError(const rd_kafka_message_t& message);
  absl::Status OutOfRange(const Source& source, const rd_kafka_message_t& message);
  void DeliverHeld(RecordBatch& batch, BatchStorage& storage);
  absl::Status PauseClient(Source& source);
  absl::Status ResumeClient(Source& source);
  void DropHeld();

  const std::unique_ptr<Client> client_;
  QueuePtr queue_;
  std::vector<Source> sources_;
  std::vector<TopicPtr> topics_;  // keeps the addresses of the assigned topics' objects
  std::vector<Route> routes_;
  Route last_;
  std::vector<rd_kafka_message_t*> messages_;  // room for one poll
  absl::Status pending_error_;                 // came with records, which go first
  bool any_held_ = false;
  size_t last_count_ = 0;
};

}  // namespace tailrace::kafka::rdkafka
