// Ranking of keys by a numeric field of their value: over the windows of a range merged, or by how they rise or fade.
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

enum class RankScore { kMerged, kSlope, kDecay };

struct Ranking {
  std::string field;  // empty: the value itself
  bool ascending = false;
  size_t n = 10;
  // Only keys that begin and end so.
  std::string key_prefix;
  std::string key_suffix;
  RankScore score = RankScore::kMerged;
  int64_t period_ms = 0;     // kSlope: a multiple of the store's window size
  int64_t half_life_ms = 0;  // kDecay: above 0

  bool Includes(std::string_view key) const { return key.starts_with(key_prefix) && key.ends_with(key_suffix); }
};

struct RankedKey {
  std::string key;
  std::string value;  // the windows merged; the latest window where values do not merge
  int64_t timestamp_ms = 0;
  double score = 0;
  std::optional<int64_t> period_start_ms;  // kSlope: of the later of the two periods
};

// True when `a` stands before `b`; equal scores go by key, so that every answer is deterministic.
bool RanksBefore(const RankedKey& a, const RankedKey& b, bool ascending);

// The start of the period that contains a window. Periods are counted back from the end of the window that contains the
// end of the range, so that only the newest one can be unfinished; with an open range they are multiples of their length.
int64_t PeriodStart(int64_t window_start_ms, int64_t period_ms, int64_t window_size_ms, const TimeRange& range);

// The best keys, best first. Keys whose merged value lacks the field (or has NaN there) are left out, and for a slope keys
// with one period.
// Errors: INVALID_ARGUMENT NO_SCHEMA, or UNKNOWN_FIELD when rows were read and none has the field;
// RESOURCE_EXHAUSTED TOO_LARGE when the keys of the range do not fit into kRankingBytesMax.
// REQUIRES: a slope or a decay only of a store with windows of one size, and a decay only of a range with an end.
absl::StatusOr<std::vector<RankedKey>> RankKeys(const std::vector<processor::StoreView>& views,
                                                const processor::StoreInfo& store, const TimeRange& range,
                                                const Ranking& ranking, const Deadline& deadline);

}  // namespace tailrace::grpc_api
