// Goal: a seed gives the same numbers everywhere. Method: the published vector of SplitMix64, and bounds.
#include "tailrace/base/random.h"

#include <gtest/gtest.h>

namespace tailrace::base {
namespace {

TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
}

TEST(Random, StaysBelowItsBoundAndReachesAllOfIt) {
  Random random(7);
  bool seen[5] = {};
  for (int i = 0; i < 1'000; ++i) {
    const uint64_t value = random.Below(5);
    ASSERT_LT(value, 5u);
    seen[value] = true;
    const double unit = random.Unit();
    ASSERT_TRUE(unit >= 0 && unit < 1);
  }
  for (const bool one : seen) EXPECT_TRUE(one);
}

TEST(Random, SeedsFromEntropyDiffer) { EXPECT_NE(EntropySeed(), EntropySeed()); }

}  // namespace
}  // namespace tailrace::base
