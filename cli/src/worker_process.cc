#include "worker_process.h"

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tailrace/base/log.h"
#include "tailrace/kafka/group_admin.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/processor/application_id.h"
#include "tailrace/processor/replay_reading.h"
#include "tailrace/state/engine_metrics.h"
#include "tailrace/state/process_memory.h"

namespace tailrace::cli {
namespace {

constexpr int kAdminTimeoutMs = 30'000;
// Requests come by the hand of people, one at a time, and whoever asks waits until the table shows it.
constexpr char kRequestCommitMs[] = "100";
constexpr int32_t kRequestPartitions = 4;

}  // namespace

WorkerProcess::WorkerProcess(std::vector<LoadedPipeline> pipelines, std::map<base::TopicPartition, base::Offset> ends)
    : pipelines_(std::move(pipelines)), ends_(std::move(ends)), process_metrics_(base::AddProcessMetrics(metrics_)) {
  base::AddBuildInfo(metrics_, {{"librdkafka", kafka::ClientVersion()}, {"rocksdb", state::EngineVersion()}});
}

absl::Status WorkerProcess::Start() {
  std::vector<processor::Topology> topologies;
  for (const LoadedPipeline& one : pipelines_) {
    TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, pipeline::CompilePipeline(one.spec));
    topologies.push_back(std::move(topology));
  }
  TAILRACE_RETURN_IF_ERROR(OpenLog(topologies));
  engine_metrics_ = state::AddEngineMetrics(
      metrics_, state::ProcessMemory(static_cast<size_t>(config().Bytes("state.memory.bytes"))));
  queries_ = std::make_unique<grpc_api::QueryServer>(
      grpc_api::QueryServerOptions{.listen = config().String("grpc.listen"),
                                   .tls = grpc_api::TlsOptionsOf(config(), "grpc.ssl."),
                                   .metrics = &metrics_});
  for (size_t i = 0; i < pipelines_.size(); ++i) {
    TAILRACE_ASSIGN_OR_RETURN(auto caught_up, WatchReplay(topologies[i], pipelines_[i].config));
    streams_.push_back(std::make_unique<processor::Streams>(std::move(topologies[i]), pipelines_[i].config, *cluster_, metrics_));
    queries_->Add(streams_.back()->queryable(), /*decides_readiness=*/true, std::move(caught_up));
  }
  if (!config().String("requests.topic").empty()) TAILRACE_RETURN_IF_ERROR(AddRequests());
  // The listeners come first: a probe must be answered while groups are joined and state is restored.
  TAILRACE_RETURN_IF_ERROR(queries_->Start());
  const auto ready = [this] {
    for (const auto& streams : streams_)
      if (!streams->queryable().ready()) return false;
    return true;
  };
  metrics_server_ = std::make_unique<grpc_api::MetricsServer>(
      grpc_api::MetricsServerOptions{.listen = config().String("metrics.listen"), .ready = ready}, metrics_);
  TAILRACE_RETURN_IF_ERROR(metrics_server_->Start());
  TAILRACE_RETURN_IF_ERROR(StartStreams());
  base::LogInfo("cli", "worker started",
                {{"applications", absl::StrJoin(streams_, ", ", [](std::string* text, const auto& streams) {
                    text->append(streams->queryable().application_id());
                  })},
                 {"log", cluster_->Description()},
                 {"queries", query_address()},
                 {"metrics", config().String("metrics.listen")}});
  return absl::OkStatus();
}

absl::Status WorkerProcess::OpenLog(std::vector<processor::Topology>& topologies) {
  TAILRACE_ASSIGN_OR_RETURN(cluster_, kafka::Open(config()));
  processor::ReplayReading reading{.inputs = {}, .in_order = [this] { return in_order_.load(std::memory_order_relaxed); }, .ends = ends_};
  for (size_t i = 0; i < pipelines_.size(); ++i) {
    const std::string id = pipelines_[i].config.String("application.id");
    if (processor::SplitApplicationId(id).number == 0) continue;
    TAILRACE_RETURN_IF_ERROR(topologies[i].Compile(id));
    const processor::CatchUp::Options topics = processor::CatchUp::OptionsOf(topologies[i], 0);
    // Without a repartition topic each partition has a stream time of its own.
    if (topics.repartitions.empty()) continue;
    for (const std::string& input : topics.inputs) {
      TAILRACE_ASSIGN_OR_RETURN(const auto topic, cluster_->admin().DescribeTopic(input, kAdminTimeoutMs));
      reading.inputs[input] = topic.has_value() ? topic->partition_count : 0;
    }
  }
  if (!reading.inputs.empty() || !reading.ends.empty()) cluster_ = processor::ReadForReplay(std::move(cluster_), std::move(reading));
  return absl::OkStatus();
}

absl::StatusOr<std::function<bool()>> WorkerProcess::WatchReplay(const processor::Topology& topology, const base::Config& config) {
  const processor::ApplicationId id = processor::SplitApplicationId(config.String("application.id"));
  if (id.number == 0) return std::function<bool()>();
  TAILRACE_ASSIGN_OR_RETURN(const auto offsets, kafka::GroupsOf(*cluster_).GroupOffsets(id.ToString(), kAdminTimeoutMs));
  if (offsets.empty())
    return absl::FailedPreconditionError(absl::StrCat("application ", id.ToString(), " was not prepared: run tailrace replay PIPELINE --from TIME --number ",
                                                      id.number, " instead"));
  processor::CatchUp::Options options = processor::CatchUp::OptionsOf(topology, config.Ms("commit.interval.ms"));
  options.ends = ends_;
  options.on_caught_up = [this] { in_order_ = false; };
  catch_ups_.push_back(std::make_unique<processor::CatchUp>(std::move(options), *cluster_));
  return [catch_up = catch_ups_.back().get(), whole = ends_.empty()] { return whole && catch_up->caught_up(); };
}

absl::Status WorkerProcess::AddRequests() {
  const std::string topic = config().String("requests.topic");
  TAILRACE_RETURN_IF_ERROR(grpc_api::CreateRequestTopic(cluster_->admin(), topic, kRequestPartitions, kAdminTimeoutMs));
  TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, grpc_api::RequestTopology(topic));
  base::Config own = config().With("application.id", grpc_api::kRequestApplication);
  if (!own.IsSet("commit.interval.ms")) own = own.With("commit.interval.ms", kRequestCommitMs);
  streams_.push_back(std::make_unique<processor::Streams>(std::move(topology), own, *cluster_, metrics_));
  processor::Queryable& queryable = streams_.back()->queryable();
  queries_->Add(queryable);
  requests_ = std::make_unique<grpc_api::RequestRegistry>(*cluster_, queryable, topic);
  queries_->SetRequests(requests_.get());
  return absl::OkStatus();
}

absl::Status WorkerProcess::StartStreams() {
  std::vector<absl::Status> started(streams_.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < streams_.size(); ++i)
    threads.emplace_back([this, i, &started] { started[i] = streams_[i]->Start(); });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < streams_.size(); ++i)
    TAILRACE_RETURN_IF_ERROR(base::Annotate(started[i], "application " + streams_[i]->queryable().application_id()));
  return absl::OkStatus();
}

absl::Status WorkerProcess::status() const {
  for (const auto& streams : streams_)
    TAILRACE_RETURN_IF_ERROR(base::Annotate(streams->status(), "application " + streams->queryable().application_id()));
  return absl::OkStatus();
}

absl::Status WorkerProcess::Stop() {
  const int64_t start_ms = base::SystemClock().SteadyMs();
  queries_->Shutdown(kDrainMs / 4);
  // All are told before one is waited for.
  for (const auto& streams : streams_) streams->Close(0).IgnoreError();
  absl::Status result;
  for (const auto& streams : streams_) {
    const int64_t used_ms = base::SystemClock().SteadyMs() - start_ms;
    const absl::Status closed = streams->Close(static_cast<int>(std::max<int64_t>(kDrainMs - used_ms, 0)));
    if (result.ok()) result = base::Annotate(closed, "application " + streams->queryable().application_id());
  }
  return result;
}

std::string WorkerProcess::query_address() const {
  const std::string listen = config().String("grpc.listen");
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
  return absl::StrCat(host, ":", queries_->port());
}

}  // namespace tailrace::cli
