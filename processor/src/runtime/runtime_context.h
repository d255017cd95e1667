// What all threads of one Streams share.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "runtime/local_tasks.h"
#include "runtime/options.h"
#include "runtime/runtime_metrics.h"
#include "runtime/seat.h"
#include "runtime/subscriptions.h"
#include "runtime/topic_plan.h"
#include "tailrace/base/clock.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/processor/detail/global_stores.h"
#include "tailrace/processor/topology.h"
#include "tailrace/state/memory_budget.h"

namespace tailrace::processor {

// The membership consumer that counts now: the coordinator makes a new one when the group has forgotten the old one for good.
// Thread-safe. Calls in progress keep the one that they began with.
class MembershipSlot {
 public:
  std::shared_ptr<kafka::Membership> Get() const {
    absl::MutexLock lock(&mu_);
    return membership_;
  }
  void Set(std::shared_ptr<kafka::Membership> membership) {
    std::shared_ptr<kafka::Membership> old;  // destroyed without the lock
    absl::MutexLock lock(&mu_);
    old = std::exchange(membership_, std::move(membership));
  }

 private:
  mutable absl::Mutex mu_;
  std::shared_ptr<kafka::Membership> membership_ ABSL_GUARDED_BY(mu_);
};

struct RuntimeContext {
  // Constant while threads run.
  RuntimeOptions options;
  const Topology* topology = nullptr;
  TopicPlan plan;
  kafka::Cluster* cluster = nullptr;
  const base::Clock* clock = nullptr;
  std::shared_ptr<state::MemoryBudget> memory;  // shared with every task's state

  // Own synchronisation.
  RuntimeMetrics* metrics = nullptr;
  SubscriptionHub* subscriptions = nullptr;
  LocalTasks tasks;     // active: open here, processed or restored
  LocalTasks standbys;  // copies that follow their changelogs
  SeatHolder seat;
  detail::GlobalStores global_stores;
  MembershipSlot membership;  // stream threads and the restorer use its thread-safe part

  // Thread-safe; set before threads start. The first fatal error ends the Streams.
  std::function<void(absl::Status)> on_fatal;
  // Something changed that the coordinator should look at: a task opened, closed or was abandoned.
  std::function<void()> wake_coordinator;

  const detail::Subtopology& subtopology(int32_t id) const;
  // Directory of a task; empty in memory.
  std::string TaskDirectory(const base::TaskId& id) const {
    return options.state_directory.empty() ? std::string() : options.state_directory + "/" + id.ToString();
  }
};

}  // namespace tailrace::processor
