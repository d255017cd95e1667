#include "tailrace/pipeline/timestamps.h"

#include <gtest/gtest.h>

namespace tailrace::pipeline {
namespace {

struct Case {
  const char* text;
  int64_t ms;
};

class ParseTimestampTest : public testing::TestWithParam<Case> {};

TEST_P(ParseTimestampTest, GivesEpochMilliseconds) { EXPECT_EQ(ParseTimestampMs(GetParam().text), GetParam().ms) << GetParam().text; }

// Expected values are from `date -u -d ... +%s`.
INSTANTIATE_TEST_SUITE_P(Forms, ParseTimestampTest,
                         testing::Values(Case{"2026-01-01T00:00:00Z", 1767225600000}, Case{"2026-01-01T00:00:00.123Z", 1767225600123},
                                         Case{"2026-01-01T00:00:00.1Z", 1767225600100}, Case{"2026-01-01T00:00:00.123987654Z", 1767225600123},
                                         Case{"2026-01-01T05:30:00+05:30", 1767225600000}, Case{"2025-12-31T16:00:00-0800", 1767225600000},
                                         Case{"2025-12-31T16:00:00-08", 1767225600000}, Case{"2026-01-01T00:00:00", 1767225600000},
                                         Case{"2026-01-01 00:00:00.5", 1767225600500}, Case{"2026-01-01", 1767225600000},
                                         Case{"2026-01-01T00:00", 1767225600000}, Case{"2024-02-29T12:00:00Z", 1709208000000},
                                         Case{"1969-12-31T23:59:59Z", -1000}, Case{"2016-12-31T23:59:60Z", 1483228800000},
                                         Case{"Thu Jan 01 00:00:00 +0000 2026", 1767225600000}, Case{"Wed Aug 27 13:08:45 +0000 2008", 1219842525000},
                                         Case{"Wed Aug 27 15:08:45 +0200 2008", 1219842525000}, Case{"Thu, 01 Jan 2026 00:00:00 +0000", 1767225600000},
                                         Case{"Thu, 1 Jan 2026 00:00:00 GMT", 1767225600000}, Case{"Thu, 01 Jan 2026 02:00:00 +0200", 1767225600000}));

class RefusedTimestampTest : public testing::TestWithParam<const char*> {};

TEST_P(RefusedTimestampTest, GivesNothing) { EXPECT_EQ(ParseTimestampMs(GetParam()), std::nullopt) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(Forms, RefusedTimestampTest,
                         testing::Values("", "now", "2026", "1767225600000", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-00-10",
                                         "2026-01-00", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
                                         "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00Zx", "2026-01-01Q00:00:00Z",
                                         "Thu Jan 32 00:00:00 +0000 2026", "Thu Foo 01 00:00:00 +0000 2026", "Thu Jan 01 00:00:00 2026",
                                         "Thu, 01 Jan 2026 00:00:00 ", "Thu"));

TEST(FormatTimestampTest, IsReadBackAsTheSame) {
  for (const int64_t ms : {int64_t{0}, int64_t{1767225600000}, int64_t{1767225600123}, int64_t{1709208000000}, int64_t{-1},
                           int64_t{-86'400'000}, int64_t{253'402'300'799'999}, int64_t{951'782'400'000}}) {
    EXPECT_EQ(ParseTimestampMs(FormatTimestamp(ms)), ms) << FormatTimestamp(ms);
  }
  EXPECT_EQ(FormatTimestamp(1767225600000), "2026-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp(1767225600120), "2026-01-01T00:00:00.120Z");
}

// Every day of 800 years, so that no leap rule is missed.
TEST(FormatTimestampTest, CountsEveryDay) {
  int64_t day = DaysFromCivil(1700, 1, 1);
  const int64_t end = DaysFromCivil(2500, 1, 1);
  EXPECT_EQ(end - day, 292'194);
  std::string last;
  for (; day < end; ++day) {
    const std::string text = FormatTimestamp(day * 86'400'000);
    EXPECT_LT(last, text);
    EXPECT_EQ(ParseTimestampMs(text), day * 86'400'000);
    last = text;
  }
}

}  // namespace
}  // namespace tailrace::pipeline
