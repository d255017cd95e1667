#include "runtime/decisions.h"

#include <algorithm>
#include <set>

#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {

// The member that the previous assignment, or without one a member record, names as the owner of each task.
std::map<base::TaskId, Holder> PreviousOwners(const CoordinationPicture& picture) {
  std::map<base::TaskId, Holder> owners;
  if (picture.assignment.has_value()) {
    for (const auto& [instance, member] : picture.assignment->members)
      for (const base::TaskId& task : member.active) owners[task] = {instance, member.member_id, member.threads, false};
    return owners;
  }
  // The topic was deleted and members have written their records again: they still hold their tasks.
  for (const auto& [instance, record] : picture.members)
    for (const auto& [task, held] : record.held)
      if (held.role == TaskRole::kActive) owners[task] = {instance, record.member_id, record.threads, false};
  return owners;
}

Standbys PreviousStandbys(const CoordinationPicture& picture) {
  Standbys standbys;
  if (picture.assignment.has_value()) {
    for (const auto& [instance, member] : picture.assignment->members)
      for (const base::TaskId& task : member.standby) standbys[task].insert(instance);
    return standbys;
  }
  for (const auto& [instance, record] : picture.members)
    for (const auto& [task, held] : record.held)
      if (held.role == TaskRole::kStandby) standbys[task].insert(instance);
  return standbys;
}

int64_t LastEpoch(const CoordinationPicture& picture) {
  int64_t epoch = picture.assignment.has_value() ? picture.assignment->epoch : 0;
  for (const auto& [instance, record] : picture.members) epoch = std::max(epoch, record.epoch);
  return epoch;
}

// Forgetting holders that are done is no reason for a new epoch; everything else is.
bool Differs(const AssignmentRecord& next, const AssignmentRecord& previous) {
  if (next.members != previous.members || next.fingerprint != previous.fingerprint) return true;
  for (const auto& [task, holders] : next.earlier_holders) {
    const auto before = previous.earlier_holders.find(task);
    if (before == previous.earlier_holders.end()) return true;
    for (const Holder& holder : holders)
      if (std::find(before->second.begin(), before->second.end(), holder) == before->second.end()) return true;
  }
  return false;
}

// The topology that counts: that of the present assignment as long as somebody alive runs it, so that a process with another
// one takes nothing away, not even when it is elected.
bool AssignedTopologyLives(const LeaderInput& input) {
  const CoordinationPicture& picture = *input.picture;
  if (!picture.assignment.has_value()) return false;
  return std::any_of(input.live.begin(), input.live.end(), [&](const kafka::GroupMember& live) {
    const MemberRecord* const record = picture.member(live.instance_id);
    if (record != nullptr && record->member_id == live.member_id)
      return !record->leaving && record->fingerprint == picture.assignment->fingerprint;
    return picture.assignment->members.contains(live.instance_id);  // it restarts
  });
}

}  // namespace

bool CoordinationPicture::Apply(std::string_view key, std::optional<std::string_view> value) {
  if (key == kAssignmentKey) {
    if (!value.has_value()) return false;
    std::optional<AssignmentRecord> record = DecodeAssignment(*value);
    if (!record.has_value()) return false;
    if (assignment.has_value() && (record->epoch <= assignment->epoch || record->generation < assignment->generation))
      return false;
    assignment = std::move(record);
    return true;
  }
  if (!key.starts_with(kMemberKeyPrefix)) return false;
  const std::string instance(key.substr(kMemberKeyPrefix.size()));
  if (!value.has_value()) return members.erase(instance) > 0;
  std::optional<MemberRecord> record = DecodeMember(*value);
  if (!record.has_value() || record->instance != instance) return false;
  const auto [found, inserted] = members.try_emplace(instance);
  if (!inserted && found->second == *record) return false;
  found->second = std::move(*record);
  return true;
}

const MemberRecord* CoordinationPicture::member(const std::string& instance) const {
  const auto found = members.find(instance);
  return found == members.end() ? nullptr : &found->second;
}

std::optional<AssignmentRecord> DecideAssignment(const LeaderInput& input, std::vector<std::string>* odd_members) {
  const CoordinationPicture& picture = *input.picture;
  std::set<std::string> live_ids;
  for (const kafka::GroupMember& member : input.live) live_ids.insert(member.member_id);

  AssignmentRecord next;
  next.epoch = LastEpoch(picture) + 1;
  next.generation = input.generation;
  next.fingerprint = AssignedTopologyLives(input) ? picture.assignment->fingerprint : input.fingerprint;
  const Standbys standbys = PreviousStandbys(picture);
  std::vector<AssignableTask> tasks;
  if (next.fingerprint == input.fingerprint) {
    tasks = input.tasks;
  } else {
    for (const auto& [instance, member] : picture.assignment->members)
      for (const base::TaskId& task : member.active) tasks.push_back({task, 1, standbys.contains(task)});
  }
  if (picture.assignment.has_value() && picture.assignment->generation > input.generation) return std::nullopt;

  std::vector<AssignableMember> members;
  for (const kafka::GroupMember& live : input.live) {
    const MemberRecord* const record = picture.member(live.instance_id);
    if (record != nullptr && record->member_id == live.member_id) {
      if (record->leaving) continue;
      if (record->fingerprint != next.fingerprint) {
        if (odd_members != nullptr) odd_members->push_back(live.instance_id);
        continue;
      }
      AssignableMember member{.instance = live.instance_id, .capacity = record->threads, .rack = record->rack, .positions = {}};
      for (const auto& [task, held] : record->held) member.positions[task] = held.position;
      for (const auto& [task, position] : record->dormant) member.positions.try_emplace(task, position);
      next.members[live.instance_id] = {live.member_id, record->endpoint, record->threads, {}, {}, {}};
      members.push_back(std::move(member));
      continue;
    }
    // In the group, but its record is still that of the process before the restart: it keeps its tasks, nothing moves.
    if (!picture.assignment.has_value()) continue;
    const auto before = picture.assignment->members.find(live.instance_id);
    if (before == picture.assignment->members.end()) continue;
    next.members[live.instance_id] = {before->second.member_id, before->second.endpoint, before->second.threads, {}, {}, {}};
    members.push_back({.instance = live.instance_id, .capacity = before->second.threads, .rack = {}, .positions = {}});
  }
  if (members.empty()) return std::nullopt;

  const std::map<base::TaskId, Holder> previous = PreviousOwners(picture);
  Ownership ownership;
  for (const auto& [task, owner] : previous) ownership[task] = owner.instance;
  const Ownership assigned = AssignTasks(tasks, members, ownership);
  for (const auto& [task, instances] : AssignStandbys(tasks, members, assigned, standbys, input.standby_replicas))
    for (const std::string& instance : instances) next.members.at(instance).standby.insert(task);
  for (const auto& [task, instance] : assigned) {
    AssignedMember& owner = next.members.at(instance);
    owner.active.insert(task);

    std::vector<Holder> holders;
    if (picture.assignment.has_value()) {
      const auto before = picture.assignment->earlier_holders.find(task);
      if (before != picture.assignment->earlier_holders.end()) holders = before->second;
    }
    if (const auto found = previous.find(task); found != previous.end()) {
      const Holder& last = found->second;
      const MemberRecord* const record = picture.member(last.instance);
      // It could open the task only after everyone before had released it or was fenced.
      if (record != nullptr && record->member_id == last.member_id && record->HoldsActive(task)) holders.clear();
      if (last.member_id != owner.member_id) holders.push_back(last);
    }
    std::erase_if(holders, [&](const Holder& holder) { return holder.member_id == owner.member_id; });
    for (Holder& holder : holders) holder.dead = !live_ids.contains(holder.member_id);
    if (!holders.empty()) next.earlier_holders[task] = std::move(holders);
  }
  if (picture.assignment.has_value() && !Differs(next, *picture.assignment)) return std::nullopt;
  return next;
}

OpenDecision DecideOpen(const CoordinationPicture& picture, const base::TaskId& task) {
  TAILRACE_CHECK(picture.assignment.has_value(), "a task is opened under an assignment");
  OpenDecision decision{.may_open = true, .waiting_for = {}, .fence = {}};
  const auto holders = picture.assignment->earlier_holders.find(task);
  if (holders == picture.assignment->earlier_holders.end()) return decision;
  for (const Holder& holder : holders->second) {
    const MemberRecord* const record = picture.member(holder.instance);
    const bool same = record != nullptr && record->member_id == holder.member_id;
    if (holder.dead) {
      decision.fence.push_back(holder);
    } else if (same && (record->leaving || record->epoch >= picture.assignment->epoch) && !record->HoldsActive(task)) {
      continue;  // released
    } else if (record != nullptr && !same && !record->HoldsActive(task)) {
      // The instance has lost its membership or was restarted since: what it had open is gone or will be refused.
      decision.fence.push_back(holder);
    } else {
      decision.may_open = false;
      decision.waiting_for = holder.instance;
    }
  }
  return decision;
}

}  // namespace tailrace::processor
