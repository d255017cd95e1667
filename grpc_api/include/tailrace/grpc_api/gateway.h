// The gateway: HTTP/JSON, server-sent events and the dashboard in front of an application's workers.
//
//   grpc_api::Gateway gateway({.listen = "127.0.0.1:8080", .workers = {"127.0.0.1:9090"}, .static_dir = "dashboard/dist"});
//   TAILRACE_RETURN_IF_ERROR(gateway.Start());
//   ...
//   gateway.Shutdown(5'000);
//
// It keeps no state of its own: any number of copies may stand behind a proxy. Routes: docs/openapi.yaml, which it serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/query_client.h"
#include "tailrace/grpc_api/tls.h"

namespace tailrace::grpc_api {

struct GatewayOptions {
  // host:port; port 0 takes a free one.
  std::string listen = "127.0.0.1:8080";
  // Certificate and key for HTTPS, which is then all that the port speaks; none: HTTP.
  TlsOptions tls;
  // Query services to begin with, host:port; the others are learnt from them.
  std::vector<std::string> workers;
  // QueryClientOptions::tls.
  TlsOptions worker_tls;
  // The dashboard's files; empty: no dashboard.
  std::string static_dir;
  // The store behind /api/v1/cities.
  std::string city_store = "city-metrics";
  // Threads that read and write sockets, and threads that wait for workers.
  size_t io_threads = 2;
  size_t handler_threads = 16;
  // A query that takes longer is answered with 504.
  int64_t query_timeout_ms = base::limits::kQueryDeadlineMsMax;
  // A connection on which no whole request arrives for so long is closed, and one that does not take its answer.
  int64_t idle_timeout_ms = 30'000;
  // How often an event stream shows a sign of life.
  int64_t heartbeat_ms = 15'000;
  // Open event streams.
  size_t streams_max = 512;
  // What /metrics shows and where tailrace_http_* and tailrace_gateway_* go; null: /metrics answers 404. Outlives it.
  base::MetricsRegistry* metrics = nullptr;
  const base::Clock* clock = &base::SystemClock();
};

// Thread-safe. The destructor shuts down at once.
class Gateway {
 public:
  explicit Gateway(GatewayOptions options);
  // With a client of the caller's making.
  Gateway(GatewayOptions options, std::unique_ptr<QueryClient> client);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Listens and answers from when it returns, also while no worker is reachable (503). Errors: kUnavailable when the
  // address cannot be listened on, kInvalidArgument when it is none or the
  // certificates cannot be used.
  absl::Status Start();
  int port() const;
  // Takes no more connections, ends event streams, and waits for running requests up to the deadline. Idempotent.
  void Shutdown(int64_t deadline_ms);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::grpc_api
