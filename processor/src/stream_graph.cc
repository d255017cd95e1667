#include "tailrace/processor/detail/stream_graph.h"

#include <algorithm>
#include <queue>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tailrace::processor::detail {
namespace {

std::string Numbered(std::string_view prefix, int index) {
  return absl::StrFormat("%s%010d", std::string(prefix), index);
}

}  // namespace

std::string StreamGraph::NewProcessorName(std::string_view prefix) { return Numbered(prefix, next_index_++); }

std::string StreamGraph::NewStoreName(std::string_view prefix) {
  return Numbered(std::string(prefix) + "STATE-STORE-", next_index_++);
}

std::string StreamGraph::NameOr(std::string given, std::string_view prefix) {
  std::string generated = NewProcessorName(prefix);
  return given.empty() ? generated : std::move(given);
}

std::string StreamGraph::SuffixedOr(const std::string& given, std::string_view suffix, std::string_view prefix) {
  return NameOr(given.empty() ? std::string() : given + std::string(suffix), prefix);
}

StreamGraph::NodeId StreamGraph::Add(std::vector<NodeId> parents, std::function<void(Topology&)> write) {
  const NodeId id = static_cast<NodeId>(nodes_.size());
  for (const NodeId parent : parents) nodes_[static_cast<size_t>(parent)].children.push_back(id);
  nodes_.push_back({std::move(parents), {}, std::move(write), {}});
  return id;
}

void StreamGraph::SetWindowGrace(NodeId node, int64_t grace_ms) { nodes_[static_cast<size_t>(node)].grace_ms = grace_ms; }

std::optional<int64_t> StreamGraph::WindowGrace(NodeId node) const {
  const Node& at = nodes_[static_cast<size_t>(node)];
  if (at.grace_ms.has_value() || at.parents.empty()) return at.grace_ms;
  int64_t largest = 0;
  for (const NodeId parent : at.parents) {
    const std::optional<int64_t> grace = WindowGrace(parent);
    if (!grace.has_value()) return std::nullopt;
    largest = std::max(largest, *grace);
  }
  return largest;
}

void StreamGraph::Fail(absl::Status status) {
  if (error_.ok()) error_ = std::move(status);
}

// InternalStreamsBuilder.buildAndOptimizeTopology: nodes leave a queue in the order in which they were made, each after all
// its parents.
absl::StatusOr<Topology> StreamGraph::Build() const {
  if (!error_.ok()) return error_;
  Topology topology;
  std::vector<bool> written(nodes_.size(), false);
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> queue;
  queue.push(kRoot);
  while (!queue.empty()) {
    const NodeId id = queue.top();
    queue.pop();
    const Node& node = nodes_[static_cast<size_t>(id)];
    const bool ready = std::all_of(node.parents.begin(), node.parents.end(),
                                   [&](NodeId parent) { return written[static_cast<size_t>(parent)]; });
    if (written[static_cast<size_t>(id)] || !ready) continue;
    if (node.write) node.write(topology);
    written[static_cast<size_t>(id)] = true;
    for (const NodeId child : node.children) queue.push(child);
  }
  return topology;
}

}  // namespace tailrace::processor::detail
