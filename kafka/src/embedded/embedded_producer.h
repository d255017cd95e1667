#pragma once

#include <memory>
#include <span>
#include <string>

#include "embedded/housekeeper.h"
#include "embedded/log_engine.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::kafka::embedded {

// What a Membership hands out and SendOffsets takes back.
struct EmbeddedGroupMetadata : GroupMetadata {
  std::string group;
  int32_t generation = -1;
};

// Buffers records into chunks. Without transactions they are written when enough have gathered, on Flush, and by the
// housekeeper after a short time; a transaction is written whole when it commits.
class EmbeddedProducer : public Producer {
 public:
  EmbeddedProducer(LogEngine& engine, Housekeeper& housekeeper, ProducerOptions options);
  ~EmbeddedProducer() override;

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
  class Buffer;
  enum class State { kNew, kReady, kInTransaction, kFailed };

  absl::Status RequireState(State state, std::string_view call) const;
  bool transactional() const { return !options_.transactional_id.empty(); }

  LogEngine& engine_;
  const ProducerOptions options_;
  // Shared with the housekeeper, which writes it out after a while.
  std::shared_ptr<Buffer> buffer_;
  State state_ = State::kNew;
  int64_t epoch_ = -1;
};

}  // namespace tailrace::kafka::embedded
