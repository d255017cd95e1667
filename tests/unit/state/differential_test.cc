// Goal: cache, backends and commits together behave like a map.
// Method: long random sequences of updates, reads, scans, commits, discards and reopenings against std::map, with caches
// from far too small to ample, on both backends.
#include <map>

#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

constexpr int64_t kRetentionMs = 300;

struct Model {
  using Key = std::pair<int64_t, std::string>;  // start (kNoWindow in the key-value store), key
  std::map<Key, std::pair<std::string, int64_t>> entries;
  int64_t stream_time = -1;
  int64_t newest_start = -1;  // of what was put

  void Flush() { stream_time = std::max(stream_time, newest_start); }
  int64_t retention_start() const { return stream_time < 0 ? INT64_MIN : stream_time - kRetentionMs + 1; }
  Rows Scan(int64_t from, int64_t to, const std::string& low, const std::string& high) const {
    Rows rows;
    for (const auto& [key, value] : entries) {
      if (key.first < from || key.first > to || key.second < low || key.second > high) continue;
      if (key.first != kNoWindow && key.first < retention_start()) continue;
      rows.emplace_back(key.first, key.second, value.first, value.second);
    }
    return rows;
  }
};

class Differential {
 public:
  Differential(uint64_t seed, std::string directory) : random_(seed), directory_(std::move(directory)) {
    cache_bytes_ = size_t{1} << (8 + random_.Below(15));
    keys_ = 1 + random_.Below(200);
    caching_ = random_.Below(4) != 0;
    Open();
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) Step(step);
  }

 private:
  void Open() {
    task_.reset();
    StoreSpec kv = KeyValueSpec("kv");
    StoreSpec window = WindowSpec("w", 10, kRetentionMs);
    kv.caching = window.caching = caching_;
    TaskStateOptions options = Options({kv, window}, directory_);
    options.cache_bytes_max = cache_bytes_;
    task_ = OpenTask(std::move(options));
    kv_ = &task_->key_value("kv");
    window_ = &task_->window("w");
  }

  std::string Key() { return std::string(random_.Below(3), 'k') + std::to_string(random_.Below(keys_)); }
  int64_t Start() {
    const int64_t late = random_.Below(5) == 0 ? static_cast<int64_t>(random_.Below(400)) : 0;
    return std::max<int64_t>(0, (time_ - late) / 10 * 10);
  }

  void Update(int step) {
    const std::string key = Key();
    std::string value = std::to_string(step);
    if (random_.Below(30) == 0) value.resize(random_.Below(5'000), 'x');
    const bool remove = random_.Below(8) == 0;
    const kafka::NullableBytes bytes = remove ? kafka::NullableBytes() : kafka::NullableBytes(std::string_view(value));
    if (random_.Below(2) == 0) {
      EXPECT_OK(kv_->Put(key, bytes, step));
      remove ? void(current_.entries.erase({kNoWindow, key})) : void(current_.entries[{kNoWindow, key}] = {value, step});
      return;
    }
    const int64_t start = Start();
    EXPECT_OK(window_->Put(key, start, bytes, step));
    if (start < current_.retention_start()) return;
    // The store's own time follows what is written to it: with caching, when that is flushed.
    current_.newest_start = std::max(current_.newest_start, start);
    if (!caching_) current_.Flush();
    remove ? void(current_.entries.erase({start, key})) : void(current_.entries[{start, key}] = {value, step});
  }

  void Read() {
    const std::string key = Key();
    const auto kv_row = ValueOrDie(kv_->Get(key));
    const auto expected = current_.entries.find({kNoWindow, key});
    ASSERT_EQ(kv_row.has_value(), expected != current_.entries.end()) << key;
    if (kv_row.has_value()) {
      ASSERT_EQ(kv_row->value, expected->second.first);
    }
    const int64_t start = Start();
    const auto row = ValueOrDie(window_->Fetch(key, start));
    ASSERT_EQ(row.has_value(), !current_.Scan(start, start, key, key).empty()) << key << " " << start;
  }

  void Scan() {
    std::string low = Key();
    std::string high = Key();
    if (high < low) std::swap(low, high);
    const int64_t from = Start();
    const int64_t to = from + static_cast<int64_t>(random_.Below(300));
    Rows rows;
    EXPECT_OK(kv_->Range(low, high, Into(rows)));
    ASSERT_EQ(rows, current_.Scan(kNoWindow, kNoWindow, low, high));
    rows.clear();
    EXPECT_OK(window_->FetchRange(low, from, to, Into(rows)));
    ASSERT_EQ(rows, current_.Scan(from, to, low, low));
    rows.clear();
    EXPECT_OK(window_->FetchAll(from, to, Into(rows)));
    ASSERT_EQ(rows, current_.Scan(from, to, "", "\x7f"));
  }

  void CheckView() {
    const auto view = task_->CurrentView();
    Rows rows;
    EXPECT_OK(view->Range("kv", std::nullopt, std::nullopt, std::nullopt, Into(rows)));
    ASSERT_EQ(rows, committed_.Scan(kNoWindow, kNoWindow, "", "\x7f"));
    rows.clear();
    EXPECT_OK(view->FetchAll("w", 0, INT64_MAX, std::nullopt, Into(rows)));
    ASSERT_EQ(rows, committed_.Scan(0, INT64_MAX, "", "\x7f"));
    const std::string key = Key();
    rows.clear();
    EXPECT_OK(view->FetchRange("w", key, 0, INT64_MAX, Into(rows)));
    ASSERT_EQ(rows, committed_.Scan(0, INT64_MAX, key, key));
  }

  void Step(int step) {
    const uint64_t what = random_.Below(1'000);
    if (what < 20) {
      EXPECT_OK(FlushAndCommit(*task_, step, time_));
      current_.Flush();
      committed_ = current_;
      CheckView();
    } else if (what < 23) {
      task_->DiscardUncommitted();
      current_ = committed_;
    } else if (what < 25 && !directory_.empty()) {
      Open();
      current_ = committed_;
    } else if (what < 30) {
      kv_->Flush();
      window_->Flush();
      current_.Flush();
    } else if (what < 60) {
      time_ += static_cast<int64_t>(random_.Below(20));
      window_->AdvanceStreamTime(time_);
      current_.stream_time = std::max(current_.stream_time, time_);
    } else if (what < 90) {
      Scan();
    } else if (what < 300) {
      Read();
    } else {
      Update(step);
    }
  }

  base::Random random_;
  const std::string directory_;
  size_t cache_bytes_;
  uint64_t keys_;
  bool caching_;
  int64_t time_ = 0;
  std::unique_ptr<TaskState> task_;
  KeyValueStore* kv_ = nullptr;
  WindowStore* window_ = nullptr;
  Model current_;
  Model committed_;
};

TEST(DifferentialTest, InMemory) {
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Differential(seed, "").Run(3'000);
  }
}

TEST(DifferentialTest, OnDisk) {
  for (uint64_t seed = 1; seed <= 25 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    TempDirectory directory;
    Differential(seed, directory.Sub("0_1")).Run(3'000);
  }
}

}  // namespace
}  // namespace tailrace::state
