// From a pipeline to a topology, with what batch runs do differently.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "aggregates/aggregate_plan.h"
#include "tailrace/base/status.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/topology.h"

namespace tailrace::pipeline::compile {

// Every update of the aggregate. `window_start_ms` is state::kNoWindow without windows.
using UpdateFunction = std::function<void(std::string_view key, int64_t window_start_ms, std::string_view state)>;

struct BuildOptions {
  CompileOptions public_options;
  // Batch: one partition, so no repartition topic; no changelog; no expiry; no sinks.
  bool batch = false;
  UpdateFunction on_update;     // batch only; may be empty
  int64_t* event_count = nullptr;  // batch only: counts the events that sources gave
  int64_t timestamp_max_ms = INT64_MAX;
};

struct BuiltPipeline {
  processor::Topology topology;
  // Of a pipeline without branches; null without an aggregate.
  std::shared_ptr<const aggregates::AggregatePlan> plan;
};

absl::StatusOr<BuiltPipeline> BuildTopology(const PipelineSpec& pipeline, const BuildOptions& options);

}  // namespace tailrace::pipeline::compile
