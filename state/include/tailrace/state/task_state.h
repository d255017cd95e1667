// All stores of one task: one RocksDB with a column family per store, or memory.
//
// The commit protocol (docs/architecture.md) in terms of this class:
//   1. for each store in topology order: store.Flush()          -> changelog and downstream records
//   2. the caller commits to the log
//   3. Commit(point)                                            -> dirty entries + offsets + times in ONE write batch
//   4. Commit also publishes the new ReadView
// Crash before 2 ends: nothing happened. Between 2 and 3: restore replays that tail of the changelog.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tailrace/base/clock.h"
#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/state/memory_budget.h"
#include "tailrace/state/read_view.h"
#include "tailrace/state/store.h"
#include "tailrace/state/store_spec.h"
#include "tailrace/state/time_ordered_buffer.h"

namespace tailrace::state {

class VersionedStore;  // versioned_store.h
class SessionStore;  // session_store.h

struct TaskStateOptions {
  // "<state.dir>/<application.id>/<task>"; empty keeps everything in memory.
  std::string directory;
  base::TaskId task;
  std::string application_id;  // written into the directory; a foreign directory is refused
  std::vector<StoreSpec> stores;
  std::shared_ptr<MemoryBudget> memory;  // shared by all tasks of the process; null in memory
  // Write-back cache of this task: clean entries above it are evicted, and uncommitted_bytes() above it asks for a commit.
  size_t cache_bytes_max = 10u << 20;
  const base::Clock* clock = nullptr;
  int64_t flush_interval_ms = 60'000;  // state.flush.interval.ms: bound on the tail that a lost machine replays
};

// What a commit makes durable together with the dirty entries.
struct CommitPoint {
  // Per store (index into TaskStateOptions::stores): the changelog offset that the entries reach; kOffsetUnknown keeps
  // the stored one.
  std::vector<base::Offset> changelog_offsets;
  Position position;
  int64_t stream_time_ms = -1;
  // Operator times by operator name (observed stream times, window close times).
  std::map<std::string, int64_t> operator_times_ms;
};

// Event time as the task knows it; the task writes it, its stores read it.
struct EventTime {
  int64_t stream_time_ms = -1;
  // No store takes its own time, which decides what has left its retention, to be later than this: upstream tasks that are
  // behind may still send records of before. INT64_MAX: a store's time follows from what is put into it alone.
  int64_t limit_ms = INT64_MAX;
};

// Thread-safety: the owning stream thread, except CurrentView (any thread).
// Errors: kTaskCorrupted when the directory's content cannot be trusted (foreign application or task, RocksDB corruption):
// call Wipe and restore. kRetry when the disk is full: stop consuming, try again; nothing is lost.
class TaskState {
 public:
  static absl::StatusOr<std::unique_ptr<TaskState>> Open(TaskStateOptions options);
  // Deletes a closed task's directory.
  static absl::Status Wipe(const std::string& directory);
  virtual ~TaskState() = default;

  // REQUIRES: the store exists and has this kind (the topology guarantees it).
  virtual KeyValueStore& key_value(std::string_view name) = 0;
  virtual WindowStore& window(std::string_view name) = 0;
  virtual VersionedStore& versioned(std::string_view name) = 0;
  virtual SessionStore& session(std::string_view name) = 0;
  virtual TimeOrderedBuffer& time_ordered_buffer(std::string_view name) = 0;
  virtual const std::vector<StoreSpec>& specs() const = 0;
  virtual StateStore& store(int32_t index) = 0;

  // Receives the changelog records of Flush and of uncached updates. Set before the first update.
  virtual void SetChangelogWriter(ChangelogWriter* writer) = 0;

  // Set `current` before a record with headers is processed, and back to null after it. Stores with caching and a listener
  // keep it with what is updated meanwhile, and set it while they forward that; other updates cost nothing.
  virtual RecordHeaders& record_headers() = 0;
  // To be kept up to date while records are processed, and its limit before restored records are applied.
  virtual EventTime& event_time() = 0;

  virtual size_t uncommitted_bytes() const = 0;
  bool WantsCommit() const { return uncommitted_bytes() > cache_bytes_max(); }
  virtual size_t cache_bytes_max() const = 0;

  virtual absl::Status Commit(const CommitPoint& point) = 0;
  // Forgets every uncommitted change (after an aborted transaction); reads see the committed state again.
  virtual void DiscardUncommitted() = 0;

  // The last commit's point, as stored; empty values for a new directory.
  virtual const CommitPoint& committed() const = 0;

  // Restore: applies changelog records of one store, in log order, and the offset of the last of them, in one write.
  // Expired windows are skipped. Also used by standby tasks.
  virtual absl::Status ApplyChangelog(int32_t store, std::span<const ChangelogRecord> records,
                                      base::Offset last_offset) = 0;
  // Publishes a view of what restore has applied so far.
  virtual void PublishView() = 0;

  virtual std::shared_ptr<const ReadView> CurrentView() const = 0;

  // Writes memory to disk when flush_interval_ms has passed since the last time. Cheap otherwise; call it per commit.
  virtual absl::Status MaybeFlush() = 0;

  // Called after each commit with the committed changes, for subscriptions; null (the default) costs nothing.
  // `changelog_offset` is the store's new offset. On the task's thread.
  class CommitObserver {
   public:
    virtual ~CommitObserver() = default;
    virtual bool Wants(int32_t store) = 0;
    virtual void OnCommitted(int32_t store, const StoreChange& change, base::Offset changelog_offset) = 0;
  };
  virtual void SetCommitObserver(CommitObserver* observer) = 0;
};

}  // namespace tailrace::state
