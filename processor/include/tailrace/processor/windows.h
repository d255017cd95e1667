// Time windows: tumbling and hopping, with grace.
#pragma once

#include <chrono>
#include <cstdint>

namespace tailrace::processor {

// Windows [start, start + size) whose starts are the multiples of the advance (org.apache.kafka.streams.kstream.TimeWindows).
// A late record still updates a window while window end > stream time - grace.
//
//   TimeWindows::OfSizeAndGrace(5min, 10min)                   tumbling
//   TimeWindows::OfSizeWithNoGrace(1h).AdvanceBy(5min)         hopping
class TimeWindows {
 public:
  static TimeWindows OfSizeAndGrace(std::chrono::milliseconds size, std::chrono::milliseconds grace) {
    return TimeWindows(size.count(), size.count(), grace.count());
  }
  static TimeWindows OfSizeWithNoGrace(std::chrono::milliseconds size) {
    return OfSizeAndGrace(size, std::chrono::milliseconds(0));
  }
  TimeWindows AdvanceBy(std::chrono::milliseconds advance) const {
    return TimeWindows(size_ms_, advance.count(), grace_ms_);
  }

  int64_t size_ms() const { return size_ms_; }
  int64_t advance_ms() const { return advance_ms_; }
  int64_t grace_ms() const { return grace_ms_; }
  bool valid() const { return size_ms_ > 0 && advance_ms_ > 0 && advance_ms_ <= size_ms_ && grace_ms_ >= 0; }

  // The start of the first window that holds `timestamp_ms` >= 0; the next ones follow every advance while
  // start <= timestamp. Never negative.
  int64_t FirstStart(int64_t timestamp_ms) const {
    const int64_t earliest = timestamp_ms - size_ms_ + advance_ms_;
    return (earliest < 0 ? 0 : earliest) / advance_ms_ * advance_ms_;
  }

 private:
  TimeWindows(int64_t size_ms, int64_t advance_ms, int64_t grace_ms)
      : size_ms_(size_ms), advance_ms_(advance_ms), grace_ms_(grace_ms) {}

  int64_t size_ms_;
  int64_t advance_ms_;
  int64_t grace_ms_;
};

}  // namespace tailrace::processor
