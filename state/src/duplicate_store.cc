#include "duplicate_store.h"

#include <algorithm>

#include "merge.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

std::string StartBytes(int64_t start) {
  std::string bytes;
  base::AppendBigEndian(bytes, start);
  return bytes;
}

}  // namespace

DuplicateStore::DuplicateStore(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task,
                               Backend* backend)
    : core_(spec, index, /*caching=*/false, task),
      backend_(backend),
      segment_interval_ms_(segment_interval_ms),
      retention_{spec.retention_ms, -1},
      arena_(&task->pool) {
  TAILRACE_CHECK(spec.retain_duplicates && segment_interval_ms > 0, "a store for duplicates needs segments");
}

void DuplicateStore::AdvanceStreamTime(int64_t stream_time_ms) {
  retention_.stream_time_ms = std::max(retention_.stream_time_ms, std::min(stream_time_ms, core_.task().time.limit_ms));
}

absl::StatusOr<CacheEntry*> DuplicateStore::Upsert(std::string_view key, int64_t window_start_ms) {
  if (key.size() > base::limits::kKeyBytesMax) return KeyTooLarge(spec(), key.size());
  if (window_start_ms < 0) {
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                       "store " + spec().name + ": a window cannot start before 1970 (" + std::to_string(window_start_ms) + ")");
  }
  CacheEntry* entry = CacheTable::MakeEntry(arena_, key, window_start_ms, nullptr);
  if (window_start_ms < retention_.start_ms()) StoreCore::SetExpired(*entry);
  return entry;
}

void DuplicateStore::Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
  const bool is_new = StoreCore::SequenceOf(entry) == 0;
  if (is_new) {
    // Kafka Streams counts before each put. The count goes on after a restart, so that a put never replaces an earlier one of
    // the same key and time.
    sequence_ = (sequence_ + 1) & 0x7fffffff;
    StoreCore::SetSequence(entry, sequence_);
  }
  if (const bool expired = StoreCore::IsExpired(entry); expired || value.is_null()) {
    // The changelog has every put, also one that the store ignores (ChangeLoggingWindowBytesStore).
    expired_updates_ += expired;
    core_.LogPut(entry.key(), entry.window_start_ms(), StoreCore::SequenceOf(entry), value, timestamp_ms);
    return;
  }
  if (is_new) uncommitted_.insert(&entry);
  core_.Update(entry, value, timestamp_ms, [this]() -> Arena& { return arena_; });
}

absl::Status DuplicateStore::LoadBounds() {
  if (bounds_known_) return absl::OkStatus();
  BackendCursor& cursor = Cursor();
  cursor.Seek({});
  TAILRACE_RETURN_IF_ERROR(cursor.status());
  oldest_segment_ms_ = INT64_MAX;
  newest_segment_ms_ = INT64_MIN;
  if (cursor.Valid()) {
    std::string_view key = cursor.key();
    if (!base::ConsumeBigEndian(key, oldest_segment_ms_)) return DamagedEntry(spec().name);
    cursor.SeekToLast();
    TAILRACE_RETURN_IF_ERROR(cursor.status());
    if (!cursor.Valid()) return DamagedEntry(spec().name);
    key = cursor.key();
    if (!base::ConsumeBigEndian(key, newest_segment_ms_)) return DamagedEntry(spec().name);
  }
  bounds_known_ = true;
  return absl::OkStatus();
}

BackendCursor& DuplicateStore::Cursor() {
  if (cursor_ == nullptr) cursor_ = backend_->NewCursor(core_.index());
  return *cursor_;
}

absl::Status DuplicateStore::FetchRange(std::string_view key, int64_t from_ms, int64_t to_ms, RowVisitor visitor) {
  from_ms = std::max({from_ms, retention_.start_ms(), int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(LoadBounds());
  auto pending = uncommitted_.lower_bound(Place{key, from_ms, 0});
  bool stopped = false;
  // Visits uncommitted entries before `limit` (null: to the end of the range); tells whether one stands exactly there.
  auto visit_pending = [&](const Place* limit) {
    for (; pending != uncommitted_.end() && !stopped; ++pending) {
      const CacheEntry& entry = **pending;
      if (entry.key() != key || entry.window_start_ms() > to_ms) return false;
      if (limit != nullptr && Before()(*limit, *pending)) return false;
      const bool same = limit != nullptr && !Before()(*pending, *limit);
      stopped = !visitor({entry.key(), entry.window_start_ms(), entry.value().view(), entry.timestamp_ms()});
      if (same) {
        ++pending;
        return true;
      }
    }
    return false;
  };
  const int64_t stored_from = std::max(from_ms, oldest_segment_ms_);
  const int64_t stored_to =
      newest_segment_ms_ == INT64_MIN ? INT64_MIN : std::min(to_ms, newest_segment_ms_ + (segment_interval_ms_ - 1));
  if (stored_from <= stored_to) {
    TAILRACE_RETURN_IF_ERROR(VisitDuplicatesOfKey(Cursor(), spec().name, key, stored_from, stored_to, segment_interval_ms_,
                                                  key_buffer_, [&](const Row& row, int32_t sequence) {
                                                    const Place place{row.key, row.window_start_ms, sequence};
                                                    if (!visit_pending(&place) && !stopped) stopped = !visitor(row);
                                                    return !stopped;
                                                  }));
  }
  if (!stopped) visit_pending(nullptr);
  return absl::OkStatus();
}

absl::Status DuplicateStore::FetchAll(int64_t from_ms, int64_t to_ms, RowVisitor visitor) {
  from_ms = std::max({from_ms, retention_.start_ms(), int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  std::vector<OwnedRow> rows;
  TAILRACE_RETURN_IF_ERROR(CollectDuplicates(Cursor(), spec().name, from_ms, to_ms, segment_interval_ms_, rows));
  for (const CacheEntry* entry : uncommitted_) {
    if (entry->window_start_ms() < from_ms || entry->window_start_ms() > to_ms) continue;
    rows.push_back({entry->window_start_ms(), std::string(entry->key()), StoreCore::SequenceOf(*entry),
                    std::string(entry->value().view()), entry->timestamp_ms()});
  }
  VisitOwned(rows, visitor);
  return absl::OkStatus();
}

void DuplicateStore::AddChanges(BackendBatch& batch) {
  deleting_before_ms_ = INT64_MIN;
  const int64_t retention_start = retention_.start_ms();
  if (retention_start > 0 && LoadBounds().ok() && oldest_segment_ms_ < SegmentOf(retention_start)) {
    deleting_before_ms_ = SegmentOf(retention_start);
    batch.DeleteBefore(core_.index(), StartBytes(deleting_before_ms_));
  }
  for (const CacheEntry* entry : uncommitted_) {
    if (entry->window_start_ms() < retention_start) continue;
    const int64_t segment = SegmentOf(entry->window_start_ms());
    oldest_segment_ms_ = std::min(oldest_segment_ms_, segment);
    newest_segment_ms_ = std::max(newest_segment_ms_, segment);
    key_buffer_.clear();
    AppendDuplicateKey(key_buffer_, segment_interval_ms_, entry->key(), entry->window_start_ms(),
                       StoreCore::SequenceOf(*entry));
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, entry->timestamp_ms());
    batch.Put(core_.index(), key_buffer_, {}, {timestamp, sizeof(timestamp)}, entry->value().view());
  }
}

void DuplicateStore::OnCommitted() {
  cursor_.reset();
  core_.OnCommitted();
  uncommitted_.clear();
  arena_.Rewind();
  if (deleting_before_ms_ == INT64_MIN) return;
  oldest_segment_ms_ = std::max(oldest_segment_ms_, deleting_before_ms_);
  release_before_ms_ = deleting_before_ms_;
  deleting_before_ms_ = INT64_MIN;
}

void DuplicateStore::Discard(const StoreMark& mark) {
  core_.Discard();
  cursor_.reset();
  uncommitted_.clear();
  arena_.Rewind();
  retention_.stream_time_ms = mark.stream_time_ms;
  sequence_ = mark.sequence;
  bounds_known_ = false;
  deleting_before_ms_ = INT64_MIN;
}

absl::Status DuplicateStore::AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) {
  for (const ChangelogRecord& record : records) {
    const std::optional<WindowKey> key = ParseWindowKey(record.key);
    if (!key.has_value() || key->window_start_ms < 0) {
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                         "changelog " + spec().changelog_topic + ": a record's key is not a window key; does the topic "
                         "belong to another application?");
    }
    AdvanceStreamTime(key->window_start_ms);
    sequence_ = std::max(sequence_, key->sequence);
    if (key->window_start_ms < retention_.start_ms()) continue;
    key_buffer_.clear();
    AppendDuplicateKey(key_buffer_, segment_interval_ms_, key->key, key->window_start_ms, key->sequence);
    if (record.value.is_null()) {
      batch.Delete(core_.index(), key_buffer_, {});
      continue;
    }
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, record.timestamp_ms);
    batch.Put(core_.index(), key_buffer_, {}, {timestamp, sizeof(timestamp)}, record.value.view());
  }
  // A standby never commits: it deletes what has expired here.
  const int64_t expired_before = retention_.start_ms() > 0 ? SegmentOf(retention_.start_ms()) : 0;
  if (expired_before > restore_deleted_before_ms_) {
    restore_deleted_before_ms_ = expired_before;
    batch.DeleteBefore(core_.index(), StartBytes(expired_before));
  }
  return absl::OkStatus();
}

void DuplicateStore::ReleaseExpired() {
  if (release_before_ms_ == INT64_MIN) return;
  backend_->ReleaseBefore(core_.index(), StartBytes(release_before_ms_));
  release_before_ms_ = INT64_MIN;
}

}  // namespace tailrace::state
