#include "query/query_service.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "common/error_info.h"
#include "common/wire.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

constexpr size_t kStreamThreads = 2;
// Each stream has at most one piece of work waiting.
constexpr size_t kStreamQueueSlack = 64;

// The caller's deadline in milliseconds from now, at most the cap.
int64_t TimeoutMs(const grpc::CallbackServerContext& context, const QueryServerOptions& options) {
  const auto deadline = std::chrono::time_point_cast<std::chrono::milliseconds>(context.deadline()).time_since_epoch();
  if (context.deadline() == std::chrono::system_clock::time_point::max()) return options.deadline_cap_ms;
  return std::clamp<int64_t>(deadline.count() - options.clock->WallMs(), 0, options.deadline_cap_ms);
}

absl::Status Overloaded(std::string_view what, size_t max) {
  return QueryError(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                    "this worker already has " + std::to_string(max) + " " + std::string(what) +
                        "; try again shortly or ask another copy");
}

// A stream that ends at once.
template <class Message>
class RefusedStream final : public grpc::ServerWriteReactor<Message> {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

class SubscribeStream final : public StreamReactor<v1::SubscribeResponse> {
 public:
  SubscribeStream(std::function<bool(std::function<void()>)> post, std::function<void()> on_done,
                  processor::StoreInfo store)
      : StreamReactor(std::move(post), std::move(on_done)), store_(std::move(store)) {}

  // Before Open.
  void Attach(std::unique_ptr<UpdateHub::Subscriber> subscriber) { subscriber_ = std::move(subscriber); }

 private:
  Next Fill(v1::SubscribeResponse* message, bool heartbeat, grpc::Status* end) override {
    const UpdateHub::Batch batch =
        subscriber_->Take(base::limits::kUpdateBatchMax, base::limits::kUpdateBatchBytesMax);
    if (!batch.ended.ok()) {
      *end = ToGrpc(batch.ended);
      return Next::kEnd;
    }
    // The first message is sent at once: it tells where the subscription begins.
    if (batch.empty() && !heartbeat && !std::exchange(first_, false)) return Next::kNothing;
    first_ = false;
    for (const base::TaskId& task : batch.gaps) SetTaskId(message->add_gaps(), task);
    for (const std::shared_ptr<const UpdateRecord>& record : batch.updates) {
      v1::StoreUpdate* update = message->add_updates();
      SetTaskId(update->mutable_task(), record->task);
      update->set_changelog_offset(record->place.offset);
      update->set_index(record->place.index);
      SetRow(update->mutable_row(), store_,
             {record->key, record->window_start_ms, record->value.value_or(std::string()), record->timestamp_ms,
              record->window_end_ms},
             /*json_only=*/false);
      if (!record->value) update->mutable_row()->clear_value();
    }
    message->set_resume_token(EncodeResumeToken(subscriber_->position()));
    return Next::kMessage;
  }

  const processor::StoreInfo store_;
  std::unique_ptr<UpdateHub::Subscriber> subscriber_;
  bool first_ = true;
};

}  // namespace

// Keeps the latest table and wakes who waits for a newer one. Thread-safe.
class RoutingWatch {
 public:
  class Stream final : public StreamReactor<v1::WatchRoutingResponse> {
   public:
    Stream(std::function<bool(std::function<void()>)> post, std::function<void()> on_done,
           std::shared_ptr<RoutingWatch> watch)
        : StreamReactor(std::move(post), std::move(on_done)), watch_(std::move(watch)) {}

   private:
    Next Fill(v1::WatchRoutingResponse* message, bool heartbeat, grpc::Status*) override {
      absl::MutexLock lock(&watch_->mu_);
      // A heartbeat repeats the table: the reader then knows that it is still the current one.
      if (seen_ == watch_->version_ && !heartbeat) return Next::kNothing;
      seen_ = watch_->version_;
      SetRouting(message, watch_->table_);
      return Next::kMessage;
    }

    std::shared_ptr<RoutingWatch> watch_;  // shared by all watchers and the service
    uint64_t seen_ = 0;
  };

  void Set(processor::RoutingTable table, const std::vector<std::shared_ptr<OpenStream>>& streams) {
    {
      absl::MutexLock lock(&mu_);
      table_ = std::move(table);
      ++version_;
    }
    for (const std::shared_ptr<OpenStream>& stream : streams) {
      if (auto* watcher = dynamic_cast<Stream*>(stream.get())) watcher->Wake();
    }
  }

 private:
  absl::Mutex mu_;
  processor::RoutingTable table_ ABSL_GUARDED_BY(mu_);
  uint64_t version_ ABSL_GUARDED_BY(mu_) = 1;
};

std::string CodeName(absl::StatusCode code) { return absl::StatusCodeToString(code); }

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message()), DetailsOf(status)};
}

QueryService::QueryService(const QueryServerOptions& options)
    : options_(options),
      metrics_(options.metrics, "tailrace_query", "method", "Queries"),
      streams_pool_(kStreamThreads, options.streams_max + kStreamQueueSlack),
      pool_(options.threads, options.in_flight_max) {
  for (const char* method : {"ListApplications", "ListStores", "Get", "FetchWindows", "Scan", "ListKeys", "Top",
                             "DescribeTopology", "ListTasks", "SubmitRequest", "Subscribe", "WatchRouting"}) {
    metrics_.Declare(method, "OK");
  }
}

QueryService::~QueryService() { Close(); }

void QueryService::Add(processor::Queryable& queryable, bool decides_readiness, std::function<bool()> caught_up) {
  auto application = std::make_shared<ServedApplication>(
      queryable, decides_readiness, std::move(caught_up),
      UpdateFeeds::Options{.ring_entries = options_.update_ring_entries,
                           .ring_bytes = options_.update_ring_bytes,
                           .idle_ms = 60'000,
                           .clock = options_.clock});
  application->routing = std::make_shared<RoutingWatch>();
  // The subscription ends before the application does, so plain pointers are enough.
  application->routing_subscription =
      queryable.WatchRouting([this, app = application.get(), watch = application->routing](const processor::RoutingTable& table) {
        watch->Set(table, Streams(app));
      });
  application->routing->Set(queryable.Routing(), {});
  applications_.Add(std::move(application));
}

void QueryService::End(ServedApplication& application, const absl::Status& status) {
  application.routing_subscription.reset();
  application.feeds.Close(status);
  for (const std::shared_ptr<OpenStream>& stream : Streams(&application)) stream->End(ToGrpc(status));
}

void QueryService::Remove(const processor::Queryable& queryable) {
  ServedApplications::Application application = applications_.Take(queryable);
  if (application == nullptr) return;
  End(*application, QueryError(absl::StatusCode::kUnavailable, reason::kUnknownApplication,
                               "application '" + queryable.application_id() + "' is no longer run here"));
  // Calls under way hold it, and their deadlines bound this wait.
  const std::shared_ptr<absl::Notification> ended = application->notice.ended;
  application.reset();
  ended->WaitForNotification();
}

std::vector<std::shared_ptr<OpenStream>> QueryService::Streams(const ServedApplication* application) const {
  std::vector<std::shared_ptr<OpenStream>> open;
  absl::MutexLock lock(&mu_);
  for (const auto& [id, tracked] : streams_) {
    if (application != nullptr && tracked.application != application) continue;
    if (auto live = tracked.stream.lock()) open.push_back(std::move(live));
  }
  return open;
}

void QueryService::Close() {
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return;
    closed_ = true;
  }
  const absl::Status end =
      QueryError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the worker is shutting down");
  for (const ServedApplications::Application& application : applications_.All()) End(*application, end);
}

void QueryService::Heartbeat() {
  for (const std::shared_ptr<OpenStream>& stream : Streams()) stream->Heartbeat();
}

void QueryService::Tend() {
  for (const ServedApplications::Application& application : applications_.All()) application->feeds.Tend();
}

size_t QueryService::subscriber_count() const {
  size_t count = 0;
  for (const ServedApplications::Application& application : applications_.All()) count += application->feeds.subscriber_count();
  return count;
}

template <class Request, class Response>
absl::Status QueryService::Handle(const Request& request, const Deadline& deadline, Response* response) const {
  std::string store;
  if constexpr (requires { request.store(); }) store = request.store();
  TAILRACE_ASSIGN_OR_RETURN(const ServedApplications::Application application,
                            applications_.Find(request.application_id(), store));
  return application->handlers.Handle(request, deadline, response);
}

absl::Status QueryService::Handle(const v1::ListApplicationsRequest&, const Deadline&,
                                  v1::ListApplicationsResponse* response) const {
  for (const ServedApplications::Application& application : applications_.All())
    SetApplication(response->add_applications(), application->queryable, !application->caught_up || application->caught_up());
  return absl::OkStatus();
}

absl::Status QueryService::Handle(const v1::SubmitRequestRequest& request, const Deadline& deadline,
                                  v1::SubmitRequestResponse* response) const {
  RequestRegistry* const requests = requests_.load();
  if (requests == nullptr) {
    return QueryError(absl::StatusCode::kUnimplemented, reason::kNoRegistry,
                      "this worker keeps no request registry; requests.topic names its topic");
  }
  const auto kind = request.kind() == v1::REQUEST_KIND_USER     ? RequestKind::kUser
                    : request.kind() == v1::REQUEST_KIND_TICKER ? RequestKind::kTicker
                                                                : RequestKind::kUnknown;
  TAILRACE_ASSIGN_OR_RETURN(const RequestRegistry::Answer answer,
                            requests->Submit(kind, request.name(), deadline.RemainingMs()));
  response->set_created(answer.created);
  SetRow(response->mutable_row(), requests->store(), {answer.key, state::kNoWindow, answer.value, answer.timestamp_ms},
         /*json_only=*/true);
  return absl::OkStatus();
}

// Schemas may be a user's code: nothing they throw ends the worker.
template <class Request, class Response>
absl::Status QueryService::HandleSafely(const Request& request, const Deadline& deadline, Response* response) const {
  try {
    return Handle(request, deadline, response);
  } catch (const std::exception& error) {
    base::LogError("query", "query failed", {{"error", error.what()}});
    return absl::InternalError("the query failed inside the worker; its log has the cause");
  }
}

template <class Request, class Response>
grpc::ServerUnaryReactor* QueryService::Unary(const char* method, grpc::CallbackServerContext* context,
                                              const Request* request, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  metrics_.Began();
  const int64_t began_ns = options_.clock->SteadyNs();
  const auto finish = [this, method, began_ns, reactor](const absl::Status& status) {
    metrics_.Ended(method, CodeName(status.code()), options_.clock->SteadyNs() - began_ns);
    reactor->Finish(ToGrpc(status));
  };
  if (in_flight_.fetch_add(1) >= options_.in_flight_max) {
    in_flight_.fetch_sub(1);
    finish(Overloaded("queries in flight", options_.in_flight_max));
    return reactor;
  }
  // Time spent waiting for a thread counts.
  const Deadline deadline(*options_.clock, TimeoutMs(*context, options_), [context] { return context->IsCancelled(); });
  const bool posted = pool_.TryPost([this, deadline, request, response, finish] {
    absl::Status status = deadline.Check();
    if (status.ok()) status = HandleSafely(*request, deadline, response);
    // An answer that comes too late is none.
    if (status.ok()) status = deadline.Check();
    in_flight_.fetch_sub(1);
    finish(status);
  });
  if (!posted) {
    in_flight_.fetch_sub(1);
    finish(Overloaded("queries in flight", options_.in_flight_max));
  }
  return reactor;
}

grpc::ServerUnaryReactor* QueryService::ListApplications(grpc::CallbackServerContext* context,
                                                         const v1::ListApplicationsRequest* request,
                                                         v1::ListApplicationsResponse* response) {
  return Unary("ListApplications", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::SubmitRequest(grpc::CallbackServerContext* context,
                                                      const v1::SubmitRequestRequest* request,
                                                      v1::SubmitRequestResponse* response) {
  return Unary("SubmitRequest", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::ListStores(grpc::CallbackServerContext* context,
                                                   const v1::ListStoresRequest* request,
                                                   v1::ListStoresResponse* response) {
  return Unary("ListStores", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                            v1::GetResponse* response) {
  return Unary("Get", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::FetchWindows(grpc::CallbackServerContext* context,
                                                     const v1::FetchWindowsRequest* request,
                                                     v1::FetchWindowsResponse* response) {
  return Unary("FetchWindows", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::Scan(grpc::CallbackServerContext* context, const v1::ScanRequest* request,
                                             v1::ScanResponse* response) {
  return Unary("Scan", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::ListKeys(grpc::CallbackServerContext* context,
                                                 const v1::ListKeysRequest* request,
                                                 v1::ListKeysResponse* response) {
  return Unary("ListKeys", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::Top(grpc::CallbackServerContext* context, const v1::TopRequest* request,
                                            v1::TopResponse* response) {
  return Unary("Top", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::DescribeTopology(grpc::CallbackServerContext* context,
                                                         const v1::DescribeTopologyRequest* request,
                                                         v1::DescribeTopologyResponse* response) {
  return Unary("DescribeTopology", context, request, response);
}
grpc::ServerUnaryReactor* QueryService::ListTasks(grpc::CallbackServerContext* context,
                                                  const v1::ListTasksRequest* request,
                                                  v1::ListTasksResponse* response) {
  return Unary("ListTasks", context, request, response);
}

absl::Status QueryService::AdmitStream() {
  absl::MutexLock lock(&mu_);
  if (closed_) return QueryError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the worker is shutting down");
  if (stream_count_ >= options_.streams_max) return Overloaded("open streams", options_.streams_max);
  ++stream_count_;
  return absl::OkStatus();
}

std::function<bool(std::function<void()>)> QueryService::StreamPoster() {
  return [this](std::function<void()> work) { return streams_pool_.TryPost(std::move(work)); };
}

std::function<void()> QueryService::StreamEnded(uint64_t id, const char* method) {
  metrics_.Began();
  return [this, id, method, began_ns = options_.clock->SteadyNs()] {
    metrics_.Ended(method, "OK", options_.clock->SteadyNs() - began_ns);
    absl::MutexLock lock(&mu_);
    streams_.erase(id);
    --stream_count_;
  };
}

template <class Reactor>
Reactor* QueryService::OpenTracked(std::shared_ptr<Reactor> reactor, uint64_t id, const ServedApplication& application) {
  bool closed = false;
  {
    absl::MutexLock lock(&mu_);
    streams_[id] = {reactor, &application};
    closed = closed_;
  }
  reactor->Open();
  // The application may have been taken off the list meanwhile: then nobody else ends the stream.
  const auto open = applications_.All();
  closed = closed || std::none_of(open.begin(), open.end(), [&](const auto& one) { return one.get() == &application; });
  if (closed) reactor->End(ToGrpc(absl::UnavailableError("the worker is shutting down")));
  return reactor.get();
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* QueryService::Subscribe(grpc::CallbackServerContext*,
                                                                         const v1::SubscribeRequest* request) {
  using Refused = RefusedStream<v1::SubscribeResponse>;
  std::optional<ResumePosition> resume;
  if (!request->resume_token().empty()) {
    absl::StatusOr<ResumePosition> decoded = DecodeResumeToken(request->resume_token());
    if (!decoded.ok()) return new Refused(decoded.status());
    resume = *std::move(decoded);
  }
  const absl::StatusOr<ServedApplications::Application> application =
      applications_.Find(request->application_id(), request->store());
  if (!application.ok()) return new Refused(application.status());
  absl::StatusOr<processor::StoreInfo> store = (*application)->queryable.Store(request->store());
  if (!store.ok()) return new Refused(WithDefaultReason(store.status()));
  absl::StatusOr<std::shared_ptr<UpdateHub>> hub = (*application)->feeds.HubOf(store->name);
  if (!hub.ok()) return new Refused(hub.status());
  if (absl::Status admitted = AdmitStream(); !admitted.ok()) return new Refused(admitted);
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mu_);
    id = next_stream_++;
  }
  auto stream = std::make_shared<SubscribeStream>(StreamPoster(), StreamEnded(id, "Subscribe"), *std::move(store));
  std::weak_ptr<SubscribeStream> weak = stream;
  stream->Attach((*hub)->Subscribe(resume, [weak] {
    if (auto live = weak.lock()) live->Wake();
  }));
  return OpenTracked(std::move(stream), id, **application);
}

grpc::ServerWriteReactor<v1::WatchRoutingResponse>* QueryService::WatchRouting(grpc::CallbackServerContext*,
                                                                               const v1::WatchRoutingRequest* request) {
  const absl::StatusOr<ServedApplications::Application> application = applications_.Find(request->application_id(), {});
  if (!application.ok()) return new RefusedStream<v1::WatchRoutingResponse>(application.status());
  if (absl::Status admitted = AdmitStream(); !admitted.ok()) {
    return new RefusedStream<v1::WatchRoutingResponse>(admitted);
  }
  uint64_t id = 0;
  {
    absl::MutexLock lock(&mu_);
    id = next_stream_++;
  }
  return OpenTracked(
      std::make_shared<RoutingWatch::Stream>(StreamPoster(), StreamEnded(id, "WatchRouting"), (*application)->routing), id,
      **application);
}

}  // namespace tailrace::grpc_api
