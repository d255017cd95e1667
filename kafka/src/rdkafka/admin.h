#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rdkafka/client.h"
#include "tailrace/kafka/admin.h"
#include "tailrace/kafka/group_admin.h"

namespace tailrace::kafka::rdkafka {

// The client is made by the first call, so that a Cluster without admin work has no threads for it.
class RdAdmin : public Admin, public GroupAdmin {
 public:
  explicit RdAdmin(Settings settings) : settings_(std::move(settings)) {}

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
  absl::StatusOr<Client*> client();
  // Sends a request and waits for its event; an error of the event as a whole becomes the status.
  using Request = std::function<void(rd_kafka_t*, const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;
  absl::StatusOr<EventPtr> Ask(Client& client, rd_kafka_admin_op_t operation, int timeout_ms, const std::string& what,
                               const Request& request);
  // Asks about one group. The library (2.8) looks for a coordinator that has moved through the handle's own group, and crashes in one that
  // has none: so it is a consumer of that group, which subscribes to nothing and is no member.
  absl::StatusOr<std::shared_ptr<Client>> GroupClient(const std::string& group);
  // Calls again while the group's coordinator is not ready, until the time is over.
  absl::Status Patiently(const std::string& group, int timeout_ms, const std::function<absl::Status(Client&, int)>& call);
  absl::StatusOr<std::vector<CommittedOffset>> AskGroupOffsets(Client& client, const std::string& group, int timeout_ms);
  absl::Status AlterGroupOffsets(Client& client, const std::string& group, std::span<const OffsetToCommit> offsets, int timeout_ms);
  absl::Status RemoveGroup(Client& client, const std::string& group, int timeout_ms);
  absl::Status WaitUntilVisible(Client& client, const NewTopic& topic, int64_t deadline_ms);

  const Settings settings_;
  absl::Mutex mu_;
  std::unique_ptr<Client> client_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Client> group_client_ ABSL_GUARDED_BY(mu_);  // shared with calls under way; of the group asked about last
  std::string group_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::kafka::rdkafka
