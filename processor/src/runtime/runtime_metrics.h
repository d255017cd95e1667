// The runtime's own series (docs/operations.md lists them all). Handles are obtained once; updates are relaxed atomics.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "tailrace/base/metrics.h"
#include "tailrace/processor/detail/task_context.h"

namespace tailrace::processor {

// Thread-safe. Shared by all threads of a Streams.
struct RuntimeMetrics {
  explicit RuntimeMetrics(base::MetricsRegistry& metrics);

  base::MetricsRegistry& registry;
  // Shared with the registry, as every handle.
  std::shared_ptr<base::Counter> commits_ok;
  std::shared_ptr<base::Counter> commits_failed;
  std::shared_ptr<base::Histogram> commit_latency;
  std::shared_ptr<base::Histogram> process_latency;
  std::shared_ptr<base::Histogram> e2e_latency;
  std::array<std::shared_ptr<base::Counter>, detail::kDropReasonCount> skipped;
  std::shared_ptr<base::Counter> emitted;
  std::shared_ptr<base::Counter> late_dropped;
  std::shared_ptr<base::Counter> rebalances;
  std::shared_ptr<base::Histogram> rebalance_duration;
  std::shared_ptr<base::Counter> restore_records;
  std::shared_ptr<base::Histogram> restore_duration;
  std::shared_ptr<base::Counter> tasks_corrupted;

  // By reason; a handful of names, obtained when the rare thing happens.
  void TransactionAborted(std::string_view reason);
  void ProducerRecreated(std::string_view reason);
  void StoreWiped(std::string_view reason);
};

}  // namespace tailrace::processor
