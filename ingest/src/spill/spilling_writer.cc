#include "tailrace/ingest/spilling_writer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spill/delivery.h"
#include "spill/journal.h"
#include "tailrace/base/log.h"
#include "tailrace/ingest/stop_signal.h"
#include "topic_lookup.h"

namespace tailrace::ingest {
namespace {

using base::Reaction;

constexpr int kFirstAskMs = 2'000;
// One step of the sending thread, and its rest while there is nothing to send: how long an end may go unnoticed.
constexpr int kStepMs = 500;
constexpr int kIdleMs = 100;
constexpr int kPauseMs = 200;
constexpr int64_t kComplainEveryMs = 10'000;

class Writer final : public SpillingWriter {
 public:
  Writer(const SpillOptions& options, std::unique_ptr<Journal> journal, std::unique_ptr<Delivery> delivery)
      : options_(options), journal_(std::move(journal)), delivery_(std::move(delivery)), complain_(kComplainEveryMs, *options.clock) {
    if (options_.metrics != nullptr) collector_ = options_.metrics->AddCollector([this](base::MetricsSink& sink) { Report(sink); });
    sender_ = std::thread([this] { SendAll(); });
  }
  ~Writer() override {
    stop_.Request();
    sender_.join();
    collector_.Reset();
    if (const int64_t left = pending_records(); left > 0)
      base::LogWarning("ingest", "records stay on disk for the next start", {{"directory", options_.directory}, {"records", left}});
  }

  absl::Status Write(kafka::NullableBytes key, std::string_view value, int64_t timestamp_ms) override {
    TAILRACE_RETURN_IF_ERROR(SenderStatus());
    const absl::Status status = journal_->Append(key, value, timestamp_ms);
    if (status.ok()) {
      records_.fetch_add(1, std::memory_order_relaxed);
    } else if (base::ReactionOf(status) == Reaction::kSkipRecord) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return absl::OkStatus();
    }
    return status;
  }
  absl::Status Idle() override { return SenderStatus(); }
  absl::Status Finish() override {
    for (;;) {
      TAILRACE_RETURN_IF_ERROR(SenderStatus());
      if (WaitUntil(kStepMs, [&] { return pending_records() == 0; })) return absl::OkStatus();
    }
  }
  absl::Status Drain(int timeout_ms) override {
    const bool done = WaitUntil(timeout_ms, [&] { return pending_records() == 0; });
    TAILRACE_RETURN_IF_ERROR(SenderStatus());
    if (done) return absl::OkStatus();
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable,
                       absl::StrCat(pending_records(), " records for topic ", options_.topic, " wait in ", options_.directory,
                                    " for the log; the next start with this folder sends them"));
  }
  void WaitForRoom(int timeout_ms) override {
    (void)WaitUntil(timeout_ms, [&] { return pending_bytes() < options_.bytes_max / 2; });
  }

  void StopSending() override { stop_.Request(); }

  int64_t records() const override { return records_.load(); }
  int64_t refused() const override { return refused_.load(); }
  int64_t pending_records() const override { return static_cast<int64_t>(journal_->end_sequence() - journal_->begin_sequence()); }
  int64_t pending_bytes() const override { return journal_->pending_bytes(); }

 private:
  void SendAll() {
    while (!stop_.requested()) {
      const absl::Status status = delivery_->Step(kStepMs);
      if (refused_by_log_ != delivery_->refused()) refused_.fetch_add(delivery_->refused() - std::exchange(refused_by_log_, delivery_->refused()));
      delivered_.store(delivery_->delivered(), std::memory_order_relaxed);
      if (status.ok()) {
        if (std::exchange(down_, false)) base::LogInfo("ingest", "the log takes records again", {{"topic", options_.topic}});
        Notify();
        (void)journal_->WaitFor(delivery_->next_sequence(), kIdleMs);
      } else if (base::ReactionOf(status) == Reaction::kRetry) {
        down_ = true;
        if (complain_.Pass())
          base::LogWarning("ingest", "the log does not answer; records stay on disk",
                           {{"topic", options_.topic}, {"records", pending_records()}, {"bytes", pending_bytes()}, {"reason", status}});
        (void)stop_.WaitMs(kPauseMs);
      } else {
        Fail(status);
        return;
      }
    }
    if (const absl::Status status = delivery_->Save(); !status.ok()) base::LogWarning("ingest", "cannot save how far it came", {{"reason", status}});
  }

  void Fail(const absl::Status& status) {
    base::LogError("ingest", "cannot send any more", {{"topic", options_.topic}, {"reason", status}});
    {
      std::lock_guard lock(mu_);
      status_ = status;
    }
    changed_.notify_all();
  }
  void Notify() {
    { std::lock_guard lock(mu_); }
    changed_.notify_all();
  }
  absl::Status SenderStatus() const {
    std::lock_guard lock(mu_);
    return status_;
  }
  template <class Condition>
  bool WaitUntil(int timeout_ms, Condition condition) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return !status_.ok() || condition(); }) && condition();
  }

  void Report(base::MetricsSink& sink) const {
    const base::MetricLabels labels = {{"topic", options_.topic}};
    sink.Counter("tailrace_ingest_records_total", "Records taken from sources.", labels, static_cast<double>(records()));
    sink.Counter("tailrace_ingest_delivered_total", "Records that the log has acknowledged.", labels, static_cast<double>(delivered_.load()));
    sink.Counter("tailrace_ingest_refused_total", "Records too large for the log.", labels, static_cast<double>(refused()));
    sink.Gauge("tailrace_ingest_spilled_records", "Records on disk that the log has not taken.", labels, static_cast<double>(pending_records()));
    sink.Gauge("tailrace_ingest_spilled_bytes", "Bytes on disk that the log has not taken.", labels, static_cast<double>(pending_bytes()));
  }

  const SpillOptions options_;
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<Delivery> delivery_;  // of the sending thread
  int64_t refused_by_log_ = 0;                // of the sending thread
  bool down_ = false;                         // of the sending thread
  base::LogEveryMs complain_;
  StopSignal stop_;
  std::atomic<int64_t> records_{0};
  std::atomic<int64_t> refused_{0};
  std::atomic<int64_t> delivered_{0};
  mutable std::mutex mu_;
  std::condition_variable changed_;
  absl::Status status_;  // guarded by mu_: why sending has ended
  base::MetricsRegistry::CollectorHandle collector_;
  std::thread sender_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SpillingWriter>> SpillingWriter::Open(kafka::Cluster& cluster, const SpillOptions& options) {
  if (const auto partitions = FindTopic(cluster, options.topic, kFirstAskMs); !partitions.ok()) {
    if (base::ReactionOf(partitions.status()) != Reaction::kRetry) return partitions.status();
    base::LogWarning("ingest", "the log does not answer; records go to disk", {{"topic", options.topic}, {"reason", partitions.status()}});
  }
  TAILRACE_ASSIGN_OR_RETURN(auto journal, Journal::Open(options.directory, options.bytes_max));
  TAILRACE_ASSIGN_OR_RETURN(auto delivery, Delivery::Open(cluster, *journal, options.topic, options.client_id, *options.clock));
  if (journal->end_sequence() > journal->begin_sequence())
    base::LogInfo("ingest", "records of an earlier run are still on disk",
                  {{"directory", options.directory}, {"records", journal->end_sequence() - journal->begin_sequence()}});
  return std::make_unique<Writer>(options, std::move(journal), std::move(delivery));
}

}  // namespace tailrace::ingest
