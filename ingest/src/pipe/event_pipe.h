// From what a source says to a record in a topic: read by a format, filtered, keyed, written in canonical form.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pipe/place_filter.h"
#include "pipe/seen_posts.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/metrics.h"
#include "tailrace/ingest/record_sink.h"
#include "tailrace/pipeline/canonical.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::ingest {

struct EventPipeOptions {
  std::string source;  // label of its metrics: the connector
  std::string format;
  PlaceFilterOptions places;
  // Posts whose id was among the last so many are dropped; 0: none are remembered.
  size_t seen_posts = 0;
  base::MetricsRegistry* metrics = nullptr;
  const base::Clock* clock = &base::SystemClock();
};

// Not thread-safe, but for its metrics. Lifetime: sink, metrics and clock outlive it.
class EventPipe {
 public:
  // Errors: usage for an unknown format, one without a canonical form, or a filter by place for what has none.
  static absl::Status Check(const EventPipeOptions& options) { return WriterFor(options).status(); }
  static absl::StatusOr<std::unique_ptr<EventPipe>> Make(const EventPipeOptions& options, RecordSink& sink);

  // One line, frame or object. Bad ones are counted by reason; errors are those of the sink.
  absl::Status Take(std::string_view piece);
  // Counts something that gave no event for a reason that the format does not know.
  void Skip(const char* reason);

  int64_t records() const { return records_; }
  // "malformed_json 2, other_country 7"; empty when nothing was skipped.
  std::string DescribeSkipped() const;

 private:
  static absl::StatusOr<pipeline::CanonicalWriter> WriterFor(const EventPipeOptions& options);
  EventPipe(const EventPipeOptions& options, const pipeline::Format& format, pipeline::CanonicalWriter writer, RecordSink& sink);
  absl::Status TakeEvent(pipeline::Event event, std::string_view piece, int64_t now_ms);

  const EventPipeOptions options_;
  const pipeline::CanonicalWriter writer_;
  const bool posts_;
  const std::unique_ptr<pipeline::EventReader> reader_;
  const PlaceFilter filter_;
  RecordSink& sink_;
  std::optional<SeenPosts> seen_;
  std::string json_;
  int64_t records_ = 0;
  std::map<std::string, int64_t, std::less<>> skipped_;
  std::map<std::string, std::shared_ptr<base::Counter>, std::less<>> counters_;  // shared with the registry
};

}  // namespace tailrace::ingest
