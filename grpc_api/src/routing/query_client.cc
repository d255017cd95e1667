// QueryClient over several applications: a store's name says which of them is asked.
#include "tailrace/grpc_api/query_client.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/application_token.h"
#include "common/deadline.h"
#include "common/error_info.h"
#include "routing/application_directory.h"
#include "tailrace/grpc_api/request_registry.h"
#include "tailrace/processor/application_id.h"

namespace tailrace::grpc_api {
namespace {

// Nobody waits longer for a worker that does not answer: the directory goes on trying, and so may the caller.
constexpr int64_t kFirstAnswerMs = 1'500;
// The same for one application of many, which another one answers for.
constexpr int64_t kReplacedAnswerMs = 500;

// The client of an application that is forgotten lives as long as somebody listens to it.
class HeldSubscription final : public ClientSubscription {
 public:
  HeldSubscription(std::shared_ptr<ApplicationClient> client, std::unique_ptr<ClientSubscription> inner)
      : client_(std::move(client)), inner_(std::move(inner)) {}

  std::string ResumeToken() const override { return TokenOf(client_->application_id(), inner_->ResumeToken()); }
  bool connected() const override { return inner_->connected(); }

 private:
  const std::shared_ptr<ApplicationClient> client_;  // shared with the directory
  const std::unique_ptr<ClientSubscription> inner_;
};

class DirectoryClient final : public QueryClient {
 public:
  explicit DirectoryClient(QueryClientOptions options)
      : options_(std::move(options)),
        channels_(base::limits::kWorkerChannelsMax, *options_.clock, options_.tls),
        directory_(std::make_unique<ApplicationDirectory>(options_, channels_)) {
    if (options_.metrics == nullptr) return;
    age_ = options_.metrics->AddCollector([this](base::MetricsSink& sink) {
      const std::vector<RoutingState> known = Routing();
      const auto gauge = [&sink](const std::string& application, int64_t age_ms) {
        sink.Gauge("tailrace_gateway_metadata_age_seconds", "Since a worker last confirmed the routing table.",
                   {{"application", application}}, static_cast<double>(age_ms) * 1e-3);
      };
      for (const RoutingState& routing : known) gauge(routing.application_id, routing.age_ms);
      if (known.empty()) gauge("", -1);
    });
  }
  ~DirectoryClient() override { age_.Reset(); }

  absl::StatusOr<std::vector<StoreDescription>> ListStores(const CallOptions& options) override {
    std::vector<StoreDescription> all;
    const std::shared_ptr<const Catalog> catalog = directory_->Current();
    TAILRACE_RETURN_IF_ERROR(ForEach(options, [&](ApplicationClient& client, const CallOptions& left) -> absl::Status {
      TAILRACE_ASSIGN_OR_RETURN(std::vector<StoreDescription> stores, client.ListStores(left));
      // Of an application and its replays each store is listed once, by who answers for it.
      for (StoreDescription& store : stores) {
        const KnownApplication* const holder = catalog->Holder(store.name);
        const bool same_name = holder != nullptr && processor::SplitApplicationId(holder->id).name ==
                                                        processor::SplitApplicationId(store.application_id).name;
        if (!same_name || holder->id == store.application_id) all.push_back(std::move(store));
      }
      return absl::OkStatus();
    }));
    return all;
  }
  absl::StatusOr<StoreDescription> Store(std::string_view name, const CallOptions& options) override {
    return Ask<StoreDescription>(name, options, [&](auto& client, const auto& left) { return client.Store(name, left); });
  }
  absl::StatusOr<PointAnswer> Get(std::string_view store, std::string_view key_text, std::optional<int64_t> window_start_ms,
                                  const CallOptions& options) override {
    return Ask<PointAnswer>(store, options, [&](auto& client, const auto& left) {
      return client.Get(store, key_text, window_start_ms, left);
    });
  }
  absl::StatusOr<WindowsAnswer> FetchWindows(std::string_view store, std::string_view key_text, const WindowRange& range,
                                             bool merge, const CallOptions& options) override {
    return Ask<WindowsAnswer>(store, options, [&](auto& client, const auto& left) {
      return client.FetchWindows(store, key_text, range, merge, left);
    });
  }
  absl::StatusOr<ScanAnswer> Scan(std::string_view store, const WindowRange& range, int page_size, std::string_view page_token,
                                  const CallOptions& options, std::string_view key_prefix) override {
    return Ask<ScanAnswer>(store, options, [&](auto& client, const auto& left) -> absl::StatusOr<ScanAnswer> {
      const std::string& application_id = client.application_id();
      const ApplicationToken token = ReadToken(application_id, page_token);
      if (token.foreign) return Foreign("page_token", application_id);
      TAILRACE_ASSIGN_OR_RETURN(ScanAnswer answer, client.Scan(store, range, page_size, token.token, left, key_prefix));
      answer.next_page_token = TokenOf(application_id, std::move(answer.next_page_token));
      return answer;
    });
  }
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListKeys(std::string_view store, const WindowRange& range,
                                                                            std::string_view positive_field, size_t keys_max,
                                                                            const CallOptions& options) override {
    return Ask<std::vector<std::pair<std::string, std::string>>>(store, options, [&](auto& client, const auto& left) {
      return client.ListKeys(store, range, positive_field, keys_max, left);
    });
  }
  absl::StatusOr<TopAnswer> Top(const TopQuery& query, const CallOptions& options) override {
    return Ask<TopAnswer>(query.store, options, [&](auto& client, const auto& left) { return client.Top(query, left); });
  }
  absl::StatusOr<SubmitAnswer> SubmitRequest(RequestKind kind, std::string_view name, const CallOptions& options) override {
    TAILRACE_ASSIGN_OR_RETURN(const std::string normal, RequestName(kind, name));
    v1::SubmitRequestRequest request;
    request.set_kind(kind == RequestKind::kUser ? v1::REQUEST_KIND_USER : v1::REQUEST_KIND_TICKER);
    request.set_name(normal);
    return Ask<SubmitAnswer>(kRequestStore, options, [&](auto& client, const auto& left) {
      return client.SubmitRequest(request, kRequestStore, RequestKey(kind, normal), left);
    });
  }
  absl::StatusOr<std::vector<WorkerTasks>> ListTasks(const CallOptions& options) override {
    std::vector<WorkerTasks> all;
    TAILRACE_RETURN_IF_ERROR(ForEach(options, [&](ApplicationClient& client, const CallOptions& left) -> absl::Status {
      TAILRACE_ASSIGN_OR_RETURN(std::vector<WorkerTasks> tasks, client.ListTasks(left));
      std::move(tasks.begin(), tasks.end(), std::back_inserter(all));
      return absl::OkStatus();
    }));
    return all;
  }
  absl::StatusOr<std::vector<ApplicationTopology>> DescribeTopologies(const CallOptions& options) override {
    std::vector<ApplicationTopology> all;
    TAILRACE_RETURN_IF_ERROR(ForEach(options, [&](ApplicationClient& client, const CallOptions& left) -> absl::Status {
      TAILRACE_ASSIGN_OR_RETURN(processor::TopologyDescription topology, client.DescribeTopology(left));
      all.push_back({client.Routing().application_id, std::move(topology)});
      return absl::OkStatus();
    }));
    return all;
  }
  std::vector<RoutingState> Routing() const override {
    std::vector<RoutingState> all;
    for (const auto& [id, application] : directory_->Current()->applications) all.push_back(application.client->Routing());
    return all;
  }
  absl::StatusOr<std::vector<RoutingState>> AwaitRouting(const CallOptions& options) override {
    std::vector<RoutingState> all;
    TAILRACE_RETURN_IF_ERROR(ForEach(options, [&](ApplicationClient& client, const CallOptions& left) -> absl::Status {
      TAILRACE_ASSIGN_OR_RETURN(RoutingState routing, client.AwaitRouting(left));
      all.push_back(std::move(routing));
      return absl::OkStatus();
    }));
    return all;
  }
  absl::StatusOr<std::unique_ptr<ClientSubscription>> Subscribe(std::string_view store, std::string_view resume_token,
                                                                SubscriptionListener& listener,
                                                                const CallOptions& options) override {
    const Deadline deadline(*options_.clock, options.timeout_ms);
    TAILRACE_ASSIGN_OR_RETURN(std::shared_ptr<ApplicationClient> client, Holder(store, deadline));
    const std::string& application_id = client->application_id();
    const ApplicationToken token = ReadToken(application_id, resume_token);
    if (token.foreign) return Foreign("the resume token", application_id);
    TAILRACE_ASSIGN_OR_RETURN(std::unique_ptr<ClientSubscription> inner,
                              client->Subscribe(store, token.token, listener, Within(deadline, options)));
    return std::make_unique<HeldSubscription>(std::move(client), std::move(inner));
  }

 private:
  static absl::Status Foreign(std::string_view what, const std::string& application_id) {
    return QueryError(absl::StatusCode::kInvalidArgument, reason::kBadPageToken,
                      std::string(what) + " belongs to another application than " + application_id +
                          ", which answers for this store now; start again without one");
  }

  static CallOptions Within(const Deadline& deadline, CallOptions options) {
    options.timeout_ms = deadline.RemainingMs();
    return options;
  }

  // A catalog with at least one application.
  absl::StatusOr<std::shared_ptr<const Catalog>> Known(const Deadline& deadline) {
    std::shared_ptr<const Catalog> catalog = directory_->Current();
    if (catalog->applications.empty()) catalog = directory_->Fresh(std::min(deadline.RemainingMs(), kFirstAnswerMs));
    if (catalog->applications.empty()) return NoWorker(*catalog);
    return catalog;
  }

  absl::Status NoWorker(const Catalog& catalog) const {
    return QueryError(absl::StatusCode::kUnavailable, reason::kNoWorker,
                      "no worker answers (tried " + absl::StrJoin(options_.workers, ", ") + ")" +
                          (catalog.last_error.ok() ? std::string() : ": " + std::string(catalog.last_error.message())));
  }

  absl::StatusOr<std::shared_ptr<ApplicationClient>> Holder(std::string_view store, const Deadline& deadline) {
    TAILRACE_ASSIGN_OR_RETURN(std::shared_ptr<const Catalog> catalog, Known(deadline));
    const KnownApplication* holder = catalog->Holder(store);
    if (holder == nullptr) {
      // An application may have come, or got another topology, since the last round.
      catalog = directory_->Fresh(std::min(deadline.RemainingMs(), kFirstAnswerMs));
      holder = catalog->Holder(store);
    }
    if (holder != nullptr) return holder->client;
    if (catalog->applications.empty()) return NoWorker(*catalog);
    const std::string name(store);
    if (!catalog->silent.empty()) {
      return QueryError(absl::StatusCode::kUnavailable, reason::kNoWorker,
                        "no worker that answers has store '" + name + "', and " + absl::StrJoin(catalog->silent, ", ") +
                            " has not answered yet");
    }
    std::vector<std::string> names;
    for (const auto& [id, application] : catalog->applications) {
      if (application.stores.empty() && !application.ready) {
        return QueryError(absl::StatusCode::kUnavailable, reason::kRestoring,
                          "no store '" + name + "' is known yet; application '" + id + "' is starting");
      }
      names.insert(names.end(), application.stores.begin(), application.stores.end());
    }
    std::sort(names.begin(), names.end());
    return QueryError(absl::StatusCode::kNotFound, reason::kUnknownStore,
                      "there is no store '" + name + "'; the stores are: " + (names.empty() ? "none" : absl::StrJoin(names, ", ")),
                      {{"store", name}});
  }

  template <class Answer, class Call>
  absl::StatusOr<Answer> Ask(std::string_view store, const CallOptions& options, Call call) {
    const Deadline deadline(*options_.clock, options.timeout_ms);
    TAILRACE_ASSIGN_OR_RETURN(const std::shared_ptr<ApplicationClient> client, Holder(store, deadline));
    return call(*client, Within(deadline, options));
  }

  absl::Status ForEach(const CallOptions& options,
                       const std::function<absl::Status(ApplicationClient&, const CallOptions&)>& call) {
    const Deadline deadline(*options_.clock, options.timeout_ms);
    TAILRACE_ASSIGN_OR_RETURN(const std::shared_ptr<const Catalog> catalog, Known(deadline));
    for (const auto& [id, application] : catalog->applications) {
      // One that another answers for keeps nothing from being answered: it may have gone.
      const bool replaced = catalog->IsReplaced(id);
      CallOptions left = Within(deadline, options);
      if (replaced) left.timeout_ms = std::min(left.timeout_ms, kReplacedAnswerMs);
      const absl::Status status = call(*application.client, left);
      if (!status.ok() && !replaced) return base::Annotate(status, "application " + id);
    }
    return absl::OkStatus();
  }

  const QueryClientOptions options_;
  WorkerChannels channels_;
  const std::unique_ptr<ApplicationDirectory> directory_;
  base::MetricsRegistry::CollectorHandle age_;
};

}  // namespace

std::unique_ptr<QueryClient> QueryClient::Create(QueryClientOptions options) {
  return std::make_unique<DirectoryClient>(std::move(options));
}

}  // namespace tailrace::grpc_api
