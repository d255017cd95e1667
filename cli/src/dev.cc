// tailrace dev: worker, gateway and dashboard in one process on the embedded log, fed from files and pipes.
#include <iostream>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "dashboard_files.h"
#include "feed.h"
#include "shutdown.h"
#include "tailrace/base/log.h"
#include "tailrace/grpc_api/gateway.h"
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
  std::vector<std::string> inputs;
  std::vector<std::string> formats;
  std::string listen;
  std::string dashboard;
};

absl::StatusOr<std::vector<LoadedPipeline>> Load(const DevVerb& verb) {
  std::vector<base::ConfigSetting> defaults;
  for (const auto& [key, value] : {std::pair{"log.embedded.dir", "tailrace-dev/log"}, {"state.dir", "tailrace-dev/state"},
                                   {"auto.offset.reset", "earliest"}, {"requests.topic", "requests"}})
    defaults.push_back({.key = key, .value = value, .origin = "dev"});
  TAILRACE_ASSIGN_OR_RETURN(std::vector<LoadedPipeline> loaded, LoadPipelines(verb.pipelines, verb.config, std::move(defaults)));
  const base::Config& config = loaded.front().config;
  if (config.IsSet("bootstrap.servers"))
    return base::UsageError(absl::StrCat("bootstrap.servers is set (", config.Origin("bootstrap.servers"),
                                         "), but dev keeps a log of its own; use worker and gateway on a cluster"));
  return loaded;
}

// Before the worker starts, which refuses a missing source topic. The log is closed again: the worker opens it.
absl::Status CreateTopics(const std::vector<LoadedPipeline>& pipelines) {
  std::set<std::string> names;
  for (const LoadedPipeline& loaded : pipelines) {
    for (const pipeline::SourceSpec& source : loaded.spec.AllSources()) names.insert(source.topic);
    for (const pipeline::SinkSpec& sink : loaded.spec.AllSinks()) names.insert(sink.topic);
    for (const std::string& dead_letter : {loaded.spec.dead_letter_topic, loaded.config.String("errors.dead.letter.queue.topic.name")})
      if (!dead_letter.empty()) names.insert(dead_letter);
  }
  std::vector<kafka::NewTopic> topics;
  for (const std::string& name : names) topics.push_back({.name = name, .partition_count = kPartitions, .config = {}});
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(pipelines.front().config));
  return cluster->admin().CreateTopics(topics, kAdminTimeoutMs);
}

absl::Status RunDev(const DevVerb& verb) {
  ShutdownSignals signals;
  TAILRACE_ASSIGN_OR_RETURN(std::vector<LoadedPipeline> loaded, Load(verb));
  std::vector<const pipeline::PipelineSpec*> specs;
  for (const LoadedPipeline& one : loaded) specs.push_back(&one.spec);
  TAILRACE_ASSIGN_OR_RETURN(std::vector<ingest::ProduceOptions> plans, PlanFeeds(specs, verb.inputs, verb.formats));
  TAILRACE_RETURN_IF_ERROR(CreateTopics(loaded));
  WorkerProcess worker(std::move(loaded));
  TAILRACE_RETURN_IF_ERROR(worker.Start());
  const std::string listen = verb.listen.empty() ? worker.config().String("http.listen") : verb.listen;
  grpc_api::GatewayOptions options{.listen = listen,
                                   .tls = grpc_api::TlsOptionsOf(worker.config(), "gateway.ssl."),
                                   .workers = {worker.query_address()},
                                   .worker_tls = grpc_api::TlsOptionsOf(worker.config(), "grpc.ssl."),
                                   .static_dir = DashboardDirectory(verb.dashboard),
                                   .metrics = &worker.metrics()};
  const bool https = options.tls.any();
  grpc_api::Gateway gateway(std::move(options));
  absl::Status status = gateway.Start();
  std::unique_ptr<Feeds> feeds;
  if (status.ok()) {
    std::string host = listen.substr(0, listen.rfind(':'));
    if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
    std::cout << (https ? "https://" : "http://") << host << ":" << gateway.port() << std::endl;
    feeds = std::make_unique<Feeds>(worker.cluster(), std::move(plans));
    while (status.ok() && !signals.Wait(kHealthCheckMs)) {
      status = worker.status();
      if (status.ok()) status = feeds->status();
    }
    base::LogInfo("cli", "draining");
  }
  // Against the stream: nothing new comes in while what came is finished.
  feeds.reset();
  gateway.Shutdown(kGatewayDrainMs);
  const absl::Status stopped = worker.Stop();
  return status.ok() ? stopped : status;
}

}  // namespace

void AddDev(CLI::App& app, Action& action) {
  auto options = std::make_shared<DevVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("dev", "Worker, gateway and dashboard in one process, without a broker");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipelines, "Pipeline files, each an application of its own")->required()->check(CLI::ExistingFile);
  verb->add_option("--input", options->inputs,
                   "TOPIC=FILE to feed a source topic from, a file, folder or URL, plain or gzip, or a named pipe, - is standard input; without TOPIC= where only "
                   "one topic is read")
      ->allow_extra_args(false);
  verb->add_option("--format", options->formats, "Layout of the input, TOPIC=FORMAT as --input; otherwise the source's")
      ->allow_extra_args(false);
  verb->add_option("--listen", options->listen, "host:port of dashboard and API; otherwise http.listen (127.0.0.1:8080)");
  verb->add_option("--dashboard", options->dashboard, "Folder of the dashboard's files")->check(CLI::ExistingDirectory);
  verb->callback([options, &action] { action.run = [options] { return RunDev(*options); }; });
}

}  // namespace tailrace::cli
