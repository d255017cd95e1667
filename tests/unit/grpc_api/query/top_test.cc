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
    return RankKeys(*SelectViews(queryable_, store_, {}, {}), store_, range, field, ascending, n, deadline_);
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
    all.push_back({"city" + std::to_string(i), value.Encode(), 1, static_cast<double>(value.posts)});
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

}  // namespace
}  // namespace tailrace::grpc_api
