// Reads the steps of a pipeline: a list of maps with one key each, which names the kind of step.
#pragma once

#include <optional>

#include "spec/problems.h"
#include "spec/yaml_tree.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

// One map may give several steps (set). Reports problems; what could be read is returned.
std::vector<Step> ReadStep(const Yaml& node, Problems& problems);

// The argument of a key step, which sources have too.
std::optional<KeyStep> ReadKey(const Yaml& node, Problems& problems);

}  // namespace tailrace::pipeline::spec
