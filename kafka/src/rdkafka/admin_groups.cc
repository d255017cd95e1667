// The part of RdAdmin that looks after groups.
#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "rdkafka/admin.h"
#include "tailrace/base/clock.h"

namespace tailrace::kafka::rdkafka {
namespace {

using ListOffsetsPtr = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, Destroyer<rd_kafka_ListConsumerGroupOffsets_destroy>>;
using AlterOffsetsPtr = std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, Destroyer<rd_kafka_AlterConsumerGroupOffsets_destroy>>;
using DeleteGroupPtr = std::unique_ptr<rd_kafka_DeleteGroup_t, Destroyer<rd_kafka_DeleteGroup_destroy>>;

// A coordinator that has just begun or moved reads its offsets first.
constexpr int kCoordinatorPauseMs = 100;

bool HasMembers(rd_kafka_resp_err_t code) {
  // A commit from outside is one of an unknown member as long as there are known ones.
  return code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

absl::Status MembersError(const std::string& group) {
  return base::Error(base::Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("group ", group, " has live members; stop all workers, wait for session.timeout.ms, then try again"));
}

// The error of the one group that was asked about, with that of its partitions.
absl::Status GroupError(Client& client, const rd_kafka_group_result_t* result, const std::string& group, const std::string& what) {
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(result); error != nullptr) {
    if (HasMembers(rd_kafka_error_code(error))) return MembersError(group);
    return client.Explain({.code = rd_kafka_error_code(error), .text = rd_kafka_error_string(error)}, Phase::kAdmin, what);
  }
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(result);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = partitions->elems[i];
    if (entry.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (HasMembers(entry.err)) return MembersError(group);
    return client.Explain({.code = entry.err, .text = {}}, Phase::kAdmin, absl::StrCat(what, ", ", entry.topic, "-", entry.partition));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<CommittedOffset>> RdAdmin::GroupOffsets(const std::string& group, int timeout_ms) {
  std::vector<CommittedOffset> answer;
  TAILRACE_RETURN_IF_ERROR(Patiently(group, timeout_ms, [&](Client& client, int left_ms) -> absl::Status {
    TAILRACE_ASSIGN_OR_RETURN(answer, AskGroupOffsets(client, group, left_ms));
    return absl::OkStatus();
  }));
  return answer;
}

absl::Status RdAdmin::SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets, int timeout_ms) {
  if (offsets.empty()) return absl::OkStatus();
  return Patiently(group, timeout_ms, [&](Client& client, int left_ms) { return AlterGroupOffsets(client, group, offsets, left_ms); });
}

absl::Status RdAdmin::DeleteGroup(const std::string& group, int timeout_ms) {
  return Patiently(group, timeout_ms, [&](Client& client, int left_ms) { return RemoveGroup(client, group, left_ms); });
}

absl::StatusOr<std::shared_ptr<Client>> RdAdmin::GroupClient(const std::string& group) {
  absl::MutexLock lock(&mu_);
  if (group_client_ == nullptr || group_ != group) {
    Settings settings = settings_;
    settings["group.id"] = group;
    settings["enable.auto.commit"] = "false";
    TAILRACE_ASSIGN_OR_RETURN(group_client_, Client::New(RD_KAFKA_CONSUMER, settings, {}));
    group_ = group;
  }
  return group_client_;
}

absl::Status RdAdmin::Patiently(const std::string& group, int timeout_ms, const std::function<absl::Status(Client&, int)>& call) {
  TAILRACE_ASSIGN_OR_RETURN(const std::shared_ptr<Client> client, GroupClient(group));
  const int64_t deadline_ms = base::SystemClock().SteadyMs() + timeout_ms;
  for (;;) {
    const absl::Status status = call(*client, static_cast<int>(std::max<int64_t>(deadline_ms - base::SystemClock().SteadyMs(), 1)));
    if (status.ok() || base::ReactionOf(status) != base::Reaction::kRetry) return status;
    if (base::SystemClock().SteadyMs() + kCoordinatorPauseMs >= deadline_ms) return status;
    // Nothing is ever put into this queue: it is only waited on.
    QueuePtr pause(rd_kafka_queue_new(client->get()));
    rd_kafka_queue_poll(pause.get(), kCoordinatorPauseMs);
  }
}

absl::StatusOr<std::vector<CommittedOffset>> RdAdmin::AskGroupOffsets(Client& client, const std::string& group, int timeout_ms) {
  const std::string what = "ask for the committed offsets of group " + group;
  ListOffsetsPtr request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  rd_kafka_ListConsumerGroupOffsets_t* requests[] = {request.get()};
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms, what,
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_ListConsumerGroupOffsets(rk, requests, 1, options, queue);
                                                }));
  size_t count = 0;
  const rd_kafka_group_result_t** results =
      rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  std::vector<CommittedOffset> answer;
  if (count != 1) return answer;
  TAILRACE_RETURN_IF_ERROR(GroupError(client, results[0], group, what));
  const rd_kafka_topic_partition_list_t* partitions = rd_kafka_group_result_partitions(results[0]);
  for (int i = 0; partitions != nullptr && i < partitions->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = partitions->elems[i];
    if (entry.offset < 0) continue;
    CommittedOffset committed{.partition = {entry.topic, base::Partition(entry.partition)}, .offset = base::Offset{entry.offset}, .metadata = {}};
    committed.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
    answer.push_back(std::move(committed));
  }
  return answer;
}

absl::Status RdAdmin::AlterGroupOffsets(Client& client, const std::string& group, std::span<const OffsetToCommit> offsets,
                                        int timeout_ms) {
  const std::string what = "set the committed offsets of group " + group;
  PartitionListPtr list = NewPartitionList(offsets.size());
  for (const OffsetToCommit& offset : offsets) {
    rd_kafka_topic_partition_t* const entry =
        rd_kafka_topic_partition_list_add(list.get(), offset.partition.topic.c_str(), offset.partition.partition.value());
    entry->offset = offset.offset.value();
    if (offset.metadata.empty()) continue;
    entry->metadata = malloc(offset.metadata.size());  // the list frees it
    std::copy(offset.metadata.begin(), offset.metadata.end(), static_cast<char*>(entry->metadata));
    entry->metadata_size = offset.metadata.size();
  }
  AlterOffsetsPtr request(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* requests[] = {request.get()};
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms, what,
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_AlterConsumerGroupOffsets(rk, requests, 1, options, queue);
                                                }));
  size_t count = 0;
  const rd_kafka_group_result_t** results =
      rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(event.get()), &count);
  return count == 1 ? GroupError(client, results[0], group, what) : absl::OkStatus();
}

absl::Status RdAdmin::RemoveGroup(Client& client, const std::string& group, int timeout_ms) {
  const std::string what = "delete group " + group;
  DeleteGroupPtr request(rd_kafka_DeleteGroup_new(group.c_str()));
  rd_kafka_DeleteGroup_t* requests[] = {request.get()};
  TAILRACE_ASSIGN_OR_RETURN(EventPtr event, Ask(client, RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout_ms, what,
                                                [&](rd_kafka_t* rk, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                                                  rd_kafka_DeleteGroups(rk, requests, 1, options, queue);
                                                }));
  size_t count = 0;
  const rd_kafka_group_result_t** results = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event.get()), &count);
  if (count != 1) return absl::OkStatus();
  const rd_kafka_error_t* const error = rd_kafka_group_result_error(results[0]);
  if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return absl::OkStatus();
  return GroupError(client, results[0], group, what);
}

}  // namespace tailrace::kafka::rdkafka
