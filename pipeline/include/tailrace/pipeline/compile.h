// Turns a pipeline into a topology that processor::Streams runs.
//
//   TAILRACE_ASSIGN_OR_RETURN(PipelineSpec spec, LoadPipeline(file, values));
//   TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, CompilePipeline(spec));
//   processor::Streams streams(std::move(topology), config, *cluster, metrics);
//
// Operators are named after what they do ("filter-1", "key-2", "aggregate-<store>", "sink-<topic>"), so nothing has a
// generated name. The aggregate's store has the name that the pipeline gives it.
// Sinks receive the aggregate's JSON; the key of a windowed aggregate is Kafka Streams' windowed key: the key's bytes, then
// the window start as a big-endian int64.
#pragma once

#include <functional>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/skip_reason.h"
#include "tailrace/pipeline/spec.h"
#include "tailrace/processor/topology.h"

namespace tailrace::pipeline {

// A piece of input that gave no event. Views are valid during the call.
struct SkippedInput {
  SkipReason reason = SkipReason::kNone;
  std::string_view field;  // the field that is missing or wrong; may be empty
  std::string_view bytes;
};

struct CompileOptions {
  // Called on stream threads, so it must be thread-safe, for everything that gave no event, expected notices included.
  // What is not expected also goes the way of the worker's error policy (dead-letter topic or count).
  std::function<void(const SkippedInput&)> on_skip;
};

absl::StatusOr<processor::Topology> CompilePipeline(const PipelineSpec& pipeline, const CompileOptions& options = {});

}  // namespace tailrace::pipeline
