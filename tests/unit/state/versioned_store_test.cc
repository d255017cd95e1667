// Goal: a versioned store answers as Kafka Streams' RocksDBVersionedStore does, across commits, reopening and restore.
#include "versioned_store_impl.h"

#include <map>

#include "support.h"
#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

StoreSpec VersionedSpec(int64_t history_ms, int64_t segment_ms = 0) {
  StoreSpec spec = KeyValueSpec("versions");
  spec.kind = StoreKind::kVersioned;
  spec.history_retention_ms = history_ms;
  spec.segment_interval_ms = segment_ms;
  return spec;
}

int64_t Put(VersionedStore& store, std::string_view key, std::optional<std::string> value, int64_t timestamp_ms) {
  return ValueOrDie(store.Put(key, value.has_value() ? kafka::NullableBytes(*value) : kafka::NullableBytes(), timestamp_ms));
}

// "value@from-to", or "-".
std::string Show(const std::optional<Version>& version) {
  if (!version.has_value()) return "-";
  return std::string(version->value) + "@" + std::to_string(version->valid_from_ms) + "-" + std::to_string(version->valid_to_ms);
}
std::string AsOf(VersionedStore& store, std::string_view key, int64_t time_ms) { return Show(ValueOrDie(store.GetAsOf(key, time_ms))); }

class VersionedStoreTest : public BothBackends {};
TEST_BOTH_BACKENDS(VersionedStoreTest);

TEST_P(VersionedStoreTest, AVersionIsValidUntilTheNextOne) {
  auto task = OpenTask(Options({VersionedSpec(1000)}, Directory()));
  VersionedStore& store = task->versioned("versions");
  EXPECT_EQ(Put(store, "k", "a", 10), kValidToUndefined);
  EXPECT_EQ(Put(store, "k", "c", 30), kValidToUndefined);
  EXPECT_EQ(Put(store, "k", "b", 20), 30) << "out of order: not the latest";
  EXPECT_EQ(Put(store, "k", std::nullopt, 25), 30);
  EXPECT_EQ(Put(store, "other", "x", 5), kValidToUndefined);
  for (const bool committed : {false, true}) {
    EXPECT_EQ(Show(ValueOrDie(store.Get("k"))), "c@30--1") << committed;
    EXPECT_EQ(AsOf(store, "k", 9), "-");
    EXPECT_EQ(AsOf(store, "k", 10), "a@10-20");
    EXPECT_EQ(AsOf(store, "k", 24), "b@20-25");
    EXPECT_EQ(AsOf(store, "k", 25), "-");
    EXPECT_EQ(AsOf(store, "k", 30), "c@30--1");
    EXPECT_OK(FlushAndCommit(*task, 1));
  }
  const auto view = task->CurrentView();
  EXPECT_EQ(ValueOrDie(view->Get("versions", "k"))->value, "c");
  EXPECT_EQ(ValueOrDie(view->GetAsOf("versions", "k", 24))->value, "b");
  EXPECT_EQ(ValueOrDie(view->GetAsOf("versions", "k", 24))->valid_to_ms, 25);
  EXPECT_FALSE(ValueOrDie(view->GetAsOf("versions", "k", 29)).has_value());
  Rows rows;
  EXPECT_OK(view->Range("versions", std::nullopt, std::nullopt, std::nullopt, Into(rows)));
  EXPECT_EQ(rows, (Rows{{kNoWindow, "k", "c", 30}, {kNoWindow, "other", "x", 5}}));
  std::vector<std::string> versions;
  EXPECT_OK(view->Versions("versions", "k", 12, 30, [&](const Version& version) {
    versions.push_back(Show(version));
    return true;
  }));
  EXPECT_EQ(versions, (std::vector<std::string>{"c@30--1", "b@20-25", "a@10-20"}));
}

TEST_P(VersionedStoreTest, ChangelogHasTheBareValueAndTheVersionsTime) {
  auto task = OpenTask(Options({VersionedSpec(10)}, Directory()));
  RecordingChangelog changelog;
  task->SetChangelogWriter(&changelog);
  VersionedStore& store = task->versioned("versions");
  Put(store, "k", "a", 100);
  Put(store, "k", std::nullopt, 95);
  EXPECT_EQ(Put(store, "k", "late", 89), kNotPut) << "older than observed time - history";
  EXPECT_EQ(store.expired_puts(), 1);
  EXPECT_EQ(changelog.changes, (std::vector<LoggedChange>{{0, "k", "a", 100}, {0, "k", std::nullopt, 95}, {0, "k", "late", 89}}))
      << "also what is not put is logged";
}

TEST_P(VersionedStoreTest, HistoryRetention) {
  auto task = OpenTask(Options({VersionedSpec(10, 2)}, Directory()));
  VersionedStore& store = task->versioned("versions");
  Put(store, "k", "a", 100);
  Put(store, "k", "b", 105);
  Put(store, "still", "s", 50);
  Put(store, "clock", "c", 115);
  EXPECT_EQ(AsOf(store, "k", 105), "b@105--1") << "the latest version never expires";
  EXPECT_EQ(AsOf(store, "k", 104), "-") << "115 - 10 is later";
  EXPECT_EQ(AsOf(store, "still", 60), "-") << "it was too old to be put";
  EXPECT_EQ(Put(store, "k", "c", 104), kNotPut);
  EXPECT_EQ(Put(store, "k", "c", 106), kValidToUndefined);
  EXPECT_EQ(AsOf(store, "k", 105), "b@105-106");
  for (int64_t time = 200; time < 400; time += 10) {
    Put(store, "k", std::to_string(time), time);
    EXPECT_OK(FlushAndCommit(*task, time));
  }
  EXPECT_EQ(AsOf(store, "k", 380), "380@380-390") << "exactly the history back";
  EXPECT_EQ(AsOf(store, "k", 379), "-");
}

TEST(VersionedStore, DefaultSegmentIntervals) {
  for (const auto& [history_ms, interval_ms] : std::map<int64_t, int64_t>{
           {3'000, 2'000}, {30'000, 10'000}, {60'000, 20'000}, {60'001, 20'000}, {300'000, 60'000}, {300'001, 60'000},
           {3'600'000, 300'000}, {3'600'001, 300'000}, {86'400'000, 3'600'000}})
    EXPECT_EQ(VersionSegmentInterval(history_ms), interval_ms) << history_ms;
}

TEST(VersionedStore, SegmentRow) {
  VersionRow row;
  row.Reset(std::string_view("a"), 10, 20);
  row.InsertAsLatest(std::string_view("bc"), 20, 30);
  row.InsertAsLatest({}, 30, 40);
  std::string expected;
  base::AppendBigEndian(expected, int64_t{10});  // the earliest; the end, 40, stands in front
  for (const auto& [from_ms, size] : std::vector<std::pair<int64_t, int32_t>>{{30, -1}, {20, 2}, {10, 1}}) {
    base::AppendBigEndian(expected, from_ms);
    base::AppendBigEndian(expected, size);
  }
  expected += "abc";
  EXPECT_EQ(row.Encode(), expected);
  EXPECT_EQ(row.end_ms(), 40);
  VersionRow read;
  ASSERT_TRUE(read.Parse(40, expected));
  EXPECT_EQ(read.size(), 3u);
  EXPECT_EQ(read.value(1).view(), "bc");
  EXPECT_EQ(read.Find(29), 1u);
  for (const size_t size : {0u, 7u, 19u, 45u}) EXPECT_FALSE(read.Parse(40, expected.substr(0, size))) << size;
}

// What is right, without segments: every version of every key.
class Model {
 public:
  explicit Model(int64_t history_ms) : history_ms_(history_ms) {}
  int64_t Put(const std::string& key, const std::optional<std::string>& value, int64_t time_ms) {
    if (time_ms < now_ms_ - history_ms_) return kNotPut;
    now_ms_ = std::max(now_ms_, time_ms);
    auto& versions = keys_[key];
    versions[time_ms] = value;
    const auto next = versions.upper_bound(time_ms);
    return next == versions.end() ? kValidToUndefined : next->first;
  }
  // Kafka Streams forgets a delete that replaces the only version at its very time.
  bool Ambiguous(const std::string& key, int64_t time_ms) const {
    const auto found = keys_.find(key);
    return found != keys_.end() && !found->second.empty() && found->second.rbegin()->first == time_ms;
  }
  std::optional<std::string> AsOf(const std::string& key, int64_t time_ms) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    const auto next = found->second.upper_bound(time_ms);
    if (next == found->second.begin()) return std::nullopt;
    if (time_ms < now_ms_ - history_ms_ && next != found->second.end()) return std::nullopt;
    return std::prev(next)->second;
  }

 private:
  const int64_t history_ms_;
  int64_t now_ms_ = -1;
  std::map<std::string, std::map<int64_t, std::optional<std::string>>> keys_;
};

TEST(VersionedStore, AgreesWithAListOfAllVersions) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    base::Random random(seed);
    TempDirectory directory;
    const bool disk = seed % 2 == 0;
    const int64_t history_ms = static_cast<int64_t>(random.Below(100));
    const StoreSpec spec = VersionedSpec(history_ms, 1 + static_cast<int64_t>(random.Below(40)));
    TaskStateOptions options = Options({spec}, disk ? directory.Sub("0_1") : "");
    options.cache_bytes_max = size_t{1} << (8 + random.Below(12));
    auto task = OpenTask(options);
    auto restored = OpenTask(Options({spec}, disk ? directory.Sub("restored") : ""));
    RecordingChangelog changelog;
    task->SetChangelogWriter(&changelog);
    Model model(history_ms);
    int64_t now_ms = 0;
    const auto check = [&](VersionedStore& store, const char* which) {
      for (int key = 0; key < 4; ++key)
        for (int64_t time = std::max<int64_t>(0, now_ms - 130); time <= now_ms + 2; ++time) {
          const auto found = ValueOrDie(store.GetAsOf(std::to_string(key), time));
          const auto right = model.AsOf(std::to_string(key), time);
          ASSERT_EQ(found.has_value() ? std::optional(std::string(found->value)) : std::nullopt, right)
              << which << " seed " << seed << " key " << key << " time " << time << " now " << now_ms << " history " << history_ms;
        }
    };
    size_t logged = 0;
    for (int step = 0; step < 150 && !::testing::Test::HasFatalFailure(); ++step) {
      now_ms += static_cast<int64_t>(random.Below(6));
      const int64_t time = std::max<int64_t>(0, now_ms - static_cast<int64_t>(random.Below(3) == 0 ? random.Below(110) : 0));
      const std::string key = std::to_string(random.Below(4));
      std::optional<std::string> value = std::to_string(step);
      if (random.Below(4) == 0 && !model.Ambiguous(key, time)) value.reset();
      ASSERT_EQ(Put(task->versioned("versions"), key, value, time), model.Put(key, value, time)) << "seed " << seed << " step " << step;
      if (random.Below(5) == 0) EXPECT_OK(FlushAndCommit(*task, step));
      if (random.Below(30) == 0) check(task->versioned("versions"), "at work");
      if (random.Below(30) == 0) {
        std::vector<ChangelogRecord> records;
        for (; logged < changelog.changes.size(); ++logged) {
          const LoggedChange& change = changelog.changes[logged];
          records.push_back({change.key, change.value.has_value() ? kafka::NullableBytes(*change.value) : kafka::NullableBytes(),
                             change.timestamp_ms});
        }
        EXPECT_OK(restored->ApplyChangelog(0, records, base::Offset(static_cast<int64_t>(logged))));
        check(restored->versioned("versions"), "restored");
      }
      if (disk && random.Below(40) == 0) {
        EXPECT_OK(FlushAndCommit(*task, step));
        task.reset();
        task = OpenTask(options);
        task->SetChangelogWriter(&changelog);
        check(task->versioned("versions"), "reopened");
      }
    }
  }
}

}  // namespace
}  // namespace tailrace::state
