#include "rdkafka/bounded_call.h"

#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace tailrace::kafka::rdkafka {

bool RunWithin(int timeout_ms, std::function<void()> call) {
  struct Progress {
    absl::Mutex mu;
    bool returned ABSL_GUARDED_BY(mu) = false;
  };
  const auto progress = std::make_shared<Progress>();  // shared with the thread, which may outlive this frame
  std::thread thread([progress, call = std::move(call)]() mutable {
    call();
    call = nullptr;
    absl::MutexLock lock(&progress->mu);
    progress->returned = true;
  });
  bool returned = false;
  {
    absl::MutexLock lock(&progress->mu);
    returned = progress->mu.AwaitWithTimeout(absl::Condition(&progress->returned), absl::Milliseconds(timeout_ms));
  }
  if (returned) {
    thread.join();
  } else {
    thread.detach();
  }
  return returned;
}

}  // namespace tailrace::kafka::rdkafka
