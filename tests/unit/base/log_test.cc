// Goal: one line per event that a person and a program can read; a noisy place stays quiet. Method: a sink that keeps
// lines.
#include "tailrace/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace tailrace::base {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  void Use(LogLevel level, LogFormat format) {
    ConfigureLog(
        {.level = level, .format = format, .sink = [this](std::string_view line) { lines_.emplace_back(line); }});
  }
  void TearDown() override { ConfigureLog({}); }

  std::vector<std::string> lines_;
};

TEST_F(LogTest, Text) {
  Use(LogLevel::kInfo, LogFormat::kText);
  LogInfo("processor", "task restored",
          {{"task", "0_3"}, {"records", 1200}, {"ratio", 0.5}, {"why", "two words"}, {"done", true}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(
      lines_[0],
      EndsWith(R"( info    processor: task restored task=0_3 records=1200 ratio=0.5 why="two words" done=true)"));
  EXPECT_EQ(lines_[0][10], 'T');
  EXPECT_EQ(lines_[0][23], 'Z');
}

TEST_F(LogTest, JsonEscapesWhateverItIsGiven) {
  Use(LogLevel::kInfo, LogFormat::kJson);
  LogWarning("ingest", "line refused",
             {{"text", "a\"b\\c\nd\x01"}, {"line", 7}, {"nan", std::numeric_limits<double>::quiet_NaN()}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(
      lines_[0],
      EndsWith(
          R"("level":"warning","component":"ingest","message":"line refused","text":"a\"b\\c\nd\u0001","line":7,"nan":"nan"})"));
}

TEST_F(LogTest, AStatusIsShownWithItsReaction) {
  Use(LogLevel::kInfo, LogFormat::kText);
  LogError("kafka", "commit failed", {{"error", Error(Reaction::kRetry, absl::StatusCode::kUnavailable, "no broker")}});
  EXPECT_THAT(lines_[0], HasSubstr(R"(error="UNAVAILABLE: no broker [retry]")"));
}

TEST_F(LogTest, BelowTheLevelNothingIsWritten) {
  Use(LogLevel::kWarning, LogFormat::kText);
  LogInfo("a", "b");
  LogDebug("a", "b");
  EXPECT_TRUE(lines_.empty());
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  LogError("a", "b");
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
}

TEST(LogEveryMs, LetsOneThroughPerIntervalAndCountsTheRest) {
  ManualClock clock;
  LogEveryMs gate(1'000, clock);
  EXPECT_EQ(gate.Pass(), 0u);
  EXPECT_EQ(gate.Pass(), std::nullopt);
  clock.AdvanceMs(999);
  EXPECT_EQ(gate.Pass(), std::nullopt);
  clock.AdvanceMs(1);
  EXPECT_EQ(gate.Pass(), 2u);
  EXPECT_EQ(gate.Pass(), std::nullopt);
}

}  // namespace
}  // namespace tailrace::base
