// A join of two aggregates of a pipeline: each row of the left one with the row of the right one that its key points to, kept up to
// date by changes of both, whichever comes first (Kafka Streams' left join over a foreign key).
//
// The engine's join does the work. Its templates are compiled in one file.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "aggregates/aggregate_plan.h"
#include "compile/event_nodes.h"
#include "tailrace/processor/topology.h"

namespace tailrace::pipeline::compile {

// One state per key, as a table that a join can follow.
std::unique_ptr<processor::detail::Node> NewTableAggregate(std::shared_ptr<const aggregates::AggregatePlan> plan, std::string store);

// An aggregate that is in the topology already.
struct JoinSide {
  std::string node;               // made by NewTableAggregate
  std::string store;
  std::set<std::string> sources;  // the source operators that feed it
  std::shared_ptr<const aggregates::AggregatePlan> plan;  // shared with the tasks
};

struct TableJoinSpec {
  JoinSide left;
  JoinSide right;
  // The right key is the end of the left one from the `on`-th last part; parts are divided by `separator`.
  size_t on = 1;
  std::string separator;
  std::string store;  // of the result
  bool logging = true;
};

// Adds the operators, topics and stores of the join to `topology`; returns the schema of the result's store.
absl::StatusOr<std::shared_ptr<const state::ValueSchema>> AddTableJoin(processor::Topology& topology, const TableJoinSpec& join);

// Writes each change of the result to a topic as JSON. Behind AddTableJoin.
void AddJoinSink(processor::Topology& topology, const TableJoinSpec& join, const std::string& topic,
                 std::shared_ptr<const state::ValueSchema> schema);
// Hands each change to a function.
void AddJoinTap(processor::Topology& topology, const TableJoinSpec& join, std::function<void(std::string_view key, std::string_view value)> tap);

// The last parts of a key: KeyEnd("ann|AAPL|2026-01-01", "|", 2) is "AAPL|2026-01-01". All of it when it has no more parts.
std::string_view KeyEnd(std::string_view key, std::string_view separator, size_t parts);

}  // namespace tailrace::pipeline::compile
