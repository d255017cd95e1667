// Which rewrites the builder may apply to a topology: the values of topology.optimization.
#pragma once

#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::processor {

// The optimisations of Kafka Streams (StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG). An optimised topology has other topics and
// stores than the same calls without, so a running application that changes this starts anew.
struct TopologyOptimization {
  // A table's source topic is also its changelog (reuse.ktable.source.topics).
  bool reuse_ktable_source_topics = false;
  // Repartition topics behind one key-changing operator become one (merge.repartition.topics).
  bool merge_repartition_topics = false;
  // A stream joined with itself keeps one store (single.store.self.join).
  bool single_store_self_join = false;

  static TopologyOptimization All() { return {true, true, true}; }
  // "none", "all", or some of the three names above, separated by commas. kInvalidArgument for anything else.
  static absl::StatusOr<TopologyOptimization> Parse(std::string_view text);

  friend bool operator==(const TopologyOptimization&, const TopologyOptimization&) = default;
};

}  // namespace tailrace::processor
