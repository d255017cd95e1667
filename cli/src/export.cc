// tailrace export: a topic into files of a folder or of HDFS, exactly once.
#include "tailrace/ingest/export.h"

#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "stoppable.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/units.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int64_t kLineIntervalMs = 5'000;

struct ExportVerb {
  ConfigOptions config;
  std::string bootstrap;
  std::string key = "text";
  std::string file_bytes;
  std::string file_age;
  ingest::ExportOptions options;
};

// One line that changes for a person, now and then a line for a file.
class Progress {
 public:
  void Tell(const ingest::ExportProgress& progress) {
    const int64_t now_ms = base::SystemClock().SteadyMs();
    if (!terminal_ && now_ms < next_line_ms_) return;
    next_line_ms_ = now_ms + kLineIntervalMs;
    const std::string text = absl::StrCat(progress.records, " records, ", progress.files, " files, ", progress.behind, " offsets behind");
    if (terminal_) std::cerr << "\r" << text << "\x1b[K" << std::flush;
    else std::cerr << text << std::endl;
  }
  void End() {
    if (terminal_) std::cerr << "\r\x1b[K" << std::flush;
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  int64_t next_line_ms_ = base::SystemClock().SteadyMs() + kLineIntervalMs;
};

absl::Status Run(const ExportVerb& verb, const ingest::StopSignal& stop) {
  ConfigOptions from = verb.config;
  if (!verb.bootstrap.empty()) from.set.push_back("bootstrap.servers=" + verb.bootstrap);
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, LoadConfig(from, {{.key = "client.id", .value = "tailrace-export", .origin = "export"}}));
  if (!config.IsSet("bootstrap.servers") && !config.IsSet("log.embedded.dir"))
    return base::UsageError("say where the topic is: --bootstrap host:port");
  ingest::ExportOptions options = verb.options;
  TAILRACE_ASSIGN_OR_RETURN(options.key, ingest::ParseExportKey(verb.key));
  if (!verb.file_bytes.empty()) options.file_bytes = base::ParseBytes(verb.file_bytes).value_or(0);
  if (!verb.file_age.empty()) options.file_ms = base::ParseDurationMs(verb.file_age).value_or(0);
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
  Progress progress;
  options.on_progress = [&](const ingest::ExportProgress& one) { progress.Tell(one); };
  const auto summary = ingest::ExportTopic(*cluster, options, stop);
  progress.End();
  TAILRACE_RETURN_IF_ERROR(summary.status());
  std::cerr << ingest::DescribeExport(*summary);
  return summary->stopped && !options.follow ? absl::CancelledError("stopped before the end of the topic") : absl::OkStatus();
}

}  // namespace

void AddExport(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExportVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("export", "Writes a topic to files of a folder or of HDFS, every record once, and goes on there when run again");
  AddConfigOptions(*verb, options->config);
  verb->add_option("topic", options->options.topic, "Topic to read")->required();
  verb->add_option("--bootstrap", options->bootstrap, "host:port of Kafka brokers");
  verb->add_option("--to", options->options.target, "A folder, or webhdfs://[user@]host:port/folder; webhdfss:// for TLS")->required();
  verb->add_option("--format", options->options.format, "jsonl or csv; jsonl when it is not given")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ingest::ExportFormat>{{"jsonl", ingest::ExportFormat::kJsonLines},
                                                                                      {"csv", ingest::ExportFormat::kCsv}}));
  verb->add_flag("--gzip", options->options.gzip, "Pack the files");
  verb->add_flag("--follow", options->options.follow, "Go on at the end of the topic, until SIGTERM");
  verb->add_option("--key", options->key, "What keys are: text, windowed:SIZE (a pipeline's results with windows of that size), or session")
      ->capture_default_str();
  verb->add_option("--file-bytes", options->file_bytes, "A file is finished at this size: 64MiB, at most 256MiB");
  verb->add_option("--file-age", options->file_age, "and at this age: 5m");
  verb->add_option("--ca-file", options->options.ca_file, "Certificates to trust instead of the system's, for webhdfss")->check(CLI::ExistingFile);
  verb->callback([options, &action] {
    action.run = [options]() -> absl::Status {
      ShutdownSignals signals;
      return RunStoppable(signals, [&](const ingest::StopSignal& stop) { return Run(*options, stop); });
    };
  });
}

}  // namespace tailrace::cli
