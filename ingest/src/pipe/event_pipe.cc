#include "pipe/event_pipe.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/nearest.h"
#include "tailrace/pipeline/post.h"

namespace tailrace::ingest {

using pipeline::PostField;
using pipeline::SkipReason;

absl::StatusOr<pipeline::CanonicalWriter> EventPipe::WriterFor(const EventPipeOptions& options) {
  const pipeline::Format* format = pipeline::FindFormat(options.format);
  if (format == nullptr) {
    const std::vector<std::string_view> names = pipeline::FormatNames();
    const std::vector<std::string> allowed(names.begin(), names.end());
    return base::UsageError(absl::StrCat("no format is called ", options.format, "; there are ", absl::StrJoin(allowed, ", "),
                                         base::DidYouMean(options.format, names)));
  }
  std::optional<pipeline::CanonicalWriter> writer = pipeline::CanonicalWriter::For(*format);
  if (!writer) return base::UsageError(absl::StrCat("format ", options.format, " has no canonical form, so that it cannot be brought into a topic"));
  if (options.places.asks_for_places() && writer->format().name() != "post")
    return base::UsageError(absl::StrCat("ingest.boxes, ingest.countries, ingest.place.types and ingest.require.place are for posts; ", options.format,
                                         " has no places"));
  return *std::move(writer);
}

absl::StatusOr<std::unique_ptr<EventPipe>> EventPipe::Make(const EventPipeOptions& options, RecordSink& sink) {
  TAILRACE_ASSIGN_OR_RETURN(pipeline::CanonicalWriter writer, WriterFor(options));
  return std::unique_ptr<EventPipe>(new EventPipe(options, *pipeline::FindFormat(options.format), std::move(writer), sink));
}

EventPipe::EventPipe(const EventPipeOptions& options, const pipeline::Format& format, pipeline::CanonicalWriter writer, RecordSink& sink)
    : options_(options),
      writer_(std::move(writer)),
      posts_(writer_.format().name() == "post"),
      reader_(format.NewReader(writer_.fields(), writer_.reader_options())),
      filter_(options.places),
      sink_(sink) {
  if (posts_ && options_.seen_posts > 0) seen_.emplace(options_.seen_posts);
}

void EventPipe::Skip(const char* reason) {
  ++skipped_[reason];
  if (options_.metrics == nullptr) return;
  auto found = counters_.find(std::string_view(reason));
  if (found == counters_.end())
    found = counters_
                .emplace(reason, options_.metrics->GetCounter("tailrace_ingest_skipped_total", "What gave no record, by reason.",
                                                              {{"source", options_.source}, {"reason", reason}}))
                .first;
  found->second->Increment();
}

absl::Status EventPipe::Take(std::string_view piece) {
  const int64_t now_ms = options_.clock->WallMs();
  reader_->SetTimestampMax(now_ms + base::limits::kFutureSkewMaxMs);
  reader_->Start(piece);
  pipeline::ParseResult result;
  while (reader_->Next(result)) {
    if (result.reason != SkipReason::kNone) Skip(std::string(pipeline::SkipReasonName(result.reason)).c_str());
    else TAILRACE_RETURN_IF_ERROR(TakeEvent(result.event, piece, now_ms));
  }
  return absl::OkStatus();
}

absl::Status EventPipe::TakeEvent(pipeline::Event event, std::string_view piece, int64_t now_ms) {
  const std::optional<std::string_view> key = writer_.Key(event);
  std::string_view country;
  if (posts_) {
    const pipeline::FieldValue& code = event[static_cast<size_t>(PostField::kPlaceCountryCode)];
    if (code.type() == pipeline::FieldType::kText) country = code.text();
    if (const char* refusal = filter_.RefusalOf(event, piece); refusal != nullptr) {
      Skip(refusal);
      return absl::OkStatus();
    }
  }
  if (!filter_.IsMine(key.value_or(""), country)) {
    Skip("other_shard");
    return absl::OkStatus();
  }
  if (seen_) {
    const pipeline::FieldValue& id = event[static_cast<size_t>(PostField::kId)];
    if (id.type() == pipeline::FieldType::kText && !seen_->IsNew(id.text())) {
      Skip("repeated");
      return absl::OkStatus();
    }
  }
  json_.clear();
  writer_.Append(json_, event, now_ms);
  TAILRACE_RETURN_IF_ERROR(sink_.Write(key ? kafka::NullableBytes(*key) : kafka::NullableBytes(), json_, writer_.TimestampMs(event, now_ms)));
  ++records_;
  return absl::OkStatus();
}

std::string EventPipe::DescribeSkipped() const {
  return absl::StrJoin(skipped_, ", ", [](std::string* out, const auto& entry) { absl::StrAppend(out, entry.first, " ", entry.second); });
}

}  // namespace tailrace::ingest
