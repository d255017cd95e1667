// A fixed number of threads behind a bounded queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tailrace::grpc_api {

// Thread-safe. The destructor runs what is queued, then joins; it must not be called from one of the pool's threads.
class WorkerPool {
 public:
  WorkerPool(size_t threads, size_t queue_max);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full or the pool is ending; `work` is then not called.
  [[nodiscard]] bool TryPost(std::function<void()> work);

 private:
  void Run();

  const size_t queue_max_;
  absl::Mutex mu_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace::grpc_api
