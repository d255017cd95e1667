// State stores as processing sees them: point access, ranges and flush, over bytes.
//
// Reads see this task's own uncommitted writes: the write-back cache is asked first, then the committed store. Nothing is
// written to disk before TaskState::Commit, so a store never holds uncommitted data.
//
// Thread-safety: only the thread that owns the task. Queries from other threads use ReadView.
// Lifetime: owned by TaskState; views returned by a call are valid until the next call on the same store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"
#include "tailrace/state/changelog.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::state {

inline constexpr int64_t kNoWindow = -1;

// One entry as iteration shows it. `window_start_ms` is kNoWindow in key-value stores. `window_end_ms` is that of a session,
// inclusive; in other stores it is kNoWindow, for all their windows have one size.
struct Row {
  std::string_view key;
  int64_t window_start_ms = kNoWindow;
  std::string_view value;
  int64_t timestamp_ms = 0;
  int64_t window_end_ms = kNoWindow;
};
// Returns false to stop.
using RowVisitor = absl::FunctionRef<bool(const Row&)>;

// Where the record that is being processed came from.
struct RecordContext {
  std::string_view topic;
  base::Partition partition;
  base::Offset offset;
  int64_t timestamp_ms = base::kNoTimestampMs;
};

// What an update is a consequence of: the record that is processed, and while a flush forwards a change the record that
// updated the entry last.
struct RecordHeaders {
  const kafka::Headers* current = nullptr;  // null: none
  // Null when nobody asks for it: keeping it with every cached update costs time. A suppression does, for it logs it.
  const RecordContext* context = nullptr;
};

// A flushed change: what the downstream operators of a cached store receive.
struct StoreChange {
  std::string_view key;
  int64_t window_start_ms = kNoWindow;
  kafka::NullableBytes new_value;
  // The committed-or-forwarded value before the first update since the last flush; only with keep_old_values.
  kafka::NullableBytes old_value;
  int64_t timestamp_ms = 0;
  int64_t window_end_ms = kNoWindow;  // of a session
};
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  virtual void OnChange(const StoreChange& change) = 0;
};

// One entry of the write-back cache. Absent and deleted entries have a null value.
// Valid until the next call on the store that is not Update on this entry.
class CacheEntry {
 public:
  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size_}; }
  int64_t window_start_ms() const { return window_start_ms_; }
  kafka::NullableBytes value() const { return {present_ ? value_ : nullptr, value_size_}; }
  int64_t timestamp_ms() const { return timestamp_ms_; }

  CacheEntry(const CacheEntry&) = delete;
  CacheEntry& operator=(const CacheEntry&) = delete;

 private:
  friend class CacheTable;
  friend class StoreCore;
  CacheEntry() = default;

  // 48 bytes; the key's bytes follow, so that a probe touches one cache line.
  char* value_ = nullptr;  // the buffer; never null once the entry is made
  int64_t window_start_ms_ = kNoWindow;
  int64_t timestamp_ms_ = 0;
  uint32_t key_size_ = 0;
  uint32_t value_size_ = 0;
  uint32_t value_capacity_ = 0;
  // In stores that retain duplicates that of the put; with caching the place of the last update among those of the store since
  // the last flush.
  int32_t sequence_ = 0;
  bool present_ = false;
  bool pending_ = false;      // changed since the last flush
  bool uncommitted_ = false;  // changed since the last commit
  bool expired_ = false;      // stands for a window out of retention: updates are counted and ignored
};

class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual const StoreSpec& spec() const = 0;

  // Receives flushed changes of a store with caching; a store without caching never calls it, its operator forwards each
  // update itself. At most one; null to remove. With a listener, a key that neither had a value at the last flush nor has
  // one now is neither logged nor forwarded (Kafka Streams' caching stores).
  virtual void SetChangeListener(ChangeListener* listener) = 0;

  // Logs and forwards every dirty entry, in the order of their last updates: for each, first the changelog record, then the listener.
  // Entries stay dirty until TaskState::Commit has written them. Stores are flushed in topology order, since a flush may
  // update a later store. REQUIRED before TaskState::Commit.
  virtual void Flush() = 0;

  // Bytes of keys and values that are not committed yet.
  virtual size_t uncommitted_bytes() const = 0;
};

class KeyValueStore : public StateStore {
 public:
  // The entry for `key`, loaded from the committed store when the cache does not hold it.
  virtual absl::StatusOr<CacheEntry*> Upsert(std::string_view key) = 0;
  // Sets an entry's value (null deletes) and its timestamp, and marks it dirty.
  virtual void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) = 0;

  // Errors of reads: kRetry for I/O trouble, kTaskCorrupted for damaged files. Put answers a key or value above
  // limits::kKeyBytesMax / kValueBytesMax with kSkipRecord, and so does Upsert for the key.
  absl::StatusOr<std::optional<Row>> Get(std::string_view key);
  absl::Status Put(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms);
  absl::Status Delete(std::string_view key, int64_t timestamp_ms) { return Put(key, {}, timestamp_ms); }

  // Visits from <= key <= to in byte order, merging cache and store; nullopt: no bound on that side. The visitor must not
  // call this store.
  virtual absl::Status Range(std::optional<std::string_view> from, std::optional<std::string_view> to,
                             RowVisitor visitor) = 0;
};

class WindowStore : public StateStore {
 public:
  // Raises the store's stream time, as an update does by its window's start, with caching when it is flushed (Kafka Streams'
  // stores have a time of their own, the largest start that was put); windows that leave the retention are dropped at the next commit, and puts into them
  // are ignored (Kafka Streams: expired segment). Never goes back.
  virtual void AdvanceStreamTime(int64_t stream_time_ms) = 0;
  virtual int64_t stream_time_ms() const = 0;

  // Updates that were ignored because their window had left the retention, since the store was opened.
  virtual int64_t expired_updates() const = 0;

  // The entry for (key, window start). In a store that retains duplicates every call makes a new, absent entry. A window that the cache holds completely (it began after the newest stored one and
  // nothing of it was evicted) needs no read of the committed store for a key it has not seen.
  virtual absl::StatusOr<CacheEntry*> Upsert(std::string_view key, int64_t window_start_ms) = 0;
  virtual void Update(CacheEntry& entry, kafka::NullableBytes value, int64_t timestamp_ms) = 0;

  absl::StatusOr<std::optional<Row>> Fetch(std::string_view key, int64_t window_start_ms);
  absl::Status Put(std::string_view key, int64_t window_start_ms, kafka::NullableBytes value, int64_t timestamp_ms);

  // Both visitors must not call this store.
  // Visits this key's windows with from <= start <= to, by start (then sequence).
  virtual absl::Status FetchRange(std::string_view key, int64_t from_ms, int64_t to_ms, RowVisitor visitor) = 0;
  // Visits all keys' windows with from <= start <= to, ordered by start, then key.
  virtual absl::Status FetchAll(int64_t from_ms, int64_t to_ms, RowVisitor visitor) = 0;
};

}  // namespace tailrace::state
