// How far a journal was delivered, and where in the topic what follows can be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tailrace/base/status.h"

namespace tailrace::ingest {

struct DeliveryCheckpoint {
  uint64_t journal_id = 0;
  std::string topic;
  // Every entry before this one is in the topic.
  uint64_t next_sequence = 0;
  // Per partition: an entry from next_sequence on, if it is in the topic, has at least this offset.
  std::map<int32_t, int64_t> offsets;
};

// Written to `file` as a whole: a process or machine that dies leaves the old one or the new one.
absl::Status WriteCheckpoint(const std::string& file, const DeliveryCheckpoint& checkpoint);
// Nullopt when there is no such file. Errors: kDataLoss when it cannot be understood.
absl::StatusOr<std::optional<DeliveryCheckpoint>> ReadCheckpoint(const std::string& file);

}  // namespace tailrace::ingest
