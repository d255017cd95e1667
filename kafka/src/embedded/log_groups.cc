// The part of LogEngine that serves groups.
#include <utility>

#include "absl/strings/str_cat.h"
#include "embedded/log_engine.h"

namespace tailrace::kafka::embedded {

using base::Reaction;

absl::StatusOr<std::shared_ptr<Seat>> LogEngine::Join(const std::string& group_name, const std::string& instance_id) {
  absl::MutexLock lock(&mu_);
  Group& group = groups_[group_name];
  if (std::shared_ptr<Seat> present = group.seat.lock()) {
    if (present->instance_id != instance_id) {
      return base::Error(Reaction::kFatal, absl::StatusCode::kAlreadyExists,
                         absl::StrCat("group ", group_name, " has the member ", present->instance_id,
                                      " already: the embedded log serves one member per group; use a Kafka cluster for more"));
    }
    present->fenced = true;
  }
  // shared: the Membership owns it, and its group metadata outlives the Membership.
  auto seat = std::make_shared<Seat>();
  seat->generation = ++group.generation;
  seat->instance_id = instance_id;
  seat->member_id = absl::StrCat(instance_id, "-", group.generation);
  group.seat = seat;
  return seat;
}

void LogEngine::Leave(const std::string& group_name, const std::shared_ptr<Seat>& seat) {
  absl::MutexLock lock(&mu_);
  auto found = groups_.find(group_name);
  if (found == groups_.end() || found->second.seat.lock() != seat) return;
  // Its generation ends with it.
  ++found->second.generation;
  found->second.seat.reset();
}

std::vector<GroupMember> LogEngine::Members(const std::string& group) const {
  absl::ReaderMutexLock lock(&mu_);
  auto found = groups_.find(group);
  std::shared_ptr<Seat> seat = found == groups_.end() ? nullptr : found->second.seat.lock();
  if (seat == nullptr) return {};
  return {{seat->member_id, seat->instance_id}};
}

std::vector<CommittedOffset> LogEngine::Committed(const std::string& group,
                                                  std::span<const base::TopicPartition> partitions) const {
  absl::ReaderMutexLock lock(&mu_);
  auto found = groups_.find(group);
  std::vector<CommittedOffset> answer;
  answer.reserve(partitions.size());
  for (const base::TopicPartition& partition : partitions) {
    CommittedOffset committed{partition, base::kOffsetUnknown, {}};
    if (found != groups_.end()) {
      auto offset = found->second.offsets.find(partition);
      if (offset != found->second.offsets.end()) {
        committed.offset = base::Offset{offset->second.offset};
        committed.metadata = offset->second.metadata;
      }
    }
    answer.push_back(std::move(committed));
  }
  return answer;
}

std::vector<CommittedOffset> LogEngine::GroupOffsets(const std::string& group) const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<CommittedOffset> answer;
  const auto found = groups_.find(group);
  if (found == groups_.end()) return answer;
  for (const auto& [partition, offset] : found->second.offsets)
    answer.push_back({partition, base::Offset{offset.offset}, offset.metadata});
  return answer;
}

absl::Status LogEngine::CheckNoMember(const std::string& group) const {
  const auto found = groups_.find(group);
  const std::shared_ptr<Seat> seat = found == groups_.end() ? nullptr : found->second.seat.lock();
  if (seat == nullptr) return absl::OkStatus();
  return base::Error(Reaction::kFatal, absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("group ", group, " has a live member (", seat->instance_id, "); stop it, then try again"));
}

absl::Status LogEngine::SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets) {
  absl::MutexLock lock(&mu_);
  TAILRACE_RETURN_IF_ERROR(CheckNoMember(group));
  StorageBatch batch;
  for (const OffsetToCommit& offset : offsets)
    batch.metadata.emplace_back(GroupOffsetKey(group, offset.partition), EncodeGroupOffset(offset.offset.value(), offset.metadata));
  if (batch.metadata.empty()) return absl::OkStatus();
  TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
  for (const OffsetToCommit& offset : offsets) groups_[group].offsets[offset.partition] = {offset.offset.value(), offset.metadata};
  return absl::OkStatus();
}

absl::Status LogEngine::DeleteGroup(const std::string& group) {
  absl::MutexLock lock(&mu_);
  TAILRACE_RETURN_IF_ERROR(CheckNoMember(group));
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.offsets.empty()) return absl::OkStatus();
  StorageBatch batch;
  for (const auto& [partition, offset] : found->second.offsets)
    batch.metadata.emplace_back(GroupOffsetKey(group, partition), std::nullopt);
  TAILRACE_RETURN_IF_ERROR(storage_->Apply(batch));
  // The generation stays: an old member's commit must not be taken for a new one's.
  found->second.offsets.clear();
  return absl::OkStatus();
}

absl::Status LogEngine::CheckGeneration(const std::string& group, int32_t generation) const {
  absl::ReaderMutexLock lock(&mu_);
  return CheckGenerationLocked(group, generation);
}

absl::Status LogEngine::CheckGenerationLocked(const std::string& group, int32_t generation) const {
  auto found = groups_.find(group);
  const int32_t present = found == groups_.end() ? 0 : found->second.generation;
  if (present == generation) return absl::OkStatus();
  return base::Error(Reaction::kAbortTransaction, absl::StatusCode::kAborted,
                     absl::StrCat("group ", group, ": generation ", generation, " is stale, the group is at ", present,
                                  "; abort and commit again with the present generation"));
}

}  // namespace tailrace::kafka::embedded
