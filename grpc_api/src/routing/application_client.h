// Queries over one application: its routing table, its owners, its tasks. QueryClient (query_client.cc) has one for each.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/worker_rpc.h"
#include "tailrace/grpc_api/query_client.h"

namespace tailrace::grpc_api {

// Thread-safe. Calls wait for their answer. Destroy it on none of its own threads.
class ApplicationClient {
 public:
  struct Options {
    std::string application_id;
    std::vector<std::string> seeds;  // workers that run it
    base::MetricsRegistry* metrics = nullptr;
    const base::Clock* clock = nullptr;
  };
  // `channels` outlive it.
  static std::shared_ptr<ApplicationClient> Create(Options options, WorkerChannels& channels);
  virtual ~ApplicationClient() = default;

  virtual const std::string& application_id() const = 0;

  // As in QueryClient.
  virtual absl::StatusOr<std::vector<StoreDescription>> ListStores(const CallOptions& options) = 0;
  virtual absl::StatusOr<StoreDescription> Store(std::string_view name, const CallOptions& options) = 0;
  virtual absl::StatusOr<PointAnswer> Get(std::string_view store, std::string_view key_text,
                                          std::optional<int64_t> window_start_ms, const CallOptions& options) = 0;
  virtual absl::StatusOr<WindowsAnswer> FetchWindows(std::string_view store, std::string_view key_text,
                                                     const WindowRange& range, bool merge, const CallOptions& options) = 0;
  virtual absl::StatusOr<ScanAnswer> Scan(std::string_view store, const WindowRange& range, int page_size,
                                          std::string_view page_token, const CallOptions& options,
                                          std::string_view key_prefix) = 0;
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListKeys(
      std::string_view store, const WindowRange& range, std::string_view positive_field, size_t keys_max,
      const CallOptions& options) = 0;
  virtual absl::StatusOr<TopAnswer> Top(const TopQuery& query, const CallOptions& options) = 0;
  virtual absl::StatusOr<SubmitAnswer> SubmitRequest(v1::SubmitRequestRequest request, std::string_view store,
                                                     std::string_view key, const CallOptions& options) = 0;
  virtual absl::StatusOr<std::vector<WorkerTasks>> ListTasks(const CallOptions& options) = 0;
  virtual absl::StatusOr<processor::TopologyDescription> DescribeTopology(const CallOptions& options) = 0;
  virtual absl::StatusOr<std::unique_ptr<ClientSubscription>> Subscribe(std::string_view store,
                                                                        std::string_view resume_token,
                                                                        SubscriptionListener& listener,
                                                                        const CallOptions& options) = 0;
  virtual RoutingState Routing() const = 0;
  // Waits for the first routing table.
  virtual absl::StatusOr<RoutingState> AwaitRouting(const CallOptions& options) = 0;
};

}  // namespace tailrace::grpc_api
