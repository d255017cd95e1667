#include "rdkafka/topic_query.h"

#include <algorithm>
#include <array>

#include "tailrace/base/clock.h"

namespace tailrace::kafka::rdkafka {
namespace {

using TopicCollectionPtr = std::unique_ptr<rd_kafka_TopicCollection_t, Destroyer<rd_kafka_TopicCollection_destroy>>;

// The event itself comes this much later than the time given to the request, at worst.
constexpr int kEventGraceMs = 1'000;

}  // namespace

AdminOptionsPtr NewAdminOptions(rd_kafka_t* rk, rd_kafka_admin_op_t operation, int timeout_ms) {
  AdminOptionsPtr options(rd_kafka_AdminOptions_new(rk, operation));
  std::array<char, 128> ignored{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, ignored.data(), ignored.size());
  return options;
}

absl::StatusOr<std::optional<TopicFacts>> QueryTopic(Client& client, const std::string& topic, int timeout_ms) {
  const char* names[] = {topic.c_str()};
  TopicCollectionPtr topics(rd_kafka_TopicCollection_of_topic_names(names, 1));
  QueuePtr queue(rd_kafka_queue_new(client.get()));
  AdminOptionsPtr options = NewAdminOptions(client.get(), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout_ms);
  rd_kafka_DescribeTopics(client.get(), topics.get(), options.get(), queue.get());
  const std::string what = "look for topic " + topic;
  EventPtr event = WaitForEvent(queue.get(), timeout_ms + kEventGraceMs);
  if (event == nullptr) return client.Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = {}}, Phase::kAdmin, what);
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client.Explain({.code = code, .text = rd_kafka_event_error_string(event.get())}, Phase::kAdmin, what);
  }
  size_t count = 0;
  const rd_kafka_TopicDescription_t** descriptions =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count == 0) return std::nullopt;
  const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(descriptions[0]);
  const rd_kafka_resp_err_t code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client.Explain({.code = code, .text = rd_kafka_error_string(error)}, Phase::kAdmin, what);
  }
  size_t partitions = 0;
  rd_kafka_TopicDescription_partitions(descriptions[0], &partitions);
  const char* const id = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(descriptions[0]));
  return TopicFacts{static_cast<int32_t>(partitions), id == nullptr ? "" : id};
}

absl::StatusOr<OffsetRange> QueryOffsetRange(Client& client, const base::TopicPartition& partition, Phase phase, int timeout_ms) {
  constexpr int kPauseMs = 50;
  const base::Clock& clock = base::SystemClock();
  const int64_t deadline_ms = clock.SteadyMs() + timeout_ms;
  for (;;) {
    int64_t begin = 0;
    int64_t end = 0;
    const auto left_ms = static_cast<int>(std::max<int64_t>(deadline_ms - clock.SteadyMs(), 1));
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(client.get(), partition.topic.c_str(),
                                                                partition.partition.value(), &begin, &end, left_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return OffsetRange{base::Offset{begin}, base::Offset{end}};
    if (code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
      // Out of the client's memory, which holds a topic without partitions when a broker that was starting said so.
      TAILRACE_ASSIGN_OR_RETURN(const std::optional<TopicFacts> facts, QueryTopic(client, partition.topic, left_ms));
      if (facts && facts->partition_count > partition.partition.value()) code = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    const bool stale_leader = code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    if (!stale_leader || clock.SteadyMs() + kPauseMs >= deadline_ms)
      return client.Explain({.code = code, .text = {}}, phase, "ask for the offsets of " + partition.ToString());
    // Nothing is ever put into this queue: it is only waited on. The client's own may hold fetched records.
    QueuePtr pause(rd_kafka_queue_new(client.get()));
    rd_kafka_queue_poll(pause.get(), kPauseMs);
  }
}

}  // namespace tailrace::kafka::rdkafka
