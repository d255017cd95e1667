#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "compile/build_topology.h"
#include "spec/check.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"
#include "tailrace/pipeline/batch.h"
#include "tailrace/pipeline/byte_source.h"
#include "tailrace/pipeline/event_lines.h"
#include "tailrace/pipeline/format.h"
#include "tailrace/base/json_text.h"
#include "tailrace/pipeline/timestamps.h"
#include "tailrace/processor/topology_test_driver.h"

namespace tailrace::pipeline {
namespace {

constexpr int64_t kLinesPerProgress = 10'000;

// An input of the run: which source its lines stand for, and where they are.
struct Input {
  SourceSpec source;
  std::string name;
};

// FILE, or TOPIC=FILE, which must be said where the pipeline has several sources.
absl::StatusOr<Input> InputOf(const PipelineSpec& pipeline, const std::string& text) {
  const std::vector<SourceSpec> sources = pipeline.AllSources();
  for (const SourceSpec& source : sources) {
    if (text.size() > source.topic.size() && text.starts_with(source.topic) && text[source.topic.size()] == '=') {
      return Input{.source = source, .name = text.substr(source.topic.size() + 1)};
    }
  }
  if (sources.size() == 1) return Input{.source = sources[0], .name = text};
  return base::UsageError(absl::StrCat("pipeline ", pipeline.file, " has ", sources.size(), " sources: write --input TOPIC=FILE with topic ",
                                       absl::StrJoin(sources, " or ", [](std::string* out, const SourceSpec& s) { out->append(s.topic); }),
                                       " in front of ", text));
}

// The pipeline with another format at its only source, checked again.
absl::StatusOr<PipelineSpec> WithFormat(PipelineSpec pipeline, const std::string& format_name) {
  if (!format_name.empty() && pipeline.AllSources().size() != 1) {
    return base::UsageError(absl::StrCat("pipeline ", pipeline.file, " has ", pipeline.AllSources().size(),
                                         " sources; another format can be said of one only"));
  }
  if (format_name.empty() || format_name == pipeline.sources[0].format) return pipeline;
  spec::Problems problems(pipeline.file);
  const Format* format = FindFormat(format_name);
  if (format == nullptr) {
    problems.AddUnknown({}, "format", format_name, FormatNames());
    return problems.ToStatus();
  }
  SourceSpec& source = pipeline.sources[0];
  source.format = format_name;
  const FieldInfo* timestamp = format->FindField(source.timestamp.name);
  if (!source.processing_time && (timestamp == nullptr || !timestamp->is_timestamp)) source.timestamp.name = format->default_timestamp();
  spec::CheckPipeline(pipeline, true, problems);
  TAILRACE_RETURN_IF_ERROR(problems.ToStatus());
  return pipeline;
}

// The pipeline with no other result than that of the store.
absl::StatusOr<PipelineSpec> OnlyStore(const PipelineSpec& pipeline, const std::string& store) {
  const std::vector<std::string> stores = pipeline.StoreNames();
  if (stores.empty()) {
    return base::UsageError(absl::StrCat("pipeline ", pipeline.file, " has no aggregate, so a batch run has nothing to write"));
  }
  if (store.empty() && stores.size() > 1) {
    return base::UsageError(absl::StrCat("pipeline ", pipeline.file, " has several stores: ", absl::StrJoin(stores, ", "),
                                         "; choose one with --store"));
  }
  if (!store.empty() && std::find(stores.begin(), stores.end(), store) == stores.end()) {
    return base::UsageError(absl::StrCat("pipeline ", pipeline.file, " has no store ", store, "; it has ", absl::StrJoin(stores, ", ")));
  }
  for (size_t branch = 0; branch < pipeline.branches.size(); ++branch) {
    PipelineSpec only = pipeline.OnlyBranch(branch);
    const std::vector<std::string> result = only.StoreNames();
    if (!result.empty() && (store.empty() || result.front() == store)) return only;
  }
  return pipeline;
}

class BatchRun {
 public:
  BatchRun(const PipelineSpec& pipeline, const BatchOptions& options, std::ostream& out)
      : pipeline_(pipeline), options_(options), out_(out), store_(pipeline.StoreNames().front()), window_(pipeline.Find<WindowStep>()) {}

  absl::StatusOr<BatchSummary> Run() {
    const base::Clock& clock = options_.clock != nullptr ? *options_.clock : base::SystemClock();
    compile::BuildOptions build{.batch = true, .event_count = &event_count_, .timestamp_max_ms = clock.WallMs() + options_.future_skew_ms};
    build.public_options.on_skip = [this](const SkippedInput& skipped) { OnSkip(skipped); };
    const bool updates = options_.output == BatchOptions::Output::kUpdates;
    if (updates) {
      build.on_update = [this](std::string_view key, int64_t start_ms, std::string_view state) { WriteRow(key, start_ms, state); };
    }
    TAILRACE_ASSIGN_OR_RETURN(compile::BuiltPipeline built, compile::BuildTopology(pipeline_, build));
    schema_ = built.schema;
    TAILRACE_ASSIGN_OR_RETURN(
        driver_, processor::TopologyTestDriver::Create(
                     std::move(built.topology),
                     {.application_id = pipeline_.application_id, .wall_time_ms = clock.WallMs(), .caching = !updates,
                      .commit_every_record = false}));
    for (const std::string& text : options_.inputs) {
      TAILRACE_ASSIGN_OR_RETURN(const Input input, InputOf(pipeline_, text));
      TAILRACE_ASSIGN_OR_RETURN(const std::vector<std::string> names, ExpandInputs({input.name}));
      for (const std::string& name : names) TAILRACE_RETURN_IF_ERROR(ReadInput(name, input.source));
    }
    TAILRACE_RETURN_IF_ERROR(driver_->Commit());
    if (!updates) TAILRACE_RETURN_IF_ERROR(WriteFinal());
    if (out_.flush(); !out_) {
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss, "the output could not be written; is the disk full?");
    }
    const std::map<std::string, int64_t> dropped = driver_->Dropped();
    const auto dropped_for = [&](processor::detail::DropReason reason) {
      const auto found = dropped.find(std::string(processor::detail::DropReasonName(reason)));
      return found == dropped.end() ? 0 : found->second;
    };
    summary_.dropped_late = dropped_for(processor::detail::DropReason::kLate);
    summary_.dropped_null_key = dropped_for(processor::detail::DropReason::kNullKey);
    return std::move(summary_);
  }

 private:
  absl::Status ReadInput(const std::string& name, const SourceSpec& spec) {
    TAILRACE_ASSIGN_OR_RETURN(auto source, OpenInput(name));
    file_ = source->name();
    EventLines lines(LineReader(std::move(source)), *FindFormat(spec.format));
    int64_t pieces = 0;
    std::string_view line;
    for (;;) {
      TAILRACE_ASSIGN_OR_RETURN(const bool more, lines.Next(line));
      if (!more) break;
      line_number_ = lines.line_number();
      ++summary_.lines;
      TAILRACE_RETURN_IF_ERROR(driver_->Pipe(spec.topic, {}, line, 0));
      for (; event_count_ > 0; --event_count_) summary_.counts.Add(SkipReason::kNone);
      ++pieces;
      if (options_.on_progress && pieces % kLinesPerProgress == 0) Progress(lines.reader());
    }
    if (options_.on_progress) Progress(lines.reader());
    return absl::OkStatus();
  }

  void Progress(const LineReader& reader) { options_.on_progress(reader.bytes_read(), reader.bytes_total()); }

  void OnSkip(const SkippedInput& skipped) {
    summary_.counts.Add(skipped.reason);
    if (IsExpected(skipped.reason) || static_cast<int64_t>(summary_.bad_lines.size()) >= base::limits::kBadLinesShownMax) return;
    summary_.bad_lines.push_back({.file = file_, .line = line_number_, .reason = skipped.reason, .field = std::string(skipped.field)});
  }

  absl::Status WriteFinal() {
    const auto view = driver_->Store(store_);
    const auto write = [&](const state::Row& row) {
      WriteRow(row.key, row.window_start_ms, row.value);
      return true;
    };
    if (window_ != nullptr) return view->FetchAll(store_, 0, INT64_MAX, std::nullopt, write);
    return view->Range(store_, std::nullopt, std::nullopt, std::nullopt, write);
  }

  void WriteRow(std::string_view key, int64_t start_ms, std::string_view state) {
    row_ = "{\"store\":";
    base::AppendJsonString(row_, store_);
    row_ += ",\"key\":";
    base::AppendJsonString(row_, key);
    if (window_ != nullptr) {
      row_ += ",\"window\":{\"start\":\"";
      AppendTimestamp(row_, start_ms);
      row_ += "\",\"end\":\"";
      AppendTimestamp(row_, start_ms + window_->size_ms);
      row_ += "\"}";
    }
    row_ += ",\"value\":";
    const std::optional<std::string> value = schema_->ValueToJson(state);
    TAILRACE_CHECK(value.has_value(), "the schema reads what the run has written");
    row_ += *value;
    row_ += "}\n";
    out_.write(row_.data(), static_cast<std::streamsize>(row_.size()));
    ++summary_.rows;
  }

  const PipelineSpec& pipeline_;
  const BatchOptions& options_;
  std::ostream& out_;
  const std::string store_;  // of the result
  const WindowStep* const window_;
  std::shared_ptr<const state::ValueSchema> schema_;  // shared with the topology
  std::unique_ptr<processor::TopologyTestDriver> driver_;
  BatchSummary summary_;
  std::string file_;
  int64_t line_number_ = 0;
  int64_t event_count_ = 0;  // events of the line that is being read
  std::string row_;
};

}  // namespace

absl::StatusOr<BatchSummary> RunBatch(const PipelineSpec& pipeline, const BatchOptions& options, std::ostream& out) {
  TAILRACE_ASSIGN_OR_RETURN(const PipelineSpec only, OnlyStore(pipeline, options.store));
  TAILRACE_ASSIGN_OR_RETURN(const PipelineSpec effective, WithFormat(only, options.format));
  return BatchRun(effective, options, out).Run();
}

std::string DescribeBatch(const BatchSummary& summary) {
  std::string text = absl::StrCat(summary.lines, " lines, ", summary.counts.events(), " events, ", summary.rows, " rows written");
  if (const std::string skipped = summary.counts.Describe(); !skipped.empty()) absl::StrAppend(&text, "; skipped: ", skipped);
  if (summary.dropped_null_key > 0) absl::StrAppend(&text, "; without key: ", summary.dropped_null_key);
  if (summary.dropped_late > 0) absl::StrAppend(&text, "; too late: ", summary.dropped_late);
  text += '\n';
  for (const BadLine& bad : summary.bad_lines) {
    absl::StrAppend(&text, bad.file, ":", bad.line, ": ", std::string(SkipReasonName(bad.reason)),
                    bad.field.empty() ? "" : " at field " + bad.field, "\n");
  }
  return text;
}

}  // namespace tailrace::pipeline
