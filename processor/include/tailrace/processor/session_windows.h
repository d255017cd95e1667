// Session windows: records of a key that follow each other within a gap.
#pragma once

#include <chrono>
#include <cstdint>

namespace tailrace::processor {

// A record joins every session of its key that ends or begins at most `inactivity gap` away from it, and makes one of them
// (org.apache.kafka.streams.kstream.SessionWindows). A late record is taken while the end of the session that it then belongs
// to >= stream time - grace - gap. Both bounds of a session are inclusive.
//
//   SessionWindows::OfInactivityGapAndGrace(30min, 5min)
class SessionWindows {
 public:
  static SessionWindows OfInactivityGapAndGrace(std::chrono::milliseconds gap, std::chrono::milliseconds grace) {
    return SessionWindows(gap.count(), grace.count());
  }
  static SessionWindows OfInactivityGapWithNoGrace(std::chrono::milliseconds gap) {
    return OfInactivityGapAndGrace(gap, std::chrono::milliseconds(0));
  }

  int64_t gap_ms() const { return gap_ms_; }
  int64_t grace_ms() const { return grace_ms_; }
  bool valid() const { return gap_ms_ >= 0 && grace_ms_ >= 0; }

 private:
  SessionWindows(int64_t gap_ms, int64_t grace_ms) : gap_ms_(gap_ms), grace_ms_(grace_ms) {}

  int64_t gap_ms_;
  int64_t grace_ms_;
};

}  // namespace tailrace::processor
