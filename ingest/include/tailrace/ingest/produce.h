// Files of events in any layout, written to a topic as canonical records with their canonical keys (pipeline/canonical.h).
//
// One event or frame a line, or a row of CSV. Files, folders and URLs are what pipeline/byte_source.h reads, gzip included. Pipes
// and standard input are followed, as lines that are not packed, until their writers close them. Bad lines are counted by reason
// and stop nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/pipeline/skip_reason.h"

namespace tailrace::ingest {

struct ProduceOptions {
  std::string topic;
  std::vector<std::string> inputs;  // files, folders and URLs in this order; "-" is standard input
  std::string format = "post";
  int64_t future_skew_ms = base::limits::kFutureSkewMaxMs;  // events later than now by more than this are skipped
  int give_up_ms = base::limits::kLogGiveUpMs;
  const base::Clock* clock = &base::SystemClock();
};

struct ProducedBadLine {
  std::string file;
  int64_t line = 0;
  pipeline::SkipReason reason = pipeline::SkipReason::kNone;
  std::string field;
};

struct ProduceSummary {
  int64_t lines = 0;
  int64_t records = 0;            // delivered
  int64_t refused = 0;            // too large for the log
  pipeline::ReasonCounts counts;  // events and skipped lines by reason
  std::vector<ProducedBadLine> bad_lines;  // the first limits::kBadLinesShownMax unexpected ones
  bool stopped = false;           // before the end of the input
};

// "1000 lines, 990 records; skipped: malformed_json 10", with the bad lines below.
std::string DescribeProduce(const ProduceSummary& summary);

// Returns when all records are delivered, or soon after a stop. Errors: those of TopicWriter; kNotFound for a file that
// cannot be read; kInvalidArgument for an unknown format.
absl::StatusOr<ProduceSummary> ProduceFiles(kafka::Cluster& cluster, const ProduceOptions& options, const StopSignal& stop);

}  // namespace tailrace::ingest
