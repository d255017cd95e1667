#include <span>

#include "absl/strings/str_cat.h"
#include "tailrace/base/units.h"
#include "tailrace/pipeline/replay.h"
#include "tailrace/pipeline/timestamps.h"
#include "tailrace/processor/application_id.h"

namespace tailrace::pipeline {
namespace {

// Follows one way through the pipeline's steps.
class Walk {
 public:
  explicit Walk(ReplayRules& rules) : rules_(rules) {}

  void Take(std::span<const Step> steps) {
    for (const Step& step : steps) {
      if (const auto* window = std::get_if<WindowStep>(&step)) window_ = window;
      if (const auto* deduplicate = std::get_if<DeduplicateStep>(&step))
        rules_.unbounded.push_back({deduplicate->store, "remembers the ids of earlier records"});
      if (const auto* join = std::get_if<JoinStep>(&step)) rules_.unbounded.push_back({join->store, "is a join of tables"});
      if (const auto* aggregate = std::get_if<AggregateStep>(&step)) {
        if (window_ == nullptr) rules_.unbounded.push_back({aggregate->store, "is an aggregate over all time"});
        else rules_.windows.push_back({aggregate->store, window_->size_ms, window_->grace_ms, window_->advance_ms});
      }
    }
  }

 private:
  ReplayRules& rules_;
  const WindowStep* window_ = nullptr;
};

}  // namespace

absl::StatusOr<ReplayRules> ReplayRulesOf(const PipelineSpec& pipeline) {
  for (const SourceSpec& source : pipeline.AllSources())
    if (source.processing_time)
      return base::UsageError(absl::StrCat(pipeline.file, ": source ", source.topic, " takes the time of processing as the time of an event, "
                                           "so no replay gives the same results again"));
  ReplayRules rules;
  Walk common(rules);
  common.Take(pipeline.steps);
  for (const BranchSpec& branch : pipeline.branches) {
    Walk way = common;
    way.Take(branch.steps);
  }
  for (const TableSpec& table : pipeline.tables) Walk(rules).Take(table.steps);
  if (rules.windows.empty() && rules.unbounded.empty())
    return base::UsageError(absl::StrCat(pipeline.file, " has no store, so there are no results to rebuild"));
  return rules;
}

absl::StatusOr<std::optional<int64_t>> ParseReplayTime(std::string_view text, int64_t now_ms, std::string_view option) {
  if (text == "earliest") return std::optional<int64_t>();
  std::optional<int64_t> time_ms = ParseTimestampMs(text);
  if (text.starts_with('-'))
    if (const std::optional<int64_t> ago_ms = base::ParseDurationMs(text.substr(1))) time_ms = now_ms - *ago_ms;
  const std::string shown = std::string(option) + " " + std::string(text);
  if (!time_ms.has_value() || *time_ms < 0)
    return base::UsageError(absl::StrCat(shown, " is no time: use RFC 3339 (2026-01-01T00:00:00Z), -1h for an hour ago, or earliest"));
  if (*time_ms > now_ms) return base::UsageError(absl::StrCat(shown, " is still to come: nothing could be rebuilt"));
  return time_ms;
}

PipelineSpec ReplayOf(PipelineSpec pipeline, int number) {
  const auto rename = [number](std::string& topic) { topic = processor::ReplayTopic(topic, number); };
  for (SinkSpec& sink : pipeline.sinks) rename(sink.topic);
  for (BranchSpec& branch : pipeline.branches)
    for (SinkSpec& sink : branch.sinks) rename(sink.topic);
  if (!pipeline.dead_letter_topic.empty()) rename(pipeline.dead_letter_topic);
  return pipeline;
}

}  // namespace tailrace::pipeline
