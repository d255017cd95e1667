// Paged reads over several tasks at once: rows merged in (window start, key) order, keys in byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/deadline.h"
#include "common/time_range.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

struct OwnedRow {
  std::string key;
  int64_t window_start_ms = state::kNoWindow;
  std::string value;
  int64_t timestamp_ms = 0;
  int64_t window_end_ms = state::kNoWindow;  // of a session

  state::Row view() const { return {key, window_start_ms, value, timestamp_ms, window_end_ms}; }
};

struct RowPage {
  std::vector<OwnedRow> rows;
  bool more = false;
};

// At most `rows_max` rows of keys with that prefix, and about `bytes_max` bytes, behind `after`. Each task is read in chunks, so little more than a
// page is read however many tasks there are.
absl::StatusOr<RowPage> ScanRows(const std::vector<processor::StoreView>& views, const processor::StoreInfo& store,
                                 const TimeRange& range, const std::optional<state::ReadView::WindowCursor>& after,
                                 size_t rows_max, size_t bytes_max, const Deadline& deadline,
                                 std::string_view key_prefix = {});

struct KeyPage {
  std::vector<std::string> keys;
  bool more = false;
};

// The smallest `keys_max` distinct keys behind `after` (empty: from the first) that have a row in the range; with a
// `positive_field`, a row in which that field is above zero.
absl::StatusOr<KeyPage> ScanKeys(const std::vector<processor::StoreView>& views, const processor::StoreInfo& store,
                                 const TimeRange& range, std::string_view positive_field,
                                 const std::optional<std::string>& after, size_t keys_max, const Deadline& deadline);

// Calls `visitor` for every row of the range, whatever the store's kind. A key-value store is entered at `key_prefix`; the
// visitor still sees keys without it, and ends the visit at the first of them where keys come in order.
absl::Status VisitRows(const processor::StoreView& view, const processor::StoreInfo& store, const TimeRange& range,
                       const std::optional<state::ReadView::WindowCursor>& after, state::RowVisitor visitor,
                       std::string_view key_prefix = {});

}  // namespace tailrace::grpc_api
