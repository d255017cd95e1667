// tailrace reset: back to the start. A replay is deleted with all that it has made. Internal topics and local state are deleted and the group's offsets are set anew
// (what Kafka Streams' application reset tool does, and the local state with it).
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/kafka/group_admin.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/timestamps.h"
#include "tailrace/processor/application_id.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

constexpr int kCallTimeoutMs = 10'000;

struct ResetOptions {
  ConfigOptions config;
  std::string pipeline;
  std::string to = "earliest";
  bool dry_run = false;
};

// What will be done, worked out before anything is changed.
struct Plan {
  std::string application_id;
  std::vector<std::string> topics;               // internal ones that exist
  std::vector<kafka::OffsetToCommit> offsets;    // of the source topics
  bool forget_group = false;                     // a replay's offsets are what it was prepared with: without them there is none
  std::filesystem::path state;
};

absl::StatusOr<base::Offset> TargetOffset(kafka::Admin& admin, const base::TopicPartition& partition, const std::string& to) {
  TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, admin.Offsets(partition, kCallTimeoutMs));
  if (to == "earliest") return range.begin;
  if (to == "latest") return range.end;
  int64_t time_ms = 0;
  if (!absl::SimpleAtoi(to, &time_ms)) {
    const std::optional<int64_t> parsed = pipeline::ParseTimestampMs(to);
    if (!parsed.has_value())
      return base::UsageError(absl::StrCat("--to ", to, " is neither earliest, latest, RFC 3339 nor epoch milliseconds"));
    time_ms = *parsed;
  }
  return admin.OffsetForTime(partition, time_ms, kCallTimeoutMs);
}

absl::StatusOr<Plan> MakePlan(const ResetOptions& options, const LoadedPipeline& loaded, kafka::Admin& admin) {
  Plan plan{.application_id = loaded.config.String("application.id"), .topics = {}, .offsets = {}, .state = {}};
  plan.state = std::filesystem::path(loaded.config.String("state.dir")) / plan.application_id;
  TAILRACE_ASSIGN_OR_RETURN(processor::Topology topology, pipeline::CompilePipeline(loaded.spec));
  TAILRACE_RETURN_IF_ERROR(topology.Compile(plan.application_id));
  TAILRACE_ASSIGN_OR_RETURN(const processor::ApplicationId id, processor::ParseApplicationId(plan.application_id));
  plan.forget_group = id.number > 0;
  if (plan.forget_group && options.to != "earliest")
    return base::UsageError(absl::StrCat("--to ", options.to, " cannot be used with replay ", plan.application_id,
                                         ", which reset deletes; tailrace replay PIPELINE --from makes another one"));

  std::vector<std::string> internal = {processor::CoordinationTopicOf(plan.application_id)};
  if (plan.forget_group)
    for (const pipeline::SinkSpec& sink : loaded.spec.AllSinks()) internal.push_back(sink.topic);
  for (const auto& [name, topic] : topology.repartition_topics()) internal.push_back(name);
  for (const auto& subtopology : topology.subtopologies()) {
    for (const state::StoreSpec& store : subtopology.stores)
      if (store.logging) internal.push_back(store.changelog_topic);
    for (const std::string& source : subtopology.source_topics) {
      const auto& repartition = subtopology.repartition_sources;
      if (plan.forget_group || std::find(repartition.begin(), repartition.end(), source) != repartition.end()) continue;
      TAILRACE_ASSIGN_OR_RETURN(const auto topic, admin.DescribeTopic(source, kCallTimeoutMs));
      if (!topic.has_value()) continue;
      for (int32_t p = 0; p < topic->partition_count; ++p) {
        const base::TopicPartition partition{source, base::Partition(p)};
        TAILRACE_ASSIGN_OR_RETURN(const base::Offset offset, TargetOffset(admin, partition, options.to));
        plan.offsets.push_back({partition, offset, {}});
      }
    }
  }
  for (const std::string& name : internal) {
    TAILRACE_ASSIGN_OR_RETURN(const auto topic, admin.DescribeTopic(name, kCallTimeoutMs));
    if (topic.has_value()) plan.topics.push_back(name);
  }
  return plan;
}

void Show(const Plan& plan, bool dry_run) {
  const char* const prefix = dry_run ? "would " : "";
  for (const kafka::OffsetToCommit& offset : plan.offsets)
    std::cout << prefix << "set " << offset.partition.ToString() << " to offset " << offset.offset.value() << "\n";
  if (plan.forget_group) std::cout << prefix << "forget the offsets of group " << plan.application_id << "\n";
  for (const std::string& topic : plan.topics) std::cout << prefix << "delete topic " << topic << "\n";
  if (std::filesystem::exists(plan.state)) std::cout << prefix << "delete " << plan.state.string() << "\n";
}

absl::Status Reset(const ResetOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadPipelineAndConfig(options.pipeline, options.config));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(loaded.config));
  TAILRACE_ASSIGN_OR_RETURN(const Plan plan, MakePlan(options, loaded, cluster->admin()));
  Show(plan, options.dry_run);
  if (options.dry_run) return absl::OkStatus();
  // Both refuse while workers are members.
  kafka::GroupAdmin& groups = kafka::GroupsOf(*cluster);
  TAILRACE_RETURN_IF_ERROR(plan.forget_group ? groups.DeleteGroup(plan.application_id, kCallTimeoutMs)
                                             : groups.SetGroupOffsets(plan.application_id, plan.offsets, kCallTimeoutMs));
  if (!plan.topics.empty()) TAILRACE_RETURN_IF_ERROR(cluster->admin().DeleteTopics(plan.topics, kCallTimeoutMs));
  std::error_code error;
  std::filesystem::remove_all(plan.state, error);
  if (error)
    return absl::UnavailableError(absl::StrCat("cannot delete ", plan.state.string(), ": ", error.message(), "; delete it by hand"));
  return absl::OkStatus();
}

}  // namespace

void AddReset(CLI::App& app, Action& action) {
  auto options = std::make_shared<ResetOptions>();  // shared with the action, which runs after this function
  CLI::App* const verb = app.add_subcommand("reset", "Starts an application anew: offsets, internal topics, local state");
  AddConfigOptions(*verb, options->config);
  verb->add_option("pipeline", options->pipeline, "Pipeline file")->required()->check(CLI::ExistingFile);
  verb->add_option("--to", options->to, "earliest, latest, or a time: where the inputs are read again")->capture_default_str();
  verb->add_flag("--dry-run", options->dry_run, "Only say what would be done");
  verb->callback([options, &action] { action.run = [options] { return Reset(*options); }; });
}

}  // namespace tailrace::cli
