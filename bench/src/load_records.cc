#include "bench.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"
#include "tailrace/base/random.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::bench {
namespace {

constexpr int64_t kEventSpanMs = 600'000;

absl::StatusOr<base::Config> ConfigOf(const Workload& workload) {
  return base::Config::Load({.set = {"bootstrap.servers=" + workload.bootstrap}});
}

}  // namespace

absl::Status LoadRecords(const Workload& workload) {
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config, ConfigOf(workload));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Connect(config));
  TAILRACE_RETURN_IF_ERROR(cluster->admin().CreateTopics(
      {{.name = workload.topic, .partition_count = workload.partitions, .config = {{"retention.ms", "-1"}}}}, 30'000));
  TAILRACE_ASSIGN_OR_RETURN(const auto producer, cluster->NewProducer({.client_id = "bench-load"}));
  TAILRACE_ASSIGN_OR_RETURN(const auto topic, producer->Topic(workload.topic));
  base::Random random(7);
  const int64_t start_ms = base::SystemClock().WallMs() - kEventSpanMs;
  const std::string value(static_cast<size_t>(workload.value_bytes), 'x');
  for (int64_t i = 0; i < workload.records; ++i) {
    const std::string key = "key-" + std::to_string(random.Below(static_cast<uint64_t>(workload.keys)));
    TAILRACE_RETURN_IF_ERROR(producer->Send({.topic = topic,
                                             .key = key,
                                             .value = value,
                                             .timestamp_ms = start_ms + i * kEventSpanMs / workload.records}));
  }
  return producer->Flush(120'000);
}

}  // namespace tailrace::bench
