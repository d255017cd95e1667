#include "tailrace/pipeline/spec.h"

#include "tailrace/base/check.h"

namespace tailrace::pipeline {
namespace {

void AddStores(const std::vector<Step>& steps, std::vector<std::string>& stores) {
  for (const Step& step : steps) {
    if (const auto* aggregate = std::get_if<AggregateStep>(&step)) stores.push_back(aggregate->store);
  }
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

std::vector<std::string> PipelineSpec::StoreNames() const {
  std::vector<std::string> stores;
  AddStores(steps, stores);
  for (const BranchSpec& branch : branches) AddStores(branch.steps, stores);
  return stores;
}

std::vector<SinkSpec> PipelineSpec::AllSinks() const {
  std::vector<SinkSpec> all = sinks;
  for (const BranchSpec& branch : branches) all.insert(all.end(), branch.sinks.begin(), branch.sinks.end());
  return all;
}

}  // namespace tailrace::pipeline
