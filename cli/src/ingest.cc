// tailrace ingest: a connector from the outside world to topics, until SIGTERM.
#include <iostream>
#include <memory>

#include "absl/strings/str_join.h"
#include "stoppable.h"
#include "tailrace/base/limits.h"
#include "tailrace/grpc_api/metrics_server.h"
#include "tailrace/ingest/connector.h"
#include "tailrace/kafka/cluster.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

// In the client's queue a record can wait for the log as long as it has to; on disk it is safe anyway.
constexpr int kMessageTimeoutMs = 600'000;

struct IngestVerb {
  ConfigOptions config;
  std::string bootstrap;
  ingest::ConnectorOptions connector;
};

absl::Status Run(const IngestVerb& verb, const ingest::StopSignal& stop) {
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadWriterConfig(verb.config, verb.bootstrap, "ingest", kMessageTimeoutMs));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
  base::MetricsRegistry metrics;
  const auto process_metrics = base::AddProcessMetrics(metrics);
  std::unique_ptr<grpc_api::MetricsServer> server;
  // Several connectors share a host, so that a port is taken only when one is named.
  if (config.IsSet("metrics.listen")) {
    server = std::make_unique<grpc_api::MetricsServer>(
        grpc_api::MetricsServerOptions{.listen = config.String("metrics.listen"), .ready = [] { return true; }}, metrics);
    TAILRACE_RETURN_IF_ERROR(server->Start());
  }
  TAILRACE_ASSIGN_OR_RETURN(const ingest::ConnectorSummary summary, ingest::RunConnector(*cluster, config, verb.connector, metrics, stop));
  std::cerr << ingest::DescribeConnector(summary);
  return absl::OkStatus();
}

}  // namespace

void AddIngest(CLI::App& app, Action& action) {
  auto options = std::make_shared<IngestVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("ingest", "Brings records from a source into topics until SIGTERM; see docs/sources.md");
  AddConfigOptions(*verb, options->config);
  verb->add_option("connector", options->connector.name, "One of " + absl::StrJoin(ingest::ConnectorNames(), ", "))->required();
  verb->add_option("--bootstrap", options->bootstrap, "host:port of Kafka brokers");
  verb->add_option("--topic", options->connector.topic, "Topic to write to; otherwise that of the records' kind");
  verb->add_option("--input", options->connector.inputs, "Of files: files, folders and URLs in the order to read them, plain or gzip");
  verb->add_option("--format", options->connector.format, "Of files: layout of the input")->capture_default_str();
  verb->callback([options, &action] {
    action.run = [options]() -> absl::Status {
      ShutdownSignals signals;
      return RunStoppable(signals, [&](const ingest::StopSignal& stop) { return Run(*options, stop); });
    };
  });
}

}  // namespace tailrace::cli
