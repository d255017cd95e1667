// Keeps a stream of records at a rate in real time.
//
//   Pacer pacer(500, base::SystemClock(), [&](int64_t ns) { return !stop.WaitNs(ns); });
//   for (int64_t i = 0; pacer.WaitFor(i); ++i) Send(i);
#pragma once

#include <cstdint>
#include <functional>

#include "tailrace/base/clock.h"

namespace tailrace::ingest {

// Record i is due i/rate seconds after the pacer's beginning. One that falls behind catches up: the rate holds over time.
// Not thread-safe.
class Pacer {
 public:
  // `wait` waits for so many nanoseconds; false when the stream shall end. `rate` is records per second; 0: no pacing. It began
  // `begun_ns_ago` before it was made.
  Pacer(int64_t rate, const base::Clock& clock, std::function<bool(int64_t ns)> wait, int64_t begun_ns_ago = 0);

  // True when record `index` would have to wait.
  bool IsAhead(int64_t index);
  // Returns when record `index` is due; false when the stream shall end.
  bool WaitFor(int64_t index);

 private:
  int64_t Due() const;

  const int64_t rate_;
  const base::Clock& clock_;
  const std::function<bool(int64_t)> wait_;
  const int64_t start_ns_;
  int64_t due_ = 0;  // records below this index are known to be due
};

}  // namespace tailrace::ingest
