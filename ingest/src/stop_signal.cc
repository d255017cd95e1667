#include "tailrace/ingest/stop_signal.h"

#include <chrono>

namespace tailrace::ingest {

void StopSignal::Request() {
  {
    std::lock_guard lock(mu_);
    requested_ = true;
  }
  changed_.notify_all();
}

bool StopSignal::requested() const {
  std::lock_guard lock(mu_);
  return requested_;
}

bool StopSignal::WaitNs(int64_t nanoseconds) const {
  std::unique_lock lock(mu_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(nanoseconds), [this] { return requested_; });
}

}  // namespace tailrace::ingest
