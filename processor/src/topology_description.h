// Kafka Streams' text form of a topology.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/query.h"

namespace tailrace::processor {

// `groups` holds the nodes of each subtopology, by its number; `is_global` tells those of global stores.
TopologyDescription DescribeGroups(const std::vector<std::vector<const detail::NodeSpec*>>& groups,
                                   const std::function<bool(const detail::NodeSpec&)>& is_global);

}  // namespace tailrace::processor
