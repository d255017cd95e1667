// What members and the leader write to the coordination topic (docs/formats.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/processor/query.h"

namespace tailrace::processor {

inline constexpr std::string_view kAssignmentKey = "assignment";
inline constexpr std::string_view kMemberKeyPrefix = "member/";

struct MemberTask {
  TaskRole role = TaskRole::kActive;
  TaskPhase phase = TaskPhase::kCreated;
  int64_t position = 0;  // sum of stored changelog offsets: how much of the state this member's disk holds
  friend bool operator==(const MemberTask&, const MemberTask&) = default;
};

// Written by each process about itself.
struct MemberRecord {
  std::string instance;
  std::string member_id;
  int32_t generation = -1;
  std::string endpoint;
  std::string rack;
  int threads = 1;
  std::string fingerprint;
  // The text of the topology, only when the fingerprint differs from the assignment's, so that the leader can say what differs.
  std::string topology;
  // The last epoch acted on: every task that it takes away from this member is released unless it is in `held`.
  int64_t epoch = 0;
  std::map<base::TaskId, MemberTask> held;
  // The process has closed its tasks and will not come back soon: others take over without waiting for its session to end
  // (a static member cannot leave the group at once).
  bool leaving = false;
  // Tasks that are not open here but whose state is on this disk.
  std::map<base::TaskId, int64_t> dormant;

  // A standby in `held` keeps nobody from opening the task.
  bool HoldsActive(const base::TaskId& task) const {
    const auto found = held.find(task);
    return found != held.end() && found->second.role == TaskRole::kActive;
  }
  friend bool operator==(const MemberRecord&, const MemberRecord&) = default;
};

struct Holder {
  std::string instance;
  std::string member_id;
  int threads = 1;
  bool dead = false;  // left the group: its transactional ids must be fenced, it will not release
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct AssignedMember {
  std::string member_id;
  std::string endpoint;
  int threads = 1;
  std::set<base::TaskId> active;
  std::set<base::TaskId> standby;
  std::set<base::TaskId> warmup;   // not given out yet
  friend bool operator==(const AssignedMember&, const AssignedMember&) = default;
};

// Written by the leader alone.
struct AssignmentRecord {
  int64_t epoch = 0;
  int32_t generation = -1;
  std::string fingerprint;
  std::map<std::string, AssignedMember> members;  // by instance
  // Who may still have a task open, beside its owner: the owner waits for each or fences it.
  std::map<base::TaskId, std::vector<Holder>> earlier_holders;
  friend bool operator==(const AssignmentRecord&, const AssignmentRecord&) = default;
};

std::string EncodeMember(const MemberRecord& record);
std::string EncodeAssignment(const AssignmentRecord& record);
// nullopt for anything that is not a record of a version this program knows.
std::optional<MemberRecord> DecodeMember(std::string_view json);
std::optional<AssignmentRecord> DecodeAssignment(std::string_view json);

std::optional<base::TaskId> ParseTaskId(std::string_view text);

}  // namespace tailrace::processor
