// Everything that makes a process a worker: log, topology, streams, query service, metrics.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/metrics_server.h"
#include "tailrace/grpc_api/query_server.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/streams.h"
#include "verb.h"

namespace tailrace::cli {

// Time that SIGTERM has until the process must be gone.
inline constexpr int kDrainMs = 10'000;

// A pipeline and the configuration of the process that runs it: its parameters are --set keys like all others.
struct LoadedPipeline {
  pipeline::PipelineSpec spec;
  base::Config config;
};
absl::StatusOr<LoadedPipeline> LoadPipelineAndConfig(const std::vector<std::string>& files, const ConfigOptions& options,
                                                     std::vector<base::ConfigSetting> defaults = {});

// Not thread-safe.
class WorkerProcess {
 public:
  explicit WorkerProcess(LoadedPipeline pipeline);

  // Opens the log, joins the group and listens.
  absl::Status Start();
  // OK while it works; otherwise why it cannot go on.
  absl::Status status() const { return streams_->status(); }
  // Takes no more queries, commits, closes, within kDrainMs.
  absl::Status Stop();

  const LoadedPipeline& loaded() const { return pipeline_; }
  kafka::Cluster& cluster() { return *cluster_; }
  base::MetricsRegistry& metrics() { return metrics_; }
  // host:port of the query service as this host reaches it.
  std::string query_address() const;

 private:
  LoadedPipeline pipeline_;
  base::MetricsRegistry metrics_;
  base::MetricsRegistry::CollectorHandle process_metrics_;
  std::unique_ptr<kafka::Cluster> cluster_;
  std::unique_ptr<processor::Streams> streams_;
  std::unique_ptr<grpc_api::QueryServer> queries_;
  std::unique_ptr<grpc_api::MetricsServer> metrics_server_;
};

}  // namespace tailrace::cli
