// Counts, durations and in-flight numbers of requests, by method (or route) and status.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/metrics.h"

namespace tailrace::grpc_api {

// <prefix>_requests_total{<label>,code}, <prefix>_duration_seconds{<label>}, <prefix>_in_flight.
// Thread-safe. Without a registry nothing is counted.
class RequestMetrics {
 public:
  RequestMetrics(base::MetricsRegistry* registry, std::string prefix, std::string label, std::string subject);

  // Makes the series of a method at zero, so that rates are right from the first request.
  void Declare(std::string_view method, std::string_view code);
  void Began();
  void Ended(std::string_view method, std::string_view code, int64_t duration_ns);

 private:
  base::MetricsRegistry* const registry_;
  const std::string prefix_;
  const std::string label_;
  const std::string subject_;
  std::shared_ptr<base::Gauge> in_flight_;  // shared with the registry

  absl::Mutex mu_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<base::Counter>> counts_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<base::Histogram>, std::less<>> durations_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::grpc_api
