#include "task_view.h"

#include <algorithm>
#include <tuple>

#include "merge.h"
#include "session_scan.h"
#include "tailrace/base/check.h"
#include "version_rows.h"
#include "window_store.h"

namespace tailrace::state {
namespace {

std::string_view KindName(StoreKind kind) {
  switch (kind) {
    case StoreKind::kKeyValue: return "key-value";
    case StoreKind::kWindow: return "window";
    case StoreKind::kSession: return "session";
    case StoreKind::kVersioned: return "versioned";
    case StoreKind::kTimeOrderedBuffer: return "buffer";
  }
  return "unknown";
}

std::string_view KindName(TaskView::Asked asked) {
  switch (asked) {
    case TaskView::Asked::kKeyValue: return "key-value";
    case TaskView::Asked::kWindowed: return "window or session";
    case TaskView::Asked::kVersioned: return "versioned";
  }
  return "unknown";
}

// A versioned store is a key-value store of its latest versions, too.
bool Fits(StoreKind kind, TaskView::Asked asked) {
  switch (kind) {
    case StoreKind::kKeyValue: return asked == TaskView::Asked::kKeyValue;
    case StoreKind::kWindow:
    case StoreKind::kSession: return asked == TaskView::Asked::kWindowed;
    case StoreKind::kVersioned: return asked != TaskView::Asked::kWindowed;
    case StoreKind::kTimeOrderedBuffer: return false;
  }
  return false;
}

absl::Status NotVersioned(std::string_view store) {
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kNotFound,
                     "no versioned store " + std::string(store) + " in this task");
}

}  // namespace

absl::StatusOr<std::optional<ReadView::VersionedValue>> ReadView::GetAsOf(std::string_view store, std::string_view, int64_t) const {
  return NotVersioned(store);
}

absl::Status ReadView::Versions(std::string_view store, std::string_view, int64_t, int64_t, VersionVisitor) const {
  return NotVersioned(store);
}

absl::StatusOr<int32_t> TaskView::Find(std::string_view store, Asked asked) const {
  std::string names;
  for (size_t i = 0; i < catalog_->stores.size(); ++i) {
    const ViewCatalog::Store& candidate = catalog_->stores[i];
    if (candidate.name == store && Fits(candidate.kind, asked)) return static_cast<int32_t>(i);
    if (candidate.kind == StoreKind::kTimeOrderedBuffer) continue;  // not for queries
    names += (names.empty() ? "" : ", ") + candidate.name + " (" + std::string(KindName(candidate.kind)) + ")";
  }
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kNotFound,
                     "no " + std::string(KindName(asked)) + " store " + std::string(store) +
                         " in this task; it has: " + (names.empty() ? "none" : names));
}

base::Offset TaskView::changelog_offset(std::string_view store) const {
  const auto it = commit_->stores.find(store);
  return it == commit_->stores.end() ? base::kOffsetUnknown : it->second.changelog_offset;
}

int64_t TaskView::RetentionStart(const ViewCatalog::Store& store) const {
  if (!Fits(store.kind, Asked::kWindowed)) return INT64_MIN;
  const auto it = commit_->stores.find(store.name);
  if (it == commit_->stores.end()) return INT64_MIN;
  return Retention{store.retention_ms, it->second.stream_time_ms}.start_ms();
}

int64_t TaskView::retention_start_ms(std::string_view store) const {
  for (const ViewCatalog::Store& candidate : catalog_->stores) {
    // A session that began long ago is there while its end is.
    if (candidate.name == store) return candidate.kind == StoreKind::kWindow ? RetentionStart(candidate) : INT64_MIN;
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
  if (IsExpired(store, timestamp_ms)) return std::optional<Value>();
  bytes.erase(0, kTimestampBytes);
  return std::optional<Value>(Value{std::move(bytes), timestamp_ms});
}

absl::StatusOr<std::optional<ReadView::Value>> TaskView::Get(std::string_view store, std::string_view key) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kKeyValue));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  if (found.kind != StoreKind::kVersioned) return GetValue(found, index, key);
  std::string row_key;
  SetLatestRowKey(row_key, key);
  return GetValue(found, index, row_key);
}

absl::StatusOr<std::optional<ReadView::Value>> TaskView::GetWindow(std::string_view store, std::string_view key,
                                                                   int64_t window_start_ms) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kWindowed));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  std::optional<Value> value;
  const bool session = found.kind == StoreKind::kSession;
  if (window_start_ms < 0 || (!session && window_start_ms < RetentionStart(found))) return value;
  if (!session && !found.retain_duplicates) {
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
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kWindowed));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  if (found.kind == StoreKind::kSession) return SessionsOfKey(found, index, key, from_ms, to_ms, visitor);
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
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kWindowed));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  if (found.kind == StoreKind::kSession) return AllSessions(found, index, from_ms, to_ms, after, visitor);
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

absl::Status TaskView::SessionsOfKey(const ViewCatalog::Store& store, int32_t index, std::string_view key, int64_t from_ms,
                                     int64_t to_ms, RowVisitor visitor) const {
  const auto cursor = ReaderOf(store).NewCursor(index);
  int64_t oldest_segment_ms = 0;
  int64_t newest_segment_ms = 0;
  TAILRACE_ASSIGN_OR_RETURN(const bool any, SegmentBounds(*cursor, store.name, oldest_segment_ms, newest_segment_ms));
  if (!any) return absl::OkStatus();
  std::string buffer;
  return VisitSessionsOfKey(*cursor, store.name, key, std::max({from_ms, RetentionStart(store), oldest_segment_ms}),
                            newest_segment_ms, store.segment_interval_ms, buffer, [&](const Row& row) {
                              const bool asked = row.window_start_ms >= from_ms && row.window_start_ms <= to_ms;
                              return !asked || visitor(row);
                            });
}

absl::Status TaskView::AllSessions(const ViewCatalog::Store& store, int32_t index, int64_t from_ms, int64_t to_ms,
                                   const std::optional<WindowCursor>& after, RowVisitor visitor) const {
  std::vector<OwnedSession> sessions;
  TAILRACE_RETURN_IF_ERROR(CollectSessions(*ReaderOf(store).NewCursor(index), store.name,
                                           std::max({from_ms, RetentionStart(store), int64_t{0}}), store.segment_interval_ms,
                                           sessions));
  const auto place = [](const OwnedSession& session) { return std::tie(session.start_ms, session.key, session.end_ms); };
  std::sort(sessions.begin(), sessions.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const OwnedSession& session : sessions) {
    if (session.start_ms < from_ms || session.start_ms > to_ms) continue;
    if (after.has_value() && std::tie(session.start_ms, session.key) <= std::tie(after->window_start_ms, after->key)) continue;
    if (!visitor({session.key, session.start_ms, session.value, session.timestamp_ms, session.end_ms})) break;
  }
  return absl::OkStatus();
}

absl::Status TaskView::Range(std::string_view store, std::optional<std::string_view> from, std::optional<std::string_view> to,
                             std::optional<std::string_view> after, RowVisitor visitor) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kKeyValue));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  const auto cursor = ReaderOf(found).NewCursor(index);
  const std::string_view begin = std::max(from.value_or(std::string_view()), after.value_or(std::string_view()));
  if (found.kind == StoreKind::kVersioned) {
    std::string row_key;
    SetLatestRowKey(row_key, begin);
    cursor->Seek(row_key);
    return MergeVisit(
        cursor.get(), {}, found.name,
        [](std::string_view key, Row& row) {
          const std::optional<std::string_view> latest = ParseLatestRowKey(key);
          if (latest.has_value()) row.key = *latest;
          return latest.has_value();
        },
        [&](const Row& row) { return !to.has_value() || row.key <= *to; },
        [&](const Row& row) { return (after.has_value() && row.key <= *after) || visitor(row); });
  }
  cursor->Seek(begin);
  return MergeVisit(
      cursor.get(), {}, found.name,
      [](std::string_view key, Row& row) {
        row.key = key;
        return true;
      },
      [&](const Row& row) { return !to.has_value() || row.key <= *to; },
      [&](const Row& row) {
        return (after.has_value() && row.key <= *after) || IsExpired(found, row.timestamp_ms) || visitor(row);
      });
}

template <class F>
absl::Status TaskView::LookUpVersions(std::string_view store, F look) const {
  TAILRACE_ASSIGN_OR_RETURN(const int32_t index, Find(store, Asked::kVersioned));
  const ViewCatalog::Store& found = catalog_->stores[static_cast<size_t>(index)];
  const BackendReader& reader = ReaderOf(found);
  const auto cursor = reader.NewCursor(index);
  TAILRACE_ASSIGN_OR_RETURN(const std::vector<int64_t> segments, ListSegments(*cursor, found.name));
  const auto mark = commit_->stores.find(found.name);
  const VersionLookup::Store described{found.name, found.retention_ms, found.segment_interval_ms,
                                       mark == commit_->stores.end() ? -1 : mark->second.stream_time_ms};
  const auto read = [&](std::string_view row_key, int64_t& number, std::string& bytes) -> absl::StatusOr<bool> {
    TAILRACE_ASSIGN_OR_RETURN(const bool exists, reader.Get(index, row_key, bytes));
    if (!exists) return false;
    Row row;
    if (!ParseDiskValue(bytes, row)) return DamagedEntry(found.name);
    number = row.timestamp_ms;
    bytes.erase(0, kTimestampBytes);
    return true;
  };
  VersionLookup lookup;
  return look(lookup, described, segments, read);
}

absl::StatusOr<std::optional<ReadView::VersionedValue>> TaskView::GetAsOf(std::string_view store, std::string_view key,
                                                                          int64_t as_of_ms) const {
  std::optional<VersionedValue> value;
  TAILRACE_RETURN_IF_ERROR(
      LookUpVersions(store, [&](VersionLookup& lookup, const VersionLookup::Store& described,
                                const std::vector<int64_t>& segments, VersionRowReader read) -> absl::Status {
        TAILRACE_ASSIGN_OR_RETURN(const std::optional<Version> version, lookup.AsOf(described, segments, key, as_of_ms, read));
        if (version.has_value()) value = {std::string(version->value), version->valid_from_ms, version->valid_to_ms};
        return absl::OkStatus();
      }));
  return value;
}

absl::Status TaskView::Versions(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                                VersionVisitor visitor) const {
  return LookUpVersions(store, [&](VersionLookup& lookup, const VersionLookup::Store& described,
                                   const std::vector<int64_t>& segments, VersionRowReader read) {
    return lookup.Versions(described, segments, key, from_ms, to_ms, read, visitor);
  });
}

}  // namespace tailrace::state
