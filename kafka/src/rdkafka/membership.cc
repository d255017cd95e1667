#include "rdkafka/membership.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rdkafka/topic_query.h"
#include "tailrace/base/clock.h"

namespace tailrace::kafka::rdkafka {
namespace {

using base::Reaction;

constexpr int kEventGraceMs = 1'000;
constexpr int kLeaveMsMax = 500;
constexpr int kLeavePollMs = 50;

std::string ErrorText(const rd_kafka_message_t& message) {
  const char* text = rd_kafka_message_errstr(&message);
  return text == nullptr ? rd_kafka_err2str(message.err) : text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RdMembership>> RdMembership::New(const Settings& settings, const MembershipOptions& options) {
  std::unique_ptr<RdMembership> membership(new RdMembership(options));
  Client::Callbacks callbacks;
  callbacks.opaque = membership.get();
  callbacks.rebalance = &RdMembership::OnRebalance;
  TAILRACE_ASSIGN_OR_RETURN(membership->client_, Client::New(RD_KAFKA_CONSUMER, settings, callbacks));
  rd_kafka_t* rk = membership->client_->get();
  rd_kafka_poll_set_consumer(rk);
  PartitionListPtr topics = NewPartitionList(1);
  rd_kafka_topic_partition_list_add(topics.get(), options.coordination_topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(rk, topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus({.code = code, .text = {}}, Phase::kMembership, "subscribe group " + options.group);
  }
  return membership;
}

RdMembership::~RdMembership() {
  // A static member does not leave by closing; the group waits for it until its session is over.
  if (client_ != nullptr) EndInTime(std::move(client_));
}

void RdMembership::OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  auto* membership = static_cast<RdMembership*>(opaque);
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    membership->Assigned(partitions);
    return;
  }
  membership->Revoked();
  rd_kafka_assign(rk, nullptr);
}

void RdMembership::Assigned(rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* rk = client_->get();
  leader_ = partitions->cnt > 0;
  // The partition is a seat, not a source: it is assigned, as the client demands, and paused at once.
  for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = 0;
  rd_kafka_resp_err_t code = rd_kafka_assign(rk, partitions);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && leader_) code = rd_kafka_pause_partitions(rk, partitions);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    pending_error_ = ToStatus({.code = code, .text = {}}, Phase::kMembership, "join group " + options_.group);
    return;
  }
  auto metadata = std::make_shared<RdGroupMetadata>();
  metadata->metadata = GroupMetadataPtr(rd_kafka_consumer_group_metadata(rk));
  if (metadata->metadata == nullptr) return;
  metadata->group = options_.group;
  metadata->generation = rd_kafka_consumer_group_metadata_generation_id(metadata->metadata.get());
  const std::string member_id = rd_kafka_consumer_group_metadata_member_id(metadata->metadata.get());
  // The group gives a member a new id only after it has forgotten the old one: others may own its tasks by now.
  if (joined_ && member_id != member_id_) {
    Lose(base::Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted,
                     absl::StrCat("group ", options_.group, ": the session of member ", member_id_, " ended; rejoined as ", member_id)));
  }
  joined_ = true;
  member_id_ = member_id;
  MembershipEvent event;
  event.kind = MembershipEventKind::kJoined;
  event.leader = leader_;
  event.generation = metadata->generation;
  event.member_id = member_id;
  events_.push_back(std::move(event));
  absl::MutexLock lock(&mu_);
  metadata_ = std::move(metadata);
  lost_ = absl::OkStatus();
}

void RdMembership::Revoked() {
  leader_ = false;
  if (!joined_) return;
  if (std::optional<absl::Status> fatal = FatalReason()) {
    Lose(*std::move(fatal));
    return;
  }
  if (rd_kafka_assignment_lost(client_->get()) != 0) {
    Lose(base::Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted,
                     absl::StrCat("group ", options_.group, ": member ", member_id_, " (instance ", options_.instance_id,
                                  ") lost its place: its session ended, or it was not polled within ",
                                  options_.max_poll_interval_ms, " ms")));
    return;
  }
  MembershipEvent event;
  event.kind = MembershipEventKind::kRejoining;
  event.member_id = member_id_;
  {
    absl::MutexLock lock(&mu_);
    if (metadata_ != nullptr) event.generation = metadata_->generation;
  }
  events_.push_back(std::move(event));
}

std::optional<absl::Status> RdMembership::FatalReason() const {
  const std::optional<ClientError> fatal = client_->FatalError();
  if (!fatal) return std::nullopt;
  if (fatal->code != RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) return ToStatus(*fatal, Phase::kMembership, "group " + options_.group);
  return base::Error(Reaction::kFatal, absl::StatusCode::kAborted,
                     absl::StrCat("group ", options_.group, ": another process took the instance id ", options_.instance_id,
                                  "; give every process its own group.instance.id"));
}

void RdMembership::Lose(absl::Status reason) {
  MembershipEvent event;
  event.kind = MembershipEventKind::kLost;
  event.member_id = member_id_;
  event.reason = reason;
  {
    absl::MutexLock lock(&mu_);
    // Said once; but after the end of a session it may turn out that this client can never join again.
    if (!lost_.ok() && (base::ReactionOf(lost_) == Reaction::kFatal || base::ReactionOf(reason) != Reaction::kFatal)) return;
    lost_ = std::move(reason);
    if (metadata_ != nullptr) event.generation = metadata_->generation;
  }
  joined_ = false;
  leader_ = false;
  events_.push_back(std::move(event));
}

std::optional<MembershipEvent> RdMembership::NextEvent() {
  if (events_.empty()) return std::nullopt;
  MembershipEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

absl::StatusOr<std::optional<MembershipEvent>> RdMembership::Poll(int timeout_ms) {
  if (events_.empty()) {
    // Also when an event waits the client must be polled, but without waiting: see below.
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), timeout_ms);
    if (message != nullptr) {
      if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) {
        Lose(base::Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted,
                         absl::StrCat("group ", options_.group, ": not polled for more than max.poll.interval.ms=",
                                      options_.max_poll_interval_ms, ", so the group goes on without this member")));
      } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF &&
                 message->err != RD_KAFKA_RESP_ERR__FATAL) {
        pending_error_ =
            client_->Explain({.code = message->err, .text = ErrorText(*message)}, Phase::kMembership, "group " + options_.group);
      }
      rd_kafka_message_destroy(message);
    }
    if (std::optional<absl::Status> fatal = FatalReason()) Lose(*std::move(fatal));
  }
  if (std::optional<MembershipEvent> event = NextEvent()) return event;
  if (!pending_error_.ok()) return std::exchange(pending_error_, absl::OkStatus());
  TAILRACE_RETURN_IF_ERROR(client_->TakeConnectionProblem());
  return std::nullopt;
}

std::shared_ptr<const GroupMetadata> RdMembership::CurrentGroupMetadata() const {
  absl::MutexLock lock(&mu_);
  return metadata_;
}

absl::Status RdMembership::CommitOffsets(std::span<const OffsetToCommit> offsets, int timeout_ms) {
  if (offsets.empty()) return absl::OkStatus();
  int32_t joined_generation = -1;
  {
    absl::MutexLock lock(&mu_);
    if (!lost_.ok()) return base::WithReaction(lost_, Reaction::kTaskMigrated);
    if (metadata_ != nullptr) joined_generation = metadata_->generation;
  }
  const std::string what = absl::StrCat("commit offsets of group ", options_.group, ", generation ", joined_generation);
  // The client commits under whatever generation it has at the moment, also under none, which a group without members would
  // accept: so it is asked first.
  GroupMetadataPtr present(rd_kafka_consumer_group_metadata(client_->get()));
  if (present == nullptr || rd_kafka_consumer_group_metadata_generation_id(present.get()) != joined_generation) {
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable, absl::StrCat(what, ": the group is rebalancing"));
  }
  PartitionListPtr list = NewPartitionList(offsets.size());
  for (const OffsetToCommit& offset : offsets) {
    rd_kafka_topic_partition_t* entry =
        rd_kafka_topic_partition_list_add(list.get(), offset.partition.topic.c_str(), offset.partition.partition.value());
    entry->offset = offset.offset.value();
    if (offset.metadata.empty()) continue;
    entry->metadata = malloc(offset.metadata.size());  // The list frees it.
    std::copy(offset.metadata.begin(), offset.metadata.end(), static_cast<char*>(entry->metadata));
    entry->metadata_size = offset.metadata.size();
  }
  QueuePtr queue(rd_kafka_queue_new(client_->get()));
  rd_kafka_resp_err_t code = rd_kafka_commit_queue(client_->get(), list.get(), queue.get(), nullptr, nullptr);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return CommitError(code, what);
  EventPtr event = WaitForEvent(queue.get(), timeout_ms);
  if (event == nullptr) return CommitError(RD_KAFKA_RESP_ERR__TIMED_OUT, what);
  code = rd_kafka_event_error(event.get());
  if (const rd_kafka_topic_partition_list_t* results = rd_kafka_event_topic_partition_list(event.get()); results != nullptr) {
    for (int i = 0; i < results->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) code = results->elems[i].err;
  }
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? absl::OkStatus() : CommitError(code, what);
}

// A client that was fenced commits nothing more; whether another process did it is for who polls to find out.
absl::Status RdMembership::CommitError(rd_kafka_resp_err_t code, const std::string& what) const {
  if (std::optional<absl::Status> fatal = FatalReason()) return base::WithReaction(*std::move(fatal), Reaction::kTaskMigrated);
  return client_->Explain({.code = code, .text = {}}, Phase::kCommitOffsets, what);
}

absl::StatusOr<std::vector<CommittedOffset>> RdMembership::Committed(std::span<const base::TopicPartition> partitions, int timeout_ms) {
  std::vector<CommittedOffset> answer;
  if (partitions.empty()) return answer;
  PartitionListPtr list = NewPartitionList(partitions.size());
  for (const base::TopicPartition& partition : partitions) AddPartition(list.get(), partition, RD_KAFKA_OFFSET_INVALID);
  const std::string what = "ask for the committed offsets of group " + options_.group;
  const rd_kafka_resp_err_t code = rd_kafka_committed(client_->get(), list.get(), timeout_ms);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->Explain({.code = code, .text = {}}, Phase::kFetchOffsets, what);
  answer.reserve(partitions.size());
  for (size_t i = 0; i < partitions.size(); ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return client_->Explain({.code = entry.err, .text = {}}, Phase::kFetchOffsets, what + ", " + partitions[i].ToString());
    }
    CommittedOffset committed;
    committed.partition = partitions[i];
    if (entry.offset >= 0) {
      committed.offset = base::Offset{entry.offset};
      committed.metadata.assign(static_cast<const char*>(entry.metadata), entry.metadata_size);
    }
    answer.push_back(std::move(committed));
  }
  return answer;
}

absl::StatusOr<std::vector<GroupMember>> RdMembership::LiveMembers(int timeout_ms) {
  const char* groups[] = {options_.group.c_str()};
  const std::string what = "describe group " + options_.group;
  QueuePtr queue(rd_kafka_queue_new(client_->get()));
  AdminOptionsPtr options = NewAdminOptions(client_->get(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout_ms);
  rd_kafka_DescribeConsumerGroups(client_->get(), groups, 1, options.get(), queue.get());
  EventPtr event = WaitForEvent(queue.get(), timeout_ms + kEventGraceMs);
  if (event == nullptr) return client_->Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = {}}, Phase::kAdmin, what);
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client_->Explain({.code = code, .text = rd_kafka_event_error_string(event.get())}, Phase::kAdmin, what);
  }
  size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** descriptions =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count != 1) return std::vector<GroupMember>();
  const rd_kafka_ConsumerGroupDescription_t* group = descriptions[0];
  if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(group); error != nullptr) {
    return client_->Explain({.code = rd_kafka_error_code(error), .text = rd_kafka_error_string(error)}, Phase::kAdmin, what);
  }
  const rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(group);
  if (state != RD_KAFKA_CONSUMER_GROUP_STATE_STABLE && state != RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY &&
      state != RD_KAFKA_CONSUMER_GROUP_STATE_DEAD) {
    return base::Error(Reaction::kRetry, absl::StatusCode::kUnavailable,
                       absl::StrCat(what, ": the group is rebalancing (", rd_kafka_consumer_group_state_name(state), ")"));
  }
  std::vector<GroupMember> members;
  for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); ++i) {
    const rd_kafka_MemberDescription_t* member = rd_kafka_ConsumerGroupDescription_member(group, i);
    const char* instance_id = rd_kafka_MemberDescription_group_instance_id(member);
    members.push_back({rd_kafka_MemberDescription_consumer_id(member), instance_id == nullptr ? "" : instance_id});
  }
  return members;
}

absl::Status RdMembership::Leave() {
  // librdkafka sends no leave request for a static member, so the group keeps the seat until the session is over. What
  // makes others take over at once is the member's own record on the coordination topic.
  const std::string what = "leave group " + options_.group;
  const base::Clock& clock = base::SystemClock();
  const int64_t deadline_ms = clock.SteadyMs() + kLeaveMsMax;
  QueuePtr queue(rd_kafka_queue_new(client_->get()));
  absl::Status status =
      client_->ExplainTaken(rd_kafka_consumer_close_queue(client_->get(), queue.get()), Phase::kMembership, what);
  while (status.ok() && rd_kafka_consumer_closed(client_->get()) == 0) {
    // An unanswered commit keeps the client open: it ends with this object.
    if (clock.SteadyMs() >= deadline_ms)
      status = client_->Explain({.code = RD_KAFKA_RESP_ERR__TIMED_OUT, .text = {}}, Phase::kMembership, what);
    const EventPtr event = WaitForEvent(queue.get(), kLeavePollMs);
    if (event != nullptr && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) rd_kafka_assign(client_->get(), nullptr);
  }
  joined_ = false;
  events_.clear();
  {
    absl::MutexLock lock(&mu_);
    lost_ = base::Error(Reaction::kTaskMigrated, absl::StatusCode::kAborted, "group " + options_.group + ": this member has left");
  }
  return status;
}

}  // namespace tailrace::kafka::rdkafka
