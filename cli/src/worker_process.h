// Everything that makes a process a worker: log, topologies, streams, query service, metrics.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tailrace/base/config.h"
#include "tailrace/base/metrics.h"
#include "tailrace/base/status.h"
#include "tailrace/grpc_api/metrics_server.h"
#include "tailrace/grpc_api/query_server.h"
#include "tailrace/grpc_api/request_registry.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/catch_up.h"
#include "tailrace/processor/streams.h"
#include "verb.h"

namespace tailrace::cli {

// Time that SIGTERM has until the process must be gone.
inline constexpr int kDrainMs = 10'000;

// A pipeline and the configuration of its application.
struct LoadedPipeline {
  pipeline::PipelineSpec spec;
  base::Config config;
};
// One application for each file: its application.id comes from the file, all else from the same configuration, and a
// pipeline's parameters are --set keys like all others, for every pipeline that declares them. The write-back cache is divided
// among them. Errors: kInvalidArgument also for two pipelines with one application.id or one store name.
absl::StatusOr<std::vector<LoadedPipeline>> LoadPipelines(const std::vector<std::string>& files, const ConfigOptions& options,
                                                          std::vector<base::ConfigSetting> defaults = {});
// The same for verbs that take one file.
absl::StatusOr<LoadedPipeline> LoadPipelineAndConfig(const std::string& file, const ConfigOptions& options);

// Runs several applications side by side, and the request registry when requests.topic is set. They share the connection to
// the log, the memory of the stores, and one query service. Not thread-safe.
class WorkerProcess {
 public:
  // `ends`: where the inputs of a replay end for it; it is never said to have caught up then.
  explicit WorkerProcess(std::vector<LoadedPipeline> pipelines, std::map<base::TopicPartition, base::Offset> ends = {});

  // Opens the log, joins the groups and listens.
  absl::Status Start();
  // OK while all work; otherwise why one cannot go on.
  absl::Status status() const;
  // Takes no more queries, commits, closes, within kDrainMs.
  absl::Status Stop();

  const std::vector<LoadedPipeline>& pipelines() const { return pipelines_; }
  // What the applications have in common.
  const base::Config& config() const { return pipelines_.front().config; }
  kafka::Cluster& cluster() { return *cluster_; }
  base::MetricsRegistry& metrics() { return metrics_; }
  // Of the first application that is a replay; null when there is none.
  const processor::CatchUp* catch_up() const { return catch_ups_.empty() ? nullptr : catch_ups_.front().get(); }
  // host:port of the query service as this host reaches it.
  std::string query_address() const;

 private:
  absl::Status AddRequests();
  // For a replay with consumers that read as it has to.
  absl::Status OpenLog(std::vector<processor::Topology>& topologies);
  // Watches how far a replay is. FAILED_PRECONDITION when it was not prepared.
  absl::StatusOr<std::function<bool()>> WatchReplay(const processor::Topology& topology, const base::Config& config);
  // All at once: each waits for its group.
  absl::Status StartStreams();

  const std::vector<LoadedPipeline> pipelines_;
  const std::map<base::TopicPartition, base::Offset> ends_;
  std::atomic<bool> in_order_{true};  // until a replay has caught up
  base::MetricsRegistry metrics_;
  base::MetricsRegistry::CollectorHandle process_metrics_;
  base::MetricsRegistry::CollectorHandle engine_metrics_;
  std::unique_ptr<kafka::Cluster> cluster_;
  std::vector<std::unique_ptr<processor::Streams>> streams_;
  std::vector<std::unique_ptr<processor::CatchUp>> catch_ups_;  // of replays
  std::unique_ptr<grpc_api::RequestRegistry> requests_;  // null: no requests.topic
  std::unique_ptr<grpc_api::QueryServer> queries_;
  std::unique_ptr<grpc_api::MetricsServer> metrics_server_;
};

}  // namespace tailrace::cli
