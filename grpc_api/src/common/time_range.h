// Half-open ranges of window starts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tailrace::grpc_api {

// Windows with from <= start < to. Windows never start before the epoch.
struct TimeRange {
  static constexpr int64_t kOpen = std::numeric_limits<int64_t>::max();

  int64_t from_ms = 0;
  int64_t to_ms = kOpen;

  bool empty() const { return from_ms >= to_ms; }
  // The last start inside, as the inclusive ranges of the stores take it.
  int64_t last_ms() const { return to_ms == kOpen ? kOpen : to_ms - 1; }
  // Without the windows that start before `start_ms`.
  TimeRange From(int64_t start_ms) const { return {std::max(from_ms, start_ms), to_ms}; }
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

}  // namespace tailrace::grpc_api
