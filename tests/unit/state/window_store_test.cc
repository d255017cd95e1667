// Goal: window stores keep exactly what retention allows, and the completeness of cached windows never hides a stored entry.
// Method: boundaries +-1 ms; counting reads of the committed store; late, evicted and reopened windows.
#include "window_store.h"

#include "support.h"

namespace tailrace::state {
namespace {

int64_t BackendGets(WindowStore& store) { return static_cast<WindowStoreImpl&>(store).backend_gets(); }

class WindowStoreTest : public BothBackends {
 protected:
  std::unique_ptr<TaskState> Open(int64_t retention_ms = 100'000, size_t cache_bytes = 10 << 20) const {
    TaskStateOptions options = Options({WindowSpec("w", 10, retention_ms)}, Directory());
    options.cache_bytes_max = cache_bytes;
    return OpenTask(std::move(options));
  }
};
TEST_BOTH_BACKENDS(WindowStoreTest);

TEST_P(WindowStoreTest, AWindowIsVisibleWhileItsStartIsAboveStreamTimeMinusRetention) {
  auto task = Open(/*retention_ms=*/100);
  WindowStore& store = task->window("w");
  store.AdvanceStreamTime(200);
  EXPECT_OK(store.Put("k", 99, std::string_view("expired"), 1));
  EXPECT_OK(store.Put("k", 100, std::string_view("expired"), 1));
  EXPECT_EQ(store.expired_updates(), 2);
  EXPECT_OK(store.Put("k", 101, std::string_view("alive"), 1));
  EXPECT_OK(store.Put("k", 102, std::string_view("alive"), 1));
  EXPECT_EQ(store.expired_updates(), 2);
  for (const bool committed : {false, true}) {
    EXPECT_FALSE(ValueOrDie(store.Fetch("k", 100)).has_value()) << committed;
    EXPECT_TRUE(ValueOrDie(store.Fetch("k", 101)).has_value()) << committed;
    Rows rows;
    EXPECT_OK(store.FetchRange("k", 0, INT64_MAX, Into(rows)));
    EXPECT_EQ(rows.size(), 2u) << committed;
    rows.clear();
    EXPECT_OK(store.FetchAll(INT64_MIN, INT64_MAX, Into(rows)));
    EXPECT_EQ(rows.size(), 2u) << committed;
    EXPECT_OK(FlushAndCommit(*task, 1, 200));
  }
  const auto before = task->CurrentView();
  EXPECT_EQ(before->retention_start_ms("w"), 101);
  EXPECT_TRUE(ValueOrDie(before->GetWindow("w", "k", 101)).has_value());
  EXPECT_FALSE(ValueOrDie(before->GetWindow("w", "k", 100)).has_value());

  store.AdvanceStreamTime(201);
  EXPECT_FALSE(ValueOrDie(store.Fetch("k", 101)).has_value()) << "expired windows vanish at once, cached or not";
  EXPECT_TRUE(ValueOrDie(store.Fetch("k", 102)).has_value());
  store.AdvanceStreamTime(150);
  EXPECT_EQ(store.stream_time_ms(), 201) << "stream time never goes back";
  EXPECT_OK(FlushAndCommit(*task, 2, 201));
  const auto after = task->CurrentView();
  EXPECT_FALSE(ValueOrDie(after->GetWindow("w", "k", 101)).has_value());
  EXPECT_TRUE(ValueOrDie(after->GetWindow("w", "k", 102)).has_value());
  EXPECT_TRUE(ValueOrDie(before->GetWindow("w", "k", 101)).has_value()) << "an older view is unchanged";
  Rows rows;
  EXPECT_OK(after->FetchRange("w", "k", 0, INT64_MAX, Into(rows)));
  EXPECT_OK(after->FetchAll("w", 0, INT64_MAX, std::nullopt, Into(rows)));
  EXPECT_EQ(rows, (Rows{{102, "k", "alive", 1}, {102, "k", "alive", 1}}));
}

TEST_P(WindowStoreTest, ExpiredWindowsAreDeletedAndStayHiddenAfterReopening) {
  {
    auto task = Open(/*retention_ms=*/100);
    WindowStore& store = task->window("w");
    for (int64_t start = 0; start < 2'000; start += 10) {
      store.AdvanceStreamTime(start);
      EXPECT_OK(store.Put("k", start, std::string_view("v"), start));
      EXPECT_OK(FlushAndCommit(*task, start, start));
    }
    Rows rows;
    EXPECT_OK(store.FetchAll(0, INT64_MAX, Into(rows)));
    EXPECT_EQ(rows.size(), 10u);
    if (OnDisk()) {
      // Nothing but the live windows and the slack before the next deletion is left.
      auto wide = Options({WindowSpec("w", 10, 1'000'000)}, Directory());
      task.reset();
      rows.clear();
      EXPECT_OK(OpenTask(std::move(wide))->window("w").FetchAll(0, INT64_MAX, Into(rows)));
      EXPECT_LE(rows.size(), 13u);
    }
  }
  if (!OnDisk()) return;
  auto task = Open(/*retention_ms=*/100);
  EXPECT_EQ(task->window("w").stream_time_ms(), 1'990);
  Rows rows;
  EXPECT_OK(task->window("w").FetchAll(0, INT64_MAX, Into(rows)));
  EXPECT_EQ(rows.size(), 10u);
}

TEST_P(WindowStoreTest, ANewWindowNeedsNoReadsOfTheStore) {
  auto task = Open();
  WindowStore& store = task->window("w");
  for (int64_t start : {10, 20, 30}) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_OK(store.Put(std::to_string(i), start, std::string_view("v"), start));
      // A late window that nothing of is stored is complete too.
      EXPECT_OK(store.Put(std::to_string(i), start - 9, std::string_view("late"), start));
    }
    EXPECT_OK(FlushAndCommit(*task, start, start));
  }
  EXPECT_EQ(BackendGets(store), 0);
  EXPECT_EQ(ValueOrDie(store.Fetch("7", 21))->value, "late");
  EXPECT_EQ(BackendGets(store), 0);
}

TEST_P(WindowStoreTest, AnEvictedWindowIsReadBack) {
  auto task = Open(100'000, /*cache_bytes=*/10'000);
  WindowStore& store = task->window("w");
  for (int64_t start = 0; start < 100; start += 10) {
    for (int i = 0; i < 100; ++i) EXPECT_OK(store.Put("key " + std::to_string(i), start, std::string_view("1"), start));
    EXPECT_OK(FlushAndCommit(*task, start, start));
  }
  // The window is in the store, so a key that the cache does not hold must be looked up.
  EXPECT_EQ(ValueOrDie(store.Fetch("key 5", 0))->value, "1");
  EXPECT_EQ(BackendGets(store), 1);
  EXPECT_FALSE(ValueOrDie(store.Fetch("never", 0)).has_value());
  EXPECT_EQ(BackendGets(store), 2);
  // And what was added to it after the eviction lies beside what it held.
  EXPECT_OK(store.Put("late", 0, std::string_view("2"), 99));
  EXPECT_OK(FlushAndCommit(*task, 101, 99));
  Rows rows;
  EXPECT_OK(store.FetchAll(0, 0, Into(rows)));
  EXPECT_EQ(rows.size(), 101u);
}

TEST_P(WindowStoreTest, DiscardedWindowsAreReadFromTheStoreAgain) {
  auto task = Open();
  WindowStore& store = task->window("w");
  store.AdvanceStreamTime(15);
  EXPECT_OK(store.Put("k", 10, std::string_view("1"), 15));
  EXPECT_OK(FlushAndCommit(*task, 1, 15));
  store.AdvanceStreamTime(25);
  EXPECT_OK(store.Put("k", 10, std::string_view("2"), 16));
  EXPECT_OK(store.Put("k", 20, std::string_view("1"), 25));
  task->DiscardUncommitted();
  EXPECT_EQ(store.stream_time_ms(), 15);
  EXPECT_EQ(ValueOrDie(store.Fetch("k", 10))->value, "1");
  EXPECT_FALSE(ValueOrDie(store.Fetch("k", 20)).has_value());
}

TEST_P(WindowStoreTest, RangesMergeCacheAndStore) {
  auto task = Open(100'000, /*cache_bytes=*/2'000);
  WindowStore& store = task->window("w");
  for (int64_t start : {0, 10, 20, 50}) {
    for (const char* key : {"a", "b", "c"}) {
      if (start == 20 && key[0] == 'b') continue;
      EXPECT_OK(store.Put(key, start, std::string_view("old"), start));
    }
  }
  EXPECT_OK(FlushAndCommit(*task, 1, 50));
  EXPECT_OK(store.Put("b", 10, std::string_view("new"), 60));
  EXPECT_OK(store.Put("b", 30, std::string_view("born"), 60));
  EXPECT_OK(store.Put("b", 50, {}, 60));
  EXPECT_OK(store.Put("b", 70, std::string_view("last"), 70));
  Rows rows;
  EXPECT_OK(store.FetchRange("b", 0, 100, Into(rows)));
  EXPECT_EQ(rows, (Rows{{0, "b", "old", 0}, {10, "b", "new", 60}, {30, "b", "born", 60}, {70, "b", "last", 70}}));
  rows.clear();
  EXPECT_OK(store.FetchRange("b", 1, 30, Into(rows)));
  EXPECT_EQ(rows, (Rows{{10, "b", "new", 60}, {30, "b", "born", 60}}));
  rows.clear();
  EXPECT_OK(store.FetchAll(10, 50, Into(rows)));
  EXPECT_EQ(rows, (Rows{{10, "a", "old", 10}, {10, "b", "new", 60}, {10, "c", "old", 10}, {20, "a", "old", 20},
                        {20, "c", "old", 20}, {30, "b", "born", 60}, {50, "a", "old", 50}, {50, "c", "old", 50}}));
  int visited = 0;
  EXPECT_OK(store.FetchRange("b", 0, 100, [&](const Row&) { return ++visited < 3; }));
  EXPECT_EQ(visited, 3);
}

TEST_P(WindowStoreTest, ANegativeStartIsRefused) {
  auto task = Open();
  EXPECT_EQ(base::ReactionOf(task->window("w").Put("k", -1, std::string_view("v"), 1)), base::Reaction::kSkipRecord);
}

TEST_P(WindowStoreTest, MemoryStaysWithinItsBoundOverManyWindows) {
  auto task = Open(/*retention_ms=*/1'000, /*cache_bytes=*/1 << 20);
  WindowStore& store = task->window("w");
  auto& implementation = static_cast<WindowStoreImpl&>(store);
  size_t highest = 0;
  for (int64_t start = 0; start < 3'000; start += 10) {
    store.AdvanceStreamTime(start);
    for (int i = 0; i < 100; ++i) EXPECT_OK(store.Put(std::to_string(i), start, std::string_view("12345678"), start));
    EXPECT_OK(FlushAndCommit(*task, start, start));
    BlockPool& pool = implementation.core().task().pool;
    highest = std::max(highest, pool.used_bytes() + pool.kept_bytes());
  }
  EXPECT_LE(highest, size_t{1} << 20);
  EXPECT_EQ(BackendGets(store), 0);
}

TEST(WindowStoreReopened, AWindowThatIsStoredIsNotComplete) {
  TempDirectory directory;
  {
    auto task = OpenTask(Options({WindowSpec("w", 10, 1'000)}, directory.Sub("0_1")));
    EXPECT_OK(task->window("w").Put("k", 10, std::string_view("v"), 12));
    EXPECT_OK(FlushAndCommit(*task, 5, 12));
  }
  auto task = OpenTask(Options({WindowSpec("w", 10, 1'000)}, directory.Sub("0_1")));
  WindowStore& store = task->window("w");
  const auto row = ValueOrDie(store.Fetch("k", 10));
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->value, "v");
  EXPECT_EQ(row->timestamp_ms, 12);
  EXPECT_EQ(BackendGets(store), 1);
  EXPECT_FALSE(ValueOrDie(store.Fetch("k", 20)).has_value());
  EXPECT_EQ(BackendGets(store), 1) << "a later window is";
}

}  // namespace
}  // namespace tailrace::state
