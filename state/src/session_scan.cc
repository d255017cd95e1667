#include "session_scan.h"

#include <algorithm>

namespace tailrace::state {

absl::StatusOr<bool> SegmentBounds(BackendCursor& cursor, std::string_view store, int64_t& oldest_ms, int64_t& newest_ms) {
  cursor.Seek({});
  TAILRACE_RETURN_IF_ERROR(cursor.status());
  if (!cursor.Valid()) return false;
  std::string_view key = cursor.key();
  if (!base::ConsumeBigEndian(key, oldest_ms)) return DamagedEntry(store);
  cursor.SeekToLast();
  TAILRACE_RETURN_IF_ERROR(cursor.status());
  if (!cursor.Valid()) return DamagedEntry(store);
  key = cursor.key();
  if (!base::ConsumeBigEndian(key, newest_ms)) return DamagedEntry(store);
  return true;
}

absl::Status VisitSessionsOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t earliest_end_ms,
                                int64_t newest_segment_ms, int64_t segment_interval_ms, std::string& buffer, RowVisitor visit) {
  for (int64_t segment = earliest_end_ms - earliest_end_ms % segment_interval_ms; segment <= newest_segment_ms;
       segment += segment_interval_ms) {
    buffer.clear();
    AppendDuplicatePrefix(buffer, segment, key);
    const size_t prefix_size = buffer.size();
    base::AppendBigEndian(buffer, earliest_end_ms);
    cursor.Seek(buffer);
    const std::string_view prefix(buffer.data(), prefix_size);
    for (; cursor.Valid() && cursor.key().starts_with(prefix); cursor.Next()) {
      SessionKey session;
      Row row;
      bool indexed = false;
      if (!ParseSessionDiskKey(cursor.key(), session, indexed) || indexed || !ParseDiskValue(cursor.value(), row))
        return DamagedEntry(store);
      row.key = session.key;
      row.window_start_ms = session.start_ms;
      row.window_end_ms = session.end_ms;
      if (!visit(row)) return absl::OkStatus();
    }
    TAILRACE_RETURN_IF_ERROR(cursor.status());
    if (segment > INT64_MAX - segment_interval_ms) break;
  }
  return absl::OkStatus();
}

absl::Status CollectSessions(BackendCursor& cursor, std::string_view store, int64_t earliest_end_ms, int64_t segment_interval_ms,
                             std::vector<OwnedSession>& sessions) {
  std::string begin;
  base::AppendBigEndian(begin, earliest_end_ms - earliest_end_ms % segment_interval_ms);
  for (cursor.Seek(begin); cursor.Valid(); cursor.Next()) {
    SessionKey session;
    Row row;
    bool indexed = false;
    if (!ParseSessionDiskKey(cursor.key(), session, indexed)) return DamagedEntry(store);
    if (indexed || session.end_ms < earliest_end_ms) continue;
    if (!ParseDiskValue(cursor.value(), row)) return DamagedEntry(store);
    sessions.push_back({session.start_ms, session.end_ms, std::string(session.key), std::string(row.value), row.timestamp_ms});
  }
  return cursor.status();
}

}  // namespace tailrace::state
