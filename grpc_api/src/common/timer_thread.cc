#include "common/timer_thread.h"

#include <algorithm>

#include "absl/time/time.h"

namespace tailrace::grpc_api {

TimerThread::TimerThread(const base::Clock& clock) : clock_(clock), thread_([this] { Run(); }) {}

TimerThread::~TimerThread() { Stop(); }

void TimerThread::After(int64_t delay_ms, std::function<void()> work) {
  absl::MutexLock lock(&mu_);
  if (stopped_) return;
  pending_.emplace(clock_.SteadyMs() + std::max<int64_t>(delay_ms, 0), std::move(work));
  changed_.Signal();
}

void TimerThread::Stop() {
  std::multimap<int64_t, std::function<void()>> dropped;
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
    dropped.swap(pending_);
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void TimerThread::Run() {
  while (true) {
    std::function<void()> work;
    {
      absl::MutexLock lock(&mu_);
      while (true) {
        if (stopped_) return;
        if (pending_.empty()) {
          changed_.Wait(&mu_);
          continue;
        }
        const int64_t wait_ms = pending_.begin()->first - clock_.SteadyMs();
        if (wait_ms <= 0) break;
        changed_.WaitWithTimeout(&mu_, absl::Milliseconds(wait_ms));
      }
      work = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
    }
    work();
  }
}

}  // namespace tailrace::grpc_api
