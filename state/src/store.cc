#include "tailrace/state/store.h"

#include <string>

#include "tailrace/base/limits.h"

namespace tailrace::state {
namespace {

absl::Status CheckValueSize(const StoreSpec& spec, kafka::NullableBytes value) {
  if (value.view().size() <= base::limits::kValueBytesMax) return absl::OkStatus();
  return base::Error(base::Reaction::kSkipRecord, absl::StatusCode::kInvalidArgument,
                     "store " + spec.name + ": a value of " + std::to_string(value.view().size()) +
                         " bytes is above the limit of " + std::to_string(base::limits::kValueBytesMax));
}

std::optional<Row> ToRow(const CacheEntry& entry) {
  const kafka::NullableBytes value = entry.value();
  if (value.is_null()) return std::nullopt;
  return Row{entry.key(), entry.window_start_ms(), value.view(), entry.timestamp_ms()};
}

}  // namespace

absl::StatusOr<std::optional<Row>> KeyValueStore::Get(std::string_view key) {
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, Upsert(key));
  return ToRow(*entry);
}

absl::Status KeyValueStore::Put(std::string_view key, kafka::NullableBytes value, int64_t timestamp_ms) {
  TAILRACE_RETURN_IF_ERROR(CheckValueSize(spec(), value));
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, Upsert(key));
  Update(*entry, value, timestamp_ms);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Row>> WindowStore::Fetch(std::string_view key, int64_t window_start_ms) {
  if (!spec().retain_duplicates) {
    TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, Upsert(key, window_start_ms));
    return ToRow(*entry);
  }
  // The first of several. Its bytes belong to the store's cursor, which stands still until the next call.
  std::optional<Row> row;
  TAILRACE_RETURN_IF_ERROR(FetchRange(key, window_start_ms, window_start_ms, [&](const Row& found) {
    row = found;
    return false;
  }));
  return row;
}

absl::Status WindowStore::Put(std::string_view key, int64_t window_start_ms, kafka::NullableBytes value,
                              int64_t timestamp_ms) {
  TAILRACE_RETURN_IF_ERROR(CheckValueSize(spec(), value));
  TAILRACE_ASSIGN_OR_RETURN(CacheEntry * entry, Upsert(key, window_start_ms));
  Update(*entry, value, timestamp_ms);
  return absl::OkStatus();
}

}  // namespace tailrace::state
