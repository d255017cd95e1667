#include "tailrace/processor/detail/join_plan.h"

#include "absl/strings/str_cat.h"
#include "tailrace/processor/detail/stream_joins.h"

namespace tailrace::processor::detail {
namespace {

state::StoreSpec WindowStore(std::string name, const JoinWindows& windows, const StreamJoinedOptions& options) {
  state::StoreSpec spec;
  spec.name = std::move(name);
  spec.kind = state::StoreKind::kWindow;
  spec.window_size_ms = windows.size_ms();
  spec.retention_ms = windows.retention_ms();
  spec.retain_duplicates = true;
  spec.caching = false;
  spec.logging = options.logging;
  spec.in_memory = options.in_memory;
  spec.changelog_config = options.changelog_config;
  spec.changelog_config["cleanup.policy"] = "delete";  // compaction would need one value per key
  return spec;
}

// A store of the user's own: always logged, with the cleanup policy of window stores (joinWindowStoreBuilderFromSupplier).
state::StoreSpec GivenStore(StreamGraph& graph, state::StoreSpec spec, const JoinWindows& windows) {
  if (spec.kind != state::StoreKind::kWindow || !spec.retain_duplicates)
    graph.Fail(base::UsageError(absl::StrCat("join store ", spec.name, " must be a window store that retains duplicates")));
  else if (spec.window_size_ms != windows.size_ms() || spec.retention_ms != windows.retention_ms())
    graph.Fail(base::UsageError(absl::StrCat("join store ", spec.name, " has window size ", spec.window_size_ms,
                                             " ms and retention ", spec.retention_ms, " ms; the join's windows need ",
                                             windows.size_ms(), " ms and ", windows.retention_ms(), " ms")));
  spec.caching = false;
  spec.logging = true;
  spec.changelog_config.try_emplace("cleanup.policy", "compact,delete");
  return spec;
}

state::StoreSpec SharedStore(const std::string& base, JoinKind kind, const StreamJoinedOptions& options) {
  state::StoreSpec spec;
  if (!base.empty()) {
    spec.name = absl::StrCat(base, kind == JoinKind::kOuter ? "-outer-shared-join-store" : "-left-shared-join-store");
  }
  spec.caching = false;
  spec.logging = options.logging;
  spec.in_memory = options.this_store.has_value() ? options.this_store->in_memory : options.in_memory;
  spec.changelog_config = options.changelog_config;
  return spec;
}

}  // namespace

StreamJoinPlan PlanStreamJoin(StreamGraph& graph, JoinKind kind, const JoinWindows& windows,
                              const StreamJoinedOptions& options) {
  if (!windows.valid())
    graph.Fail(base::UsageError("a join needs before + after >= 0 and grace >= 0"));
  const bool left_alone = kind != JoinKind::kInner;
  const bool right_alone = kind == JoinKind::kOuter;
  const std::string this_suffix = right_alone ? "-outer-this-join" : "-this-join";
  const std::string other_suffix = left_alone ? "-outer-other-join" : "-other-join";

  StreamJoinPlan plan;
  plan.this_windowed = graph.SuffixedOr(options.name, "-this-windowed", "KSTREAM-WINDOWED-");
  plan.other_windowed = graph.SuffixedOr(options.name, "-other-windowed", "KSTREAM-WINDOWED-");
  const std::string this_prefix = right_alone ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-";
  const std::string this_generated = graph.NewProcessorName(this_prefix);
  const std::string other_generated = graph.NewProcessorName(left_alone ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-");
  plan.this_join = options.name.empty() ? this_generated : options.name + this_suffix;
  plan.other_join = options.name.empty() ? other_generated : options.name + other_suffix;
  plan.merge = graph.SuffixedOr(options.name, "-merge", "KSTREAM-MERGE-");

  const auto store_name = [&](const std::string& generated, const std::string& suffix) {
    return (options.store_name.empty() ? generated : options.store_name + suffix) + "-store";
  };
  plan.this_store = options.this_store.has_value() ? GivenStore(graph, *options.this_store, windows)
                                                   : WindowStore(store_name(this_generated, this_suffix), windows, options);
  plan.other_store = options.other_store.has_value() ? GivenStore(graph, *options.other_store, windows)
                                                     : WindowStore(store_name(other_generated, other_suffix), windows, options);
  if (left_alone && windows.waits_for_close()) {
    plan.shared_store = SharedStore(options.this_store.has_value() ? options.this_store->name : options.store_name, kind, options);
    if (plan.shared_store->name.empty())
      plan.shared_store->name = absl::StrCat("KSTREAM-OUTERSHARED-", this_generated.substr(this_prefix.size()), "-store");
  }
  return plan;
}

StreamJoinSide::Options StreamJoinPlan::Side(bool left, const JoinWindows& windows) const {
  return {.windows = windows,
          .left = left,
          .other_store = left ? other_store.name : this_store.name,
          .shared_store = shared_store.has_value() ? shared_store->name : std::string()};
}

std::vector<std::string> StreamJoinPlan::StoresOf(bool left) const {
  std::vector<std::string> stores{left ? other_store.name : this_store.name};
  if (shared_store.has_value()) stores.push_back(shared_store->name);
  return stores;
}

}  // namespace tailrace::processor::detail
