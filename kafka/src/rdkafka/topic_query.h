// Questions about topics, asked through the admin API, which never creates a topic by asking.
#pragma once

#include <optional>
#include <string>

#include "rdkafka/client.h"

namespace tailrace::kafka::rdkafka {

// nullopt when the topic does not exist.
absl::StatusOr<std::optional<int32_t>> QueryPartitionCount(Client& client, const std::string& topic, int timeout_ms);

AdminOptionsPtr NewAdminOptions(rd_kafka_t* rk, rd_kafka_admin_op_t operation, int timeout_ms);

}  // namespace tailrace::kafka::rdkafka
