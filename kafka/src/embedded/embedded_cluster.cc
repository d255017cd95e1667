#include "embedded/embedded_cluster.h"

#include <utility>

#include "embedded/embedded_consumer.h"
#include "embedded/embedded_membership.h"
#include "embedded/embedded_producer.h"

namespace tailrace::kafka {
namespace embedded {

absl::Status EmbeddedAdmin::CreateTopics(const std::vector<NewTopic>& topics, int) { return engine_.CreateTopics(topics); }
absl::Status EmbeddedAdmin::DeleteTopics(const std::vector<std::string>& topics, int) { return engine_.DeleteTopics(topics); }

absl::StatusOr<std::vector<TopicDescription>> EmbeddedAdmin::ListTopics(int) {
  std::vector<TopicDescription> descriptions;
  for (const TopicRef& topic : engine_.Topics()) {
    descriptions.push_back({topic->name, static_cast<int32_t>(topic->partitions.size()), {}});
  }
  return descriptions;
}

absl::StatusOr<std::optional<TopicDescription>> EmbeddedAdmin::DescribeTopic(std::string_view name, int) {
  const TopicRef topic = engine_.Find(name);
  if (topic == nullptr) return std::nullopt;
  return TopicDescription{topic->name, static_cast<int32_t>(topic->partitions.size()), topic->stored.config};
}

absl::Status EmbeddedAdmin::DeleteRecords(const std::vector<AssignedPartition>& before, int) {
  for (const AssignedPartition& assigned : before) {
    TAILRACE_ASSIGN_OR_RETURN(TopicRef topic, engine_.Require(assigned.partition));
    TAILRACE_RETURN_IF_ERROR(engine_.DeleteRecords(topic, assigned.partition.partition, assigned.start.value()));
  }
  return absl::OkStatus();
}

absl::StatusOr<base::Offset> EmbeddedAdmin::OffsetForTime(const base::TopicPartition& partition, int64_t timestamp_ms, int) {
  TAILRACE_ASSIGN_OR_RETURN(TopicRef topic, engine_.Require(partition));
  const PartitionLog& log = *topic->partitions[static_cast<size_t>(partition.partition.value())];
  TAILRACE_ASSIGN_OR_RETURN(const int64_t offset, engine_.OffsetForTime(log, timestamp_ms));
  return base::Offset{offset};
}

absl::StatusOr<OffsetRange> EmbeddedAdmin::Offsets(const base::TopicPartition& partition, int) {
  TAILRACE_ASSIGN_OR_RETURN(TopicRef topic, engine_.Require(partition));
  const PartitionLog& log = *topic->partitions[static_cast<size_t>(partition.partition.value())];
  return OffsetRange{base::Offset{log.begin}, base::Offset{log.end}};
}

absl::StatusOr<std::vector<CommittedOffset>> EmbeddedAdmin::GroupOffsets(const std::string& group, int) {
  return engine_.GroupOffsets(group);
}
absl::Status EmbeddedAdmin::SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets, int) {
  return engine_.SetGroupOffsets(group, offsets);
}
absl::Status EmbeddedAdmin::DeleteGroup(const std::string& group, int) { return engine_.DeleteGroup(group); }

EmbeddedCluster::EmbeddedCluster(std::unique_ptr<LogEngine> engine)
    : engine_(std::move(engine)), admin_(*engine_), housekeeper_(*engine_) {}

absl::StatusOr<std::unique_ptr<Consumer>> EmbeddedCluster::NewConsumer(const ConsumerOptions&) {
  return std::make_unique<EmbeddedConsumer>(*engine_);
}

absl::StatusOr<std::unique_ptr<Producer>> EmbeddedCluster::NewProducer(const ProducerOptions& options) {
  return std::make_unique<EmbeddedProducer>(*engine_, housekeeper_, options);
}

absl::StatusOr<std::unique_ptr<Membership>> EmbeddedCluster::NewMembership(const MembershipOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(std::shared_ptr<Seat> seat, engine_->Join(options.group, options.instance_id));
  engine_->NotifyReaders();
  return std::make_unique<EmbeddedMembership>(*engine_, options, std::move(seat));
}

absl::StatusOr<std::unique_ptr<EmbeddedCluster>> NewEmbeddedCluster(std::unique_ptr<Storage> storage, const base::Clock& clock) {
  TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<LogEngine> engine, LogEngine::Open(std::move(storage), clock));
  return std::make_unique<EmbeddedCluster>(std::move(engine));
}

}  // namespace embedded

absl::StatusOr<std::unique_ptr<Cluster>> OpenEmbedded(const std::string& directory) {
  TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<embedded::Storage> storage, embedded::OpenRocksStorage(directory));
  return embedded::NewEmbeddedCluster(std::move(storage), base::SystemClock());
}

absl::StatusOr<std::unique_ptr<Cluster>> OpenInMemory() {
  return embedded::NewEmbeddedCluster(embedded::NewMemoryStorage(), base::SystemClock());
}

}  // namespace tailrace::kafka
