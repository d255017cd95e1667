// Readers of the steps that work a field out of others, and of deduplicate and join.
#pragma once

#include <vector>

#include "spec/problems.h"
#include "spec/yaml_tree.h"
#include "tailrace/pipeline/spec.h"

namespace tailrace::pipeline::spec {

std::vector<Step> ReadSet(const Yaml& node, Problems& problems);
std::vector<Step> ReadWords(const Yaml& node, Problems& problems);
std::vector<Step> ReadTickers(const Yaml& node, Problems& problems);
std::vector<Step> ReadGroup(const Yaml& node, Problems& problems);
std::vector<Step> ReadSentiment(const Yaml& node, Problems& problems);
std::vector<Step> ReadDeduplicate(const Yaml& node, Problems& problems);
std::vector<Step> ReadJoin(const Yaml& node, Problems& problems);

}  // namespace tailrace::pipeline::spec
