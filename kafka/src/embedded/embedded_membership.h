#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "embedded/log_engine.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::kafka::embedded {

// The one member of a group: leader from its first Poll on, until another Membership takes its instance id.
class EmbeddedMembership : public Membership {
 public:
  EmbeddedMembership(LogEngine& engine, MembershipOptions options, std::shared_ptr<Seat> seat);

  absl::StatusOr<std::optional<MembershipEvent>> Poll(int timeout_ms) override;
  std::shared_ptr<const GroupMetadata> CurrentGroupMetadata() const override;
  absl::Status CommitOffsets(std::span<const OffsetToCommit> offsets, int timeout_ms) override;
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const base::TopicPartition> partitions,
                                                        int timeout_ms) override;
  absl::StatusOr<std::vector<GroupMember>> LiveMembers(int timeout_ms) override;
  absl::Status Leave() override;

 private:
  LogEngine& engine_;
  const MembershipOptions options_;
  const std::shared_ptr<Seat> seat_;  // the engine watches it to know that this object lives
  bool joined_ = false;               // used by Poll only
  bool lost_ = false;
  mutable absl::Mutex mu_;
  std::shared_ptr<const GroupMetadata> metadata_ ABSL_GUARDED_BY(mu_);  // shared with the callers that commit under it
};

}  // namespace tailrace::kafka::embedded
