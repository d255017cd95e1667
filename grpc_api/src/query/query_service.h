// The gRPC side of the query service: admission, deadlines, status details and streams around QueryHandlers.
#pragma once

#include <atomic>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/request_metrics.h"
#include "common/worker_pool.h"
#include "query/served_application.h"
#include "query/stream_reactor.h"
#include "tailrace/grpc_api/query_server.h"
#include "tailrace/grpc_api/request_registry.h"
#include "tailrace/v1/query.grpc.pb.h"

namespace tailrace::grpc_api {

class QueryService final : public v1::QueryService::CallbackService {
 public:
  explicit QueryService(const QueryServerOptions& options);
  ~QueryService() override;

  // See QueryServer.
  void Add(processor::Queryable& queryable, bool decides_readiness, std::function<bool()> caught_up = {});
  void Remove(const processor::Queryable& queryable);
  void SetRequests(RequestRegistry* requests) { requests_.store(requests); }
  bool ready() const { return applications_.ready(); }
  size_t subscriber_count() const;

  // Ends all streams; later calls answer UNAVAILABLE.
  void Close();
  // Sends heartbeats to idle streams.
  void Heartbeat();
  // Housekeeping of subscriptions.
  void Tend();

  grpc::ServerUnaryReactor* ListApplications(grpc::CallbackServerContext* context,
                                             const v1::ListApplicationsRequest* request,
                                             v1::ListApplicationsResponse* response) override;
  grpc::ServerUnaryReactor* SubmitRequest(grpc::CallbackServerContext* context, const v1::SubmitRequestRequest* request,
                                          v1::SubmitRequestResponse* response) override;
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
  // A method of one application, and those of the worker itself.
  template <class Request, class Response>
  absl::Status Handle(const Request& request, const Deadline& deadline, Response* response) const;
  absl::Status Handle(const v1::ListApplicationsRequest& request, const Deadline& deadline,
                      v1::ListApplicationsResponse* response) const;
  absl::Status Handle(const v1::SubmitRequestRequest& request, const Deadline& deadline,
                      v1::SubmitRequestResponse* response) const;
  // Ends everything that streams an application's changes.
  void End(ServedApplication& application, const absl::Status& status);
  // OK, or why no further stream is taken.
  absl::Status AdmitStream();
  // Opens an admitted stream, so that it ends with its application and with the service.
  template <class Reactor>
  Reactor* OpenTracked(std::shared_ptr<Reactor> reactor, uint64_t id, const ServedApplication& application);
  // The open streams; with an application only its own.
  std::vector<std::shared_ptr<OpenStream>> Streams(const ServedApplication* application = nullptr) const;
  std::function<bool(std::function<void()>)> StreamPoster();
  std::function<void()> StreamEnded(uint64_t id, const char* method);

  const QueryServerOptions options_;
  RequestMetrics metrics_;
  ServedApplications applications_;
  std::atomic<RequestRegistry*> requests_{nullptr};
  std::atomic<size_t> in_flight_{0};

  struct Tracked {
    std::weak_ptr<OpenStream> stream;
    const ServedApplication* application = nullptr;  // compared only
  };
  mutable absl::Mutex mu_;
  std::map<uint64_t, Tracked> streams_ ABSL_GUARDED_BY(mu_);
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
