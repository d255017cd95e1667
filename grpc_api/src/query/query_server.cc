#include "tailrace/grpc_api/query_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <chrono>
#include <mutex>
#include <utility>

#include "common/grpc_credentials.h"
#include "common/grpc_runtime.h"
#include "common/timer_thread.h"
#include "query/query_service.h"
#include "tailrace/base/log.h"

namespace tailrace::grpc_api {
namespace {

constexpr int kConcurrentStreamsMax = 1'000;        // calls per connection
constexpr int kPingIntervalMinMs = 10'000;          // a client that pings more often is cut off
constexpr size_t kServerMemoryBytes = 256u << 20;   // buffers of all connections

constexpr char kServiceName[] = "tailrace.v1.QueryService";

// gRPC's switch for this is one for the whole process.
void SwitchOnHealthService() {
  static std::once_flag once;
  std::call_once(once, [] { grpc::EnableDefaultHealthCheckService(true); });
}

}  // namespace

class QueryServer::Impl {
 public:
  explicit Impl(QueryServerOptions options)
      : options_(std::move(options)), service_(NewService(options_)) {}
  ~Impl() { Shutdown(0); }

  absl::Status Start() {
    TAILRACE_ASSIGN_OR_RETURN(const auto credentials, ServerCredentialsOf(options_.tls));
    SwitchOnHealthService();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.listen, credentials, &port);
    builder.RegisterService(service_.get());
    if (options_.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    builder.SetMaxReceiveMessageSize(static_cast<int>(base::limits::kQueryMessageBytesMax));
    // Without this a second process could listen on the same port and take half of the queries.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kConcurrentStreamsMax);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingIntervalMinMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetResourceQuota(grpc::ResourceQuota("tailrace_query").Resize(kServerMemoryBytes));
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) {
      server_.reset();
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kUnavailable,
                         "cannot listen on " + options_.listen +
                             " for queries; is the port taken? set grpc.listen to another address");
    }
    port_ = port;
    SetHealth("", true);
    UpdateHealth();
    timers_ = std::make_unique<TimerThread>(*options_.clock);
    timers_->After(options_.health_interval_ms, [this] { Tick(); });
    timers_->After(options_.heartbeat_ms, [this] { Heartbeat(); });
    base::LogInfo("query", "listening", {{"address", options_.listen}, {"port", port_}, {"tls", options_.tls.any()}});
    return absl::OkStatus();
  }

  int port() const { return port_; }

  void Shutdown(int64_t deadline_ms) {
    if (!server_) return;
    if (timers_) timers_->Stop();
    for (const char* name : {"", "startup", "readiness", kServiceName}) SetHealth(name, false);
    service_->Close();
    server_->Shutdown(std::chrono::system_clock::time_point(
        std::chrono::milliseconds(options_.clock->WallMs() + deadline_ms)));
    server_->Wait();
    server_.reset();
  }

  QueryService& service() { return *service_; }

 private:
  static std::unique_ptr<QueryService> NewService(const QueryServerOptions& options) {
    KeepGrpcRunning();
    return std::make_unique<QueryService>(options);
  }
  void SetHealth(const char* name, bool serving) {
    if (auto* health = server_->GetHealthCheckService()) health->SetServingStatus(name, serving);
  }

  void UpdateHealth() {
    const bool ready = service_->ready();
    started_ = started_ || ready;
    SetHealth("startup", started_);
    SetHealth("readiness", ready);
    SetHealth(kServiceName, ready);
  }

  void Tick() {
    UpdateHealth();
    service_->Tend();
    timers_->After(options_.health_interval_ms, [this] { Tick(); });
  }
  void Heartbeat() {
    service_->Heartbeat();
    timers_->After(options_.heartbeat_ms, [this] { Heartbeat(); });
  }

  const QueryServerOptions options_;
  const std::unique_ptr<QueryService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<TimerThread> timers_;
  int port_ = 0;
  bool started_ = false;  // only the starting thread, then only the timer thread
};

QueryServer::QueryServer(QueryServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
QueryServer::QueryServer(QueryServerOptions options, processor::Queryable& queryable) : QueryServer(std::move(options)) {
  Add(queryable);
}
QueryServer::~QueryServer() = default;
absl::Status QueryServer::Start() { return impl_->Start(); }
void QueryServer::Add(processor::Queryable& queryable, bool decides_readiness, std::function<bool()> caught_up) {
  impl_->service().Add(queryable, decides_readiness, std::move(caught_up));
}
void QueryServer::Remove(const processor::Queryable& queryable) { impl_->service().Remove(queryable); }
void QueryServer::SetRequests(RequestRegistry* requests) { impl_->service().SetRequests(requests); }
int QueryServer::port() const { return impl_->port(); }
size_t QueryServer::subscriber_count() const { return impl_->service().subscriber_count(); }
void QueryServer::Shutdown(int64_t deadline_ms) { impl_->Shutdown(deadline_ms); }

}  // namespace tailrace::grpc_api
