// Follows the application's routing table: watches one worker at a time, and goes to another when that one ends.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/timer_thread.h"
#include "routing/worker_rpc.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/random.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

// One version of the table, with endpoints that can be connected to.
struct RoutingSnapshot {
  uint64_t version = 0;  // grows with every change that this process has seen; 0: nothing heard yet
  processor::RoutingTable table;

  // Endpoints that hold a task: the active one first, then standbys unless `active_only`.
  std::vector<std::string> Holders(const base::TaskId& task, bool active_only) const;
};

// Thread-safe. Everything given outlives it.
class RoutingFollower {
 public:
  RoutingFollower(std::string application_id, std::vector<std::string> seeds, WorkerChannels& channels, TimerThread& timers,
                  const base::Clock& clock);
  // Must be called after the timer thread has stopped and before the channels go.
  ~RoutingFollower();

  void Start();

  // Shared with readers: a change replaces the whole snapshot.
  std::shared_ptr<const RoutingSnapshot> Current() const;
  // Waits until the version is above `version`, and answers the current snapshot in any case.
  std::shared_ptr<const RoutingSnapshot> AwaitNewer(uint64_t version, int64_t timeout_ms) const;
  // Milliseconds since a worker last confirmed the table; negative: never.
  int64_t AgeMs() const;
  // Why the last watch ended; OK when none has.
  absl::Status LastError() const;

  // Calls `on_change` on the timer thread after each change. Removed by its id; a running call is not waited for.
  uint64_t AddListener(std::function<void()> on_change);
  void RemoveListener(uint64_t id);

  const std::vector<std::string>& seeds() const { return seeds_; }

 private:
  void Connect();
  void Accept(const v1::WatchRoutingResponse& message, const std::string& from);
  void Ended(const absl::Status& status);
  std::vector<std::string> Candidates() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string application_id_;
  const std::vector<std::string> seeds_;
  WorkerChannels& channels_;
  TimerThread& timers_;
  const base::Clock& clock_;

  // Only the timer thread, and the destructor after it.
  std::unique_ptr<RpcStream> stream_;

  mutable absl::Mutex mu_;
  std::shared_ptr<const RoutingSnapshot> current_ ABSL_GUARDED_BY(mu_);
  std::optional<int64_t> confirmed_ms_ ABSL_GUARDED_BY(mu_);
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
  size_t next_candidate_ ABSL_GUARDED_BY(mu_) = 0;
  int failures_ ABSL_GUARDED_BY(mu_) = 0;
  base::Random random_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, std::function<void()>> listeners_ ABSL_GUARDED_BY(mu_);
  uint64_t next_listener_ ABSL_GUARDED_BY(mu_) = 1;
};

// The wait before attempt `failures` + 1: doubling from 100 ms to 2 s, with jitter so that clients do not come in step.
int64_t BackoffMs(int failures, base::Random& random);

}  // namespace tailrace::grpc_api
