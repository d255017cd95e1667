// The Cluster over a LogEngine.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "embedded/housekeeper.h"
#include "embedded/log_engine.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/kafka/group_admin.h"

namespace tailrace::kafka::embedded {

class EmbeddedAdmin : public Admin, public GroupAdmin {
 public:
  explicit EmbeddedAdmin(LogEngine& engine) : engine_(engine) {}

  absl::Status CreateTopics(const std::vector<NewTopic>& topics, int timeout_ms) override;
  absl::Status DeleteTopics(const std::vector<std::string>& topics, int timeout_ms) override;
  absl::StatusOr<std::vector<TopicDescription>> ListTopics(int timeout_ms) override;
  absl::StatusOr<std::optional<TopicDescription>> DescribeTopic(std::string_view topic, int timeout_ms) override;
  absl::Status DeleteRecords(const std::vector<AssignedPartition>& before, int timeout_ms) override;
  absl::StatusOr<base::Offset> OffsetForTime(const base::TopicPartition& partition, int64_t timestamp_ms,
                                             int timeout_ms) override;
  absl::StatusOr<OffsetRange> Offsets(const base::TopicPartition& partition, int timeout_ms) override;

  absl::StatusOr<std::vector<CommittedOffset>> GroupOffsets(const std::string& group, int timeout_ms) override;
  absl::Status SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets, int timeout_ms) override;
  absl::Status DeleteGroup(const std::string& group, int timeout_ms) override;

 private:
  LogEngine& engine_;
};

class EmbeddedCluster : public Cluster {
 public:
  explicit EmbeddedCluster(std::unique_ptr<LogEngine> engine);

  absl::StatusOr<std::unique_ptr<Consumer>> NewConsumer(const ConsumerOptions& options) override;
  absl::StatusOr<std::unique_ptr<Producer>> NewProducer(const ProducerOptions& options) override;
  absl::StatusOr<std::unique_ptr<Membership>> NewMembership(const MembershipOptions& options) override;
  Admin& admin() override { return admin_; }
  std::string Description() const override { return engine_->Description(); }
  bool shared() const override { return false; }
  LogEngine& engine() { return *engine_; }

 private:
  const std::unique_ptr<LogEngine> engine_;
  EmbeddedAdmin admin_;
  Housekeeper housekeeper_;
};

// With a clock of the test's choice; the public factories use the system's.
absl::StatusOr<std::unique_ptr<EmbeddedCluster>> NewEmbeddedCluster(std::unique_ptr<Storage> storage, const base::Clock& clock);

}  // namespace tailrace::kafka::embedded
