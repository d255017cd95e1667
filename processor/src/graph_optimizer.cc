#include "graph_optimizer.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tailrace/base/check.h"

namespace tailrace::processor::detail {
namespace {

constexpr StreamGraph::NodeId kNone = -1;

}  // namespace

GraphOptimizer::GraphOptimizer(std::vector<StreamGraph::GraphNode> nodes, int next_index, TopologyOptimization optimization)
    : next_index_(next_index), optimization_(optimization) {
  nodes_.reserve(nodes.size());
  for (StreamGraph::GraphNode& node : nodes) nodes_.push_back({std::move(node), {}});
}

absl::StatusOr<Topology> GraphOptimizer::Run() {
  TAILRACE_RETURN_IF_ERROR(MergeSources());
  if (optimization_.merge_repartition_topics) MergeRepartitions();
  FindNullKeyPaths();
  return Write();
}

const std::string& GraphOptimizer::NameOf(NodeId id) const {
  const StreamGraph::GraphNode& node = at(id).graph;
  if (node.repartition.has_value()) return node.repartition->source;
  if (node.source.has_value()) return node.source->name;
  TAILRACE_CHECK(!node.traits.name.empty(), "an operator that is moved has a name");
  return node.traits.name;
}

void GraphOptimizer::RemoveChild(NodeId parent, NodeId child) {
  std::erase(at(parent).graph.children, child);
  std::erase(at(child).graph.parents, parent);
}

void GraphOptimizer::AddChild(NodeId parent, NodeId child) {
  std::vector<NodeId>& children = at(parent).graph.children;
  if (std::find(children.begin(), children.end(), child) != children.end()) return;
  children.push_back(child);
  at(child).graph.parents.push_back(parent);
}

void GraphOptimizer::Rename(NodeId child, const std::string& from, const std::string& to) {
  Node& node = at(child);
  if (node.graph.repartition.has_value() && node.graph.repartition->parent == from) node.graph.repartition->parent = to;
  bool known = false;
  for (auto& [written, now] : node.renamed) {
    if (now != from) continue;
    now = to;
    known = true;
  }
  if (!known) node.renamed[from] = to;
}

template <class F>
GraphOptimizer::NodeId GraphOptimizer::FindUpwards(NodeId start, F wanted) const {
  if (wanted(start)) return start;
  for (const NodeId parent : at(start).graph.parents)
    if (const NodeId found = FindUpwards(parent, wanted); found != kNone) return found;
  return kNone;
}

bool GraphOptimizer::HasParent(NodeId node, NodeId parent) const {
  const std::vector<NodeId>& parents = at(node).graph.parents;
  return std::find(parents.begin(), parents.end(), parent) != parents.end();
}

// mergeDuplicateSourceNodes: a later source of the same topics hands its children to the first.
absl::Status GraphOptimizer::MergeSources() {
  std::map<std::string, NodeId> readers;
  const std::vector<NodeId> children = at(StreamGraph::kRoot).graph.children;
  for (const NodeId id : children) {
    if (!at(id).graph.source.has_value()) continue;
    const SourceTraits source = *at(id).graph.source;
    for (const std::string& topic : source.topics) {
      const auto [entry, is_new] = readers.try_emplace(topic, id);
      const NodeId first = entry->second;
      if (is_new || first == id) continue;
      const SourceTraits& other = *at(first).graph.source;
      const std::string both = absl::StrCat("sources ", other.name, " and ", source.name, " both read topic ", topic);
      if (std::set<std::string>(other.topics.begin(), other.topics.end()) !=
          std::set<std::string>(source.topics.begin(), source.topics.end()))
        return base::UsageError(absl::StrCat(both, ", but not the same topics: [", absl::StrJoin(other.topics, ", "), "] and [",
                                             absl::StrJoin(source.topics, ", "), "]; read the topic once and use that stream twice"));
      if (other.offset_reset != source.offset_reset)
        return base::UsageError(absl::StrCat(both, " with different offset resets; give both the same"));
      if (other.identity != source.identity)
        return base::UsageError(absl::StrCat(both, " with different types or serdes; read it once and map the values"));
      const std::vector<NodeId> moved = at(id).graph.children;
      for (const NodeId child : moved) {
        RemoveChild(id, child);
        AddChild(first, child);
        Rename(child, source.name, other.name);
      }
      RemoveChild(StreamGraph::kRoot, id);
      renamed_sources_[source.name] = other.name;
      break;
    }
  }
  return absl::OkStatus();
}

std::vector<std::pair<GraphOptimizer::NodeId, std::vector<GraphOptimizer::NodeId>>> GraphOptimizer::KeyChangers() const {
  std::vector<std::pair<NodeId, std::vector<NodeId>>> changers;
  for (NodeId id = 0; id < static_cast<NodeId>(nodes_.size()); ++id) {
    if (!at(id).graph.traits.changes_key) continue;
    std::vector<NodeId> repartitions;
    for (NodeId other = 0; other < static_cast<NodeId>(nodes_.size()); ++other)
      if (at(other).graph.key_changer == id && at(other).graph.repartition->type == at(id).graph.traits.type)
        repartitions.push_back(other);
    changers.emplace_back(id, std::move(repartitions));
  }
  // maybeUpdateKeyChangingRepartitionNodeMap: below a merge, the merge stands for the operators above it whose repartitions
  // all lie below it.
  std::set<NodeId> replaced;
  std::vector<std::pair<NodeId, std::vector<NodeId>>> merges;
  for (NodeId merge = 0; merge < static_cast<NodeId>(nodes_.size()); ++merge) {
    if (!at(merge).graph.traits.merges) continue;
    std::vector<NodeId> repartitions;
    for (const auto& [changer, own] : changers) {
      const bool all_below = std::all_of(own.begin(), own.end(), [&](NodeId repartition) {
        return FindUpwards(repartition, [&](NodeId n) { return HasParent(n, merge); }) != kNone;
      });
      if (!all_below || FindUpwards(merge, [&, above = changer](NodeId n) { return HasParent(n, above); }) == kNone) continue;
      replaced.insert(changer);
      for (const NodeId repartition : own)
        if (std::find(repartitions.begin(), repartitions.end(), repartition) == repartitions.end())
          repartitions.push_back(repartition);
    }
    merges.emplace_back(merge, std::move(repartitions));
  }
  std::erase_if(changers, [&](const auto& entry) { return replaced.contains(entry.first); });
  changers.insert(changers.end(), merges.begin(), merges.end());
  return changers;
}

void GraphOptimizer::MergeRepartitions() {
  for (const auto& [changer, repartitions] : KeyChangers())
    if (!repartitions.empty()) ReplaceRepartitions(changer, repartitions);
}

// One repartition directly below the operator that changes keys, in the place of all others; it keeps the name of the first.
void GraphOptimizer::ReplaceRepartitions(NodeId changer, const std::vector<NodeId>& repartitions) {
  next_index_ += 3;  // the names that are generated and not used
  StreamGraph::GraphNode merged{.priority = at(changer).graph.priority, .parents = {}, .children = {}, .write = nullptr, .traits = {},
                                .source = std::nullopt, .repartition = at(repartitions.front()).graph.repartition,
                                .key_changer = kNone};
  RepartitionTraits& traits = *merged.repartition;
  traits.parent = NameOf(changer);
  traits.sink = traits.topic + "-sink";
  traits.filter = traits.topic + "-filter";
  traits.source = traits.topic + "-source";
  const NodeId one = static_cast<NodeId>(nodes_.size());
  nodes_.push_back({std::move(merged), {}});
  const std::string one_name = NameOf(one);

  for (const NodeId old : repartitions) {
    const NodeId below = FindUpwards(old, [&, above = changer](NodeId n) { return HasParent(n, above); });
    const std::string old_name = NameOf(old);
    if (below != kNone) {  // otherwise it was moved with an earlier repartition below the same operator
      AddChild(one, below);
      RemoveChild(changer, below);
      Rename(below, NameOf(changer), one_name);
    }
    const std::vector<NodeId> children = at(old).graph.children;
    const std::vector<NodeId> parents = at(old).graph.parents;
    for (const NodeId child : children) {
      for (const NodeId parent : parents) {
        AddChild(parent, child);
        Rename(child, old_name, parent == one ? one_name : at(old).graph.repartition->parent);
      }
    }
    for (const NodeId parent : parents) RemoveChild(parent, old);
    for (const NodeId child : children) RemoveChild(old, child);
    renamed_sources_[old_name] = parents.front() == one ? one_name : at(old).graph.repartition->parent;
  }
  AddChild(changer, one);
}

bool GraphOptimizer::MarkNullKeyPaths(NodeId id, std::set<NodeId>& visited) {
  if (!visited.insert(id).second) return lets_null_keys_pass_.contains(id);
  for (const NodeId child : at(id).graph.children) {
    const bool below = MarkNullKeyPaths(child, visited);
    if (below || at(child).graph.traits.takes_null_keys) lets_null_keys_pass_.insert(id);
  }
  return lets_null_keys_pass_.contains(id);
}

// NodesWithRelaxedNullKeyJoinDownstream
void GraphOptimizer::FindNullKeyPaths() {
  std::set<NodeId> visited;
  MarkNullKeyPaths(StreamGraph::kRoot, visited);
}

void GraphOptimizer::WriteRepartition(const Node& node, Topology& topology) const {
  const RepartitionTraits& repartition = *node.graph.repartition;
  const bool drop_null_keys = !lets_null_keys_pass_.contains(static_cast<NodeId>(&node - nodes_.data()));
  topology.AddRepartitionTopic({repartition.topic, repartition.partition_count});
  topology.AddNode({.name = repartition.filter, .predecessors = {repartition.parent},
                    .factory = [make = repartition.make_filter, drop_null_keys] { return make(drop_null_keys); }});
  topology.AddNode({.type = TopologyNode::Type::kSink, .name = repartition.sink, .predecessors = {repartition.filter},
                    .topics = {repartition.topic}, .factory = [make = repartition.make_sink, topic = repartition.topic] { return make(topic); }});
  topology.AddNode({.type = TopologyNode::Type::kSource, .name = repartition.source, .topics = {repartition.topic},
                    .factory = repartition.make_source});
}

// buildAndOptimizeTopology: nodes leave a queue in the order in which they were made, each after all its parents.
Topology GraphOptimizer::Write() {
  Topology topology;
  topology.optimization_ = optimization_;
  topology.renamed_sources_ = renamed_sources_;
  std::vector<bool> written(nodes_.size(), false);
  using Entry = std::pair<int64_t, NodeId>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  queue.emplace(0, StreamGraph::kRoot);
  while (!queue.empty()) {
    const NodeId id = queue.top().second;
    queue.pop();
    const Node& node = at(id);
    const std::vector<NodeId>& parents = node.graph.parents;
    const bool ready = std::all_of(parents.begin(), parents.end(),
                                   [&](NodeId parent) { return written[static_cast<size_t>(parent)]; });
    if (written[static_cast<size_t>(id)] || !ready) continue;
    topology.renamed_predecessors_ = node.renamed;
    if (node.graph.repartition.has_value()) WriteRepartition(node, topology);
    else if (node.graph.write) node.graph.write(topology);
    written[static_cast<size_t>(id)] = true;
    for (const NodeId child : node.graph.children) queue.emplace(at(child).graph.priority, child);
  }
  topology.renamed_predecessors_.clear();
  return topology;
}

}  // namespace tailrace::processor::detail
