// Sliding windows: all records of a key that are at most a time difference apart.
#pragma once

#include <chrono>
#include <cstdint>

namespace tailrace::processor {

// Windows [start, start + time difference], both bounds inclusive, one for each different set of records that is that close
// together (org.apache.kafka.streams.kstream.SlidingWindows, KIP-450). A late record is taken while its time + difference
// >= stream time - grace, and updates the windows whose end is not earlier than stream time - grace.
//
//   SlidingWindows::OfTimeDifferenceAndGrace(10s, 1min)
class SlidingWindows {
 public:
  static SlidingWindows OfTimeDifferenceAndGrace(std::chrono::milliseconds difference, std::chrono::milliseconds grace) {
    return SlidingWindows(difference.count(), grace.count());
  }
  static SlidingWindows OfTimeDifferenceWithNoGrace(std::chrono::milliseconds difference) {
    return OfTimeDifferenceAndGrace(difference, std::chrono::milliseconds(0));
  }

  int64_t difference_ms() const { return difference_ms_; }
  int64_t grace_ms() const { return grace_ms_; }
  // A difference of 0 is refused here; Kafka Streams takes it, and fails at the first record.
  bool valid() const { return difference_ms_ > 0 && grace_ms_ >= 0; }

 private:
  SlidingWindows(int64_t difference_ms, int64_t grace_ms) : difference_ms_(difference_ms), grace_ms_(grace_ms) {}

  int64_t difference_ms_;
  int64_t grace_ms_;
};

}  // namespace tailrace::processor
