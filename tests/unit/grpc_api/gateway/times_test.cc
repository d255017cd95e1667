// Goal: the forms of time that are accepted, and offsets of zones around changes of daylight saving.
#include "gateway/times.h"

#include <gtest/gtest.h>

namespace tailrace::grpc_api {
namespace {

TEST(ParseTime, Accepts) {
  EXPECT_EQ(ParseTimeMs("2026-01-01T00:00:00Z"), 1767225600000);
  EXPECT_EQ(ParseTimeMs("1767225600000"), 1767225600000);
  EXPECT_EQ(ParseTimeMs("0"), 0);
  EXPECT_EQ(ParseTimeMs("253402300799999"), ParseTimeMs("9999-12-31T23:59:59.999Z"));
  EXPECT_EQ(ParseTimeMs("2026-01-01T00:00:00.5Z"), 1767225600500);
  EXPECT_EQ(ParseTimeMs("2026-01-01T00:00:00.123456Z"), 1767225600123);
  EXPECT_EQ(ParseTimeMs("2026-01-01T02:00:00+02:00"), 1767225600000);
  EXPECT_EQ(ParseTimeMs("2026-01-01T02:00:00 02:00"), 1767225600000) << "a '+' that was not percent-encoded";
  EXPECT_EQ(ParseTimeMs("2025-12-31T19:00:00-05:00"), 1767225600000);
  EXPECT_EQ(ParseTimeMs("2024-02-29T00:00:00Z"), 1709164800000);
}

TEST(ParseTime, Refuses) {
  for (const char* text :
       {"", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00Zx", "-1", "1e3", "1.5", "99999999999999999999", "253402300800000", " 5"}) {
    EXPECT_FALSE(ParseTimeMs(text)) << text;
  }
}

TEST(FormatTime, ShowsTheOffsetAtThatTime) {
  EXPECT_EQ(FormatTime(1767225600000), "2026-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(1767225600500), "2026-01-01T00:00:00.500Z");
  const absl::TimeZone toronto = *FindZone("America/Toronto");
  EXPECT_EQ(FormatTime(1767225600000, toronto), "2025-12-31T19:00:00-05:00");
  // 8 March 2026, 02:00 local time: clocks go to 03:00.
  EXPECT_EQ(FormatTime(1772953199000, toronto), "2026-03-08T01:59:59-05:00");
  EXPECT_EQ(FormatTime(1772953200000, toronto), "2026-03-08T03:00:00-04:00");
  // 1 November 2026: the hour from 01:00 comes twice.
  EXPECT_EQ(FormatTime(1793511000000, toronto), "2026-11-01T01:30:00-04:00");
  EXPECT_EQ(FormatTime(1793514600000, toronto), "2026-11-01T01:30:00-05:00");
  EXPECT_EQ(FormatTime(1767225600000, *FindZone("Asia/Kolkata")), "2026-01-01T05:30:00+05:30");
}

TEST(FindZone, OnlyNamesOfTheDatabase) {
  EXPECT_TRUE(FindZone("UTC"));
  EXPECT_TRUE(FindZone("America/Argentina/Buenos_Aires"));
  for (const char* name : {"", "Mars/Phobos", "../../etc/passwd", "/etc/localtime", "America", "america/toronto ",
                           "file:/etc/localtime", "zone.tab", "America//"}) {
    EXPECT_FALSE(FindZone(name)) << name;
  }
}

}  // namespace
}  // namespace tailrace::grpc_api
