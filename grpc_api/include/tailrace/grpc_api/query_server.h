// The worker's query service: gRPC over everything that the processor::Queryable of each of its applications shows, plus
// health and reflection.
//
//   grpc_api::QueryServer server({.listen = "0.0.0.0:9090", .metrics = &metrics}, streams.queryable());
//   TAILRACE_RETURN_IF_ERROR(server.Start());
//   ...
//   server.Shutdown(5'000);   // health says NOT_SERVING, streams end, running queries finish or are cut at the deadline
//
// Health services: "" is serving while the server runs (liveness); "startup" from the first time that every assigned task
// was running; "readiness" and "tailrace.v1.QueryService" while every assigned task is running, of all applications that
// decide about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/tls.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

struct QueryServerOptions {
  // host:port; port 0 takes a free one. A port in use is an error, never shared.
  std::string listen = "127.0.0.1:9090";
  // Certificates; none: plain text. With ca_file every client has to show a certificate of those authorities.
  TlsOptions tls;
  // gRPC server reflection: for development; a production profile switches it off.
  bool reflection = true;
  // Deadline of a query whose caller sets none or a longer one.
  int64_t deadline_cap_ms = base::limits::kQueryDeadlineMsMax;
  // Threads that read stores. More answer more at once; each costs processing time of the same cores.
  size_t threads = 4;
  size_t in_flight_max = base::limits::kQueriesInFlightMax;
  size_t streams_max = base::limits::kQueryStreamsMax;
  // How often an idle stream shows a sign of life.
  int64_t heartbeat_ms = 10'000;
  // How often health is brought up to date.
  int64_t health_interval_ms = 200;
  // Changes kept per store for its subscribers.
  size_t update_ring_entries = base::limits::kUpdateRingEntriesMax;
  size_t update_ring_bytes = base::limits::kUpdateRingBytesMax;
  // Where tailrace_query_* go; null: nowhere. Outlives the server.
  base::MetricsRegistry* metrics = nullptr;
  const base::Clock* clock = &base::SystemClock();
};

class RequestRegistry;

// Thread-safe. What is added outlives the server, or is removed before it goes. The destructor shuts down at once.
class QueryServer {
 public:
  explicit QueryServer(QueryServerOptions options);
  // With one application from the start.
  QueryServer(QueryServerOptions options, processor::Queryable& queryable);
  ~QueryServer();
  QueryServer(const QueryServer&) = delete;
  QueryServer& operator=(const QueryServer&) = delete;

  // Serves one more application, before or after Start. Where two have a store of the same name the first answers, unless
  // a request names the other.
  // `caught_up` says whether a replay has caught up (ListApplications); without it an application always has. It may be called
  // as long as the application is served, from any thread.
  void Add(processor::Queryable& queryable, bool decides_readiness = true, std::function<bool()> caught_up = {});
  // Ends its streams and waits for its running queries: nothing of it is used afterwards.
  void Remove(const processor::Queryable& queryable);
  // Answers SubmitRequest; null: such calls are refused. It outlives the server.
  void SetRequests(RequestRegistry* requests);

  // Listens and answers from when it returns. Errors: kUnavailable when the address cannot be listened on, kInvalidArgument
  // when the certificates cannot be used.
  absl::Status Start();
  // The port listened on; 0 before Start.
  int port() const;
  // Subscribe streams that are sent every change from now on, of all applications and stores.
  size_t subscriber_count() const;
  // Ends streams with UNAVAILABLE (SHUTTING_DOWN) and waits for running queries up to the deadline. Idempotent.
  void Shutdown(int64_t deadline_ms);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::grpc_api
