// Copies the rows of closed windows from one changelog to another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "replay/cut.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::processor {

struct ChangelogCopy {
  std::string from;
  std::string to;
  ReplayWindows windows;
  // By partition: the stream time at which the windows to copy are closed.
  std::function<int64_t(base::Partition)> stream_time_ms;
  int32_t partition_count = 0;
  const state::ValueSchema* schema = nullptr;  // null: values are not looked at
};

// Up to the ends that the partitions have when it begins. The records keep their bytes, times and partitions, but not their headers:
// the epoch in them is one of another group. Returns how many were written. Waits for all of them to be delivered. FAILED_PRECONDITION
// when a row was written by an application with other windows or another schema.
absl::StatusOr<int64_t> CopyClosedWindows(const ChangelogCopy& copy, kafka::Consumer& consumer, kafka::Producer& producer);

}  // namespace tailrace::processor
