// The hash that Kafka's default partitioner uses (org.apache.kafka.common.utils.Utils.murmur2).
#pragma once

#include <cstdint>
#include <string_view>

#include "tailrace/base/types.h"

namespace tailrace::base {

int32_t Murmur2(std::string_view key);

// The partition that a Java producer gives a record with this key (BuiltInPartitioner.partitionForKey).
// REQUIRES: partition_count > 0.
Partition PartitionForKey(std::string_view key, int32_t partition_count);

}  // namespace tailrace::base
