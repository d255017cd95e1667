// Goal: time moves only as the clock's kind promises.
#include "tailrace/base/clock.h"

#include <gtest/gtest.h>

namespace tailrace::base {
namespace {

TEST(Clock, AManualClockMovesOnlyWhenTold) {
  ManualClock clock(1'000);
  EXPECT_EQ(clock.WallMs(), 1'000);
  EXPECT_EQ(clock.SteadyMs(), 0);
  clock.AdvanceMs(250);
  EXPECT_EQ(clock.WallMs(), 1'250);
  EXPECT_EQ(clock.SteadyNs(), 250'000'000);
}

TEST(Clock, TheSystemClockIsInThisCenturyAndNeverGoesBack) {
  EXPECT_GT(SystemClock().WallMs(), 1'600'000'000'000);
  const int64_t before = SystemClock().SteadyNs();
  EXPECT_GE(SystemClock().SteadyNs(), before);
}

}  // namespace
}  // namespace tailrace::base
