#include "task_view.h"

#include <algorithm>

#include "merge.h"
#include "tailrace/base/check.h"
#include "window_store.h"

namespace tailrace::state {

absl::StatusOr<int32_t> TaskView::Find(std::string_view store, StoreKind kind) const {
  std::string names;
  for (size_t i = 0; i < catalog_->stores.size(); ++i) {
    const ViewCatalog::Store& candidate = catalog_->stores[i];
    if (candidate.kind == kind && candidate.name == store) return static_cast<int32_t>(i);
    if (candidate.kind == StoreKind::kTimeOrderedBuffer) continue;  // not for queries
    names += (names.empty() ? "" : ", ") + candidate.name + (candidate.kind == StoreKind::kWindow ? " (windows)" : " (key-value)");
  }
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kNotFound,
                     "no " + std::string(kind == StoreKind::kWindow ? "window" : "key-value") + " store " + std::string(store) +
                         " in this task; it has: " + (names.empty() ? "none" : names));
}

base::Offset TaskView::changelog_offset(std::string_view store) const {
  const auto it = commit_->stores.find(store);
  return it == commit_->stores.end() ? base::kOffsetUnknown : it->second.changelog_offset;
}

int64_t TaskView::RetentionStart(const ViewCatalog::Store& store) const {
  if (store.kind != StoreKind::kWindow) return INT64_MIN;
  const auto it = commit_->stores.find(store.name);
  if (it == commit_->stores.end()) return INT64_MIN;
  return Retention{store.retention_ms, it->second.stream_time_ms}.start_ms();
}

int64_t TaskView::retention_start_ms(std::string_view store) const {
  for (const ViewCatalog::Store& candidate : catalog_->stores) {
    if (candidate.name == store) return RetentionStart(candidate);
  }
  return INT64_MIN;
}

absl::StatusOr<std::optional<ReadView::Value>> TaskView::GetValue(const ViewCatalog::Store& store, int32_t index,
                                                                  std::string_view disk_key) const {
  std::string bytes;
  TAILRACE_ASSIGN_OR_RETURN(const bool found, ReaderOf(store).Get(index, disk_key, bytes));
  if (!found) return std::optional<Value>();
  Row row;
  if (!ParseDiskValue(bytes, row)) return DamagedEntry(store.name);
  const int64_t timestamp_ms = row.timestamp_ms;
  bytes.erase(0, kTimestampBytes);
  return std::optional<Value>(Value{std::move(bytes), timestamp_ms});
}

absl::StatusOr<std::optional<ReadView::Value>> TaskView::Get(std::string_view store, std::string_view key) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, StoreKind::kKeyValue));
  return GetValue(catalog_->stores[static_cast<size_t>(index)], index, key);
}

absl::StatusOr<std::optional<ReadView::Value>> TaskView::GetWindow(std::string_view store, std::string_view key,
                                                                   int64_t window_start_ms) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, StoreKind::kWindow));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  std::optional<Value> value;
  if (window_start_ms < 0 || window_start_ms < RetentionStart(found)) return value;
  if (!found.retain_duplicates) {
    std::string disk_key;
    base::AppendBigEndian(disk_key, window_start_ms);
    disk_key.append(key);
    return GetValue(found, index, disk_key);
  }
  TAILRACE_RETURN_IF_ERROR(FetchRange(store, key, window_start_ms, window_start_ms, [&](const Row& row) {
    value = Value{std::string(row.value), row.timestamp_ms};
    return false;
  }));
  return value;
}

absl::Status TaskView::FetchRange(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                                  RowVisitor visitor) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, StoreKind::kWindow));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  from_ms = std::max({from_ms, RetentionStart(found), int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  const auto cursor = ReaderOf(found).NewCursor(index);
  std::string buffer;
  if (found.retain_duplicates) {
    // Only segments that exist are looked at.
    cursor->SeekToLast();
    TAILRACE_RETURN_IF_ERROR(cursor->status());
    if (!cursor->Valid()) return absl::OkStatus();
    std::string_view last = cursor->key();
    int64_t newest_segment = 0;
    if (!base::ConsumeBigEndian(last, newest_segment)) return DamagedEntry(found.name);
    cursor->Seek({});
    if (!cursor->Valid()) return cursor->status();
    std::string_view first = cursor->key();
    int64_t oldest_segment = 0;
    if (!base::ConsumeBigEndian(first, oldest_segment)) return DamagedEntry(found.name);
    return VisitDuplicatesOfKey(*cursor, found.name, key, std::max(from_ms, oldest_segment),
                                std::min(to_ms, newest_segment + (found.segment_interval_ms - 1)), found.segment_interval_ms,
                                buffer, [&](const Row& row, int32_t) { return visitor(row); });
  }
  for (;;) {
    Row row;
    TAILRACE_ASSIGN_OR_RETURN(const bool more, SeekWindowOfKey(*cursor, found.name, key, from_ms, to_ms, buffer, row));
    if (!more || !visitor(row) || row.window_start_ms == INT64_MAX) return absl::OkStatus();
    from_ms = row.window_start_ms + 1;
  }
}

absl::Status TaskView::FetchAll(std::string_view store, int64_t from_ms, int64_t to_ms,
                                const std::optional<WindowCursor>& after, RowVisitor visitor) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, StoreKind::kWindow));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  from_ms = std::max({from_ms, RetentionStart(found), int64_t{0}});
  if (from_ms > to_ms) return absl::OkStatus();
  const auto cursor = ReaderOf(found).NewCursor(index);
  auto is_after = [&](const Row& row) {
    if (!after.has_value()) return true;
    return row.window_start_ms != after->window_start_ms ? row.window_start_ms > after->window_start_ms : row.key > after->key;
  };
  if (found.retain_duplicates) {
    std::vector<OwnedRow> rows;
    TAILRACE_RETURN_IF_ERROR(CollectDuplicates(*cursor, found.name, from_ms, to_ms, found.segment_interval_ms, rows));
    VisitOwned(rows, [&](const Row& row) { return !is_after(row) || visitor(row); });
    return absl::OkStatus();
  }
  std::string start;
  const bool resumes = after.has_value() && after->window_start_ms >= from_ms;
  base::AppendBigEndian(start, resumes ? after->window_start_ms : from_ms);
  if (resumes) start += after->key;
  cursor->Seek(start);
  return MergeVisit(cursor.get(), {}, found.name, ParseWindowDiskKey,
                    [&](const Row& row) { return row.window_start_ms <= to_ms; },
                    [&](const Row& row) { return !is_after(row) || visitor(row); });
}

absl::Status TaskView::Range(std::string_view store, std::optional<std::string_view> from, std::optional<std::string_view> to,
                             std::optional<std::string_view> after, RowVisitor visitor) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, StoreKind::kKeyValue));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  const auto cursor = ReaderOf(found).NewCursor(index);
  cursor->Seek(std::max(from.value_or(std::string_view()), after.value_or(std::string_view())));
  return MergeVisit(
      cursor.get(), {}, found.name,
      [](std::string_view key, Row& row) {
        row.key = key;
        return true;
      },
      [&](const Row& row) { return !to.has_value() || row.key <= *to; },
      [&](const Row& row) { return (after.has_value() && row.key <= *after) || visitor(row); });
}

}  // namespace tailrace::state
