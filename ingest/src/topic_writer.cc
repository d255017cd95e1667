#include "tailrace/ingest/topic_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tailrace/base/log.h"
#include "topic_lookup.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

constexpr int kAskMs = 5'000;
constexpr int kFlushSliceMs = 100;
constexpr int kCheckMs = 1'000;
// After a stop the log has this long to take what is under way.
constexpr int kFinishStoppedMs = 5'000;

}  // namespace

TopicWriter::TopicWriter(kafka::Cluster& cluster, TopicWriterOptions options, const StopSignal& stop)
    : cluster_(cluster), options_(std::move(options)), stop_(stop) {}

absl::StatusOr<std::unique_ptr<TopicWriter>> TopicWriter::Open(kafka::Cluster& cluster, TopicWriterOptions options,
                                                               const StopSignal& stop) {
  std::unique_ptr<TopicWriter> writer(new TopicWriter(cluster, std::move(options), stop));
  TAILRACE_RETURN_IF_ERROR(writer->FindTopic());
  TAILRACE_ASSIGN_OR_RETURN(writer->producer_, cluster.NewProducer({.client_id = writer->options_.client_id}));
  TAILRACE_ASSIGN_OR_RETURN(writer->topic_, writer->producer_->Topic(writer->options_.topic));
  writer->next_check_ms_ = writer->options_.clock->SteadyMs() + kCheckMs;
  return writer;
}

template <class Attempt>
absl::Status TopicWriter::WithRetries(const char* what, bool while_stopping, Attempt attempt) {
  const int64_t start_ms = options_.clock->SteadyMs();
  int wait_ms = base::limits::kLogRetryMs;
  for (;;) {
    const absl::Status status = attempt();
    if (status.ok() || base::ReactionOf(status) != Reaction::kRetry) return status;
    const int64_t spent_ms = options_.clock->SteadyMs() - start_ms;
    const bool stopping = stop_.requested();
    if (spent_ms >= options_.give_up_ms || (stopping && while_stopping && spent_ms >= kFinishStoppedMs))
      return base::Error(Reaction::kFatal, absl::StatusCode::kUnavailable,
                         absl::StrCat("cannot ", what, " topic ", options_.topic, ": the log at ", cluster_.Description(),
                                      " has not answered for ", spent_ms / 1'000, " s; is it running and reachable? (",
                                      std::string(status.message()), ")"));
    if (stopping && !while_stopping)
      return base::Error(Reaction::kFatal, absl::StatusCode::kCancelled,
                         absl::StrCat("stopped while waiting for the log at ", cluster_.Description()));
    // While stopping the signal no longer waits; the flush that is tried then does.
    (void)stop_.WaitMs(wait_ms);
    wait_ms = std::min(wait_ms * 2, base::limits::kLogRetryMsMax);
  }
}

absl::Status TopicWriter::FindTopic() {
  return WithRetries("find", false, [&]() -> absl::Status {
    TAILRACE_ASSIGN_OR_RETURN(partition_count_, ingest::FindTopic(cluster_, options_.topic, std::min(kAskMs, options_.give_up_ms)));
    return absl::OkStatus();
  });
}

absl::Status TopicWriter::Write(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) {
  const kafka::OutgoingRecord record{.topic = topic_, .key = key, .value = value, .timestamp_ms = timestamp_ms};
  const absl::Status status = WithRetries("write to", false, [&] { return producer_->Send(record); });
  if (status.ok()) {
    ++records_;
    return CheckDeliveries();
  }
  if (base::ReactionOf(status) != Reaction::kSkipRecord) return status;
  if (refused_++ == 0) base::LogWarning("ingest", "the log refuses a record", {{"topic", options_.topic}, {"reason", status}});
  return absl::OkStatus();
}

absl::Status TopicWriter::CheckDeliveries() {
  const int64_t now_ms = options_.clock->SteadyMs();
  if (now_ms < next_check_ms_) return absl::OkStatus();
  next_check_ms_ = now_ms + kCheckMs;
  absl::Status status = producer_->Flush(0);
  // Records that are still under way are no failure.
  return base::ReactionOf(status) == Reaction::kRetry ? absl::OkStatus() : status;
}

absl::Status TopicWriter::Idle() { return CheckDeliveries(); }

absl::Status TopicWriter::Finish() {
  return WithRetries("finish writing to", true, [&] { return producer_->Flush(kFlushSliceMs); });
}

}  // namespace tailrace::ingest
