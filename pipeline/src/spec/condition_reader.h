// Reads a condition: {field: place.type, equals: city}, with all, any and not around it.
#pragma once

#include "spec/problems.h"
#include "spec/yaml_tree.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

// Reports problems; what is returned after one is not to be used.
Condition ReadCondition(const Yaml& node, Problems& problems);

}  // namespace tailrace::pipeline::spec
