#include "tailrace/processor/detail/stream_graph.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "graph_optimizer.h"

namespace tailrace::processor::detail {
namespace {

std::string Numbered(std::string_view prefix, int index) {
  return absl::StrFormat("%s%010d", std::string(prefix), index);
}

// "KSTREAM...-0123456789": a name that the builder generated for a stream's operator or store.
bool IsGeneratedStreamName(std::string_view name) {
  constexpr size_t kDigits = 10;
  if (!name.starts_with("KSTREAM") || name.size() < kDigits + 8 || name[name.size() - kDigits - 1] != '-') return false;
  const std::string_view digits = name.substr(name.size() - kDigits);
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

StreamGraph::StreamGraph() : nodes_(1) {}
StreamGraph::~StreamGraph() = default;

StreamGraph::JoinRepartition& StreamGraph::JoinRepartitionOf(NodeId stream) { return join_repartitions_[stream]; }

std::string StreamGraph::NewProcessorName(std::string_view prefix) { return Numbered(prefix, next_index_++); }

std::string StreamGraph::NewStoreName(std::string_view prefix) {
  return Numbered(std::string(prefix) + "STATE-STORE-", next_index_++);
}

std::string StreamGraph::NameOr(std::string given, std::string_view prefix) {
  std::string generated = NewProcessorName(prefix);
  return given.empty() ? std::move(generated) : std::move(given);
}

std::string StreamGraph::SuffixedOr(const std::string& given, std::string_view suffix, std::string_view prefix) {
  return NameOr(given.empty() ? std::string() : given + std::string(suffix), prefix);
}

StreamGraph::NodeId StreamGraph::Append(GraphNode node) {
  const NodeId id = static_cast<NodeId>(nodes_.size());
  std::vector<NodeId> parents = std::exchange(node.parents, {});
  for (const NodeId parent : parents) {
    if (std::find(node.parents.begin(), node.parents.end(), parent) != node.parents.end()) continue;
    node.parents.push_back(parent);
    nodes_[static_cast<size_t>(parent)].children.push_back(id);
  }
  node.priority = next_priority_++;
  nodes_.push_back(std::move(node));
  return id;
}

StreamGraph::NodeId StreamGraph::Add(std::vector<NodeId> parents, Writer write, GraphTraits traits) {
  return Append({.parents = std::move(parents), .write = std::move(write), .traits = std::move(traits)});
}

StreamGraph::NodeId StreamGraph::AddSource(SourceTraits source, Writer write) {
  return Append({.parents = {kRoot}, .write = std::move(write), .source = std::move(source)});
}

void StreamGraph::NameRepartition(const std::string& prefix, RepartitionTraits& repartition) {
  repartition.topic = absl::EndsWith(prefix, "-repartition") ? prefix : prefix + "-repartition";
  repartition.sink = NewProcessorName("KSTREAM-SINK-");
  repartition.filter = NewProcessorName("KSTREAM-FILTER-");
  repartition.source = NewProcessorName("KSTREAM-SOURCE-");
  if (IsGeneratedStreamName(prefix)) return;
  repartition.sink = repartition.topic + "-sink";
  repartition.filter = repartition.topic + "-filter";
  repartition.source = repartition.topic + "-source";
}

// getKeyChangingParentNode: the nearest operator above that changes keys or values must change keys.
StreamGraph::NodeId StreamGraph::AddRepartition(NodeId parent, RepartitionTraits repartition) {
  const bool may_merge = repartition.may_merge;
  const NodeId id = Append({.parents = {parent}, .repartition = std::move(repartition)});
  if (!may_merge) return id;
  std::vector<NodeId> path{id};  // depth first over the parents, as findParentNodeMatching looks
  while (!path.empty()) {
    const NodeId at = path.back();
    path.pop_back();
    const GraphNode& node = nodes_[static_cast<size_t>(at)];
    if (node.traits.changes_key) nodes_[static_cast<size_t>(id)].key_changer = at;
    if (node.traits.changes_key || node.traits.changes_value) break;
    path.insert(path.end(), node.parents.rbegin(), node.parents.rend());
  }
  return id;
}

void StreamGraph::SetWindowGrace(NodeId node, int64_t grace_ms) { nodes_[static_cast<size_t>(node)].grace_ms = grace_ms; }

std::optional<int64_t> StreamGraph::WindowGrace(NodeId node) const {
  const GraphNode& at = nodes_[static_cast<size_t>(node)];
  if (at.grace_ms.has_value() || at.parents.empty()) return at.grace_ms;
  int64_t largest = 0;
  for (const NodeId parent : at.parents) {
    const std::optional<int64_t> grace = WindowGrace(parent);
    if (!grace.has_value()) return std::nullopt;
    largest = std::max(largest, *grace);
  }
  return largest;
}

void StreamGraph::Touch(NodeId id) { nodes_[static_cast<size_t>(id)].priority = next_priority_++; }

void StreamGraph::Fail(absl::Status status) {
  if (error_.ok()) error_ = std::move(status);
}

absl::StatusOr<Topology> StreamGraph::Build(const TopologyOptimization& optimization) const {
  if (!error_.ok()) return error_;
  return GraphOptimizer(nodes_, next_index_, optimization).Run();
}

}  // namespace tailrace::processor::detail
