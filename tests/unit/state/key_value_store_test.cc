// Goal: key-value stores read their own writes, ask the committed store only when they must, and survive eviction.
#include "key_value_store.h"

#include "memory_backend.h"
#include "support.h"

namespace tailrace::state {
namespace {

class KeyValueStoreTest : public BothBackends {};
TEST_BOTH_BACKENDS(KeyValueStoreTest);

TEST_P(KeyValueStoreTest, RangeMergesCacheAndStore) {
  auto task = OpenTask(Options({KeyValueSpec("s")}, Directory()));
  KeyValueStore& store = task->key_value("s");
  for (const char* key : {"a", "c", "e", "g"}) EXPECT_OK(store.Put(key, std::string_view("old"), 1));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_OK(store.Put("b", std::string_view("new"), 2));
  EXPECT_OK(store.Put("c", std::string_view("newer"), 3));
  EXPECT_OK(store.Delete("e", 4));
  EXPECT_OK(store.Put("h", std::string_view(""), 5));
  Rows rows;
  EXPECT_OK(store.Range("b", std::nullopt, Into(rows)));
  EXPECT_EQ(rows, (Rows{{kNoWindow, "b", "new", 2}, {kNoWindow, "c", "newer", 3}, {kNoWindow, "g", "old", 1}, {kNoWindow, "h", "", 5}}));
  rows.clear();
  EXPECT_OK(store.Range(std::nullopt, "c", Into(rows)));
  EXPECT_EQ(rows, (Rows{{kNoWindow, "a", "old", 1}, {kNoWindow, "b", "new", 2}, {kNoWindow, "c", "newer", 3}}));
  int visited = 0;
  EXPECT_OK(store.Range(std::nullopt, std::nullopt, [&](const Row&) { return ++visited < 2; }));
  EXPECT_EQ(visited, 2);
}

TEST_P(KeyValueStoreTest, DiscardForgetsWhatIsUncommitted) {
  auto task = OpenTask(Options({KeyValueSpec("s")}, Directory()));
  KeyValueStore& store = task->key_value("s");
  EXPECT_OK(store.Put("kept", std::string_view("1"), 1));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_OK(store.Put("kept", std::string_view("2"), 2));
  EXPECT_OK(store.Put("lost", std::string_view("1"), 2));
  store.Flush();
  task->DiscardUncommitted();
  EXPECT_EQ(task->uncommitted_bytes(), 0u);
  EXPECT_EQ(ValueOrDie(store.Get("kept"))->value, "1");
  EXPECT_FALSE(ValueOrDie(store.Get("lost")).has_value());
  EXPECT_OK(FlushAndCommit(*task, 1));
}

TEST_P(KeyValueStoreTest, AValueSurvivesTheEvictionOfItsGeneration) {
  TaskStateOptions options = Options({KeyValueSpec("s")}, Directory());
  options.cache_bytes_max = 20'000;
  auto task = OpenTask(std::move(options));
  KeyValueStore& store = task->key_value("s");
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string key = "key " + std::to_string(round * 100 + i);
      EXPECT_OK(store.Put(key, std::string_view(std::to_string(round)), round));
    }
    EXPECT_OK(FlushAndCommit(*task, round));
  }
  for (int i = 0; i < 2'100; ++i) {
    const auto row = ValueOrDie(store.Get("key " + std::to_string(i)));
    ASSERT_TRUE(row.has_value()) << i;
    EXPECT_EQ(row->value, std::to_string(std::min(19, i / 100)));
  }
}

TEST_P(KeyValueStoreTest, TooLargeKeysAndValuesAreRefusedOneByOne) {
  auto task = OpenTask(Options({KeyValueSpec("s")}, Directory()));
  KeyValueStore& store = task->key_value("s");
  const std::string long_key(64 << 10, 'k');
  EXPECT_OK(store.Put(long_key, std::string_view("v"), 1));
  EXPECT_EQ(base::ReactionOf(store.Put(long_key + "k", std::string_view("v"), 1)), base::Reaction::kSkipRecord);
  const std::string large_value(1 << 20, 'v');
  EXPECT_OK(store.Put("k", std::string_view(large_value), 1));
  EXPECT_EQ(base::ReactionOf(store.Put("k", std::string_view(large_value + "v"), 1)), base::Reaction::kSkipRecord);
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_EQ(ValueOrDie(store.Get("k"))->value, large_value);
  EXPECT_EQ(ValueOrDie(store.Get(long_key))->value, "v");
}

// Counts what reaches the committed store.
class CountingBackend final : public Backend {
 public:
  absl::StatusOr<bool> Get(int32_t store, std::string_view key, std::string& value) const override {
    ++gets;
    return memory.Get(store, key, value);
  }
  std::unique_ptr<BackendCursor> NewCursor(int32_t store) const override { return memory.NewCursor(store); }
  BackendBatch& NewBatch() override { return memory.NewBatch(); }
  absl::Status Write(std::string_view record, Durability durability) override { return memory.Write(record, durability); }
  std::shared_ptr<const BackendReader> Snapshot() override { return memory.Snapshot(); }
  absl::Status Flush() override { return memory.Flush(); }
  void ReleaseBefore(int32_t, std::string_view) override {}

  MemoryBackend memory{1};
  mutable int gets = 0;
};

TEST(KeyValueStoreGets, AStoreThatIsCachedWholeAsksNothing) {
  TaskContext context;
  CountingBackend backend;
  auto commit = [&](KeyValueStoreImpl& store) {
    store.Flush();
    store.AddChanges(backend.NewBatch());
    EXPECT_OK(backend.Write("", Durability::kLogged));
    store.OnCommitted();
  };
  {
    KeyValueStoreImpl store(KeyValueSpec("s"), 0, &context, &backend);
    for (int i = 0; i < 100; ++i) EXPECT_OK(store.Put(std::to_string(i), std::string_view("v"), i));
    commit(store);
    EXPECT_FALSE(ValueOrDie(store.Get("unknown")).has_value());
    EXPECT_EQ(backend.gets, 0) << "a store that began empty knows all its keys";
    store.ShrinkCache(0);
    EXPECT_TRUE(ValueOrDie(store.Get("5")).has_value());
    EXPECT_EQ(backend.gets, 1) << "after an eviction it does not";
    EXPECT_FALSE(ValueOrDie(store.Get("unknown")).has_value());
    EXPECT_FALSE(ValueOrDie(store.Get("unknown")).has_value());
    EXPECT_EQ(backend.gets, 2) << "an absent key is asked for once";
  }
  KeyValueStoreImpl reopened(KeyValueSpec("s"), 0, &context, &backend);
  backend.gets = 0;
  EXPECT_TRUE(ValueOrDie(reopened.Get("5")).has_value());
  EXPECT_TRUE(ValueOrDie(reopened.Get("5")).has_value());
  EXPECT_EQ(backend.gets, 1);
}

}  // namespace
}  // namespace tailrace::state
