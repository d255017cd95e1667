// Goal: lengths of time, calendar periods and weeks are what people mean by them; a fitted line is the least-squares one.
#include "common/text_case.h"
#include "gateway/periods.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "gateway/linear_fit.h"
#include "gateway/times.h"
#include "tailrace/base/random.h"

namespace tailrace::grpc_api {
namespace {

int64_t At(const char* time) { return *ParseTimeMs(time); }

TEST(Periods, Durations) {
  EXPECT_EQ(ParseDurationMs("90s"), 90'000);
  EXPECT_EQ(ParseDurationMs("5m"), 300'000);
  EXPECT_EQ(ParseDurationMs("1h"), 3'600'000);
  EXPECT_EQ(ParseDurationMs("7d"), 7 * kDayMs);
  for (const char* wrong : {"", "h", "0h", "-1h", "1", "1.5h", "1h30m", "1 h", "1w", "99999999999999999999s", "100000001d"}) {
    EXPECT_EQ(ParseDurationMs(wrong), std::nullopt) << wrong;
  }
}

TEST(Periods, DaysBeginAtTheZonesMidnight) {
  const absl::TimeZone toronto = *FindZone("America/Toronto");
  EXPECT_EQ(CalendarPeriodStart(At("2026-01-01T03:00:00Z"), kDayMs, toronto), At("2025-12-31T05:00:00Z"));
  EXPECT_EQ(CalendarPeriodStart(At("2026-01-01T03:07:00Z"), 300'000, toronto), At("2026-01-01T03:05:00Z"));
  // The day on which clocks go forward has 23 hours.
  const int64_t start = At("2026-03-08T05:00:00Z");
  EXPECT_EQ(NextCalendarPeriod(start, kDayMs, toronto), At("2026-03-09T04:00:00Z"));
  EXPECT_EQ(CalendarPeriodStart(At("2026-03-09T03:59:00Z"), kDayMs, toronto), start);
}

TEST(Periods, Weeks) {
  const DayWindows utc(At("2026-01-01T02:00:00Z"), absl::UTCTimeZone());
  EXPECT_EQ(utc.Week().from_ms, At("2025-12-25T00:00:00Z"));
  EXPECT_EQ(utc.Week().to_ms, At("2026-01-01T00:00:00Z"));
  EXPECT_EQ(utc.WeekWithToday().from_ms, At("2025-12-26T00:00:00Z"));
  EXPECT_EQ(utc.WeekWithToday().to_ms, At("2026-01-02T00:00:00Z"));
  const DayWindows toronto(At("2026-01-01T02:00:00Z"), *FindZone("America/Toronto"));
  EXPECT_EQ(toronto.Week().to_ms, At("2025-12-31T00:00:00Z"));
  EXPECT_EQ(DayWindows::Name(toronto.Week().to_ms), "2025-12-31");
}

TEST(LinearFit, AgreesWithTheNormalEquations) {
  base::Random random(3);
  LinearFit fit;
  double n = 0, x1 = 0, y1 = 0, xx = 0, xy = 0, yy = 0;
  for (int i = 0; i < 500; ++i) {
    const double x = static_cast<double>(random.Below(1000)) / 100, y = 3 - 0.5 * x + static_cast<double>(random.Below(100)) / 10;
    fit.Add(x, y);
    n += 1, x1 += x, y1 += y, xx += x * x, xy += x * y, yy += y * y;
  }
  const double slope = (n * xy - x1 * y1) / (n * xx - x1 * x1);
  const double r = (n * xy - x1 * y1) / std::sqrt((n * xx - x1 * x1) * (n * yy - y1 * y1));
  ASSERT_TRUE(fit.line());
  EXPECT_NEAR(fit.line()->slope, slope, 1e-9);
  EXPECT_NEAR(fit.line()->intercept, (y1 - slope * x1) / n, 1e-9);
  EXPECT_NEAR(fit.line()->correlation, r, 1e-9);
  EXPECT_NEAR(fit.line()->r_squared, r * r, 1e-9);
}

TEST(LinearFit, NothingToFit) {
  LinearFit fit;
  EXPECT_FALSE(fit.line());
  fit.Add(1, 1), fit.Add(2, 2);
  EXPECT_FALSE(fit.line()) << "two pairs always lie on a line";
  LinearFit flat;
  for (int i = 0; i < 9; ++i) flat.Add(i, 4);
  EXPECT_FALSE(flat.line());
}

TEST(LinearFit, PredictsWhatItHasNotSeen) {
  std::vector<DatedPair> pairs;
  for (int day = 10; day < 22; ++day) pairs.push_back({"2026-01-" + std::to_string(day), day * 1.0, 5 - 2.0 * day});
  ASSERT_TRUE(PredictHeldOut(pairs));
  EXPECT_EQ(PredictHeldOut(pairs)->pairs, 3);
  EXPECT_NEAR(PredictHeldOut(pairs)->r_squared, 1, 1e-9);

  // The last three days turn round: the line says 14, the mean of the first nine 4, and it is -6.
  for (size_t i = 0; i < 9; ++i) pairs[i] = {pairs[i].date, i * 1.0, i * 1.0};
  for (size_t i = 9; i < 12; ++i) pairs[i] = {pairs[i].date, 14, -6 + 0.0 * i};
  EXPECT_NEAR(PredictHeldOut(pairs)->r_squared, 1 - 3 * 400.0 / (3 * 100.0), 1e-9);

  // A day stays together, so here nothing is left to predict.
  for (size_t i = 8; i < 12; ++i) pairs[i].date = "2026-02-01";
  EXPECT_FALSE(PredictHeldOut(pairs));
  EXPECT_FALSE(PredictHeldOut({}));
  EXPECT_FALSE(PredictHeldOut(std::span(pairs).first(5))) << "two to predict are too few";
}

TEST(TextCase, FoldsAndComposes) {
  EXPECT_EQ(LowerCase("  MONTRÉAL\t"), "montréal");
  EXPECT_EQ(LowerCase("CAFE\xCC\x81"), "café") << "the accent as a character of its own";
  EXPECT_EQ(UpperCase("aapl"), "AAPL");
  EXPECT_EQ(LowerCase(""), "");
}

}  // namespace
}  // namespace tailrace::grpc_api
