// One worker's query service as the client calls it: every call ends in a callback with a Status. No gRPC types here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/tls.h"
#include "tailrace/v1/query.pb.h"

namespace grpc {
class ChannelCredentials;
}

namespace tailrace::grpc_api {

// An open server stream. The destructor cancels it and waits until no callback runs; not from a callback.
class RpcStream {
 public:
  virtual ~RpcStream() = default;
};

// Thread-safe. Callbacks run on threads of the RPC library, must not block, and must not hold what ends a WorkerRpc:
// its destructor waits for the calls under way.
class WorkerRpc {
 public:
  using Done = std::function<void(absl::Status)>;

  virtual ~WorkerRpc() = default;
  virtual const std::string& endpoint() const = 0;

  // The response is written before `done` is called, and lives until then.
  virtual void Call(v1::ListApplicationsRequest request, v1::ListApplicationsResponse* response, int64_t timeout_ms,
                    Done done) = 0;
  virtual void Call(v1::ListStoresRequest request, v1::ListStoresResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::GetRequest request, v1::GetResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::FetchWindowsRequest request, v1::FetchWindowsResponse* response, int64_t timeout_ms,
                    Done done) = 0;
  virtual void Call(v1::ScanRequest request, v1::ScanResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::ListKeysRequest request, v1::ListKeysResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::TopRequest request, v1::TopResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::DescribeTopologyRequest request, v1::DescribeTopologyResponse* response, int64_t timeout_ms,
                    Done done) = 0;
  virtual void Call(v1::ListTasksRequest request, v1::ListTasksResponse* response, int64_t timeout_ms, Done done) = 0;
  virtual void Call(v1::SubmitRequestRequest request, v1::SubmitRequestResponse* response, int64_t timeout_ms,
                    Done done) = 0;

  // Messages come one at a time; `done` is the last call.
  virtual std::unique_ptr<RpcStream> Subscribe(v1::SubscribeRequest request,
                                               std::function<void(const v1::SubscribeResponse&)> on_message,
                                               Done done) = 0;
  virtual std::unique_ptr<RpcStream> WatchRouting(v1::WatchRoutingRequest request,
                                                  std::function<void(const v1::WatchRoutingResponse&)> on_message,
                                                  Done done) = 0;
};

// `tls` is what errors say of the credentials. Null credentials: every call fails.
std::shared_ptr<WorkerRpc> ConnectWorker(const std::string& endpoint, const base::Clock& clock, bool tls,
                                         const std::shared_ptr<grpc::ChannelCredentials>& credentials);

// Connections by endpoint, made when first used; the least recently used goes when there are too many. Thread-safe.
class WorkerChannels {
 public:
  WorkerChannels(size_t channels_max, const base::Clock& clock, const TlsOptions& tls);
  std::shared_ptr<WorkerRpc> Of(const std::string& endpoint);

 private:
  struct Entry {
    std::shared_ptr<WorkerRpc> rpc;  // shared with calls under way
    uint64_t used = 0;
  };
  const size_t channels_max_;
  const base::Clock& clock_;
  const bool tls_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;  // shared by all channels
  absl::Mutex mu_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace tailrace::grpc_api
