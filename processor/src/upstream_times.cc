#include "upstream_times.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/limits.h"

namespace tailrace::processor {
namespace {

constexpr char kHeader[] = "__stream.time.heartbeat";
constexpr int8_t kVersion = 1;

std::string NameOf(std::string_view what, std::string_view topic, const base::TaskId& task) {
  return absl::StrCat(std::string(what), " of ", task.ToString(), " on ", std::string(topic));
}
constexpr std::string_view kTime = "upstream time";
constexpr std::string_view kHeard = "upstream heard";  // wall clock * 2, and 1 when idle

}  // namespace

kafka::Header EncodeHeartbeat(const Heartbeat& heartbeat) {
  std::string bytes;
  base::AppendBigEndian(bytes, kVersion);
  base::AppendBigEndian(bytes, heartbeat.task.subtopology);
  base::AppendBigEndian(bytes, heartbeat.task.partition.value());
  base::AppendBigEndian(bytes, heartbeat.stream_time_ms);
  base::AppendBigEndian(bytes, heartbeat.wall_ms);
  base::AppendBigEndian(bytes, static_cast<int8_t>(heartbeat.idle));
  return {kHeader, std::move(bytes)};
}

std::optional<Heartbeat> DecodeHeartbeat(const kafka::Headers& headers) {
  for (const kafka::Header& header : headers) {
    if (header.name != kHeader || !header.value.has_value()) continue;
    std::string_view bytes = *header.value;
    Heartbeat heartbeat;
    int8_t version = 0;
    int8_t idle = 0;
    int32_t partition = 0;
    if (!base::ConsumeBigEndian(bytes, version) || version != kVersion || !base::ConsumeBigEndian(bytes, heartbeat.task.subtopology) ||
        !base::ConsumeBigEndian(bytes, partition) || !base::ConsumeBigEndian(bytes, heartbeat.stream_time_ms) ||
        !base::ConsumeBigEndian(bytes, heartbeat.wall_ms) || !base::ConsumeBigEndian(bytes, idle))
      return std::nullopt;
    heartbeat.task.partition = base::Partition(partition);
    heartbeat.idle = idle != 0;
    return heartbeat;
  }
  return std::nullopt;
}

UpstreamTimes::UpstreamTimes(std::vector<base::TaskId> tasks) {
  for (const base::TaskId& id : tasks) tasks_.push_back({.id = id});
}

void UpstreamTimes::Take(const Heartbeat& heartbeat) {
  const auto task = std::find_if(tasks_.begin(), tasks_.end(), [&](const Upstream& u) { return u.id == heartbeat.task; });
  if (task == tasks_.end()) return;
  task->stream_time_ms = std::max(task->stream_time_ms, heartbeat.stream_time_ms);
  task->wall_ms = heartbeat.wall_ms;
  task->idle = heartbeat.idle;
  newest_wall_ms_ = std::max(newest_wall_ms_, heartbeat.wall_ms);
}

bool UpstreamTimes::IsIdle(const Upstream& task) const {
  return task.idle && newest_wall_ms_ - task.wall_ms <= base::limits::kIdleHeartbeatMsMax;
}

bool UpstreamTimes::all_idle() const {
  return std::all_of(tasks_.begin(), tasks_.end(), [this](const Upstream& task) { return IsIdle(task); });
}

int64_t UpstreamTimes::Time() const {
  int64_t least_ms = INT64_MAX;
  int64_t largest_ms = -1;
  for (const Upstream& task : tasks_) {
    largest_ms = std::max(largest_ms, task.stream_time_ms);
    if (!IsIdle(task)) least_ms = std::min(least_ms, task.stream_time_ms);
  }
  return least_ms == INT64_MAX ? largest_ms : least_ms;
}

void UpstreamTimes::Save(std::string_view topic, std::map<std::string, int64_t>& times) const {
  for (const Upstream& task : tasks_) {
    if (task.wall_ms < 0) continue;
    times[NameOf(kTime, topic, task.id)] = task.stream_time_ms;
    times[NameOf(kHeard, topic, task.id)] = task.wall_ms * 2 + (task.idle ? 1 : 0);
  }
}

void UpstreamTimes::Restore(std::string_view topic, const std::map<std::string, int64_t, std::less<>>& times) {
  for (const Upstream& task : tasks_) {
    const auto time = times.find(NameOf(kTime, topic, task.id));
    const auto heard = times.find(NameOf(kHeard, topic, task.id));
    if (time == times.end() || heard == times.end()) continue;
    Take({.task = task.id, .stream_time_ms = time->second, .wall_ms = heard->second / 2, .idle = heard->second % 2 == 1});
  }
}

}  // namespace tailrace::processor
