// What all stores share: which entries changed, logging them, forwarding them, and what a commit asks of a store.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arena.h"
#include "backend.h"
#include "cache_table.h"
#include "commit_record.h"
#include "tailrace/state/changelog.h"
#include "tailrace/state/store.h"
#include "tailrace/state/task_state.h"

namespace tailrace::state {

// Owned by the task, used by its stores; lives longer than they do.
struct TaskContext {
  BlockPool pool;
  ChangelogWriter* changelog = nullptr;
  size_t uncommitted_bytes = 0;  // sum over the stores
  RecordHeaders headers;
  EventTime time;
};

// The changes of one store since the last commit, in first-dirtied order, and to be flushed in the order of their
// last updates, as Kafka Streams does it (NamedCache.put).
class StoreCore {
 public:
  struct Change {
    CacheEntry* entry;
    const char* old_value;  // only with keep_old_values
    uint32_t old_size;
    bool had_value;  // before this change
  };

  // `caching` may be off although the specification asks for it (stores that retain duplicates).
  StoreCore(StoreSpec spec, int32_t index, bool caching, TaskContext* task)
      : spec_(std::move(spec)), index_(index), caching_(caching), task_(task), old_values_(&task->pool) {}

  const StoreSpec& spec() const { return spec_; }
  int32_t index() const { return index_; }
  TaskContext& task() { return *task_; }
  void set_listener(ChangeListener* listener) { listener_ = listener; }
  size_t uncommitted_bytes() const { return uncommitted_bytes_; }
  const std::vector<Change>& changes() const { return changes_; }
  bool flushed() const { return flushed_ == changes_.size(); }
  // The largest window start (of sessions: end) that was written: at once without caching, when it is flushed with caching.
  int64_t newest_written_start_ms() const { return newest_written_start_ms_; }
  static bool IsExpired(const CacheEntry& entry) { return entry.expired_; }
  static void SetExpired(CacheEntry& entry) { entry.expired_ = true; }
  static int32_t SequenceOf(const CacheEntry& entry) { return entry.sequence_; }
  static void SetSequence(CacheEntry& entry, int32_t sequence) { entry.sequence_ = sequence; }

  // Updates an entry; `arena` is asked for only when the value does not fit in place.
  template <class ArenaOf>
  void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms, ArenaOf arena_of) {
    if (!entry.pending_) Begin(entry);
    else out_of_order_ |= changes_.back().entry != &entry;
    const size_t before = entry.value_size_;
    CacheTable::SetValue(arena_of, entry, value, timestamp_ms);
    const size_t change = entry.value_size_ - before;  // may wrap; so do the sums, which come out right
    uncommitted_bytes_ += change;
    task_->uncommitted_bytes += change;
    if (!caching_) return Write(entry);
    entry.sequence_ = ++updates_;
    if (task_->headers.current != nullptr || task_->headers.context != nullptr || !kept_records_.empty()) [[unlikely]]
      KeepRecord(entry);
  }

  // Logs a put into a window store, also one that changes nothing in it.
  void LogPut(std::string_view key, int64_t window_start_ms, int32_t sequence, kafka::NullableBytes value,
              int64_t timestamp_ms);
  // Kafka Streams logs a put although its window has left the retention; with caching such puts do not come this far.
  void LogIgnored(const CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
    if (!caching_) Log(entry, value, timestamp_ms);
  }

  void Flush();
  // Appends the changed entries that must be written, each at least once, in no order.
  void CollectForCommit(std::vector<const CacheEntry*>& out) const;
  // The changed entries as reads must see them, each at least once.
  template <class Keep>
  void CollectOverlay(Keep keep, std::vector<const CacheEntry*>& out) const {
    for (const Change& change : changes_) {
      if (keep(*change.entry)) out.push_back(change.entry);
    }
  }
  void Notify(TaskState::CommitObserver& observer, base::Offset changelog_offset) const;
  void OnCommitted();
  void Discard();

 private:
  void Begin(CacheEntry& entry);
  // The update as the store below Kafka Streams' cache sees it.
  void Write(const CacheEntry& entry);
  void Log(const CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms);
  void KeepRecord(const CacheEntry& entry);
  // The change as listeners see it.
  StoreChange Shown(const Change& change) const;
  void Forward(const Change& change);
  // Puts the changes that are not flushed into the order of their last updates.
  void SortByLastUpdate();

  const StoreSpec spec_;
  const int32_t index_;
  const bool caching_;
  TaskContext* const task_;
  ChangeListener* listener_ = nullptr;
  std::vector<Change> changes_;
  size_t flushed_ = 0;  // changes_ before this are logged and forwarded
  int32_t updates_ = 0;        // since the last flush, with caching
  bool out_of_order_ = false;  // the last updates were not in the order of changes_
  size_t uncommitted_bytes_ = 0;
  int64_t newest_written_start_ms_ = kNoWindow;
  Arena old_values_;
  // The record of a pending entry's last update, where it has headers or somebody asks where it came from.
  struct KeptRecord {
    kafka::Headers headers;
    bool has_context = false;
    RecordContext context;  // its topic is `topic`
    std::string topic;
  };
  std::unordered_map<const CacheEntry*, KeptRecord> kept_records_;
  std::string log_key_;
  std::vector<std::pair<int32_t, uint32_t>> order_;  // scratch of SortByLastUpdate
  std::vector<Change> sorted_;
};

// What the task asks of a store around a commit.
class TaskStore {
 public:
  virtual ~TaskStore() = default;
  virtual StoreCore& core() = 0;
  virtual StateStore& store() = 0;
  // Adds the uncommitted changes, in key order. Changes nothing that a failed write would have to undo.
  virtual void AddChanges(BackendBatch& batch) = 0;
  // The batch was written: everything cached is clean.
  virtual void OnCommitted() = 0;
  // Forgets all that is cached; stream time and sequence are those of `mark`.
  virtual void Discard(const StoreMark& mark) = 0;
  virtual StoreMark mark() const = 0;
  // Tells the observer what was committed; before OnCommitted.
  virtual void Notify(TaskState::CommitObserver& observer, base::Offset changelog_offset) {
    core().Notify(observer, changelog_offset);
  }
  // Adds changelog records in disk form, in their order, and the deletion of what has expired.
  virtual absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) = 0;
  // After the newest view was published.
  virtual void ReleaseExpired() {}
  virtual size_t cache_bytes() const = 0;
  // Drops clean entries. REQUIRES: nothing uncommitted.
  virtual void ShrinkCache(size_t bytes_max) = 0;
};

}  // namespace tailrace::state
