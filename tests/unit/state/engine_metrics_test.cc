// Goal: the engine's series show what the open stores use, and stalls outlive the store that had them.
// Method: one task on disk under a budget of its own; stall conditions as RocksDB reports them.
#include "tailrace/state/engine_metrics.h"

#include "rocksdb_use.h"
#include "support.h"

namespace tailrace::state {
namespace {

TEST(EngineMetrics, ShowWhatOpenStoresUse) {
  TempDirectory directory;
  base::MetricsRegistry metrics;
  const std::shared_ptr<MemoryBudget> budget = MemoryBudget::Create(64 << 20);
  const auto handle = AddEngineMetrics(metrics, budget);
  TaskStateOptions options = Options({KeyValueSpec("counts")}, directory.Sub("0_1"));
  options.memory = budget;
  options.flush_interval_ms = 0;
  auto task = OpenTask(options);
  for (int i = 0; i < 1'000; ++i) EXPECT_OK(task->key_value("counts").Put(std::to_string(i), std::string_view("value"), i));
  EXPECT_OK(FlushAndCommit(*task, 1'000));
  EXPECT_GT(budget->engine_use().memtable_bytes, 10'000u);
  EXPECT_GT(budget->engine_use().block_cache_bytes, 10'000u);
  EXPECT_NE(metrics.Expose().find("tailrace_rocksdb_sst_files 0\n"), std::string::npos);
  EXPECT_OK(task->MaybeFlush());
  const auto flushed = [&] { return budget->engine_use().files > 0; };
  for (int i = 0; i < 1'000 && !flushed(); ++i) usleep(5'000);
  EXPECT_TRUE(flushed());
  task.reset();
  EXPECT_EQ(budget->engine_use().files, 0u);
  EXPECT_EQ(budget->engine_use().memtable_bytes, 0u);
}

TEST(EngineMetrics, StallsOfAClosedStoreStillCount) {
  const auto stalls = std::make_shared<WriteStalls>();
  const auto change = [&](rocksdb::WriteStallCondition from, rocksdb::WriteStallCondition to) {
    rocksdb::WriteStallInfo info;
    info.condition = {to, from};
    stalls->OnStallConditionsChanged(info);
  };
  using enum rocksdb::WriteStallCondition;
  RocksdbUse use;
  int database = 0;
  auto* const db = reinterpret_cast<rocksdb::DB*>(&database);  // never called
  use.Add(db, stalls);
  change(kNormal, kDelayed);
  change(kNormal, kStopped);  // of a second family
  change(kDelayed, kStopped);
  while (stalls->Seconds() < 0.002) usleep(500);
  change(kStopped, kNormal);
  const double with_one = stalls->Seconds();
  while (stalls->Seconds() == with_one) usleep(500);  // the second still stalls
  change(kStopped, kNormal);
  const double seconds = stalls->Seconds();
  EXPECT_EQ(stalls->Seconds(), seconds);
  use.Remove(db);
  EXPECT_EQ(use.Read().write_stall_seconds, seconds);
}

}  // namespace
}  // namespace tailrace::state
