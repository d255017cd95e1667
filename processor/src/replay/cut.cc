#include "replay/cut.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

int64_t Add(int64_t a, int64_t b) { return a > kMax - b ? kMax : a + b; }

std::string TimeText(int64_t ms) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone()); }

absl::Status TooShort(const ReplayInput& input, const std::string& why) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("the log of ", input.partition.ToString(), " ", why, ", so windows that are still open cannot be "
                                  "rebuilt whole; keep the topic longer (retention.ms), or use --from earliest and accept that older "
                                  "windows are missing"));
}

}  // namespace

int64_t ReachMs(std::span<const ReplayWindows> windows) {
  int64_t reach_ms = 0;
  for (const ReplayWindows& one : windows) reach_ms = std::max(reach_ms, Add(one.size_ms, one.grace_ms));
  return reach_ms;
}

bool IsClosedAt(const ReplayWindows& windows, int64_t start_ms, int64_t stream_time_ms) {
  return windows.size_ms <= stream_time_ms - windows.grace_ms - start_ms;  // the end of a window may overflow
}

absl::StatusOr<ReplayCut> CutReplay(int64_t from_ms, std::span<const ReplayWindows> windows, std::span<const ReplayInput> inputs,
                                    int64_t live_time_ms, std::vector<std::string>& notices) {
  TAILRACE_CHECK(!windows.empty(), "a replay from the middle rebuilds windows");
  const int64_t reach_ms = ReachMs(windows);
  int64_t smallest_grace_ms = kMax;
  for (const ReplayWindows& one : windows) smallest_grace_ms = std::min(smallest_grace_ms, one.grace_ms);

  // What has not been processed may still change a window that looks closed.
  int64_t certain_ms = live_time_ms;
  for (const ReplayInput& input : inputs) {
    if (input.behind() && input.processed_ms < 0)
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("the live application has processed nothing of ", input.partition.ToString(),
                                      " yet; wait until it has, or use --from earliest"));
    // A partition without news says nothing about time: its last record is too old for any window that is rebuilt.
    if (input.behind() || input.processed_ms >= from_ms - reach_ms) {
      if (input.processed_ms >= 0) certain_ms = std::min(certain_ms, input.processed_ms);
    }
  }
  int64_t cut_ms = std::min(Add(from_ms, smallest_grace_ms), certain_ms);

  for (const ReplayInput& input : inputs) {
    if (!input.cut_short()) continue;
    const int64_t read_from_ms = cut_ms - reach_ms + 1;
    if (input.empty()) {
      if (input.processed_ms >= read_from_ms) return TooShort(input, "is empty");
      continue;
    }
    if (read_from_ms >= input.begin_ms) continue;
    cut_ms = Add(input.begin_ms, reach_ms);
    if (cut_ms > certain_ms) return TooShort(input, absl::StrCat("begins at ", TimeText(input.begin_ms)));
    notices.push_back(absl::StrCat("the log of ", input.partition.ToString(), " begins at ", TimeText(input.begin_ms),
                                   ": windows that end at or before ", TimeText(cut_ms - smallest_grace_ms),
                                   " are copied from the live application as they are"));
  }
  return ReplayCut{.stream_time_ms = cut_ms, .read_from_ms = std::max<int64_t>(cut_ms - reach_ms + 1, 0)};
}

}  // namespace tailrace::processor
