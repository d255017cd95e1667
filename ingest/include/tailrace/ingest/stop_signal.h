// "Please end" from one thread to the others, as something to wait on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tailrace::ingest {

// Thread-safe. Once requested it stays requested. Outlives all who wait on it.
class StopSignal {
 public:
  void Request();
  bool requested() const;
  // Waits for so long, or until the request; true when it was requested. The only wait of this room that is not a poll
  // of a file.
  bool WaitNs(int64_t nanoseconds) const;
  bool WaitMs(int64_t milliseconds) const { return WaitNs(milliseconds * 1'000'000); }

 private:
  mutable std::mutex mu_;
  mutable std::condition_variable changed_;
  bool requested_ = false;  // guarded by mu_
};

}  // namespace tailrace::ingest
