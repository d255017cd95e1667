// tailrace describe: the topology of a pipeline, as Kafka Streams prints it, as JSON, or for Graphviz.
#include <iostream>
#include <memory>

#include "nlohmann/json.hpp"
#include "tailrace/pipeline/compile.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

using processor::SubtopologyDescription;
using processor::TopologyDescription;
using processor::TopologyNode;

struct DescribeOptions {
  ConfigOptions config;
  std::string pipeline;
  std::string format = "text";
};

const char* TypeName(TopologyNode::Type type) {
  switch (type) {
    case TopologyNode::Type::kSource: return "source";
    case TopologyNode::Type::kProcessor: return "processor";
    case TopologyNode::Type::kSink: return "sink";
  }
  return "unknown";
}

std::string AsJson(const TopologyDescription& description) {
  nlohmann::ordered_json subtopologies = nlohmann::ordered_json::array();
  for (const SubtopologyDescription& subtopology : description.subtopologies) {
    nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
    for (const TopologyNode& node : subtopology.nodes)
      nodes.push_back({{"name", node.name},
                       {"type", TypeName(node.type)},
                       {"topics", node.topics},
                       {"stores", node.stores},
                       {"successors", node.successors}});
    subtopologies.push_back({{"id", subtopology.id}, {"nodes", std::move(nodes)}});
  }
  return nlohmann::ordered_json{{"subtopologies", std::move(subtopologies)}}.dump(2) + "\n";
}

std::string Quoted(const std::string& name) { return nlohmann::json(name).dump(); }

std::string AsDot(const TopologyDescription& description) {
  std::string dot = "digraph topology {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const SubtopologyDescription& subtopology : description.subtopologies) {
    const std::string id = std::to_string(subtopology.id);
    dot += "  subgraph cluster_" + id + " {\n    label=\"Sub-topology " + id + "\";\n";
    for (const TopologyNode& node : subtopology.nodes) {
      dot += "    " + Quoted(node.name) + ";\n";
      for (const std::string& successor : node.successors)
        dot += "    " + Quoted(node.name) + " -> " + Quoted(successor) + ";\n";
    }
    dot += "  }\n";
    for (const TopologyNode& node : subtopology.nodes)
      for (const std::string& topic : node.topics) {
        const std::string label = "topic " + topic;
        dot += "  " + Quoted(label) + " [shape=ellipse];\n";
        dot += node.type == TopologyNode::Type::kSink ? "  " + Quoted(node.name) + " -> " + Quoted(label) + ";\n"
                                                      : "  " + Quoted(label) + " -> " + Quoted(node.name) + ";\n";
      }
  }
  return dot + "}\n";
}

absl::Status Describe(const DescribeOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadPipelineAndConfig(options.pipeline, options.config));
  TAILRACE_ASSIGN_OR_RETURN(const processor::Topology topology, pipeline::CompilePipeline(loaded.spec));
  const TopologyDescription description = topology.Describe();
  std::cout << (options.format == "json" ? AsJson(description) : options.format == "dot" ? AsDot(description)
                                                                                      : description.text);
  return absl::OkStatus();
}

}  // namespace

void AddDescribe(CLI::App& app, Action& action) {
  auto options = std::make_shared<DescribeOptions>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("describe", "Prints the topology of a pipeline");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipeline, "Pipeline file")->required()->check(CLI::ExistingFile);
  verb->add_option("--format", options->format)->check(CLI::IsMember({"text", "json", "dot"}))->capture_default_str();
  verb->callback([options, &action] { action.run = [options] { return Describe(*options); }; });
}

}  // namespace tailrace::cli
