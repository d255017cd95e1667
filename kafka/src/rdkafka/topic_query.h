// Questions about topics, asked through the admin API, which never creates a topic by asking.
#pragma once

#include <optional>
#include <string>

#include "rdkafka/client.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::kafka::rdkafka {

struct TopicFacts {
  int32_t partition_count = 0;
  std::string id;
};
// nullopt when the topic does not exist.
absl::StatusOr<std::optional<TopicFacts>> QueryTopic(Client& client, const std::string& topic, int timeout_ms);

// The readable range of a partition. A leader that is not known yet, as right after a topic was made, is asked for again until
// the time is over.
absl::StatusOr<OffsetRange> QueryOffsetRange(Client& client, const base::TopicPartition& partition, Phase phase, int timeout_ms);

AdminOptionsPtr NewAdminOptions(rd_kafka_t* rk, rd_kafka_admin_op_t operation, int timeout_ms);

}  // namespace tailrace::kafka::rdkafka
