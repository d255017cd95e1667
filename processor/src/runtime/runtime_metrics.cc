#include "runtime/runtime_metrics.h"

namespace tailrace::processor {

RuntimeMetrics::RuntimeMetrics(base::MetricsRegistry& metrics)
    : registry(metrics),
      commits_ok(metrics.GetCounter("tailrace_commits_total", "Commits of stream threads.", {{"result", "ok"}})),
      commits_failed(metrics.GetCounter("tailrace_commits_total", "Commits of stream threads.", {{"result", "failed"}})),
      commit_latency(metrics.GetHistogram("tailrace_commit_latency_seconds", "Time from the flush of the caches to the stored batch.")),
      process_latency(metrics.GetHistogram("tailrace_process_latency_seconds", "Time to process what one poll brought.")),
      e2e_latency(metrics.GetHistogram("tailrace_e2e_latency_seconds",
                                       "From a record's timestamp until it was processed: of the last record of each poll.")),
      emitted(metrics.GetCounter("tailrace_records_emitted_total", "Records handed to the producer, changelogs included.")),
      late_dropped(metrics.GetCounter("tailrace_late_records_dropped_total", "Updates of windows that were closed.")),
      rebalances(metrics.GetCounter("tailrace_rebalance_total", "Times this process joined or rejoined the group.")),
      rebalance_duration(metrics.GetHistogram("tailrace_rebalance_duration_seconds", "Time without a current generation.")),
      restore_records(metrics.GetCounter("tailrace_restore_records_total", "Changelog records applied to stores.")),
      restore_duration(metrics.GetHistogram("tailrace_restore_duration_seconds", "Time to restore one task.")),
      tasks_corrupted(metrics.GetCounter("tailrace_task_corrupted_total", "Tasks whose local state could not be trusted.")) {
  for (int reason = 0; reason < detail::kDropReasonCount; ++reason)
    skipped[static_cast<size_t>(reason)] =
        metrics.GetCounter("tailrace_records_skipped_total", "Records or updates that were not processed.",
                           {{"reason", std::string(detail::DropReasonName(static_cast<detail::DropReason>(reason)))}});
}

void RuntimeMetrics::TransactionAborted(std::string_view reason) {
  registry.GetCounter("tailrace_transactions_aborted_total", "Transactions aborted.", {{"reason", std::string(reason)}})->Increment();
}
void RuntimeMetrics::ProducerRecreated(std::string_view reason) {
  registry.GetCounter("tailrace_producer_recreated_total", "Producers destroyed and made anew.", {{"reason", std::string(reason)}})
      ->Increment();
}
void RuntimeMetrics::StoreWiped(std::string_view reason) {
  registry.GetCounter("tailrace_store_wipes_total", "Task directories deleted to be rebuilt.", {{"reason", std::string(reason)}})
      ->Increment();
}

}  // namespace tailrace::processor
