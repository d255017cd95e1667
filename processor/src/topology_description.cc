#include "topology_description.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "java_order.h"

namespace tailrace::processor {
namespace {

// A node while its subtopology is described. Its size is the number of nodes below it, counted once per path, plus itself.
// Kafka Streams keeps its neighbours in sets that are ordered by sizes which still grow while the sets are filled, node after
// node in hash order, so the order of neighbours follows from doing the same steps (InternalTopologyBuilder.describeSubtopology).
struct Described {
  struct LargestFirst {
    int operator()(const Described* a, const Described* b) const {
      if (a == b) return 0;
      if (a->size != b->size) return a->size > b->size ? -1 : 1;
      return a->spec->name < b->spec->name ? -1 : 1;
    }
  };
  using Neighbours = JavaTreeSet<Described*, LargestFirst>;

  const detail::NodeSpec* spec = nullptr;
  int64_t size = 1;
  Neighbours predecessors{LargestFirst()};
  Neighbours successors{LargestFirst()};

  void Grow(int64_t by) {
    size += by;
    for (Described* predecessor : predecessors.InOrder()) predecessor->Grow(by);
  }
};

std::vector<std::string> NamesOf(const Described::Neighbours& neighbours) {
  std::vector<std::string> names;
  for (const Described* node : neighbours.InOrder()) names.push_back(node->spec->name);
  return names;
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
      return absl::StrCat("Sink: ", node.name,
                          node.topics.empty() ? std::string(" (extractor class: a function of the program)")
                                              : absl::StrCat(" (topic: ", absl::StrJoin(node.topics, ", "), ")"),
                          "\n      <-- ", NamesOrNone(node.predecessors));
  }
  return {};
}

SubtopologyDescription DescribeGroup(int32_t id, const std::vector<const detail::NodeSpec*>& nodes) {
  std::map<std::string, Described> described;
  std::vector<std::string> names;
  for (const detail::NodeSpec* spec : nodes) {
    described[spec->name].spec = spec;
    names.push_back(spec->name);
  }
  for (const std::string& name : InJavaHashSetOrder(names)) {
    Described& node = described.at(name);
    for (const std::string& above : node.spec->predecessors) {
      Described& predecessor = described.at(above);
      node.predecessors.Insert(&predecessor);
      predecessor.successors.Insert(&node);
      predecessor.Grow(node.size);
    }
  }
  std::vector<const Described*> ordered;
  for (const auto& [name, node] : described) ordered.push_back(&node);
  std::sort(ordered.begin(), ordered.end(),
            [](const Described* a, const Described* b) { return Described::LargestFirst()(a, b) < 0; });
  SubtopologyDescription description{.id = id, .nodes = {}};
  for (const Described* node : ordered)
    description.nodes.push_back({.name = node->spec->name,
                                 .type = node->spec->type,
                                 .topics = InJavaHashSetOrder(node->spec->topics),
                                 .stores = InJavaHashSetOrder(node->spec->stores),
                                 .predecessors = NamesOf(node->predecessors),
                                 .successors = NamesOf(node->successors)});
  return description;
}

}  // namespace

TopologyDescription DescribeGroups(const std::vector<std::vector<const detail::NodeSpec*>>& groups,
                                   const std::function<bool(const detail::NodeSpec&)>& is_global) {
  TopologyDescription description;
  description.text = "Topologies:\n ";
  for (size_t id = 0; id < groups.size(); ++id) {
    description.subtopologies.push_back(DescribeGroup(static_cast<int32_t>(id), groups[id]));
    SubtopologyDescription& subtopology = description.subtopologies.back();
    subtopology.global = is_global(*groups[id].front());
    absl::StrAppend(&description.text, "  Sub-topology: ", id,
                    subtopology.global ? " for global store (will not generate tasks)\n" : "\n");
    for (const TopologyNode& node : subtopology.nodes)
      absl::StrAppend(&description.text, "    ", NodeText(node), "\n");
    if (!subtopology.global) description.text += "\n";
  }
  return description;
}

}  // namespace tailrace::processor
