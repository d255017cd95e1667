// Whether a topic is there, with what to do when it is not.
#pragma once

#include <string>

#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

// The number of partitions. Errors: kNotFound with the command that makes the topic; those of Admin.
absl::StatusOr<int32_t> FindTopic(kafka::Cluster& cluster, const std::string& topic, int timeout_ms);

}  // namespace tailrace::ingest
