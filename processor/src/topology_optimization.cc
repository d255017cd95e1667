#include "tailrace/processor/topology_optimization.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tailrace::processor {

absl::StatusOr<TopologyOptimization> TopologyOptimization::Parse(std::string_view text) {
  const std::vector<std::string> names = absl::StrSplit(std::string(text), ',');
  TopologyOptimization optimization;
  for (const std::string& part : names) {
    const absl::string_view name = absl::StripAsciiWhitespace(part);
    if (name == "all" && names.size() == 1) return All();
    if (name == "none" && names.size() == 1) return TopologyOptimization{};
    if (name == "reuse.ktable.source.topics") optimization.reuse_ktable_source_topics = true;
    else if (name == "merge.repartition.topics") optimization.merge_repartition_topics = true;
    else if (name == "single.store.self.join") optimization.single_store_self_join = true;
    else
      return base::UsageError(absl::StrCat("'topology.optimization' is '", std::string(text), "': it must be none, all, or a list of "
                                           "reuse.ktable.source.topics, merge.repartition.topics and single.store.self.join"));
  }
  return optimization;
}

}  // namespace tailrace::processor
