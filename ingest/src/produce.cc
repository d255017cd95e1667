#include "tailrace/ingest/produce.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "stream_lines.h"
#include "tailrace/base/nearest.h"
#include "tailrace/ingest/topic_writer.h"
#include "tailrace/pipeline/canonical.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::ingest {
namespace {

using pipeline::SkipReason;

absl::StatusOr<const pipeline::Format*> LayoutOf(const std::string& name) {
  if (const pipeline::Format* format = pipeline::FindFormat(name)) return format;
  const std::vector<std::string_view> names = pipeline::FormatNames();
  const std::vector<std::string> allowed(names.begin(), names.end());
  return base::UsageError(absl::StrCat("no format is called ", name, "; there are ", absl::StrJoin(allowed, ", "),
                                       base::DidYouMean(name, names)));
}

class Production {
 public:
  Production(const ProduceOptions& options, const StopSignal& stop, const pipeline::Format& layout,
             const pipeline::CanonicalWriter& canonical, TopicWriter& writer)
      : options_(options),
        stop_(stop),
        canonical_(canonical),
        writer_(writer),
        reader_(layout.NewReader(canonical.fields(), canonical.reader_options())) {}

  absl::StatusOr<ProduceSummary> Run() {
    for (const std::string& input : options_.inputs) {
      const absl::Status status = ReadFile(input);
      summary_.stopped = absl::IsCancelled(status);
      if (summary_.stopped) break;
      TAILRACE_RETURN_IF_ERROR(status);
    }
    TAILRACE_RETURN_IF_ERROR(writer_.Finish());
    summary_.records = writer_.records();
    summary_.refused = writer_.refused();
    return std::move(summary_);
  }

 private:
  absl::Status ReadFile(const std::string& name) {
    TAILRACE_ASSIGN_OR_RETURN(StreamFile file, StreamFile::Open(name, StreamFile::Mode::kRead, stop_));
    file_ = file.name();
    line_ = 0;
    StreamLines lines(std::move(file), stop_);
    std::string_view line;
    for (;;) {
      if (lines.IsDrained()) {
        // Here it may have to wait for the writer of a pipe; a block of lines is short enough to be finished first.
        if (stop_.requested()) return absl::CancelledError();
        TAILRACE_RETURN_IF_ERROR(writer_.Idle());
        now_ms_ = options_.clock->WallMs();
        reader_->SetTimestampMax(now_ms_ + options_.future_skew_ms);
      }
      TAILRACE_ASSIGN_OR_RETURN(const bool more, lines.Next(line));
      if (!more) return absl::OkStatus();
      ++line_;
      ++summary_.lines;
      TAILRACE_RETURN_IF_ERROR(Convert(line));
    }
  }

  absl::Status Convert(std::string_view line) {
    pipeline::ParseResult result;
    reader_->Start(line);
    while (reader_->Next(result)) {
      summary_.counts.Add(result.reason);
      if (result.reason == SkipReason::kNone) TAILRACE_RETURN_IF_ERROR(Send(result.event));
      else Report(result);
    }
    return absl::OkStatus();
  }

  absl::Status Send(pipeline::Event event) {
    const std::optional<std::string_view> key = canonical_.Key(event);
    json_.clear();
    canonical_.Append(json_, event, now_ms_);
    return writer_.Write(key ? kafka::NullableBytes(*key) : kafka::NullableBytes(), json_, canonical_.TimestampMs(event, now_ms_));
  }

  void Report(const pipeline::ParseResult& result) {
    if (pipeline::IsExpected(result.reason)) return;
    if (static_cast<int64_t>(summary_.bad_lines.size()) >= base::limits::kBadLinesShownMax) return;
    summary_.bad_lines.push_back({.file = file_, .line = line_, .reason = result.reason, .field = std::string(result.field)});
  }

  const ProduceOptions& options_;
  const StopSignal& stop_;
  const pipeline::CanonicalWriter& canonical_;
  TopicWriter& writer_;
  const std::unique_ptr<pipeline::EventReader> reader_;
  ProduceSummary summary_;
  std::string file_;
  int64_t line_ = 0;
  int64_t now_ms_ = 0;
  std::string json_;
};

}  // namespace

absl::StatusOr<ProduceSummary> ProduceFiles(kafka::Cluster& cluster, const ProduceOptions& options, const StopSignal& stop) {
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::Format* layout, LayoutOf(options.format));
  const auto canonical = pipeline::CanonicalWriter::For(*layout);
  if (!canonical) return base::UsageError(absl::StrCat("format ", options.format, " has no canonical form for topics"));
  TAILRACE_ASSIGN_OR_RETURN(
      const auto writer,
      TopicWriter::Open(cluster, {.topic = options.topic, .give_up_ms = options.give_up_ms, .clock = options.clock}, stop));
  return Production(options, stop, *layout, *canonical, *writer).Run();
}

std::string DescribeProduce(const ProduceSummary& summary) {
  std::string text = absl::StrCat(summary.lines, " lines, ", summary.records, " records");
  if (const std::string skipped = summary.counts.Describe(); !skipped.empty()) absl::StrAppend(&text, "; skipped: ", skipped);
  if (summary.refused > 0) absl::StrAppend(&text, "; too large for the log: ", summary.refused);
  if (summary.stopped) text += "; stopped before the end of the input";
  text += '\n';
  for (const ProducedBadLine& bad : summary.bad_lines)
    absl::StrAppend(&text, bad.file, ":", bad.line, ": ", std::string(pipeline::SkipReasonName(bad.reason)),
                    bad.field.empty() ? "" : " at field " + bad.field, "\n");
  return text;
}

}  // namespace tailrace::ingest
