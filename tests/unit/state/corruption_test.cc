// Goal: damaged files end in kTaskCorrupted or change nothing; wrong data is never read.
// Method: one good directory with SSTs, MANIFEST and log; many copies of it, each with one damage; then every entry is read.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>

#include "support.h"
#include "tailrace/base/random.h"

namespace tailrace::state {
namespace {

namespace fs = std::filesystem;

constexpr int kKeys = 400;
std::string ValueOf(int i, int round) { return "value of round " + std::to_string(round) + " for " + std::to_string(i * 7919); }

std::vector<StoreSpec> Specs() { return {KeyValueSpec("kv"), WindowSpec("w", 10, 1'000'000)}; }

// Two rounds of data; the first on disk as files, the second in the log.
void WriteGood(const std::string& directory) {
  base::ManualClock clock;
  TaskStateOptions options = Options(Specs(), directory);
  options.clock = &clock;
  options.flush_interval_ms = 1;
  auto task = OpenTask(options);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kKeys; ++i) {
      EXPECT_OK(task->key_value("kv").Put(std::to_string(i), std::string_view(ValueOf(i, round)), round));
      EXPECT_OK(task->window("w").Put(std::to_string(i), 10 * round, std::string_view(ValueOf(i, round)), round));
    }
    EXPECT_OK(FlushAndCommit(*task, round, round));
    if (round == 0) {
      clock.AdvanceMs(10);
      EXPECT_OK(task->MaybeFlush());
      task.reset();
      task = OpenTask(options);
    }
  }
}

enum class Outcome { kUnaffected, kOlderCommit, kDetected };

// Reads everything. Any value must be that of the commit whose offset the state claims.
Outcome Examine(const std::string& directory) {
  auto opened = TaskState::Open(Options(Specs(), directory));
  if (!opened.ok()) {
    EXPECT_EQ(base::ReactionOf(opened.status()), base::Reaction::kTaskCorrupted) << opened.status();
    return Outcome::kDetected;
  }
  TaskState& task = **opened;
  const base::Offset offset = task.committed().changelog_offsets[0];
  const int round = offset == base::kOffsetUnknown ? -1 : static_cast<int>(offset.value());
  EXPECT_EQ(task.committed().changelog_offsets[1], offset);
  int found = 0;
  absl::Status status;
  for (int i = 0; i < kKeys && status.ok(); ++i) {
    const auto row = task.key_value("kv").Get(std::to_string(i));
    status = row.status();
    if (!status.ok() || !row->has_value()) continue;
    ++found;
    EXPECT_EQ((*row)->value, ValueOf(i, round));
  }
  const auto view = task.CurrentView();
  int windows = 0;
  if (status.ok()) {
    status = view->FetchAll("w", 0, INT64_MAX, std::nullopt, [&](const Row& row) {
      ++windows;
      EXPECT_EQ(row.value, ValueOf(std::stoi(std::string(row.key)), static_cast<int>(row.window_start_ms / 10)));
      return true;
    });
  }
  if (!status.ok()) {
    EXPECT_EQ(base::ReactionOf(status), base::Reaction::kTaskCorrupted) << status;
    return Outcome::kDetected;
  }
  EXPECT_EQ(found, round < 0 ? 0 : kKeys);
  EXPECT_EQ(windows, kKeys * (round + 1));
  return round == 1 ? Outcome::kUnaffected : Outcome::kOlderCommit;
}

TEST(CorruptionTest, EveryDamageIsDetectedOrHarmless) {
  TempDirectory root;
  WriteGood(root.Sub("good"));
  ASSERT_EQ(Examine(root.Sub("good")), Outcome::kUnaffected);
  WriteGood(root.Sub("source"));
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(root.Sub("source/db"))) {
    if (file.is_regular_file() && file.file_size() > 0) files.push_back(file.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  std::map<Outcome, int> outcomes;
  base::Random random(20'260'101);
  for (int trial = 0; trial < 120 && !HasFailure(); ++trial) {
    const std::string& name = files[static_cast<size_t>(trial) % files.size()];
    const std::string copy = root.Sub("copy" + std::to_string(trial));
    fs::copy(root.Sub("source"), copy, fs::copy_options::recursive);
    const std::string path = copy + "/db/" + name;
    const auto size = static_cast<uint64_t>(fs::file_size(path));
    std::string damage;
    switch (random.Below(8)) {
      case 0:
        damage = "deleted";
        fs::remove(path);
        break;
      case 1:
        damage = "truncated";
        fs::resize_file(path, random.Below(size));
        break;
      default: {
        const uint64_t at = random.Below(size);
        damage = "byte " + std::to_string(at) + " flipped";
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const auto byte = static_cast<char>(file.get() ^ static_cast<int>(1 + random.Below(255)));
        file.seekp(static_cast<std::streamoff>(at));
        file.put(byte);
      }
    }
    SCOPED_TRACE(name + " " + damage);
    ++outcomes[Examine(copy)];
    fs::remove_all(copy);
  }
  std::cout << "unaffected " << outcomes[Outcome::kUnaffected] << ", older commit " << outcomes[Outcome::kOlderCommit]
            << ", detected " << outcomes[Outcome::kDetected] << "\n";
  EXPECT_GT(outcomes[Outcome::kDetected], 20) << "the damages hit nothing";
}

}  // namespace
}  // namespace tailrace::state
