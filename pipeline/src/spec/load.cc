#include "tailrace/pipeline/load.h"

#include <fstream>
#include <sstream>

#include "spec/check.h"
#include "spec/map_reader.h"
#include "spec/parameters.h"
#include "spec/problems.h"
#include "spec/step_reader.h"
#include "spec/yaml_tree.h"
#include "tailrace/pipeline/format.h"

namespace tailrace::pipeline {
namespace {

using spec::MapReader;
using spec::Problems;
using spec::Yaml;

absl::StatusOr<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad()) {
    return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound, "cannot read pipeline file " + file);
  }
  return text.str();
}

SourceSpec ReadSource(const Yaml& node, Problems& problems) {
  const MapReader map(node, "source", {"topic", "format", "timestamp", "key"}, problems);
  SourceSpec source{.at = node.at};
  source.topic = map.RequireText("topic").value_or("");
  source.format = map.RequireText("format").value_or("");
  const Format* format = FindFormat(source.format);
  if (format == nullptr && !source.format.empty()) {
    problems.AddUnknown(map.Get("format")->at, "format", source.format, FormatNames());
  }
  source.timestamp.at = node.at;
  if (const Yaml* timestamp = map.Get("timestamp")) {
    source.timestamp = spec::ReadField(*timestamp, "timestamp", problems).value_or(source.timestamp);
    source.processing_time = source.timestamp.name == "processing";
  } else if (format != nullptr) {
    source.timestamp.name = format->default_timestamp();
  }
  // "none" takes the place of a key, so that a parameter can switch it off.
  if (const Yaml* key = map.Get("key"); key != nullptr && key->text != "none") source.key = spec::ReadKey(*key, problems);
  return source;
}

SinkSpec ReadSink(const Yaml& node, Problems& problems) {
  const MapReader map(node, "sink", {"topic"}, problems);
  return {.topic = map.RequireText("topic").value_or(""), .at = node.at};
}

// Adds the steps of a list.
void ReadSteps(const Yaml& node, std::vector<Step>& steps, Problems& problems) {
  if (node.kind != Yaml::Kind::kList) problems.Add(node.at, "steps must be a list, not " + Describe(node));
  for (const Yaml& item : node.items) {
    for (Step& step : spec::ReadStep(item, problems)) steps.push_back(std::move(step));
  }
}

// `one` or a list under `many`.
template <class T>
std::vector<T> ReadOneOrMany(const MapReader& map, std::string_view one, std::string_view many, T (*read)(const Yaml&, Problems&),
                             Problems& problems) {
  std::vector<T> out;
  const Yaml* single = map.Get(one);
  const Yaml* list = map.Get(many);
  if (single != nullptr && list != nullptr) {
    problems.Add(list->at, "give either '" + std::string(one) + "' or '" + std::string(many) + "', not both");
  }
  if (single != nullptr) out.push_back(read(*single, problems));
  if (list != nullptr && list->kind != Yaml::Kind::kList) {
    problems.Add(list->at, std::string(many) + " must be a list, not " + Describe(*list));
  } else if (list != nullptr) {
    for (const Yaml& item : list->items) out.push_back(read(item, problems));
  }
  return out;
}

BranchSpec ReadBranch(const Yaml& node, Problems& problems) {
  const MapReader map(node, "a branch", {"steps", "sink", "sinks"}, problems);
  BranchSpec branch{.at = node.at};
  if (const Yaml* steps = map.Require("steps")) ReadSteps(*steps, branch.steps, problems);
  branch.sinks = ReadOneOrMany<SinkSpec>(map, "sink", "sinks", ReadSink, problems);
  return branch;
}

TableSpec ReadTable(const Yaml& name, const Yaml& node, Problems& problems) {
  const MapReader map(node, "table " + name.text, {"source", "steps"}, problems);
  TableSpec table{.name = name.text, .at = name.at};
  if (const Yaml* source = map.Require("source")) table.source = ReadSource(*source, problems);
  if (const Yaml* steps = map.Require("steps")) ReadSteps(*steps, table.steps, problems);
  return table;
}

}  // namespace

absl::StatusOr<PipelineSpec> ParsePipeline(std::string_view text, const std::string& name, const ParameterValues& values) {
  Problems problems(name);
  std::optional<Yaml> document = spec::ParseYaml(text, problems);
  if (!document) return problems.ToStatus();
  const std::vector<spec::Parameter> parameters = spec::ReadParameters(*document, values, problems);
  spec::Substitute(*document, parameters, problems);
  const MapReader map(*document, "a pipeline",
                      {"application.id", "description", "parameters", "source", "sources", "steps", "branches", "tables", "sink", "sinks", "dead_letter"},
                      problems);
  if (!map.is_map()) return problems.ToStatus();

  PipelineSpec pipeline;
  pipeline.file = name;
  pipeline.application_id = map.RequireText("application.id").value_or("");
  pipeline.description = map.Text("description").value_or("");
  pipeline.dead_letter_topic = map.Text("dead_letter").value_or("");
  for (const spec::Parameter& parameter : parameters) {
    pipeline.parameters.push_back({.name = parameter.name, .value = TextOf(parameter), .overridden = parameter.overridden});
  }
  pipeline.sources = ReadOneOrMany<SourceSpec>(map, "source", "sources", ReadSource, problems);
  if (pipeline.sources.empty()) problems.Add(map.at(), "a pipeline needs 'source' (or 'sources')");
  pipeline.sinks = ReadOneOrMany<SinkSpec>(map, "sink", "sinks", ReadSink, problems);
  const size_t problems_before_steps = problems.count();
  if (const Yaml* steps = map.Get("steps")) ReadSteps(*steps, pipeline.steps, problems);
  if (const Yaml* branches = map.Get("branches")) {
    if (branches->kind != Yaml::Kind::kList || branches->items.empty()) {
      problems.Add(branches->at, "branches must be a list of maps with steps and sinks, not " + Describe(*branches));
    }
    for (const Yaml& item : branches->items) pipeline.branches.push_back(ReadBranch(item, problems));
  }
  if (const Yaml* tables = map.Get("tables")) {
    if (tables->kind != Yaml::Kind::kMap) problems.Add(tables->at, "tables must be a map from names to {source, steps}, not " + Describe(*tables));
    for (const auto& [table_name, table] : tables->members) pipeline.tables.push_back(ReadTable(table_name, table, problems));
  }
  // Names and types are checked even when something else is wrong, so that all problems come together.
  spec::CheckPipeline(pipeline, problems.count() == problems_before_steps, problems);
  TAILRACE_RETURN_IF_ERROR(problems.ToStatus());
  return pipeline;
}

absl::StatusOr<PipelineSpec> LoadPipeline(const std::string& file, const ParameterValues& values) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  return ParsePipeline(text, file, values);
}

absl::StatusOr<std::vector<std::string>> PipelineParameterNames(const std::string& file) {
  TAILRACE_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  Problems problems(file);
  const std::optional<Yaml> document = spec::ParseYaml(text, problems);
  if (!document) return problems.ToStatus();
  std::vector<std::string> names;
  for (const spec::Parameter& parameter : spec::ReadParameters(*document, {}, problems)) names.push_back(parameter.name);
  TAILRACE_RETURN_IF_ERROR(problems.ToStatus());
  return names;
}

}  // namespace tailrace::pipeline
