// Queries over the applications of a set of workers: finds the application that has a store and the worker that owns a key,
// asks all workers for ranges, merges their answers, and goes to another copy when one has moved or gone. What the gateway
// and `tailrace query` use.
//
//   auto client = grpc_api::QueryClient::Create({.workers = {"worker-0:9090", "worker-1:9090"}});
//   auto top = client->Top({.store = "city-metrics", .field = "posts", .n = 5}, {});
//
// Thread-safe. Calls wait for their answer, at most CallOptions::timeout_ms.
// Errors: the status codes and reasons of proto/tailrace/v1/query.proto; UNAVAILABLE when no worker can be reached or a
// task has no owner at the moment. A range is answered whole or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/request_kind.h"
#include "tailrace/grpc_api/tls.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

struct QueryClientOptions {
  // host:port of workers to begin with, at least one that runs each application; the others are learnt from the routing
  // tables. What they run is asked again and again, so an application that comes later is found.
  std::vector<std::string> workers;
  // How it knows workers, also those that routing tables name, and what it shows them; none: plain text. Files that
  // CheckClientTls refuses make every call fail.
  TlsOptions tls;
  // Where tailrace_gateway_* go; null: nowhere. Outlives the client.
  base::MetricsRegistry* metrics = nullptr;
  const base::Clock* clock = &base::SystemClock();
};

struct CallOptions {
  int64_t timeout_ms = base::limits::kQueryDeadlineMsMax;
  // How old a copy may be; standby copies are asked only when the active one does not answer.
  std::optional<int64_t> max_staleness_ms;
  state::Position min_position;
  bool require_active = false;
  // Leave out a value's bytes where its JSON text is known.
  bool json_only = false;
};

// Windows with from <= start < to; kAllTime on both sides reads everything that is retained.
struct WindowRange {
  static constexpr int64_t kOpen = std::numeric_limits<int64_t>::max();
  int64_t from_ms = 0;
  int64_t to_ms = kOpen;
};

struct StoreDescription {
  std::string application_id;
  std::string name;
  state::StoreKind kind = state::StoreKind::kKeyValue;
  int64_t window_size_ms = 0;
  int64_t retention_ms = 0;
  int32_t subtopology = 0;
  int32_t partition_count = 0;
  bool has_schema = false;
};

struct QueryValue {
  std::string bytes;  // empty with json_only where `json` is known
  std::string json;   // empty when the store has no schema
  int64_t timestamp_ms = 0;
};

struct QueryRow {
  std::string key;
  std::string key_json;  // empty when the store has no schema
  int64_t window_start_ms = state::kNoWindow;
  int64_t window_end_ms = state::kNoWindow;
  QueryValue value;
};

// Where a part of an answer came from.
struct QuerySource {
  base::TaskId task;
  processor::TaskRole role = processor::TaskRole::kActive;
  state::Position position;
  int64_t staleness_ms = 0;
  int64_t stream_time_ms = -1;
  std::optional<int64_t> retention_start_ms;
};

struct PointAnswer {
  bool found = false;
  bool expired = false;
  QueryRow row;
  QuerySource source;
};

struct WindowsAnswer {
  std::vector<QueryRow> rows;         // by window start
  std::optional<QueryValue> merged;   // all rows in one, when asked for and when values merge
  bool key_known = false;             // some window of the key is retained, in the range or outside it
  bool expired = false;               // the whole range has left the retention
  QuerySource source;
};

struct ScanAnswer {
  std::vector<QueryRow> rows;  // by window start, then key bytes
  std::string next_page_token;
  bool expired = false;
  std::vector<QuerySource> sources;
};

// What a ranking makes of the windows of a key: all of them merged, or how they rise or fade (window stores only).
enum class TopScore { kMerged, kSlope, kDecay };

struct TopQuery {
  std::string store;
  std::string field;  // empty: the value itself
  int n = 10;
  bool ascending = false;
  WindowRange range;
  // Only keys that begin and end so.
  std::string key_prefix;
  std::string key_suffix;
  TopScore score = TopScore::kMerged;
  int64_t period_ms = 0;     // kSlope: a multiple of the window size; 0: one window
  int64_t half_life_ms = 0;  // kDecay: above 0
};
struct TopEntry {
  std::string key;
  std::string key_json;
  double score = 0;
  QueryValue value;
  std::optional<int64_t> period_start_ms;  // kSlope: of the later of the two periods
};
struct TopAnswer {
  std::vector<TopEntry> entries;  // best first; equal scores by key
  bool expired = false;
  std::vector<QuerySource> sources;
};

struct WorkerTasks {
  std::string application_id;
  std::string instance;
  std::string endpoint;
  std::string state;  // RUNNING, REBALANCING, ...; empty when the worker did not answer
  bool ready = false;
  std::vector<processor::TaskInfo> tasks;
};

struct StoreChangeEvent {
  base::TaskId task;
  int64_t changelog_offset = 0;
  int32_t index = 0;  // within its commit, from 1
  QueryRow row;
  bool deleted = false;
};

// Receives a subscription's events. Calls come one at a time, from threads of the client, and must not block for long:
// while one runs, the worker waits.
class SubscriptionListener {
 public:
  virtual ~SubscriptionListener() = default;
  virtual void OnUpdate(StoreChangeEvent event) = 0;
  // Changes of this task up to here may have been missed: read its current state.
  virtual void OnGap(const base::TaskId& task, int64_t changelog_offset) = 0;
  // Every change of this task behind this place will be heard. Once per task that nothing was heard of yet; for who hands out
  // places to resume from.
  virtual void OnStart(const base::TaskId& task, int64_t changelog_offset, int index) {
    static_cast<void>(task), static_cast<void>(changelog_offset), static_cast<void>(index);
  }
};

// Ends the subscription when destroyed; after that the listener is not called.
class ClientSubscription {
 public:
  virtual ~ClientSubscription() = default;
  // Resumes behind everything that the listener has received.
  virtual std::string ResumeToken() const = 0;
  // True when every owner of the store's tasks is being listened to.
  virtual bool connected() const = 0;
};

// An application's routing table as last heard.
struct RoutingState {
  std::string application_id;
  processor::RoutingTable table;
  // Since a worker last confirmed it; negative: never heard.
  int64_t age_ms = -1;
};

struct ApplicationTopology {
  std::string application_id;
  processor::TopologyDescription topology;
};

struct SubmitAnswer {
  bool created = false;  // by this call
  QueryRow row;          // of store `requests`
};

class QueryClient {
 public:
  // Connects in the background; calls wait for the first answer of a worker within their timeout.
  static std::unique_ptr<QueryClient> Create(QueryClientOptions options);
  virtual ~QueryClient() = default;

  // Of all applications, by application and name.
  virtual absl::StatusOr<std::vector<StoreDescription>> ListStores(const CallOptions& options) = 0;
  virtual absl::StatusOr<StoreDescription> Store(std::string_view name, const CallOptions& options) = 0;
  // `key_text` as a person writes it; `window_start_ms` for window stores.
  virtual absl::StatusOr<PointAnswer> Get(std::string_view store, std::string_view key_text,
                                          std::optional<int64_t> window_start_ms, const CallOptions& options) = 0;
  virtual absl::StatusOr<WindowsAnswer> FetchWindows(std::string_view store, std::string_view key_text,
                                                     const WindowRange& range, bool merge,
                                                     const CallOptions& options) = 0;
  // page_size 0: the default. A token is good for any client of the same application. Only keys that begin with
  // `key_prefix`, which is the same for all pages of a read.
  virtual absl::StatusOr<ScanAnswer> Scan(std::string_view store, const WindowRange& range, int page_size,
                                          std::string_view page_token, const CallOptions& options,
                                          std::string_view key_prefix = {}) = 0;
  // All distinct keys of the range, in byte order, as (bytes, JSON or empty); with a field, those with a value above zero
  // in it. RESOURCE_EXHAUSTED above `keys_max`.
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListKeys(
      std::string_view store, const WindowRange& range, std::string_view positive_field, size_t keys_max,
      const CallOptions& options) = 0;
  virtual absl::StatusOr<TopAnswer> Top(const TopQuery& query, const CallOptions& options) = 0;

  // Asks for a history (RequestRegistry): created the first time, afterwards the state of the first request.
  virtual absl::StatusOr<SubmitAnswer> SubmitRequest(RequestKind kind, std::string_view name, const CallOptions& options) = 0;

  // One entry per application and worker of its routing table, also for one that does not answer.
  virtual absl::StatusOr<std::vector<WorkerTasks>> ListTasks(const CallOptions& options) = 0;
  virtual absl::StatusOr<std::vector<ApplicationTopology>> DescribeTopologies(const CallOptions& options) = 0;
  // One per application that is known, without asking; empty before the first answer of a worker.
  virtual std::vector<RoutingState> Routing() const = 0;
  // Waits for the first routing table of every application.
  virtual absl::StatusOr<std::vector<RoutingState>> AwaitRouting(const CallOptions& options) = 0;

  // Follows the store's tasks wherever they go. `resume_token` empty: only what is new. The listener outlives the
  // subscription, and the subscription ends before the client.
  virtual absl::StatusOr<std::unique_ptr<ClientSubscription>> Subscribe(std::string_view store,
                                                                        std::string_view resume_token,
                                                                        SubscriptionListener& listener,
                                                                        const CallOptions& options) = 0;
};

}  // namespace tailrace::grpc_api
