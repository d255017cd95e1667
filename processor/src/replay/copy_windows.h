// Copies the rows of closed windows from one changelog to another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "replay/cut.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::processor {

struct ChangelogCopy {
  std::string from;
  std::string to;
  ReplayWindows windows;
  // By partition: the stream time at which the windows to copy are closed.
  std::function<int64_t(base::Partition)> stream_time_ms;
  int32_t partition_count = 0;
};

// Up to the ends that the partitions have when it begins. The records keep their bytes, times and partitions, but not their headers:
// the epoch in them is one of another group. Returns how many were written. Waits for all of them to be delivered.
absl::StatusOr<int64_t> CopyClosedWindows(const ChangelogCopy& copy, kafka::Consumer& consumer, kafka::Producer& producer);

}  // namespace tailrace::processor
