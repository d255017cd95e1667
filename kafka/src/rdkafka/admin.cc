#include "rdkafka/admin.h"

#include <array>
#include <thread>

#include "absl/strings/str_cat.h"
#include "rdkafka/topic_query.h"
#include "tailrace/base/clock.h"

namespace tailrace::kafka::rdkafka {
namespace {

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>>;
using DeleteTopicPtr = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>>;
using DeleteRecordsPtr = std::unique_ptr<rd_kafka_DeleteRecords_t, Destroyer<rd_kafka_DeleteRecords_destroy>>;
using ConfigResourcePtr = std::unique_ptr<rd_kafka_ConfigResource_t, Destroyer<rd_kafka_ConfigResource_destroy>>;
using MetadataPtr = std::unique_ptr<const rd_kafka_metadata_t, Destroyer<rd_kafka_metadata_destroy>>;

constexpr int kEventGraceMs = 1'000;
// Between two looks whether all brokers know a new topic.
constexpr int kVisibleRetryMs = 20;

template <class Ptr>
auto Raw(const std::vector<Ptr>& owned) {
  std::vector<typename Ptr::pointer> raw;
  for (const Ptr& pointer : owned) raw.push_back(pointer.get());
  return raw;
}

}  // namespace

absl::StatusOr<Client*> RdAdmin::client() {
  absl::MutexLock lock(&mu_);
  if (client_ == nullptr) {
    TAILRACE_ASSIGN_OR_RETURN(client_, Client::New(RD_KAFKA_PRODUCER, settings_, {}));
  }
  // Serves the error callback, which explains calls that run out of time.
  rd_kafka_poll(client_->get(), 0);
  return client_.get();
}

absl::StatusOr<EventPtr> RdAdmin::Ask(Client& client, rd_kafka_admin_op_t operation, int timeout_ms, const std::string& what,
                                      const Request& request) {
  QueuePtr queue(rd_kafka_queue_new(client.get()));
  AdminOptionsPtr options = NewAdminOptions(client.get(), operation, timeout_ms);
  request(client.get(), options.get(), queue.get());
  EventPtr event = WaitForEvent(queue.get(), timeout_ms + kEventGraceMs);
  rd_kafka_poll(client.get(), 0);
  if (event == nullptr) return client.Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = {}}, Phase::kAdmin, what);
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client.Explain({.code = code, .text = rd_kafka_event_error_string(event.get())}, Phase::kAdmin, what);
  }
  return event;
}

absl::Status RdAdmin::CreateTopics(const std::vector<NewTopic>& topics, int timeout_ms) {
  if (topics.empty()) return absl::OkStatus();
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + timeout_ms;
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  std::vector<NewTopicPtr> requests;
  std::array<char, 512> problem{};
  for (const NewTopic& topic : topics) {
    NewTopicPtr request(
        rd_kafka_NewTopic_new(topic.name.c_str(), topic.partition_count, topic.replication_factor, problem.data(), problem.size()));
    if (request == nullptr) return base::UsageError(absl::StrCat("topic ", topic.name, " cannot be made: ", problem.data()));
    for (const auto& [key, value] : topic.config) rd_kafka_NewTopic_set_config(request.get(), key.c_str(), value.c_str());
    requests.push_back(std::move(request));
  }
  std::vector<rd_kafka_NewTopic_t*> raw = Raw(requests);
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(*client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms, "create topics",
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_CreateTopics(rk, raw.data(), raw.size(), options, queue);
                                                }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return client->Explain({.code = code, .text = text == nullptr ? "" : text}, Phase::kAdmin,
                           absl::StrCat("create topic ", rd_kafka_topic_result_name(results[i])));
  }
  for (const NewTopic& topic : topics) TAILRACE_RETURN_IF_ERROR(WaitUntilVisible(*client, topic, deadline_ms));
  return absl::OkStatus();
}

absl::Status RdAdmin::WaitUntilVisible(Client& client, const NewTopic& topic, int64_t deadline_ms) {
  while (true) {
    const int64_t left_ms = deadline_ms - base::SystemClock().SteadyMs();
    if (left_ms <= 0) {
      return client.Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = {}}, Phase::kAdmin, "wait for the new topic " + topic.name);
    }
    TAILRACE_ASSIGN_OR_RETURN(const std::optional<TopicFacts> facts, QueryTopic(client, topic.name, static_cast<int>(left_ms)));
    if (facts) return absl::OkStatus();
    // The controller has made it, the broker that was asked has not heard of it: there is no event to wait for.
    rd_kafka_poll(client.get(), kVisibleRetryMs);
  }
}

absl::Status RdAdmin::DeleteTopics(const std::vector<std::string>& topics, int timeout_ms) {
  if (topics.empty()) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  std::vector<DeleteTopicPtr> requests;
  for (const std::string& topic : topics) requests.emplace_back(rd_kafka_DeleteTopic_new(topic.c_str()));
  std::vector<rd_kafka_DeleteTopic_t*> raw = Raw(requests);
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(*client, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms, "delete topics",
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_DeleteTopics(rk, raw.data(), raw.size(), options, queue);
                                                }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return client->Explain({.code = code, .text = text == nullptr ? "" : text}, Phase::kAdmin,
                           absl::StrCat("delete topic ", rd_kafka_topic_result_name(results[i])));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TopicDescription>> RdAdmin::ListTopics(int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_metadata(client->get(), 1, nullptr, &raw, timeout_ms);
  MetadataPtr metadata(raw);
  rd_kafka_poll(client->get(), 0);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client->Explain({.code = code, .text = {}}, Phase::kAdmin, "list topics");
  std::vector<TopicDescription> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    topics.push_back({metadata->topics[i].topic, metadata->topics[i].partition_cnt, {}, {}});
  }
  return topics;
}

absl::StatusOr<std::optional<TopicDescription>> RdAdmin::DescribeTopic(std::string_view name, int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  TopicDescription topic;
  topic.name = name;
  TAILRACE_ASSIGN_OR_RETURN(std::optional<TopicFacts> facts, QueryTopic(*client, topic.name, timeout_ms));
  if (!facts) return std::nullopt;
  topic.partition_count = facts->partition_count;
  topic.id = std::move(facts->id);
  const std::string what = "describe topic " + topic.name;
  ConfigResourcePtr resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(*client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms, what,
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_DescribeConfigs(rk, resources, 1, options, queue);
                                                }));
  size_t resource_count = 0;
  const rd_kafka_ConfigResource_t** described =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &resource_count);
  if (resource_count != 1) return topic;
  const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(described[0]);
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* text = rd_kafka_ConfigResource_error_string(described[0]);
    return client->Explain({.code = code, .text = text == nullptr ? "" : text}, Phase::kAdmin, what);
  }
  size_t entry_count = 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(described[0], &entry_count);
  for (size_t i = 0; i < entry_count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr) topic.config[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  return topic;
}

absl::Status RdAdmin::DeleteRecords(const std::vector<AssignedPartition>& before, int timeout_ms) {
  if (before.empty()) return absl::OkStatus();
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  PartitionListPtr list = NewPartitionList(before.size());
  for (const AssignedPartition& assigned : before) AddPartition(list.get(), assigned.partition, assigned.start.value());
  DeleteRecordsPtr request(rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(*client, RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout_ms, "delete records",
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_DeleteRecords(rk, requests, 1, options, queue);
                                                }));
  const rd_kafka_topic_partition_list_t* results =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < results->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = results->elems[i];
    if (entry.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    return client->Explain({.code = entry.err, .text = {}}, Phase::kAdmin,
                           absl::StrCat("delete records of ", entry.topic, "-", entry.partition));
  }
  return absl::OkStatus();
}

absl::StatusOr<base::Offset> RdAdmin::OffsetForTime(const base::TopicPartition& partition, int64_t timestamp_ms, int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  PartitionListPtr list = NewPartitionList(1);
  AddPartition(list.get(), partition, timestamp_ms);
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client->get(), list.get(), timeout_ms);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
  rd_kafka_poll(client->get(), 0);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client->Explain({.code = code, .text = {}}, Phase::kAdmin, "find a time in " + partition.ToString());
  }
  if (list->elems[0].offset >= 0) return base::Offset{list->elems[0].offset};
  TAILRACE_ASSIGN_OR_RETURN(const OffsetRange range, Offsets(partition, timeout_ms));
  return range.end;
}

absl::StatusOr<OffsetRange> RdAdmin::Offsets(const base::TopicPartition& partition, int timeout_ms) {
  TAILRACE_ASSIGN_OR_RETURN(Client * client, this->client());
  return QueryOffsetRange(*client, partition, Phase::kAdmin, timeout_ms);
}

}  // namespace tailrace::kafka::rdkafka
