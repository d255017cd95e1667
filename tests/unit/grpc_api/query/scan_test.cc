// Goal: pages over many tasks join into the whole, in order, once each, whatever the page size; key listings likewise.
#include "query/scan.h"

#include <gtest/gtest.h>

#include <set>

#include "query/view_selection.h"
#include "support/fake_queryable.h"

namespace tailrace::grpc_api {
namespace {

using testing::FakeQueryable;

class ScanRangeTest : public ::testing::Test {
 protected:
  ScanRangeTest() {
    for (int w = 0; w < 5; ++w) {
      for (int c = 0; c < 40; ++c) {
        if ((w * 7 + c) % 3 == 0) continue;
        queryable_.Put("city" + std::to_string(c), w * FakeQueryable::kWindowMs, {.posts = c % 4, .retweets = 0, .users = {}});
        expected_.insert({w * FakeQueryable::kWindowMs, "city" + std::to_string(c)});
      }
    }
  }
  std::vector<processor::StoreView> Views() { return *SelectViews(queryable_, store_, {}, {}); }

  FakeQueryable queryable_{7};
  processor::StoreInfo store_ = *queryable_.Store(FakeQueryable::kStore);
  std::set<std::pair<int64_t, std::string>> expected_;
  Deadline deadline_{base::SystemClock(), 10'000};
};

class ScanTest : public ScanRangeTest, public ::testing::WithParamInterface<size_t> {};

TEST_P(ScanTest, PagesJoinIntoTheWholeInOrder) {
  std::vector<std::pair<int64_t, std::string>> seen;
  std::optional<state::ReadView::WindowCursor> after;
  while (true) {
    const absl::StatusOr<RowPage> page = ScanRows(Views(), store_, {}, after, GetParam(), 1 << 20, deadline_);
    ASSERT_TRUE(page.ok());
    ASSERT_LE(page->rows.size(), GetParam());
    for (const OwnedRow& row : page->rows) seen.emplace_back(row.window_start_ms, row.key);
    if (!page->more) break;
    ASSERT_FALSE(page->rows.empty());
    after = {page->rows.back().window_start_ms, page->rows.back().key};
  }
  EXPECT_EQ(seen, std::vector(expected_.begin(), expected_.end()));
}

TEST_P(ScanTest, KeyPagesJoinIntoTheWholeInOrder) {
  std::set<std::string> expected;
  for (const auto& [start, key] : expected_) expected.insert(key);
  std::vector<std::string> seen;
  std::optional<std::string> after;
  while (true) {
    const absl::StatusOr<KeyPage> page = ScanKeys(Views(), store_, {}, "", after, GetParam(), deadline_);
    ASSERT_TRUE(page.ok());
    seen.insert(seen.end(), page->keys.begin(), page->keys.end());
    if (!page->more) break;
    after = page->keys.back();
  }
  EXPECT_EQ(seen, std::vector(expected.begin(), expected.end()));
}

INSTANTIATE_TEST_SUITE_P(PageSizes, ScanTest, ::testing::Values(1, 2, 7, 39, 133, 1000));

TEST_F(ScanRangeTest, RangeIsHalfOpen) {
  const TimeRange range{FakeQueryable::kWindowMs, 3 * FakeQueryable::kWindowMs};
  const absl::StatusOr<RowPage> page = ScanRows(Views(), store_, range, std::nullopt, 1000, 1 << 20, deadline_);
  std::set<int64_t> starts;
  for (const OwnedRow& row : page->rows) starts.insert(row.window_start_ms);
  EXPECT_EQ(starts, (std::set<int64_t>{FakeQueryable::kWindowMs, 2 * FakeQueryable::kWindowMs}));
}

TEST_F(ScanRangeTest, APageEndsEarlyAtItsByteLimitButNeverEmpty) {
  const absl::StatusOr<RowPage> page = ScanRows(Views(), store_, {}, std::nullopt, 1000, 1, deadline_);
  EXPECT_EQ(page->rows.size(), 1u);
  EXPECT_TRUE(page->more);
}

TEST_F(ScanRangeTest, WindowsBeforeTheRetentionAreNotShown) {
  queryable_.SetRetentionStart(4 * FakeQueryable::kWindowMs);
  const absl::StatusOr<RowPage> page = ScanRows(Views(), store_, {}, std::nullopt, 1000, 1 << 20, deadline_);
  for (const OwnedRow& row : page->rows) EXPECT_EQ(row.window_start_ms, 4 * FakeQueryable::kWindowMs);
  EXPECT_FALSE(page->rows.empty());
}

TEST_F(ScanRangeTest, KeysWithAFieldAboveZero) {
  const absl::StatusOr<KeyPage> page = ScanKeys(Views(), store_, {}, "posts", std::nullopt, 1000, deadline_);
  for (const std::string& key : page->keys) EXPECT_NE(std::stoi(key.substr(4)) % 4, 0) << key;
  EXPECT_EQ(page->keys.size(), 30u);
}

TEST_F(ScanRangeTest, AnExpiredDeadlineStopsTheScan) {
  const Deadline over(base::SystemClock(), -1);
  EXPECT_EQ(ScanRows(Views(), store_, {}, std::nullopt, 1000, 1 << 20, over).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace tailrace::grpc_api
