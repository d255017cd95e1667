// Goal: the changelog and the downstream see what Kafka Streams would send: once per commit, in first-dirtied order, with
// the right old values.
// Method: recording writer and listener around small hand-made sequences.
#include "support.h"

namespace tailrace::state {
namespace {

class FlushTest : public BothBackends {};
TEST_BOTH_BACKENDS(FlushTest);

TEST_P(FlushTest, OneChangePerKeyInTheOrderOfTheLastUpdates) {
  StoreSpec spec = KeyValueSpec("counts");
  spec.keep_old_values = true;
  auto task = OpenTask(Options({spec}, Directory()));
  RecordingChangelog changelog;
  RecordingListener listener;
  task->SetChangelogWriter(&changelog);
  KeyValueStore& store = task->key_value("counts");
  store.SetChangeListener(&listener);
  EXPECT_OK(store.Put("b", std::string_view("1"), 10));
  EXPECT_OK(store.Put("a", std::string_view("1"), 11));
  EXPECT_OK(store.Put("b", std::string_view("2"), 12));
  EXPECT_TRUE(changelog.changes.empty());
  EXPECT_EQ(task->uncommitted_bytes(), 4u);
  store.Flush();
  EXPECT_EQ(changelog.changes, (std::vector<LoggedChange>{{0, "a", "1", 11}, {0, "b", "2", 12}}));
  EXPECT_EQ(listener.changes, (std::vector<SeenChange>{{"a", kNoWindow, "1", std::nullopt, 11},
                                                       {"b", kNoWindow, "2", std::nullopt, 12}}));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_EQ(changelog.changes.size(), 2u) << "a flushed change is not flushed again";
  EXPECT_EQ(task->uncommitted_bytes(), 0u);

  listener.changes.clear();
  EXPECT_OK(store.Put("b", std::string_view("3"), 20));
  EXPECT_OK(store.Put("b", std::string_view("4"), 21));
  EXPECT_OK(store.Delete("a", 22));
  store.Flush();
  EXPECT_EQ(listener.changes, (std::vector<SeenChange>{{"b", kNoWindow, "4", "2", 21}, {"a", kNoWindow, std::nullopt, "1", 22}}));
}

TEST_P(FlushTest, AChangeBetweenFlushAndCommitIsFlushedAgainWithTheFlushedOldValue) {
  StoreSpec spec = KeyValueSpec("counts");
  spec.keep_old_values = true;
  auto task = OpenTask(Options({spec}, Directory()));
  RecordingListener listener;
  KeyValueStore& store = task->key_value("counts");
  store.SetChangeListener(&listener);
  EXPECT_OK(store.Put("k", std::string_view("1"), 1));
  store.Flush();
  EXPECT_OK(store.Put("k", std::string_view("2"), 2));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_EQ(listener.changes, (std::vector<SeenChange>{{"k", kNoWindow, "1", std::nullopt, 1}, {"k", kNoWindow, "2", "1", 2}}));
  EXPECT_EQ(ValueOrDie(store.Get("k"))->value, "2");
}

TEST_P(FlushTest, NothingToNothingIsNoChangeWithAListener) {
  auto task = OpenTask(Options({KeyValueSpec("with"), KeyValueSpec("without")}, Directory()));
  RecordingChangelog changelog;
  RecordingListener listener;
  task->SetChangelogWriter(&changelog);
  task->key_value("with").SetChangeListener(&listener);
  EXPECT_OK(task->key_value("with").Delete("never", 1));
  EXPECT_OK(task->key_value("with").Put("born and dead", std::string_view("x"), 1));
  EXPECT_OK(task->key_value("with").Delete("born and dead", 2));
  EXPECT_OK(task->key_value("without").Delete("never", 3));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_TRUE(listener.changes.empty());
  // Kafka Streams' caching store without a listener puts, and so logs, the tombstone.
  EXPECT_EQ(changelog.changes, (std::vector<LoggedChange>{{1, "never", std::nullopt, 3}}));
}

TEST_P(FlushTest, WithoutCachingEveryUpdateIsLoggedAtOnceAndNothingForwarded) {
  StoreSpec spec = WindowSpec("windows", 10, 1'000);
  spec.caching = false;
  auto task = OpenTask(Options({spec}, Directory()));
  RecordingChangelog changelog;
  RecordingListener listener;
  task->SetChangelogWriter(&changelog);
  WindowStore& store = task->window("windows");
  store.SetChangeListener(&listener);
  EXPECT_OK(store.Put("k", 10, std::string_view("1"), 11));
  EXPECT_OK(store.Put("k", 10, std::string_view("2"), 12));
  EXPECT_OK(store.Put("k", 20, {}, 13));
  std::string key10;
  std::string key20;
  AppendWindowKey(key10, "k", 10, 0);
  AppendWindowKey(key20, "k", 20, 0);
  const std::vector<LoggedChange> expected{{0, key10, "1", 11}, {0, key10, "2", 12}, {0, key20, std::nullopt, 13}};
  EXPECT_EQ(changelog.changes, expected);
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_EQ(changelog.changes, expected);
  EXPECT_TRUE(listener.changes.empty());
  EXPECT_EQ(ValueOrDie(store.Fetch("k", 10))->value, "2");
}

TEST_P(FlushTest, WithoutLoggingNothingIsLogged) {
  StoreSpec spec = KeyValueSpec("scratch");
  spec.logging = false;
  auto task = OpenTask(Options({spec}, Directory()));
  RecordingChangelog changelog;
  task->SetChangelogWriter(&changelog);
  EXPECT_OK(task->key_value("scratch").Put("k", std::string_view("v"), 1));
  EXPECT_OK(FlushAndCommit(*task, -4));
  EXPECT_TRUE(changelog.changes.empty());
}

TEST_P(FlushTest, AFlushMayFeedALaterStore) {
  auto task = OpenTask(Options({KeyValueSpec("first"), KeyValueSpec("second")}, Directory()));
  RecordingChangelog changelog;
  task->SetChangelogWriter(&changelog);
  struct Feeder : ChangeListener {
    explicit Feeder(KeyValueStore& to) : store(to) {}
    void OnChange(const StoreChange& change) override {
      EXPECT_OK(store.Put(std::string("from ") + std::string(change.key), change.new_value, change.timestamp_ms));
    }
    KeyValueStore& store;
  } feeder(task->key_value("second"));
  task->key_value("first").SetChangeListener(&feeder);
  EXPECT_OK(task->key_value("first").Put("k", std::string_view("v"), 1));
  EXPECT_OK(FlushAndCommit(*task, 1));
  EXPECT_EQ(changelog.changes, (std::vector<LoggedChange>{{0, "k", "v", 1}, {1, "from k", "v", 1}}));
}

TEST_P(FlushTest, TheCommitObserverSeesEachCommittedChangeOnce) {
  struct Observer : TaskState::CommitObserver {
    bool Wants(int32_t store) override { return store == 1; }
    void OnCommitted(int32_t store, const StoreChange& change, base::Offset offset) override {
      seen.push_back(std::to_string(store) + ":" + std::string(change.key) + "=" + std::string(change.new_value.view()) + "@" +
                     std::to_string(offset.value()));
    }
    std::vector<std::string> seen;
  } observer;
  auto task = OpenTask(Options({KeyValueSpec("a"), KeyValueSpec("b")}, Directory()));
  task->SetCommitObserver(&observer);
  EXPECT_OK(task->key_value("a").Put("x", std::string_view("1"), 1));
  EXPECT_OK(task->key_value("b").Put("y", std::string_view("1"), 1));
  task->key_value("b").Flush();
  EXPECT_OK(task->key_value("b").Put("y", std::string_view("2"), 1));
  EXPECT_OK(FlushAndCommit(*task, 7));
  EXPECT_OK(FlushAndCommit(*task, 8));
  EXPECT_EQ(observer.seen, (std::vector<std::string>{"1:y=2@7"}));
}

}  // namespace
}  // namespace tailrace::state
