// tailrace replay: rebuilds results from the log into an application of its own, and goes on as its worker.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "shutdown.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"
#include "tailrace/base/units.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/replay.h"
#include "tailrace/pipeline/timestamps.h"
#include "tailrace/processor/application_id.h"
#include "tailrace/processor/replay.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

constexpr int kHealthCheckMs = 200;
constexpr int kCallTimeoutMs = 30'000;
constexpr int64_t kLineIntervalMs = 5'000;
constexpr int kBarWidth = 40;

struct ReplayVerb {
  ConfigOptions config;
  std::string pipeline;
  std::string from;
  std::string to;
  int number = 0;  // 0: the next free one
  bool dry_run = false;
};

absl::StatusOr<LoadedPipeline> LoadAs(const ReplayVerb& verb, const std::string& application_id) {
  ConfigOptions options = verb.config;
  options.set.push_back("application.id=" + application_id);
  return LoadPipelineAndConfig(verb.pipeline, options);
}

// Checked before the log is looked at: only what is divided into windows can begin in the middle.
absl::Status CheckRules(const ReplayVerb& verb, const pipeline::ReplayRules& rules) {
  if (rules.unbounded.empty()) return absl::OkStatus();
  const pipeline::UnboundedStore& store = rules.unbounded.front();
  return base::UsageError(absl::StrCat(verb.pipeline, ": store ", store.name, " ", store.why, ", which cannot be rebuilt from the middle of "
                                       "the input; use --from earliest"));
}

void Show(const processor::ReplayPlan& plan, const std::string& live, const LoadedPipeline& replay, bool dry_run) {
  const std::string& id = plan.application_id;
  if (plan.prepared_before) {
    std::cout << id << " was prepared before and goes on from where it is; --from has no effect now" << std::endl;
    return;
  }
  const char* const prefix = dry_run ? "would " : "";
  std::cout << (dry_run ? "replay " : "prepared ") << id << " of " << live << "\n";
  for (const std::string& notice : plan.notices) std::cout << "note: " << notice << "\n";
  for (const std::string& topic : plan.leftovers) std::cout << prefix << "delete topic " << topic << " of a preparation that did not end\n";
  for (const std::string& topic : plan.topics) std::cout << prefix << "create topic " << topic << "\n";
  for (const processor::ReplayPlan::Start& start : plan.starts)
    std::cout << prefix << "read " << start.partition.ToString() << " from offset " << start.offset.value() << " of " << start.end.value() << "\n";
  if (!dry_run) std::cout << "copied " << plan.copied_records << " changes of closed windows\n";
  for (const pipeline::SinkSpec& sink : replay.spec.AllSinks()) std::cout << prefix << "write to topic " << sink.topic << "\n";
  std::cout.flush();
}

// What is prepared, or was before, and where it ends.
struct Prepared {
  processor::ReplayPlan plan;
  std::map<base::TopicPartition, base::Offset> ends;  // empty: it goes on
};

// Where the records of `to_ms` and later begin.
absl::StatusOr<std::map<base::TopicPartition, base::Offset>> EndsAt(int64_t to_ms, const pipeline::PipelineSpec& spec, kafka::Admin& admin) {
  std::map<base::TopicPartition, base::Offset> ends;
  for (const pipeline::SourceSpec& source : spec.AllSources()) {
    TAILRACE_ASSIGN_OR_RETURN(const auto topic, admin.DescribeTopic(source.topic, kCallTimeoutMs));
    if (!topic.has_value()) return absl::NotFoundError(absl::StrCat("source topic ", source.topic, " does not exist"));
    for (int32_t p = 0; p < topic->partition_count; ++p) {
      const base::TopicPartition partition{source.topic, base::Partition(p)};
      TAILRACE_ASSIGN_OR_RETURN(ends[partition], admin.OffsetForTime(partition, to_ms, kCallTimeoutMs));
    }
  }
  return ends;
}

absl::StatusOr<std::optional<int64_t>> ParseTo(const ReplayVerb& verb, std::optional<int64_t> from_ms, int64_t now_ms) {
  if (verb.to.empty()) return std::optional<int64_t>();
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<int64_t> to_ms, pipeline::ParseReplayTime(verb.to, now_ms, "--to"));
  if (!to_ms.has_value() || (from_ms.has_value() && *to_ms <= *from_ms))
    return base::UsageError(absl::StrCat("--to ", verb.to, " is not after --from ", verb.from));
  return to_ms;
}

// The log is closed again: the worker opens it.
absl::StatusOr<Prepared> Prepare(const ReplayVerb& verb) {
  TAILRACE_ASSIGN_OR_RETURN(const LoadedPipeline live, LoadPipelineAndConfig(verb.pipeline, verb.config));
  const std::string live_id = live.config.String("application.id");
  TAILRACE_ASSIGN_OR_RETURN(processor::ApplicationId id, processor::ParseApplicationId(live_id));
  const int64_t now_ms = base::SystemClock().WallMs();
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<int64_t> from_ms, pipeline::ParseReplayTime(verb.from, now_ms));
  TAILRACE_ASSIGN_OR_RETURN(const std::optional<int64_t> to_ms, ParseTo(verb, from_ms, now_ms));
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::ReplayRules rules, pipeline::ReplayRulesOf(live.spec));
  if (from_ms.has_value()) TAILRACE_RETURN_IF_ERROR(CheckRules(verb, rules));

  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(live.config));
  id.number = verb.number;
  if (id.number == 0) {
    TAILRACE_ASSIGN_OR_RETURN(const int greatest, processor::GreatestReplay(*cluster, id.name));
    id.number = greatest + 1;
  }
  TAILRACE_ASSIGN_OR_RETURN(const LoadedPipeline replay, LoadAs(verb, id.ToString()));
  TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, pipeline::CompilePipeline(replay.spec));
  processor::ReplayOptions options{.live = live_id, .number = id.number, .config = replay.config, .from_ms = from_ms, .windows = {},
                                   .check_values = true, .outputs = {}, .dry_run = verb.dry_run};
  for (const pipeline::WindowedStore& store : rules.windows)
    options.windows.push_back({store.name, store.size_ms, store.grace_ms, store.advance_ms});
  const std::string suffix = processor::ReplayTopic("", id.number);
  for (const pipeline::SinkSpec& sink : replay.spec.AllSinks())
    options.outputs.emplace(sink.topic, sink.topic.substr(0, sink.topic.size() - suffix.size()));
  Prepared prepared;
  TAILRACE_ASSIGN_OR_RETURN(prepared.plan, processor::PrepareReplay(topology, options, *cluster));
  if (to_ms.has_value()) {
    TAILRACE_ASSIGN_OR_RETURN(prepared.ends, EndsAt(*to_ms, replay.spec, cluster->admin()));
  }
  Show(prepared.plan, live_id, replay, verb.dry_run);
  if (verb.dry_run)
    for (const auto& [partition, end] : prepared.ends) std::cout << "would end at offset " << end.value() << " of " << partition.ToString() << "\n";
  return prepared;
}

// How far it is, on standard error: a bar for a person, now and then a line for a file.
class Progress {
 public:
  explicit Progress(const processor::CatchUp& catch_up) : catch_up_(catch_up), bar_(isatty(STDERR_FILENO) != 0) {}

  void Tell() {
    const int64_t behind = catch_up_.behind();
    const int64_t now_ms = base::SystemClock().SteadyMs();
    if (behind < 0) return;
    if (first_behind_ < 0) {
      first_behind_ = behind;
      first_ms_ = now_ms;
    }
    if (!bar_ && now_ms < next_line_ms_) return;
    next_line_ms_ = now_ms + kLineIntervalMs;
    std::string text = absl::StrCat(behind, " records behind");
    const int64_t done = first_behind_ - behind;
    if (done > 0 && behind > 0)
      absl::StrAppend(&text, ", about ", base::FormatDurationMs((now_ms - first_ms_) * behind / done / 1'000 * 1'000), " left");
    if (bar_) {
      const auto filled = static_cast<size_t>(first_behind_ <= 0 ? kBarWidth : std::clamp<int64_t>(done * kBarWidth / first_behind_, 0, kBarWidth));
      std::cerr << "\r[" << std::string(filled, '#') << std::string(kBarWidth - filled, '.') << "] " << text << "\x1b[K" << std::flush;
    } else {
      std::cerr << text << std::endl;
    }
  }

  void End() {
    if (bar_) std::cerr << "\r\x1b[K" << std::flush;
  }

 private:
  const processor::CatchUp& catch_up_;
  const bool bar_;
  int64_t first_behind_ = -1;
  int64_t first_ms_ = 0;
  int64_t next_line_ms_ = 0;
};

absl::Status RunReplay(const ReplayVerb& verb) {
  ShutdownSignals signals;
  TAILRACE_ASSIGN_OR_RETURN(const Prepared prepared, Prepare(verb));
  const std::string& id = prepared.plan.application_id;
  if (verb.dry_run) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(LoadedPipeline loaded, LoadAs(verb, id));
  std::vector<LoadedPipeline> pipelines;
  pipelines.push_back(std::move(loaded));
  WorkerProcess worker(std::move(pipelines), prepared.ends);
  TAILRACE_RETURN_IF_ERROR(worker.Start());
  Progress progress(*worker.catch_up());
  bool said = false;
  while (!signals.Wait(kHealthCheckMs)) {
    if (absl::Status status = worker.status(); !status.ok()) {
      (void)worker.Stop();  // the reason is what counts
      return status;
    }
    if (said) continue;
    progress.Tell();
    if (!worker.catch_up()->caught_up()) continue;
    said = true;
    progress.End();
    if (!prepared.ends.empty()) {
      TAILRACE_RETURN_IF_ERROR(worker.Stop());
      std::cout << "done: " << id << " has the results up to " << verb.to << ", and the gateway goes on as before\n"
                << "tailrace worker " << verb.pipeline << " --set application.id=" << id << " goes on from there" << std::endl;
      return absl::OkStatus();
    }
    std::cout << "caught up: the gateway answers from " << id << " now" << std::endl;
  }
  if (!said) progress.End();
  base::LogInfo("cli", "draining");
  return worker.Stop();
}

}  // namespace

void AddReplay(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReplayVerb>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("replay", "Rebuilds results from the log while live work goes on, then goes on as a worker");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipeline, "Pipeline file")->required()->check(CLI::ExistingFile);
  verb->add_option("--from", options->from, "What ends after this time is rebuilt: RFC 3339, -1h for an hour ago, or earliest")->required();
  verb->add_option("--to", options->to, "Ends before the records of this time, without a cut-over; otherwise it goes on");
  verb->add_option("--number", options->number, "Of the replay, N in <application.id>@N; the next free one by default, one that was prepared goes on")
      ->check(CLI::Range(1, 999'999));
  verb->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  verb->callback([options, &action] { action.run = [options] { return RunReplay(*options); }; });
}

}  // namespace tailrace::cli
