// Helpers of the state tests.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tailrace/state/task_state.h"

namespace tailrace::state {

inline void ExpectOk(const absl::Status& status, const char* what) { ASSERT_TRUE(status.ok()) << what << ": " << status; }
#define EXPECT_OK(expression) ExpectOk((expression), #expression)

template <class T>
T ValueOrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    ADD_FAILURE() << value.status();
    abort();
  }
  return *std::move(value);
}

// A folder that goes away with the test.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tailrace-state-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::string Sub(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct LoggedChange {
  int32_t store;
  std::string key;
  std::optional<std::string> value;
  int64_t timestamp_ms;
  friend bool operator==(const LoggedChange&, const LoggedChange&) = default;
  friend std::ostream& operator<<(std::ostream& out, const LoggedChange& change) {
    return out << change.store << ":" << change.key << "=" << change.value.value_or("<null>") << "@" << change.timestamp_ms;
  }
};

inline std::optional<std::string> ToOptional(kafka::NullableBytes bytes) {
  if (bytes.is_null()) return std::nullopt;
  return std::string(bytes.view());
}

class RecordingChangelog : public ChangelogWriter {
 public:
  void Append(int32_t store, std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) override {
    changes.push_back({store, std::string(key), ToOptional(value), timestamp_ms});
  }
  std::vector<LoggedChange> changes;
};

struct SeenChange {
  std::string key;
  int64_t start;
  std::optional<std::string> new_value;
  std::optional<std::string> old_value;
  int64_t timestamp_ms;
  friend bool operator==(const SeenChange&, const SeenChange&) = default;
};

class RecordingListener : public ChangeListener {
 public:
  void OnChange(const StoreChange& change) override {
    changes.push_back({std::string(change.key), change.window_start_ms, ToOptional(change.new_value),
                       ToOptional(change.old_value), change.timestamp_ms});
  }
  std::vector<SeenChange> changes;
};

using Rows = std::vector<std::tuple<int64_t, std::string, std::string, int64_t>>;  // start, key, value, timestamp
inline auto Into(Rows& rows) {
  return [&rows](const Row& row) {
    rows.emplace_back(row.window_start_ms, row.key, row.value, row.timestamp_ms);
    return true;
  };
}

inline StoreSpec KeyValueSpec(std::string name) {
  StoreSpec spec;
  spec.name = std::move(name);
  spec.changelog_topic = "app-" + spec.name + "-changelog";
  return spec;
}

inline StoreSpec WindowSpec(std::string name, int64_t size_ms, int64_t retention_ms) {
  StoreSpec spec = KeyValueSpec(std::move(name));
  spec.kind = StoreKind::kWindow;
  spec.window_size_ms = size_ms;
  spec.retention_ms = retention_ms;
  return spec;
}

inline const std::shared_ptr<MemoryBudget>& TestBudget() {
  static const std::shared_ptr<MemoryBudget> budget = MemoryBudget::Create(64 << 20);
  return budget;
}

inline TaskStateOptions Options(std::vector<StoreSpec> stores, std::string directory = {}) {
  TaskStateOptions options;
  options.directory = std::move(directory);
  options.task = {0, base::Partition(1)};
  options.application_id = "app";
  options.stores = std::move(stores);
  options.memory = TestBudget();
  return options;
}

inline std::unique_ptr<TaskState> OpenTask(TaskStateOptions options) { return ValueOrDie(TaskState::Open(std::move(options))); }

// Flushes all stores, then commits with the same changelog offset for each.
inline absl::Status FlushAndCommit(TaskState& task, int64_t offset, int64_t stream_time_ms = 0) {
  CommitPoint point;
  for (size_t i = 0; i < task.specs().size(); ++i) {
    task.store(static_cast<int32_t>(i)).Flush();
    point.changelog_offsets.push_back(base::Offset(offset));
  }
  point.position[{"input", base::Partition(1)}] = base::Offset(offset);
  point.stream_time_ms = stream_time_ms;
  return task.Commit(point);
}

// Runs a test once in memory and once on disk.
class BothBackends : public ::testing::TestWithParam<bool> {
 protected:
  std::string Directory() const { return GetParam() ? directory_.Sub("0_1") : std::string(); }
  bool OnDisk() const { return GetParam(); }

 private:
  TempDirectory directory_;
};
#define TEST_BOTH_BACKENDS(Suite) \
  INSTANTIATE_TEST_SUITE_P(, Suite, ::testing::Bool(), [](const auto& backend) { return backend.param ? "disk" : "memory"; })

}  // namespace tailrace::state
