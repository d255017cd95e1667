// Which of the worker's committed views answer a request, by the freshness that the request asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/time_range.h"
#include "tailrace/base/status.h"
#include "tailrace/processor/query.h"
#include "tailrace/v1/query.pb.h"

namespace tailrace::grpc_api {

struct ReadPolicy {
  std::optional<int64_t> max_staleness_ms;
  state::Position min_position;
  bool require_active = false;
};
ReadPolicy PolicyOf(const v1::ReadOptions& options);

// One view per wanted partition, by partition: the active one when it is here, else the freshest. Without partitions:
// those of all local active tasks.
// Errors: FAILED_PRECONDITION NOT_ACTIVE_OWNER with the owner's endpoint, UNAVAILABLE RESTORING, TOO_STALE or
// POSITION_NOT_REACHED, INVALID_ARGUMENT for a partition that the store does not have.
absl::StatusOr<std::vector<processor::StoreView>> SelectViews(const processor::Queryable& queryable,
                                                              const processor::StoreInfo& store,
                                                              std::span<const int32_t> partitions,
                                                              const ReadPolicy& policy);

// The partition that holds a key.
int32_t PartitionOf(const processor::StoreInfo& store, std::string_view key);

// True when every window of the range has left the view's retention.
bool IsExpired(const processor::StoreView& view, const processor::StoreInfo& store, const TimeRange& range);
// The part of the range that is still retained.
TimeRange Retained(const processor::StoreView& view, const processor::StoreInfo& store, const TimeRange& range);

void SetSource(v1::AnswerSource* out, const processor::StoreView& view, const processor::StoreInfo& store);

}  // namespace tailrace::grpc_api
