// The view that a commit publishes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend.h"
#include "commit_record.h"
#include "tailrace/state/read_view.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::state {

// What all views of a task share, fixed when the task was opened.
struct ViewCatalog {
  struct Store {
    std::string name;
    StoreKind kind;
    bool retain_duplicates;
    bool in_memory;
    int64_t retention_ms;  // of a versioned store: its history
    int64_t segment_interval_ms;
    int64_t time_to_live_ms;  // 0: entries stay
  };
  std::vector<Store> stores;
};

class TaskView final : public ReadView {
 public:
  // What a query asks for; more than one kind of store may answer it.
  enum class Asked { kKeyValue, kWindowed, kVersioned };

  TaskView(std::shared_ptr<const ViewCatalog> catalog, std::shared_ptr<const CommitRecord> commit,
           std::shared_ptr<const BackendReader> disk, std::shared_ptr<const BackendReader> memory)
      : catalog_(std::move(catalog)), commit_(std::move(commit)), disk_(std::move(disk)), memory_(std::move(memory)) {}

  const Position& position() const override { return commit_->position; }
  int64_t stream_time_ms() const override { return commit_->stream_time_ms; }
  base::Offset changelog_offset(std::string_view store) const override;
  int64_t retention_start_ms(std::string_view store) const override;
  absl::StatusOr<std::optional<Value>> Get(std::string_view store, std::string_view key) const override;
  absl::StatusOr<std::optional<Value>> GetWindow(std::string_view store, std::string_view key,
                                                int64_t window_start_ms) const override;
  absl::Status FetchRange(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                          RowVisitor visitor) const override;
  absl::Status FetchAll(std::string_view store, int64_t from_ms, int64_t to_ms, const std::optional<WindowCursor>& after,
                        RowVisitor visitor) const override;
  absl::Status Range(std::string_view store, std::optional<std::string_view> from, std::optional<std::string_view> to,
                     std::optional<std::string_view> after, RowVisitor visitor) const override;
  absl::StatusOr<std::optional<VersionedValue>> GetAsOf(std::string_view store, std::string_view key,
                                                        int64_t as_of_ms) const override;
  absl::Status Versions(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                        VersionVisitor visitor) const override;

 private:
  // Calls `look` with what a lookup in a versioned store needs.
  template <class F>
  absl::Status LookUpVersions(std::string_view store, F look) const;
  absl::StatusOr<int32_t> Find(std::string_view store, Asked asked) const;
  absl::Status SessionsOfKey(const ViewCatalog::Store& store, int32_t index, std::string_view key, int64_t from_ms,
                             int64_t to_ms, RowVisitor visitor) const;
  absl::Status AllSessions(const ViewCatalog::Store& store, int32_t index, int64_t from_ms, int64_t to_ms,
                           const std::optional<WindowCursor>& after, RowVisitor visitor) const;
  const BackendReader& ReaderOf(const ViewCatalog::Store& store) const { return store.in_memory ? *memory_ : *disk_; }
  int64_t RetentionStart(const ViewCatalog::Store& store) const;
  // Whether an entry with this timestamp has outlived the store's time to live.
  bool IsExpired(const ViewCatalog::Store& store, int64_t timestamp_ms) const {
    return store.time_to_live_ms > 0 && timestamp_ms <= commit_->stream_time_ms - store.time_to_live_ms;
  }
  absl::StatusOr<std::optional<Value>> GetValue(const ViewCatalog::Store& store, int32_t index, std::string_view disk_key) const;

  // Each is shared with the task and with other views; all are immutable.
  const std::shared_ptr<const ViewCatalog> catalog_;
  const std::shared_ptr<const CommitRecord> commit_;
  const std::shared_ptr<const BackendReader> disk_;
  const std::shared_ptr<const BackendReader> memory_;
};

}  // namespace tailrace::state
