// The stores of global tables as the tasks of the process read them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/state/read_view.h"

namespace tailrace::processor::detail {

// What was published last. Thread-safe: whoever keeps the stores publishes, tasks read.
class GlobalStores {
 public:
  // Grows with each publication, so that a reader takes the view, and the lock, only when there is a new one.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Null before the first publication.
  std::shared_ptr<const state::ReadView> view() const {
    absl::MutexLock lock(&mu_);
    return view_;
  }
  void Publish(std::shared_ptr<const state::ReadView> view) {
    std::shared_ptr<const state::ReadView> old;  // destroyed without the lock
    absl::MutexLock lock(&mu_);
    old = std::exchange(view_, std::move(view));
    version_.fetch_add(1, std::memory_order_release);
  }

 private:
  std::atomic<uint64_t> version_{0};
  mutable absl::Mutex mu_;
  std::shared_ptr<const state::ReadView> view_ ABSL_GUARDED_BY(mu_);  // shared with readers
};

}  // namespace tailrace::processor::detail
