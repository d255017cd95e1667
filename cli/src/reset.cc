// tailrace reset: back to the start. Internal topics and local state are deleted and the group's offsets are set anew
// (what Kafka Streams' application reset tool does, and the local state with it).
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tailrace/base/clock.h"
#include "tailrace/kafka/cluster.h"
#include "tailrace/pipeline/compile.h"
#include "tailrace/pipeline/timestamps.h"
#include "verb.h"
#include "worker_process.h"

namespace tailrace::cli {
namespace {

constexpr int kCallTimeoutMs = 10'000;
constexpr int kJoinTimeoutMs = 60'000;
constexpr int kPollMs = 100;

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

  std::vector<std::string> internal = {plan.application_id + "-coordination"};
  for (const auto& [name, topic] : topology.repartition_topics()) internal.push_back(name);
  for (const auto& subtopology : topology.subtopologies()) {
    for (const state::StoreSpec& store : subtopology.stores)
      if (store.logging) internal.push_back(store.changelog_topic);
    for (const std::string& source : subtopology.source_topics) {
      const auto& repartition = subtopology.repartition_sources;
      if (std::find(repartition.begin(), repartition.end(), source) != repartition.end()) continue;
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
  for (const std::string& topic : plan.topics) std::cout << prefix << "delete topic " << topic << "\n";
  if (std::filesystem::exists(plan.state)) std::cout << prefix << "delete " << plan.state.string() << "\n";
}

// Refuses while workers are members. Only a member may commit for a group, so this process then joins it for a moment.
absl::Status CommitAsMember(kafka::Cluster& cluster, const Plan& plan) {
  const std::string coordination = plan.application_id + "-coordination";
  TAILRACE_RETURN_IF_ERROR(cluster.admin().CreateTopics({{.name = coordination, .partition_count = 1, .config = {}}}, kCallTimeoutMs));
  TAILRACE_ASSIGN_OR_RETURN(const auto membership,
                            cluster.NewMembership({.group = plan.application_id,
                                                   .coordination_topic = coordination,
                                                   .instance_id = plan.application_id + "-reset"}));
  TAILRACE_ASSIGN_OR_RETURN(const auto live, membership->LiveMembers(kCallTimeoutMs));
  if (!live.empty())
    return absl::FailedPreconditionError(absl::StrCat("application ", plan.application_id, " has ", live.size(),
                                                      " live members (", live.front().instance_id,
                                                      ", ...); stop all workers, wait for session.timeout.ms, then reset"));
  if (plan.offsets.empty()) return absl::OkStatus();
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + kJoinTimeoutMs;
  while (membership->CurrentGroupMetadata() == nullptr) {
    if (base::SystemClock().SteadyMs() > deadline_ms)
      return absl::DeadlineExceededError(absl::StrCat("group ", plan.application_id, " could not be joined within 60 s"));
    TAILRACE_RETURN_IF_ERROR(membership->Poll(kPollMs).status());
  }
  TAILRACE_RETURN_IF_ERROR(membership->CommitOffsets(plan.offsets, kCallTimeoutMs));
  return membership->Leave();
}

absl::Status Reset(const ResetOptions& options) {
  TAILRACE_ASSIGN_OR_RETURN(const LoadedPipeline loaded, LoadPipelineAndConfig(options.pipeline, options.config));
  TAILRACE_ASSIGN_OR_RETURN(const auto cluster, kafka::Open(loaded.config));
  TAILRACE_ASSIGN_OR_RETURN(Plan plan, MakePlan(options, loaded, cluster->admin()));
  Show(plan, options.dry_run);
  if (options.dry_run) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(CommitAsMember(*cluster, plan));
  plan.topics.push_back(plan.application_id + "-coordination");
  std::sort(plan.topics.begin(), plan.topics.end());
  plan.topics.erase(std::unique(plan.topics.begin(), plan.topics.end()), plan.topics.end());
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
