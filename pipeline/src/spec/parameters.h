// Parameters of a pipeline file: declared with defaults, overridden by the caller, substituted where $name stands.
#pragma once

#include <string>
#include <vector>

#include "spec/problems.h"
#include "spec/yaml_tree.h"
#include "tailrace/pipeline/load.h"

namespace tailrace::pipeline::spec {

// A parameter's type is that of its default: an override must be of the same.
enum class ParameterType { kText, kInteger, kNumber, kDuration, kBoolean, kList };

struct Parameter {
  std::string name;
  ParameterType type = ParameterType::kText;
  Yaml value;
  bool overridden = false;
};

// Reads the document's `parameters` and applies `values`. Problems are added; what is returned is usable anyway.
std::vector<Parameter> ReadParameters(const Yaml& document, const ParameterValues& values, Problems& problems);

// Replaces in all scalars: "$name" alone by the parameter's value (a list within a list is spliced), "${name}" inside a
// text by the parameter's text, "$$" by "$".
void Substitute(Yaml& node, const std::vector<Parameter>& parameters, Problems& problems);

// As --set takes it: lists with commas.
std::string TextOf(const Parameter& parameter);

}  // namespace tailrace::pipeline::spec
