// A small HTTP server for a worker's operators: /metrics, /healthz and /readyz (metrics.listen).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"

namespace tailrace::grpc_api {

struct MetricsServerOptions {
  std::string listen = "127.0.0.1:9464";
  // What /readyz answers by; it must not block. Empty: always ready.
  std::function<bool()> ready;
};

// Thread-safe. The registry outlives it. The destructor shuts down.
class MetricsServer {
 public:
  MetricsServer(MetricsServerOptions options, base::MetricsRegistry& metrics);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  absl::Status Start();
  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace::grpc_api
