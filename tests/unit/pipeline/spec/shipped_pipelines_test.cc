// The pipelines that come with Tailrace load, and keep the names that others rely on.
#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/str_join.h"
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

std::vector<std::string> FieldsOf(const AggregateStep& aggregate) {
  std::vector<std::string> names;
  for (const AggregateFieldSpec& field : aggregate.fields) names.push_back(field.name);
  return names;
}

TEST(ShippedPipelinesTest, Trends) {
  const auto spec = LoadPipeline(Pipeline("trends"), {{"period", "15m"}, {"groups", "press:alpha,press:17"}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->application_id, "trends");
  EXPECT_EQ(spec->StoreNames(), (std::vector<std::string>{"trends", "trends-by-place", "trends-by-group", "word-counts"}));
  for (size_t branch = 0; branch < 4; ++branch) {
    const PipelineSpec only = spec->OnlyBranch(branch);
    EXPECT_EQ(FieldsOf(*only.Find<AggregateStep>()), (std::vector<std::string>{"count"}));
    const auto* window = only.Find<WindowStep>();
    EXPECT_EQ(window == nullptr, branch == 3);
    if (window == nullptr) continue;
    EXPECT_EQ(window->size_ms, 900'000);
    EXPECT_EQ(window->retention_ms, int64_t{8} * 86'400'000);
  }
}

TEST(ShippedPipelinesTest, UserViews) {
  const auto spec = LoadPipeline(Pipeline("user-views"), {});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->application_id, "user-views");
  EXPECT_EQ(spec->StoreNames(), (std::vector<std::string>{"user-views", "user-views-all-time"}));
  const PipelineSpec days = spec->OnlyBranch(0), all_time = spec->OnlyBranch(1);
  for (const PipelineSpec* only : {&days, &all_time}) {
    EXPECT_EQ(FieldsOf(*only->Find<AggregateStep>()),
              (std::vector<std::string>{"posts", "retweets", "favorites", "sentiment_sum", "sentiment_avg"}));
  }
  EXPECT_EQ(days.Find<WindowStep>()->size_ms, 86'400'000);
  EXPECT_EQ(days.Find<WindowStep>()->retention_ms, int64_t{400} * 86'400'000);
  EXPECT_EQ(all_time.Find<WindowStep>(), nullptr);
}

struct Shipped {
  const char* name;
  const char* topic;
  int64_t size_ms;
  int64_t advance_ms;
  int64_t retention_ms;
  const char* fields;
};

// The names are a contract with whoever queries the stores.
TEST(ShippedPipelinesTest, KeepTheirNames) {
  constexpr int64_t kDayMs = 86'400'000;
  for (const Shipped& shipped : {Shipped{"language-counts", "posts", 20'000, 4'000, kDayMs, "posts"},
                                 Shipped{"ohlcv", "trades", 60'000, 60'000, kDayMs, "open high low close volume trades"},
                                 Shipped{"wages", "visa", 60'000, 60'000, kDayMs, "average count unit"},
                                 Shipped{"ticker-views", "bars", kDayMs, kDayMs, 2'191 * kDayMs, "days open high low close change volume"}}) {
    const auto spec = LoadPipeline(Pipeline(shipped.name), {});
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->application_id, shipped.name);
    EXPECT_EQ(spec->sources[0].topic, shipped.topic);
    EXPECT_EQ(spec->sources[0].processing_time, std::string(shipped.name) == "wages");
    EXPECT_EQ(spec->Find<AggregateStep>()->store, shipped.name);
    EXPECT_EQ(absl::StrJoin(FieldsOf(*spec->Find<AggregateStep>()), " "), shipped.fields);
    EXPECT_EQ(spec->Find<WindowStep>()->size_ms, shipped.size_ms);
    EXPECT_EQ(spec->Find<WindowStep>()->advance_ms, shipped.advance_ms);
    EXPECT_EQ(spec->Find<WindowStep>()->retention_ms, shipped.retention_ms);
  }
}

TEST(ShippedPipelinesTest, Sentiment) {
  const auto spec = LoadPipeline(Pipeline("sentiment"), {});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->application_id, "sentiment");
  EXPECT_EQ(spec->StoreNames(), (std::vector<std::string>{"sentiment"}));
  EXPECT_EQ(FieldsOf(*spec->Find<AggregateStep>()), (std::vector<std::string>{"sentiment", "posts"}));
  ASSERT_EQ(spec->tables.size(), 1u);
  const PipelineSpec table = spec->TablePipeline(spec->tables[0]);
  EXPECT_EQ(table.sources[0].topic, "bars");
  EXPECT_EQ(FieldsOf(*table.Find<AggregateStep>()), (std::vector<std::string>{"day_change"}));
}

}  // namespace
}  // namespace tailrace::pipeline
