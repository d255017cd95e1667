// Goal: the ranking merges the windows of a key, is exact over several tasks, and is the same however often it is asked.
#include "query/top.h"

#include <gtest/gtest.h>

#include "query/view_selection.h"
#include "support/fake_queryable.h"

namespace tailrace::grpc_api {
namespace {

using testing::CityValue;
using testing::FakeQueryable;
constexpr int64_t kW = FakeQueryable::kWindowMs;

class TopTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<RankedKey>> Rank(std::string_view field, bool ascending, size_t n, TimeRange range = {}) {
    return Rank({.field = std::string(field), .ascending = ascending, .n = n}, range);
  }
  absl::StatusOr<std::vector<RankedKey>> Rank(const Ranking& ranking, TimeRange range) {
    return RankKeys(*SelectViews(queryable_, store_, {}, {}), store_, range, ranking, deadline_);
  }
  std::string Names(const absl::StatusOr<std::vector<RankedKey>>& ranked) {
    std::string names;
    for (const RankedKey& entry : *ranked) names += entry.key + "=" + std::to_string(static_cast<int>(entry.score)) + " ";
    return names;
  }
  FakeQueryable queryable_{5};
  processor::StoreInfo store_ = *queryable_.Store(FakeQueryable::kStore);
  Deadline deadline_{base::SystemClock(), 10'000};
};

TEST_F(TopTest, MergesTheWindowsOfAKey) {
  queryable_.Put("A", 0, {.posts = 3, .retweets = 1, .users = {"u1", "u2"}});
  queryable_.Put("A", kW, {.posts = 4, .retweets = 0, .users = {"u2", "u3"}});
  queryable_.Put("B", 0, {.posts = 5, .retweets = 0, .users = {"u1"}});
  EXPECT_EQ(Names(Rank("posts", false, 10)), "A=7 B=5 ");
  EXPECT_EQ(Names(Rank("active_users", false, 10)), "A=3 B=1 ") << "distinct users unite, they do not add up";
  EXPECT_EQ(Names(Rank("posts", false, 10, {0, kW})), "B=5 A=3 ");
  EXPECT_EQ(Names(Rank("posts", false, 10, {kW, 2 * kW})), "A=4 ");
}

TEST_F(TopTest, TiesGoByKeyInBothDirections) {
  for (const char* city : {"D", "B", "C", "A", "E"}) queryable_.Put(city, 0, {.posts = 2, .retweets = 0, .users = {}});
  queryable_.Put("Z", 0, {.posts = 1, .retweets = 0, .users = {}});
  EXPECT_EQ(Names(Rank("posts", false, 3)), "A=2 B=2 C=2 ");
  EXPECT_EQ(Names(Rank("posts", true, 3)), "Z=1 A=2 B=2 ");
}

TEST_F(TopTest, ZeroCountsAndMissingFieldDoesNot) {
  queryable_.Put("Zero", 0, {.posts = 1, .retweets = 0, .users = {}});
  queryable_.Put("Some", 0, {.posts = 1, .retweets = 2, .users = {}});
  EXPECT_EQ(Names(Rank("retweets", true, 5)), "Zero=0 Some=2 ");
  const absl::StatusOr<std::vector<RankedKey>> unknown = Rank("likes", true, 5);
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(unknown.status()), reason::kUnknownField);
  EXPECT_NE(unknown.status().message().find("\"retweets\""), std::string::npos) << "shows what a value looks like";
}

TEST_F(TopTest, AnEmptyRangeIsAnEmptyRankingAndNoUnknownField) {
  queryable_.Put("A", 0, {.posts = 1, .retweets = 0, .users = {}});
  EXPECT_EQ(Names(Rank("likes", true, 5, {kW, 2 * kW})), "");
  EXPECT_EQ(Names(Rank("posts", true, 5, {5, 5})), "");
}

TEST_F(TopTest, BoundedHeapAgreesWithSortingEverything) {
  std::vector<RankedKey> all;
  for (int i = 0; i < 500; ++i) {
    const CityValue value{.posts = (i * 7919) % 97, .retweets = 0, .users = {}};
    queryable_.Put("city" + std::to_string(i), 0, value);
    all.push_back({"city" + std::to_string(i), value.Encode(), 1, static_cast<double>(value.posts), std::nullopt});
  }
  for (const bool ascending : {false, true}) {
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return RanksBefore(a, b, ascending); });
    const absl::StatusOr<std::vector<RankedKey>> ranked = Rank("posts", ascending, 25);
    ASSERT_EQ(ranked->size(), 25u);
    for (size_t i = 0; i < 25; ++i) EXPECT_EQ((*ranked)[i].key, all[i].key) << i;
  }
}

TEST_F(TopTest, AStoreWithoutSchemaSaysSo) {
  store_ = *queryable_.Store("totals");
  EXPECT_EQ(ReasonOf(Rank("posts", false, 5).status()), reason::kNoSchema);
}

TEST_F(TopTest, KeysByPrefixAndSuffix) {
  for (const char* key : {"a|x", "a|y", "ab|x", "b|x"}) queryable_.Put(key, 0, {.posts = 1, .retweets = 0, .users = {}});
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .key_prefix = "a|"}, {})), "a|x=1 a|y=1 ");
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .key_suffix = "|x"}, {})), "ab|x=1 a|x=1 b|x=1 ");
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .key_prefix = "a|", .key_suffix = "|x"}, {})), "a|x=1 ");
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .key_prefix = "c|"}, {})), "");
}

TEST_F(TopTest, ASlopeIsBetweenTheTwoLatestPeriodsThatAreThere) {
  const auto put = [this](const char* key, int64_t window, int64_t posts) {
    queryable_.Put(key, window * kW, {.posts = posts, .retweets = 0, .users = {}});
  };
  put("rises", 0, 100), put("rises", 2, 10), put("rises", 3, 30);
  put("gap", 1, 2), put("gap", 3, 12);
  put("falls", 2, 9), put("falls", 3, 1);
  put("once", 3, 1000);
  put("gone", 0, 1), put("gone", 1, 51);
  const absl::StatusOr<std::vector<RankedKey>> ranked =
      Rank({.field = "posts", .n = 9, .score = RankScore::kSlope, .period_ms = kW}, {0, 4 * kW});
  EXPECT_EQ(Names(ranked), "gone=50 rises=20 gap=5 falls=-8 ") << "a key with one period has no slope";
  EXPECT_EQ((*ranked)[0].period_start_ms, kW) << "credited to the later of its periods, which is long over";
  EXPECT_EQ((*ranked)[1].period_start_ms, 3 * kW);
  EXPECT_EQ(CityValue::Decode((*ranked)[1].value)->posts, 140) << "the value is of the whole range";
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .score = RankScore::kSlope, .period_ms = kW}, {2 * kW, 4 * kW})),
            "rises=20 falls=-8 ");
  // Two windows make a period, counted back from the end: {0, 1} and {2, 3}.
  EXPECT_EQ(Names(Rank({.field = "posts", .n = 9, .score = RankScore::kSlope, .period_ms = 2 * kW}, {0, 3 * kW + 1})),
            "gap=10 rises=-60 ");
}

TEST_F(TopTest, PeriodsEndWhereTheRangeEnds) {
  EXPECT_EQ(PeriodStart(3 * kW, 2 * kW, kW, {0, 5 * kW}), 3 * kW);
  EXPECT_EQ(PeriodStart(4 * kW, 2 * kW, kW, {0, 5 * kW}), 3 * kW);
  EXPECT_EQ(PeriodStart(2 * kW, 2 * kW, kW, {0, 5 * kW}), kW);
  EXPECT_EQ(PeriodStart(4 * kW, 2 * kW, kW, {0, 4 * kW + 1}), 3 * kW) << "the window under way counts whole";
  EXPECT_EQ(PeriodStart(3 * kW, 2 * kW, kW, {}), 2 * kW);
}

TEST_F(TopTest, ADecayPrefersWhatIsRecent) {
  queryable_.Put("old", 0, {.posts = 16, .retweets = 0, .users = {}});
  queryable_.Put("new", 4 * kW, {.posts = 4, .retweets = 0, .users = {}});
  queryable_.Put("both", 0, {.posts = 8, .retweets = 0, .users = {}});
  queryable_.Put("both", 4 * kW, {.posts = 1, .retweets = 0, .users = {}});
  const Ranking ranking{.field = "posts", .n = 9, .score = RankScore::kDecay, .half_life_ms = 2 * kW};
  const absl::StatusOr<std::vector<RankedKey>> ranked = Rank(ranking, {0, 6 * kW});
  EXPECT_EQ(Names(ranked), "new=2 old=2 both=1 ");
  EXPECT_DOUBLE_EQ((*ranked)[0].score, 2);
  EXPECT_DOUBLE_EQ((*ranked)[1].score, 2);
  EXPECT_DOUBLE_EQ((*ranked)[2].score, 1.5);
  EXPECT_EQ(ReasonOf(Rank({.field = "likes", .n = 9, .score = RankScore::kDecay, .half_life_ms = kW}, {0, kW}).status()),
            reason::kUnknownField);
}

}  // namespace
}  // namespace tailrace::grpc_api
