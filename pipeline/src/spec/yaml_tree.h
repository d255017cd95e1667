// A YAML document as a plain tree with locations: the only place that knows the YAML library.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/problems.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

struct Yaml {
  // kInvalid stands where something was reported already: readers pass over it.
  enum class Kind { kNull, kScalar, kList, kMap, kInvalid };
  Kind kind = Kind::kNull;
  std::string text;                             // kScalar
  std::vector<Yaml> items;                      // kList
  std::vector<std::pair<Yaml, Yaml>> members;   // kMap; keys are scalars
  Location at;
  // Where a substituted value came from: " (parameter window)"; ready to be appended to a message.
  std::string origin;
};

// Null after adding to `problems` when the text is not one YAML document.
std::optional<Yaml> ParseYaml(std::string_view text, Problems& problems);

// "a list", "a map", "the text 'x'", "nothing": for messages.
std::string Describe(const Yaml& node);

}  // namespace tailrace::pipeline::spec
