// The tasks of this process as everyone but their owner sees them: phase, progress, committed view.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/processor/query.h"
#include "tailrace/state/task_state.h"

namespace tailrace::processor {

// Thread-safe. Shared: the owning thread, the registry and readers hold it, and the last one to look lets it go.
class LocalTask {
 public:
  LocalTask(base::TaskId id, TaskRole role, int thread, int64_t cost) : id_(id), role_(role), thread_(thread), cost_(cost) {}

  // Constant.
  const base::TaskId& id() const { return id_; }
  TaskRole role() const { return role_; }
  int thread() const { return thread_; }  // -1: a standby, which the restorer keeps
  int64_t cost() const { return cost_; }

  TaskPhase phase() const { return phase_.load(std::memory_order_acquire); }
  void set_phase(TaskPhase phase) { phase_.store(phase, std::memory_order_release); }

  std::atomic<int64_t> restore_done{0};
  std::atomic<int64_t> restore_total{0};
  std::atomic<int64_t> stream_time_ms{-1};
  std::atomic<int64_t> uncommitted_bytes{0};
  std::atomic<int64_t> stored_position{0};  // sum of the stores' changelog offsets
  // Of a standby: the last time (steady clock) of which it is known to have all that was committed then, and how many changelog
  // records it was behind when that was last asked.
  std::atomic<int64_t> current_ms{-1};
  std::atomic<int64_t> lag{0};

  // The owner publishes the state after restore and withdraws it before it closes it; Withdraw waits for readers.
  void Publish(state::TaskState* state);
  void Withdraw();
  // Null while the state is not open.
  std::shared_ptr<const state::ReadView> View() const;

  void SetInputs(std::vector<InputProgress> inputs);
  // Ends only: called between commits, so that lag is fresh.
  void SetEnds(const std::vector<base::Offset>& ends);
  TaskInfo Info() const;

 private:
  const base::TaskId id_;
  const TaskRole role_;
  const int thread_;
  const int64_t cost_;
  std::atomic<TaskPhase> phase_{TaskPhase::kCreated};
  mutable absl::Mutex mu_;
  state::TaskState* state_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::vector<InputProgress> inputs_ ABSL_GUARDED_BY(mu_);
};

// Thread-safe.
class LocalTasks {
 public:
  // REQUIRES: the task is not in the list: one task is open at most once in each role.
  std::shared_ptr<LocalTask> Add(base::TaskId id, TaskRole role, int thread, int64_t cost);
  void Remove(const base::TaskId& id);
  std::shared_ptr<LocalTask> Find(const base::TaskId& id) const;
  // Ordered by id.
  std::vector<std::shared_ptr<LocalTask>> All() const;
  bool empty() const;

 private:
  mutable absl::Mutex mu_;
  std::map<base::TaskId, std::shared_ptr<LocalTask>> tasks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::processor
