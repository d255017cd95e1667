#include "rdkafka/topic_query.h"

#include <array>

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

absl::StatusOr<std::optional<int32_t>> QueryPartitionCount(Client& client, const std::string& topic, int timeout_ms) {
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
  return static_cast<int32_t>(partitions);
}

}  // namespace tailrace::kafka::rdkafka
