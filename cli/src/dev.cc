// tailrace dev: worker, gateway and dashboard in one process on the embedded log, fed from a file or a pipe.
#include <iostream>
#include <memory>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "dashboard_files.h"
#include "shutdown.h"
#include "tailrace/base/log.h"
#include "tailrace/grpc_api/gateway.h"
#include "tailrace/ingest/produce.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

constexpr int kHealthCheckMs = 200;
constexpr int kAdminTimeoutMs = 30'000;
constexpr int kPartitions = 4;
// Of the time that SIGTERM leaves; the worker has the rest.
constexpr int kGatewayDrainMs = 1'000;

struct DevVerb {
  ConfigOptions config;
  std::vector<std::string> pipelines;
  std::string input;
  std::string format;
  std::string listen;
  std::string dashboard;
};

absl::StatusOr<LoadedPipeline> Load(const DevVerb& verb) {
  std::vector<base::ConfigSetting> defaults;
  for (const auto& [key, value] : {std::pair{"log.embedded.dir", "tailrace-dev/log"}, {"state.dir", "tailrace-dev/state"},
                                   {"auto.offset.reset", "earliest"}})
    defaults.push_back({.key = key, .value = value, .origin = "dev"});
  TAILRACE_ASSIGN_OR_RETURN(LoadedPipeline loaded, LoadPipelineAndConfig(verb.pipelines, verb.config, std::move(defaults)));
  if (loaded.config.IsSet("bootstrap.servers"))
    return base::UsageError(absl::StrCat("bootstrap.servers is set (", loaded.config.Origin("bootstrap.servers"),
                                         "), but dev keeps a log of its own; use worker and gateway on a cluster"));
  return loaded;
}

// Before the worker starts, which refuses a missing source topic. The log is closed again: the worker opens it.
absl::Status CreateTopics(const LoadedPipeline& loaded) {
  std::set<std::string> names;
  for (const pipeline::SourceSpec& source : loaded.spec.AllSources()) names.insert(source.topic);
  for (const pipeline::SinkSpec& sink : loaded.spec.AllSinks()) names.insert(sink.topic);
  for (const std::string& dead_letter : {loaded.spec.dead_letter_topic, loaded.config.String("errors.dead.letter.queue.topic.name")})
    if (!dead_letter.empty()) names.insert(dead_letter);
  std::vector<kafka::NewTopic> topics;
  for (const std::string& name : names) topics.push_back({.name = name, .partition_count = kPartitions, .config = {}});
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(loaded.config));
  return cluster->admin().CreateTopics(topics, kAdminTimeoutMs);
}

// Produces the input in a thread of its own until its end or a stop. Not thread-safe.
class Feed {
 public:
  Feed(kafka::Cluster& cluster, ingest::ProduceOptions options)
      : thread_([this, &cluster, options = std::move(options)] { Run(cluster, options); }) {}
  ~Feed() { Stop(); }

  void Stop() {
    stop_.Request();
    if (thread_.joinable()) thread_.join();
  }
  // OK while it works and after the end of the input; otherwise why it cannot go on.
  absl::Status status() const { return ended_.requested() ? status_ : absl::OkStatus(); }

 private:
  void Run(kafka::Cluster& cluster, const ingest::ProduceOptions& options) {
    const auto summary = ingest::ProduceFiles(cluster, options, stop_);
    status_ = summary.status();
    if (summary.ok())
      base::LogInfo("cli", "input ended", {{"lines", summary->lines}, {"records", summary->records}, {"skipped", summary->counts.Describe()}});
    ended_.Request();
  }

  ingest::StopSignal stop_;
  ingest::StopSignal ended_;
  absl::Status status_;  // written before `ended_`, read after it
  std::thread thread_;
};

absl::Status RunDev(const DevVerb& verb) {
  ShutdownSignals signals;
  TAILRACE_ASSIGN_OR_RETURN(LoadedPipeline loaded, Load(verb));
  if (!verb.input.empty() && loaded.spec.sources.size() != 1)
    return base::UsageError(absl::StrCat("pipeline ", loaded.spec.file, " has ", loaded.spec.sources.size(), " sources; --input feeds one"));
  TAILRACE_RETURN_IF_ERROR(CreateTopics(loaded));
  WorkerProcess worker(std::move(loaded));
  TAILRACE_RETURN_IF_ERROR(worker.Start());
  const LoadedPipeline& running = worker.loaded();
  const std::string listen = verb.listen.empty() ? running.config.String("http.listen") : verb.listen;
  grpc_api::GatewayOptions options{.listen = listen,
                                   .workers = {worker.query_address()},
                                   .static_dir = DashboardDirectory(verb.dashboard),
                                   .metrics = &worker.metrics()};
  grpc_api::Gateway gateway(std::move(options));
  absl::Status status = gateway.Start();
  std::unique_ptr<Feed> feed;
  if (status.ok()) {
    std::string host = listen.substr(0, listen.rfind(':'));
    if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
    std::cout << "http://" << host << ":" << gateway.port() << std::endl;
    if (!verb.input.empty()) {
      const pipeline::SourceSpec& source = running.spec.sources[0];
      feed = std::make_unique<Feed>(worker.cluster(), ingest::ProduceOptions{.topic = source.topic,
                                                                             .inputs = {verb.input},
                                                                             .format = verb.format.empty() ? source.format : verb.format});
    }
    while (status.ok() && !signals.Wait(kHealthCheckMs)) {
      status = worker.status();
      if (status.ok() && feed != nullptr) status = feed->status();
    }
    base::LogInfo("cli", "draining");
  }
  // Against the stream: nothing new comes in while what came is finished.
  if (feed != nullptr) feed->Stop();
  gateway.Shutdown(kGatewayDrainMs);
  const absl::Status stopped = worker.Stop();
  return status.ok() ? stopped : status;
}

}  // namespace

void AddDev(CLI::App& app, Action& action) {
  auto options = std::make_shared<DevVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("dev", "Worker, gateway and dashboard in one process, without a broker");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipelines, "Pipeline file")->required()->check(CLI::ExistingFile);
  verb->add_option("--input", options->input, "File or named pipe to feed the pipeline's source from; - is standard input");
  verb->add_option("--format", options->format, "Layout of the input; otherwise the source's");
  verb->add_option("--listen", options->listen, "host:port of dashboard and API; otherwise http.listen (127.0.0.1:8080)");
  verb->add_option("--dashboard", options->dashboard, "Folder of the dashboard's files")->check(CLI::ExistingDirectory);
  verb->callback([options, &action] { action.run = [options] { return RunDev(*options); }; });
}

}  // namespace tailrace::cli
