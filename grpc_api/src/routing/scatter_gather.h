// Sends a query to the workers that hold what it is about: to any, to the owner of one key, or to those of all partitions; and
// to another copy, or by a newer routing table, when one does not answer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/error_info.h"
#include "routing/call.h"
#include "routing/routing_follower.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/murmur2.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

using RoutingTablePtr = std::shared_ptr<const RoutingSnapshot>;  // shared with the follower, which replaces it

// Thread-safe. What it is made of outlives it; `metrics` may be null. Errors are those of the workers, or UNAVAILABLE with reason
// NO_WORKER, or DEADLINE_EXCEEDED.
class ScatterGather {
 public:
  ScatterGather(std::vector<std::string> seeds, RoutingFollower& routing, WorkerChannels& channels, base::MetricsRegistry* metrics);

  // The routing table, once a worker has told it.
  absl::StatusOr<RoutingTablePtr> FirstTable(const Deadline& deadline) const;

  // Asks one worker after another until one answers.
  template <class Request, class Response>
  absl::Status AskAny(const Request& request, Response* response, const Deadline& deadline) const;

  // Asks about one key.
  template <class Request, class Response>
  absl::Status AskOwner(const StoreDescription& store, std::string_view key_text, const Request& request, const CallOptions& options,
                        const Deadline& deadline, Response* response) const;

  // Asks about all partitions: one answer per worker that was needed. An error with `tolerated_reason` counts as an answer and
  // is kept in `tolerated`.
  template <class Request, class Response>
  absl::StatusOr<std::vector<Response>> AskAll(const StoreDescription& store, const Request& request, const CallOptions& options,
                                               const Deadline& deadline, std::string_view tolerated_reason = {},
                                               absl::Status* tolerated = nullptr) const;

 private:
  // How often one query looks for another copy, and how long it waits for a newer routing table in between.
  static constexpr int kAttempts = 3;
  static constexpr int64_t kNewerTableWaitMs = 500;

  using Failed = std::set<std::pair<int32_t, std::string>>;  // partition and worker

  // Who is asked for which of the partitions: the first holder of each that has not failed.
  struct Plan {
    std::map<std::string, std::vector<int32_t>> by_worker;
    bool complete = true;   // every partition has such a holder
    absl::Status no_owner;  // of a partition that nobody holds
  };
  static Plan PlanOf(const RoutingSnapshot& snapshot, const StoreDescription& store, const std::set<int32_t>& partitions,
                     const Failed& failed, bool active_only);

  RoutingTablePtr Newer(const RoutingTablePtr& than, const Deadline& deadline) const {
    return routing_.AwaitNewer(than->version, std::min(deadline.RemainingMs(), kNewerTableWaitMs));
  }
  void CountReroute() const {
    if (reroutes_) reroutes_->Increment();
  }

  const std::vector<std::string> seeds_;
  RoutingFollower& routing_;
  WorkerChannels& channels_;
  std::shared_ptr<base::Counter> reroutes_;  // shared with the registry
};

// ---------------------------------------------------------------------------------------------------------------------

bool IsWorthAnotherCopy(const absl::Status& status);
absl::Status NoOwner(const base::TaskId& task, std::string_view store);
// "0_3" as NOT_ACTIVE_OWNER names it.
std::optional<int32_t> PartitionOfTaskName(const std::string& name);

template <class Request, class Response>
absl::Status ScatterGather::AskAny(const Request& request, Response* response, const Deadline& deadline) const {
  TAILRACE_ASSIGN_OR_RETURN(const RoutingTablePtr snapshot, FirstTable(deadline));
  std::vector<std::string> endpoints;
  for (const processor::WorkerRoute& route : snapshot->table.workers) endpoints.push_back(route.endpoint);
  for (const std::string& seed : seeds_) {
    if (std::find(endpoints.begin(), endpoints.end(), seed) == endpoints.end()) endpoints.push_back(seed);
  }
  absl::Status last = absl::UnavailableError("no worker is known");
  for (const std::string& endpoint : endpoints) {
    if (deadline.RemainingMs() <= 0) break;
    last = CallOne(channels_.Of(endpoint), request, response, deadline.RemainingMs());
    if (last.code() != absl::StatusCode::kUnavailable) return last;
  }
  return last;
}

template <class Request, class Response>
absl::Status ScatterGather::AskOwner(const StoreDescription& store, std::string_view key_text, const Request& request,
                                     const CallOptions& options, const Deadline& deadline, Response* response) const {
  // For keys that are text this is the owner. For others the worker asked names the partition, since it knows the
  // schema, and the next attempt goes there.
  base::TaskId task{store.subtopology, base::Partition(0)};
  if (store.partition_count > 1) task.partition = base::PartitionForKey(key_text, store.partition_count);
  std::optional<std::string> hint;
  std::set<std::string> failed;
  absl::Status last;
  RoutingTablePtr snapshot = routing_.Current();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) CountReroute();
    std::string endpoint;
    if (hint && !hint->empty()) {
      endpoint = *std::exchange(hint, std::nullopt);
    } else {
      const std::vector<std::string> holders = snapshot->Holders(task, options.require_active);
      const auto fresh = std::find_if(holders.begin(), holders.end(), [&](const std::string& holder) { return !failed.contains(holder); });
      if (fresh != holders.end()) {
        endpoint = *fresh;
      } else {
        snapshot = Newer(snapshot, deadline);
        failed.clear();
        const std::vector<std::string> now = snapshot->Holders(task, options.require_active);
        if (now.empty()) {
          last = NoOwner(task, store.name);
          continue;
        }
        endpoint = now.front();
      }
    }
    if (deadline.RemainingMs() <= 0) break;
    last = CallOne(channels_.Of(endpoint), request, response, deadline.RemainingMs());
    if (!IsWorthAnotherCopy(last)) return last;
    failed.insert(endpoint);
    if (std::optional<ErrorInfo> info = ErrorInfoOf(last); info && info->reason == reason::kNotActiveOwner) {
      if (const std::optional<int32_t> partition = PartitionOfTaskName(info->metadata["task"])) {
        if (*partition != task.partition.value()) failed.clear();
        task.partition = base::Partition(*partition);
      }
      if (const std::string& owner = info->metadata["owner_endpoint"]; !owner.empty() && owner != endpoint) hint = owner;
    }
  }
  return last;
}

template <class Request, class Response>
absl::StatusOr<std::vector<Response>> ScatterGather::AskAll(const StoreDescription& store, const Request& request,
                                                            const CallOptions& options, const Deadline& deadline,
                                                            std::string_view tolerated_reason, absl::Status* tolerated) const {
  std::set<int32_t> pending;
  for (int32_t p = 0; p < std::max(store.partition_count, 1); ++p) pending.insert(p);
  Failed failed;
  std::vector<Response> responses;
  absl::Status last;
  RoutingTablePtr snapshot = routing_.Current();
  for (int attempt = 0; attempt < kAttempts && !pending.empty() && deadline.RemainingMs() > 0; ++attempt) {
    Plan plan = PlanOf(*snapshot, store, pending, failed, options.require_active);
    if (attempt > 0) {
      CountReroute();
      // Another copy is asked at once where there is one; otherwise the table has to change first.
      if (plan.by_worker.empty()) {
        snapshot = Newer(snapshot, deadline);
        failed.clear();
        plan = PlanOf(*snapshot, store, pending, failed, options.require_active);
      }
    }
    if (!plan.no_owner.ok()) last = plan.no_owner;
    if (!plan.complete && attempt + 1 == kAttempts) break;
    std::vector<WorkerCall<Request, Response>> calls(plan.by_worker.size());
    size_t i = 0;
    for (const auto& [endpoint, partitions] : plan.by_worker) {
      calls[i].worker = channels_.Of(endpoint);
      calls[i].request = request;
      calls[i].request.mutable_partitions()->Add(partitions.begin(), partitions.end());
      ++i;
    }
    CallAll(calls, deadline.RemainingMs());
    for (WorkerCall<Request, Response>& call : calls) {
      const std::string& endpoint = call.worker->endpoint();
      if (call.status.ok() || (!tolerated_reason.empty() && ReasonOf(call.status) == tolerated_reason)) {
        if (!call.status.ok()) *tolerated = call.status;
        responses.push_back(std::move(call.response));
        for (const int32_t partition : plan.by_worker[endpoint]) pending.erase(partition);
      } else if (IsWorthAnotherCopy(call.status)) {
        last = call.status;
        for (const int32_t partition : plan.by_worker[endpoint]) failed.insert({partition, endpoint});
      } else {
        return call.status;
      }
    }
  }
  if (pending.empty()) return responses;
  TAILRACE_RETURN_IF_ERROR(last);
  return deadline.Check();
}

}  // namespace tailrace::grpc_api
