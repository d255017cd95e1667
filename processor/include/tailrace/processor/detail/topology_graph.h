// The untyped graph of operators that a Topology holds: names, links, stores, topics and factories of instances.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tailrace/processor/detail/node.h"
#include "tailrace/processor/query.h"
#include "tailrace/state/store_spec.h"

namespace tailrace::processor::detail {

enum class OffsetReset { kDefault, kEarliest, kLatest };

// One operator. Factories run once per task, so user functions are copied into each task.
struct NodeSpec {
  TopologyNode::Type type = TopologyNode::Type::kProcessor;
  std::string name;
  std::vector<std::string> predecessors;
  std::vector<std::string> topics;  // sources: one or more; sinks: one
  std::vector<std::string> stores;
  OffsetReset offset_reset = OffsetReset::kDefault;
  NodeFactory factory;
};

// A repartition topic, named without the application's prefix.
struct RepartitionTopic {
  std::string name;                       // "<name>-repartition"
  std::optional<int32_t> partition_count;  // absent: that of the upstream sources
};

// A part of the topology whose tasks are independent of other parts: connected by operators or shared stores.
struct Subtopology {
  int32_t id = 0;
  std::vector<const NodeSpec*> nodes;        // in insertion order: parents before children
  std::vector<state::StoreSpec> stores;      // in insertion order, changelog topics named
  std::vector<std::string> source_topics;    // full names, sorted
  std::vector<std::string> repartition_sources;  // full names of those that are repartition topics
  std::vector<std::string> sink_topics;      // full names
  // The topology's repartition topics, from the name that operators use to the full name.
  std::map<std::string, std::string, std::less<>> full_names;
};

}  // namespace tailrace::processor::detail
