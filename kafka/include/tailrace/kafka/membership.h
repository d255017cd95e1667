// A process's seat in the consumer group: who is alive, which generation counts, and where offsets are committed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::kafka {

struct MembershipOptions {
  std::string group;               // application.id
  std::string coordination_topic;  // one partition; its owner is the leader
  std::string instance_id;         // static group.instance.id
  int session_timeout_ms = 45'000;
  int heartbeat_interval_ms = 3'000;
  int max_poll_interval_ms = 300'000;
};

enum class MembershipEventKind {
  kJoined,   // in the group with a (new) generation
  kRejoining,  // a rebalance has begun: the old generation may still commit until the broker says otherwise
  kLost,     // session expired, poll interval exceeded, or fenced by another process with the same instance id
};

struct MembershipEvent {
  MembershipEventKind kind = MembershipEventKind::kJoined;
  bool leader = false;       // owns the coordination partition
  int32_t generation = -1;
  std::string member_id;
  // For kLost: kTaskMigrated when this object joins again by itself; kFatal when it never will. ABORTED then says that the
  // instance id was taken, by another process or by this one: a cluster replaces the identity of a static member whose session
  // has ended, and the answer, or a heartbeat under the old one, may be on its way for long.
  absl::Status reason;
};

struct CommittedOffset {
  base::TopicPartition partition;
  base::Offset offset = base::kOffsetUnknown;  // kOffsetUnknown: nothing committed
  std::string metadata;
};

struct GroupMember {
  std::string member_id;
  std::string instance_id;
};

// The membership consumer of ARCHITECTURE §4: it carries no data.
//
// Thread-safety: Poll and Leave from one thread; the rest from any thread.
// Lifetime: the Cluster outlives it. The destructor does not leave the group (a static member may come back).
class Membership {
 public:
  virtual ~Membership() = default;

  // Serves the group protocol for up to `timeout_ms` and returns what happened, if anything. Call it often: a gap longer
  // than max_poll_interval_ms loses the membership.
  virtual absl::StatusOr<std::optional<MembershipEvent>> Poll(int timeout_ms) = 0;

  // The present identity; null before the first kJoined.
  virtual std::shared_ptr<const GroupMetadata> CurrentGroupMetadata() const = 0;

  // Commits for the group, synchronously (at-least-once). kRetry while rejoining; kTaskMigrated when the generation is stale or
  // the membership is lost, for whatever reason: only Poll says whether for good.
  virtual absl::Status CommitOffsets(std::span<const OffsetToCommit> offsets, int timeout_ms) = 0;

  // Committed offsets of the group in the order asked. Waits while a transaction on them is unfinished
  // (KIP-447 require_stable), up to `timeout_ms`, then kRetry.
  virtual absl::StatusOr<std::vector<CommittedOffset>> Committed(std::span<const base::TopicPartition> partitions,
                                                                int timeout_ms) = 0;

  // Live members of the group (DescribeConsumerGroups); kRetry while the group is rebalancing.
  virtual absl::StatusOr<std::vector<GroupMember>> LiveMembers(int timeout_ms) = 0;

  // Leaves the group for good: no commit is possible afterwards. A cluster keeps a static member's seat until its session
  // is over, so what lets others take over at once is the member's own word on the coordination topic.
  virtual absl::Status Leave() = 0;
};

}  // namespace tailrace::kafka
