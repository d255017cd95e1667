// Goal: after a crash at any moment, data and offset are those of one and the same commit.
// Method: a child process commits in a loop and is killed at random times; copies of a live directory. In commit n every
// key's value is n and so is the changelog offset.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "spawn_case.h"
#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

constexpr int kKeys = 50;
using testing_support::kReportDescriptor;

std::vector<StoreSpec> Specs() {
  StoreSpec join = WindowSpec("join", 10, 1'000'000);
  join.retain_duplicates = true;
  return {KeyValueSpec("kv"), WindowSpec("w", 10, 1'000'000), join};
}

absl::Status WriteCommit(TaskState& task, int64_t n) {
  const std::string value = std::to_string(n);
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = std::to_string(i);
    TAILRACE_RETURN_IF_ERROR(task.key_value("kv").Put(key, std::string_view(value), n));
    TAILRACE_RETURN_IF_ERROR(task.window("w").Put(key, n / 20 * 10, std::string_view(value), n));
  }
  TAILRACE_RETURN_IF_ERROR(task.window("join").Put("k", n, std::string_view(value), n));
  return FlushAndCommit(task, n, n);
}

// Names and sizes of what lies in a directory; a file that goes meanwhile has size -1.
std::map<std::string, int64_t> FilesIn(const std::string& directory) {
  std::map<std::string, int64_t> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::error_code gone;
    const std::uintmax_t size = entry.is_directory(gone) ? 0 : std::filesystem::file_size(entry.path(), gone);
    files[entry.path().string()] = gone ? -1 : static_cast<int64_t>(size);
  }
  return files;
}

// Copies a live directory as it is at one moment. Threads of the database delete old files at any time; a copy is good when no
// file came, went or grew while it was made.
void CopyAtOneMoment(const std::string& from, const std::string& to) {
  constexpr int kAttemptsMax = 100;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const auto before = FilesIn(from);
    std::filesystem::remove_all(to);
    std::error_code failed;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, failed);
    if (!failed && FilesIn(from) == before) return;
  }
  FAIL() << from << " does not come to rest";
}

// Returns the number of the commit that the directory holds (0: none).
int64_t CheckOneCommit(const std::string& directory) {
  auto task = OpenTask(Options(Specs(), directory));
  const auto view = task->CurrentView();
  const base::Offset offset = view->changelog_offset("kv");
  const int64_t n = offset == base::kOffsetUnknown ? 0 : offset.value();
  EXPECT_EQ(view->changelog_offset("w"), offset);
  EXPECT_EQ(view->stream_time_ms(), n == 0 ? -1 : n);
  Rows rows;
  EXPECT_OK(view->Range("kv", std::nullopt, std::nullopt, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), n == 0 ? 0u : size_t{kKeys});
  for (const auto& [start, key, value, timestamp] : rows) EXPECT_EQ(value, std::to_string(n)) << key;
  rows.clear();
  EXPECT_OK(view->FetchAll("w", n / 20 * 10, n / 20 * 10, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), n == 0 ? 0u : size_t{kKeys});
  for (const auto& [start, key, value, timestamp] : rows) EXPECT_EQ(value, std::to_string(n)) << key;
  rows.clear();
  EXPECT_OK(view->FetchAll("join", 0, INT64_MAX, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), static_cast<size_t>(n));
  return n;
}

// Commits until killed; the number of each commit goes to standard output after the commit returned.
TEST(CrashTestChild, DISABLED_CommitsUntilKilled) {
  const char* directory = getenv("TAILRACE_CRASH_DIRECTORY");
  ASSERT_NE(directory, nullptr);
  TaskStateOptions options = Options(Specs(), directory);
  options.flush_interval_ms = 5;
  auto task = OpenTask(options);
  const base::Offset committed = task->committed().changelog_offsets[0];
  for (int64_t n = committed == base::kOffsetUnknown ? 1 : committed.value() + 1;; ++n) {
    ASSERT_TRUE(WriteCommit(*task, n).ok());
    EXPECT_OK(task->MaybeFlush());
    ASSERT_EQ(write(kReportDescriptor, &n, sizeof(n)), static_cast<ssize_t>(sizeof(n)));
  }
}

TEST(CrashTest, AKilledProcessLosesNoCommitAndShowsNoHalfOne) {
  TempDirectory directory;
  base::Random random(7);
  int64_t last = 0;
  int64_t total_reported = 0;
  for (int kill_number = 0; kill_number < 25 && !HasFailure(); ++kill_number) {
    int pipes[2];
    ASSERT_EQ(pipe2(pipes, O_CLOEXEC), 0);
    const pid_t child =
        testing_support::SpawnCase("CrashTestChild.*", "TAILRACE_CRASH_DIRECTORY", directory.Sub("0_1"), pipes[1]);
    ASSERT_GT(child, 0);
    close(pipes[1]);
    // Kill it after a random number of reported commits and a random moment more.
    int64_t reported = last;
    for (uint64_t i = 0, count = random.Below(40); i <= count; ++i) {
      int64_t n = 0;
      if (read(pipes[0], &n, sizeof(n)) != sizeof(n)) break;
      reported = n;
    }
    usleep(static_cast<useconds_t>(random.Below(2'000)));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    int64_t n = 0;
    while (read(pipes[0], &n, sizeof(n)) == sizeof(n)) reported = n;
    close(pipes[0]);
    const int64_t found = CheckOneCommit(directory.Sub("0_1"));
    EXPECT_GE(found, reported) << "a commit that had returned is lost";
    EXPECT_LE(found, reported + 1);
    total_reported += reported - last;
    last = found;
  }
  std::cout << total_reported << " commits in 25 lives\n";
  EXPECT_GT(total_reported, 100);
}

TEST(CrashTest, ACopyOfALiveDirectoryHoldsOneCommit) {
  // What a machine leaves when it loses power is less: without fsync the copy stands for a killed process only.
  TempDirectory directory;
  auto task = OpenTask(Options(Specs(), directory.Sub("0_1")));
  for (int64_t n = 1; n <= 30; ++n) {
    EXPECT_OK(WriteCommit(*task, n));
    if (n % 10 != 0) continue;
    // An uncommitted change and a discarded one must leave no trace.
    EXPECT_OK(task->key_value("kv").Put("0", std::string_view("uncommitted"), n));
    const std::string copy = directory.Sub("copy" + std::to_string(n));
    CopyAtOneMoment(directory.Sub("0_1"), copy);
    task->DiscardUncommitted();
    EXPECT_EQ(CheckOneCommit(copy), n);
  }
}

TEST(CrashTest, ARestoreThatDiesIsRepeatedFromItsOffset) {
  // Restore writes without a log: a copy of the live directory holds what was flushed, with the offset that belongs to it.
  TempDirectory directory;
  TaskStateOptions options = Options({KeyValueSpec("kv")}, directory.Sub("0_1"));
  base::ManualClock clock;
  options.clock = &clock;
  options.flush_interval_ms = 1;
  auto task = OpenTask(options);
  auto apply = [&](TaskState& target, int64_t n) {
    const std::string key = std::to_string(n);
    EXPECT_OK(target.ApplyChangelog(0, std::vector<ChangelogRecord>{{key, std::string_view(key), n}}, base::Offset(n)));
  };
  for (int64_t n = 0; n < 100; ++n) apply(*task, n);
  const std::string copy = directory.Sub("copy");
  CopyAtOneMoment(directory.Sub("0_1"), copy);
  TaskStateOptions copied = Options({KeyValueSpec("kv")}, copy);
  auto survivor = OpenTask(copied);
  const base::Offset offset = survivor->committed().changelog_offsets[0];
  const int64_t from = offset == base::kOffsetUnknown ? 0 : offset.value() + 1;
  Rows rows;
  EXPECT_OK(survivor->key_value("kv").Range(std::nullopt, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), static_cast<size_t>(from)) << "data and offset differ";
  for (int64_t n = from; n < 100; ++n) apply(*survivor, n);
  // The first logged commit makes the unlogged past durable first.
  EXPECT_OK(survivor->key_value("kv").Put("more", std::string_view("v"), 1));
  EXPECT_OK(FlushAndCommit(*survivor, 100, 1));
  const std::string second = directory.Sub("second");
  CopyAtOneMoment(copy, second);
  rows.clear();
  auto final_task = OpenTask(Options({KeyValueSpec("kv")}, second));
  EXPECT_OK(final_task->key_value("kv").Range(std::nullopt, std::nullopt, Into(rows)));
  EXPECT_EQ(rows.size(), 101u);
  EXPECT_EQ(final_task->committed().changelog_offsets[0], base::Offset(100));
}

}  // namespace
}  // namespace tailrace::state
