// Goal: everything wrong with a request is reported at once, and defaults are the last hour.
#include "gateway/parameters.h"

#include <gtest/gtest.h>

#include <set>

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kNow = 1767229200000;  // 2026-01-01T01:00:00Z

class ParametersTest : public ::testing::Test {
 protected:
  base::ManualClock clock_{kNow};
};

TEST_F(ParametersTest, AllErrorsTogether) {
  Parameters parameters("from=yesterday&to=x&n=0&zone=Mars/Phobos&by=likes&order=up&surprise=1&n=2", clock_);
  parameters.Range();
  parameters.Zone();
  EXPECT_EQ(parameters.Int("n", 10, 1, 1000), 10);
  parameters.OneOf("by", "posts", {"posts"});
  parameters.OneOf("order", "desc", {"asc", "desc"});
  EXPECT_FALSE(parameters.Finish());
  std::multiset<std::string> wrong;
  for (const ParameterError& error : parameters.errors()) wrong.insert(error.parameter);
  EXPECT_EQ(wrong, (std::multiset<std::string>{"by", "from", "n", "n", "order", "surprise", "to", "zone"}));
}

TEST_F(ParametersTest, DefaultsToTheLastHour) {
  Parameters none("", clock_);
  WindowRange range = none.Range();
  EXPECT_EQ(range.from_ms, kNow - 3'600'000);
  EXPECT_EQ(range.to_ms, kNow);
  Parameters only_to("to=2026-01-01T00:30:00Z", clock_);
  range = only_to.Range();
  EXPECT_EQ(range.to_ms - range.from_ms, 3'600'000);
  EXPECT_TRUE(only_to.Finish());
}

TEST_F(ParametersTest, FromAfterTo) {
  Parameters parameters("from=2026-01-01T01:00:00Z&to=2026-01-01T00:00:00Z", clock_);
  parameters.Range();
  ASSERT_EQ(parameters.errors().size(), 1u);
  EXPECT_EQ(parameters.errors()[0].parameter, "from");
  Parameters same("from=5&to=5", clock_);
  same.Range();
  EXPECT_TRUE(same.Finish());
}

TEST_F(ParametersTest, Integers) {
  for (const char* bad : {"n=", "n=0", "n=1001", "n=-1", "n=1.5", "n=ten", "n=99999999999999", "n=%201"}) {
    Parameters parameters(bad, clock_);
    parameters.Int("n", 10, 1, 1000);
    EXPECT_EQ(parameters.errors().size(), 1u) << bad;
  }
  Parameters good("n=1000", clock_);
  EXPECT_EQ(good.Int("n", 10, 1, 1000), 1000);
}

TEST_F(ParametersTest, BadEncodingHidesNothingElse) {
  Parameters parameters("from=%ff&%ff=1&n=0&n=%zz&by=%", clock_);
  parameters.Range();
  parameters.Int("n", 10, 1, 1000);
  EXPECT_FALSE(parameters.Finish());
  std::multiset<std::string> wrong;
  for (const ParameterError& error : parameters.errors()) wrong.insert(error.parameter);
  // n: given twice, once out of range, once no text. The route has no `by`, which changes nothing.
  EXPECT_EQ(wrong, (std::multiset<std::string>{"by", "from", "n", "n", "n", "query"}));
}

TEST(AlignedToWindows, MovesFromBackToItsWindow) {
  EXPECT_EQ(AlignedToWindows({301'000, 900'000}, 300'000).from_ms, 300'000);
  EXPECT_EQ(AlignedToWindows({300'000, 900'000}, 300'000).from_ms, 300'000);
  EXPECT_EQ(AlignedToWindows({299'999, 900'000}, 300'000).from_ms, 0);
}

}  // namespace
}  // namespace tailrace::grpc_api
