// The gRPC side of the query service: admission, deadlines, status details and streams around QueryHandlers.
#pragma once

#include <atomic>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/request_metrics.h"
#include "common/worker_pool.h"
#include "query/query_handlers.h"
#include "query/stream_reactor.h"
#include "query/update_feeds.h"
#include "tailrace/grpc_api/query_server.h"
#include "tailrace/v1/query.grpc.pb.h"

namespace tailrace::grpc_api {

// The worker's routing table as its watchers see it.
class RoutingWatch;

class QueryService final : public v1::QueryService::CallbackService {
 public:
  QueryService(const QueryServerOptions& options, processor::Queryable& queryable);
  ~QueryService() override;

  // Ends all streams; later calls answer UNAVAILABLE.
  void Close();
  // Sends heartbeats to idle streams.
  void Heartbeat();
  // Housekeeping of subscriptions.
  void Tend() { feeds_.Tend(); }

  grpc::ServerUnaryReactor* ListStores(grpc::CallbackServerContext* context, const v1::ListStoresRequest* request,
                                       v1::ListStoresResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::GetResponse* response) override;
  grpc::ServerUnaryReactor* FetchWindows(grpc::CallbackServerContext* context, const v1::FetchWindowsRequest* request,
                                         v1::FetchWindowsResponse* response) override;
  grpc::ServerUnaryReactor* Scan(grpc::CallbackServerContext* context, const v1::ScanRequest* request,
                                 v1::ScanResponse* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context, const v1::ListKeysRequest* request,
                                     v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* Top(grpc::CallbackServerContext* context, const v1::TopRequest* request,
                                v1::TopResponse* response) override;
  grpc::ServerUnaryReactor* DescribeTopology(grpc::CallbackServerContext* context,
                                             const v1::DescribeTopologyRequest* request,
                                             v1::DescribeTopologyResponse* response) override;
  grpc::ServerUnaryReactor* ListTasks(grpc::CallbackServerContext* context, const v1::ListTasksRequest* request,
                                      v1::ListTasksResponse* response) override;
  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(grpc::CallbackServerContext* context,
                                                             const v1::SubscribeRequest* request) override;
  grpc::ServerWriteReactor<v1::WatchRoutingResponse>* WatchRouting(grpc::CallbackServerContext* context,
                                                                   const v1::WatchRoutingRequest* request) override;

 private:
  template <class Request, class Response>
  grpc::ServerUnaryReactor* Unary(const char* method, grpc::CallbackServerContext* context, const Request* request,
                                  Response* response);
  template <class Request, class Response>
  absl::Status HandleSafely(const Request& request, const Deadline& deadline, Response* response) const;
  // OK, or why no further stream is taken.
  absl::Status AdmitStream();
  // Opens an admitted stream, so that it ends with the service.
  template <class Reactor>
  Reactor* OpenTracked(std::shared_ptr<Reactor> reactor, uint64_t id);
  std::function<bool(std::function<void()>)> StreamPoster();
  std::function<void()> StreamEnded(uint64_t id, const char* method);

  const QueryServerOptions options_;
  processor::Queryable& queryable_;
  const QueryHandlers handlers_;
  RequestMetrics metrics_;
  UpdateFeeds feeds_;
  std::shared_ptr<RoutingWatch> routing_;  // shared with the subscription's callback
  std::unique_ptr<processor::Subscription> routing_subscription_;
  std::atomic<size_t> in_flight_{0};

  absl::Mutex mu_;
  std::map<uint64_t, std::weak_ptr<OpenStream>> streams_ ABSL_GUARDED_BY(mu_);
  size_t stream_count_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t next_stream_ ABSL_GUARDED_BY(mu_) = 1;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;

  // Last: their destructors finish work that uses everything above.
  WorkerPool streams_pool_;
  WorkerPool pool_;
};

// "OK", "NOT_FOUND", ...
std::string CodeName(absl::StatusCode code);
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace tailrace::grpc_api
