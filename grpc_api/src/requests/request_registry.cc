#include "tailrace/grpc_api/request_registry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/error_info.h"
#include "nlohmann/json.hpp"
#include "query/view_selection.h"
#include "tailrace/base/product_limits.h"
#include "tailrace/base/random.h"
#include "tailrace/processor/streams_builder.h"

namespace tailrace::grpc_api {
namespace {

// How often a written request is looked for in the table when no commit has told of it.
constexpr int64_t kLookMs = 50;

// Values are JSON as they are.
class RequestSchema final : public state::ValueSchema {
 public:
  std::optional<std::string> KeyToJson(std::string_view key) const override {
    return nlohmann::json(key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::optional<std::string> ValueToJson(std::string_view value) const override {
    if (!nlohmann::json::accept(value)) return std::nullopt;
    return std::string(value);
  }
  std::optional<std::string> KeyFromText(std::string_view text) const override { return std::string(text); }
  std::optional<std::string> Merge(std::string_view, std::string_view) const override { return std::nullopt; }
  std::optional<double> NumericField(std::string_view, std::string_view) const override { return std::nullopt; }
};

std::string NewRecord(RequestKind kind, const std::string& name, int64_t now_ms) {
  nlohmann::ordered_json record = {{"id", absl::StrFormat("%016x", base::EntropySeed())},
                                   {"kind", RequestKindName(kind)},
                                   {"name", name},
                                   {"user_id", nullptr},
                                   {"requested_at", now_ms},
                                   {"state", "requested"},
                                   {"updated_at", now_ms}};
  return record.dump();
}

// The same request from its beginning, when it had failed; nullopt otherwise.
std::optional<std::string> Renewed(const std::string& value, int64_t now_ms) {
  nlohmann::ordered_json record = nlohmann::ordered_json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return std::nullopt;
  if (const auto state = record.find("state"); state == record.end() || *state != "failed") return std::nullopt;
  record.erase("reason");
  record["state"] = "requested";
  record["requested_at"] = now_ms;
  record["updated_at"] = now_ms;
  return record.dump();
}

}  // namespace

absl::StatusOr<processor::Topology> RequestTopology(const std::string& topic) {
  processor::StreamsBuilder builder;
  processor::Materialized<> store(kRequestStore);
  store.WithSchema(std::make_shared<RequestSchema>());
  builder.Table<std::string, std::string>(topic, processor::Consumed<>{.name = "requests"}, store);
  return builder.Build();
}

absl::Status CreateRequestTopic(kafka::Admin& admin, const std::string& topic, int32_t partitions, int timeout_ms) {
  return admin.CreateTopics({{.name = topic, .partition_count = partitions, .config = {{"cleanup.policy", "compact"}}}}, timeout_ms);
}

RequestRegistry::RequestRegistry(kafka::Cluster& cluster, processor::Queryable& queryable, std::string topic, const base::Clock& clock)
    : cluster_(cluster), queryable_(queryable), topic_(std::move(topic)), clock_(clock) {}

RequestRegistry::~RequestRegistry() {
  std::unique_ptr<processor::Subscription> subscription;  // its end waits for its sink, and so comes after the lock's
  absl::MutexLock lock(&listen_mu_);
  subscription = std::move(subscription_);
}

processor::StoreInfo RequestRegistry::store() const {
  absl::StatusOr<processor::StoreInfo> store = queryable_.Store(kRequestStore);
  return store.ok() ? *std::move(store) : processor::StoreInfo{.name = kRequestStore, .schema = std::make_shared<RequestSchema>()};
}

absl::StatusOr<std::optional<RequestRegistry::Answer>> RequestRegistry::Find(const std::string& key) const {
  absl::StatusOr<processor::StoreInfo> store = queryable_.Store(kRequestStore);
  if (!store.ok()) {
    return QueryError(absl::StatusCode::kUnavailable, reason::kRestoring, "the request registry is starting; try again shortly");
  }
  const int32_t partition = PartitionOf(*store, key);
  absl::StatusOr<std::vector<processor::StoreView>> views =
      SelectViews(queryable_, *store, {&partition, 1}, {.max_staleness_ms = {}, .min_position = {}, .require_active = true});
  if (!views.ok()) return WithDefaultReason(views.status());
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<state::ReadView::Value> value, views->front().view->Get(store->name, key));
  if (!value) return std::optional<Answer>();
  return std::optional<Answer>(Answer{.created = false, .key = key, .value = value->value, .timestamp_ms = value->timestamp_ms});
}

absl::Status RequestRegistry::Listen() {
  absl::MutexLock lock(&listen_mu_);
  if (subscription_ != nullptr) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(subscription_, queryable_.Subscribe(kRequestStore, [this](const processor::StoreUpdate&) {
    absl::MutexLock counting(&commits_mu_);
    ++commits_;
    return true;
  }));
  return absl::OkStatus();
}

int64_t RequestRegistry::commits() const {
  absl::MutexLock lock(&commits_mu_);
  return commits_;
}

void RequestRegistry::WaitForCommit(int64_t seen) const {
  const auto another = [this, seen]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commits_mu_) { return commits_ != seen; };
  absl::MutexLock lock(&commits_mu_);
  commits_mu_.AwaitWithTimeout(absl::Condition(&another), absl::Milliseconds(kLookMs));
}

absl::Status RequestRegistry::Write(const std::string& key, const std::string& value, int64_t timestamp_ms, int64_t timeout_ms) {
  absl::MutexLock lock(&producer_mu_);
  const auto write = [&]() -> absl::Status {
    if (producer_ == nullptr) {
      TAILRACE_ASSIGN_OR_RETURN(producer_, cluster_.NewProducer({.client_id = "tailrace-requests"}));
    }
    TAILRACE_ASSIGN_OR_RETURN(const kafka::TopicHandle topic, producer_->Topic(topic_));
    TAILRACE_RETURN_IF_ERROR(producer_->Send({.topic = topic, .key = key, .value = value, .timestamp_ms = timestamp_ms}));
    return producer_->Flush(static_cast<int>(std::max<int64_t>(timeout_ms, 1)));
  };
  const absl::Status status = write();
  if (status.ok()) return status;
  producer_.reset();  // its first failure would be the answer to every later call
  return QueryError(absl::StatusCode::kUnavailable, reason::kOverloaded,
                    "the request could not be written to topic " + topic_ + ": " + std::string(status.message()));
}

absl::StatusOr<RequestRegistry::Answer> RequestRegistry::Submit(RequestKind kind, std::string_view name, int64_t timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string normal, RequestName(kind, name));
  const std::string key = RequestKey(kind, normal);
  const int64_t deadline_ms = clock_.SteadyMs() + timeout_ms;
  Answer answer{.created = true, .key = key, .value = {}, .timestamp_ms = clock_.WallMs()};
  {
    // The look into the table and the note of what is under way are one step: otherwise two calls could both find nothing.
    absl::MutexLock lock(&mu_);
    TAILRACE_ASSIGN_OR_RETURN(std::optional<Answer> known, Find(key));
    if (const auto found = pending_.find(key); found != pending_.end())
      return Answer{.created = false, .key = key, .value = found->second.value, .timestamp_ms = found->second.timestamp_ms};
    if (known) {
      std::optional<std::string> renewed = Renewed(known->value, answer.timestamp_ms);
      if (!renewed) return *std::move(known);
      answer.created = false;
      answer.value = *std::move(renewed);
    } else {
      answer.value = NewRecord(kind, normal, answer.timestamp_ms);
    }
    if (pending_.size() >= base::limits::kRequestsPendingMax)
      return QueryError(absl::StatusCode::kResourceExhausted, reason::kOverloaded, "too many requests are being written; try again shortly");
    pending_[key] = {.value = answer.value, .timestamp_ms = answer.timestamp_ms};
  }
  absl::Status status = WithDefaultReason(Listen());
  if (status.ok()) status = Write(key, answer.value, answer.timestamp_ms, timeout_ms);
  while (status.ok() && clock_.SteadyMs() < deadline_ms) {
    const int64_t seen = commits();
    const absl::StatusOr<std::optional<Answer>> shown = Find(key);
    // A task that moves away is somebody else's to show.
    if (!shown.ok() || (shown->has_value() && (*shown)->timestamp_ms >= answer.timestamp_ms)) break;
    WaitForCommit(seen);
  }
  absl::MutexLock lock(&mu_);
  pending_.erase(key);
  TAILRACE_RETURN_IF_ERROR(status);
  return answer;
}

}  // namespace tailrace::grpc_api
