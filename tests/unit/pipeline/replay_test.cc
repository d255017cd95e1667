// Goal: what can be rebuilt from the middle is told apart from what cannot, for the pipelines that come with Tailrace.
#include "tailrace/pipeline/replay.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline {
namespace {

absl::StatusOr<PipelineSpec> Shipped(const std::string& name) {
  return LoadPipeline(std::string(std::getenv("TAILRACE_SOURCE_DIR")) + "/pipelines/" + name + ".yaml", {});
}

TEST(ReplayRulesTest, WindowsCanBeRebuiltFromTheMiddle) {
  const auto rules = ReplayRulesOf(*Shipped("city-metrics"));
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_TRUE(rules->unbounded.empty());
  ASSERT_EQ(rules->windows.size(), 1u);
  EXPECT_EQ(rules->windows[0].name, "city-metrics");
  EXPECT_EQ(rules->windows[0].size_ms, 300'000);
  EXPECT_EQ(rules->windows[0].grace_ms, 600'000);
  EXPECT_EQ(ReplayRulesOf(*Shipped("language-counts"))->windows[0].size_ms, 20'000);
  EXPECT_TRUE(ReplayRulesOf(*Shipped("ohlcv"))->unbounded.empty());
  EXPECT_TRUE(ReplayRulesOf(*Shipped("ticker-views"))->unbounded.empty());
}

TEST(ReplayRulesTest, SumsOfAllInputCannot) {
  const auto names = [](const char* pipeline) {
    std::string all;
    const auto rules = ReplayRulesOf(*Shipped(pipeline));
    EXPECT_TRUE(rules.ok()) << rules.status();
    for (const UnboundedStore& store : rules->unbounded) all += store.name + ": " + store.why + "\n";
    return all;
  };
  EXPECT_EQ(names("trends"), "trends-seen: remembers the ids of earlier records\nword-counts: is an aggregate over all time\n");
  EXPECT_EQ(names("user-views"), "user-views-seen: remembers the ids of earlier records\nuser-views-all-time: is an aggregate over all time\n");
  EXPECT_EQ(names("sentiment"),
            "sentiment-seen: remembers the ids of earlier records\nsentiment-posts: is an aggregate over all time\n"
            "sentiment: is a join of tables\nsentiment-days: is an aggregate over all time\n");
  EXPECT_EQ(ReplayRulesOf(*Shipped("trends"))->windows.size(), 3u);
}

TEST(ReplayRulesTest, TheTimeOfProcessingDoesNotComeAgain) {
  const auto rules = ReplayRulesOf(*Shipped("wages"));
  EXPECT_TRUE(absl::IsInvalidArgument(rules.status()));
  EXPECT_NE(rules.status().message().find("source visa"), absl::string_view::npos) << rules.status();
}

TEST(ReplayRulesTest, AReplayWritesToTopicsOfItsOwn) {
  PipelineSpec spec = *Shipped("city-metrics");
  spec.dead_letter_topic = "bad";
  const PipelineSpec replay = ReplayOf(spec, 3);
  EXPECT_EQ(replay.sinks[0].topic, "city-metrics-replay-3");
  EXPECT_EQ(replay.dead_letter_topic, "bad-replay-3");
  EXPECT_EQ(replay.sources[0].topic, "posts");
}

TEST(ParseReplayTimeTest, TimesAndHowLongAgo) {
  constexpr int64_t kNow = 1'790'000'000'000;
  EXPECT_EQ(*ParseReplayTime("earliest", kNow), std::optional<int64_t>());
  EXPECT_EQ(*ParseReplayTime("-1h", kNow), kNow - 3'600'000);
  EXPECT_EQ(*ParseReplayTime("-1h30m", kNow), kNow - 5'400'000);
  EXPECT_EQ(*ParseReplayTime("2026-01-01T00:00:00Z", kNow), 1'767'225'600'000);
  for (const char* bad : {"", "-", "1h", "yesterday", "latest", "-x", "2040-01-01T00:00:00Z", "-100000d"})
    EXPECT_TRUE(absl::IsInvalidArgument(ParseReplayTime(bad, kNow).status())) << bad;
}

}  // namespace
}  // namespace tailrace::pipeline
