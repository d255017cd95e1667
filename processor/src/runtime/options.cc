#include "runtime/options.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace tailrace::processor {
namespace {

// Our names, and those of Kafka Streams' classes: LogAndContinue..., LogAndFail..., DefaultProductionExceptionHandler.
ErrorHandler ParseHandler(const std::string& text) {
  ErrorResponse response = ErrorResponse::kContinue;
  if (text == "skip") response = ErrorResponse::kSkip;
  if (text == "fail" || absl::StrContains(text, "LogAndFail") || absl::StrContains(text, "DefaultProduction"))
    response = ErrorResponse::kFail;
  return [response](const ErrorContext&, const absl::Status&) { return response; };
}

}  // namespace

absl::StatusOr<RuntimeOptions> ParseRuntimeOptions(const base::Config& config) {
  RuntimeOptions options;
  options.application_id = config.String("application.id");
  TAILRACE_RETURN_IF_ERROR(ParseApplicationId(options.application_id).status());
  options.client_id = config.String("client.id");
  if (options.client_id.empty()) options.client_id = options.application_id;
  options.instance_id = config.String("group.instance.id");
  if (!options.instance_id.empty() && !IsLegalName(options.instance_id))
    return base::UsageError("'group.instance.id' is '" + options.instance_id +
                            "': it must be at most 200 letters, digits, '.', '_' or '-'");
  options.endpoint = config.String("application.server");
  if (options.endpoint.empty()) options.endpoint = config.String("grpc.listen");
  options.rack = config.String("client.rack");
  options.exactly_once = config.String("processing.guarantee") == "exactly_once_v2";
  options.thread_count = static_cast<int>(config.Int("num.stream.threads"));
  options.standby_replicas = static_cast<int>(config.Int("num.standby.replicas"));

  const std::string state_dir = config.String("state.dir");
  if (!state_dir.empty()) options.state_directory = state_dir + "/" + options.application_id;
  options.state_memory_bytes = config.Bytes("state.memory.bytes");
  options.cache_bytes_max = config.Bytes("statestore.cache.max.bytes");
  options.state_flush_interval_ms = config.Ms("state.flush.interval.ms");

  options.commit_interval_ms =
      config.IsSet("commit.interval.ms") || !options.exactly_once ? config.Ms("commit.interval.ms") : 100;
  options.uncommitted_bytes_max = config.Bytes("uncommitted.bytes.max");
  options.max_task_idle_ms = config.Int("max.task.idle.ms");
  options.max_future_skew_ms = config.Ms("max.future.skew.ms") == 0 ? -1 : config.Ms("max.future.skew.ms");
  options.idle_timeout_ms = config.Ms("stream.time.idle.timeout.ms");
  options.watermarks = config.String("stream.time.mode") == "watermark";
  options.watermark_idle_timeout_ms = config.Ms("watermark.idle.timeout.ms");
  options.task_timeout_ms = config.Ms("task.timeout.ms");
  options.transaction_timeout_ms = static_cast<int>(config.Ms("transaction.timeout.ms"));
  const std::string reset = config.String("auto.offset.reset");
  options.default_reset = reset == "latest" ? base::kOffsetEnd : base::kOffsetBeginning;
  options.refuse_without_offset = reset == "none";
  options.handlers.deserialization = ParseHandler(config.String("deserialization.exception.handler"));
  options.handlers.processing = ParseHandler(config.String("processing.exception.handler"));
  options.handlers.production = ParseHandler(config.String("production.exception.handler"));
  TAILRACE_ASSIGN_OR_RETURN(options.optimization, TopologyOptimization::Parse(config.String("topology.optimization")));
  options.explicit_names = config.Bool("ensure.explicit.internal.resource.naming");
  options.dead_letter_topic = config.String("errors.dead.letter.queue.topic.name");

  options.session_timeout_ms = static_cast<int>(config.Ms("session.timeout.ms"));
  options.heartbeat_interval_ms = static_cast<int>(
      config.IsSet("heartbeat.interval.ms")
          ? config.Ms("heartbeat.interval.ms")
          : std::min<int64_t>(config.Ms("heartbeat.interval.ms"), std::max<int64_t>(config.Ms("session.timeout.ms") / 3, 1)));
  options.max_poll_interval_ms =
      static_cast<int>(std::max(config.Ms("max.poll.interval.ms"), config.Ms("session.timeout.ms")));
  options.purge_interval_ms = config.Ms("repartition.purge.interval.ms");
  options.replication_factor = static_cast<int16_t>(config.Int("replication.factor"));
  options.changelog_additional_retention_ms = config.Ms("windowstore.changelog.additional.retention.ms");
  options.topic_overrides = config.WithPrefix("topic.");
  return options;
}

}  // namespace tailrace::processor
