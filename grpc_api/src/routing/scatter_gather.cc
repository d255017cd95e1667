#include "routing/scatter_gather.h"

#include "absl/strings/str_join.h"

namespace tailrace::grpc_api {

bool IsWorthAnotherCopy(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || ReasonOf(status) == reason::kNotActiveOwner;
}

absl::Status NoOwner(const base::TaskId& task, std::string_view store) {
  return QueryError(absl::StatusCode::kUnavailable, reason::kNoWorker,
                    "task " + task.ToString() + " of store " + std::string(store) +
                        " has no owner at the moment; it is being assigned, try again shortly",
                    {{"task", task.ToString()}});
}

std::optional<int32_t> PartitionOfTaskName(const std::string& name) {
  const size_t underscore = name.find('_');
  if (underscore == std::string::npos || underscore + 1 >= name.size()) return std::nullopt;
  int32_t partition = 0;
  for (size_t i = underscore + 1; i < name.size(); ++i) {
    if (name[i] < '0' || name[i] > '9' || partition > 100'000'000) return std::nullopt;
    partition = partition * 10 + (name[i] - '0');
  }
  return partition;
}

ScatterGather::ScatterGather(std::vector<std::string> seeds, RoutingFollower& routing, WorkerChannels& channels,
                             base::MetricsRegistry* metrics)
    : seeds_(std::move(seeds)), routing_(routing), channels_(channels) {
  if (metrics != nullptr) {
    reroutes_ = metrics->GetCounter("tailrace_gateway_reroutes_total",
                                    "Queries sent to another copy because the first did not answer.");
  }
}

absl::StatusOr<RoutingTablePtr> ScatterGather::FirstTable(const Deadline& deadline) const {
  // After a first failed attempt nobody waits long: the follower goes on trying, and so may the caller.
  while (true) {
    RoutingTablePtr snapshot = routing_.AwaitNewer(0, std::min(deadline.RemainingMs(), kNewerTableWaitMs));
    if (snapshot->version > 0) return snapshot;
    if (deadline.RemainingMs() <= 0 || !routing_.LastError().ok()) break;
  }
  const absl::Status last = routing_.LastError();
  return QueryError(absl::StatusCode::kUnavailable, reason::kNoWorker,
                    "no worker answers (tried " + absl::StrJoin(seeds_, ", ") + ")" +
                        (last.ok() ? std::string() : ": " + std::string(last.message())));
}

ScatterGather::Plan ScatterGather::PlanOf(const RoutingSnapshot& snapshot, const StoreDescription& store,
                                          const std::set<int32_t>& partitions, const Failed& failed, bool active_only) {
  Plan plan;
  for (const int32_t partition : partitions) {
    const base::TaskId task{store.subtopology, base::Partition(partition)};
    const std::vector<std::string> holders = snapshot.Holders(task, active_only);
    const auto fresh = std::find_if(holders.begin(), holders.end(),
                                    [&](const std::string& holder) { return !failed.contains({partition, holder}); });
    if (fresh != holders.end()) {
      plan.by_worker[*fresh].push_back(partition);
    } else {
      plan.complete = false;
      if (holders.empty()) plan.no_owner = NoOwner(task, store.name);
    }
  }
  return plan;
}

}  // namespace tailrace::grpc_api
