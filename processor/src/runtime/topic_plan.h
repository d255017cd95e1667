// Which topics the application needs, with how many partitions, and how many tasks that makes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/assignment.h"
#include "runtime/options.h"
#include "tailrace/kafka/admin.h"
#include "tailrace/processor/topology.h"

namespace tailrace::processor {

struct TopicPlan {
  std::map<std::string, int32_t> partitions;   // of every source and repartition topic
  std::map<int32_t, int32_t> task_counts;      // by subtopology id
  std::vector<kafka::NewTopic> internal;       // repartition and changelog topics with their configuration

  std::vector<AssignableTask> Tasks(const Topology& topology) const;
  std::vector<base::TopicPartition> Inputs(const detail::Subtopology& subtopology, base::Partition partition) const;
};

// Resolves partition counts: a repartition topic without its own count gets that of the largest upstream source, and a
// copartitioned one that of its group. Pure. Errors: NOT_FOUND naming the missing source topic and how to create it;
// kInvalidArgument for copartitioned topics whose counts differ.
absl::StatusOr<TopicPlan> PlanTopics(const Topology& topology, const RuntimeOptions& options,
                                     const std::map<std::string, int32_t>& existing);

// Looks at the log, waits a bounded time for missing source topics (a line says so), creates internal topics and missing
// outputs, and checks existing internal ones: partition count and cleanup.policy. `keep_waiting` is asked between attempts.
absl::StatusOr<TopicPlan> PrepareTopics(const Topology& topology, const RuntimeOptions& options, kafka::Admin& admin,
                                        const std::function<bool()>& keep_waiting);

}  // namespace tailrace::processor
