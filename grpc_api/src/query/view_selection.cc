#include "query/view_selection.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include "common/error_info.h"
#include "common/wire.h"
#include "tailrace/base/murmur2.h"

namespace tailrace::grpc_api {
namespace {

using processor::StoreView;
using processor::TaskRole;

bool IsBetter(const StoreView& a, const StoreView& b) {
  const bool a_active = a.role == TaskRole::kActive, b_active = b.role == TaskRole::kActive;
  if (a_active != b_active) return a_active;
  return a.staleness_ms < b.staleness_ms;
}

absl::Status NotHere(const processor::Queryable& queryable, const processor::StoreInfo& store, const base::TaskId& id) {
  const std::string task = id.ToString();
  for (const processor::TaskInfo& info : queryable.Tasks()) {
    if (info.id == id && info.role == TaskRole::kActive && info.phase != processor::TaskPhase::kClosed) {
      return QueryError(absl::StatusCode::kUnavailable, reason::kRestoring,
                        "task " + task + " of store " + store.name + " is being restored here; try again shortly",
                        {{"task", task}});
    }
  }
  std::map<std::string, std::string> metadata = {{"task", task}};
  std::string owner = "nobody yet";
  for (const processor::WorkerRoute& route : queryable.Routing().workers) {
    if (std::find(route.active.begin(), route.active.end(), id) == route.active.end()) continue;
    owner = route.endpoint.empty() ? route.instance : route.endpoint;
    metadata["owner_endpoint"] = route.endpoint;
    metadata["owner_instance"] = route.instance;
  }
  return QueryError(absl::StatusCode::kFailedPrecondition, reason::kNotActiveOwner,
                    "task " + task + " of store " + store.name + " is not on this worker; its owner is " + owner,
                    std::move(metadata));
}

// Compares only the partitions that the view reads from, as Kafka Streams' PositionBound does.
bool HasReached(const StoreView& view, const state::Position& bound) {
  const state::Position& position = view.view->position();
  for (const auto& [partition, offset] : bound) {
    if (partition.partition != view.task.partition) continue;
    const auto found = position.find(partition);
    if (found == position.end() || found->second < offset) return false;
  }
  return true;
}

absl::Status CheckPolicy(const StoreView& view, const processor::StoreInfo& store, const ReadPolicy& policy) {
  const std::string task = view.task.ToString();
  if (policy.max_staleness_ms && view.staleness_ms > *policy.max_staleness_ms) {
    return QueryError(absl::StatusCode::kUnavailable, reason::kTooStale,
                      "the copy of task " + task + " of store " + store.name + " is " +
                          std::to_string(view.staleness_ms) + " ms behind; the request allows " +
                          std::to_string(*policy.max_staleness_ms) + " ms",
                      {{"task", task}});
  }
  if (!HasReached(view, policy.min_position)) {
    return QueryError(absl::StatusCode::kUnavailable, reason::kPositionNotReached,
                      "task " + task + " of store " + store.name + " has not processed the position asked for yet",
                      {{"task", task}});
  }
  return absl::OkStatus();
}

}  // namespace

ReadPolicy PolicyOf(const v1::ReadOptions& options) {
  ReadPolicy policy;
  if (options.has_max_staleness()) policy.max_staleness_ms = MsOf(options.max_staleness());
  policy.min_position = PositionOf(options.min_position());
  policy.require_active = options.require_active();
  return policy;
}

absl::StatusOr<std::vector<StoreView>> SelectViews(const processor::Queryable& queryable,
                                                   const processor::StoreInfo& store,
                                                   std::span<const int32_t> partitions, const ReadPolicy& policy) {
  TAILRACE_ASSIGN_OR_RETURN(std::vector<StoreView> views, queryable.Views(store.name));
  std::map<int32_t, StoreView> best;
  for (StoreView& view : views) {
    if (policy.require_active && view.role != TaskRole::kActive) continue;
    if (partitions.empty() && view.role != TaskRole::kActive) continue;
    const int32_t partition = view.task.partition.value();
    const auto found = best.find(partition);
    if (found == best.end()) {
      best.emplace(partition, std::move(view));
    } else if (IsBetter(view, found->second)) {
      found->second = std::move(view);
    }
  }
  std::set<int32_t> wanted(partitions.begin(), partitions.end());
  if (wanted.empty()) {
    for (const auto& [partition, view] : best) wanted.insert(partition);
  }
  std::vector<StoreView> selected;
  for (const int32_t partition : wanted) {
    if (partition < 0 || partition >= std::max(store.partition_count, 1)) {
      return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadRequest,
                        "store " + store.name + " has no partition " + std::to_string(partition) + "; it has " +
                            std::to_string(store.partition_count));
    }
    const auto found = best.find(partition);
    if (found == best.end()) {
      return NotHere(queryable, store, {store.subtopology, base::Partition(partition)});
    }
    TAILRACE_RETURN_IF_ERROR(CheckPolicy(found->second, store, policy));
    selected.push_back(std::move(found->second));
  }
  return selected;
}

int32_t PartitionOf(const processor::StoreInfo& store, std::string_view key) {
  if (store.partition_count <= 1) return 0;
  return base::PartitionForKey(key, store.partition_count).value();
}

TimeRange Retained(const StoreView& view, const processor::StoreInfo& store, const TimeRange& range) {
  return range.From(view.view->retention_start_ms(store.name));
}

bool IsExpired(const StoreView& view, const processor::StoreInfo& store, const TimeRange& range) {
  return !range.empty() && Retained(view, store, range).empty();
}

void SetSource(v1::AnswerSource* out, const StoreView& view, const processor::StoreInfo& store) {
  SetTaskId(out->mutable_task(), view.task);
  out->set_role(ToWire(view.role));
  SetPosition(out->mutable_position(), view.view->position());
  SetDuration(out->mutable_staleness(), view.staleness_ms);
  if (view.view->stream_time_ms() >= 0) SetTimestamp(out->mutable_stream_time(), view.view->stream_time_ms());
  const int64_t retention_start = view.view->retention_start_ms(store.name);
  if (retention_start != std::numeric_limits<int64_t>::min()) {
    SetTimestamp(out->mutable_retention_start(), retention_start);
  }
}

}  // namespace tailrace::grpc_api
