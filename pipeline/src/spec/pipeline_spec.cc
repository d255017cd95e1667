#include "tailrace/pipeline/spec.h"

#include "tailrace/base/check.h"

namespace tailrace::pipeline {
namespace {

// The store of the last step that has one: a join's result takes the place of the aggregate before it.
void AddResult(const std::vector<Step>& steps, std::vector<std::string>& stores) {
  std::string store;
  for (const Step& step : steps) {
    if (const auto* aggregate = std::get_if<AggregateStep>(&step)) store = aggregate->store;
    if (const auto* join = std::get_if<JoinStep>(&step)) store = join->store;
  }
  if (!store.empty()) stores.push_back(store);
}

}  // namespace

PipelineSpec PipelineSpec::OnlyBranch(size_t branch) const {
  TAILRACE_CHECK(branch < branches.size(), "the pipeline has " + std::to_string(branches.size()) + " branches");
  PipelineSpec only = *this;
  only.branches.clear();
  only.steps.insert(only.steps.end(), branches[branch].steps.begin(), branches[branch].steps.end());
  only.sinks = branches[branch].sinks;
  return only;
}

PipelineSpec PipelineSpec::TablePipeline(const TableSpec& table) const {
  PipelineSpec pipeline;
  pipeline.file = file;
  pipeline.application_id = application_id;
  pipeline.sources = {table.source};
  pipeline.steps = table.steps;
  return pipeline;
}

std::vector<SourceSpec> PipelineSpec::AllSources() const {
  std::vector<SourceSpec> all = sources;
  for (const TableSpec& table : tables) all.push_back(table.source);
  return all;
}

std::vector<std::string> PipelineSpec::StoreNames() const {
  std::vector<std::string> stores;
  AddResult(steps, stores);
  for (const BranchSpec& branch : branches) AddResult(branch.steps, stores);
  return stores;
}

std::vector<SinkSpec> PipelineSpec::AllSinks() const {
  std::vector<SinkSpec> all = sinks;
  for (const BranchSpec& branch : branches) all.insert(all.end(), branch.sinks.begin(), branch.sinks.end());
  return all;
}

}  // namespace tailrace::pipeline
