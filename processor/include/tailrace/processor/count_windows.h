// Count windows: so many records of a key each.
#pragma once

#include <cstdint>

namespace tailrace::processor {

// Tumbling windows of N records per key, in the order in which they are processed; time plays no part, so nothing is late. Kafka
// Streams has no such windows.
//
//   CountWindows::Of(100)
class CountWindows {
 public:
  static CountWindows Of(int64_t records) { return CountWindows(records); }

  int64_t records() const { return records_; }
  bool valid() const { return records_ > 0; }

 private:
  explicit CountWindows(int64_t records) : records_(records) {}

  int64_t records_;
};

}  // namespace tailrace::processor
