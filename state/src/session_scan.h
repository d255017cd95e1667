// Reading committed sessions: those of one key, or all of them. Used by the store and by views.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend.h"
#include "disk_keys.h"
#include "tailrace/state/store.h"

namespace tailrace::state {

// The first and the last segment that hold anything; false when none does.
absl::StatusOr<bool> SegmentBounds(BackendCursor& cursor, std::string_view store, int64_t& oldest_ms, int64_t& newest_ms);

// Visits the sessions of one key with end >= `earliest_end_ms`, by (end, start), in the segments up to `newest_segment_ms`.
absl::Status VisitSessionsOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t earliest_end_ms,
                                int64_t newest_segment_ms, int64_t segment_interval_ms, std::string& buffer, RowVisitor visit);

// One session, copied: where it stands on disk is not where it is shown.
struct OwnedSession {
  int64_t start_ms;
  int64_t end_ms;
  std::string key;
  std::string value;
  int64_t timestamp_ms;
  bool removed = false;
};
// All sessions with end >= `earliest_end_ms`, in no useful order.
absl::Status CollectSessions(BackendCursor& cursor, std::string_view store, int64_t earliest_end_ms, int64_t segment_interval_ms,
                             std::vector<OwnedSession>& sessions);

}  // namespace tailrace::state
