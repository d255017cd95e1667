#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rdkafka/client.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::kafka::rdkafka {

// What a Membership hands out and SendOffsets takes back.
struct RdGroupMetadata : GroupMetadata {
  std::shared_ptr<const rd_kafka_consumer_group_metadata_t> metadata;  // shared with calls that use it
  std::string group;
  int32_t generation = -1;
};

class RdProducer : public Producer {
 public:
  static absl::StatusOr<std::unique_ptr<RdProducer>> New(const Settings& settings);
  ~RdProducer() override;

  absl::StatusOr<TopicHandle> Topic(std::string_view name) override;
  absl::StatusOr<int32_t> PartitionCount(TopicHandle topic) override;
  absl::Status Send(const OutgoingRecord& record) override;
  absl::Status Flush(int timeout_ms) override;
  base::Offset LastDelivered(TopicHandle topic, base::Partition partition) const override;
  absl::Status InitTransactions(int timeout_ms) override;
  absl::Status BeginTransaction() override;
  absl::Status SendOffsets(std::span<const OffsetToCommit> offsets, const GroupMetadata& group) override;
  absl::Status CommitTransaction() override;
  absl::Status AbortTransaction() override;

 private:
  // The opaque of every message of the topic, so its address stays.
  struct OpenTopic {
    RdProducer* producer = nullptr;
    std::string name;
    TopicPtr topic;                       // null until the topic is found to exist
    std::vector<int64_t> last_delivered;  // per partition; its size is the partition count
  };

  RdProducer(const Settings& settings);
  static void OnDelivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque);
  absl::Status Resolve(OpenTopic& topic);
  absl::StatusOr<int32_t> AskPartitionCount(const std::string& topic);
  absl::Status Produce(OpenTopic& topic, const OutgoingRecord& record);
  absl::Status WaitForRoom(int64_t deadline_ms);
  std::string Name() const;
  std::string What(std::string_view call) const;

  std::shared_ptr<Client> client_;  // shared with a call that has not returned in time
  const std::string transactional_id_;
  const int delivery_timeout_ms_;
  const int answer_timeout_ms_;  // for requests inside a transaction
  std::vector<std::unique_ptr<OpenTopic>> topics_;
  absl::Status first_error_;  // of a delivery
  uint32_t sends_ = 0;
  bool in_transaction_ = false;
  bool aborting_ = false;     // purged messages are no failures then
};

}  // namespace tailrace::kafka::rdkafka
