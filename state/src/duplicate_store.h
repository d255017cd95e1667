// A window store that keeps every put of the same (key, start) under its own sequence number: the buffers of joins.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "sorted_keys.h"
#include "store_core.h"
#include "window_store.h"

namespace tailrace::state {

// Only uncommitted entries are kept in memory: joins fetch by key and arbitrary times, so there are no whole windows to
// cache. As in Kafka Streams such a store never caches: every put is logged at once. A null value is logged and not stored.
class DuplicateStore final : public WindowStore, public TaskStore {
 public:
  DuplicateStore(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return core_.spec(); }
  void SetChangeListener(ChangeListener* listener) override { core_.set_listener(listener); }
  void Flush() override { core_.Flush(); }
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
  StoreMark mark() const override { return {.stream_time_ms = retention_.stream_time_ms, .sequence = sequence_}; }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override;
  void ReleaseExpired() override;
  size_t cache_bytes() const override { return arena_.bytes(); }
  void ShrinkCache(size_t) override {}

 private:
  struct Place {
    std::string_view key;
    int64_t start;
    int32_t sequence;
  };
  struct Before {
    using is_transparent = void;
    static Place Of(const CacheEntry* entry) {
      return {entry->key(), entry->window_start_ms(), StoreCore::SequenceOf(*entry)};
    }
    static const Place& Of(const Place& place) { return place; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const Place& x = Of(a);
      const Place& y = Of(b);
      if (const int order = x.key.compare(y.key); order != 0) return order < 0;
      return x.start != y.start ? x.start < y.start : x.sequence < y.sequence;
    }
  };

  int64_t SegmentOf(int64_t start) const { return start - start % segment_interval_ms_; }
  absl::Status LoadBounds();
  BackendCursor& Cursor();

  StoreCore core_;
  Backend* const backend_;
  const int64_t segment_interval_ms_;
  Retention retention_;
  int32_t sequence_ = 0;  // of the last put
  int64_t expired_updates_ = 0;

  Arena arena_;
  absl::btree_set<CacheEntry*, Before> uncommitted_;

  bool bounds_known_ = false;
  int64_t oldest_segment_ms_ = INT64_MAX;  // of what is stored; wide rather than wrong
  int64_t newest_segment_ms_ = INT64_MIN;
  int64_t deleting_before_ms_ = INT64_MIN;
  int64_t release_before_ms_ = INT64_MIN;
  int64_t restore_deleted_before_ms_ = 0;  // by AddChangelog

  std::unique_ptr<BackendCursor> cursor_;  // valid until the next commit
  std::string key_buffer_;
  std::vector<const CacheEntry*> collected_;
};

}  // namespace tailrace::state
