// Time windows: tumbling and hopping, with grace.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

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
  bool valid() const {
    return unlimited() ? first_start_ms_ >= 0 : size_ms_ > 0 && advance_ms_ > 0 && advance_ms_ <= size_ms_ && grace_ms_ >= 0;
  }
  // The single window of UnlimitedWindows.
  bool unlimited() const { return size_ms_ == std::numeric_limits<int64_t>::max(); }

  int64_t EndOf(int64_t start_ms) const {
    return start_ms > std::numeric_limits<int64_t>::max() - size_ms_ ? std::numeric_limits<int64_t>::max() : start_ms + size_ms_;
  }

  // The start of the first window that holds `timestamp_ms` >= 0; the next ones follow every advance while
  // start <= timestamp. Never negative.
  int64_t FirstStart(int64_t timestamp_ms) const {
    if (unlimited()) [[unlikely]] return first_start_ms_;
    const int64_t earliest = timestamp_ms - size_ms_ + advance_ms_;
    return (earliest < 0 ? 0 : earliest) / advance_ms_ * advance_ms_;
  }

 private:
  friend class UnlimitedWindows;
  // A step of the advance leads beyond every timestamp.
  explicit TimeWindows(int64_t unlimited_start_ms)
      : size_ms_(std::numeric_limits<int64_t>::max()), advance_ms_(std::numeric_limits<int64_t>::max() - unlimited_start_ms),
        grace_ms_(0), first_start_ms_(unlimited_start_ms) {}
  TimeWindows(int64_t size_ms, int64_t advance_ms, int64_t grace_ms)
      : size_ms_(size_ms), advance_ms_(advance_ms), grace_ms_(grace_ms) {}

  int64_t size_ms_;
  int64_t advance_ms_;
  int64_t grace_ms_;
  int64_t first_start_ms_ = 0;  // of the unlimited window
};

// One window that begins at a time and never ends (org.apache.kafka.streams.kstream.UnlimitedWindows). Records before its
// start belong to none.
//
//   UnlimitedWindows::Of().StartOn(1'700'000'000'000)
class UnlimitedWindows {
 public:
  static UnlimitedWindows Of() { return UnlimitedWindows(0); }
  UnlimitedWindows StartOn(int64_t start_ms) const { return UnlimitedWindows(start_ms); }
  operator TimeWindows() const { return TimeWindows(start_ms_); }  // NOLINT: it is a time window without an end

 private:
  explicit UnlimitedWindows(int64_t start_ms) : start_ms_(start_ms) {}
  int64_t start_ms_;
};

}  // namespace tailrace::processor
