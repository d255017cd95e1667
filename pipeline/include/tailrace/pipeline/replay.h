// What of a pipeline's results can be rebuilt from the middle of its input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline {

// A store of windows [start, start + size) that take records until `grace` after their end.
struct WindowedStore {
  std::string name;
  int64_t size_ms = 0;
  int64_t grace_ms = 0;
  int64_t advance_ms = 0;
};

// A store that is the sum of all input there ever was.
struct UnboundedStore {
  std::string name;
  std::string why;  // "is a counter over all time"
};

struct ReplayRules {
  std::vector<WindowedStore> windows;
  std::vector<UnboundedStore> unbounded;  // none: the results can be rebuilt from any time
};

// kInvalidArgument for a pipeline whose results no replay can give again: those that depend on when a record is processed, and
// one without a store.
absl::StatusOr<ReplayRules> ReplayRulesOf(const PipelineSpec& pipeline);

// "earliest" is nullopt; else RFC 3339 and what ParseTimestampMs reads, or "-1h30m" for that long before now. kInvalidArgument for
// anything else and for a time that is still to come.
absl::StatusOr<std::optional<int64_t>> ParseReplayTime(std::string_view text, int64_t now_ms, std::string_view option = "--from");

// The pipeline as its replay number `number` runs it: sinks and dead letters go to topics of its own.
PipelineSpec ReplayOf(PipelineSpec pipeline, int number);

}  // namespace tailrace::pipeline
