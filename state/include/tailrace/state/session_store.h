// Sessions per key: windows whose start and end come from the records, both inclusive.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tailrace/state/store.h"

namespace tailrace::state {

// As the stores of store.h, with their rules for threads, lifetime and errors (Kafka Streams' SessionStore). Rows have the
// session's start and end. A session is visible while end > stream time - retention.
//
//   store.FindSessions("alice", time - gap, time + gap, [](const Row& session) { ...; return true; });
//   store.Remove("alice", 10, 20, time);
//   store.Put("alice", 10, 25, "3", time);
class SessionStore : public StateStore {
 public:
  // The largest end that was put, with caching when it is flushed.
  virtual int64_t stream_time_ms() const = 0;
  // Puts of sessions that had left the retention, since the store was opened: they are logged, but not kept.
  virtual int64_t expired_updates() const = 0;

  // Visits this key's sessions with end >= `earliest_end_ms` and start <= `latest_start_ms`, by (end, start). The visitor
  // must not call this store.
  virtual absl::Status FindSessions(std::string_view key, int64_t earliest_end_ms, int64_t latest_start_ms,
                                    RowVisitor visitor) = 0;
  // Visits all keys' sessions with earliest <= end <= latest, in the order in which Kafka Streams emits them: by (end, start,
  // key), in memory by (end, key). Also those that have left the retention, while their segment of time has not been deleted.
  // REQUIRES: spec().emits_on_close.
  virtual absl::Status FindSessionsByEnd(int64_t earliest_end_ms, int64_t latest_end_ms, RowVisitor visitor) = 0;
  virtual absl::StatusOr<std::optional<Row>> Fetch(std::string_view key, int64_t start_ms, int64_t end_ms) = 0;

  // A null value removes the session. Keys and values above their limits, and sessions that begin before 1970 or end before
  // they begin, are answered with kSkipRecord.
  virtual absl::Status Put(std::string_view key, int64_t start_ms, int64_t end_ms, kafka::NullableBytes value,
                           int64_t timestamp_ms) = 0;
  absl::Status Remove(std::string_view key, int64_t start_ms, int64_t end_ms, int64_t timestamp_ms) {
    return Put(key, start_ms, end_ms, {}, timestamp_ms);
  }
};

}  // namespace tailrace::state
