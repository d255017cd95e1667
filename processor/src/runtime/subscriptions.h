// Hands committed store changes to subscribers.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/processor/query.h"
#include "tailrace/state/task_state.h"

namespace tailrace::processor {

// Thread-safe. Sinks are called under the lock of their store, so that a destroyed subscription is never called again: a sink
// must not destroy its own subscription, it returns false instead.
class SubscriptionHub {
 public:
  explicit SubscriptionHub(const std::vector<std::string>& stores);

  // Null when there is no such store.
  std::unique_ptr<Subscription> Subscribe(std::string_view store, UpdateSink sink);

  // A task's observer: passes its committed changes to the hub. Lives as long as the task's state.
  std::unique_ptr<state::TaskState::CommitObserver> NewObserver(base::TaskId task, const std::vector<state::StoreSpec>& stores);

 private:
  struct Channel {
    std::atomic<int> count{0};
    absl::Mutex mu;
    std::map<uint64_t, UpdateSink> sinks ABSL_GUARDED_BY(mu);
    uint64_t next_id ABSL_GUARDED_BY(mu) = 0;
  };
  class Entry;
  class Observer;

  // Shared with subscriptions, which may outlive the hub. The map itself never changes.
  std::map<std::string, std::shared_ptr<Channel>, std::less<>> channels_;
};

// Watchers of a value that changes now and then (the routing table). Thread-safe, same rule about destruction.
class RoutingWatchers {
 public:
  RoutingWatchers();
  std::unique_ptr<Subscription> Watch(std::function<void(const RoutingTable&)> on_change);
  void Set(RoutingTable table);
  RoutingTable Get() const;

 private:
  struct State;
  class Entry;
  std::shared_ptr<State> state_;  // shared with subscriptions, which may outlive the watchers
};

}  // namespace tailrace::processor
