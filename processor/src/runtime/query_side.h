// What a Streams shows of itself (query.h), read from LocalTasks and the assignment.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/runtime_context.h"
#include "runtime/state_machine.h"
#include "runtime/subscriptions.h"

namespace tailrace::processor {

// Thread-safe. Made with the Streams; knows the stores once SetTopology was called by Start.
class QuerySide final : public Queryable {
 public:
  QuerySide(const RuntimeContext& context, const StateMachine& state, RoutingWatchers& routing, TopologyDescription topology,
            std::string application_id);

  // After the topology was compiled and topics were planned. `hub` outlives the calls.
  void SetTopology(SubscriptionHub* hub);

  const std::string& application_id() const override { return application_id_; }
  bool ready() const override { return state_.Get() == StreamsState::kRunning; }
  std::string_view state_name() const override { return StreamsStateName(state_.Get()); }
  std::vector<StoreInfo> Stores() const override;
  absl::StatusOr<StoreInfo> Store(std::string_view name) const override;
  absl::StatusOr<std::vector<StoreView>> Views(std::string_view store) const override;
  std::vector<TaskInfo> Tasks() const override;
  RoutingTable Routing() const override { return routing_.Get(); }
  std::unique_ptr<Subscription> WatchRouting(std::function<void(const RoutingTable&)> on_change) override {
    return routing_.Watch(std::move(on_change));
  }
  const TopologyDescription& topology() const override { return topology_; }
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(std::string_view store, UpdateSink sink) override;

 private:
  const RuntimeContext& context_;
  const StateMachine& state_;
  RoutingWatchers& routing_;
  const TopologyDescription topology_;
  const std::string application_id_;

  mutable absl::Mutex mu_;
  std::vector<StoreInfo> stores_ ABSL_GUARDED_BY(mu_);
  SubscriptionHub* hub_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace tailrace::processor
