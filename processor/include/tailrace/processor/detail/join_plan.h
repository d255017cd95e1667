// The names and stores of a join of two streams, as Kafka Streams gives them (KStreamImplJoin).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tailrace/processor/detail/joiner_call.h"
#include "tailrace/processor/detail/stream_graph.h"
#include "tailrace/processor/detail/stream_join.h"
#include "tailrace/processor/join_windows.h"
#include "tailrace/processor/joined.h"

namespace tailrace::processor::detail {

struct StreamJoinPlan {
  std::string this_windowed;
  std::string other_windowed;
  std::string this_join;
  std::string other_join;
  std::string merge;
  state::StoreSpec this_store;
  state::StoreSpec other_store;
  std::optional<state::StoreSpec> shared_store;  // of left and outer joins: records that wait for a partner

  StreamJoinSide::Options Side(bool left, const JoinWindows& windows) const;
  // The stores that a side uses, besides the one that the operator above it fills.
  std::vector<std::string> StoresOf(bool left) const;
};

// Takes the numbers of generated names. What is wrong with the windows or stores goes to `graph`.
StreamJoinPlan PlanStreamJoin(StreamGraph& graph, JoinKind kind, const JoinWindows& windows, const StreamJoinedOptions& options);

}  // namespace tailrace::processor::detail
