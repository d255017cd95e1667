// What one update, one commit, one restored record and one read cost in the state room.
//
// Figures per item; compare only within one run. Run: build/release/bin/bench_state
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tailrace/base/bytes.h"
#include "tailrace/base/random.h"
#include "tailrace/state/task_state.h"

namespace tailrace::state {
namespace {

std::vector<std::string> Keys(int64_t count) {
  std::vector<std::string> keys;
  for (int64_t i = 0; i < count; ++i) {
    std::string digits = std::to_string(i * 7919 % count);
    keys.push_back("key-" + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits);
  }
  base::Random random(1);
  for (size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[random.Below(i)]);
  return keys;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tailrace-bench-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

StoreSpec Spec(StoreKind kind) {
  StoreSpec spec;
  spec.name = "s";
  spec.kind = kind;
  spec.window_size_ms = 60'000;
  spec.retention_ms = 86'400'000;
  return spec;
}

std::unique_ptr<TaskState> Open(StoreKind kind, const std::string& directory, size_t cache_bytes) {
  TaskStateOptions options;
  options.directory = directory;
  options.application_id = "bench";
  options.stores = {Spec(kind)};
  if (!directory.empty()) options.memory = MemoryBudget::Create(512 << 20);
  options.cache_bytes_max = cache_bytes;
  auto task = TaskState::Open(std::move(options));
  if (!task.ok()) abort();
  return *std::move(task);
}

void Commit(TaskState& task, int64_t offset) {
  task.store(0).Flush();
  CommitPoint point;
  point.changelog_offsets = {base::Offset(offset)};
  if (!task.Commit(point).ok()) abort();
}

void Increment(CacheEntry& entry, auto& store, int64_t timestamp) {
  int64_t count = 0;
  const kafka::NullableBytes old = entry.value();
  if (!old.is_null()) count = base::LoadBigEndian<int64_t>(old.view().data());
  char bytes[8];
  base::StoreBigEndian(bytes, count + 1);
  store.Update(entry, std::string_view(bytes, 8), timestamp);
}

// Upsert and Update of existing 8-byte values.
void UpdateWindow(benchmark::State& state) {
  const auto keys = Keys(state.range(0));
  auto task = Open(StoreKind::kWindow, "", 1u << 30);
  WindowStore& store = task->window("s");
  for (const auto& key : keys) Increment(**store.Upsert(key, 60'000), store, 60'000);
  size_t i = 0;
  for (auto _ : state) {
    Increment(**store.Upsert(keys[i], 60'000), store, 60'001);
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(UpdateWindow)->Arg(10'000)->Arg(1'000'000);

void UpdateKeyValue(benchmark::State& state) {
  const auto keys = Keys(state.range(0));
  auto task = Open(StoreKind::kKeyValue, "", 1u << 30);
  KeyValueStore& store = task->key_value("s");
  for (const auto& key : keys) Increment(**store.Upsert(key), store, 60'000);
  size_t i = 0;
  for (auto _ : state) {
    Increment(**store.Upsert(keys[i]), store, 60'001);
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(UpdateKeyValue)->Arg(10'000)->Arg(1'000'000);

// One record in ten overlapping windows, per window.
void UpdateHopping(benchmark::State& state) {
  const auto keys = Keys(10'000);
  auto task = Open(StoreKind::kWindow, "", 1u << 30);
  WindowStore& store = task->window("s");
  size_t i = 0;
  for (auto _ : state) {
    for (int64_t start = 60'000; start < 120'000; start += 6'000) Increment(**store.Upsert(keys[i], start), store, 119'000);
    if (++i == keys.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations() * 10);
}
BENCHMARK(UpdateHopping);

// New keys in a window that is complete, window after window of 1 M keys.
void NewEntry(benchmark::State& state) {
  const auto keys = Keys(1'000'000);
  auto task = Open(StoreKind::kWindow, "", 1u << 30);
  WindowStore& store = task->window("s");
  size_t i = 0;
  int64_t start = 60'000;
  for (auto _ : state) {
    Increment(**store.Upsert(keys[i], start), store, start);
    if (++i < keys.size()) continue;
    i = 0;
    start += 60'000;
    state.PauseTiming();
    task->DiscardUncommitted();
    state.ResumeTiming();
  }
}
BENCHMARK(NewEntry)->Iterations(3'000'000);

// Flush and commit of N new window entries, to disk or memory; time per entry.
void CommitNew(benchmark::State& state, bool disk) {
  Folder folder;
  const int64_t count = state.range(0);
  const auto keys = Keys(1'000'000);
  auto task = Open(StoreKind::kWindow, disk ? folder.path + "/t" : "", 1u << 30);
  WindowStore& store = task->window("s");
  int64_t offset = 0;
  size_t i = 0;
  int64_t start = 60'000;
  for (auto _ : state) {
    state.PauseTiming();
    for (int64_t n = 0; n < count; ++n) {
      Increment(**store.Upsert(keys[i], start), store, start);
      if (++i == keys.size()) {
        i = 0;
        start += 60'000;
      }
    }
    state.ResumeTiming();
    Commit(*task, ++offset);
    if (!task->MaybeFlush().ok()) abort();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK_CAPTURE(CommitNew, disk, true)->Arg(1'000)->Iterations(500);
BENCHMARK_CAPTURE(CommitNew, disk_large, true)->Arg(100'000)->Iterations(30);
BENCHMARK_CAPTURE(CommitNew, memory, false)->Arg(100'000)->Iterations(20);

void Restore(benchmark::State& state) {
  Folder folder;
  const auto keys = Keys(1'000'000);
  constexpr int64_t kBatch = 10'000;
  std::vector<std::string> bytes(kBatch);
  std::vector<ChangelogRecord> records(kBatch);
  auto task = Open(StoreKind::kWindow, folder.path + "/t", 1u << 30);
  size_t i = 0;
  int64_t offset = 0;
  int64_t start = 60'000;
  for (auto _ : state) {
    state.PauseTiming();
    for (size_t n = 0; n < kBatch; ++n) {
      bytes[n].clear();
      AppendWindowKey(bytes[n], keys[i], start, 0);
      records[n] = {bytes[n], std::string_view("12345678"), start};
      if (++i == keys.size()) {
        i = 0;
        start += 60'000;
      }
    }
    offset += kBatch;
    state.ResumeTiming();
    if (!task->ApplyChangelog(0, records, base::Offset(offset)).ok()) abort();
  }
  task->PublishView();
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(Restore)->Iterations(380)->MeasureProcessCPUTime()->UseRealTime();

// Point reads of the committed state through a view.
void ViewGet(benchmark::State& state) {
  Folder folder;
  const auto keys = Keys(1'000'000);
  auto task = Open(StoreKind::kWindow, folder.path + "/t", 64u << 20);
  WindowStore& store = task->window("s");
  for (size_t i = 0; i < keys.size(); ++i) {
    Increment(**store.Upsert(keys[i], 60'000), store, 60'000);
    if (i % 100'000 == 99'999) Commit(*task, static_cast<int64_t>(i));
  }
  size_t i = 0;
  for (auto _ : state) {
    auto value = task->CurrentView()->GetWindow("s", keys[i], 60'000);
    if (!value.ok() || !value->has_value()) abort();
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(ViewGet);

void OpenDisk(benchmark::State& state) {
  Folder folder;
  int n = 0;
  auto memory = MemoryBudget::Create(512 << 20);
  std::vector<std::unique_ptr<TaskState>> tasks;
  for (auto _ : state) {
    TaskStateOptions options;
    options.directory = folder.path + "/" + std::to_string(n++);
    options.application_id = "bench";
    options.stores = {Spec(StoreKind::kWindow)};
    options.memory = memory;
    auto task = TaskState::Open(std::move(options));
    if (!task.ok()) abort();
    tasks.push_back(*std::move(task));
  }
}
BENCHMARK(OpenDisk)->Iterations(100);

void OpenMemory(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Open(StoreKind::kWindow, "", 1 << 20));
}
BENCHMARK(OpenMemory);

}  // namespace
}  // namespace tailrace::state

BENCHMARK_MAIN();
