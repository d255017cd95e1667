// A versioned store as rows of a key-value store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "key_value_store.h"
#include "tailrace/state/versioned_store.h"
#include "version_rows.h"

namespace tailrace::state {

// The rows, their cache and what a commit needs are those of the key-value store below; this class knows what they mean and
// logs whole versions.
class VersionedStoreImpl final : public VersionedStore, public TaskStore {
 public:
  VersionedStoreImpl(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task, Backend* backend);

  const StoreSpec& spec() const override { return spec_; }
  void SetChangeListener(ChangeListener*) override {}  // nothing is cached
  void Flush() override { rows_.Flush(); }
  size_t uncommitted_bytes() const override { return rows_.uncommitted_bytes(); }

  absl::StatusOr<int64_t> Put(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) override;
  absl::StatusOr<std::optional<Version>> Get(std::string_view key) override;
  absl::StatusOr<std::optional<Version>> GetAsOf(std::string_view key, int64_t as_of_ms) override;
  absl::Status Versions(std::string_view key, int64_t from_ms, int64_t to_ms, VersionVisitor visitor) override;
  absl::StatusOr<CacheEntry*> LatestEntry(std::string_view key) override;
  int64_t stream_time_ms() const override { return stream_time_ms_; }
  int64_t expired_puts() const override { return expired_puts_; }

  StoreCore& core() override { return rows_.core(); }
  StateStore& store() override { return *this; }
  void Notify(TaskState::CommitObserver& observer, base::Offset changelog_offset) override;
  void AddChanges(BackendBatch& batch) override;
  void OnCommitted() override;
  void Discard(const StoreMark& mark) override;
  StoreMark mark() const override { return {.stream_time_ms = stream_time_ms_}; }
  absl::Status AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) override;
  void ReleaseExpired() override;
  size_t cache_bytes() const override { return rows_.cache_bytes(); }
  void ShrinkCache(size_t bytes_max) override { rows_.ShrinkCache(bytes_max); }

 private:
  static StoreSpec Uncached(StoreSpec spec) {
    spec.caching = false;
    return spec;
  }
  static constexpr int64_t kNothingLater = INT64_MAX;

  int64_t SegmentOf(int64_t time_ms) const { return time_ms / segment_interval_ms_; }
  int64_t OldestSegment() const { return std::max<int64_t>(0, SegmentOf(stream_time_ms_ - spec_.history_retention_ms)); }
  VersionLookup::Store Described() const;
  absl::Status LoadSegments();

  // Store without logging. Returns where the version ends.
  absl::StatusOr<int64_t> Store(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms);
  // The steps of Store (RocksDBVersionedStore.doPut). Each says where the version ends once it has put it; nullopt: the next
  // step goes on, with `later_ms`, the begin of the earliest version after it that was seen.
  absl::StatusOr<std::optional<int64_t>> PutAsLatest(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms,
                                                     int64_t& later_ms);
  absl::StatusOr<std::optional<int64_t>> PutBetween(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms,
                                                    int64_t& later_ms);
  absl::StatusOr<int64_t> PutBefore(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms, int64_t later_ms);

  // The row of a key in a segment, into `row`; false when there is none.
  absl::StatusOr<bool> ReadRow(int64_t segment, std::string_view key, VersionRow& row);
  absl::Status WriteRow(int64_t segment, std::string_view key, VersionRow& row);
  // Adds a version that ends in the segment, behind all others there.
  absl::Status AppendToSegment(int64_t segment, std::string_view key, kafka::NullableBytes value, int64_t from_ms, int64_t to_ms);
  absl::StatusOr<bool> Read(std::string_view row_key, int64_t& number, std::string& bytes);

  const StoreSpec spec_;
  KeyValueStoreImpl rows_;
  Backend* const backend_;
  const int64_t segment_interval_ms_;
  int64_t stream_time_ms_ = -1;
  int64_t expired_puts_ = 0;

  bool segments_known_ = false;
  std::vector<int64_t> segments_;  // that have rows, ascending; more rather than less
  int64_t deleting_before_ = 0;    // segments below are deleted by the commit at hand
  int64_t deleted_before_ = 0;
  int64_t release_before_ = 0;

  VersionLookup lookup_;
  VersionRow row_;
  VersionRow older_row_;
  std::string row_key_;
  std::string bytes_;
};

}  // namespace tailrace::state
