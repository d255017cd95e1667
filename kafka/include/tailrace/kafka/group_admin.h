// Consumer groups as an operator sees them: from outside, without being a member.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/kafka/membership.h"
#include "tailrace/kafka/producer.h"

namespace tailrace::kafka {

class Cluster;

// Thread-safe. Lifetime: that of its Cluster. Errors name the group; kRetry for an unreachable broker.
//
//   TAILRACE_ASSIGN_OR_RETURN(const auto offsets, kafka::GroupsOf(*cluster).GroupOffsets("city-metrics", 10'000));
class GroupAdmin {
 public:
  virtual ~GroupAdmin() = default;

  // All that the group has committed, in no order; empty when there is no such group. What is part of an unfinished
  // transaction is not in it.
  virtual absl::StatusOr<std::vector<CommittedOffset>> GroupOffsets(const std::string& group, int timeout_ms) = 0;

  // Commits for a group that has no members: all of it or nothing. FAILED_PRECONDITION while it has some.
  virtual absl::Status SetGroupOffsets(const std::string& group, std::span<const OffsetToCommit> offsets, int timeout_ms) = 0;

  // Forgets what the group has committed; a group that does not exist is not an error. FAILED_PRECONDITION while it has
  // members, which includes those that have gone without their session being over.
  virtual absl::Status DeleteGroup(const std::string& group, int timeout_ms) = 0;
};

// Every Cluster of this room has one.
GroupAdmin& GroupsOf(Cluster& cluster);

}  // namespace tailrace::kafka
