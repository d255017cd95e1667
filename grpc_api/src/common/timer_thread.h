// One thread that runs small pieces of work after a delay: reconnects, health looks, heartbeats.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/clock.h"

namespace tailrace::grpc_api {

// Thread-safe. Stop (or the destructor) waits for the running piece and drops the others; not from the timer thread.
// Pieces must be short: they run one after another.
class TimerThread {
 public:
  explicit TimerThread(const base::Clock& clock);
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  void After(int64_t delay_ms, std::function<void()> work);
  void Stop();

 private:
  void Run();

  const base::Clock& clock_;
  absl::Mutex mu_;
  absl::CondVar changed_;
  // By due time on the steady clock, then by order of asking.
  std::multimap<int64_t, std::function<void()>> pending_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace tailrace::grpc_api
