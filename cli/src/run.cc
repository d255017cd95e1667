// tailrace run: a batch run of a pipeline over files, folders and URLs.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/units.h"
#include "tailrace/pipeline/batch.h"
#include "tailrace/pipeline/format.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/pipeline/timestamps.h"
#include "verb.h"

namespace tailrace::cli {
namespace {

constexpr int kBarWidth = 40;

struct RunOptions {
  std::string pipeline;
  std::vector<std::string> set;
  std::string output;
  bool updates = false;
  bool final = false;
  std::string now;
  pipeline::BatchOptions batch;
};

// key=value for the parameters that the pipeline declares; LoadPipeline refuses others by name.
absl::StatusOr<pipeline::ParameterValues> ParametersOf(const std::vector<std::string>& set) {
  pipeline::ParameterValues values;
  for (const std::string& text : set) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return base::UsageError(absl::StrCat("--set ", text, " is not name=value"));
    values.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

void ShowProgress(int64_t done, int64_t total) {
  if (total <= 0) return;
  const auto filled = static_cast<size_t>(kBarWidth * done / total);
  std::cerr << "\r[" << std::string(filled, '#') << std::string(kBarWidth - filled, ' ') << "] " << 100 * done / total << "%"
            << std::flush;
}

absl::Status Run(RunOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(const auto parameters, ParametersOf(options.set));
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::PipelineSpec spec, pipeline::LoadPipeline(options.pipeline, parameters));
  base::ManualClock clock;
  if (!options.now.empty()) {
    const std::optional<int64_t> now_ms = base::ParseInt(options.now) ? base::ParseInt(options.now) : pipeline::ParseTimestampMs(options.now);
    if (!now_ms || *now_ms < 0) return base::UsageError(absl::StrCat("--now: ", options.now, " is neither RFC 3339 nor epoch milliseconds"));
    clock.AdvanceMs(*now_ms);
    options.batch.clock = &clock;
  }
  options.batch.output = options.updates ? pipeline::BatchOptions::Output::kUpdates : pipeline::BatchOptions::Output::kFinal;
  const bool bar = isatty(STDERR_FILENO) != 0;
  if (bar) options.batch.on_progress = ShowProgress;

  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::trunc);
    if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", options.output, ": check folder and permissions"));
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  const auto summary = pipeline::RunBatch(spec, options.batch, out);
  if (bar) std::cerr << "\r" << std::string(kBarWidth + 8, ' ') << "\r";
  if (!summary.ok()) return summary.status();
  std::cerr << pipeline::DescribeBatch(*summary);
  out.flush();
  return out ? absl::OkStatus() : absl::DataLossError("the output could not be written to its end");
}

}  // namespace

void AddRun(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("run", "Runs a pipeline over files; the end of input closes all windows");
  verb->add_option("pipeline", options->pipeline, "Pipeline file")->required()->check(CLI::ExistingFile);
  verb->add_option("--input", options->batch.inputs, "Files, folders and URLs in the order to read them, plain or gzip; - is standard input")->required();
  verb->add_option("--format", options->batch.format,
                   "Format of the input: " + absl::StrJoin(pipeline::FormatNames(), ", ", [](std::string* text, std::string_view name) {
                     text->append(name);
                   }));
  auto* const final = verb->add_flag("--final", options->final, "Every window once, with its final value (the default)");
  verb->add_flag("--updates", options->updates, "Every change of every window")->excludes(final);
  verb->add_option("--store", options->batch.store, "Which store to write");
  verb->add_option("--output", options->output, "File to write to; standard output otherwise");
  verb->add_option("--now", options->now, "Processing time of the run, RFC 3339 or epoch milliseconds; otherwise the clock's");
  verb->add_option("--set", options->set, "name=value of a pipeline parameter")->allow_extra_args(false);
  verb->callback([options, &action] { action.run = [options] { return Run(*options); }; });
}

}  // namespace tailrace::cli
