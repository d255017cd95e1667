// Deletes records of repartition topics that were processed and committed.
#pragma once

#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/runtime_context.h"

namespace tailrace::processor {

// One thread, only when the topology has repartition topics: a slow broker then delays nothing else. What is not deleted now
// is deleted later; failures are logged only.
class Purger {
 public:
  explicit Purger(RuntimeContext& context);
  ~Purger();
  void Start();
  // Asks the thread to end; Stop waits until it has.
  void RequestStop();
  void Stop();
  // One round; for tests.
  absl::Status PurgeOnce();

 private:
  RuntimeContext& context_;
  std::thread thread_;
  absl::Mutex mu_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace tailrace::processor
