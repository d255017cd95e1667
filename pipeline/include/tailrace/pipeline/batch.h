// Batch runs: files in, one JSON object a line out, on the same operators as a worker.
//
// The whole input is one stream in the order of the files and their lines. Windows stay in memory until the end, whatever
// the pipeline's retention; late events are dropped by the pipeline's grace exactly as in a worker with one partition.
// The end of the input closes all windows.
//
//   {"store":"city-metrics","key":"Toronto, Ontario","window":{"start":"2026-01-01T00:00:00Z","end":"..."},"value":{...}}
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/pipeline/skip_reason.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline {

struct BatchOptions {
  enum class Output {
    kFinal,    // every window once, with its final value, by window start, then key
    kUpdates,  // every change of every window, in the order in which it happened
  };
  // Files, folders (their files by path), URLs and "-" for standard input, in this order; plain or gzip, lines of JSON or
  // rows of CSV (event_lines.h). TOPIC=FILE where the pipeline has several sources.
  std::vector<std::string> inputs;
  std::string format;               // empty: the pipeline's own
  Output output = Output::kFinal;
  std::string store;                // which result to write; empty: the pipeline's only one
  int64_t future_skew_ms = 86'400'000;  // events later than now by more than this are skipped
  // Null: the system's. Pipelines with processing time process everything at the time at which the run begins.
  const base::Clock* clock = nullptr;
  // Called now and then with the bytes read so far and in total (0 when unknown).
  std::function<void(int64_t done, int64_t total)> on_progress;
};

struct BadLine {
  std::string file;
  int64_t line = 0;
  SkipReason reason = SkipReason::kNone;
  std::string field;
};

struct BatchSummary {
  int64_t lines = 0;
  ReasonCounts counts;              // events and skipped lines by reason
  int64_t dropped_null_key = 0;     // events without a key
  int64_t dropped_late = 0;         // (event, window) pairs whose window was closed
  int64_t rows = 0;                 // lines written
  std::vector<BadLine> bad_lines;   // the first limits::kBadLinesShownMax unexpected ones
};

// "1,000 lines, 990 events, 12 rows written; skipped: ...": for the end of a run, with the bad lines below.
std::string DescribeBatch(const BatchSummary& summary);

// Errors: kNotFound for a file that cannot be read, kInvalidArgument for an unknown format or store or for an input of
// a pipeline with several sources that names none of them, kDataLoss when `out` fails.
absl::StatusOr<BatchSummary> RunBatch(const PipelineSpec& pipeline, const BatchOptions& options, std::ostream& out);

}  // namespace tailrace::pipeline
