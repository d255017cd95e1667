// The metadata string of a committed offset: partition time and operator times, in Kafka Streams' bytes
// (TopicPartitionMetadata: base64 of version 2, int64 time, map of int32-sized names to int64).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tailrace/base/types.h"

namespace tailrace::processor {

// What stream time had reached, as an operator time: it is more than the records say once it has advanced without them, and less
// in watermark mode. Not there in other applications.
inline constexpr char kStreamTimeName[] = "stream.time";

struct CommittedMetadata {
  int64_t partition_time_ms = base::kNoTimestampMs;
  std::map<std::string, int64_t, std::less<>> operator_times_ms;
};

std::string EncodeCommittedMetadata(const CommittedMetadata& metadata);

// Versions 1 (time only) and 2. Anything else is not ours: no time is known then (as Kafka Streams answers).
CommittedMetadata DecodeCommittedMetadata(std::string_view text);

}  // namespace tailrace::processor
