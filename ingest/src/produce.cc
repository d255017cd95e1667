#include "tailrace/ingest/produce.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "stream_lines.h"
#include "tailrace/base/nearest.h"
#include "tailrace/ingest/topic_writer.h"
#include "tailrace/pipeline/byte_source.h"
#include "tailrace/pipeline/canonical.h"
#include "tailrace/pipeline/event_lines.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::ingest {
namespace {

using pipeline::SkipReason;

// Lines of a file between two looks at the clock and at what the log has confirmed.
constexpr int64_t kLinesPerLook = 1'000;

// Pipes, terminals and standard input give their lines when they are there; files, folders and URLs are read in blocks.
bool IsFollowed(const std::string& name) {
  if (name == "-") return true;
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(name, error).type();
  return type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::character ||
         type == std::filesystem::file_type::socket;
}

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
        layout_(layout),
        canonical_(canonical),
        writer_(writer),
        reader_(layout.NewReader(canonical.fields(), canonical.reader_options())) {}

  absl::StatusOr<ProduceSummary> Run() {
    for (const std::string& input : options_.inputs) {
      const absl::Status status = IsFollowed(input) ? Follow(input) : ReadAll(input);
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
  absl::Status Follow(const std::string& name) {
    TAILRACE_ASSIGN_OR_RETURN(StreamFile file, StreamFile::Open(name, StreamFile::Mode::kRead, stop_));
    file_ = file.name();
    line_ = 0;
    StreamLines lines(std::move(file), stop_);
    std::string_view line;
    for (;;) {
      if (lines.IsDrained()) {
        // Here it may have to wait for the writer of a pipe; a block of lines is short enough to be finished first.
        TAILRACE_RETURN_IF_ERROR(Look());
      }
      TAILRACE_ASSIGN_OR_RETURN(const bool more, lines.Next(line));
      if (!more) return absl::OkStatus();
      ++line_;
      ++summary_.lines;
      TAILRACE_RETURN_IF_ERROR(Convert(line));
    }
  }

  absl::Status ReadAll(const std::string& input) {
    TAILRACE_ASSIGN_OR_RETURN(const std::vector<std::string> names, pipeline::ExpandInputs({input}));
    for (const std::string& name : names) {
      TAILRACE_ASSIGN_OR_RETURN(auto source, pipeline::OpenInput(name, {.cancelled = [this] { return stop_.requested(); }}));
      file_ = source->name();
      pipeline::EventLines lines(pipeline::LineReader(std::move(source)), layout_);
      std::string_view piece;
      for (int64_t pieces = 0;; ++pieces) {
        if (pieces % kLinesPerLook == 0) TAILRACE_RETURN_IF_ERROR(Look());
        TAILRACE_ASSIGN_OR_RETURN(const bool more, lines.Next(piece));
        if (!more) break;
        line_ = lines.line_number();
        ++summary_.lines;
        TAILRACE_RETURN_IF_ERROR(Convert(piece));
      }
    }
    return absl::OkStatus();
  }

  // What is done now and then: a stop, deliveries that failed, and the time.
  absl::Status Look() {
    if (stop_.requested()) return absl::CancelledError();
    TAILRACE_RETURN_IF_ERROR(writer_.Idle());
    now_ms_ = options_.clock->WallMs();
    reader_->SetTimestampMax(now_ms_ + options_.future_skew_ms);
    return absl::OkStatus();
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
  const pipeline::Format& layout_;
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
