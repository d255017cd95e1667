// From a pipeline to a topology, with what batch runs do differently.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/topology.h"
#include "tailrace/state/value_schema.h"

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
  // What the values of the result mean, of a pipeline without branches; null without an aggregate.
  std::shared_ptr<const state::ValueSchema> schema;
};

absl::StatusOr<BuiltPipeline> BuildTopology(const PipelineSpec& pipeline, const BuildOptions& options);

}  // namespace tailrace::pipeline::compile
