// From a topic to files: in a folder of this machine, or in HDFS over WebHDFS.
//
//   orders/0/00000000000000000000-00000000000000004095.jsonl.gz
//   orders/0/00000000000000004096-00000000000000007311.jsonl.gz
//
// Each file holds a range of offsets of one partition, which its name says, and appears whole or not at all: it is written
// under another name and renamed. So the names are all there is to remember. An export that starts looks at them, deletes
// what an earlier one left half written, and goes on after the last offset: every committed record is in exactly one file, also
// when an export was killed. Between two files offsets are missing only where the topic had deleted the records before they
// were exported. Keep the newest file of each partition where it is; older ones may be moved away.
//
//   ingest::StopSignal stop;
//   TAILRACE_ASSIGN_OR_RETURN(const ExportSummary summary,
//                             ExportTopic(*cluster, {.topic = "orders", .target = "webhdfs://etl@namenode:9870/data"}, stop));
//   std::cerr << DescribeExport(summary);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/limits.h"
#include "tailrace/base/status.h"
#include "tailrace/ingest/stop_signal.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

enum class ExportFormat { kJsonLines, kCsv };

// What the bytes of a key are: text, or a key of Kafka Streams with the window behind it.
struct ExportKey {
  enum class Kind { kPlain, kWindowed, kSession };
  Kind kind = Kind::kPlain;
  int64_t window_size_ms = 0;  // of kWindowed, whose keys have only the start
};

// "text", "windowed:SIZE" (as 5m, or milliseconds), "session". kInvalidArgument for anything else.
absl::StatusOr<ExportKey> ParseExportKey(std::string_view text);

struct ExportProgress {
  int64_t records = 0;  // read, by this run
  int64_t files = 0;    // finished, by this run
  int64_t bytes = 0;    // of these files
  int64_t behind = 0;   // offsets that are still to be read, as far as is known
};

struct ExportOptions {
  std::string topic;
  // A folder, file:///folder, webhdfs://[user@]host[:port][,host[:port]...]/folder, or the same with webhdfss:// for TLS. Several
  // hosts are name nodes of which one is active.
  std::string target;
  ExportFormat format = ExportFormat::kJsonLines;
  bool gzip = false;
  bool follow = false;  // go on at the ends that the partitions have at the start
  ExportKey key = {};
  // A file is finished when it has so many bytes, or is so old. Small files come soon; large ones suit HDFS.
  int64_t file_bytes = base::limits::kExportFileBytesDefault;
  int64_t file_ms = base::limits::kExportFileMsDefault;
  std::string ca_file;  // certificates to trust instead of the system's, for webhdfss
  // Of a target, or log, that does not answer.
  int64_t retry_ms = base::limits::kExportRetryMs;
  int64_t give_up_ms = base::limits::kExportGiveUpMs;
  std::function<void(const ExportProgress&)> on_progress = {};  // now and then
};

struct ExportSummary {
  int64_t records = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t leftovers = 0;        // half-written files that were deleted
  int64_t gaps = 0;             // places where the topic had deleted records before they were exported
  int64_t missing_offsets = 0;  // and how many offsets that were
  bool stopped = false;         // before the end; what is in no file yet is read again by the next export
};

// "1000 records in 4 files (52100 bytes)", and what else there was.
std::string DescribeExport(const ExportSummary& summary);

// Runs in the calling thread, until the ends of the partitions or a stop. One export of a topic to a target at a time: a
// folder is locked, and on HDFS the next start refuses files that overlap.
//
// Errors: usage for a target; kNotFound for a missing topic; kFailedPrecondition, when the target has offsets that the topic does
// not have (it was made anew), files that overlap, or a lock; kPermissionDenied and kUnavailable of the target, naming target,
// path and answer; those of the log. After any of them the same command goes on where it was.
// Lifetime: cluster and stop signal outlive the call.
absl::StatusOr<ExportSummary> ExportTopic(kafka::Cluster& cluster, const ExportOptions& options, const StopSignal& stop);

}  // namespace tailrace::ingest
