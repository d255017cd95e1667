// A key-value store that remembers earlier values: it answers what a key's value was at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "tailrace/state/store.h"

namespace tailrace::state {

// What Put returns instead of a time: the version is the latest of its key, or was too old to be kept.
inline constexpr int64_t kValidToUndefined = -1;
inline constexpr int64_t kNotPut = INT64_MIN;

// The value of a key from `valid_from_ms` on and before `valid_to_ms`.
struct Version {
  std::string_view value;
  int64_t valid_from_ms = 0;
  int64_t valid_to_ms = kValidToUndefined;  // undefined: until now
};
// Returns false to stop.
using VersionVisitor = absl::FunctionRef<bool(const Version&)>;

// Kafka Streams' VersionedKeyValueStore (KIP-889). Versions that were valid within StoreSpec::history_retention_ms before the
// store's time, the largest that was put, can be read; the latest one of a key always can. Such a store never caches changes,
// each is logged at once: the changelog has the value as it is, and the version's time as the record's.
class VersionedStore : public StateStore {
 public:
  // Adds the version of `key` that begins at `timestamp_ms`, or replaces it; a null value ends the one before. Returns where
  // it ends, when a later one is there, kValidToUndefined when it is the latest, and kNotPut when it was older than the
  // history: then nothing is stored, though it is logged.
  // Errors: kSkipRecord above limits::kKeyBytesMax and kValueBytesMax; kRetry and kTaskCorrupted as of reads.
  virtual absl::StatusOr<int64_t> Put(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) = 0;

  // The latest version; none for a key that has no value now.
  virtual absl::StatusOr<std::optional<Version>> Get(std::string_view key) = 0;
  // The version at a time. None when that is before the history, unless the latest version was valid then.
  virtual absl::StatusOr<std::optional<Version>> GetAsOf(std::string_view key, int64_t as_of_ms) = 0;
  // Visits the versions that were valid at some time in from <= time <= to, newest first. The visitor must not call the store.
  virtual absl::Status Versions(std::string_view key, int64_t from_ms, int64_t to_ms, VersionVisitor visitor) = 0;

  // The latest version as an entry: its value and time, to be read before the next call. No version: a null value.
  virtual absl::StatusOr<CacheEntry*> LatestEntry(std::string_view key) = 0;

  // The largest time that was put; -1 before.
  virtual int64_t stream_time_ms() const = 0;
  // Puts that were too old, since the store was opened.
  virtual int64_t expired_puts() const = 0;
};

}  // namespace tailrace::state
