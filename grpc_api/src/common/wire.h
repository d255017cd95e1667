// Between our types and the messages of the wire contract.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/time_range.h"
#include "tailrace/base/types.h"
#include "tailrace/processor/query.h"
#include "tailrace/state/read_view.h"
#include "tailrace/v1/query.pb.h"

namespace tailrace::grpc_api {

void SetTimestamp(google::protobuf::Timestamp* out, int64_t ms);
int64_t MsOf(const google::protobuf::Timestamp& timestamp);
void SetDuration(google::protobuf::Duration* out, int64_t ms);
int64_t MsOf(const google::protobuf::Duration& duration);

// The range of a request that has optional `from` and `to`.
template <class Request>
TimeRange RangeOf(const Request& request) {
  TimeRange range;
  if (request.has_from()) range.from_ms = std::max<int64_t>(MsOf(request.from()), 0);
  if (request.has_to()) range.to_ms = MsOf(request.to());
  return range;
}
template <class Request>
void SetRange(Request* request, const TimeRange& range) {
  SetTimestamp(request->mutable_from(), range.from_ms);
  if (range.to_ms != TimeRange::kOpen) SetTimestamp(request->mutable_to(), range.to_ms);
}

void SetTaskId(v1::TaskId* out, const base::TaskId& id);
base::TaskId TaskIdOf(const v1::TaskId& id);

v1::TaskRole ToWire(processor::TaskRole role);
processor::TaskRole FromWire(v1::TaskRole role);

void SetPosition(v1::Position* out, const state::Position& position);
state::Position PositionOf(const v1::Position& position);

void SetStore(v1::Store* out, const processor::StoreInfo& store);
void SetTask(v1::Task* out, const processor::TaskInfo& task);
processor::TaskInfo TaskOf(const v1::Task& task);
void SetRouting(v1::WatchRoutingResponse* out, const processor::RoutingTable& table);
processor::RoutingTable RoutingOf(const v1::WatchRoutingResponse& message);
void SetTopology(v1::DescribeTopologyResponse* out, const processor::TopologyDescription& topology);
processor::TopologyDescription TopologyOf(const v1::DescribeTopologyResponse& message);

// Key, window and value of one entry, with JSON where the store's schema gives it; `json_only` then leaves out the value's
// bytes.
void SetRow(v1::Row* out, const processor::StoreInfo& store, const state::Row& row, bool json_only);
void SetValue(v1::Value* out, const processor::StoreInfo& store, std::string_view value, int64_t timestamp_ms,
              bool json_only);
std::string KeyJson(const processor::StoreInfo& store, std::string_view key);

// The end of a window that starts at `start_ms`, without overflow.
int64_t WindowEnd(int64_t start_ms, int64_t size_ms);

}  // namespace tailrace::grpc_api
