// The storage engine's own series: memory, files, compaction, write stalls (docs/operations.md lists them).
#pragma once

#include <memory>
#include <string>

#include "tailrace/base/metrics.h"
#include "tailrace/state/memory_budget.h"

namespace tailrace::state {

// Shows what the stores under this budget use, until the handle is destroyed. One for each budget and registry: the series have
// no labels.
//
//   auto handle = AddEngineMetrics(metrics, ProcessMemory(config.Bytes("state.memory.bytes")));
[[nodiscard]] base::MetricsRegistry::CollectorHandle AddEngineMetrics(base::MetricsRegistry& metrics,
                                                                      std::shared_ptr<const MemoryBudget> budget);

// Of RocksDB: "7.8.3".
std::string EngineVersion();

}  // namespace tailrace::state
