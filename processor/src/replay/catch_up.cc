#include "tailrace/processor/catch_up.h"

#include <algorithm>
#include <set>

#include "absl/time/time.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"
#include "tailrace/kafka/group_admin.h"

namespace tailrace::processor {
namespace {

constexpr int kCallTimeoutMs = 5'000;
constexpr int64_t kLookIntervalMs = 200;
constexpr int64_t kRetryPauseMs = 1'000;
// A step that takes no longer is one in which nothing was behind.
constexpr int64_t kStepMsMin = 2'000;
// A partition whose commit stands still this long is looked into.
constexpr int64_t kStillMs = 1'000;
constexpr int64_t kProbeTimeoutMs = 2'000;
constexpr int kProbePollMs = 50;

}  // namespace

CatchUp::Options CatchUp::OptionsOf(const Topology& topology, int64_t commit_interval_ms) {
  Options options{.group = topology.application_id(), .inputs = {}, .repartitions = {}, .commit_interval_ms = commit_interval_ms};
  for (const detail::Subtopology& subtopology : topology.subtopologies())
    for (const std::string& topic : subtopology.source_topics)
      (topology.repartition_topics().contains(topic) ? options.repartitions : options.inputs).push_back(topic);
  return options;
}

CatchUp::CatchUp(Options options, kafka::Cluster& cluster) : options_(std::move(options)), cluster_(cluster) {
  thread_ = std::thread([this] { Run(); });
}

CatchUp::~CatchUp() {
  {
    absl::MutexLock lock(&mu_);
    stopped_ = true;
  }
  thread_.join();
}

bool CatchUp::Pause(int64_t ms) {
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(&stopped_), absl::Milliseconds(ms));
  return !stopped_;
}

void CatchUp::Run() {
  bool said = false;
  while (!caught_up()) {
    const absl::Status status = Round();
    if (absl::IsCancelled(status)) break;
    if (!status.ok() && !std::exchange(said, true))
      base::LogWarning("catch-up", "cannot see how far the group is, and goes on asking", {{"application", options_.group}, {"error", status}});
    if (!status.ok() && !Pause(kRetryPauseMs)) break;
  }
  probe_.reset();
}

absl::Status CatchUp::Round() {
  const int64_t step_ms_max = std::max(2 * options_.commit_interval_ms, kStepMsMin);
  TAILRACE_ASSIGN_OR_RETURN(int64_t slowest_ms, Await(options_.inputs, /*count=*/true));
  // One topic may feed another: as many times as there are topics is deep enough.
  for (size_t i = 0; i < options_.repartitions.size(); ++i) {
    TAILRACE_ASSIGN_OR_RETURN(const int64_t took_ms, Await(options_.repartitions, /*count=*/false));
    slowest_ms = std::max(slowest_ms, took_ms);
  }
  if (slowest_ms > step_ms_max) return absl::OkStatus();
  caught_up_ = true;
  if (options_.on_caught_up) options_.on_caught_up();
  base::LogInfo("catch-up", "the application has caught up", {{"application", options_.group}});
  return absl::OkStatus();
}

absl::StatusOr<std::map<base::TopicPartition, kafka::OffsetRange>> CatchUp::RangesOf(const std::vector<std::string>& topics) {
  std::map<base::TopicPartition, kafka::OffsetRange> ranges;
  for (const std::string& name : topics) {
    TAILRACE_ASSIGN_OR_RETURN(const auto topic, cluster_.admin().DescribeTopic(name, kCallTimeoutMs));
    if (!topic.has_value()) return absl::UnavailableError("topic " + name + " does not exist");
    for (int32_t p = 0; p < topic->partition_count; ++p) {
      const base::TopicPartition partition{name, base::Partition(p)};
      TAILRACE_ASSIGN_OR_RETURN(kafka::OffsetRange range, cluster_.admin().Offsets(partition, kCallTimeoutMs));
      if (const auto end = options_.ends.find(partition); end != options_.ends.end())
        range.end = std::clamp(end->second, range.begin, range.end);
      ranges.emplace(partition, range);
    }
  }
  return ranges;
}

absl::StatusOr<int64_t> CatchUp::Await(const std::vector<std::string>& topics, bool count) {
  const base::Clock& clock = base::SystemClock();
  TAILRACE_ASSIGN_OR_RETURN(const auto ranges, RangesOf(topics));
  const int64_t start_ms = clock.SteadyMs();
  Offsets seen;
  std::map<base::TopicPartition, int64_t> since_ms;
  std::set<base::TopicPartition> done;
  for (;;) {
    TAILRACE_ASSIGN_OR_RETURN(const auto committed, kafka::GroupsOf(cluster_).GroupOffsets(options_.group, kCallTimeoutMs));
    Offsets offsets;
    for (const kafka::CommittedOffset& one : committed) offsets[one.partition] = one.offset;
    int64_t behind = 0;
    for (const auto& [partition, range] : ranges) {
      if (range.begin == range.end || done.contains(partition)) continue;
      const auto found = offsets.find(partition);
      const base::Offset at = found == offsets.end() ? range.begin : std::max(found->second, range.begin);
      const auto [last, is_new] = seen.try_emplace(partition, at);
      if (is_new || last->second != at) since_ms[partition] = clock.SteadyMs();
      last->second = at;
      bool reached = at >= range.end;
      if (!reached && clock.SteadyMs() - since_ms[partition] >= kStillMs) {
        reached = NothingLeft(partition, at, range.end);
        since_ms[partition] = clock.SteadyMs();
      }
      if (reached) done.insert(partition);
      else behind += range.end.value() - at.value();
    }
    if (count) behind_ = behind;
    if (behind == 0) return clock.SteadyMs() - start_ms;
    if (!Pause(kLookIntervalMs)) return absl::CancelledError("the process ends");
  }
}

bool CatchUp::NothingLeft(const base::TopicPartition& partition, base::Offset from, base::Offset end) {
  if (probe_ == nullptr) {
    auto consumer = cluster_.NewConsumer({.client_id = options_.group + "-catch-up", .read_committed = true});
    if (!consumer.ok()) return false;
    probe_ = *std::move(consumer);
  }
  if (!probe_->Assign({{partition, from}}).ok()) return false;
  kafka::RecordBatch batch;
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + kProbeTimeoutMs;
  bool nothing = false;
  while (!nothing && base::SystemClock().SteadyMs() < deadline_ms && Pause(0)) {
    if (!probe_->Poll(batch, kProbePollMs).ok() || !batch.empty()) break;
    nothing = probe_->Position(0) >= end;
  }
  batch.Clear();
  probe_->Assign({}).IgnoreError();
  return nothing;
}

}  // namespace tailrace::processor
