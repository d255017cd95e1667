#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rdkafka/client.h"
#include "tailrace/kafka/admin.h"

namespace tailrace::kafka::rdkafka {

// The client is made by the first call, so that a Cluster without admin work has no threads for it.
class RdAdmin : public Admin {
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

 private:
  absl::StatusOr<Client*> client();
  // Sends a request and waits for its event; an error of the event as a whole becomes the status.
  using Request = std::function<void(rd_kafka_t*, const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;
  absl::StatusOr<EventPtr> Ask(Client& client, rd_kafka_admin_op_t operation, int timeout_ms, const std::string& what,
                               const Request& request);
  absl::Status WaitUntilVisible(Client& client, const NewTopic& topic, int64_t deadline_ms);

  const Settings settings_;
  absl::Mutex mu_;
  std::unique_ptr<Client> client_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::kafka::rdkafka
