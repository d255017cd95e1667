// The arithmetic of a replay: the stream time at which closed windows and windows to rebuild part (replay.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/kafka/consumer.h"
#include "tailrace/processor/replay.h"

namespace tailrace::processor {

// An input partition of the live application as the preparation finds it.
struct ReplayInput {
  base::TopicPartition partition;
  bool repartition = false;
  kafka::OffsetRange range{};
  base::Offset committed = base::kOffsetUnknown;
  int64_t processed_ms = base::kNoTimestampMs;  // partition time of the commit
  // Of the first record that is left, where earlier ones were deleted; else kNoTimestampMs.
  int64_t begin_ms = base::kNoTimestampMs;

  bool empty() const { return range.begin == range.end; }
  bool behind() const { return !empty() && committed < range.end; }
  bool cut_short() const { return range.begin.value() > 0 && !repartition; }
};

struct ReplayCut {
  int64_t stream_time_ms = 0;
  int64_t read_from_ms = 0;
};

// How far windows reach back from a stream time: the largest size and grace together.
int64_t ReachMs(std::span<const ReplayWindows> windows);

// Whether the window that begins at `start_ms` takes no record any more at this stream time.
bool IsClosedAt(const ReplayWindows& windows, int64_t start_ms, int64_t stream_time_ms);

// For tasks that depend on these inputs. `live_time_ms`: the latest of all inputs of the live application. Adds sentences to
// `notices`. Pure. REQUIRES: at least one store of windows.
absl::StatusOr<ReplayCut> CutReplay(int64_t from_ms, std::span<const ReplayWindows> windows, std::span<const ReplayInput> inputs,
                                    int64_t live_time_ms, std::vector<std::string>& notices);

}  // namespace tailrace::processor
