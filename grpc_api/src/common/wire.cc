#include "common/wire.h"

#include <limits>
#include <utility>

#include "tailrace/base/check.h"
#include "tailrace/state/value_schema.h"

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kMsPerSecond = 1'000;
constexpr int32_t kNsPerMs = 1'000'000;

template <class Repeated>
void AddAll(Repeated* out, const std::vector<std::string>& values) {
  for (const std::string& value : values) *out->Add() = value;
}

v1::NodeType ToWire(processor::TopologyNode::Type type) {
  switch (type) {
    case processor::TopologyNode::Type::kSource: return v1::NODE_TYPE_SOURCE;
    case processor::TopologyNode::Type::kProcessor: return v1::NODE_TYPE_PROCESSOR;
    case processor::TopologyNode::Type::kSink: return v1::NODE_TYPE_SINK;
  }
  return v1::NODE_TYPE_UNSPECIFIED;
}

processor::TopologyNode::Type FromWire(v1::NodeType type) {
  if (type == v1::NODE_TYPE_SOURCE) return processor::TopologyNode::Type::kSource;
  if (type == v1::NODE_TYPE_SINK) return processor::TopologyNode::Type::kSink;
  return processor::TopologyNode::Type::kProcessor;
}

v1::TaskPhase ToWire(processor::TaskPhase phase) {
  switch (phase) {
    case processor::TaskPhase::kCreated: return v1::TASK_PHASE_CREATED;
    case processor::TaskPhase::kRestoring: return v1::TASK_PHASE_RESTORING;
    case processor::TaskPhase::kRunning: return v1::TASK_PHASE_RUNNING;
    case processor::TaskPhase::kSuspended: return v1::TASK_PHASE_SUSPENDED;
    case processor::TaskPhase::kClosed: return v1::TASK_PHASE_CLOSED;
  }
  return v1::TASK_PHASE_UNSPECIFIED;
}

processor::TaskPhase FromWire(v1::TaskPhase phase) {
  switch (phase) {
    case v1::TASK_PHASE_RESTORING: return processor::TaskPhase::kRestoring;
    case v1::TASK_PHASE_RUNNING: return processor::TaskPhase::kRunning;
    case v1::TASK_PHASE_SUSPENDED: return processor::TaskPhase::kSuspended;
    case v1::TASK_PHASE_CLOSED: return processor::TaskPhase::kClosed;
    default: return processor::TaskPhase::kCreated;
  }
}

// Seconds of the wire in milliseconds, kept inside int64: a caller may write any number.
int64_t SaturatedMs(int64_t seconds, int32_t nanos) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kMsPerSecond - 1;
  if (seconds > kSecondsMax) return std::numeric_limits<int64_t>::max();
  if (seconds < -kSecondsMax) return std::numeric_limits<int64_t>::min();
  return seconds * kMsPerSecond + nanos / kNsPerMs;
}

}  // namespace

void SetTimestamp(google::protobuf::Timestamp* out, int64_t ms) {
  int64_t seconds = ms / kMsPerSecond;
  int64_t rest = ms % kMsPerSecond;
  if (rest < 0) {  // nanos of a Timestamp are never negative.
    rest += kMsPerSecond;
    --seconds;
  }
  out->set_seconds(seconds);
  out->set_nanos(static_cast<int32_t>(rest) * kNsPerMs);
}

int64_t MsOf(const google::protobuf::Timestamp& timestamp) { return SaturatedMs(timestamp.seconds(), timestamp.nanos()); }

void SetDuration(google::protobuf::Duration* out, int64_t ms) {
  out->set_seconds(ms / kMsPerSecond);
  out->set_nanos(static_cast<int32_t>(ms % kMsPerSecond) * kNsPerMs);
}

int64_t MsOf(const google::protobuf::Duration& duration) { return SaturatedMs(duration.seconds(), duration.nanos()); }

void SetTaskId(v1::TaskId* out, const base::TaskId& id) {
  out->set_subtopology(id.subtopology);
  out->set_partition(id.partition.value());
}

base::TaskId TaskIdOf(const v1::TaskId& id) { return {id.subtopology(), base::Partition(id.partition())}; }

v1::TaskRole ToWire(processor::TaskRole role) {
  switch (role) {
    case processor::TaskRole::kActive: return v1::TASK_ROLE_ACTIVE;
    case processor::TaskRole::kStandby: return v1::TASK_ROLE_STANDBY;
    case processor::TaskRole::kWarmup: return v1::TASK_ROLE_WARMUP;
  }
  return v1::TASK_ROLE_UNSPECIFIED;
}

processor::TaskRole FromWire(v1::TaskRole role) {
  if (role == v1::TASK_ROLE_STANDBY) return processor::TaskRole::kStandby;
  if (role == v1::TASK_ROLE_WARMUP) return processor::TaskRole::kWarmup;
  return processor::TaskRole::kActive;
}

void SetPosition(v1::Position* out, const state::Position& position) {
  for (const auto& [partition, offset] : position) {
    v1::PositionEntry* entry = out->add_entries();
    entry->set_topic(partition.topic);
    entry->set_partition(partition.partition.value());
    entry->set_offset(offset.value());
  }
}

state::Position PositionOf(const v1::Position& position) {
  state::Position result;
  for (const v1::PositionEntry& entry : position.entries()) {
    result[{entry.topic(), base::Partition(entry.partition())}] = base::Offset(entry.offset());
  }
  return result;
}

void SetStore(v1::Store* out, const processor::StoreInfo& store) {
  out->set_name(store.name);
  switch (store.kind) {
    case state::StoreKind::kKeyValue:
    case state::StoreKind::kVersioned: out->set_kind(v1::STORE_KIND_KEY_VALUE); break;
    case state::StoreKind::kWindow: out->set_kind(v1::STORE_KIND_WINDOW); break;
    case state::StoreKind::kSession: out->set_kind(v1::STORE_KIND_SESSION); break;
    case state::StoreKind::kTimeOrderedBuffer: TAILRACE_CHECK(false, "the buffer of a suppression is not shown"); break;
  }
  if (store.kind == state::StoreKind::kWindow) SetDuration(out->mutable_window_size(), store.window_size_ms);
  if (store.kind != state::StoreKind::kKeyValue) SetDuration(out->mutable_retention(), store.retention_ms);
  out->set_subtopology(store.subtopology);
  out->set_partition_count(store.partition_count);
  out->set_has_schema(store.schema != nullptr);
}

void SetTask(v1::Task* out, const processor::TaskInfo& task) {
  SetTaskId(out->mutable_id(), task.id);
  out->set_role(ToWire(task.role));
  out->set_phase(ToWire(task.phase));
  if (task.stream_time_ms >= 0) SetTimestamp(out->mutable_stream_time(), task.stream_time_ms);
  for (const processor::InputProgress& input : task.inputs) {
    v1::InputProgress* progress = out->add_inputs();
    progress->set_topic(input.partition.topic);
    progress->set_partition(input.partition.partition.value());
    if (input.next_offset.value() >= 0) progress->set_next_offset(input.next_offset.value());
    if (input.end_offset.value() >= 0) progress->set_end_offset(input.end_offset.value());
  }
  out->set_restore_done(task.restore_done);
  out->set_restore_total(task.restore_total);
}

processor::TaskInfo TaskOf(const v1::Task& task) {
  processor::TaskInfo info;
  info.id = TaskIdOf(task.id());
  info.role = FromWire(task.role());
  info.phase = FromWire(task.phase());
  if (task.has_stream_time()) info.stream_time_ms = MsOf(task.stream_time());
  for (const v1::InputProgress& progress : task.inputs()) {
    processor::InputProgress input;
    input.partition = {progress.topic(), base::Partition(progress.partition())};
    if (progress.has_next_offset()) input.next_offset = base::Offset(progress.next_offset());
    if (progress.has_end_offset()) input.end_offset = base::Offset(progress.end_offset());
    info.inputs.push_back(std::move(input));
  }
  info.restore_done = task.restore_done();
  info.restore_total = task.restore_total();
  return info;
}

void SetRouting(v1::WatchRoutingResponse* out, const processor::RoutingTable& table) {
  out->set_epoch(table.epoch);
  for (const processor::WorkerRoute& route : table.workers) {
    v1::Worker* worker = out->add_workers();
    worker->set_instance(route.instance);
    worker->set_endpoint(route.endpoint);
    for (const base::TaskId& id : route.active) SetTaskId(worker->add_active(), id);
    for (const base::TaskId& id : route.standby) SetTaskId(worker->add_standby(), id);
  }
}

processor::RoutingTable RoutingOf(const v1::WatchRoutingResponse& message) {
  processor::RoutingTable table;
  table.epoch = message.epoch();
  for (const v1::Worker& worker : message.workers()) {
    processor::WorkerRoute route;
    route.instance = worker.instance();
    route.endpoint = worker.endpoint();
    for (const v1::TaskId& id : worker.active()) route.active.push_back(TaskIdOf(id));
    for (const v1::TaskId& id : worker.standby()) route.standby.push_back(TaskIdOf(id));
    table.workers.push_back(std::move(route));
  }
  return table;
}

void SetTopology(v1::DescribeTopologyResponse* out, const processor::TopologyDescription& topology) {
  out->set_text(topology.text);
  for (const processor::SubtopologyDescription& subtopology : topology.subtopologies) {
    v1::Subtopology* sub = out->add_subtopologies();
    sub->set_id(subtopology.id);
    for (const processor::TopologyNode& node : subtopology.nodes) {
      v1::TopologyNode* wire = sub->add_nodes();
      wire->set_name(node.name);
      wire->set_type(ToWire(node.type));
      AddAll(wire->mutable_topics(), node.topics);
      AddAll(wire->mutable_stores(), node.stores);
      AddAll(wire->mutable_predecessors(), node.predecessors);
      AddAll(wire->mutable_successors(), node.successors);
    }
  }
}

processor::TopologyDescription TopologyOf(const v1::DescribeTopologyResponse& message) {
  processor::TopologyDescription topology;
  topology.text = message.text();
  for (const v1::Subtopology& sub : message.subtopologies()) {
    processor::SubtopologyDescription subtopology;
    subtopology.id = sub.id();
    for (const v1::TopologyNode& wire : sub.nodes()) {
      processor::TopologyNode node;
      node.name = wire.name();
      node.type = FromWire(wire.type());
      node.topics.assign(wire.topics().begin(), wire.topics().end());
      node.stores.assign(wire.stores().begin(), wire.stores().end());
      node.predecessors.assign(wire.predecessors().begin(), wire.predecessors().end());
      node.successors.assign(wire.successors().begin(), wire.successors().end());
      subtopology.nodes.push_back(std::move(node));
    }
    topology.subtopologies.push_back(std::move(subtopology));
  }
  return topology;
}

int64_t WindowEnd(int64_t start_ms, int64_t size_ms) {
  int64_t end = 0;
  return __builtin_add_overflow(start_ms, size_ms, &end) ? std::numeric_limits<int64_t>::max() : end;
}

std::string KeyJson(const processor::StoreInfo& store, std::string_view key) {
  if (!store.schema) return {};
  return store.schema->KeyToJson(key).value_or(std::string());
}

void SetValue(v1::Value* out, const processor::StoreInfo& store, std::string_view value, int64_t timestamp_ms,
              bool json_only) {
  std::optional<std::string> json;
  if (store.schema) json = store.schema->ValueToJson(value);
  if (!json || !json_only) out->set_data(value.data(), value.size());
  if (json) out->set_json(*std::move(json));
  SetTimestamp(out->mutable_timestamp(), timestamp_ms);
}

void SetRow(v1::Row* out, const processor::StoreInfo& store, const state::Row& row, bool json_only) {
  out->set_key(row.key.data(), row.key.size());
  out->set_key_json(KeyJson(store, row.key));
  if (row.window_start_ms != state::kNoWindow) {
    SetTimestamp(out->mutable_window()->mutable_start(), row.window_start_ms);
    SetTimestamp(out->mutable_window()->mutable_end(), row.window_end_ms != state::kNoWindow
                                                           ? row.window_end_ms
                                                           : WindowEnd(row.window_start_ms, store.window_size_ms));
  }
  SetValue(out->mutable_value(), store, row.value, row.timestamp_ms, json_only);
}

}  // namespace tailrace::grpc_api
