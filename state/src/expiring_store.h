// A key-value store whose entries live for a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "key_value_store.h"

namespace tailrace::state {

// Rows, cache and what a commit needs are those of the key-value store below. An entry is gone once the task's stream time has
// reached its timestamp + the time to live: reads do not show it from then on, whatever is still stored, so that a restore
// brings nothing back. It is deleted when it is next asked for, or by a sweep: each commit looks at a bounded number of rows,
// where the last one stopped, and rests while nothing can have expired. Such a delete is logged with the time at which the
// entry expired, and shown to the listener, with caching or without.
class ExpiringStore final : public KeyValueStore, public TaskStore {
 public:
  ExpiringStore(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return rows_.spec(); }
  void SetChangeListener(ChangeListener* listener) override;
  void Flush() override;
  size_t uncommitted_bytes() const override { return rows_.uncommitted_bytes(); }

  absl::StatusOr<CacheEntry*> Upsert(std::string_view key) override;
  void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) override;
  absl::Status Range(std::optional<std::string_view> from, std::optional<std::string_view> to, RowVisitor visitor) override;

  StoreCore& core() override { return rows_.core(); }
  StateStore& store() override { return *this; }
  void AddChanges(BackendBatch& batch) override { rows_.AddChanges(batch); }
  void OnCommitted() override;
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return rows_.mark(); }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override {
    return rows_.AddChangelog(records, batch);
  }
  size_t cache_bytes() const override { return rows_.cache_bytes(); }
  void ShrinkCache(size_t bytes_max) override { rows_.ShrinkCache(bytes_max); }

 private:
  // Entries with this timestamp or an earlier one are gone.
  int64_t ExpiredTimestamp() const { return time_.stream_time_ms - time_to_live_ms_; }
  bool IsExpired(const CacheEntry& entry) const { return !entry.value().is_null() && entry.timestamp_ms() <= ExpiredTimestamp(); }
  void Expire(CacheEntry& entry);
  void Sweep();

  const EventTime& time_;
  KeyValueStoreImpl rows_;
  const int64_t time_to_live_ms_;
  ChangeListener* listener_ = nullptr;

  // The sweep. A pass begins when an entry may have expired and goes through all keys, over as many commits as it takes.
  bool swept_ = false;                 // since the last commit
  std::optional<std::string> resume_;  // the last key that was looked at; absent between passes
  int64_t oldest_ms_ = INT64_MIN;      // no row is older, but for those updated since; unknown after opening
  int64_t oldest_update_ms_ = INT64_MAX;  // since the pass began, or since the last one began
  int64_t oldest_seen_ms_ = INT64_MAX;    // by the pass under way
  std::vector<std::string> expired_keys_;
  std::string old_value_;
};

}  // namespace tailrace::state
