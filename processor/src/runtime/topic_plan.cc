#include "runtime/topic_plan.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tailrace/base/clock.h"
#include "tailrace/base/log.h"

namespace tailrace::processor {
namespace {

constexpr int kAdminTimeoutMs = 10'000;
// How long Start waits for source topics that do not exist yet, and for a broker that does not answer.
constexpr int64_t kMissingTopicWaitMs = 15'000;
// Beyond the history of a versioned store (VersionedChangelogTopicConfig).
constexpr int64_t kVersionedCompactionLagMs = 24 * 60 * 60 * 1000;

int64_t AddSaturated(int64_t a, int64_t b) { return a > std::numeric_limits<int64_t>::max() - b ? std::numeric_limits<int64_t>::max() : a + b; }

void Override(std::map<std::string, std::string>& config, const std::map<std::string, std::string>& overrides) {
  for (const auto& [key, value] : overrides) config[key] = value;
}

// Library < topic. prefix < store (Kafka Streams' order).
kafka::NewTopic ChangelogTopic(const state::StoreSpec& store, int32_t partition_count, const RuntimeOptions& options) {
  kafka::NewTopic topic{.name = store.changelog_topic, .partition_count = partition_count,
                        .replication_factor = options.replication_factor, .config = {}};
  topic.config["message.timestamp.type"] = "CreateTime";
  topic.config["cleanup.policy"] = "compact";
  if (store.windowed()) {
    topic.config["cleanup.policy"] = store.retain_duplicates ? "delete" : "compact,delete";
    topic.config["retention.ms"] =
        std::to_string(AddSaturated(store.retention_ms, options.changelog_additional_retention_ms));
  }
  if (store.kind == state::StoreKind::kVersioned) {
    // A version must not be compacted away while it is history.
    topic.config["min.compaction.lag.ms"] = std::to_string(AddSaturated(store.history_retention_ms, kVersionedCompactionLagMs));
  }
  Override(topic.config, options.topic_overrides);
  Override(topic.config, store.changelog_config);
  return topic;
}

kafka::NewTopic RepartitionTopicOf(const std::string& name, int32_t partition_count, const RuntimeOptions& options) {
  kafka::NewTopic topic{.name = name, .partition_count = partition_count,
                        .replication_factor = options.replication_factor,
                        .config = {{"cleanup.policy", "delete"},
                                   {"message.timestamp.type", "CreateTime"},
                                   {"retention.ms", "-1"},
                                   {"segment.bytes", "52428800"}}};
  Override(topic.config, options.topic_overrides);
  topic.config["cleanup.policy"] = "delete";  // records are deleted after they were processed, never compacted
  return topic;
}

class Resolver {
 public:
  Resolver(const Topology& topology, const std::map<std::string, int32_t>& existing)
      : topology_(topology), existing_(existing) {}

  absl::StatusOr<std::map<std::string, int32_t>> Resolve() {
    for (const detail::Subtopology& subtopology : topology_.subtopologies()) {
      for (const std::string& topic : subtopology.source_topics) {
        if (topology_.repartition_topics().contains(topic)) continue;
        const auto found = existing_.find(topic);
        if (found == existing_.end())
          return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound,
                             absl::StrCat("source topic '", topic, "' does not exist; create it before the worker starts, "
                                          "for example with: tailrace topics create ", topic, " --partitions 4"));
        partitions_[topic] = found->second;
      }
    }
    for (const std::string& topic : topology_.global().source_topics) {
      const auto found = existing_.find(topic);
      if (found == existing_.end())
        return base::Error(base::Reaction::kFatal, absl::StatusCode::kNotFound,
                           absl::StrCat("topic '", topic, "' of a global table does not exist; create it before the worker "
                                        "starts, for example with: tailrace topics create ", topic, " --partitions 1"));
      partitions_[topic] = found->second;
    }
    // Counts that the program gave, then those that follow from a group, then those that follow from upstream.
    for (const auto& [name, topic] : topology_.repartition_topics())
      if (topic.partition_count.has_value()) partitions_[name] = *topic.partition_count;
    for (const auto& [name, topic] : topology_.repartition_topics())
      if (!partitions_.contains(name)) {
        std::set<std::string> visiting;
        partitions_[name] = std::max(Upstream(name, visiting), 1);
      }
    for (const auto& group : topology_.copartition_topics()) TAILRACE_RETURN_IF_ERROR(Equalise(group));
    return partitions_;
  }

 private:
  // The largest source of the subtopologies that write to this repartition topic.
  int32_t Upstream(const std::string& name, std::set<std::string>& visiting) {
    if (!visiting.insert(name).second) return 0;
    int32_t largest = 0;
    for (const detail::Subtopology& subtopology : topology_.subtopologies()) {
      const auto& sinks = subtopology.sink_topics;
      if (std::find(sinks.begin(), sinks.end(), name) == sinks.end()) continue;
      for (const std::string& source : subtopology.source_topics) {
        const auto known = partitions_.find(source);
        largest = std::max(largest, known != partitions_.end() ? known->second : Upstream(source, visiting));
      }
    }
    return largest;
  }

  // Repartition topics without a fixed count follow the group; the others must agree.
  absl::Status Equalise(const std::vector<std::string>& group) {
    std::optional<int32_t> fixed;
    std::string fixed_by;
    int32_t largest = 0;
    for (const std::string& topic : group) {
      const auto repartition = topology_.repartition_topics().find(topic);
      const bool free = repartition != topology_.repartition_topics().end() && !repartition->second.partition_count.has_value();
      const int32_t count = partitions_.at(topic);
      largest = std::max(largest, count);
      if (free) continue;
      if (fixed.has_value() && *fixed != count)
        return base::UsageError(absl::StrCat("topics '", fixed_by, "' and '", topic, "' are joined but have ", *fixed, " and ",
                                             count, " partitions; they need equally many: repartition() one of them"));
      fixed = count;
      fixed_by = topic;
    }
    for (const std::string& topic : group) partitions_[topic] = fixed.value_or(largest);
    return absl::OkStatus();
  }

  const Topology& topology_;
  const std::map<std::string, int32_t>& existing_;
  std::map<std::string, int32_t> partitions_;
};

std::set<std::string> PolicySet(const std::string& policy) {
  std::set<std::string> set;
  for (const auto part : absl::StrSplit(policy, ',', absl::SkipWhitespace()))
    set.insert(std::string(absl::StripAsciiWhitespace(part)));
  return set;
}

absl::Status CheckExisting(const kafka::NewTopic& wanted, const kafka::TopicDescription& found) {
  if (found.partition_count != wanted.partition_count)
    return base::UsageError(absl::StrCat("internal topic '", wanted.name, "' has ", found.partition_count, " partitions, but ",
                                         wanted.partition_count, " tasks need ", wanted.partition_count,
                                         "; was a source topic repartitioned? Stop all workers and run: tailrace reset"));
  const auto policy = found.config.find("cleanup.policy");
  const auto wanted_policy = wanted.config.find("cleanup.policy");
  if (policy != found.config.end() && wanted_policy != wanted.config.end() &&
      PolicySet(policy->second) != PolicySet(wanted_policy->second))
    return base::UsageError(absl::StrCat("internal topic '", wanted.name, "' has cleanup.policy=", policy->second,
                                         " but needs cleanup.policy=", wanted_policy->second, "; change it, or set topic.cleanup.policy"));
  return absl::OkStatus();
}

absl::Status EnsureInternal(const TopicPlan& plan, const std::map<std::string, int32_t>& existing, kafka::Admin& admin) {
  std::vector<kafka::NewTopic> missing;
  for (const kafka::NewTopic& topic : plan.internal)
    if (!existing.contains(topic.name)) missing.push_back(topic);
  if (!missing.empty()) {
    TAILRACE_RETURN_IF_ERROR(admin.CreateTopics(missing, kAdminTimeoutMs));
    for (const kafka::NewTopic& topic : missing)
      base::LogInfo("streams", "internal topic created", {{"topic", topic.name}, {"partitions", topic.partition_count}});
  }
  // Every one is checked, created or not: another process may have created it from another topology at the same moment.
  for (const kafka::NewTopic& topic : plan.internal) {
    TAILRACE_ASSIGN_OR_RETURN(const auto found, admin.DescribeTopic(topic.name, kAdminTimeoutMs));
    if (!found.has_value())
      return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable,
                         absl::StrCat("internal topic '", topic.name, "' was created but is not there yet"));
    TAILRACE_RETURN_IF_ERROR(CheckExisting(topic, *found));
  }
  return absl::OkStatus();
}

// What the application writes to and nobody has made yet, with as many partitions as the tasks that write it: a broker that
// makes topics by itself would do the same with its own default.
absl::Status EnsureOutputs(const Topology& topology, const TopicPlan& plan, const RuntimeOptions& options,
                           const std::map<std::string, int32_t>& existing, kafka::Admin& admin) {
  std::map<std::string, int32_t> missing;
  const auto want = [&](const std::string& topic, int32_t partitions) {
    if (!existing.contains(topic) && !plan.partitions.contains(topic)) missing[topic] = std::max(missing[topic], partitions);
  };
  for (const detail::Subtopology& subtopology : topology.subtopologies())
    for (const std::string& topic : subtopology.sink_topics) want(topic, plan.task_counts.at(subtopology.id));
  if (!options.dead_letter_topic.empty()) want(options.dead_letter_topic, 1);
  std::vector<kafka::NewTopic> topics;
  for (const auto& [name, partitions] : missing)
    topics.push_back({.name = name, .partition_count = partitions, .replication_factor = options.replication_factor, .config = {}});
  if (topics.empty()) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(admin.CreateTopics(topics, kAdminTimeoutMs));
  for (const kafka::NewTopic& topic : topics)
    base::LogInfo("streams", "output topic created", {{"topic", topic.name}, {"partitions", topic.partition_count}});
  return absl::OkStatus();
}

absl::StatusOr<TopicPlan> PrepareOnce(const Topology& topology, const RuntimeOptions& options, kafka::Admin& admin) {
  TAILRACE_ASSIGN_OR_RETURN(const auto topics, admin.ListTopics(kAdminTimeoutMs));
  std::map<std::string, int32_t> existing;
  for (const kafka::TopicDescription& topic : topics) existing[topic.name] = topic.partition_count;
  TAILRACE_ASSIGN_OR_RETURN(TopicPlan plan, PlanTopics(topology, options, existing));
  if (options.shared_log)
    plan.internal.push_back({.name = options.coordination_topic(), .partition_count = 1,
                             .replication_factor = options.replication_factor,
                             .config = {{"cleanup.policy", "compact"}}});
  TAILRACE_RETURN_IF_ERROR(EnsureInternal(plan, existing, admin));
  TAILRACE_RETURN_IF_ERROR(EnsureOutputs(topology, plan, options, existing, admin));
  return plan;
}

}  // namespace

std::vector<AssignableTask> TopicPlan::Tasks(const Topology& topology) const {
  std::vector<AssignableTask> tasks;
  for (const detail::Subtopology& subtopology : topology.subtopologies()) {
    const auto& stores = subtopology.stores;
    const bool logged = std::any_of(stores.begin(), stores.end(), [](const state::StoreSpec& spec) { return spec.logging; });
    for (int32_t partition = 0; partition < task_counts.at(subtopology.id); ++partition)
      tasks.push_back({{subtopology.id, base::Partition(partition)}, 1 + static_cast<int>(stores.size()), logged});
  }
  return tasks;
}

std::vector<base::TopicPartition> TopicPlan::Inputs(const detail::Subtopology& subtopology, base::Partition partition) const {
  std::vector<base::TopicPartition> inputs;
  for (const std::string& topic : subtopology.source_topics)
    if (partition.value() < partitions.at(topic)) inputs.push_back({topic, partition});
  return inputs;
}

absl::StatusOr<TopicPlan> PlanTopics(const Topology& topology, const RuntimeOptions& options,
                                     const std::map<std::string, int32_t>& existing) {
  TopicPlan plan;
  TAILRACE_ASSIGN_OR_RETURN(plan.partitions, Resolver(topology, existing).Resolve());
  for (const auto& [name, topic] : topology.repartition_topics())
    plan.internal.push_back(RepartitionTopicOf(name, plan.partitions.at(name), options));
  for (const detail::Subtopology& subtopology : topology.subtopologies()) {
    int32_t tasks = 0;
    for (const std::string& topic : subtopology.source_topics) tasks = std::max(tasks, plan.partitions.at(topic));
    plan.task_counts[subtopology.id] = tasks;
    for (const state::StoreSpec& store : subtopology.stores) {
      const auto& sources = subtopology.source_topics;
      const bool is_source = std::find(sources.begin(), sources.end(), store.changelog_topic) != sources.end();
      if (store.logging && !is_source) plan.internal.push_back(ChangelogTopic(store, tasks, options));
    }
  }
  return plan;
}

absl::StatusOr<TopicPlan> PrepareTopics(const Topology& topology, const RuntimeOptions& options, kafka::Admin& admin,
                                        const std::function<bool()>& keep_waiting) {
  const base::Clock& clock = base::SystemClock();
  const int64_t start_ms = clock.SteadyMs();
  bool said = false;
  for (;;) {
    absl::StatusOr<TopicPlan> plan = PrepareOnce(topology, options, admin);
    if (plan.ok()) return plan;
    const bool missing = plan.status().code() == absl::StatusCode::kNotFound;
    const bool retry = base::ReactionOf(plan.status()) == base::Reaction::kRetry;
    const int64_t waited_ms = clock.SteadyMs() - start_ms;
    if ((!missing && !retry) || waited_ms >= (missing ? kMissingTopicWaitMs : options.task_timeout_ms)) return plan.status();
    if (!std::exchange(said, true))
      base::LogWarning("streams", "waiting for topics", {{"reason", plan.status()}});
    if (!keep_waiting()) return plan.status();
  }
}

}  // namespace tailrace::processor
