// tailrace gateway: HTTP, live updates and the dashboard in front of workers.
#include "tailrace/grpc_api/gateway.h"

#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "dashboard_files.h"
#include "shutdown.h"
#include "tailrace/base/log.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int kWaitMs = 60'000;
constexpr int kDrainMs = 5'000;

struct GatewayVerb {
  ConfigOptions config;
  std::string workers;
  std::string listen;
  std::string dashboard;
};

absl::Status RunGateway(const GatewayVerb& verb) {
  ShutdownSignals signals;
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadConfig(verb.config));
  const std::string workers = verb.workers.empty() ? config.String("gateway.workers") : verb.workers;
  if (workers.empty())
    return base::UsageError("no worker is named: --workers host:port,... or gateway.workers in the configuration");
  base::MetricsRegistry metrics;
  const auto process_metrics = base::AddProcessMetrics(metrics);
  base::AddBuildInfo(metrics);
  grpc_api::Gateway gateway({.listen = verb.listen.empty() ? config.String("http.listen") : verb.listen,
                             .tls = grpc_api::TlsOptionsOf(config, "gateway.ssl."),
                             .workers = absl::StrSplit(workers, ',', absl::SkipEmpty()),
                             .worker_tls = grpc_api::TlsOptionsOf(config, "grpc.ssl."),
                             .static_dir = DashboardDirectory(verb.dashboard),
                             .metrics = &metrics});
  TAILRACE_RETURN_IF_ERROR(gateway.Start());
  base::LogInfo("cli", "gateway started", {{"port", gateway.port()}, {"workers", workers}});
  while (!signals.Wait(kWaitMs)) {
  }
  gateway.Shutdown(kDrainMs);
  return absl::OkStatus();
}

}  // namespace

void AddGateway(CLI::App& app, Action& action) {
  auto options = std::make_shared<GatewayVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("gateway", "Serves queries of workers as JSON, and the dashboard");
  AddConfigOptions(*verb, options->config);
  verb->add_option("--workers", options->workers, "host:port of one or more workers, by commas");
  verb->add_option("--listen", options->listen, "host:port to listen on");
  verb->add_option("--dashboard", options->dashboard, "Folder of the dashboard's files")->check(CLI::ExistingDirectory);
  verb->callback([options, &action] { action.run = [options] { return RunGateway(*options); }; });
}

}  // namespace tailrace::cli
