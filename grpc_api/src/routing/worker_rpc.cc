#include "routing/worker_rpc.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/error_info.h"
#include "common/grpc_credentials.h"
#include "common/grpc_runtime.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/log.h"
#include "tailrace/v1/query.grpc.pb.h"

namespace tailrace::grpc_api {
namespace {

constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// A worker that restarts is found again within this.
constexpr int kReconnectMinMs = 100;
constexpr int kConnectTimeoutMs = 2'000;
constexpr int kReconnectMaxMs = 2'000;

// Whom a connection goes to, for errors.
struct Peer {
  std::string endpoint;
  bool tls = false;
};

// One side that speaks TLS and another that does not are the usual cause of a connection that cannot be made where there is a
// worker, and gRPC says no more of it than that the socket was closed.
const char* HowOf(const Peer& peer) {
  return peer.tls ? " (by TLS, as grpc.ssl.* say; the worker needs grpc.ssl.certificate.location, and to be known to grpc.ssl.ca.location)"
                  : " (in plain text; a worker with TLS is reached with grpc.ssl.ca.location)";
}

absl::Status FromGrpc(const grpc::Status& status, const Peer& peer) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result =
      StatusFromWire(static_cast<int>(status.error_code()), status.error_message(), status.error_details());
  // A cause that the worker gave speaks for itself; a failed connection has to name the worker.
  return ErrorInfoOf(result) ? result : base::Annotate(result, "worker " + peer.endpoint + (absl::IsUnavailable(result) ? HowOf(peer) : ""));
}

template <class Message>
class StreamReader final : public RpcStream, private grpc::ClientReadReactor<Message> {
 public:
  StreamReader(Peer peer, std::function<void(const Message&)> on_message, WorkerRpc::Done done)
      : peer_(std::move(peer)), on_message_(std::move(on_message)), done_(std::move(done)) {}

  ~StreamReader() override {
    context_.TryCancel();
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&ended_));
  }

  // `open` binds this reader to a call. Its request is read before Start returns.
  template <class Open>
  void Start(Open open) {
    open(&context_, this);
    this->StartRead(&message_);
    this->StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone follows.
    on_message_(message_);
    this->StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    done_(FromGrpc(status, peer_));
    absl::MutexLock lock(&mu_);
    ended_ = true;
  }

  const Peer peer_;
  const std::function<void(const Message&)> on_message_;
  const WorkerRpc::Done done_;
  grpc::ClientContext context_;
  Message message_;
  absl::Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

class GrpcWorker final : public WorkerRpc {
 public:
  GrpcWorker(const std::string& endpoint, const base::Clock& clock, bool tls, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : peer_{.endpoint = endpoint, .tls = tls}, clock_(clock) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMinMs);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMaxMs);
    arguments.SetMaxReceiveMessageSize(static_cast<int>(base::limits::kQueryMessageBytesMax));
    // Workers are reached directly, whatever proxy the environment names.
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub_ = v1::QueryService::NewStub(grpc::CreateCustomChannel(endpoint, credentials, arguments));
  }

  // The channel goes on this thread. When the last one of a process goes in a callback, gRPC waits for the thread that
  // it is on.
  ~GrpcWorker() override {
    absl::MutexLock lock(&mu_);
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return calls_ == 0; };
    mu_.Await(absl::Condition(&idle));
  }

  const std::string& endpoint() const override { return peer_.endpoint; }

#define TAILRACE_UNARY(Method)                                                                                     \
  void Call(v1::Method##Request request, v1::Method##Response* response, int64_t timeout_ms, Done done) override { \
    Unary(&v1::QueryService::StubInterface::async_interface::Method, std::move(request), response, timeout_ms,     \
          std::move(done));                                                                                        \
  }
  TAILRACE_UNARY(ListApplications)
  TAILRACE_UNARY(ListStores)
  TAILRACE_UNARY(Get)
  TAILRACE_UNARY(FetchWindows)
  TAILRACE_UNARY(Scan)
  TAILRACE_UNARY(ListKeys)
  TAILRACE_UNARY(Top)
  TAILRACE_UNARY(DescribeTopology)
  TAILRACE_UNARY(ListTasks)
  TAILRACE_UNARY(SubmitRequest)
#undef TAILRACE_UNARY

  std::unique_ptr<RpcStream> Subscribe(v1::SubscribeRequest request,
                                       std::function<void(const v1::SubscribeResponse&)> on_message,
                                       Done done) override {
    auto reader =
        std::make_unique<StreamReader<v1::SubscribeResponse>>(peer_, std::move(on_message), std::move(done));
    reader->Start([&](grpc::ClientContext* context, grpc::ClientReadReactor<v1::SubscribeResponse>* reactor) {
      stub_->async()->Subscribe(context, &request, reactor);
    });
    return reader;
  }
  std::unique_ptr<RpcStream> WatchRouting(v1::WatchRoutingRequest request,
                                          std::function<void(const v1::WatchRoutingResponse&)> on_message,
                                          Done done) override {
    auto reader =
        std::make_unique<StreamReader<v1::WatchRoutingResponse>>(peer_, std::move(on_message), std::move(done));
    reader->Start([&](grpc::ClientContext* context, grpc::ClientReadReactor<v1::WatchRoutingResponse>* reactor) {
      stub_->async()->WatchRouting(context, &request, reactor);
    });
    return reader;
  }

 private:
  using Async = v1::QueryService::StubInterface::async_interface;

  template <class Request, class Response>
  void Unary(void (Async::*method)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>),
             Request request, Response* response, int64_t timeout_ms, Done done) {
    struct State {
      grpc::ClientContext context;
      Request request;
    };
    auto state = std::make_shared<State>();  // for a copyable callback, which ends it
    state->request = std::move(request);
    state->context.set_deadline(std::chrono::system_clock::time_point(
        std::chrono::milliseconds(clock_.WallMs() + std::max<int64_t>(timeout_ms, 0))));
    grpc::ClientContext* const context = &state->context;
    const Request* const sent = &state->request;
    Begin();
    (stub_->async()->*method)(
        context, sent, response,
        [this, state = std::move(state), done = std::move(done)](const grpc::Status& status) mutable {
          const Done last = std::move(done);
          state.reset();  // the context holds the channel
          End(last, FromGrpc(status, peer_));
        });
  }

  void Begin() {
    absl::MutexLock lock(&mu_);
    ++calls_;
  }
  // `done` may end who waits, and he may drop this worker: its destructor still waits.
  void End(const Done& done, absl::Status status) {
    done(std::move(status));
    absl::MutexLock lock(&mu_);
    --calls_;
  }

  const Peer peer_;
  const base::Clock& clock_;
  std::unique_ptr<v1::QueryService::Stub> stub_;
  absl::Mutex mu_;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
};

// Never plain text in place of TLS: without credentials gRPC refuses every call.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOrNone(const TlsOptions& tls) {
  auto credentials = ChannelCredentialsOf(tls);
  if (credentials.ok()) return *std::move(credentials);
  base::LogError("query", "no worker can be reached", {{"reason", credentials.status()}});
  return nullptr;
}

}  // namespace

std::shared_ptr<WorkerRpc> ConnectWorker(const std::string& endpoint, const base::Clock& clock, bool tls,
                                         const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  KeepGrpcRunning();
  return std::make_shared<GrpcWorker>(endpoint, clock, tls, credentials);
}

WorkerChannels::WorkerChannels(size_t channels_max, const base::Clock& clock, const TlsOptions& tls)
    : channels_max_(channels_max), clock_(clock), tls_(tls.any()), credentials_(CredentialsOrNone(tls)) {}

std::shared_ptr<WorkerRpc> WorkerChannels::Of(const std::string& endpoint) {
  std::shared_ptr<WorkerRpc> dropped;  // ends outside of the lock
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[endpoint];
  if (!entry.rpc) entry.rpc = ConnectWorker(endpoint, clock_, tls_, credentials_);
  entry.used = ++uses_;
  std::shared_ptr<WorkerRpc> rpc = entry.rpc;
  if (entries_.size() > channels_max_) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    dropped = std::move(oldest->second.rpc);
    entries_.erase(oldest);
  }
  return rpc;
}

}  // namespace tailrace::grpc_api
