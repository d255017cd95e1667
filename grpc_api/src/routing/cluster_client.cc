// ApplicationClient over the routing table.
#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/deadline.h"
#include "common/error_info.h"
#include "common/page_token.h"
#include "common/wire.h"
#include "query/query_handlers.h"
#include "routing/answers.h"
#include "routing/application_client.h"
#include "routing/cluster_subscription.h"
#include "routing/routing_follower.h"
#include "routing/scatter_gather.h"

namespace tailrace::grpc_api {
namespace {

class ClusterClient final : public ApplicationClient {
 public:
  ClusterClient(Options options, WorkerChannels& channels)
      : options_(std::move(options)),
        channels_(channels),
        timers_(std::make_unique<TimerThread>(*options_.clock)),
        routing_(std::make_unique<RoutingFollower>(options_.application_id, options_.seeds, channels_, *timers_, *options_.clock)),
        workers_(options_.seeds, *routing_, channels_, options_.metrics) {
    routing_->Start();
  }
  ~ClusterClient() override {
    timers_->Stop();
    routing_.reset();
  }

  absl::StatusOr<std::vector<StoreDescription>> ListStores(const CallOptions& options) override;
  const std::string& application_id() const override { return options_.application_id; }
  absl::StatusOr<StoreDescription> Store(std::string_view name, const CallOptions& options) override;
  absl::StatusOr<PointAnswer> Get(std::string_view store, std::string_view key_text,
                                  std::optional<int64_t> window_start_ms, const CallOptions& options) override;
  absl::StatusOr<WindowsAnswer> FetchWindows(std::string_view store, std::string_view key_text,
                                             const WindowRange& range, bool merge, const CallOptions& options) override;
  absl::StatusOr<ScanAnswer> Scan(std::string_view store, const WindowRange& range, int page_size,
                                  std::string_view page_token, const CallOptions& options,
                                  std::string_view key_prefix) override;
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListKeys(std::string_view store,
                                                                            const WindowRange& range,
                                                                            std::string_view positive_field,
                                                                            size_t keys_max,
                                                                            const CallOptions& options) override;
  absl::StatusOr<TopAnswer> Top(const TopQuery& query, const CallOptions& options) override;
  absl::StatusOr<std::vector<WorkerTasks>> ListTasks(const CallOptions& options) override;
  absl::StatusOr<processor::TopologyDescription> DescribeTopology(const CallOptions& options) override;
  absl::StatusOr<SubmitAnswer> SubmitRequest(v1::SubmitRequestRequest request, std::string_view store, std::string_view key,
                                             const CallOptions& options) override;
  RoutingState Routing() const override {
    return {.application_id = options_.application_id, .table = routing_->Current()->table, .age_ms = routing_->AgeMs()};
  }
  absl::StatusOr<RoutingState> AwaitRouting(const CallOptions& options) override;
  absl::StatusOr<std::unique_ptr<ClientSubscription>> Subscribe(std::string_view store, std::string_view resume_token,
                                                                SubscriptionListener& listener,
                                                                const CallOptions& options) override;

 private:
  absl::StatusOr<std::vector<StoreDescription>> FetchStores(const Deadline& deadline);
  absl::StatusOr<StoreDescription> FindStore(std::string_view name, const Deadline& deadline);

  const Options options_;
  WorkerChannels& channels_;
  std::unique_ptr<TimerThread> timers_;
  std::unique_ptr<RoutingFollower> routing_;
  ScatterGather workers_;

  absl::Mutex stores_mu_;
  uint64_t stores_version_ ABSL_GUARDED_BY(stores_mu_) = 0;  // routing version at which they were asked for
  std::map<std::string, StoreDescription, std::less<>> stores_ ABSL_GUARDED_BY(stores_mu_);
};

absl::StatusOr<std::vector<StoreDescription>> ClusterClient::FetchStores(const Deadline& deadline) {
  const uint64_t version = routing_->Current()->version;
  v1::ListStoresResponse response;
  v1::ListStoresRequest request;
  request.set_application_id(options_.application_id);
  TAILRACE_RETURN_IF_ERROR(workers_.AskAny(request, &response, deadline));
  std::vector<StoreDescription> stores;
  for (const v1::Store& store : response.stores()) stores.push_back(DescriptionOf(store, options_.application_id));
  absl::MutexLock lock(&stores_mu_);
  stores_.clear();
  for (const StoreDescription& store : stores) stores_[store.name] = store;
  stores_version_ = version;
  return stores;
}

absl::StatusOr<StoreDescription> ClusterClient::FindStore(std::string_view name, const Deadline& deadline) {
  TAILRACE_ASSIGN_OR_RETURN(const RoutingTablePtr snapshot, workers_.FirstTable(deadline));
  {
    absl::MutexLock lock(&stores_mu_);
    const auto found = stores_.find(name);
    // Stores do not change while the assignment stays the same; a restarted application may have others.
    if (found != stores_.end() && stores_version_ == snapshot->version) return found->second;
  }
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<StoreDescription> stores, FetchStores(deadline));
  std::string names;
  for (const StoreDescription& store : stores) {
    if (store.name == name) return store;
    names += (names.empty() ? "" : ", ") + store.name;
  }
  return QueryError(absl::StatusCode::kNotFound, reason::kUnknownStore,
                    "there is no store '" + std::string(name) + "'; the stores are: " + (names.empty() ? "none" : names),
                    {{"store", std::string(name)}});
}

absl::StatusOr<std::vector<StoreDescription>> ClusterClient::ListStores(const CallOptions& options) {
  return FetchStores(Deadline(*options_.clock, options.timeout_ms));
}

absl::StatusOr<StoreDescription> ClusterClient::Store(std::string_view name, const CallOptions& options) {
  return FindStore(name, Deadline(*options_.clock, options.timeout_ms));
}

absl::StatusOr<PointAnswer> ClusterClient::Get(std::string_view store, std::string_view key_text,
                                               std::optional<int64_t> window_start_ms, const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(store, deadline));
  v1::GetRequest request;
  request.set_application_id(options_.application_id);
  request.set_store(description.name);
  request.set_key_text(std::string(key_text));
  if (window_start_ms) SetTimestamp(request.mutable_window_start(), *window_start_ms);
  *request.mutable_read_options() = ReadOptionsOf(options);
  v1::GetResponse response;
  TAILRACE_RETURN_IF_ERROR(workers_.AskOwner(description, key_text, request, options, deadline, &response));
  return AnswerOf(std::move(response));
}

absl::StatusOr<WindowsAnswer> ClusterClient::FetchWindows(std::string_view store, std::string_view key_text,
                                                          const WindowRange& range, bool merge,
                                                          const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(store, deadline));
  v1::FetchWindowsRequest request;
  request.set_application_id(options_.application_id);
  request.set_store(description.name);
  request.set_key_text(std::string(key_text));
  SetRange(&request, {range.from_ms, range.to_ms});
  request.set_merge(merge);
  *request.mutable_read_options() = ReadOptionsOf(options);
  v1::FetchWindowsResponse response;
  TAILRACE_RETURN_IF_ERROR(workers_.AskOwner(description, key_text, request, options, deadline, &response));
  return AnswerOf(std::move(response));
}

absl::StatusOr<ScanAnswer> ClusterClient::Scan(std::string_view store, const WindowRange& range, int page_size,
                                               std::string_view page_token, const CallOptions& options,
                                               std::string_view key_prefix) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(store, deadline));
  v1::ScanRequest request;
  request.set_application_id(options_.application_id);
  request.set_store(description.name);
  if (description.kind != state::StoreKind::kKeyValue) SetRange(&request, {range.from_ms, range.to_ms});
  const int rows = page_size == 0 ? base::limits::kPageSizeDefault : std::min(page_size, base::limits::kPageSizeMax);
  request.set_page_size(rows);
  request.set_page_token(std::string(page_token));
  request.set_key_prefix(std::string(key_prefix));
  *request.mutable_read_options() = ReadOptionsOf(options);
  TAILRACE_ASSIGN_OR_RETURN(std::vector<v1::ScanResponse> pages,
                            (workers_.AskAll<v1::ScanRequest, v1::ScanResponse>(description, request, options, deadline)));
  return MergePages(std::move(pages), static_cast<size_t>(std::max(rows, 0)), description.name,
                    description.kind != state::StoreKind::kKeyValue ? range : WindowRange{}, key_prefix);
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ClusterClient::ListKeys(
    std::string_view store, const WindowRange& range, std::string_view positive_field, size_t keys_max,
    const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(store, deadline));
  v1::ListKeysRequest request;
  request.set_application_id(options_.application_id);
  request.set_store(description.name);
  const bool window = description.kind != state::StoreKind::kKeyValue;
  const TimeRange effective = window ? TimeRange{range.from_ms, range.to_ms} : TimeRange{};
  if (window) SetRange(&request, effective);
  request.set_positive_field(std::string(positive_field));
  request.set_page_size(base::limits::kKeyPageSizeMax);
  *request.mutable_read_options() = ReadOptionsOf(options);
  const uint64_t hash = ListKeysHash(description.name, effective, positive_field);
  std::map<std::string, std::string> keys;
  std::string token;
  do {
    request.set_page_token(token);
    TAILRACE_ASSIGN_OR_RETURN(
        std::vector<v1::ListKeysResponse> pages,
        (workers_.AskAll<v1::ListKeysRequest, v1::ListKeysResponse>(description, request, options, deadline)));
    // The next page begins behind the smallest last key of those that have more; what others gave beyond is kept.
    std::optional<std::string> limit;
    for (v1::ListKeysResponse& page : pages) {
      if (!page.next_page_token().empty() && page.keys_size() > 0) {
        const std::string& last = page.keys(page.keys_size() - 1).data();
        if (!limit || last < *limit) limit = last;
      }
      for (v1::Key& key : *page.mutable_keys()) {
        keys.insert_or_assign(std::move(*key.mutable_data()), std::move(*key.mutable_json()));
      }
    }
    if (keys.size() > keys_max) {
      return QueryError(absl::StatusCode::kResourceExhausted, reason::kTooLarge,
                        "store " + description.name + " has more than " + std::to_string(keys_max) +
                            " keys in this range; ask for a shorter range");
    }
    token = limit ? PageToken{hash, effective.from_ms, effective.to_ms, state::kNoWindow, *limit}.Encode() : "";
  } while (!token.empty());
  return std::vector<std::pair<std::string, std::string>>(std::make_move_iterator(keys.begin()),
                                                          std::make_move_iterator(keys.end()));
}

absl::StatusOr<TopAnswer> ClusterClient::Top(const TopQuery& query, const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(query.store, deadline));
  v1::TopRequest request;
  request.set_application_id(options_.application_id);
  request.set_store(description.name);
  request.set_field(query.field);
  request.set_n(query.n);
  request.set_order(query.ascending ? v1::ORDER_ASCENDING : v1::ORDER_DESCENDING);
  request.set_key_prefix(query.key_prefix);
  request.set_key_suffix(query.key_suffix);
  if (query.score == TopScore::kSlope) {
    request.set_score(v1::SCORE_SLOPE);
    if (query.period_ms > 0) SetDuration(request.mutable_period(), query.period_ms);
  } else if (query.score == TopScore::kDecay) {
    request.set_score(v1::SCORE_DECAY);
    SetDuration(request.mutable_half_life(), query.half_life_ms);
  }
  if (description.kind != state::StoreKind::kKeyValue) SetRange(&request, {query.range.from_ms, query.range.to_ms});
  *request.mutable_read_options() = ReadOptionsOf(options);
  // A worker whose few keys lack the field says so, although another worker's keys may have it.
  absl::Status unknown_field;
  TAILRACE_ASSIGN_OR_RETURN(std::vector<v1::TopResponse> tops,
                            (workers_.AskAll<v1::TopRequest, v1::TopResponse>(description, request, options, deadline,
                                                                     reason::kUnknownField, &unknown_field)));
  TopAnswer answer = MergeTops(std::move(tops), static_cast<size_t>(std::max(query.n, 0)), query.ascending);
  if (answer.entries.empty() && !unknown_field.ok()) return unknown_field;
  return answer;
}

absl::StatusOr<std::vector<WorkerTasks>> ClusterClient::ListTasks(const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const RoutingTablePtr snapshot, workers_.FirstTable(deadline));
  std::vector<WorkerCall<v1::ListTasksRequest, v1::ListTasksResponse>> calls(snapshot->table.workers.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    calls[i].worker = channels_.Of(snapshot->table.workers[i].endpoint);
    calls[i].request.set_application_id(options_.application_id);
  }
  CallAll(calls, deadline.RemainingMs());
  std::vector<WorkerTasks> result;
  for (size_t i = 0; i < calls.size(); ++i) {
    const processor::WorkerRoute& route = snapshot->table.workers[i];
    WorkerTasks worker{.application_id = options_.application_id, .instance = route.instance, .endpoint = route.endpoint, .state = {}, .ready = false, .tasks = {}};
    if (calls[i].status.ok()) {
      worker.state = calls[i].response.state();
      worker.ready = calls[i].response.ready();
      for (const v1::Task& task : calls[i].response.tasks()) worker.tasks.push_back(TaskOf(task));
    } else {
      for (const base::TaskId& task : route.active) {
        processor::TaskInfo info;
        info.id = task;
        worker.tasks.push_back(std::move(info));
      }
    }
    result.push_back(std::move(worker));
  }
  return result;
}

absl::StatusOr<processor::TopologyDescription> ClusterClient::DescribeTopology(const CallOptions& options) {
  v1::DescribeTopologyRequest request;
  request.set_application_id(options_.application_id);
  v1::DescribeTopologyResponse response;
  TAILRACE_RETURN_IF_ERROR(workers_.AskAny(request, &response, Deadline(*options_.clock, options.timeout_ms)));
  return TopologyOf(response);
}

absl::StatusOr<SubmitAnswer> ClusterClient::SubmitRequest(v1::SubmitRequestRequest request, std::string_view store,
                                                          std::string_view key, const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, FindStore(store, deadline));
  v1::SubmitRequestResponse response;
  TAILRACE_RETURN_IF_ERROR(workers_.AskOwner(description, key, request, options, deadline, &response));
  return SubmitAnswer{.created = response.created(), .row = RowOf(std::move(*response.mutable_row()))};
}

absl::StatusOr<RoutingState> ClusterClient::AwaitRouting(const CallOptions& options) {
  TAILRACE_RETURN_IF_ERROR(workers_.FirstTable(Deadline(*options_.clock, options.timeout_ms)).status());
  return Routing();
}

absl::StatusOr<std::unique_ptr<ClientSubscription>> ClusterClient::Subscribe(std::string_view store,
                                                                             std::string_view resume_token,
                                                                             SubscriptionListener& listener,
                                                                             const CallOptions& options) {
  const Deadline deadline(*options_.clock, options.timeout_ms);
  TAILRACE_ASSIGN_OR_RETURN(StoreDescription description, FindStore(store, deadline));
  ResumePosition position;
  if (!resume_token.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(position, DecodeResumeToken(resume_token));
  }
  return std::make_unique<ClusterSubscription>(std::move(description), std::move(position), listener, *routing_,
                                               channels_, *timers_);
}

}  // namespace

std::shared_ptr<ApplicationClient> ApplicationClient::Create(Options options, WorkerChannels& channels) {
  return std::make_shared<ClusterClient>(std::move(options), channels);
}

}  // namespace tailrace::grpc_api
