// Rewrites a recorded graph as Kafka Streams does before it writes the topology, then writes it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tailrace/processor/detail/stream_graph.h"

namespace tailrace::processor::detail {

// Works on a copy of the graph; used once.
class GraphOptimizer {
 public:
  using NodeId = StreamGraph::NodeId;

  // `next_index` is the next number of a generated name.
  GraphOptimizer(std::vector<StreamGraph::GraphNode> nodes, int next_index, TopologyOptimization optimization);

  absl::StatusOr<Topology> Run();

 private:
  struct Node {
    StreamGraph::GraphNode graph;
    // What the node's writer calls its predecessors -> what they are called now.
    std::map<std::string, std::string> renamed;
  };

  Node& at(NodeId id) { return nodes_[static_cast<size_t>(id)]; }
  const Node& at(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  // The name that children of this node use.
  const std::string& NameOf(NodeId id) const;
  void RemoveChild(NodeId parent, NodeId child);
  void AddChild(NodeId parent, NodeId child);
  // `child` goes on below `to` instead of below `from`.
  void Rename(NodeId child, const std::string& from, const std::string& to);
  // The node itself or its nearest ancestor for which `wanted` holds; -1 when none.
  template <class F>
  NodeId FindUpwards(NodeId start, F wanted) const;
  bool HasParent(NodeId node, NodeId parent) const;

  absl::Status MergeSources();
  // The operators that change keys, in order, with the repartitions that each made necessary (InternalStreamsBuilder's
  // keyChangingOperationsToOptimizableRepartitionNodes).
  std::vector<std::pair<NodeId, std::vector<NodeId>>> KeyChangers() const;
  void MergeRepartitions();
  void ReplaceRepartitions(NodeId changer, const std::vector<NodeId>& repartitions);
  void FindNullKeyPaths();
  bool MarkNullKeyPaths(NodeId id, std::set<NodeId>& visited);
  void WriteRepartition(const Node& node, Topology& topology) const;
  Topology Write();

  std::vector<Node> nodes_;
  int next_index_;
  const TopologyOptimization optimization_;
  std::map<std::string, std::string> renamed_sources_;
  std::set<NodeId> lets_null_keys_pass_;
};

}  // namespace tailrace::processor::detail
