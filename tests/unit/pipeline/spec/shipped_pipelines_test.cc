// The pipelines that come with Tailrace load, and keep the names that others rely on.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline {
namespace {

std::string Pipeline(const std::string& name) { return std::string(std::getenv("TAILRACE_SOURCE_DIR")) + "/pipelines/" + name + ".yaml"; }

TEST(ShippedPipelinesTest, CityMetrics) {
  const auto spec = LoadPipeline(Pipeline("city-metrics"), {{"retweet_kinds", "retweet,quote,reply"}, {"window", "15m"}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->application_id, "city-metrics");
  EXPECT_EQ(spec->sources[0].topic, "posts");
  EXPECT_EQ(spec->sinks[0].topic, "city-metrics");
  const auto* aggregate = spec->Find<AggregateStep>();
  EXPECT_EQ(aggregate->store, "city-metrics");
  EXPECT_EQ(aggregate->fields[0].name, "posts");
  EXPECT_EQ(aggregate->fields[1].name, "retweets");
  EXPECT_EQ(aggregate->fields[1].condition.values.size(), 3u);
  EXPECT_EQ(aggregate->fields[2].name, "active_users");
  const auto* window = spec->Find<WindowStep>();
  EXPECT_EQ(window->size_ms, 900'000);
  EXPECT_EQ(window->grace_ms, 600'000);
  EXPECT_EQ(window->retention_ms, 86'400'000);
}

}  // namespace
}  // namespace tailrace::pipeline
