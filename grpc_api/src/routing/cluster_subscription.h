// A subscription to one store wherever its tasks are: a stream per owner, reopened when it breaks or the owner changes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/timer_thread.h"
#include "routing/routing_follower.h"
#include "tailrace/grpc_api/query_client.h"
#include "updates/resume_token.h"

namespace tailrace::grpc_api {

// Thread-safe. Everything given outlives it. Destroy it on no timer or RPC thread.
class ClusterSubscription final : public ClientSubscription {
 public:
  ClusterSubscription(StoreDescription store, ResumePosition position, SubscriptionListener& listener,
                      RoutingFollower& routing, WorkerChannels& channels, TimerThread& timers);
  ~ClusterSubscription() override;

  std::string ResumeToken() const override;
  bool connected() const override;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with work that waits on the timer thread
};

}  // namespace tailrace::grpc_api
