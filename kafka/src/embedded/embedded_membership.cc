#include "embedded/embedded_membership.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "embedded/embedded_producer.h"

namespace tailrace::kafka::embedded {

using base::Reaction;

EmbeddedMembership::EmbeddedMembership(LogEngine& engine, MembershipOptions options, std::shared_ptr<Seat> seat)
    : engine_(engine), options_(std::move(options)), seat_(std::move(seat)) {}

absl::StatusOr<std::optional<MembershipEvent>> EmbeddedMembership::Poll(int timeout_ms) {
  MembershipEvent event;
  event.generation = seat_->generation;
  event.member_id = seat_->member_id;
  if (seat_->fenced && !lost_) {
    lost_ = true;
    event.kind = MembershipEventKind::kLost;
    event.reason = base::Error(Reaction::kFatal, absl::StatusCode::kAborted,
                               absl::StrCat("group ", options_.group, ": another member took the instance id ",
                                            options_.instance_id, "; give every process its own"));
    return event;
  }
  if (!joined_ && !seat_->fenced) {
    joined_ = true;
    event.kind = MembershipEventKind::kJoined;
    event.leader = true;
    auto metadata = std::make_shared<EmbeddedGroupMetadata>();
    metadata->group = options_.group;
    metadata->generation = seat_->generation;
    absl::MutexLock lock(&mu_);
    metadata_ = std::move(metadata);
    return event;
  }
  if (timeout_ms > 0) {
    engine_.WaitForAppend(timeout_ms, [this] { return !lost_ && seat_->fenced.load(); });
  }
  return std::nullopt;
}

std::shared_ptr<const GroupMetadata> EmbeddedMembership::CurrentGroupMetadata() const {
  absl::MutexLock lock(&mu_);
  return metadata_;
}

absl::Status EmbeddedMembership::CommitOffsets(std::span<const OffsetToCommit> offsets, int) {
  if (offsets.empty()) return absl::OkStatus();
  AppendRequest request;
  request.commits.push_back({options_.group, seat_->generation, {offsets.begin(), offsets.end()}});
  const absl::Status status = engine_.Append(request);
  // Outside a transaction there is nothing to abort: the tasks belong to the newer member.
  return base::ReactionOf(status) == Reaction::kAbortTransaction ? base::WithReaction(status, Reaction::kTaskMigrated) : status;
}

absl::StatusOr<std::vector<CommittedOffset>> EmbeddedMembership::Committed(std::span<const base::TopicPartition> partitions, int) {
  return engine_.Committed(options_.group, partitions);
}

absl::StatusOr<std::vector<GroupMember>> EmbeddedMembership::LiveMembers(int) { return engine_.Members(options_.group); }

absl::Status EmbeddedMembership::Leave() {
  engine_.Leave(options_.group, seat_);
  lost_ = true;
  return absl::OkStatus();
}

}  // namespace tailrace::kafka::embedded
