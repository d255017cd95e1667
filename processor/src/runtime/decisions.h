// The two decisions of the membership protocol as pure functions: what the leader writes, and when a follower may open a
// task (reference: RUNTIME.md, "A task's way").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/assignment.h"
#include "runtime/coordination_records.h"
#include "tailrace/kafka/membership.h"

namespace tailrace::processor {

// What the coordination topic says, read from its beginning.
struct CoordinationPicture {
  std::optional<AssignmentRecord> assignment;  // the highest epoch
  std::map<std::string, MemberRecord> members;  // by instance

  // Applies one record of the topic. An assignment of a lower epoch, or written under a lower generation than one already
  // seen, is ignored. A null value deletes. Returns whether anything changed.
  bool Apply(std::string_view key, std::optional<std::string_view> value);

  const MemberRecord* member(const std::string& instance) const;
};

struct LeaderInput {
  const CoordinationPicture* picture = nullptr;
  std::vector<kafka::GroupMember> live;
  int32_t generation = -1;
  std::string fingerprint;
  std::vector<AssignableTask> tasks;
  int standby_replicas = 0;  // per task, as far as there are members
};

// The next assignment, or nullopt when the present one is right. `odd_members` receives the instances whose topology
// differs: they get no tasks.
std::optional<AssignmentRecord> DecideAssignment(const LeaderInput& input, std::vector<std::string>* odd_members);

struct OpenDecision {
  bool may_open = false;
  std::string waiting_for;    // the instance whose release is awaited
  std::vector<Holder> fence;  // their transactional ids must be fenced before committed offsets are read
};

// REQUIRES: the picture's assignment names this process as the owner of `task`.
OpenDecision DecideOpen(const CoordinationPicture& picture, const base::TaskId& task);

}  // namespace tailrace::processor
