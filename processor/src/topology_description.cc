#include "topology_description.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tailrace::processor {
namespace {

// A node's size is the number of nodes below it, counted once per path, plus itself (InternalTopologyBuilder.updateSize).
using Sizes = std::map<std::string, int64_t>;

int64_t SizeOf(const std::string& name, const std::map<std::string, std::vector<std::string>>& successors, Sizes& sizes) {
  if (const auto known = sizes.find(name); known != sizes.end()) return known->second;
  int64_t size = 1;
  if (const auto below = successors.find(name); below != successors.end())
    for (const std::string& successor : below->second) size += SizeOf(successor, successors, sizes);
  return sizes[name] = size;
}

std::string NamesOrNone(const std::vector<std::string>& names) {
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

std::string NodeText(const TopologyNode& node) {
  switch (node.type) {
    case TopologyNode::Type::kSource:
      return absl::StrCat("Source: ", node.name, " (topics: [", absl::StrJoin(node.topics, ", "), "])\n      --> ",
                          NamesOrNone(node.successors));
    case TopologyNode::Type::kProcessor:
      return absl::StrCat("Processor: ", node.name, " (stores: [", absl::StrJoin(node.stores, ", "), "])\n      --> ",
                          NamesOrNone(node.successors), "\n      <-- ", NamesOrNone(node.predecessors));
    case TopologyNode::Type::kSink:
      return absl::StrCat("Sink: ", node.name, " (topic: ", absl::StrJoin(node.topics, ", "), ")\n      <-- ",
                          NamesOrNone(node.predecessors));
  }
  return {};
}

// Larger subtrees first, then by name (TopologyDescription's NodeComparator).
void SortBySize(std::vector<std::string>& names, const Sizes& sizes) {
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    const int64_t size_a = sizes.at(a);
    const int64_t size_b = sizes.at(b);
    return size_a != size_b ? size_a > size_b : a < b;
  });
}

SubtopologyDescription DescribeGroup(int32_t id, const std::vector<const detail::NodeSpec*>& nodes) {
  std::map<std::string, std::vector<std::string>> successors;
  for (const detail::NodeSpec* node : nodes)
    for (const std::string& predecessor : node->predecessors) successors[predecessor].push_back(node->name);
  Sizes sizes;
  for (const detail::NodeSpec* node : nodes) SizeOf(node->name, successors, sizes);

  SubtopologyDescription description{.id = id, .nodes = {}};
  for (const detail::NodeSpec* spec : nodes) {
    TopologyNode node{.name = spec->name,
                      .type = spec->type,
                      .topics = spec->topics,
                      .stores = spec->stores,
                      .predecessors = spec->predecessors,
                      .successors = successors[spec->name]};
    SortBySize(node.predecessors, sizes);
    SortBySize(node.successors, sizes);
    description.nodes.push_back(std::move(node));
  }
  std::sort(description.nodes.begin(), description.nodes.end(), [&](const TopologyNode& a, const TopologyNode& b) {
    const int64_t size_a = sizes.at(a.name);
    const int64_t size_b = sizes.at(b.name);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  return description;
}

}  // namespace

TopologyDescription DescribeGroups(const std::vector<std::vector<const detail::NodeSpec*>>& groups) {
  TopologyDescription description;
  description.text = "Topologies:\n ";
  for (size_t id = 0; id < groups.size(); ++id) {
    description.subtopologies.push_back(DescribeGroup(static_cast<int32_t>(id), groups[id]));
    absl::StrAppend(&description.text, "  Sub-topology: ", id, "\n");
    for (const TopologyNode& node : description.subtopologies.back().nodes)
      absl::StrAppend(&description.text, "    ", NodeText(node), "\n");
    description.text += "\n";
  }
  return description;
}

}  // namespace tailrace::processor
