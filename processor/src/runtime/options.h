// The configuration of one Streams, parsed once.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tailrace/processor/application_id.h"
#include "tailrace/processor/error_handlers.h"
#include "tailrace/processor/topology_optimization.h"
#include "tailrace/base/config.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::processor {

// Constant after construction and shared by all threads of a Streams.
struct RuntimeOptions {
  std::string application_id;
  std::string client_id;    // prefix of all client ids
  std::string instance_id;  // group.instance.id, or the name kept in the state directory; set by Streams
  std::string endpoint;     // application.server, else grpc.listen
  std::string rack;
  bool exactly_once = false;
  bool shared_log = true;   // false: this process is the only one that can reach the log; set by Streams
  int thread_count = 1;
  int standby_replicas = 0;  // num.standby.replicas

  std::string state_directory;  // "<state.dir>/<application.id>"; empty: everything in memory
  int64_t state_memory_bytes = 0;
  int64_t cache_bytes_max = 0;
  int64_t state_flush_interval_ms = 60'000;

  int64_t commit_interval_ms = 1'000;
  int64_t uncommitted_bytes_max = 64 << 20;
  int64_t max_task_idle_ms = 0;
  int64_t max_future_skew_ms = -1;
  int64_t idle_timeout_ms = 0;  // stream.time.idle.timeout.ms; 0: none
  bool watermarks = false;      // stream.time.mode=watermark
  int64_t watermark_idle_timeout_ms = 10'000;
  TopologyOptimization optimization;
  bool explicit_names = true;  // ensure.explicit.internal.resource.naming
  int64_t task_timeout_ms = 300'000;
  int transaction_timeout_ms = 10'000;
  base::Offset default_reset = base::kOffsetBeginning;
  bool refuse_without_offset = false;  // auto.offset.reset=none
  ErrorHandlers handlers;  // the configured ones; Streams puts the program's in their place
  std::string dead_letter_topic;

  int session_timeout_ms = 10'000;
  int heartbeat_interval_ms = 3'000;
  int max_poll_interval_ms = 300'000;
  int64_t purge_interval_ms = 30'000;

  int16_t replication_factor = -1;
  int64_t changelog_additional_retention_ms = 86'400'000;
  std::map<std::string, std::string> topic_overrides;  // topic.*

  std::string transactional_id(std::string_view instance, int thread) const {
    return application_id + "-" + std::string(instance) + "-" + std::to_string(thread);
  }
  kafka::MembershipOptions membership() const {
    return {.group = application_id,
            .coordination_topic = coordination_topic(),
            .instance_id = instance_id,
            .session_timeout_ms = session_timeout_ms,
            .heartbeat_interval_ms = heartbeat_interval_ms,
            .max_poll_interval_ms = max_poll_interval_ms};
  }
  std::string coordination_topic() const { return CoordinationTopicOf(application_id); }
};

// kInvalidArgument when application.id is missing or not a legal name.
absl::StatusOr<RuntimeOptions> ParseRuntimeOptions(const base::Config& config);

}  // namespace tailrace::processor
