// Which records of two streams belong together: a distance in time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tailrace::processor {

// A record of this stream meets records of the other one with time - before <= other time <= time + after, both inclusive
// (org.apache.kafka.streams.kstream.JoinWindows). Records are kept for before + after + grace. A record of a left or outer
// join that met nobody is emitted alone once its window and the grace are over.
//
//   JoinWindows::OfTimeDifferenceAndGrace(5min, 1min)
//   JoinWindows::OfTimeDifferenceWithNoGrace(0s).After(1h)    the other record comes up to one hour later
class JoinWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static JoinWindows OfTimeDifferenceAndGrace(Duration difference, Duration grace) {
    return JoinWindows(difference.count(), difference.count(), grace.count(), true);
  }
  static JoinWindows OfTimeDifferenceWithNoGrace(Duration difference) {
    return OfTimeDifferenceAndGrace(difference, Duration(0));
  }
  // The deprecated form, for topologies that have it: 24 hours of grace less the window, and left and outer joins emit a record
  // alone at once, whether or not a partner comes later.
  static JoinWindows Of(Duration difference) {
    constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
    return JoinWindows(difference.count(), difference.count(), std::max<int64_t>(kDayMs - difference.count() * 2, 0), false);
  }

  JoinWindows Before(Duration difference) const { return {difference.count(), after_ms_, grace_ms_, waits_for_close_}; }
  JoinWindows After(Duration difference) const { return {before_ms_, difference.count(), grace_ms_, waits_for_close_}; }
  // Of `Of` only.
  JoinWindows Grace(Duration grace) const { return {before_ms_, after_ms_, grace.count(), waits_for_close_}; }

  int64_t before_ms() const { return before_ms_; }
  int64_t after_ms() const { return after_ms_; }
  int64_t grace_ms() const { return grace_ms_; }
  int64_t size_ms() const { return before_ms_ + after_ms_; }
  int64_t retention_ms() const { return size_ms() + grace_ms_; }
  // Whether a record without a partner is emitted when its window closes, rather than at once.
  bool waits_for_close() const { return waits_for_close_; }
  bool valid() const { return size_ms() >= 0 && grace_ms_ >= 0; }

 private:
  JoinWindows(int64_t before_ms, int64_t after_ms, int64_t grace_ms, bool waits_for_close)
      : before_ms_(before_ms), after_ms_(after_ms), grace_ms_(grace_ms), waits_for_close_(waits_for_close) {}

  int64_t before_ms_;
  int64_t after_ms_;
  int64_t grace_ms_;
  bool waits_for_close_;
};

}  // namespace tailrace::processor
