#include "tailrace/ingest/generate.h"

#include "tailrace/ingest/pacer.h"

namespace tailrace::ingest {
namespace {

constexpr int64_t kProgressMs = 1'000;
// Records between two looks at clock and stop signal.
constexpr int64_t kRecordsPerLook = 256;

}  // namespace

absl::StatusOr<GenerateSummary> Generate(RecordSource& source, RecordSink& sink, const GenerateOptions& options,
                                         const StopSignal& stop) {
  const base::Clock& clock = *options.clock;
  Pacer pacer(options.pace, clock, [&](int64_t ns) { return !stop.WaitNs(ns); }, options.history_ms * 1'000'000);
  GenerateSummary summary;
  const int64_t start_ns = clock.SteadyNs();
  const auto seconds = [&] { return static_cast<double>(clock.SteadyNs() - start_ns) / 1e9; };
  int64_t next_progress_ms = clock.SteadyMs() + kProgressMs;
  for (int64_t index = 0; !options.count || index < *options.count; ++index) {
    const bool resting = pacer.IsAhead(index);
    if (resting || index % kRecordsPerLook == 0) {
      if (resting) TAILRACE_RETURN_IF_ERROR(sink.Idle());
      if (stop.requested() || !pacer.WaitFor(index)) {
        summary.stopped = true;
        break;
      }
      if (options.on_progress && clock.SteadyMs() >= next_progress_ms) {
        next_progress_ms = clock.SteadyMs() + kProgressMs;
        summary.seconds = seconds();
        options.on_progress(summary);
      }
    }
    const GeneratedRecord& record = source.Next();
    TAILRACE_RETURN_IF_ERROR(sink.Write(record.key, record.value, record.timestamp_ms));
    source.Accepted();
    ++summary.records;
    summary.malformed += record.malformed ? 1 : 0;
    summary.late += record.late ? 1 : 0;
  }
  TAILRACE_RETURN_IF_ERROR(sink.Finish());
  summary.seconds = seconds();
  return summary;
}

}  // namespace tailrace::ingest
