// A session store: the sessions of the keys in use, in memory, over a backend.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "session_scan.h"
#include "store_core.h"
#include "tailrace/state/session_store.h"
#include "window_store.h"

namespace tailrace::state {

// A key that is looked at is loaded with all its visible sessions, so what a record of a busy key asks is answered by one hash
// look-up. Sessions move with every record: an entry's key is the whole session key, and its window is the session's end.
class SessionStoreImpl final : public SessionStore, public TaskStore {
 public:
  SessionStoreImpl(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return core_.spec(); }
  void SetChangeListener(ChangeListener* listener) override { core_.set_listener(listener); }
  void Flush() override;
  size_t uncommitted_bytes() const override { return core_.uncommitted_bytes(); }

  int64_t stream_time_ms() const override { return retention_.stream_time_ms; }
  int64_t expired_updates() const override { return expired_updates_; }
  absl::Status FindSessions(std::string_view key, int64_t earliest_end_ms, int64_t latest_start_ms, RowVisitor visitor) override;
  absl::Status FindSessionsByEnd(int64_t earliest_end_ms, int64_t latest_end_ms, RowVisitor visitor) override;
  absl::StatusOr<std::optional<Row>> Fetch(std::string_view key, int64_t start_ms, int64_t end_ms) override;
  absl::Status Put(std::string_view key, int64_t start_ms, int64_t end_ms, kafka::NullableBytes value,
                   int64_t timestamp_ms) override;

  StoreCore& core() override { return core_; }
  StateStore& store() override { return *this; }
  void AddChanges(BackendBatch& batch) override;
  void OnCommitted() override;
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return {.stream_time_ms = retention_.stream_time_ms}; }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override;
  void ReleaseExpired() override;
  size_t cache_bytes() const override { return arena_.bytes() + keys_.size() * kKeyOverheadBytes; }
  void ShrinkCache(size_t bytes_max) override;

 private:
  static constexpr size_t kKeyOverheadBytes = 128;  // about what the map takes for a key
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return CacheTable::Hash(key); }
  };
  // By (end, start). Removed ones stay until they are committed.
  using Sessions = std::vector<CacheEntry*>;
  using Keys = std::unordered_map<std::string, Sessions, KeyHash, std::equal_to<>>;

  void AdvanceStreamTime(int64_t end_ms);
  int64_t SegmentOf(int64_t end) const { return end - end % segment_interval_ms_; }
  // What is deleted from the disk, which happens by segment.
  int64_t FirstStoredEnd() const { return SegmentOf(std::max<int64_t>(retention_.stream_time_ms - retention_.retention_ms, 0)); }
  int64_t FirstVisibleEnd() const { return std::max<int64_t>(retention_.start_ms(), 0); }
  absl::StatusOr<Sessions*> Load(std::string_view key);
  CacheEntry* NewEntry(std::string_view key, int64_t start_ms, int64_t end_ms);
  Sessions::iterator PlaceOf(Sessions& sessions, int64_t start_ms, int64_t end_ms);
  absl::Status LoadBounds();
  BackendCursor& Cursor();
  void AddToBatch(BackendBatch& batch, const SessionKey& session, kafka::NullableBytes value, int64_t timestamp_ms);
  absl::Status CollectByEnd(int64_t earliest_end_ms, int64_t latest_end_ms, std::vector<OwnedSession>& sessions);

  StoreCore core_;
  Backend* const backend_;
  const int64_t segment_interval_ms_;
  Retention retention_;
  int64_t expired_updates_ = 0;

  Arena arena_;
  Keys keys_;

  bool bounds_known_ = false;
  int64_t oldest_segment_ms_ = INT64_MAX;  // of what is stored; wide rather than wrong
  int64_t newest_segment_ms_ = INT64_MIN;
  int64_t deleting_before_ms_ = INT64_MIN;
  int64_t release_before_ms_ = INT64_MIN;
  int64_t restore_deleted_before_ms_ = 0;  // by AddChangelog

  std::unique_ptr<BackendCursor> cursor_;  // valid until the next commit
  std::string key_buffer_;
  std::string value_buffer_;
  std::vector<const CacheEntry*> collected_;
};

}  // namespace tailrace::state
