#include "expiring_store.h"

#include <algorithm>

#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {

ExpiringStore::ExpiringStore(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend)
    : time_(task->time), rows_(spec, index, task, backend), time_to_live_ms_(spec.time_to_live_ms) {
  TAILRACE_CHECK(time_to_live_ms_ > 0, "not the store for entries that stay");
}

void ExpiringStore::SetChangeListener(ChangeListener* listener) {
  listener_ = listener;
  rows_.SetChangeListener(listener);
}

absl::StatusOr<CacheEntry*> ExpiringStore::Upsert(std::string_view key) {
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, rows_.Upsert(key));
  if (IsExpired(*entry)) [[unlikely]] Expire(*entry);
  return entry;
}

void ExpiringStore::Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
  if (!value.is_null()) oldest_update_ms_ = std::min(oldest_update_ms_, timestamp_ms);
  rows_.Update(entry, value, timestamp_ms);
}

absl::Status ExpiringStore::Range(std::optional<std::string_view> from, std::optional<std::string_view> to, RowVisitor visitor) {
  const int64_t expired_ms = ExpiredTimestamp();
  return rows_.Range(from, to, [&](const Row& row) { return row.timestamp_ms <= expired_ms || visitor(row); });
}

void ExpiringStore::Expire(CacheEntry& entry) {
  const int64_t expired_at_ms = entry.timestamp_ms() + time_to_live_ms_;
  const bool forwards_now = listener_ != nullptr && !spec().caching;  // with caching the flush does
  if (forwards_now) old_value_ = entry.value().view();
  rows_.Update(entry, {}, expired_at_ms);
  if (!forwards_now) return;
  StoreChange change{.key = entry.key(), .new_value = {}, .old_value = {}, .timestamp_ms = expired_at_ms};
  if (spec().keep_old_values) change.old_value = std::string_view(old_value_);
  listener_->OnChange(change);
}

void ExpiringStore::Flush() {
  if (!std::exchange(swept_, true)) Sweep();
  rows_.Flush();
}

void ExpiringStore::Sweep() {
  const int64_t expired_ms = ExpiredTimestamp();
  if (expired_ms < 0) return;
  if (!resume_.has_value()) {
    if (std::min(oldest_ms_, oldest_update_ms_) > expired_ms) return;
    oldest_update_ms_ = oldest_seen_ms_ = INT64_MAX;
  }
  expired_keys_.clear();
  int looked_at = 0;
  bool more = false;
  std::string last;
  const absl::Status status = rows_.Range(resume_, std::nullopt, [&](const Row& row) {
    if (resume_.has_value() && row.key == *resume_) return true;
    more = looked_at == base::limits::kTimeToLiveRowsPerCommit;
    if (more) return false;
    ++looked_at;
    last = row.key;
    if (row.timestamp_ms <= expired_ms) expired_keys_.push_back(last);
    else oldest_seen_ms_ = std::min(oldest_seen_ms_, row.timestamp_ms);
    return true;
  });
  if (!status.ok()) return;  // what cannot be read is reported where it is asked for; the next commit looks again
  for (const std::string& key : expired_keys_) Upsert(key).IgnoreError();
  if (more) {
    resume_ = std::move(last);
    return;
  }
  resume_.reset();
  oldest_ms_ = oldest_seen_ms_;
}

void ExpiringStore::OnCommitted() {
  rows_.OnCommitted();
  swept_ = false;
}

void ExpiringStore::Discard(const StoreMark& mark) {
  rows_.Discard(mark);
  swept_ = false;
  resume_.reset();
  oldest_ms_ = INT64_MIN;
}

}  // namespace tailrace::state
