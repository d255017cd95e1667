// Goal: a store rebuilt from its changelog equals the one that wrote it, however often its parts are replayed.
#include <deque>

#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

struct Changelogs : ChangelogWriter {
  void Append(int32_t store, std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) override {
    auto& log = logs.at(static_cast<size_t>(store));
    log.push_back({store, std::string(key), ToOptional(value), timestamp_ms});
  }
  std::vector<ChangelogRecord> Slice(size_t store, size_t from, size_t to) const {
    std::vector<ChangelogRecord> records;
    for (size_t i = from; i < to; ++i) {
      const LoggedChange& change = logs[store][i];
      records.push_back({change.key,
                         change.value.has_value() ? kafka::NullableBytes(std::string_view(*change.value)) : kafka::NullableBytes(),
                         change.timestamp_ms});
    }
    return records;
  }
  std::vector<std::deque<LoggedChange>> logs{3};
};

std::vector<StoreSpec> Specs() {
  StoreSpec join = WindowSpec("join", 10, 200);
  join.retain_duplicates = true;
  return {KeyValueSpec("kv"), WindowSpec("w", 10, 200), join};
}

Rows Everything(const ReadView& view) {
  Rows rows;
  EXPECT_OK(view.Range("kv", std::nullopt, std::nullopt, std::nullopt, Into(rows)));
  // Restore knows only the starts of windows, so it may still show what the writer's clock has expired; compare what is
  // in retention of both.
  EXPECT_OK(view.FetchAll("w", 0, INT64_MAX, std::nullopt, Into(rows)));
  EXPECT_OK(view.FetchAll("join", 0, INT64_MAX, std::nullopt, Into(rows)));
  return rows;
}

void Fill(TaskState& task, Changelogs& changelogs, uint64_t seed) {
  base::Random random(seed);
  task.SetChangelogWriter(&changelogs);
  int64_t time = 0;
  for (int i = 0; i < 2'000; ++i) {
    time += static_cast<int64_t>(random.Below(3));
    const std::string key(1 + random.Below(3), static_cast<char>('a' + random.Below(6)));
    const std::string value = std::to_string(i);
    const kafka::NullableBytes bytes = random.Below(6) == 0 ? kafka::NullableBytes() : kafka::NullableBytes(std::string_view(value));
    const int64_t start = time - time % 10;
    // Restore sees window starts only, so the writer keeps its time by them too.
    task.window("w").AdvanceStreamTime(start);
    task.window("join").AdvanceStreamTime(time);
    EXPECT_OK(task.key_value("kv").Put(key, bytes, time));
    EXPECT_OK(task.window("w").Put(key, start, bytes, time));
    EXPECT_OK(task.window("join").Put(key, time, bytes, time));
    if (random.Below(40) == 0) EXPECT_OK(FlushAndCommit(task, i, time));
  }
  EXPECT_OK(FlushAndCommit(task, 2'000, time));
}

class RestoreTest : public BothBackends {};
TEST_BOTH_BACKENDS(RestoreTest);

TEST_P(RestoreTest, ARebuiltStoreEqualsTheOriginal) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Changelogs changelogs;
    auto original = OpenTask(Options(Specs()));
    Fill(*original, changelogs, seed);
    auto options = Options(Specs(), Directory().empty() ? "" : Directory() + std::to_string(seed));
    auto copy = OpenTask(options);
    base::Random random(seed);
    for (size_t store = 0; store < 3; ++store) {
      size_t at = 0;
      const size_t end = changelogs.logs[store].size();
      while (at < end) {
        const size_t to = std::min(end, at + 1 + random.Below(200));
        EXPECT_OK(copy->ApplyChangelog(static_cast<int32_t>(store), changelogs.Slice(store, at, to),
                                       base::Offset(static_cast<int64_t>(to) - 1)));
        EXPECT_EQ(copy->committed().changelog_offsets[store], base::Offset(static_cast<int64_t>(to) - 1));
        // A restart that lost the last answers replays a part.
        at = random.Below(4) == 0 ? to - random.Below(to - at + 1) : to;
      }
    }
    EXPECT_EQ(Everything(*copy->CurrentView()), Rows{}) << "unpublished";
    copy->PublishView();
    EXPECT_EQ(Everything(*copy->CurrentView()), Everything(*original->CurrentView())) << "seed " << seed;

    // It goes on as an active task, and what it restored without a log survives its commit.
    EXPECT_OK(copy->key_value("kv").Put("more", std::string_view("v"), 1));
    EXPECT_OK(FlushAndCommit(*copy, 5'000, 0));
    const Rows expected = Everything(*copy->CurrentView());
    if (OnDisk()) {
      copy.reset();
      copy = OpenTask(options);
      EXPECT_EQ(Everything(*copy->CurrentView()), expected);
    }
  }
}

TEST_P(RestoreTest, CachedEntriesDoNotHideRestoredOnes) {
  auto task = OpenTask(Options(Specs(), Directory()));
  EXPECT_FALSE(ValueOrDie(task->key_value("kv").Get("k")).has_value());
  EXPECT_FALSE(ValueOrDie(task->window("w").Fetch("k", 10)).has_value());
  EXPECT_OK(task->ApplyChangelog(0, std::vector<ChangelogRecord>{{"k", std::string_view("v"), 5}}, base::Offset(3)));
  std::string key;
  AppendWindowKey(key, "k", 10, 0);
  EXPECT_OK(task->ApplyChangelog(1, std::vector<ChangelogRecord>{{key, std::string_view("v"), 15}}, base::Offset(4)));
  EXPECT_EQ(ValueOrDie(task->key_value("kv").Get("k"))->timestamp_ms, 5);
  EXPECT_EQ(ValueOrDie(task->window("w").Fetch("k", 10))->timestamp_ms, 15);
}

TEST_P(RestoreTest, ExpiredWindowsAreSkipped) {
  auto task = OpenTask(Options(Specs(), Directory()));
  std::vector<std::string> keys(3);
  AppendWindowKey(keys[0], "k", 0, 0);
  AppendWindowKey(keys[1], "k", 10, 0);
  AppendWindowKey(keys[2], "k", 200, 0);
  std::vector<ChangelogRecord> records;
  for (const std::string& key : keys) records.push_back({key, std::string_view("v"), 1});
  EXPECT_OK(task->ApplyChangelog(1, records, base::Offset(2)));
  task->PublishView();
  Rows rows;
  EXPECT_OK(task->CurrentView()->FetchAll("w", 0, INT64_MAX, std::nullopt, Into(rows)));
  EXPECT_EQ(rows, (Rows{{10, "k", "v", 1}, {200, "k", "v", 1}}));
}

TEST_P(RestoreTest, AKeyThatIsNoWindowKeyIsRefusedWithTheTopic) {
  auto task = OpenTask(Options(Specs(), Directory()));
  const absl::Status status =
      task->ApplyChangelog(1, std::vector<ChangelogRecord>{{"short", std::string_view("v"), 5}}, base::Offset(3));
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kFatal);
  EXPECT_NE(status.message().find("app-w-changelog"), std::string::npos) << status;
  EXPECT_EQ(task->committed().changelog_offsets[1], base::kOffsetUnknown);
}

TEST_P(RestoreTest, AnEmptyBatchMovesTheOffset) {
  auto task = OpenTask(Options(Specs(), Directory()));
  EXPECT_OK(task->ApplyChangelog(0, {}, base::Offset(41)));
  EXPECT_EQ(task->committed().changelog_offsets[0], base::Offset(41));
}

}  // namespace
}  // namespace tailrace::state
