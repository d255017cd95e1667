#include "tailrace/state/engine_metrics.h"

#include <rocksdb/version.h>

#include <utility>

namespace tailrace::state {

base::MetricsRegistry::CollectorHandle AddEngineMetrics(base::MetricsRegistry& metrics, std::shared_ptr<const MemoryBudget> budget) {
  return metrics.AddCollector([budget = std::move(budget)](base::MetricsSink& sink) {
    const EngineUse use = budget->engine_use();
    sink.Gauge("tailrace_rocksdb_block_cache_usage_bytes", "Blocks and write buffers that the shared cache holds.", {},
               static_cast<double>(use.block_cache_bytes));
    sink.Gauge("tailrace_rocksdb_memtable_bytes", "Write buffers of all stores.", {}, static_cast<double>(use.memtable_bytes));
    sink.Gauge("tailrace_rocksdb_sst_files", "Files of all stores.", {}, static_cast<double>(use.files));
    sink.Gauge("tailrace_rocksdb_pending_compaction_bytes", "What compactions still have to rewrite, as estimated.", {},
               static_cast<double>(use.pending_compaction_bytes));
    sink.Counter("tailrace_rocksdb_write_stall_seconds_total", "Time in which writes were slowed or stopped.", {},
                 use.write_stall_seconds);
    sink.Counter("tailrace_rocksdb_background_errors_total", "Errors of flushes and compactions in stores that are open.", {},
                 static_cast<double>(use.background_errors));
  });
}

std::string EngineVersion() { return rocksdb::GetRocksVersionAsString(); }

}  // namespace tailrace::state
