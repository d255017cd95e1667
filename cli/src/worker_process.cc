#include "worker_process.h"

#include "absl/strings/str_cat.h"
#include "tailrace/base/log.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/load.h"

namespace tailrace::cli {

absl::StatusOr<LoadedPipeline> LoadPipelineAndConfig(const std::vector<std::string>& files, const ConfigOptions& options,
                                                     std::vector<base::ConfigSetting> defaults) {
  if (files.size() != 1)
    return base::UsageError(absl::StrCat(files.size(), " pipelines are named; a process runs exactly one. Start one worker per "
                                                       "pipeline, each with its own state.dir and ports"));
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<std::string> parameters, pipeline::PipelineParameterNames(files[0]));
  // The pipeline names the application, so it is read before the configuration is complete; its parameters come after.
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::PipelineSpec unset, pipeline::LoadPipeline(files[0], {}));
  defaults.push_back({.key = "application.id", .value = unset.application_id, .origin = files[0]});
  if (!unset.dead_letter_topic.empty())
    defaults.push_back({.key = "errors.dead.letter.queue.topic.name", .value = unset.dead_letter_topic, .origin = files[0]});
  TAILRACE_ASSIGN_OR_RETURN(base::Config config, LoadConfig(options, std::move(defaults), parameters));
  const auto values = config.Parameters();
  TAILRACE_ASSIGN_OR_RETURN(pipeline::PipelineSpec spec,
                            pipeline::LoadPipeline(files[0], {values.begin(), values.end()}));
  return LoadedPipeline{std::move(spec), std::move(config)};
}

WorkerProcess::WorkerProcess(LoadedPipeline pipeline)
    : pipeline_(std::move(pipeline)), process_metrics_(base::AddProcessMetrics(metrics_)) {
  base::AddBuildInfo(metrics_);
}

absl::Status WorkerProcess::Start() {
  const base::Config& config = pipeline_.config;
  TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, pipeline::CompilePipeline(pipeline_.spec));
  TAILRACE_ASSIGN_OR_RETURN(cluster_, kafka::Open(config));
  streams_ = std::make_unique<processor::Streams>(std::move(topology), config, *cluster_, metrics_);
  // The listeners come first: a probe must be answered while the group is joined and state is restored.
  processor::Queryable& queryable = streams_->queryable();
  queries_ = std::make_unique<grpc_api::QueryServer>(
      grpc_api::QueryServerOptions{.listen = config.String("grpc.listen"), .metrics = &metrics_}, queryable);
  TAILRACE_RETURN_IF_ERROR(queries_->Start());
  metrics_server_ = std::make_unique<grpc_api::MetricsServer>(
      grpc_api::MetricsServerOptions{.listen = config.String("metrics.listen"), .ready = [&] { return queryable.ready(); }},
      metrics_);
  TAILRACE_RETURN_IF_ERROR(metrics_server_->Start());
  TAILRACE_RETURN_IF_ERROR(streams_->Start());
  base::LogInfo("cli", "worker started",
                {{"application", config.String("application.id")},
                 {"log", cluster_->Description()},
                 {"queries", query_address()},
                 {"metrics", config.String("metrics.listen")}});
  return absl::OkStatus();
}

absl::Status WorkerProcess::Stop() {
  const int64_t start_ms = base::SystemClock().SteadyMs();
  queries_->Shutdown(kDrainMs / 4);
  const int64_t used_ms = base::SystemClock().SteadyMs() - start_ms;
  return streams_->Close(static_cast<int>(kDrainMs - used_ms));
}

std::string WorkerProcess::query_address() const {
  const std::string listen = pipeline_.config.String("grpc.listen");
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return absl::StrCat(host, ":", queries_->port());
}

}  // namespace tailrace::cli
