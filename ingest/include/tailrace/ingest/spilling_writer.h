// A sink whose records outlive the log: they are on disk before they are sent, and stay there until the log has them.
//
// While the log is down they gather, within a bound; when it is back they are sent in order, none lost, none doubled. The
// same holds when this process ends in between, killed or not: the next one that opens the folder goes on.
//
//   TAILRACE_ASSIGN_OR_RETURN(auto writer, SpillingWriter::Open(*cluster, {.directory = "spill/posts", .topic = "posts"}));
//   TAILRACE_RETURN_IF_ERROR(writer->Write(key, value, timestamp_ms));   // on disk
//   TAILRACE_RETURN_IF_ERROR(writer->Drain(5'000));                      // in the log, or kept for the next start
//
// Errors: kResourceExhausted at the bound, naming folder and setting; kNotFound for a missing topic, with the command that
// makes it; kFailedPrecondition while another process uses the folder. A log that does not answer is no error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tailrace/base/clock.h"
#include "tailrace/base/ingest_limits.h"
#include "tailrace/base/metrics.h"
#include "tailrace/ingest/record_sink.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

struct SpillOptions {
  std::string directory;
  std::string topic;
  int64_t bytes_max = base::limits::kSpillBytesDefault;
  std::string client_id = "tailrace-ingest";
  base::MetricsRegistry* metrics = nullptr;
  const base::Clock* clock = &base::SystemClock();
};

// Write, Idle, Finish and Drain are for one thread; the numbers for any. It runs a thread of its own that sends.
// Lifetime: cluster, metrics and clock outlive it. Its end drops nothing: what was not sent stays on disk.
class SpillingWriter : public RecordSink {
 public:
  // Asks the log for the topic, and goes on without an answer.
  static absl::StatusOr<std::unique_ptr<SpillingWriter>> Open(kafka::Cluster& cluster, const SpillOptions& options);
  ~SpillingWriter() override = default;

  // In the log within that time: OK. Otherwise kUnavailable, saying how many records wait and where.
  virtual absl::Status Drain(int timeout_ms) = 0;
  // Waits like Drain, for room instead: OK once less than half of the bound is in use, or the time is over.
  virtual void WaitForRoom(int timeout_ms) = 0;

  // Sends nothing more. Its end, which waits for its thread, then takes less long.
  virtual void StopSending() = 0;

  // Records that were taken, by this process.
  virtual int64_t records() const = 0;
  // Records that the log refuses for their size.
  virtual int64_t refused() const = 0;
  // Records and bytes on disk that the log has not taken yet.
  virtual int64_t pending_records() const = 0;
  virtual int64_t pending_bytes() const = 0;
};

}  // namespace tailrace::ingest
