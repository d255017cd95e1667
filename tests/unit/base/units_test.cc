// Goal: what people write is read as they mean it, and nothing else is accepted.
#include "tailrace/base/units.h"

#include <gtest/gtest.h>

#include "tailrace/base/nearest.h"

namespace tailrace::base {
namespace {

TEST(Units, Durations) {
  EXPECT_EQ(ParseDurationMs("250"), 250);
  EXPECT_EQ(ParseDurationMs("250ms"), 250);
  EXPECT_EQ(ParseDurationMs("5m"), 300'000);
  EXPECT_EQ(ParseDurationMs("1h30m"), 5'400'000);
  EXPECT_EQ(ParseDurationMs("1d"), 86'400'000);
  for (const char* wrong :
       {"", "m", "-5m", "5 m", "5x", "1m1h", "1m1m", "5m3", "99999999999999999999", "999999999999999d"}) {
    EXPECT_EQ(ParseDurationMs(wrong), std::nullopt) << wrong;
  }
}

TEST(Units, FormattedDurationsReadBack) {
  EXPECT_EQ(FormatDurationMs(5'400'000), "1h30m");
  EXPECT_EQ(FormatDurationMs(0), "0ms");
  for (const int64_t ms : {0, 1, 999, 1'001, 86'400'000, 90'061'001})
    EXPECT_EQ(ParseDurationMs(FormatDurationMs(ms)), ms);
}

TEST(Units, Sizes) {
  EXPECT_EQ(ParseBytes("1024"), 1024);
  EXPECT_EQ(ParseBytes("64MiB"), 64 << 20);
  EXPECT_EQ(ParseBytes("2 GB"), int64_t{2} << 30);
  for (const char* wrong : {"", "MiB", "-1", "1TiBx", "1.5MiB", "9999999999999GiB"})
    EXPECT_EQ(ParseBytes(wrong), std::nullopt) << wrong;
}

TEST(Units, Integers) {
  EXPECT_EQ(ParseInt("-1"), -1);
  EXPECT_EQ(ParseInt("+1"), 1);
  for (const char* wrong : {"", "+", "+-1", "1 ", "0x1", "1e3"}) EXPECT_EQ(ParseInt(wrong), std::nullopt) << wrong;
}

TEST(Nearest, FindsTheMisspeltAndLeavesTheUnrelated) {
  const std::string_view names[] = {"state.dir", "num.stream.threads", "application.id"};
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("form", "from"), 1u) << "neighbours that changed places are one mistake";
  EXPECT_EQ(Nearest("aplication.id", names), "application.id");
  EXPECT_EQ(Nearest("colour", names), "");
  EXPECT_EQ(DidYouMean("sate.dir", names), "; did you mean 'state.dir'?");
  EXPECT_EQ(DidYouMean("colour", names), "");
}

}  // namespace
}  // namespace tailrace::base
