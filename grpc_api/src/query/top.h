// Ranking of keys by a numeric field of their value, over the windows of a range merged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/deadline.h"
#include "common/time_range.h"
#include "tailrace/processor/query.h"

namespace tailrace::grpc_api {

struct RankedKey {
  std::string key;
  std::string value;  // the windows merged; the latest window where values do not merge
  int64_t timestamp_ms = 0;
  double score = 0;
};

// True when `a` stands before `b`; equal scores go by key, so that every answer is deterministic.
bool RanksBefore(const RankedKey& a, const RankedKey& b, bool ascending);

// The best `n` keys, best first. Keys whose merged value lacks the field (or has NaN there) are left out.
// Errors: INVALID_ARGUMENT NO_SCHEMA, or UNKNOWN_FIELD when rows were read and none has the field;
// RESOURCE_EXHAUSTED TOO_LARGE when the keys of the range do not fit into kRankingBytesMax.
absl::StatusOr<std::vector<RankedKey>> RankKeys(const std::vector<processor::StoreView>& views,
                                                const processor::StoreInfo& store, const TimeRange& range,
                                                std::string_view field, bool ascending, size_t n,
                                                const Deadline& deadline);

}  // namespace tailrace::grpc_api
