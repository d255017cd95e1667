// Loading pipeline files. The grammar is described in docs/pipelines.md.
//
// Errors: kInvalidArgument with one line per problem, all problems of the file together, each as
// "FILE:LINE:COLUMN: what is wrong; what is allowed; did you mean ...?". kNotFound when the file cannot be read.
//
//   TAILRACE_ASSIGN_OR_RETURN(PipelineSpec spec, LoadPipeline("pipelines/city-metrics.yaml", {{"window", "15m"}}));
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline {

// Values for the file's parameters: names and texts as given to --set. A list's items are separated by commas.
using ParameterValues = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<PipelineSpec> LoadPipeline(const std::string& file, const ParameterValues& values);

// The same for a text; `name` stands for the file in messages.
absl::StatusOr<PipelineSpec> ParsePipeline(std::string_view text, const std::string& name, const ParameterValues& values);

// The names that a file declares under `parameters`, so that a program can tell them from its own --set keys.
absl::StatusOr<std::vector<std::string>> PipelineParameterNames(const std::string& file);

}  // namespace tailrace::pipeline
