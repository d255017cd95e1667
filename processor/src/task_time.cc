// Event time that advances without records: while there is no input, and by what upstream tasks say (watermark mode). Both take
// effect at commits, when all that was processed before is flushed, and are part of what the commit makes durable.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tailrace/base/limits.h"
#include "task.h"

namespace tailrace::processor {
namespace {

// On what is emitted because stream time has advanced without input: how far, in milliseconds.
constexpr char kIdleHeader[] = "__idle.stream.time";

}  // namespace

void Task::WatchIdleness(bool at_end) {
  if (!watches_idleness()) return;
  const int64_t now_ms = options_.clock->SteadyMs();
  if (!at_end || !buffer_.empty() || counters_.processed != quiet_processed_) {
    quiet_processed_ = counters_.processed;
    quiet_since_ms_ = now_ms;
    quiet_stream_time_ms_ = time_.stream_time_ms;
    is_idle_ = false;
    return;
  }
  const int64_t quiet_ms = now_ms - quiet_since_ms_;
  if (!heartbeat_topics_.empty() && quiet_ms >= options_.watermark_idle_timeout_ms) {
    is_idle_ = std::all_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.upstream.all_idle(); });
    const bool said = last_heartbeat_.has_value() && last_heartbeat_->idle &&
                      options_.clock->WallMs() - last_heartbeat_->wall_ms < base::limits::kIdleHeartbeatMs;
    dirty_ |= is_idle_ && !said;  // a commit says it
  }
  // What a task reads of upstream tasks comes when these say so, and before the first record there is no time to advance.
  const bool tracks = std::any_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.upstream.tracks(); });
  if (options_.idle_timeout_ms <= 0 || quiet_ms < options_.idle_timeout_ms || tracks || quiet_stream_time_ms_ < 0) return;
  if (now_ms < next_idle_look_ms_) return;
  next_idle_look_ms_ = now_ms + options_.emit_interval_ms;
  if (quiet_stream_time_ms_ + quiet_ms <= time_.stream_time_ms) return;
  idle_time_ms_ = quiet_stream_time_ms_ + quiet_ms;
  dirty_ = true;
}

bool Task::TakeHeartbeat(Input& input) {
  const bool tracks = input.upstream.tracks();
  SetTimeLimit(tracks ? input.upstream_time_ms : INT64_MAX);
  if (!tracks || !current_view_->key.is_null() || !current_view_->value.is_null()) return false;
  const std::optional<Heartbeat> heartbeat = DecodeHeartbeat(record_headers());
  if (heartbeat.has_value()) input.upstream.Take(*heartbeat);
  return heartbeat.has_value();
}

bool Task::AdvanceTimes() {
  bool advanced = false;
  for (Input& input : inputs_) {
    if (!input.upstream.tracks()) continue;
    const int64_t time_ms = input.upstream.Time();
    if (time_ms <= input.upstream_time_ms) continue;
    advanced = true;
    input.upstream_time_ms = time_ms;
    time_.stream_time_ms = std::max(time_.stream_time_ms, time_ms);
    SetTimeLimit(time_.stream_time_ms);
    AdvanceNodes(input.below, time_ms);
  }
  if (idle_time_ms_ <= time_.stream_time_ms) return advanced;
  time_.stream_time_ms = idle_time_ms_;
  if (options_.watermarks) SetTimeLimit(time_.stream_time_ms);
  headers_.assign(1, kafka::Header{kIdleHeader, std::to_string(idle_time_ms_)});
  std::vector<detail::Node*> all;
  for (const auto& node : nodes_) all.push_back(node.get());
  AdvanceNodes(all, idle_time_ms_);
  return true;
}

void Task::AdvanceNodes(const std::vector<detail::Node*>& nodes, int64_t time_ms) {
  record_.timestamp_ms = time_ms;
  SetRecordOfStores();
  for (detail::Node* const node : nodes) {
    try {
      node->AdvanceTime(time_ms);
    } catch (...) {
      HandleThrown(node->name(), false);
    }
    if (!failure_.ok()) return;
  }
}

// Only what has changed is said, but for idleness, which is said again and again.
void Task::SendHeartbeats() {
  if (heartbeat_topics_.empty()) return;
  const Heartbeat heartbeat{.task = options_.id, .stream_time_ms = time_.stream_time_ms, .wall_ms = options_.clock->WallMs(),
                            .idle = is_idle_};
  if (heartbeat.stream_time_ms < 0 && !heartbeat.idle) return;
  if (last_heartbeat_.has_value() && last_heartbeat_->stream_time_ms == heartbeat.stream_time_ms && last_heartbeat_->idle == heartbeat.idle &&
      (!heartbeat.idle || heartbeat.wall_ms - last_heartbeat_->wall_ms < base::limits::kIdleHeartbeatMs))
    return;
  last_heartbeat_ = heartbeat;
  const kafka::Headers headers{EncodeHeartbeat(heartbeat)};
  for (const kafka::TopicHandle topic : heartbeat_topics_) {
    const absl::StatusOr<int32_t> partitions = producer_->PartitionCount(topic);
    if (!partitions.ok()) return Fail(base::Annotate(partitions.status(), absl::StrCat("task ", id().ToString())));
    for (int32_t partition = 0; partition < *partitions; ++partition)
      Produce({.topic = topic,
               .partition = base::Partition(partition),
               .key = {},
               .value = {},
               .timestamp_ms = std::max<int64_t>(heartbeat.stream_time_ms, 0),
               .headers = &headers});
  }
}

}  // namespace tailrace::processor
