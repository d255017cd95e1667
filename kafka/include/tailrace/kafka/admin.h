// Topics and groups as an operator sees them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::kafka {

struct NewTopic {
  std::string name;
  int32_t partition_count = 1;
  int16_t replication_factor = -1;            // -1: the broker's default
  std::map<std::string, std::string> config;  // cleanup.policy, retention.ms, ...
};

struct TopicDescription {
  std::string name;
  int32_t partition_count = 0;
  // By DescribeTopic only:
  std::map<std::string, std::string> config;
  std::string id;  // another one when the topic is deleted and made again; empty: this log has none
};

// Thread-safe. Lifetime: the Cluster outlives it. Errors: kRetry for an unreachable broker (message names it), kFatal for
// authorization and invalid requests; each names the topic or group.
class Admin {
 public:
  virtual ~Admin() = default;

  // Creates what does not exist yet; an existing topic is not an error and is left as it is.
  virtual absl::Status CreateTopics(const std::vector<NewTopic>& topics, int timeout_ms) = 0;
  virtual absl::Status DeleteTopics(const std::vector<std::string>& topics, int timeout_ms) = 0;
  // Names and partition counts of all topics.
  virtual absl::StatusOr<std::vector<TopicDescription>> ListTopics(int timeout_ms) = 0;
  // nullopt when the topic does not exist.
  virtual absl::StatusOr<std::optional<TopicDescription>> DescribeTopic(std::string_view topic, int timeout_ms) = 0;
  // Deletes the records before each offset (purging repartition topics).
  virtual absl::Status DeleteRecords(const std::vector<AssignedPartition>& before, int timeout_ms) = 0;
  // The first offset whose record's timestamp is at least `timestamp_ms`; the end when there is none.
  virtual absl::StatusOr<base::Offset> OffsetForTime(const base::TopicPartition& partition, int64_t timestamp_ms,
                                                     int timeout_ms) = 0;
  virtual absl::StatusOr<OffsetRange> Offsets(const base::TopicPartition& partition, int timeout_ms) = 0;
};

}  // namespace tailrace::kafka
