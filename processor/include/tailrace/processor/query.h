// What a running worker shows of itself: stores, committed views, tasks, routing, changes. The query service of grpc_api/
// is written against this interface and against nothing else of the processor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/state/read_view.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor {

enum class TaskRole { kActive, kStandby, kWarmup };
enum class TaskPhase { kCreated, kRestoring, kRunning, kSuspended, kClosed };
std::string_view TaskRoleName(TaskRole role);    // "active", ...
std::string_view TaskPhaseName(TaskPhase phase); // "running", ...

struct StoreInfo {
  std::string name;
  state::StoreKind kind = state::StoreKind::kKeyValue;
  int64_t window_size_ms = 0;
  int64_t retention_ms = 0;
  int32_t subtopology = 0;
  int32_t partition_count = 0;  // of the store's subtopology: murmur2(key) % partition_count names the owning task
  std::shared_ptr<const state::ValueSchema> schema;  // may be null
};

struct InputProgress {
  base::TopicPartition partition;
  base::Offset next_offset = base::kOffsetUnknown;  // committed position
  base::Offset end_offset = base::kOffsetUnknown;   // as last heard
};

struct TaskInfo {
  base::TaskId id;
  TaskRole role = TaskRole::kActive;
  TaskPhase phase = TaskPhase::kCreated;
  int64_t stream_time_ms = -1;
  std::vector<InputProgress> inputs;
  int64_t restore_done = 0;   // changelog records; total 0: nothing to restore
  int64_t restore_total = 0;
};

// One local task's committed state of a store.
struct StoreView {
  base::TaskId task;
  TaskRole role = TaskRole::kActive;
  int64_t staleness_ms = 0;  // since the view was last known to be current; 0 for a running active task
  std::shared_ptr<const state::ReadView> view;
};

struct WorkerRoute {
  std::string instance;
  std::string endpoint;  // application.server: host:port of its query service
  std::vector<base::TaskId> active;
  std::vector<base::TaskId> standby;
};
struct RoutingTable {
  int64_t epoch = 0;
  std::vector<WorkerRoute> workers;
};

struct TopologyNode {
  enum class Type { kSource, kProcessor, kSink };
  std::string name;
  Type type = Type::kProcessor;
  std::vector<std::string> topics;
  std::vector<std::string> stores;
  std::vector<std::string> predecessors;
  std::vector<std::string> successors;
};
struct SubtopologyDescription {
  int32_t id = 0;
  std::vector<TopologyNode> nodes;
  bool global = false;  // a global store, for which there are no tasks
};
struct TopologyDescription {
  std::vector<SubtopologyDescription> subtopologies;
  // Kafka Streams' text form (TopologyDescription.toString), byte for byte.
  std::string text;
};

// A committed change of a store, with the place from which a subscription can resume.
struct StoreUpdate {
  base::TaskId task;
  base::Offset changelog_offset;  // the store's offset after the commit that held this change
  std::string key;
  int64_t window_start_ms = state::kNoWindow;
  int64_t window_end_ms = state::kNoWindow;  // of a session, inclusive
  std::optional<std::string> value;  // nullopt: deleted
  int64_t timestamp_ms = 0;
};
// Called on a stream thread: it must not block. Returning false ends the subscription.
using UpdateSink = std::function<bool(const StoreUpdate&)>;

// Ends the subscription when destroyed; after that the sink is not called any more.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// Thread-safe. Lives as long as the Streams that implements it.
// Errors: NOT_FOUND for an unknown store (message lists the stores); UNAVAILABLE with kRetry while the tasks that hold it
// are being restored or moved.
class Queryable {
 public:
  virtual ~Queryable() = default;

  virtual const std::string& application_id() const = 0;
  // True when every assigned task is running.
  virtual bool ready() const = 0;
  // "RUNNING", "REBALANCING", ... of the Streams state machine.
  virtual std::string_view state_name() const = 0;

  virtual std::vector<StoreInfo> Stores() const = 0;
  virtual absl::StatusOr<StoreInfo> Store(std::string_view name) const = 0;
  // The local tasks that hold the store, active and standby.
  virtual absl::StatusOr<std::vector<StoreView>> Views(std::string_view store) const = 0;

  virtual std::vector<TaskInfo> Tasks() const = 0;
  virtual RoutingTable Routing() const = 0;
  // Calls `on_change` (from another thread) after each change of the routing table, until the subscription is destroyed.
  virtual std::unique_ptr<Subscription> WatchRouting(std::function<void(const RoutingTable&)> on_change) = 0;
  virtual const TopologyDescription& topology() const = 0;

  virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(std::string_view store, UpdateSink sink) = 0;
};

}  // namespace tailrace::processor
