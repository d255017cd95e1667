#include "query/scan.h"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>
#include <utility>

#include "query/view_selection.h"

namespace tailrace::grpc_api {
namespace {

using Cursor = state::ReadView::WindowCursor;

size_t BytesOf(const OwnedRow& row) { return row.key.size() + row.value.size() + sizeof(int64_t) * 4; }

// One task's rows, fetched a chunk at a time.
class RowSource {
 public:
  RowSource(const processor::StoreView& view, const processor::StoreInfo& store, TimeRange range,
            std::optional<Cursor> after, std::string_view key_prefix, size_t chunk_rows, size_t chunk_bytes)
      : view_(view), store_(store), range_(range), after_(std::move(after)), key_prefix_(key_prefix),
        chunk_rows_(chunk_rows), chunk_bytes_(chunk_bytes) {}

  // The next row; null at the end.
  absl::StatusOr<const OwnedRow*> Peek(const Deadline& deadline) {
    if (rows_.empty() && !exhausted_) TAILRACE_RETURN_IF_ERROR(Fetch(deadline));
    return rows_.empty() ? nullptr : &rows_.front();
  }
  OwnedRow Pop() {
    OwnedRow row = std::move(rows_.front());
    rows_.pop_front();
    return row;
  }

 private:
  absl::Status Fetch(const Deadline& deadline) {
    TAILRACE_RETURN_IF_ERROR(deadline.Check());
    size_t bytes = 0;
    exhausted_ = true;
    RowBudget budget(deadline);
    TAILRACE_RETURN_IF_ERROR(VisitRows(view_, store_, range_, after_, [&](const state::Row& row) {
      if (!budget.Next()) return false;
      if (!row.key.starts_with(key_prefix_)) return store_.kind != state::StoreKind::kKeyValue;
      if (rows_.size() >= chunk_rows_ || bytes >= chunk_bytes_) {
        exhausted_ = false;
        return false;
      }
      rows_.push_back({std::string(row.key), row.window_start_ms, std::string(row.value), row.timestamp_ms, row.window_end_ms});
      bytes += BytesOf(rows_.back());
      return true;
    }, key_prefix_));
    TAILRACE_RETURN_IF_ERROR(budget.status());
    if (!rows_.empty()) after_ = Cursor{rows_.back().window_start_ms, rows_.back().key};
    return absl::OkStatus();
  }

  const processor::StoreView& view_;
  const processor::StoreInfo& store_;
  const TimeRange range_;
  std::optional<Cursor> after_;
  const std::string_view key_prefix_;
  const size_t chunk_rows_;
  const size_t chunk_bytes_;
  std::deque<OwnedRow> rows_;
  bool exhausted_ = false;
};

}  // namespace

absl::Status VisitRows(const processor::StoreView& view, const processor::StoreInfo& store, const TimeRange& range,
                       const std::optional<Cursor>& after, state::RowVisitor visitor, std::string_view key_prefix) {
  if (store.kind == state::StoreKind::kKeyValue) {
    std::optional<std::string_view> from_key, after_key;
    if (!key_prefix.empty()) from_key = key_prefix;
    if (after) after_key = after->key;
    return view.view->Range(store.name, from_key, std::nullopt, after_key, visitor);
  }
  const TimeRange retained = Retained(view, store, range);
  if (retained.empty()) return absl::OkStatus();
  return view.view->FetchAll(store.name, retained.from_ms, retained.last_ms(), after, visitor);
}

absl::StatusOr<RowPage> ScanRows(const std::vector<processor::StoreView>& views, const processor::StoreInfo& store,
                                 const TimeRange& range, const std::optional<Cursor>& after, size_t rows_max,
                                 size_t bytes_max, const Deadline& deadline, std::string_view key_prefix) {
  if (range.empty()) return RowPage{};
  // With many tasks each gives a share of the page; a task that holds more of it is simply asked again.
  const size_t chunk_rows = views.size() <= 1 ? rows_max + 1 : std::max<size_t>(16, 2 * rows_max / views.size() + 1);
  std::vector<RowSource> sources;
  sources.reserve(views.size());
  for (const processor::StoreView& view : views) {
    sources.emplace_back(view, store, range, after, key_prefix, chunk_rows, bytes_max);
  }

  RowPage page;
  size_t bytes = 0;
  while (true) {
    RowSource* smallest = nullptr;
    const OwnedRow* smallest_row = nullptr;
    for (RowSource& source : sources) {
      TAILRACE_ASSIGN_OR_RETURN(const OwnedRow* row, source.Peek(deadline));
      if (row == nullptr) continue;
      if (smallest_row == nullptr || std::tie(row->window_start_ms, row->key) <
                                         std::tie(smallest_row->window_start_ms, smallest_row->key)) {
        smallest = &source;
        smallest_row = row;
      }
    }
    if (smallest == nullptr) return page;
    if (page.rows.size() >= rows_max || (bytes + BytesOf(*smallest_row) > bytes_max && !page.rows.empty())) {
      page.more = true;
      return page;
    }
    bytes += BytesOf(*smallest_row);
    page.rows.push_back(smallest->Pop());
  }
}

absl::StatusOr<KeyPage> ScanKeys(const std::vector<processor::StoreView>& views, const processor::StoreInfo& store,
                                 const TimeRange& range, std::string_view positive_field,
                                 const std::optional<std::string>& after, size_t keys_max, const Deadline& deadline) {
  // Only the smallest keys are kept while reading, so memory is bounded by the page whatever the store holds.
  std::set<std::string, std::less<>> keys;
  RowBudget budget(deadline);
  for (const processor::StoreView& view : views) {
    const auto visit = [&](const state::Row& row) {
      if (!budget.Next()) return false;
      if (after && row.key <= *after) return true;
      if (keys.size() > keys_max && row.key > *keys.rbegin()) {
        return store.kind != state::StoreKind::kKeyValue;  // In a key-value store only larger keys follow.
      }
      if (keys.find(row.key) != keys.end()) return true;
      if (!positive_field.empty()) {
        const std::optional<double> number = store.schema->NumericField(row.value, positive_field);
        if (!number || !(*number > 0)) return true;
      }
      keys.emplace(row.key);
      if (keys.size() > keys_max + 1) keys.erase(std::prev(keys.end()));
      return true;
    };
    TAILRACE_RETURN_IF_ERROR(VisitRows(view, store, range, std::nullopt, visit));
    TAILRACE_RETURN_IF_ERROR(budget.status());
  }
  KeyPage page;
  page.keys.assign(keys.begin(), keys.end());
  page.more = page.keys.size() > keys_max;
  if (page.more) page.keys.pop_back();
  return page;
}

}  // namespace tailrace::grpc_api
