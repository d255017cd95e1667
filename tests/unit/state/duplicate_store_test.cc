// Goal: join buffers keep every put, in order, across commits, reopening and restore.
#include "duplicate_store.h"

#include "support.h"

namespace tailrace::state {
namespace {

StoreSpec JoinSpec(int64_t retention_ms = 1'000'000) {
  StoreSpec spec = WindowSpec("join", 10, retention_ms);
  spec.retain_duplicates = true;
  return spec;
}

class DuplicateStoreTest : public BothBackends {};
TEST_BOTH_BACKENDS(DuplicateStoreTest);

TEST_P(DuplicateStoreTest, KeepsEveryPutUnderItsOwnSequence) {
  auto task = OpenTask(Options({JoinSpec()}, Directory()));
  RecordingChangelog changelog;
  task->SetChangelogWriter(&changelog);
  WindowStore& store = task->window("join");
  EXPECT_OK(store.Put("k", 100, std::string_view("a"), 100));
  EXPECT_OK(store.Put("k", 100, std::string_view("b"), 101));
  EXPECT_OK(store.Put("k", 100, {}, 102));  // Kafka Streams logs it, under its own sequence, and stores nothing
  EXPECT_OK(store.Put("kk", 100, std::string_view("other key"), 103));
  std::vector<std::string> keys(4);
  AppendWindowKey(keys[0], "k", 100, 1);
  AppendWindowKey(keys[1], "k", 100, 2);
  AppendWindowKey(keys[2], "k", 100, 3);
  AppendWindowKey(keys[3], "kk", 100, 4);
  EXPECT_EQ(changelog.changes,
            (std::vector<LoggedChange>{
                {0, keys[0], "a", 100}, {0, keys[1], "b", 101}, {0, keys[2], std::nullopt, 102}, {0, keys[3], "other key", 103}}));
  EXPECT_OK(FlushAndCommit(*task, 1, 103));
  EXPECT_OK(store.Put("k", 100, std::string_view("c"), 104));
  EXPECT_OK(store.Put("k", 99, std::string_view("early"), 105));
  EXPECT_OK(store.Put("k", 70'000, std::string_view("far"), 106));
  for (const bool committed : {false, true}) {
    Rows rows;
    EXPECT_OK(store.FetchRange("k", 0, INT64_MAX, Into(rows)));
    EXPECT_EQ(rows, (Rows{{99, "k", "early", 105}, {100, "k", "a", 100}, {100, "k", "b", 101}, {100, "k", "c", 104},
                          {70'000, "k", "far", 106}})) << committed;
    rows.clear();
    EXPECT_OK(store.FetchRange("k", 100, 100, Into(rows)));
    EXPECT_EQ(rows.size(), 3u);
    rows.clear();
    EXPECT_OK(store.FetchAll(99, 100, Into(rows)));
    EXPECT_EQ(rows, (Rows{{99, "k", "early", 105}, {100, "k", "a", 100}, {100, "k", "b", 101}, {100, "k", "c", 104},
                          {100, "kk", "other key", 103}})) << committed;
    EXPECT_EQ(ValueOrDie(store.Fetch("k", 100))->value, "a");
    EXPECT_FALSE(ValueOrDie(store.Fetch("k", 98)).has_value());
    EXPECT_OK(FlushAndCommit(*task, 2, 106));
  }
  Rows rows;
  EXPECT_OK(task->CurrentView()->FetchRange("join", "k", 99, 100, Into(rows)));
  EXPECT_EQ(rows.size(), 4u);
  EXPECT_EQ(ValueOrDie(task->CurrentView()->GetWindow("join", "k", 100))->value, "a");
  rows.clear();
  EXPECT_OK(task->CurrentView()->FetchAll("join", 0, 1'000, ReadView::WindowCursor{99, "k"}, Into(rows)));
  EXPECT_EQ(rows.size(), 4u);
}

TEST_P(DuplicateStoreTest, RetentionIsExactAndSegmentsGoAsAWhole) {
  auto task = OpenTask(Options({JoinSpec(/*retention_ms=*/120'000)}, Directory()));
  WindowStore& store = task->window("join");
  for (int64_t start = 0; start < 1'000'000; start += 10'000) {
    store.AdvanceStreamTime(start);
    EXPECT_OK(store.Put("k", start, std::string_view("v"), start));
    EXPECT_OK(FlushAndCommit(*task, start, start));
  }
  Rows rows;
  EXPECT_OK(store.FetchRange("k", 0, INT64_MAX, Into(rows)));
  EXPECT_EQ(rows.size(), 12u);
  EXPECT_EQ(std::get<0>(rows.front()), 880'000);
  EXPECT_OK(store.Put("k", 870'000, std::string_view("late"), 990'000));
  EXPECT_EQ(store.expired_updates(), 1);
  rows.clear();
  EXPECT_OK(task->CurrentView()->FetchAll("join", 0, INT64_MAX, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), 12u);
}

TEST_P(DuplicateStoreTest, DiscardForgetsPutsButNotTheirOrder) {
  auto task = OpenTask(Options({JoinSpec()}, Directory()));
  WindowStore& store = task->window("join");
  EXPECT_OK(store.Put("k", 1, std::string_view("a"), 1));
  EXPECT_OK(FlushAndCommit(*task, 1, 1));
  EXPECT_OK(store.Put("k", 1, std::string_view("lost"), 1));
  task->DiscardUncommitted();
  EXPECT_OK(store.Put("k", 1, std::string_view("b"), 1));
  Rows rows;
  EXPECT_OK(store.FetchRange("k", 0, 10, Into(rows)));
  EXPECT_EQ(rows, (Rows{{1, "k", "a", 1}, {1, "k", "b", 1}}));
}

TEST(DuplicateStoreReopened, TheSequenceGoesOn) {
  TempDirectory directory;
  for (int round = 0; round < 3; ++round) {
    auto task = OpenTask(Options({JoinSpec()}, directory.Sub("0_1")));
    EXPECT_OK(task->window("join").Put("k", 1, std::string_view(std::to_string(round)), 1));
    EXPECT_OK(FlushAndCommit(*task, round, 1));
    Rows rows;
    EXPECT_OK(task->window("join").FetchRange("k", 0, 10, Into(rows)));
    EXPECT_EQ(rows.size(), static_cast<size_t>(round) + 1) << "an earlier put was replaced";
  }
}

TEST(DuplicateStoreReopened, KeepsTheSegmentsItWasCreatedWith) {
  TempDirectory directory;
  {
    auto task = OpenTask(Options({JoinSpec(400'000)}, directory.Sub("0_1")));
    EXPECT_OK(task->window("join").Put("k", 190'000, std::string_view("v"), 1));
    EXPECT_OK(FlushAndCommit(*task, 1, 1));
  }
  auto task = OpenTask(Options({JoinSpec(120'000)}, directory.Sub("0_1")));
  Rows rows;
  EXPECT_OK(task->window("join").FetchRange("k", 0, 200'000, Into(rows)));
  EXPECT_EQ(rows.size(), 1u);
}

}  // namespace
}  // namespace tailrace::state
