// The stores of one task over their backends, and the commit that writes them together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "memory_backend.h"
#include "rocksdb_backend.h"
#include "store_core.h"
#include "tailrace/state/task_state.h"
#include "task_view.h"

namespace tailrace::state {

class TaskStateImpl final : public TaskState {
 public:
  explicit TaskStateImpl(TaskStateOptions options);
  absl::Status Initialize();

  KeyValueStore& key_value(std::string_view name) override;
  WindowStore& window(std::string_view name) override;
  VersionedStore& versioned(std::string_view name) override;
  SessionStore& session(std::string_view name) override;
  TimeOrderedBuffer& time_ordered_buffer(std::string_view name) override;
  const std::vector<StoreSpec>& specs() const override { return options_.stores; }
  StateStore& store(int32_t index) override { return stores_.at(static_cast<size_t>(index))->store(); }
  void SetChangelogWriter(ChangelogWriter* writer) override { context_.changelog = writer; }
  RecordHeaders& record_headers() override { return context_.headers; }
  EventTime& event_time() override { return context_.time; }
  size_t uncommitted_bytes() const override { return context_.uncommitted_bytes; }
  size_t cache_bytes_max() const override { return options_.cache_bytes_max; }
  absl::Status Commit(const CommitPoint& point) override;
  void DiscardUncommitted() override;
  const CommitPoint& committed() const override { return committed_; }
  absl::Status ApplyChangelog(int32_t store, std::span<const ChangelogRecord> records, base::Offset last_offset) override;
  void PublishView() override;
  std::shared_ptr<const ReadView> CurrentView() const override;
  absl::Status MaybeFlush() override;
  void SetCommitObserver(CommitObserver* observer) override { observer_ = observer; }

 private:
  bool InMemory(const StoreSpec& spec) const { return spec.in_memory || options_.directory.empty(); }
  absl::Status OpenDisk(std::vector<std::string>& layouts, std::string& record);
  absl::Status LoadRecord(std::string_view bytes);
  // The record as it goes to disk: without the stores that a restart loses.
  std::string EncodeForDisk(const CommitRecord& record) const;
  int32_t IndexOf(std::string_view name, StoreKind kind) const;
  // Writes what the batches hold and makes `record` the committed one.
  absl::Status WriteBatches(CommitRecord record, Durability durability, bool publish);
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void BuildView() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  BackendBatch& BatchOf(const StoreSpec& spec) { return InMemory(spec) ? *memory_batch_ : *disk_batch_; }
  void ShrinkCaches();

  // Constant after Initialize.
  const TaskStateOptions options_;
  const base::Clock& clock_;
  std::string name_;  // for messages
  std::shared_ptr<const ViewCatalog> catalog_;  // shared with views

  // The task's thread only. Stores go before backends, backends before the context.
  TaskContext context_;
  std::unique_ptr<RocksdbBackend> disk_;
  std::unique_ptr<MemoryBackend> memory_;  // its contents change only under mu_
  std::vector<std::unique_ptr<TaskStore>> stores_;
  BackendBatch* disk_batch_ = nullptr;
  BackendBatch* memory_batch_ = nullptr;
  CommitObserver* observer_ = nullptr;
  CommitRecord record_;
  std::string encoded_record_;
  CommitPoint committed_;
  int64_t last_flush_ms_ = 0;
  bool written_since_flush_ = false;

  // What CurrentView hands out. A view is built when first asked for, of what was published last.
  mutable absl::Mutex mu_;
  std::shared_ptr<const CommitRecord> published_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const BackendReader> disk_snapshot_ ABSL_GUARDED_BY(mu_);
  mutable std::shared_ptr<const ReadView> view_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tailrace::state
