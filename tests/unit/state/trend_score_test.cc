// Goal: slopes and decayed counts are those of the definition, whatever gaps a series has.
// Method: series by hand, and generated ones against the definition written another way (a count for every period, -1 for gaps).
#include "tailrace/state/trend_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

constexpr int64_t kHour = 3'600'000;

// One window of a series.
struct PeriodCount {
  int64_t start_ms = 0;
  double count = 0;
};

// The slope that a window is credited with.
struct PeriodSlope {
  int64_t start_ms = 0;
  double slope = 0;
  friend bool operator==(const PeriodSlope&, const PeriodSlope&) = default;
};

std::vector<PeriodSlope> Slopes(std::span<const PeriodCount> series, int64_t period_ms) {
  std::vector<PeriodSlope> slopes;
  SlopeScore score(period_ms);
  for (const PeriodCount& window : series) {
    score.Add(window.start_ms, window.count);
    if (score.score()) slopes.push_back({.start_ms = window.start_ms, .slope = *score.score()});
  }
  return slopes;
}

double DecayedCount(std::span<const PeriodCount> series, int64_t as_of_ms, int64_t half_life_ms) {
  DecayScore score(as_of_ms, half_life_ms);
  for (const PeriodCount& window : series) score.Add(window.start_ms, window.count);
  return score.score();
}

TEST(TrendScore, ASlopeBelongsToTheLaterPeriod) {
  const std::vector<PeriodCount> series{{0, 2}, {kHour, 5}, {2 * kHour, 4}};
  EXPECT_EQ(Slopes(series, kHour), (std::vector<PeriodSlope>{{kHour, 3}, {2 * kHour, -1}}));
}

TEST(TrendScore, AGapMakesARiseFlatter) {
  // Absent for three periods between: the rise of 8 is over four.
  const std::vector<PeriodCount> series{{kHour, 2}, {5 * kHour, 10}};
  EXPECT_EQ(Slopes(series, kHour), (std::vector<PeriodSlope>{{5 * kHour, 2}}));
  // The same times counted in half hours.
  EXPECT_EQ(Slopes(series, kHour / 2), (std::vector<PeriodSlope>{{5 * kHour, 1}}));
}

TEST(TrendScore, OnePeriodHasNoSlope) {
  EXPECT_TRUE(Slopes({}, kHour).empty());
  const std::vector<PeriodCount> one{{kHour, 7}};
  EXPECT_TRUE(Slopes(one, kHour).empty());
  SlopeScore score(kHour);
  EXPECT_EQ(score.score(), std::nullopt);
  score.Add(kHour, 7);
  EXPECT_EQ(score.score(), std::nullopt);
  EXPECT_EQ(score.start_ms(), kHour);
  score.Add(2 * kHour, 7);
  EXPECT_EQ(score.score(), 0.0);
  EXPECT_EQ(score.start_ms(), 2 * kHour);
}

TEST(TrendScore, HalfOfItIsLeftAfterAHalfLife) {
  const std::vector<PeriodCount> series{{0, 16}, {2 * kHour, 4}, {4 * kHour, 1}};
  EXPECT_DOUBLE_EQ(DecayedCount(series, 4 * kHour, 2 * kHour), 16 * 0.25 + 4 * 0.5 + 1);
  // Asked later by one half-life everything is half as much.
  EXPECT_DOUBLE_EQ(DecayedCount(series, 6 * kHour, 2 * kHour), 0.5 * DecayedCount(series, 4 * kHour, 2 * kHour));
  EXPECT_EQ(DecayedCount({}, 0, 1), 0.0);
}

TEST(TrendScore, TheFutureHasNoAge) {
  const std::vector<PeriodCount> series{{9 * kHour, 3}};
  EXPECT_EQ(DecayedCount(series, kHour, 1), 3.0);
}

TEST(TrendScore, AgreesWithTheDefinitionOnAnySeries) {
  base::Random random(7);
  for (int round = 0; round < 200; ++round) {
    constexpr int kPeriods = 24;
    std::vector<double> counts(kPeriods, -1);
    std::vector<PeriodCount> series;
    for (int period = 0; period < kPeriods; ++period) {
      if (random.Chance(0.5)) continue;
      counts[period] = static_cast<double>(random.Below(50));
      series.push_back({period * kHour, counts[period]});
    }
    std::vector<PeriodSlope> slopes;
    double decayed = 0;
    for (int later = 0; later < kPeriods; ++later) {
      if (counts[later] < 0) continue;
      decayed += counts[later] * std::pow(0.5, (kPeriods - later) / 6.0);
      int earlier = later - 1;
      while (earlier >= 0 && counts[earlier] < 0) --earlier;
      if (earlier >= 0) slopes.push_back({later * kHour, (counts[later] - counts[earlier]) / (later - earlier)});
    }
    EXPECT_EQ(Slopes(series, kHour), slopes);
    EXPECT_NEAR(DecayedCount(series, kPeriods * kHour, 6 * kHour), decayed, 1e-9);
  }
}

TEST(TrendScoreDeathTest, RefusesASeriesOutOfOrder) {
  SlopeScore score(kHour);
  score.Add(kHour, 1);
  EXPECT_DEATH(score.Add(kHour, 2), "growing start");
}

}  // namespace
}  // namespace tailrace::state
