#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "bench.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/load.h"
#include "tailrace/tailrace.h"

namespace tailrace::bench {
namespace {

using std::chrono_literals::operator""s;

constexpr int kStartMs = 60'000;
constexpr int kCloseMs = 60'000;
constexpr int kProgressPollMs = 20;
// A run that does not finish within this is reported as failed.
constexpr int64_t kRunSecondsMax = 900;

// Keys and values stay views into the consumed batch.
absl::StatusOr<Topology> CountTopology(const std::string& topic) {
  StreamsBuilder builder;
  builder.Stream<std::string_view, std::string_view>(topic)
      .GroupByKey()
      .WindowedBy(TimeWindows::OfSizeAndGrace(60s, 60s))
      .Count(Materialized("counts"))
      .ToStream()
      .To(topic + "-counts");
  return builder.Build();
}

absl::StatusOr<Topology> TopologyOf(const Workload& workload) {
  if (workload.pipeline.empty()) return CountTopology(workload.topic);
  TAILRACE_ASSIGN_OR_RETURN(const pipeline::PipelineSpec spec, pipeline::LoadPipeline(workload.pipeline, {}));
  return pipeline::CompilePipeline(spec);
}

int64_t CommittedRecords(processor::Queryable& queryable) {
  int64_t records = 0;
  for (const processor::TaskInfo& task : queryable.Tasks())
    for (const processor::InputProgress& input : task.inputs)
      if (input.next_offset.value() > 0) records += input.next_offset.value();
  return records;
}

}  // namespace

absl::Status RunStreams(const Workload& workload) {
  TAILRACE_ASSIGN_OR_RETURN(Topology topology, TopologyOf(workload));
  std::vector<std::string> set = {"application.id=" + absl::StrCat("bench-", workload.topic, "-", workload.guarantee),
                                  "bootstrap.servers=" + workload.bootstrap,
                                  "state.dir=" + workload.state_dir,
                                  "processing.guarantee=" + workload.guarantee,
                                  "num.stream.threads=1",
                                  "auto.offset.reset=earliest"};
  set.insert(set.end(), workload.set.begin(), workload.set.end());
  TAILRACE_ASSIGN_OR_RETURN(const Config config, Config::Load({.set = set}));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(config));
  TAILRACE_RETURN_IF_ERROR(cluster->admin().CreateTopics(
      {{.name = workload.topic + "-counts", .partition_count = workload.partitions, .config = {{"retention.ms", "-1"}}},
       {.name = "city-metrics", .partition_count = workload.partitions, .config = {{"retention.ms", "-1"}}}},
      kStartMs));

  MetricsRegistry metrics;
  Streams streams(std::move(topology), config, *cluster, metrics);
  const Measurement measurement;
  TAILRACE_RETURN_IF_ERROR(streams.Start());
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + kRunSecondsMax * 1'000;
  while (CommittedRecords(streams.queryable()) < workload.records) {
    if (!streams.status().ok()) return streams.status();
    if (base::SystemClock().SteadyMs() > deadline_ms)
      return absl::DeadlineExceededError(absl::StrCat("only ", CommittedRecords(streams.queryable()), " of ",
                                                      workload.records, " records within ", kRunSecondsMax, " s"));
    std::this_thread::sleep_for(std::chrono::milliseconds(kProgressPollMs));
  }
  measurement.Report("tailrace", workload.records);
  return streams.Close(kCloseMs);
}

}  // namespace tailrace::bench
