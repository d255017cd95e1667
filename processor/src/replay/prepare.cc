// PrepareReplay: looks, decides, then changes the log, in this order; the commit of the offsets comes last.
#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "committed_metadata.h"
#include "replay/copy_windows.h"
#include "replay/cut.h"
#include "runtime/options.h"
#include "runtime/state_directory.h"
#include "runtime/topic_plan.h"
#include "tailrace/base/check.h"
#include "tailrace/base/clock.h"
#include "tailrace/kafka/group_admin.h"
#include "tailrace/processor/application_id.h"
#include "tailrace/processor/replay.h"

namespace tailrace::processor {
namespace {

constexpr int kCallTimeoutMs = 30'000;
constexpr int kFirstRecordTimeoutMs = 10'000;
constexpr int kPollMs = 100;
// A deleted topic is gone for all brokers within moments.
constexpr int64_t kGoneTimeoutMs = 30'000;

using Committed = std::map<base::TopicPartition, kafka::CommittedOffset>;

// All tasks that take part in one stream time: without repartition topics those of one partition.
struct Unit {
  std::vector<ReplayInput> inputs;
  ReplayCut cut;
};

class Preparation {
 public:
  Preparation(Topology& topology, const ReplayOptions& options, kafka::Cluster& cluster)
      : topology_(topology), options_(options), cluster_(cluster), admin_(cluster.admin()), groups_(kafka::GroupsOf(cluster)) {}

  absl::StatusOr<ReplayPlan> Run() {
    TAILRACE_ASSIGN_OR_RETURN(const ApplicationId live, ParseApplicationId(options_.live));
    plan_.application_id = ApplicationId{.name = live.name, .number = options_.number}.ToString();
    TAILRACE_RETURN_IF_ERROR(ParseApplicationId(plan_.application_id).status());
    if (plan_.application_id == options_.live)
      return base::UsageError(absl::StrCat("application ", options_.live, " cannot be its own replay; choose another --number"));
    TAILRACE_ASSIGN_OR_RETURN(const auto own, groups_.GroupOffsets(plan_.application_id, kCallTimeoutMs));
    plan_.prepared_before = !own.empty();
    if (plan_.prepared_before) return plan_;
    TAILRACE_ASSIGN_OR_RETURN(const auto listed, admin_.ListTopics(kCallTimeoutMs));
    for (const kafka::TopicDescription& topic : listed) existing_[topic.name] = topic.partition_count;
    TAILRACE_RETURN_IF_ERROR(PlanOwn());
    TAILRACE_RETURN_IF_ERROR(options_.from_ms.has_value() ? CutUnits() : absl::OkStatus());
    TAILRACE_RETURN_IF_ERROR(FindStarts());
    if (options_.dry_run) return plan_;
    TAILRACE_RETURN_IF_ERROR(Clear());
    TAILRACE_RETURN_IF_ERROR(admin_.CreateTopics(wanted_, kCallTimeoutMs));
    TAILRACE_RETURN_IF_ERROR(Copy());
    TAILRACE_RETURN_IF_ERROR(groups_.SetGroupOffsets(plan_.application_id, offsets_, kCallTimeoutMs));
    return plan_;
  }

 private:
  // The replay's topics, and what a preparation that died has left of them.
  absl::Status PlanOwn() {
    TAILRACE_ASSIGN_OR_RETURN(runtime_, ParseRuntimeOptions(options_.config.With("application.id", plan_.application_id)));
    TAILRACE_RETURN_IF_ERROR(topology_.Compile(options_.live));
    live_ = topology_.subtopologies();
    TAILRACE_RETURN_IF_ERROR(topology_.Compile(plan_.application_id));
    TAILRACE_ASSIGN_OR_RETURN(topics_, PlanTopics(topology_, runtime_, existing_));
    wanted_ = topics_.internal;
    for (const auto& [output, original] : options_.outputs) {
      if (!existing_.contains(original)) continue;  // the worker makes it as it makes any output
      TAILRACE_ASSIGN_OR_RETURN(const auto shape, admin_.DescribeTopic(original, kCallTimeoutMs));
      if (!shape.has_value()) continue;
      kafka::NewTopic topic{.name = output, .partition_count = shape->partition_count,
                            .replication_factor = runtime_.replication_factor, .config = {}};
      if (const auto policy = shape->config.find("cleanup.policy"); policy != shape->config.end()) topic.config.insert(*policy);
      wanted_.push_back(std::move(topic));
    }
    for (const kafka::NewTopic& topic : wanted_) plan_.topics.push_back(topic.name);
    std::set<std::string> names(plan_.topics.begin(), plan_.topics.end());
    for (const auto& [output, original] : options_.outputs) names.insert(output);
    names.insert(runtime_.coordination_topic());
    for (const std::string& name : names)
      if (existing_.contains(name)) plan_.leftovers.push_back(name);
    return absl::OkStatus();
  }

  // Where the live application stands, and what follows from it.
  absl::Status CutUnits() {
    TAILRACE_ASSIGN_OR_RETURN(const auto offsets, groups_.GroupOffsets(options_.live, kCallTimeoutMs));
    if (offsets.empty())
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("application ", options_.live, " has no committed offsets at ", cluster_.Description(),
                                      ", so there are no results to go on from; use --from earliest, or name the application that has "
                                      "them with --set application.id="));
    Committed committed;
    for (const kafka::CommittedOffset& offset : offsets) committed.emplace(offset.partition, offset);
    const bool one_unit = !topology_.repartition_topics().empty();
    for (const detail::Subtopology& subtopology : live_)
      for (const std::string& topic : subtopology.source_topics) TAILRACE_RETURN_IF_ERROR(AddInputs(subtopology, topic, committed, one_unit));
    int64_t live_time_ms = -1;
    for (const auto& [number, unit] : units_)
      for (const ReplayInput& input : unit.inputs) live_time_ms = std::max(live_time_ms, input.processed_ms);
    for (auto& [number, unit] : units_) {
      TAILRACE_ASSIGN_OR_RETURN(unit.cut, CutReplay(*options_.from_ms, options_.windows, unit.inputs, live_time_ms, plan_.notices));
    }
    return absl::OkStatus();
  }

  absl::Status AddInputs(const detail::Subtopology& subtopology, const std::string& topic, const Committed& committed, bool one_unit) {
    const auto found = existing_.find(topic);
    if (found == existing_.end())
      return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                         absl::StrCat("topic ", topic, " of application ", options_.live, " does not exist; use --from earliest"));
    const auto& repartition = subtopology.repartition_sources;
    for (int32_t p = 0; p < found->second; ++p) {
      ReplayInput input{.partition = {topic, base::Partition(p)}};
      input.repartition = std::find(repartition.begin(), repartition.end(), topic) != repartition.end();
      TAILRACE_ASSIGN_OR_RETURN(input.range, admin_.Offsets(input.partition, kCallTimeoutMs));
      if (const auto at = committed.find(input.partition); at != committed.end()) {
        input.committed = at->second.offset;
        input.processed_ms = DecodeCommittedMetadata(at->second.metadata).partition_time_ms;
      }
      if (input.cut_short() && !input.empty()) {
        TAILRACE_ASSIGN_OR_RETURN(input.begin_ms, FirstTime(input));
      }
      units_[one_unit ? 0 : p].inputs.push_back(std::move(input));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> FirstTime(const ReplayInput& input) {
    TAILRACE_ASSIGN_OR_RETURN(const auto consumer, cluster_.NewConsumer({.client_id = runtime_.client_id + "-replay", .read_committed = true}));
    TAILRACE_RETURN_IF_ERROR(consumer->Assign({{input.partition, input.range.begin}}));
    const int64_t deadline_ms = base::SystemClock().SteadyMs() + kFirstRecordTimeoutMs;
    kafka::RecordBatch batch;
    while (batch.empty()) {
      if (base::SystemClock().SteadyMs() > deadline_ms)
        return absl::UnavailableError(absl::StrCat("the first record of ", input.partition.ToString(), " could not be read"));
      const absl::Status status = consumer->Poll(batch, kPollMs);
      if (!status.ok() && base::ReactionOf(status) != base::Reaction::kRetry) return status;
    }
    return batch.records().front().timestamp_ms;
  }

  const ReplayCut& CutOf(base::Partition partition) const {
    const auto own = units_.find(topology_.repartition_topics().empty() ? partition.value() : 0);
    TAILRACE_CHECK(own != units_.end(), "each partition of an input has a unit");
    return own->second.cut;
  }

  // Operators keep the time that they have seen under their own names.
  std::string Metadata(const detail::Subtopology& subtopology, base::Partition partition) const {
    if (!options_.from_ms.has_value()) return {};
    CommittedMetadata metadata{.partition_time_ms = CutOf(partition).stream_time_ms, .operator_times_ms = {}};
    for (const detail::NodeSpec* node : subtopology.nodes)
      for (const ReplayWindows& windows : options_.windows)
        if (std::find(node->stores.begin(), node->stores.end(), windows.store) != node->stores.end())
          metadata.operator_times_ms[node->name] = metadata.partition_time_ms;
    return EncodeCommittedMetadata(metadata);
  }

  absl::Status FindStarts() {
    for (const detail::Subtopology& subtopology : topology_.subtopologies()) {
      const auto& repartition = subtopology.repartition_sources;
      for (const std::string& topic : subtopology.source_topics) {
        const bool is_repartition = std::find(repartition.begin(), repartition.end(), topic) != repartition.end();
        for (int32_t p = 0; p < topics_.partitions.at(topic); ++p) {
          const base::TopicPartition partition{topic, base::Partition(p)};
          base::Offset start(0);  // a repartition topic begins empty
          if (!is_repartition) {
            TAILRACE_ASSIGN_OR_RETURN(const kafka::OffsetRange range, admin_.Offsets(partition, kCallTimeoutMs));
            start = range.begin;
            if (options_.from_ms.has_value() && CutOf(partition.partition).read_from_ms > 0) {
              TAILRACE_ASSIGN_OR_RETURN(start, admin_.OffsetForTime(partition, CutOf(partition.partition).read_from_ms, kCallTimeoutMs));
            }
            plan_.starts.push_back({partition, start, range.end});
          }
          offsets_.push_back({partition, start, Metadata(subtopology, partition.partition)});
        }
      }
    }
    return absl::OkStatus();
  }

  // What there is under the replay's name was never used: it has no offsets.
  absl::Status Clear() {
    if (!runtime_.state_directory.empty()) {
      {
        TAILRACE_ASSIGN_OR_RETURN(const auto held, StateDirectory::Open(runtime_.state_directory));
      }
      std::error_code error;
      std::filesystem::remove_all(runtime_.state_directory, error);
      if (error)
        return absl::UnavailableError(absl::StrCat("cannot delete ", runtime_.state_directory, ": ", error.message(), "; delete it by hand"));
    }
    if (plan_.leftovers.empty()) return absl::OkStatus();
    TAILRACE_RETURN_IF_ERROR(admin_.DeleteTopics(plan_.leftovers, kCallTimeoutMs));
    const int64_t deadline_ms = base::SystemClock().SteadyMs() + kGoneTimeoutMs;
    absl::Notification never;  // the log does not tell
    for (const std::string& topic : plan_.leftovers) {
      for (;;) {
        TAILRACE_ASSIGN_OR_RETURN(const auto found, admin_.DescribeTopic(topic, kCallTimeoutMs));
        if (!found.has_value()) break;
        if (base::SystemClock().SteadyMs() > deadline_ms)
          return absl::UnavailableError(absl::StrCat("topic ", topic, " of an earlier preparation is not gone after it was deleted; try again"));
        never.WaitForNotificationWithTimeout(absl::Milliseconds(kPollMs));
      }
    }
    return absl::OkStatus();
  }

  std::string LiveChangelog(const std::string& name) const {
    for (const detail::Subtopology& subtopology : live_)
      for (const state::StoreSpec& store : subtopology.stores)
        if (store.name == name) return store.changelog_topic;
    return {};
  }

  absl::Status Copy() {
    if (!options_.from_ms.has_value()) return absl::OkStatus();
    TAILRACE_ASSIGN_OR_RETURN(const auto producer, cluster_.NewProducer({.client_id = runtime_.client_id + "-replay", .transactional_id = {}}));
    for (const detail::Subtopology& subtopology : topology_.subtopologies()) {
      for (const state::StoreSpec& store : subtopology.stores) {
        const auto windows = std::find_if(options_.windows.begin(), options_.windows.end(),
                                          [&](const ReplayWindows& one) { return one.store == store.name; });
        if (windows == options_.windows.end())
          return base::UsageError(absl::StrCat("store ", store.name, " has no windows that can be rebuilt from the middle; use --from earliest"));
        const std::string from = LiveChangelog(store.name);
        const int32_t partitions = topics_.task_counts.at(subtopology.id);
        const auto found = existing_.find(from);
        if (found == existing_.end() || found->second != partitions)
          return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                             absl::StrCat("changelog ", from, " of the live application does not exist with ", partitions,
                                          " partitions; has it run with this pipeline? Use --from earliest"));
        TAILRACE_ASSIGN_OR_RETURN(const auto consumer, cluster_.NewConsumer({.client_id = runtime_.client_id + "-replay",
                                                                             .read_committed = true, .restore = true}));
        TAILRACE_ASSIGN_OR_RETURN(const int64_t copied,
                                  CopyClosedWindows({.from = from, .to = store.changelog_topic, .windows = *windows,
                                                     .stream_time_ms = [this](base::Partition p) { return CutOf(p).stream_time_ms; },
                                                     .partition_count = partitions,
                                                     .schema = options_.check_values ? store.schema.get() : nullptr},
                                                    *consumer, *producer));
        plan_.copied_records += copied;
      }
    }
    return absl::OkStatus();
  }

  Topology& topology_;
  const ReplayOptions& options_;
  kafka::Cluster& cluster_;
  kafka::Admin& admin_;
  kafka::GroupAdmin& groups_;
  ReplayPlan plan_;
  RuntimeOptions runtime_;
  std::map<std::string, int32_t> existing_;
  std::vector<detail::Subtopology> live_;
  TopicPlan topics_;
  std::vector<kafka::NewTopic> wanted_;
  std::map<int32_t, Unit> units_;
  std::vector<kafka::OffsetToCommit> offsets_;
};

}  // namespace

absl::StatusOr<int> GreatestReplay(kafka::Cluster& cluster, const std::string& name) {
  // Every replay has topics, so their names say which numbers to ask about.
  TAILRACE_ASSIGN_OR_RETURN(const auto topics, cluster.admin().ListTopics(kCallTimeoutMs));
  std::set<int, std::greater<>> numbers;  // greatest first
  for (const kafka::TopicDescription& topic : topics)
    if (const int number = ReplayOfTopic(name, topic.name); number > 0) numbers.insert(number);
  for (const int number : numbers) {
    TAILRACE_ASSIGN_OR_RETURN(const auto offsets,
                              kafka::GroupsOf(cluster).GroupOffsets(ApplicationId{.name = name, .number = number}.ToString(), kCallTimeoutMs));
    if (!offsets.empty()) return number;
  }
  return 0;
}

absl::StatusOr<ReplayPlan> PrepareReplay(Topology& topology, const ReplayOptions& options, kafka::Cluster& cluster) {
  return Preparation(topology, options, cluster).Run();
}

}  // namespace tailrace::processor
