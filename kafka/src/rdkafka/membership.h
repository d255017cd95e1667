#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "rdkafka/client.h"
#include "rdkafka/producer.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::kafka::rdkafka {

// A consumer that is subscribed to the coordination topic and never reads from it: being assigned its one partition is
// being the leader.
class RdMembership : public Membership {
 public:
  static absl::StatusOr<std::unique_ptr<RdMembership>> New(const Settings& settings, const MembershipOptions& options);
  ~RdMembership() override;

  absl::StatusOr<std::optional<MembershipEvent>> Poll(int timeout_ms) override;
  std::shared_ptr<const GroupMetadata> CurrentGroupMetadata() const override;
  absl::Status CommitOffsets(std::span<const OffsetToCommit> offsets, int timeout_ms) override;
  absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const base::TopicPartition> partitions,
                                                        int timeout_ms) override;
  absl::StatusOr<std::vector<GroupMember>> LiveMembers(int timeout_ms) override;
  absl::Status Leave() override;

 private:
  explicit RdMembership(MembershipOptions options) : options_(std::move(options)) {}
  static void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions, void* opaque);
  void Assigned(rd_kafka_topic_partition_list_t* partitions);
  void Revoked();
  void Lose(absl::Status reason);
  // Why the client can do nothing any more, if so.
  std::optional<absl::Status> FatalReason() const;
  absl::Status CommitError(rd_kafka_resp_err_t code, const std::string& what) const;
  std::optional<MembershipEvent> NextEvent();

  const MembershipOptions options_;
  std::unique_ptr<Client> client_;
  // Used by the thread that polls.
  std::deque<MembershipEvent> events_;
  absl::Status pending_error_;
  bool joined_ = false;
  bool leader_ = false;
  std::string member_id_;

  mutable absl::Mutex mu_;
  // Shared with the threads that commit under it while a rebalance replaces it.
  std::shared_ptr<const RdGroupMetadata> metadata_ ABSL_GUARDED_BY(mu_);
  absl::Status lost_ ABSL_GUARDED_BY(mu_);  // why commits are refused; OK while a member
};

}  // namespace tailrace::kafka::rdkafka
