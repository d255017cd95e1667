// tailrace worker: runs its share of the tasks of one or more pipelines until SIGTERM.
#include <memory>

#include "shutdown.h"
#include "tailrace/base/log.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

constexpr int kHealthCheckMs = 200;

struct WorkerOptions {
  ConfigOptions config;
  std::vector<std::string> pipelines;
};

absl::Status RunWorker(const WorkerOptions& options) {
  ShutdownSignals signals;
  TAILRACE_ASSIGN_OR_RETURN(std::vector<LoadedPipeline> pipelines, LoadPipelines(options.pipelines, options.config));
  WorkerProcess worker(std::move(pipelines));
  TAILRACE_RETURN_IF_ERROR(worker.Start());
  while (!signals.Wait(kHealthCheckMs))
    if (absl::Status status = worker.status(); !status.ok()) {
      (void)worker.Stop();  // the reason is what counts
      return status;
    }
  base::LogInfo("cli", "draining");
  return worker.Stop();
}

}  // namespace

void AddWorker(CLI::App& app, Action& action) {
  auto options = std::make_shared<WorkerOptions>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("worker", "Processes pipelines and answers queries until SIGTERM");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipelines, "Pipeline files, each an application of its own")->required()->check(CLI::ExistingFile);
  verb->callback([options, &action] { action.run = [options] { return RunWorker(*options); }; });
}

}  // namespace tailrace::cli
