// Committed state of one task at one moment, for queries.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/state/store.h"
#include "tailrace/state/versioned_store.h"

namespace tailrace::state {

// Input offsets whose effects a view holds: for each input partition the offset of the last processed record
// (Kafka Streams' IQv2 Position).
using Position = std::map<base::TopicPartition, base::Offset>;

// An immutable snapshot. Thread-safe; holding it keeps the snapshot's disk space, so hold it for one request only.
// It stays readable after its TaskState is gone; the database closes with the last of them.
// Errors: NOT_FOUND for a store that the task does not have (message lists those it has); kRetry for I/O trouble.
class ReadView {
 public:
  virtual ~ReadView() = default;

  virtual const Position& position() const = 0;
  // The task's stream time at the commit; -1 before the first record.
  virtual int64_t stream_time_ms() const = 0;
  // Last changelog offset contained, per store; kOffsetUnknown when nothing was logged yet.
  virtual base::Offset changelog_offset(std::string_view store) const = 0;
  // Windows that start before this have left the retention and are answered as EXPIRED. INT64_MIN for other stores than
  // window stores: a session is kept by its end.
  virtual int64_t retention_start_ms(std::string_view store) const = 0;

  struct Value {
    std::string value;
    int64_t timestamp_ms = 0;
  };
  virtual absl::StatusOr<std::optional<Value>> Get(std::string_view store, std::string_view key) const = 0;
  // Of windows and sessions by their start: the first one when a session store has several.
  virtual absl::StatusOr<std::optional<Value>> GetWindow(std::string_view store, std::string_view key,
                                                        int64_t window_start_ms) const = 0;

  // Windows and sessions of one key with from <= start <= to, by start.
  virtual absl::Status FetchRange(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                                  RowVisitor visitor) const = 0;
  // All keys' windows and sessions with from <= start <= to, by (start, key), beginning after `after` when given. The
  // sessions of a store are collected first.
  struct WindowCursor {
    int64_t window_start_ms = 0;
    std::string key;
  };
  virtual absl::Status FetchAll(std::string_view store, int64_t from_ms, int64_t to_ms,
                                const std::optional<WindowCursor>& after, RowVisitor visitor) const = 0;
  // Keys of a key-value store with from <= key <= to in byte order, beginning after `after` when given.
  virtual absl::Status Range(std::string_view store, std::optional<std::string_view> from,
                             std::optional<std::string_view> to, std::optional<std::string_view> after,
                             RowVisitor visitor) const = 0;

  // Versioned stores; Get and Range give their latest versions. The same rules as of VersionedStore::GetAsOf and Versions.
  struct VersionedValue {
    std::string value;
    int64_t valid_from_ms = 0;
    int64_t valid_to_ms = kValidToUndefined;
  };
  virtual absl::StatusOr<std::optional<VersionedValue>> GetAsOf(std::string_view store, std::string_view key,
                                                                int64_t as_of_ms) const;
  virtual absl::Status Versions(std::string_view store, std::string_view key, int64_t from_ms, int64_t to_ms,
                                VersionVisitor visitor) const;
};

}  // namespace tailrace::state
