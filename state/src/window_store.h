// A window store with one value per (key, window): one cache table per live window over a backend.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sorted_keys.h"
#include "store_core.h"

namespace tailrace::state {

absl::Status KeyTooLarge(const StoreSpec& spec, size_t bytes);

// Stream time of a store and what it hides. Windows that start before retention_start_ms are out of retention.
struct Retention {
  int64_t retention_ms = 0;
  int64_t stream_time_ms = -1;

  // Kafka Streams' time-ordered window stores on disk show one millisecond more.
  static int64_t Shown(const StoreSpec& spec) {
    const bool more = spec.kind == StoreKind::kWindow && spec.emits_on_close && !spec.in_memory && spec.retention_ms < INT64_MAX;
    return spec.retention_ms + (more ? 1 : 0);
  }
  int64_t start_ms() const {
    if (stream_time_ms < 0 || stream_time_ms - retention_ms + 1 <= 0) return INT64_MIN;
    return stream_time_ms - retention_ms + 1;
  }
};

class WindowStoreImpl final : public WindowStore, public TaskStore {
 public:
  WindowStoreImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return core_.spec(); }
  void SetChangeListener(ChangeListener* listener) override { core_.set_listener(listener); }
  void Flush() override {
    core_.Flush();
    AdvanceStreamTime(core_.newest_written_start_ms());
  }
  size_t uncommitted_bytes() const override { return core_.uncommitted_bytes(); }

  void AdvanceStreamTime(int64_t stream_time_ms) override;
  int64_t stream_time_ms() const override { return retention_.stream_time_ms; }
  int64_t expired_updates() const override { return expired_updates_; }
  absl::StatusOr<CacheEntry*> Upsert(std::string_view key, int64_t window_start_ms) override;
  void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) override;
  absl::Status FetchRange(std::string_view key, int64_t from_ms, int64_t to_ms, RowVisitor visitor) override;
  absl::Status FetchAll(int64_t from_ms, int64_t to_ms, RowVisitor visitor) override;

  StoreCore& core() override { return core_; }
  StateStore& store() override { return *this; }
  void AddChanges(BackendBatch& batch) override;
  void OnCommitted() override;
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return {.stream_time_ms = retention_.stream_time_ms}; }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override;
  void ReleaseExpired() override;
  size_t cache_bytes() const override;
  void ShrinkCache(size_t bytes_max) override;

  // For tests: reads of the committed store that misses caused.
  int64_t backend_gets() const { return backend_gets_; }

 private:
  // Recently used tables by start, so that a record in ten overlapping windows searches for none.
  struct Recent {
    int64_t window_start_ms = kNoWindow;
    CacheTable* table = nullptr;
  };
  static constexpr size_t kRecent = 64;
  static size_t RecentSlot(int64_t start) { return (static_cast<uint64_t>(start) * 0x9e3779b97f4a7c15ULL) >> 58; }

  // The cache table of a live window, made when there is none; null when the window is out of retention.
  absl::StatusOr<CacheTable*> TableFor(int64_t start);
  absl::StatusOr<CacheTable*> TableForSlow(int64_t start);
  CacheTable* FindTable(int64_t start) const;
  absl::StatusOr<CacheEntry*> UpsertMiss(CacheTable& table, std::string_view key, uint32_t hash);
  CacheEntry* ExpiredEntry(std::string_view key, int64_t start);
  absl::Status LoadBounds();
  void ForgetRecent();
  BackendCursor& Cursor();

  StoreCore core_;
  Backend* const backend_;
  Retention retention_;
  const int64_t reach_ms_;  // from the start of a window to its last millisecond; 0 for windows without an end
  int64_t retention_start_ms_ = INT64_MIN;
  int64_t oldest_live_start_ms_ = INT64_MAX;  // of the cache tables that are in retention

  CacheTable* last_ = nullptr;
  int64_t last_start_ms_ = kNoWindow;
  std::array<Recent, kRecent> recent_;
  std::vector<std::unique_ptr<CacheTable>> tables_;  // by start

  // Bounds of the window starts in the committed store; wide rather than wrong. Known after LoadBounds.
  bool bounds_known_ = false;
  int64_t oldest_stored_ms_ = INT64_MAX;
  int64_t newest_stored_ms_ = INT64_MIN;
  int64_t deleting_before_ms_ = INT64_MIN;  // of the range deletion in the batch under way
  int64_t release_before_ms_ = INT64_MIN;   // deleted, its files not yet released
  int64_t restore_deleted_before_ms_ = INT64_MIN;  // by AddChangelog

  std::unique_ptr<BackendCursor> cursor_;  // valid until the next commit
  Arena expired_arena_;
  int64_t expired_updates_ = 0;
  int64_t backend_gets_ = 0;
  std::string key_buffer_;
  std::string value_buffer_;
  std::vector<const CacheEntry*> collected_;
  std::vector<SortItem> sorted_;
};

}  // namespace tailrace::state
