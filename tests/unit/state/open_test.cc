// Goal: a directory is opened only by the task that wrote it, and says what to do otherwise; the budget follows the container.
#include <fstream>
#include <thread>

#include "rocksdb_memory.h"
#include "support.h"

namespace tailrace::state {
namespace {

void WriteSomething(const std::string& directory) {
  auto task = OpenTask(Options({KeyValueSpec("kv")}, directory));
  EXPECT_OK(task->key_value("kv").Put("k", std::string_view("v"), 1));
  EXPECT_OK(FlushAndCommit(*task, 5, 61'234));
}

TEST(OpenTest, TheCommitPointIsKept) {
  TempDirectory directory;
  {
    auto task = OpenTask(Options({KeyValueSpec("kv"), KeyValueSpec("other")}, directory.Sub("0_1")));
    EXPECT_EQ(task->committed().stream_time_ms, -1);
    CommitPoint point;
    point.changelog_offsets = {base::Offset(5), base::kOffsetUnknown};
    point.position[{"input", base::Partition(1)}] = base::Offset(77);
    point.stream_time_ms = 61'234;
    point.operator_times_ms["aggregate"] = 61'000;
    EXPECT_OK(task->Commit(point));
    point.changelog_offsets = {base::kOffsetUnknown, base::Offset(9)};  // unknown keeps the stored one
    EXPECT_OK(task->Commit(point));
  }
  auto task = OpenTask(Options({KeyValueSpec("other"), KeyValueSpec("new"), KeyValueSpec("kv")}, directory.Sub("0_1")));
  EXPECT_EQ(task->committed().changelog_offsets, (std::vector{base::Offset(9), base::kOffsetUnknown, base::Offset(5)}))
      << "offsets belong to names, not to places";
  EXPECT_EQ(task->committed().stream_time_ms, 61'234);
  EXPECT_EQ(task->committed().operator_times_ms.at("aggregate"), 61'000);
  EXPECT_EQ(task->CurrentView()->position().at({"input", base::Partition(1)}), base::Offset(77));
}

TEST(OpenTest, AForeignDirectoryIsRefused) {
  TempDirectory directory;
  WriteSomething(directory.Sub("0_1"));
  TaskStateOptions other = Options({KeyValueSpec("kv")}, directory.Sub("0_1"));
  other.application_id = "another";
  const absl::Status application = TaskState::Open(other).status();
  EXPECT_EQ(base::ReactionOf(application), base::Reaction::kTaskCorrupted);
  EXPECT_NE(application.message().find("application app"), std::string::npos) << application;
  other = Options({KeyValueSpec("kv")}, directory.Sub("0_1"));
  other.task = {0, base::Partition(2)};
  EXPECT_EQ(base::ReactionOf(TaskState::Open(other).status()), base::Reaction::kTaskCorrupted);
  EXPECT_OK(TaskState::Wipe(directory.Sub("0_1")));
  EXPECT_FALSE(ValueOrDie(OpenTask(other)->key_value("kv").Get("k")).has_value());
}

TEST(OpenTest, AnOpenDirectoryIsNeitherOpenedNorWiped) {
  TempDirectory directory;
  auto task = OpenTask(Options({KeyValueSpec("kv")}, directory.Sub("0_1")));
  const absl::Status again = TaskState::Open(Options({KeyValueSpec("kv")}, directory.Sub("0_1"))).status();
  EXPECT_EQ(base::ReactionOf(again), base::Reaction::kRetry) << again;
  EXPECT_EQ(base::ReactionOf(TaskState::Wipe(directory.Sub("0_1"))), base::Reaction::kRetry);
  const auto view = task->CurrentView();
  task.reset();
  EXPECT_FALSE(TaskState::Wipe(directory.Sub("0_1")).ok()) << "a view still reads it";
}

TEST(OpenTest, AStoreOfAnotherKindIsRefused) {
  TempDirectory directory;
  WriteSomething(directory.Sub("0_1"));
  const absl::Status status = TaskState::Open(Options({WindowSpec("kv", 10, 100)}, directory.Sub("0_1"))).status();
  EXPECT_EQ(base::ReactionOf(status), base::Reaction::kTaskCorrupted) << status;
}

TEST(OpenTest, ARemovedStoreIsForgotten) {
  TempDirectory directory;
  WriteSomething(directory.Sub("0_1"));
  OpenTask(Options({KeyValueSpec("new")}, directory.Sub("0_1")));
  auto task = OpenTask(Options({KeyValueSpec("kv")}, directory.Sub("0_1")));
  EXPECT_EQ(task->committed().changelog_offsets[0], base::kOffsetUnknown);
  EXPECT_FALSE(ValueOrDie(task->key_value("kv").Get("k")).has_value()) << "its offset is gone, so its data must be too";
}

TEST(OpenTest, AnInMemoryStoreBesideOnesOnDiskStartsEmptyWithAnUnknownOffset) {
  TempDirectory directory;
  StoreSpec volatile_spec = KeyValueSpec("volatile");
  volatile_spec.in_memory = true;
  {
    auto task = OpenTask(Options({volatile_spec, KeyValueSpec("kv")}, directory.Sub("0_1")));
    EXPECT_OK(task->key_value("volatile").Put("k", std::string_view("v"), 1));
    EXPECT_OK(task->key_value("kv").Put("k", std::string_view("v"), 1));
    EXPECT_OK(FlushAndCommit(*task, 5, 1));
    EXPECT_EQ(ValueOrDie(task->CurrentView()->Get("volatile", "k"))->value, "v");
    EXPECT_EQ(ValueOrDie(task->CurrentView()->Get("kv", "k"))->value, "v");
    EXPECT_EQ(task->committed().changelog_offsets[0], base::Offset(5));
  }
  auto task = OpenTask(Options({volatile_spec, KeyValueSpec("kv")}, directory.Sub("0_1")));
  EXPECT_EQ(task->committed().changelog_offsets, (std::vector{base::kOffsetUnknown, base::Offset(5)}));
  EXPECT_FALSE(ValueOrDie(task->key_value("volatile").Get("k")).has_value());
  EXPECT_TRUE(ValueOrDie(task->key_value("kv").Get("k")).has_value());
}

TEST(OpenTest, MaybeFlushWritesFilesWhenItsIntervalHasPassed) {
  TempDirectory directory;
  base::ManualClock clock;
  TaskStateOptions options = Options({KeyValueSpec("kv")}, directory.Sub("0_1"));
  options.clock = &clock;
  options.flush_interval_ms = 60'000;
  auto task = OpenTask(options);
  EXPECT_OK(task->key_value("kv").Put("k", std::string_view("v"), 1));
  EXPECT_OK(FlushAndCommit(*task, 5, 1));
  auto files = [&] {
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory.Sub("0_1/db"))) count += file.path().extension() == ".sst";
    return count;
  };
  clock.AdvanceMs(59'999);
  EXPECT_OK(task->MaybeFlush());
  clock.AdvanceMs(1);
  EXPECT_OK(task->MaybeFlush());
  const int64_t deadline = base::SystemClock().SteadyMs() + 20'000;
  while (files() == 0 && base::SystemClock().SteadyMs() < deadline) std::this_thread::yield();
  EXPECT_GE(files(), 1);
}

TEST(OpenTest, AThousandOpenTasksStaySmall) {
  TempDirectory directory;
  const auto resident_kb = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0L;
  };
  constexpr int kTasks = 50;
  std::vector<std::unique_ptr<TaskState>> tasks;
  const long before = resident_kb();
  for (int i = 0; i < kTasks; ++i) {
    TaskStateOptions options = Options({KeyValueSpec("a"), KeyValueSpec("b"), WindowSpec("w", 10, 1'000)}, directory.Sub(std::to_string(i)));
    options.task = {0, base::Partition(i)};
    tasks.push_back(OpenTask(std::move(options)));
    EXPECT_OK(tasks.back()->key_value("a").Put("k", std::string_view("v"), 1));
    EXPECT_OK(FlushAndCommit(*tasks.back(), 1, 1));
  }
  const long per_task_kb = (resident_kb() - before) / kTasks;
  RecordProperty("resident_kb_per_task", static_cast<int>(per_task_kb));
  EXPECT_LT(per_task_kb, 1'000);
}

TEST(MemoryBudgetTest, FollowsTheContainer) {
  TempDirectory root;
  const std::string base = root.path() + "/";
  std::filesystem::create_directories(base + "sys/fs/cgroup/a/b");
  std::filesystem::create_directories(base + "proc/self");
  const size_t host = AvailableMemoryBytes(base);
  EXPECT_GT(host, size_t{64} << 20);
  std::ofstream(base + "sys/fs/cgroup/memory.max") << "max\n";
  EXPECT_EQ(AvailableMemoryBytes(base), host);
  std::ofstream(base + "proc/self/cgroup") << "0::/a/b\n";
  std::ofstream(base + "sys/fs/cgroup/a/b/memory.max") << "134217728\n";
  EXPECT_EQ(AvailableMemoryBytes(base), size_t{128} << 20);
  EXPECT_EQ(MemoryBudget::Create(100 << 20)->total_bytes(), size_t{100} << 20);
  EXPECT_GT(MemoryBudget::Create(0)->total_bytes(), 0u);
}

}  // namespace
}  // namespace tailrace::state
