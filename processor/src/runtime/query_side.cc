#include "runtime/query_side.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tailrace::processor {

QuerySide::QuerySide(const RuntimeContext& context, const StateMachine& state, RoutingWatchers& routing,
                     TopologyDescription topology, std::string application_id)
    : context_(context), state_(state), routing_(routing), topology_(std::move(topology)), application_id_(std::move(application_id)) {}

void QuerySide::SetTopology(SubscriptionHub* hub) {
  std::vector<StoreInfo> stores;
  for (const detail::Subtopology& subtopology : context_.topology->subtopologies())
    for (const state::StoreSpec& spec : subtopology.stores) {
      if (spec.kind == state::StoreKind::kTimeOrderedBuffer) continue;  // not for queries
      stores.push_back({.name = spec.name,
                        // Queries see the latest versions of a versioned store as a key-value store.
                        .kind = spec.kind == state::StoreKind::kVersioned ? state::StoreKind::kKeyValue : spec.kind,
                        .window_size_ms = spec.window_size_ms,
                        .retention_ms = spec.retention_ms,
                        .subtopology = subtopology.id,
                        .partition_count = context_.plan.task_counts.at(subtopology.id),
                        .schema = spec.schema});
    }
  absl::MutexLock lock(&mu_);
  stores_ = std::move(stores);
  hub_ = hub;
}

std::vector<StoreInfo> QuerySide::Stores() const {
  absl::MutexLock lock(&mu_);
  return stores_;
}

absl::StatusOr<StoreInfo> QuerySide::Store(std::string_view name) const {
  std::vector<std::string> known;
  for (StoreInfo& store : Stores()) {
    if (store.name == name) return std::move(store);
    known.push_back(store.name);
  }
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kNotFound,
                     absl::StrCat("no store is named '", std::string(name), "'; there are: ",
                                  known.empty() ? std::string("none") : absl::StrJoin(known, ", ")));
}

absl::StatusOr<std::vector<StoreView>> QuerySide::Views(std::string_view store) const {
  TAILRACE_ASSIGN_OR_RETURN(const StoreInfo info, Store(store));
  std::vector<StoreView> views;
  bool any = false;
  for (const auto& task : context_.tasks.All()) {
    if (task->id().subtopology != info.subtopology) continue;
    any = true;
    if (auto view = task->View()) views.push_back({.task = task->id(), .role = TaskRole::kActive, .staleness_ms = 0, .view = std::move(view)});
  }
  for (const auto& task : context_.standbys.All()) {
    if (task->id().subtopology != info.subtopology) continue;
    // The time first: the view may only be newer than it says.
    const int64_t staleness_ms = std::max<int64_t>(context_.clock->SteadyMs() - task->current_ms.load(), 0);
    if (auto view = task->View())
      views.push_back({.task = task->id(), .role = TaskRole::kStandby, .staleness_ms = staleness_ms, .view = std::move(view)});
  }
  if (views.empty() && (any || !ready()))
    return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable,
                       absl::StrCat("store '", std::string(store), "' is being restored or moved; try again"));
  return views;
}

std::vector<TaskInfo> QuerySide::Tasks() const {
  std::vector<TaskInfo> tasks;
  for (const auto& task : context_.tasks.All()) tasks.push_back(task->Info());
  for (const auto& task : context_.standbys.All()) tasks.push_back(task->Info());
  return tasks;
}

absl::StatusOr<std::unique_ptr<Subscription>> QuerySide::Subscribe(std::string_view store, UpdateSink sink) {
  TAILRACE_RETURN_IF_ERROR(Store(store).status());
  absl::MutexLock lock(&mu_);
  std::unique_ptr<Subscription> subscription = hub_->Subscribe(store, std::move(sink));
  if (subscription == nullptr)
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kNotFound, absl::StrCat("no store is named '", std::string(store), "'"));
  return subscription;
}

}  // namespace tailrace::processor
