// Keeps the global stores of a process: reads their topics to the end before processing starts, and follows them from then on.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "global_task.h"
#include "runtime/runtime_context.h"
#include "tailrace/kafka/consumer.h"

namespace tailrace::processor {

// One thread with a consumer of its own, in no group (GlobalStreamThread). Topologies without global stores have none.
//
//   kReading --everything that was there is in the stores--> kFollowing --Stop--> (ended)
class GlobalThread {
 public:
  // `context` outlives the thread.
  explicit GlobalThread(RuntimeContext& context) : context_(context) {}
  ~GlobalThread() { Stop(); }

  void Start();
  // Waits until the stores have all that was in their topics when it began. False: `give_up` said so, or the thread has
  // failed, which was reported as fatal.
  bool AwaitReady(const std::function<bool()>& give_up);
  // Commits and joins.
  void Stop();

 private:
  void Run();
  absl::Status Open(bool wipe);
  // Polls and commits once. Sets ready_ when the ends that were seen at Open are reached.
  absl::Status Round();
  // Whether the positions have reached the ends.
  bool CaughtUp() const;
  bool Stopping() const;

  RuntimeContext& context_;
  std::thread thread_;

  mutable absl::Mutex mu_;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  bool ready_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;

  // The thread's own.
  std::unique_ptr<kafka::Consumer> consumer_;
  kafka::RecordBatch batch_;
  std::unique_ptr<GlobalTask> task_;
  std::vector<base::TopicPartition> inputs_;
  std::vector<base::Offset> ends_;  // by input
  bool caught_up_ = false;
};

}  // namespace tailrace::processor
