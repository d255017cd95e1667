// Writes records to a topic: murmur2 of the key, flow control, retries within a bound.
//
//   TAILRACE_ASSIGN_OR_RETURN(auto writer, TopicWriter::Open(*cluster, {.topic = "posts"}, stop));
//   TAILRACE_RETURN_IF_ERROR(writer->Write(key, value, timestamp_ms));
//   TAILRACE_RETURN_IF_ERROR(writer->Finish());
//
// Errors: kNotFound for a missing topic, with the command that makes it; kUnavailable when the log did not answer for
// give_up_ms, naming it; kCancelled when it was stopped while waiting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tailrace/base/clock.h"
#include "tailrace/base/limits.h"
#include "tailrace/ingest/record_sink.h"
#include "tailrace/ingest/stop_signal.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

struct TopicWriterOptions {
  std::string topic;
  std::string client_id = "tailrace-ingest";
  int give_up_ms = base::limits::kLogGiveUpMs;
  const base::Clock* clock = &base::SystemClock();
};

// Not thread-safe. Lifetime: cluster and stop signal outlive it.
class TopicWriter : public RecordSink {
 public:
  // Waits until the log has answered that the topic exists.
  static absl::StatusOr<std::unique_ptr<TopicWriter>> Open(kafka::Cluster& cluster, TopicWriterOptions options,
                                                           const StopSignal& stop);

  absl::Status Write(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) override;
  absl::Status Idle() override;
  absl::Status Finish() override;

  int64_t records() const { return records_; }
  // Records that the log refuses for their size; they are counted, not sent.
  int64_t refused() const { return refused_; }
  int32_t partition_count() const { return partition_count_; }

 private:
  TopicWriter(kafka::Cluster& cluster, TopicWriterOptions options, const StopSignal& stop);
  absl::Status FindTopic();
  // Calls `attempt` until it is OK, answers anything but kRetry, or the bound is reached.
  template <class Attempt>
  absl::Status WithRetries(const char* what, bool while_stopping, Attempt attempt);
  // Failed deliveries are told by Flush only, so it is asked now and then.
  absl::Status CheckDeliveries();

  kafka::Cluster& cluster_;
  const TopicWriterOptions options_;
  const StopSignal& stop_;
  std::unique_ptr<kafka::Producer> producer_;
  kafka::TopicHandle topic_ = 0;
  int32_t partition_count_ = 0;
  int64_t records_ = 0;
  int64_t refused_ = 0;
  int64_t next_check_ms_ = 0;
};

}  // namespace tailrace::ingest
