// Moves records from a generator to a sink, paced or as fast as it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/record_sink.h"
#include "tailrace/ingest/record_source.h"
#include "tailrace/ingest/stop_signal.h"

namespace tailrace::ingest {

struct GenerateSummary {
  int64_t records = 0;
  int64_t malformed = 0;
  int64_t late = 0;
  double seconds = 0;
  bool stopped = false;  // before `count` was reached
};

struct GenerateOptions {
  std::optional<int64_t> count;  // none: until stopped
  int64_t pace = 0;              // records per second of real time; 0: as fast as it goes
  int64_t history_ms = 0;        // the pace began so long ago: what is due since then goes as fast as it can
  // Called about once a second.
  std::function<void(const GenerateSummary&)> on_progress;
  const base::Clock* clock = &base::SystemClock();
};

// Returns when all records have arrived. A stop ends it early and is no error, unless the sink lost something by it.
absl::StatusOr<GenerateSummary> Generate(RecordSource& source, RecordSink& sink, const GenerateOptions& options,
                                         const StopSignal& stop);

}  // namespace tailrace::ingest
