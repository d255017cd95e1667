// Kafka Streams' text form of a topology.
#pragma once

#include <memory>
#include <vector>

#include "tailrace/processor/detail/topology_graph.h"
#include "tailrace/processor/query.h"

namespace tailrace::processor {

// `groups` holds the nodes of each subtopology, by its number.
TopologyDescription DescribeGroups(const std::vector<std::vector<const detail::NodeSpec*>>& groups);

}  // namespace tailrace::processor
