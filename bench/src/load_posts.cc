#include "bench.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/config.h"
#include "tailrace/ingest/generate.h"
#include "tailrace/ingest/post_source.h"
#include "tailrace/ingest/topic_writer.h"

namespace tailrace::bench {
namespace {

constexpr int64_t kPostsPerSecond = 1'000;

}  // namespace

absl::Status LoadPosts(const Workload& workload) {
  TAILRACE_ASSIGN_OR_RETURN(const base::Config config,
                            base::Config::Load({.set = {"bootstrap.servers=" + workload.bootstrap}}));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Connect(config));
  TAILRACE_RETURN_IF_ERROR(cluster->admin().CreateTopics(
      {{.name = workload.topic, .partition_count = workload.partitions, .config = {{"retention.ms", "-1"}}}}, 30'000));
  ingest::PostOptions options;
  options.source.rate = kPostsPerSecond;
  options.source.start_ms = base::SystemClock().WallMs() - workload.records * 1'000 / kPostsPerSecond;
  ingest::PostSource source(options, std::nullopt);
  const ingest::StopSignal stop;
  TAILRACE_ASSIGN_OR_RETURN(const auto writer, ingest::TopicWriter::Open(*cluster, {.topic = workload.topic}, stop));
  return ingest::Generate(source, *writer, {.count = workload.records}, stop).status();
}

}  // namespace tailrace::bench
