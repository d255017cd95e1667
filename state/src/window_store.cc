#include "window_store.h"

#include <algorithm>

#include "merge.h"
#include "tailrace/base/check.h"
#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

// Physical deletion waits for this part of the retention, since every range deletion costs the readers something.
constexpr int64_t kDeletionsPerRetention = 8;

std::string StartBytes(int64_t start) {
  std::string bytes;
  base::AppendBigEndian(bytes, start);
  return bytes;
}

}  // namespace

WindowStoreImpl::WindowStoreImpl(const StoreSpec& spec, int32_t index, TaskContext* task, Backend* backend)
    : core_(spec, index, spec.caching, task), backend_(backend), retention_{Retention::Shown(spec), -1},
      reach_ms_(spec.window_size_ms == INT64_MAX ? 0 : std::max<int64_t>(spec.window_size_ms - 1, 0)), expired_arena_(&task->pool) {
  TAILRACE_CHECK(!spec.retain_duplicates, "not the store for duplicates");
}

void WindowStoreImpl::AdvanceStreamTime(int64_t stream_time_ms) {
  if (stream_time_ms <= retention_.stream_time_ms) return;
  // The window in which the limit lies began this much earlier, at most.
  stream_time_ms = std::min(stream_time_ms, core_.task().time.limit_ms - reach_ms_);
  if (stream_time_ms <= retention_.stream_time_ms) [[unlikely]] return;
  retention_.stream_time_ms = stream_time_ms;
  retention_start_ms_ = retention_.start_ms();
  if (retention_start_ms_ <= oldest_live_start_ms_) [[likely]] return;
  // A cached window has just expired: it must not be found any more.
  ForgetRecent();
  oldest_live_start_ms_ = INT64_MAX;
  for (const auto& table : tables_) {
    if (table->window_start_ms() < retention_start_ms_) continue;
    oldest_live_start_ms_ = table->window_start_ms();
    break;
  }
}

void WindowStoreImpl::ForgetRecent() {
  last_ = nullptr;
  recent_.fill({});
}

inline absl::StatusOr<CacheTable*> WindowStoreImpl::TableFor(int64_t start) {
  const Recent& recent = recent_[RecentSlot(start)];
  if (recent.table != nullptr && recent.window_start_ms == start) {
    last_ = recent.table;
    last_start_ms_ = start;
    return recent.table;
  }
  return TableForSlow(start);
}

CacheTable* WindowStoreImpl::FindTable(int64_t start) const {
  auto it = std::lower_bound(tables_.begin(), tables_.end(), start,
                             [](const auto& table, int64_t value) { return table->window_start_ms() < value; });
  return it != tables_.end() && (*it)->window_start_ms() == start ? it->get() : nullptr;
}

absl::StatusOr<CacheTable*> WindowStoreImpl::TableForSlow(int64_t start) {
  if (start < retention_start_ms_) return nullptr;
  if (start < 0) {
    return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                       "store " + spec().name + ": a window cannot start before 1970 (" + std::to_string(start) + ")");
  }
  CacheTable* table = FindTable(start);
  if (table == nullptr) {
    TAILRACE_RETURN_IF_ERROR(LoadBounds());
    bool complete = start > newest_stored_ms_ || start < oldest_stored_ms_;
    if (!complete) {
      // One seek tells whether the committed store holds anything of this window.
      const std::string bytes = StartBytes(start);
      BackendCursor& cursor = Cursor();
      cursor.Seek(bytes);
      TAILRACE_RETURN_IF_ERROR(cursor.status());
      complete = !cursor.Valid() || !cursor.key().starts_with(bytes);
    }
    auto made = std::make_unique<CacheTable>(&core_.task().pool, start, complete);
    table = made.get();
    tables_.insert(std::upper_bound(tables_.begin(), tables_.end(), start,
                                    [](int64_t value, const auto& other) { return value < other->window_start_ms(); }),
                   std::move(made));
    oldest_live_start_ms_ = std::min(oldest_live_start_ms_, start);
  }
  recent_[RecentSlot(start)] = {start, table};
  last_ = table;
  last_start_ms_ = start;
  return table;
}

absl::StatusOr<CacheEntry*> WindowStoreImpl::Upsert(std::string_view key, int64_t window_start_ms) {
  CacheTable* table = last_;
  if (table == nullptr || last_start_ms_ != window_start_ms) [[unlikely]] {
    TAILRACE_ASSIGN_OR_RETURN(table, TableFor(window_start_ms));
    if (table == nullptr) return ExpiredEntry(key, window_start_ms);
  }
  const uint32_t hash = CacheTable::Hash(key);
  if (CacheEntry* entry = table->Find(key, hash); entry != nullptr) [[likely]] return entry;
  return UpsertMiss(*table, key, hash);
}

absl::StatusOr<CacheEntry*> WindowStoreImpl::UpsertMiss(CacheTable& table, std::string_view key, uint32_t hash) {
  if (key.size() > base::limits::kKeyBytesMax) return KeyTooLarge(spec(), key.size());
  if (table.complete()) return table.Insert(key, hash);
  key_buffer_.clear();
  base::AppendBigEndian(key_buffer_, table.window_start_ms());
  key_buffer_.append(key);
  ++backend_gets_;
  TAILRACE_ASSIGN_OR_RETURN(const bool found, backend_->Get(core_.index(), key_buffer_, value_buffer_));
  Row row;
  if (found && !ParseDiskValue(value_buffer_, row)) return DamagedEntry(spec().name);
  CacheEntry* entry = table.Insert(key, hash);
  if (found) CacheTable::SetValue([&]() -> Arena& { return table.arena(); }, *entry, row.value, row.timestamp_ms);
  return entry;
}

CacheEntry* WindowStoreImpl::ExpiredEntry(std::string_view key, int64_t start) {
  expired_arena_.Rewind();
  CacheEntry* entry =
      CacheTable::MakeEntry(expired_arena_, key.substr(0, base::limits::kKeyBytesMax), start, nullptr);
  StoreCore::SetExpired(*entry);
  return entry;
}

void WindowStoreImpl::Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) {
  if (StoreCore::IsExpired(entry)) [[unlikely]] {
    ++expired_updates_;
    core_.LogIgnored(entry, value, timestamp_ms);
    return;
  }
  core_.Update(entry, value, timestamp_ms, [&]() -> Arena& {
    if (last_ != nullptr && last_start_ms_ == entry.window_start_ms()) return last_->arena();
    CacheTable* table = FindTable(entry.window_start_ms());
    TAILRACE_CHECK(table != nullptr, "the entry's window is gone");
    return table->arena();
  });
  AdvanceStreamTime(core_.newest_written_start_ms());
}

absl::Status WindowStoreImpl::LoadBounds() {
  if (bounds_known_) return absl::OkStatus();
  BackendCursor& cursor = Cursor();
  cursor.Seek({});
  TAILRACE_RETURN_IF_ERROR(cursor.status());
  oldest_stored_ms_ = INT64_MAX;
  newest_stored_ms_ = INT64_MIN;
  Row row;
  if (cursor.Valid()) {
    if (!ParseWindowDiskKey(cursor.key(), row)) return DamagedEntry(spec().name);
    oldest_stored_ms_ = row.window_start_ms;
    cursor.SeekToLast();
    TAILRACE_RETURN_IF_ERROR(cursor.status());
    if (!cursor.Valid() || !ParseWindowDiskKey(cursor.key(), row)) return DamagedEntry(spec().name);
    newest_stored_ms_ = row.window_start_ms;
  }
  bounds_known_ = true;
  return absl::OkStatus();
}

BackendCursor& WindowStoreImpl::Cursor() {
  if (cursor_ == nullptr) cursor_ = backend_->NewCursor(core_.index());
  return *cursor_;
}

absl::Status WindowStoreImpl::FetchRange(std::string_view key, int64_t from_ms, int64_t to_ms, RowVisitor visitor) {
  from_ms = std::max({from_ms, retention_start_ms_, int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(LoadBounds());
  const uint32_t hash = CacheTable::Hash(key);
  auto table = std::lower_bound(tables_.begin(), tables_.end(), from_ms,
                                [](const auto& t, int64_t value) { return t->window_start_ms() < value; });
  // The next stored window of the key at or after `from`.
  Row stored;
  bool has_stored = false;
  auto seek = [&](int64_t from) -> absl::Status {
    from = std::max(from, oldest_stored_ms_);
    has_stored = false;
    if (from > std::min(to_ms, newest_stored_ms_)) return absl::OkStatus();
    TAILRACE_ASSIGN_OR_RETURN(has_stored, SeekWindowOfKey(Cursor(), spec().name, key, from, to_ms, key_buffer_, stored));
    return absl::OkStatus();
  };
  TAILRACE_RETURN_IF_ERROR(seek(from_ms));
  for (;;) {
    const bool has_cached = table != tables_.end() && (*table)->window_start_ms() <= to_ms;
    if (!has_cached && !has_stored) return absl::OkStatus();
    if (has_cached && (!has_stored || (*table)->window_start_ms() <= stored.window_start_ms)) {
      const CacheEntry* entry = (*table)->Find(key, hash);
      const int64_t start = (*table)->window_start_ms();
      ++table;
      if (entry == nullptr) continue;  // what is stored, if anything, comes next
      const kafka::NullableBytes value = entry->value();
      if (!value.is_null() && !visitor({entry->key(), start, value.view(), entry->timestamp_ms()})) return absl::OkStatus();
      if (!has_stored || stored.window_start_ms != start) continue;
    } else if (!visitor(stored)) {
      return absl::OkStatus();
    }
    if (stored.window_start_ms == INT64_MAX) return absl::OkStatus();
    TAILRACE_RETURN_IF_ERROR(seek(stored.window_start_ms + 1));
  }
}

absl::Status WindowStoreImpl::FetchAll(int64_t from_ms, int64_t to_ms, RowVisitor visitor) {
  from_ms = std::max({from_ms, retention_start_ms_, int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(LoadBounds());
  collected_.clear();
  core_.CollectOverlay(
      [&](const CacheEntry& entry) { return entry.window_start_ms() >= from_ms && entry.window_start_ms() <= to_ms; },
      collected_);
  std::sort(collected_.begin(), collected_.end(), EntryBefore);
  collected_.erase(std::unique(collected_.begin(), collected_.end()), collected_.end());
  BackendCursor* cursor = nullptr;
  if (from_ms <= newest_stored_ms_ && to_ms >= oldest_stored_ms_) {
    cursor = &Cursor();
    cursor->Seek(StartBytes(from_ms));
  }
  return MergeVisit(cursor, collected_, spec().name, ParseWindowDiskKey,
                    [&](const Row& row) { return row.window_start_ms <= to_ms; }, visitor);
}

void WindowStoreImpl::AddChanges(BackendBatch& batch) {
  // Without bounds (an I/O error) the deletion waits; entries are written in any case.
  deleting_before_ms_ = INT64_MIN;
  const int64_t slack = spec().retention_ms / kDeletionsPerRetention;
  if (retention_start_ms_ > slack && LoadBounds().ok() && oldest_stored_ms_ < retention_start_ms_ - slack) {
    deleting_before_ms_ = retention_start_ms_;
    batch.DeleteBefore(core_.index(), StartBytes(deleting_before_ms_));
  }
  collected_.clear();
  core_.CollectForCommit(collected_);
  sorted_.clear();
  sorted_.reserve(collected_.size());
  for (uint32_t i = 0; i < collected_.size(); ++i) {
    const CacheEntry& entry = *collected_[i];
    if (entry.window_start_ms() < retention_start_ms_) continue;  // expired since its update
    sorted_.emplace_back(static_cast<uint64_t>(entry.window_start_ms()), entry.key(), i);
  }
  SortIntoDiskOrder(sorted_);
  if (!sorted_.empty()) {
    oldest_stored_ms_ = std::min(oldest_stored_ms_, static_cast<int64_t>(sorted_.front().major));
    newest_stored_ms_ = std::max(newest_stored_ms_, static_cast<int64_t>(sorted_.back().major));
  }
  ForEachLatest(sorted_, [&](uint32_t index) {
    const CacheEntry& entry = *collected_[index];
    char start[kStartBytes];
    base::StoreBigEndian(start, entry.window_start_ms());
    if (entry.value().is_null()) {
      batch.Delete(core_.index(), {start, sizeof(start)}, entry.key());
      return;
    }
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, entry.timestamp_ms());
    batch.Put(core_.index(), {start, sizeof(start)}, entry.key(), {timestamp, sizeof(timestamp)}, entry.value().view());
  });
}

void WindowStoreImpl::OnCommitted() {
  cursor_.reset();
  core_.OnCommitted();
  if (deleting_before_ms_ != INT64_MIN) {
    oldest_stored_ms_ = std::max(oldest_stored_ms_, deleting_before_ms_);
    release_before_ms_ = deleting_before_ms_;
    deleting_before_ms_ = INT64_MIN;
  }
  if (tables_.empty() || tables_.front()->window_start_ms() >= retention_start_ms_) return;
  const auto live = std::find_if(tables_.begin(), tables_.end(), [&](const auto& table) {
    return table->window_start_ms() >= retention_start_ms_;
  });
  tables_.erase(tables_.begin(), live);
  ForgetRecent();
}

void WindowStoreImpl::Discard(const StoreMark& mark) {
  core_.Discard();
  cursor_.reset();
  tables_.clear();
  ForgetRecent();
  oldest_live_start_ms_ = INT64_MAX;
  retention_.stream_time_ms = mark.stream_time_ms;
  retention_start_ms_ = retention_.start_ms();
  bounds_known_ = false;
  deleting_before_ms_ = INT64_MIN;
}

absl::Status WindowStoreImpl::AddChangelog(std::span<const ChangelogRecord> records, BackendBatch& batch) {
  for (const ChangelogRecord& record : records) {
    const std::optional<WindowKey> key = ParseWindowKey(record.key);
    if (!key.has_value() || key->window_start_ms < 0) {
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kDataLoss,
                         "changelog " + spec().changelog_topic + ": a record's key is not a window key; does the topic "
                         "belong to another application?");
    }
    AdvanceStreamTime(key->window_start_ms);
    if (key->window_start_ms < retention_start_ms_) continue;
    char start[kStartBytes];
    base::StoreBigEndian(start, key->window_start_ms);
    if (record.value.is_null()) {
      batch.Delete(core_.index(), {start, sizeof(start)}, key->key);
      continue;
    }
    char timestamp[kTimestampBytes];
    base::StoreBigEndian(timestamp, record.timestamp_ms);
    batch.Put(core_.index(), {start, sizeof(start)}, key->key, {timestamp, sizeof(timestamp)}, record.value.view());
  }
  // A standby never commits: it deletes what has expired here. Looking at what is stored would end a bulk load, so the
  // deletions go by stream time alone.
  const int64_t slack = std::max<int64_t>(spec().retention_ms / kDeletionsPerRetention, 1);
  if (retention_start_ms_ >= 0 && retention_start_ms_ - std::max<int64_t>(restore_deleted_before_ms_, 0) > slack) {
    restore_deleted_before_ms_ = retention_start_ms_;
    batch.DeleteBefore(core_.index(), StartBytes(retention_start_ms_));
  }
  return absl::OkStatus();
}

void WindowStoreImpl::ReleaseExpired() {
  if (release_before_ms_ == INT64_MIN) return;
  backend_->ReleaseBefore(core_.index(), StartBytes(release_before_ms_));
  release_before_ms_ = INT64_MIN;
}

size_t WindowStoreImpl::cache_bytes() const {
  size_t bytes = expired_arena_.bytes();
  for (const auto& table : tables_) bytes += table->bytes();
  return bytes;
}

void WindowStoreImpl::ShrinkCache(size_t bytes_max) {
  TAILRACE_CHECK(core_.changes().empty(), "only a clean cache shrinks");
  size_t bytes = cache_bytes();
  size_t drop = 0;
  for (; drop < tables_.size() && bytes > bytes_max; ++drop) bytes -= tables_[drop]->bytes();
  if (drop == 0) return;
  tables_.erase(tables_.begin(), tables_.begin() + static_cast<ptrdiff_t>(drop));
  ForgetRecent();
}

}  // namespace tailrace::state
