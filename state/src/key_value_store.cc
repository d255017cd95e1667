#include "key_value_store.h"

#include <algorithm>

#include "merge.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {

absl::Status KeyTooLarge(const StoreSpec& spec, size_t bytes) {
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                     "store " + spec.name + ": a key of " + std::to_string(bytes) + " bytes is above the limit of " +
                         std::to_string(base::limits::kKeyBytesMax));
}

KeyValueStoreImpl::KeyValueStoreImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend)
    : core_(spec, index, spec.caching, task), backend_(backend) {
  Discard({});
}

absl::StatusOr<CacheEntry*> KeyValueStoreImpl::Upsert(std::string_view key) {
  const uint32_t hash = CacheTable::Hash(key);
  if (CacheEntry* entry = current_->Find(key, hash); entry != nullptr) [[likely]] return entry;
  return UpsertMiss(key, hash);
}

absl::StatusOr<CacheEntry*> KeyValueStoreImpl::UpsertMiss(std::string_view key, uint32_t hash) {
  if (key.size() > base::limits::kKeyBytesMax) return KeyTooLarge(spec(), key.size());
  if (previous_ != nullptr) {
    if (const CacheEntry* old = previous_->Find(key, hash); old != nullptr) {
      CacheEntry* entry = current_->Insert(key, hash);
      CacheTable::SetValue([this]() -> Arena& { return current_->arena(); }, *entry, old->value(), old->timestamp_ms());
      return entry;
    }
  }
  if (!complete_.has_value()) {
    BackendCursor& cursor = Cursor();
    cursor.Seek({});
    TAILRACE_RETURN_IF_ERROR(cursor.status());
    complete_ = !cursor.Valid();
  }
  if (*complete_) return current_->Insert(key, hash);
  TAILRACE_ASSIGN_OR_RETURN(const bool found, backend_->Get(core_.index(), key, value_buffer_));
  Row row;
  if (found && !ParseDiskValue(value_buffer_, row)) return DamagedEntry(spec().name);
  CacheEntry* entry = current_->Insert(key, hash);
  if (found) {
    CacheTable::SetValue([this]() -> Arena& { return current_->arena(); }, *entry, row.value, row.timestamp_ms);
  }
  return entry;
}

BackendCursor& KeyValueStoreImpl::Cursor() {
  if (cursor_ == nullptr) cursor_ = backend_->NewCursor(core_.index());
  return *cursor_;
}

absl::Status KeyValueStoreImpl::Range(std::optional<std::string_view> from, std::optional<std::string_view> to,
                                      RowVisitor visitor) {
  const std::string_view low = from.value_or(std::string_view());
  auto in_range = [&](std::string_view key) { return key >= low && (!to.has_value() || key <= *to); };
  collected_.clear();
  core_.CollectOverlay([&](const CacheEntry& entry) { return in_range(entry.key()); }, collected_);
  std::sort(collected_.begin(), collected_.end(), EntryBefore);
  collected_.erase(std::unique(collected_.begin(), collected_.end()), collected_.end());
  BackendCursor& cursor = Cursor();
  cursor.Seek(low);
  return MergeVisit(
      &cursor, collected_, spec().name,
      [](std::string_view key, Row& row) {
        row.key = key;
        return true;
      },
      [&](const Row& row) { return in_range(row.key); }, visitor);
}

void KeyValueStoreImpl::AddChanges(BackendBatch& batch) {
  collected_.clear();
  core_.CollectForCommit(collected_);
  sorted_.clear();
  sorted_.reserve(collected_.size());
  for (const CacheEntry* entry : collected_) {
    sorted_.emplace_back(0, entry->key(), static_cast<uint32_t>(sorted_.size()));
  }
  SortIntoDiskOrder(sorted_);
  ForEachLatest(sorted_, [&](uint32_t index) {
    const CacheEntry& entry = *collected_[index];
    if (entry.value().is_null()) {
      batch.Delete(core_.index(), entry.key(), {});
      return;
    }
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, entry.timestamp_ms());
    batch.Put(core_.index(), entry.key(), {}, {timestamp, sizeof(timestamp)}, entry.value().view());
  });
}

void KeyValueStoreImpl::OnCommitted() {
  cursor_.reset();
  core_.OnCommitted();
}

void KeyValueStoreImpl::Discard(const StoreMark&) {
  core_.Discard();
  cursor_.reset();
  previous_.reset();
  current_.reset();
  current_ = std::make_unique<CacheTable>(&core_.task().pool, kNoWindow, false);
  complete_.reset();
}

absl::Status KeyValueStoreImpl::AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) {
  for (const ChangelogRecord& record : records) {
    if (record.value.is_null()) {
      batch.Delete(core_.index(), record.key, {});
      continue;
    }
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, record.timestamp_ms);
    batch.Put(core_.index(), record.key, {}, {timestamp, sizeof(timestamp)}, record.value.view());
  }
  return absl::OkStatus();
}

size_t KeyValueStoreImpl::cache_bytes() const {
  return current_->bytes() + (previous_ == nullptr ? 0 : previous_->bytes());
}

void KeyValueStoreImpl::ShrinkCache(size_t bytes_max) {
  TAILRACE_CHECK(core_.changes().empty(), "only a clean cache shrinks");
  if (cache_bytes() <= bytes_max) return;
  // The previous generation goes; the current one takes its place once it has its half of the room.
  if (previous_ != nullptr && previous_->size() > 0) complete_ = false;
  previous_.reset();
  if (current_->bytes() <= bytes_max / 2) return;
  previous_ = std::move(current_);
  current_ = std::make_unique<CacheTable>(&core_.task().pool, kNoWindow, false);
  if (previous_->bytes() > bytes_max) {
    if (previous_->size() > 0) complete_ = false;
    previous_.reset();
  }
}

}  // namespace tailrace::state
