#include "versioned_store_impl.h"

#include <algorithm>

#include "disk_keys.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

StoreSpec RowsOf(StoreSpec spec) {
  spec.kind = StoreKind::kKeyValue;
  spec.caching = false;
  spec.logging = false;
  spec.keep_old_values = false;
  return spec;
}

}  // namespace

VersionedStoreImpl::VersionedStoreImpl(const StoreSpec& spec, int32_t index, int64_t segment_interval_ms, TaskContext* task,
                                       Backend* backend)
    : spec_(Uncached(spec)), rows_(RowsOf(spec), index, task, backend), backend_(backend), segment_interval_ms_(segment_interval_ms) {
  TAILRACE_CHECK(segment_interval_ms > 0 && spec.history_retention_ms >= 0, "a versioned store needs segments");
}

VersionLookup::Store VersionedStoreImpl::Described() const {
  return {spec_.name, spec_.history_retention_ms, segment_interval_ms_, stream_time_ms_};
}

absl::Status VersionedStoreImpl::LoadSegments() {
  if (segments_known_) return absl::OkStatus();
  const auto cursor = backend_->NewCursor(rows_.core().index());
  TAILRACE_ASSIGN_OR_RETURN(segments_, ListSegments(*cursor, spec_.name));
  segments_known_ = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> VersionedStoreImpl::Read(std::string_view row_key, int64_t& number, std::string& bytes) {
  TAILRACE_ASSIGN_OR_RETURN(const CacheEntry* entry, rows_.Upsert(row_key));
  if (entry->value().is_null()) return false;
  number = entry->timestamp_ms();
  bytes.assign(entry->value().view());
  return true;
}

absl::StatusOr<bool> VersionedStoreImpl::ReadRow(int64_t segment, std::string_view key, VersionRow& row) {
  SetSegmentRowKey(row_key_, segment, key);
  TAILRACE_ASSIGN_OR_RETURN(const CacheEntry* entry, rows_.Upsert(row_key_));
  if (entry->value().is_null()) return false;
  if (!row.Parse(entry->timestamp_ms(), entry->value().view())) return DamagedEntry(spec_.name);
  return true;
}

absl::Status VersionedStoreImpl::WriteRow(int64_t segment, std::string_view key, VersionRow& row) {
  const auto place = std::lower_bound(segments_.begin(), segments_.end(), segment);
  if (place == segments_.end() || *place != segment) segments_.insert(place, segment);
  SetSegmentRowKey(row_key_, segment, key);
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, rows_.Upsert(row_key_));
  rows_.Update(*entry, row.Encode(), row.end_ms());
  return absl::OkStatus();
}

absl::Status VersionedStoreImpl::AppendToSegment(int64_t segment, std::string_view key, kafka::NullableBytes value,
                                                 int64_t from_ms, int64_t to_ms) {
  if (segment < OldestSegment()) return absl::OkStatus();  // it would not be read any more
  TAILRACE_ASSIGN_OR_RETURN(const bool found, ReadRow(segment, key, older_row_));
  if (found) older_row_.InsertAsLatest(value, from_ms, to_ms);
  else older_row_.Reset(value, from_ms, to_ms);
  return WriteRow(segment, key, older_row_);
}

absl::StatusOr<int64_t> VersionedStoreImpl::Put(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) {
  if (value.view().size() > base::limits::kValueBytesMax)
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                       "store " + spec_.name + ": a value of " + std::to_string(value.view().size()) +
                           " bytes is above the limit of " + std::to_string(base::limits::kValueBytesMax));
  TAILRACE_ASSIGN_OR_RETURN(const int64_t valid_to_ms, Store(key, value, timestamp_ms));
  expired_puts_ += valid_to_ms == kNotPut;
  ChangelogWriter* const changelog = rows_.core().task().changelog;
  if (spec_.logging && changelog != nullptr) changelog->Append(rows_.core().index(), key, value, timestamp_ms);
  return valid_to_ms;
}

absl::StatusOr<int64_t> VersionedStoreImpl::Store(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) {
  if (timestamp_ms < stream_time_ms_ - spec_.history_retention_ms) return kNotPut;
  TAILRACE_RETURN_IF_ERROR(LoadSegments());
  stream_time_ms_ = std::max(stream_time_ms_, std::min(timestamp_ms, rows_.core().task().time.limit_ms));
  segments_.erase(segments_.begin(), std::lower_bound(segments_.begin(), segments_.end(), OldestSegment()));
  int64_t later_ms = kNothingLater;
  TAILRACE_ASSIGN_OR_RETURN(std::optional<int64_t> valid_to_ms, PutAsLatest(key, value, timestamp_ms, later_ms));
  if (valid_to_ms.has_value()) return *valid_to_ms;
  TAILRACE_ASSIGN_OR_RETURN(valid_to_ms, PutBetween(key, value, timestamp_ms, later_ms));
  if (valid_to_ms.has_value()) return *valid_to_ms;
  return PutBefore(key, value, timestamp_ms, later_ms);
}

// The latest version moves into the segment of its end, which is where the new one begins.
absl::StatusOr<std::optional<int64_t>> VersionedStoreImpl::PutAsLatest(std::string_view key, kafka::NullableBytes value,
                                                                       int64_t timestamp_ms, int64_t& later_ms) {
  SetLatestRowKey(row_key_, key);
  int64_t latest_ms = 0;
  TAILRACE_ASSIGN_OR_RETURN(const bool found, Read(row_key_, latest_ms, bytes_));
  if (!found) return std::optional<int64_t>();
  if (timestamp_ms < latest_ms) {
    later_ms = latest_ms;
    return std::optional<int64_t>();
  }
  if (timestamp_ms > latest_ms)
    TAILRACE_RETURN_IF_ERROR(AppendToSegment(SegmentOf(timestamp_ms), key, bytes_, latest_ms, timestamp_ms));
  SetLatestRowKey(row_key_, key);
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, rows_.Upsert(row_key_));
  rows_.Update(*entry, value, timestamp_ms);
  return std::optional<int64_t>(kValidToUndefined);
}

absl::StatusOr<std::optional<int64_t>> VersionedStoreImpl::PutBetween(std::string_view key, kafka::NullableBytes value,
                                                                      int64_t timestamp_ms, int64_t& later_ms) {
  const int64_t oldest = SegmentOf(timestamp_ms);
  for (size_t i = segments_.size(); i-- > 0 && segments_[i] >= oldest;) {
    const int64_t segment = segments_[i];
    TAILRACE_ASSIGN_OR_RETURN(const bool found, ReadRow(segment, key, row_));
    if (!found) continue;
    if (row_.end_ms() <= timestamp_ms) break;
    if (row_.begin_ms() > timestamp_ms) {
      later_ms = row_.begin_ms();
      continue;
    }
    const size_t at = row_.Find(timestamp_ms);
    const int64_t from_ms = row_.from_ms(at);
    const int64_t valid_to_ms = row_.to_ms(at);
    if (from_ms == timestamp_ms) {
      row_.Replace(at, value, timestamp_ms);
    } else if (segment == oldest) {
      row_.Insert(at, value, timestamp_ms);
    } else {
      // The version at hand now ends where the new one begins, which is in an older segment: it moves there.
      TAILRACE_RETURN_IF_ERROR(AppendToSegment(oldest, key, row_.value(at), from_ms, timestamp_ms));
      row_.Replace(at, value, timestamp_ms);
    }
    TAILRACE_RETURN_IF_ERROR(WriteRow(segment, key, row_));
    return std::optional<int64_t>(valid_to_ms);
  }
  return std::optional<int64_t>();
}

absl::StatusOr<int64_t> VersionedStoreImpl::PutBefore(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms,
                                                      int64_t later_ms) {
  if (later_ms == kNothingLater && !value.is_null()) {
    SetLatestRowKey(row_key_, key);
    TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, rows_.Upsert(row_key_));
    rows_.Update(*entry, value, timestamp_ms);
    return kValidToUndefined;
  }
  const int64_t to_ms = later_ms == kNothingLater ? timestamp_ms : later_ms;
  const int64_t segment = SegmentOf(to_ms);
  TAILRACE_ASSIGN_OR_RETURN(const bool found, ReadRow(segment, key, row_));
  if (!found) {
    row_.Reset(value, timestamp_ms, to_ms);
  } else if (later_ms == kNothingLater) {
    // A delete after which nothing comes ends the newest version here, unless that one ends just there.
    if (row_.end_ms() == timestamp_ms) return kValidToUndefined;
    row_.InsertAsLatest({}, row_.end_ms(), timestamp_ms);
  } else if (row_.end_ms() <= timestamp_ms) {
    row_.InsertAsLatest(value, timestamp_ms, to_ms);
  } else {
    row_.InsertAsEarliest(value, timestamp_ms);
  }
  TAILRACE_RETURN_IF_ERROR(WriteRow(segment, key, row_));
  return later_ms == kNothingLater ? kValidToUndefined : to_ms;
}

absl::StatusOr<CacheEntry*> VersionedStoreImpl::LatestEntry(std::string_view key) {
  SetLatestRowKey(row_key_, key);
  return rows_.Upsert(row_key_);
}

absl::StatusOr<std::optional<Version>> VersionedStoreImpl::Get(std::string_view key) {
  return lookup_.Latest(key, [this](std::string_view row_key, int64_t& number, std::string& bytes) {
    return Read(row_key, number, bytes);
  });
}

absl::StatusOr<std::optional<Version>> VersionedStoreImpl::GetAsOf(std::string_view key, int64_t as_of_ms) {
  TAILRACE_RETURN_IF_ERROR(LoadSegments());
  return lookup_.AsOf(Described(), segments_, key, as_of_ms,
                      [this](std::string_view row_key, int64_t& number, std::string& bytes) { return Read(row_key, number, bytes); });
}

absl::Status VersionedStoreImpl::Versions(std::string_view key, int64_t from_ms, int64_t to_ms, VersionVisitor visitor) {
  TAILRACE_RETURN_IF_ERROR(LoadSegments());
  return lookup_.Versions(
      Described(), segments_, key, from_ms, to_ms,
      [this](std::string_view row_key, int64_t& number, std::string& bytes) { return Read(row_key, number, bytes); }, visitor);
}

void VersionedStoreImpl::Notify(TaskState::CommitObserver& observer, base::Offset changelog_offset) {
  // Only what the latest version was and is.
  class LatestOnly final : public TaskState::CommitObserver {
   public:
    explicit LatestOnly(TaskState::CommitObserver& observer) : observer_(observer) {}
    bool Wants(int32_t) override { return true; }
    void OnCommitted(int32_t store, const StoreChange& change, base::Offset offset) override {
      const std::optional<std::string_view> key = ParseLatestRowKey(change.key);
      if (!key.has_value()) return;
      StoreChange latest = change;
      latest.key = *key;
      observer_.OnCommitted(store, latest, offset);
    }

   private:
    TaskState::CommitObserver& observer_;
  } latest(observer);
  rows_.core().Notify(latest, changelog_offset);
}

void VersionedStoreImpl::AddChanges(BackendBatch& batch) {
  rows_.AddChanges(batch);
  deleting_before_ = OldestSegment();
  if (deleting_before_ > deleted_before_) batch.DeleteBefore(rows_.core().index(), SegmentsBefore(deleting_before_));
}

void VersionedStoreImpl::OnCommitted() {
  rows_.OnCommitted();
  if (deleting_before_ > deleted_before_) release_before_ = deleted_before_ = deleting_before_;
}

void VersionedStoreImpl::Discard(const StoreMark& mark) {
  rows_.Discard(mark);
  stream_time_ms_ = mark.stream_time_ms;
  segments_known_ = false;
  deleting_before_ = deleted_before_;
}

absl::Status VersionedStoreImpl::AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) {
  for (const ChangelogRecord& record : records) TAILRACE_RETURN_IF_ERROR(Store(record.key, record.value, record.timestamp_ms).status());
  rows_.Flush();
  AddChanges(batch);
  return absl::OkStatus();
}

void VersionedStoreImpl::ReleaseExpired() {
  if (release_before_ == 0) return;
  backend_->ReleaseBefore(rows_.core().index(), SegmentsBefore(release_before_));
  release_before_ = 0;
}

}  // namespace tailrace::state
