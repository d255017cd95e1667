#include "common/request_metrics.h"

namespace tailrace::grpc_api {

RequestMetrics::RequestMetrics(base::MetricsRegistry* registry, std::string prefix, std::string label,
                               std::string subject)
    : registry_(registry), prefix_(std::move(prefix)), label_(std::move(label)), subject_(std::move(subject)) {
  if (registry_ != nullptr) in_flight_ = registry_->GetGauge(prefix_ + "_in_flight", subject_ + " being answered.");
}

void RequestMetrics::Declare(std::string_view method, std::string_view code) {
  if (registry_ == nullptr) return;
  absl::MutexLock lock(&mu_);
  auto& count = counts_[{std::string(method), std::string(code)}];
  if (!count) {
    count = registry_->GetCounter(prefix_ + "_requests_total", subject_ + " answered.",
                                  {{label_, std::string(method)}, {"code", std::string(code)}});
  }
  auto& duration = durations_[std::string(method)];
  if (!duration) {
    duration = registry_->GetHistogram(prefix_ + "_duration_seconds", subject_ + ": time to the answer.",
                                       {{label_, std::string(method)}});
  }
}

void RequestMetrics::Began() {
  if (in_flight_) in_flight_->Add(1);
}

void RequestMetrics::Ended(std::string_view method, std::string_view code, int64_t duration_ns) {
  if (registry_ == nullptr) return;
  in_flight_->Add(-1);
  Declare(method, code);
  absl::MutexLock lock(&mu_);
  counts_[{std::string(method), std::string(code)}]->Increment();
  durations_.find(method)->second->Observe(static_cast<double>(duration_ns) * 1e-9);
}

}  // namespace tailrace::grpc_api
