// Goal: sessions are found, removed, kept and forgotten as by Kafka Streams' session stores, across commits, reopening and
// restore, and against a plain map.
#include "session_store.h"

#include <map>

#include "support.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

StoreSpec SessionSpec(int64_t retention_ms = 1'000'000) {
  StoreSpec spec = KeyValueSpec("s");
  spec.kind = StoreKind::kSession;
  spec.retention_ms = retention_ms;
  spec.caching = false;
  return spec;
}

using Sessions = std::vector<std::tuple<std::string, int64_t, int64_t, std::string>>;  // key, start, end, value
auto Into(Sessions& sessions) {
  return [&sessions](const Row& row) {
    sessions.emplace_back(row.key, row.window_start_ms, row.window_end_ms, row.value);
    return true;
  };
}

Sessions Find(SessionStore& store, std::string_view key, int64_t earliest_end, int64_t latest_start) {
  Sessions sessions;
  EXPECT_OK(store.FindSessions(key, earliest_end, latest_start, Into(sessions)));
  return sessions;
}

std::string Key(std::string_view key, int64_t start, int64_t end) {
  std::string bytes;
  AppendSessionKey(bytes, key, start, end);
  return bytes;
}

TEST(SessionKeyTest, TheEndStandsBeforeTheStart) {
  EXPECT_EQ(base::HexEncode(Key("alice", 60'000, 90'000)), "616c6963650000000000015f90000000000000ea60");
  const std::string bytes = Key("alice", 60'000, 90'000);
  const auto parsed = ParseSessionKey(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->key, "alice");
  EXPECT_EQ(parsed->start_ms, 60'000);
  EXPECT_EQ(parsed->end_ms, 90'000);
  EXPECT_FALSE(ParseSessionKey("fifteen bytes..").has_value());
}

class SessionStoreTest : public BothBackends {};
TEST_BOTH_BACKENDS(SessionStoreTest);

TEST_P(SessionStoreTest, FindsSessionsByEndAndStartBothInclusive) {
  auto task = OpenTask(Options({SessionSpec()}, Directory()));
  SessionStore& store = task->session("s");
  EXPECT_OK(store.Put("k", 10, 20, std::string_view("a"), 20));
  EXPECT_OK(store.Put("k", 30, 40, std::string_view("b"), 40));
  EXPECT_OK(store.Put("kk", 10, 20, std::string_view("other key"), 20));
  EXPECT_OK(store.Put("k", 70'000, 70'005, std::string_view("far"), 70'005));
  for (const bool committed : {false, true}) {
    EXPECT_EQ(Find(store, "k", 20, 30), (Sessions{{"k", 10, 20, "a"}, {"k", 30, 40, "b"}})) << committed;
    EXPECT_EQ(Find(store, "k", 21, 29), Sessions{}) << committed;
    EXPECT_EQ(Find(store, "k", 40, 40), (Sessions{{"k", 30, 40, "b"}})) << committed;
    EXPECT_EQ(Find(store, "k", -5, 80'000).size(), 3u) << committed;
    EXPECT_EQ(ValueOrDie(store.Fetch("k", 30, 40))->value, "b");
    EXPECT_FALSE(ValueOrDie(store.Fetch("k", 31, 40)).has_value());
    EXPECT_OK(FlushAndCommit(*task, 1, 70'005));
  }
  EXPECT_OK(store.Remove("k", 10, 20, 41));
  EXPECT_EQ(Find(store, "k", 0, 100), (Sessions{{"k", 30, 40, "b"}}));
  EXPECT_OK(FlushAndCommit(*task, 2, 70'005));
  Sessions seen;
  EXPECT_OK(task->CurrentView()->FetchRange("s", "k", 0, 100'000, Into(seen)));
  EXPECT_EQ(seen, (Sessions{{"k", 30, 40, "b"}, {"k", 70'000, 70'005, "far"}}));
  seen.clear();
  EXPECT_OK(task->CurrentView()->FetchAll("s", 0, 100, ReadView::WindowCursor{10, "k"}, Into(seen)));
  EXPECT_EQ(seen, (Sessions{{"kk", 10, 20, "other key"}, {"k", 30, 40, "b"}}));
  EXPECT_EQ(ValueOrDie(task->CurrentView()->GetWindow("s", "k", 30))->value, "b");
  EXPECT_FALSE(task->CurrentView()->Get("s", "k").ok()) << "a session store is no key-value store";
}

TEST_P(SessionStoreTest, LogsTombstonesAndTheSessionKeyWithTheTimeOfTheRecord) {
  auto task = OpenTask(Options({SessionSpec()}, Directory()));
  RecordingChangelog changelog;
  task->SetChangelogWriter(&changelog);
  SessionStore& store = task->session("s");
  EXPECT_OK(store.Put("k", 10, 10, std::string_view("1"), 10));
  EXPECT_OK(store.Remove("k", 10, 10, 13));
  EXPECT_OK(store.Put("k", 10, 13, std::string_view("2"), 13));
  EXPECT_EQ(changelog.changes,
            (std::vector<LoggedChange>{
                {0, Key("k", 10, 10), "1", 10}, {0, Key("k", 10, 10), std::nullopt, 13}, {0, Key("k", 10, 13), "2", 13}}));
}

TEST_P(SessionStoreTest, WithCachingASessionThatCameAndWentIsNoChange) {
  StoreSpec spec = SessionSpec();
  spec.caching = true;
  spec.keep_old_values = true;
  auto task = OpenTask(Options({spec}, Directory()));
  struct Listener : ChangeListener {
    void OnChange(const StoreChange& change) override {
      seen.emplace_back(change.key, change.window_start_ms, change.window_end_ms,
                        std::string(change.old_value.is_null() ? "-" : change.old_value.view()) + ">" +
                            std::string(change.new_value.is_null() ? "-" : change.new_value.view()));
    }
    Sessions seen;
  } listener;
  SessionStore& store = task->session("s");
  store.SetChangeListener(&listener);
  EXPECT_OK(store.Put("k", 10, 10, std::string_view("1"), 10));
  EXPECT_OK(store.Remove("k", 10, 10, 13));
  EXPECT_OK(store.Put("k", 10, 13, std::string_view("2"), 13));
  EXPECT_OK(FlushAndCommit(*task, 1, 13));
  EXPECT_EQ(listener.seen, (Sessions{{"k", 10, 13, "->2"}}));
  EXPECT_OK(store.Remove("k", 10, 13, 15));
  EXPECT_OK(store.Put("k", 10, 15, std::string_view("3"), 15));
  EXPECT_OK(FlushAndCommit(*task, 2, 15));
  EXPECT_EQ(listener.seen, (Sessions{{"k", 10, 13, "->2"}, {"k", 10, 13, "2>-"}, {"k", 10, 15, "->3"}}));
  store.SetChangeListener(nullptr);
}

TEST_P(SessionStoreTest, RetentionIsExactByTheEnd) {
  auto task = OpenTask(Options({SessionSpec(/*retention_ms=*/100)}, Directory()));
  SessionStore& store = task->session("s");
  EXPECT_OK(store.Put("k", 0, 100, std::string_view("ends later"), 100));
  EXPECT_OK(store.Put("k", 1, 99, std::string_view("ends earlier"), 99));
  EXPECT_OK(store.Put("x", 150, 199, std::string_view("v"), 199));
  EXPECT_EQ(store.stream_time_ms(), 199);
  for (const bool committed : {false, true}) {
    EXPECT_EQ(Find(store, "k", 0, 1'000), (Sessions{{"k", 0, 100, "ends later"}})) << committed;
    EXPECT_OK(FlushAndCommit(*task, 1, 199));
  }
  EXPECT_FALSE(ValueOrDie(store.Fetch("k", 1, 99)).has_value());
  EXPECT_OK(store.Put("k", 50, 99, std::string_view("late"), 199));
  EXPECT_EQ(store.expired_updates(), 1);
  EXPECT_OK(store.Put("x", 199, 1'000'000, std::string_view("v"), 1'000'000));
  EXPECT_OK(FlushAndCommit(*task, 2, 1'000'000));
  Sessions seen;
  EXPECT_OK(task->CurrentView()->FetchAll("s", 0, INT64_MAX, std::nullopt, Into(seen)));
  EXPECT_EQ(seen, (Sessions{{"x", 199, 1'000'000, "v"}}));
}

TEST_P(SessionStoreTest, ClosedSessionsAreFoundByTheirEnd) {
  StoreSpec spec = SessionSpec();
  spec.emits_on_close = true;
  spec.in_memory = !OnDisk();
  auto task = OpenTask(Options({spec}, Directory()));
  SessionStore& store = task->session("s");
  EXPECT_OK(store.Put("b", 5, 20, std::string_view("b5"), 20));
  EXPECT_OK(store.Put("a", 10, 20, std::string_view("a10"), 20));
  EXPECT_OK(store.Put("c", 1, 30, std::string_view("gone"), 30));
  EXPECT_OK(store.Put("a", 61'000, 61'000, std::string_view("next segment"), 61'000));
  EXPECT_OK(FlushAndCommit(*task, 1, 61'000));
  EXPECT_OK(store.Remove("c", 1, 30, 31));
  EXPECT_OK(store.Put("c", 1, 31, std::string_view("c31"), 31));
  EXPECT_OK(store.Put("a", 10, 20, std::string_view("a10 again"), 20));
  for (const bool committed : {false, true}) {
    Sessions seen;
    EXPECT_OK(store.FindSessionsByEnd(20, 61'000, Into(seen)));
    // Kafka Streams' order of equal ends: by start on disk, by key in memory.
    Sessions expected{{"b", 5, 20, "b5"}, {"a", 10, 20, "a10 again"}, {"c", 1, 31, "c31"}, {"a", 61'000, 61'000, "next segment"}};
    if (!OnDisk()) std::swap(expected[0], expected[1]);
    EXPECT_EQ(seen, expected) << committed;
    seen.clear();
    EXPECT_OK(store.FindSessionsByEnd(21, 30, Into(seen)));
    EXPECT_EQ(seen, Sessions{}) << committed;
    EXPECT_OK(FlushAndCommit(*task, 2, 61'000));
  }
}

TEST_P(SessionStoreTest, ASessionThatCannotBeIsSkipped) {
  auto task = OpenTask(Options({SessionSpec()}, Directory()));
  SessionStore& store = task->session("s");
  for (const auto& [start, end] : {std::pair<int64_t, int64_t>{-1, 5}, {6, 5}}) {
    const absl::Status status = store.Put("k", start, end, std::string_view("v"), 5);
    EXPECT_EQ(base::ReactionOf(status), base::Reaction::kSkipRecord) << status;
  }
}

// Sessions of a few keys come, grow, go, are committed, dropped, evicted, reopened and restored; a map does the same.
TEST_P(SessionStoreTest, BehavesAsAMap) {
  for (uint64_t seed = 1; seed <= (OnDisk() ? 2u : 20u); ++seed) {
    base::Random random(seed);
    auto options = Options({SessionSpec()}, Directory().empty() ? "" : Directory() + std::to_string(seed));
    options.cache_bytes_max = 4096;
    auto task = OpenTask(options);
    RecordingChangelog changelog;
    task->SetChangelogWriter(&changelog);
    using Map = std::map<std::tuple<std::string, int64_t, int64_t>, std::string>;  // key, end, start
    Map model;
    Map committed;
    size_t logged = 0;
    const auto expected = [&](std::string_view key) {
      Sessions sessions;
      for (const auto& [place, value] : model)
        if (std::get<0>(place) == key) sessions.emplace_back(key, std::get<2>(place), std::get<1>(place), value);
      return sessions;
    };
    for (int i = 0; i < 600; ++i) {
      const std::string key(1, static_cast<char>('a' + random.Below(5)));
      const int64_t end = static_cast<int64_t>(random.Below(300'000));
      const int64_t start = end - static_cast<int64_t>(random.Below(static_cast<uint64_t>(end) + 1) % 50);
      SessionStore& store = task->session("s");
      const Sessions present = expected(key);
      if (random.Below(3) == 0 && !present.empty()) {
        const auto& [k, s, e, v] = present[random.Below(present.size())];
        EXPECT_OK(store.Remove(key, s, e, e));
        model.erase({key, e, s});
      } else {
        const std::string value = std::to_string(i);
        EXPECT_OK(store.Put(key, start, end, value, end));
        model[{key, end, start}] = value;
      }
      ASSERT_EQ(Find(store, key, 0, INT64_MAX), expected(key)) << "seed " << seed << " step " << i;
      const uint64_t what = random.Below(40);
      if (what < 3) {
        EXPECT_OK(FlushAndCommit(*task, i, 300'000));
        committed = model;
        logged = changelog.changes.size();
      } else if (what == 3) {
        task->DiscardUncommitted();
        model = committed;
        changelog.changes.resize(logged);
      } else if (what == 4 && OnDisk()) {
        task.reset();
        task = OpenTask(options);
        task->SetChangelogWriter(&changelog);
        model = committed;
        changelog.changes.resize(logged);
      }
    }
    EXPECT_OK(FlushAndCommit(*task, 600, 300'000));
    auto copy = OpenTask(Options({SessionSpec()}, Directory().empty() ? "" : Directory() + "copy" + std::to_string(seed)));
    std::vector<ChangelogRecord> records;
    for (const LoggedChange& change : changelog.changes) {
      kafka::NullableBytes value;
      if (change.value.has_value()) value = std::string_view(*change.value);
      records.push_back({change.key, value, change.timestamp_ms});
    }
    EXPECT_OK(copy->ApplyChangelog(0, records, base::Offset(1)));
    for (const char* key : {"a", "b", "c", "d", "e"})
      EXPECT_EQ(Find(copy->session("s"), key, 0, INT64_MAX), expected(key)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tailrace::state
