// Iteration in disk order over the committed store under a layer of uncommitted changes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "backend.h"
#include "disk_keys.h"
#include "tailrace/state/store.h"

namespace tailrace::state {

// Compares (window start, key).
inline int CompareRow(const CacheEntry& entry, const Row& row) {
  if (entry.window_start_ms() != row.window_start_ms) return entry.window_start_ms() < row.window_start_ms ? -1 : 1;
  return entry.key().compare(row.key);
}

inline bool EntryBefore(const CacheEntry* a, const CacheEntry* b) {
  if (a->window_start_ms() != b->window_start_ms()) return a->window_start_ms() < b->window_start_ms();
  return a->key() < b->key();
}

// Visits what `cursor` shows, beginning where it stands (null: nothing), merged with `overlay` (sorted, each entry once).
// `parse(key, row)` reads a disk key; `in_range(row)` is false from the first row past the end on.
template <class Parse, class InRange>
absl::Status MergeVisit(BackendCursor* cursor, std::span<const CacheEntry* const> overlay, std::string_view store, Parse parse,
                        InRange in_range, RowVisitor visitor) {
  size_t next = 0;
  // Emits an overlay entry; false to stop.
  auto emit = [&](const CacheEntry& entry) {
    const kafka::NullableBytes value = entry.value();
    return value.is_null() || visitor({entry.key(), entry.window_start_ms(), value.view(), entry.timestamp_ms()});
  };
  if (cursor != nullptr) {
    for (; cursor->Valid(); cursor->Next()) {
      Row row;
      if (!parse(cursor->key(), row) || !ParseDiskValue(cursor->value(), row)) return DamagedEntry(store);
      if (!in_range(row)) break;
      bool replaced = false;
      while (next < overlay.size()) {
        const int order = CompareRow(*overlay[next], row);
        if (order > 0) break;
        replaced = order == 0;
        if (!emit(*overlay[next++])) return absl::OkStatus();
        if (replaced) break;
      }
      if (!replaced && !visitor(row)) return absl::OkStatus();
    }
    TAILRACE_RETURN_IF_ERROR(cursor->status());
  }
  while (next < overlay.size()) {
    if (!emit(*overlay[next++])) return absl::OkStatus();
  }
  return absl::OkStatus();
}

// The committed entry of `key` with the smallest start in [start, to]: seeks once or twice per window that is stored.
// Returns false when there is none; the cursor then stands anywhere.
absl::StatusOr<bool> SeekWindowOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t start_ms,
                                     int64_t to_ms, std::string& buffer, Row& row);

// Committed entries of a store that retains duplicates: those of one key, by (start, sequence). `visit(row, sequence)`
// returns false to stop. Looks at segments from that of `from_ms` to that of `to_ms`.
absl::Status VisitDuplicatesOfKey(BackendCursor& cursor, std::string_view store, std::string_view key, int64_t from_ms,
                                  int64_t to_ms, int64_t segment_interval_ms, std::string& buffer,
                                  absl::FunctionRef<bool(const Row&, int32_t)> visit);

// One row of a store that retains duplicates, copied: they are not stored in the order in which FetchAll shows them.
struct OwnedRow {
  int64_t window_start_ms;
  std::string key;
  int32_t sequence;
  std::string value;
  int64_t timestamp_ms;
  auto SortKey() const { return std::tie(window_start_ms, key, sequence); }
};
absl::Status CollectDuplicates(BackendCursor& cursor, std::string_view store, int64_t from_ms, int64_t to_ms,
                               int64_t segment_interval_ms, std::vector<OwnedRow>& rows);
// Sorts by (start, key, sequence), keeps the last of equals, and visits.
void VisitOwned(std::vector<OwnedRow>& rows, RowVisitor visitor);

}  // namespace tailrace::state
