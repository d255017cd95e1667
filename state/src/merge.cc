#include "merge.h"

#include <algorithm>
#include <tuple>

namespace tailrace::state {

absl::StatusOr<bool> SeekWindowOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t start_ms,
                                     int64_t to_ms, std::string& buffer, Row& row) {
  while (start_ms <= to_ms) {
    buffer.clear();
    base::AppendBigEndian(buffer, start_ms);
    buffer.append(key);
    cursor.Seek(buffer);
    if (!cursor.Valid()) {
      TAILRACE_RETURN_IF_ERROR(cursor.status());
      return false;
    }
    if (!ParseWindowDiskKey(cursor.key(), row)) return DamagedEntry(store);
    if (row.window_start_ms > to_ms) return false;
    if (row.key == key) {
      if (!ParseDiskValue(cursor.value(), row)) return DamagedEntry(store);
      return true;
    }
    if (row.window_start_ms > start_ms && row.key < key) {
      start_ms = row.window_start_ms;  // a window further on, at a smaller key
    } else if (row.window_start_ms == INT64_MAX) {
      return false;
    } else {
      start_ms = row.window_start_ms + 1;  // past the key in this window
    }
  }
  return false;
}

absl::Status VisitDuplicatesOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t from_ms,
                                  int64_t to_ms, int64_t segment_interval_ms, std::string& buffer,
                                  absl::FunctionRef<bool(const Row&, int32_t)> visit) {
  for (int64_t segment = from_ms - from_ms % segment_interval_ms; segment <= to_ms; segment += segment_interval_ms) {
    buffer.clear();
    AppendDuplicatePrefix(buffer, segment, key);
    const size_t prefix_size = buffer.size();
    base::AppendBigEndian(buffer, from_ms);
    cursor.Seek(buffer);
    const std::string_view prefix(buffer.data(), prefix_size);
    for (; cursor.Valid() && cursor.key().starts_with(prefix); cursor.Next()) {
      Row row;
      int32_t sequence = 0;
      if (!ParseDuplicateDiskKey(cursor.key(), row, sequence) || !ParseDiskValue(cursor.value(), row)) {
        return DamagedEntry(store);
      }
      if (row.window_start_ms > to_ms) return absl::OkStatus();
      if (!visit(row, sequence)) return absl::OkStatus();
    }
    TAILRACE_RETURN_IF_ERROR(cursor.status());
    if (segment > INT64_MAX - segment_interval_ms) break;
  }
  return absl::OkStatus();
}

absl::Status CollectDuplicates(BackendCursor& cursor, std::string_view store, int64_t from_ms, int64_t to_ms,
                               int64_t segment_interval_ms, std::vector<OwnedRow>& rows) {
  std::string start;
  base::AppendBigEndian(start, from_ms - from_ms % segment_interval_ms);
  for (cursor.Seek(start); cursor.Valid(); cursor.Next()) {
    Row row;
    int32_t sequence = 0;
    if (!ParseDuplicateDiskKey(cursor.key(), row, sequence) || !ParseDiskValue(cursor.value(), row)) return DamagedEntry(store);
    if (base::LoadBigEndian<int64_t>(cursor.key().data()) > to_ms) break;
    if (row.window_start_ms < from_ms || row.window_start_ms > to_ms) continue;
    rows.push_back({row.window_start_ms, std::string(row.key), sequence, std::string(row.value), row.timestamp_ms});
  }
  return cursor.status();
}

void VisitOwned(std::vector<OwnedRow>& rows, RowVisitor visitor) {
  std::stable_sort(rows.begin(), rows.end(), [](const OwnedRow& a, const OwnedRow& b) { return a.SortKey() < b.SortKey(); });
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + 1 < rows.size() && rows[i].SortKey() == rows[i + 1].SortKey()) continue;
    const OwnedRow& row = rows[i];
    if (!visitor({row.key, row.window_start_ms, row.value, row.timestamp_ms})) return;
  }
}

}  // namespace tailrace::state
