#include "runtime/coordination_records.h"

#include <nlohmann/json.hpp>

#include "tailrace/base/units.h"

namespace tailrace::processor {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

json TaskIds(const std::set<base::TaskId>& ids) {
  json list = json::array();
  for (const base::TaskId& id : ids) list.push_back(id.ToString());
  return list;
}

bool ReadTaskIds(const json& list, std::set<base::TaskId>& out) {
  for (const json& text : list) {
    const auto id = ParseTaskId(text.get<std::string>());
    if (!id.has_value()) return false;
    out.insert(*id);
  }
  return true;
}

std::optional<TaskRole> ParseRole(const std::string& name) {
  for (const TaskRole role : {TaskRole::kActive, TaskRole::kStandby, TaskRole::kWarmup})
    if (name == TaskRoleName(role)) return role;
  return std::nullopt;
}

std::optional<TaskPhase> ParsePhase(const std::string& name) {
  for (const TaskPhase phase :
       {TaskPhase::kCreated, TaskPhase::kRestoring, TaskPhase::kRunning, TaskPhase::kSuspended, TaskPhase::kClosed})
    if (name == TaskPhaseName(phase)) return phase;
  return std::nullopt;
}

// The only place where the JSON library's exceptions end.
template <class Record, class Fill>
std::optional<Record> Decode(std::string_view text, Fill fill) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  try {
    if (object.at("version").get<int>() != kVersion) return std::nullopt;
    Record record;
    if (!fill(object, record)) return std::nullopt;
    return record;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<base::TaskId> ParseTaskId(std::string_view text) {
  const size_t bar = text.find('_');
  if (bar == std::string_view::npos) return std::nullopt;
  const auto subtopology = base::ParseInt(text.substr(0, bar));
  const auto partition = base::ParseInt(text.substr(bar + 1));
  if (!subtopology || !partition || *subtopology < 0 || *partition < 0 || *subtopology > INT32_MAX || *partition > INT32_MAX)
    return std::nullopt;
  return base::TaskId{static_cast<int32_t>(*subtopology), base::Partition(static_cast<int32_t>(*partition))};
}

std::string EncodeMember(const MemberRecord& record) {
  json held = json::object();
  for (const auto& [id, task] : record.held)
    held[id.ToString()] = {{"role", TaskRoleName(task.role)}, {"phase", TaskPhaseName(task.phase)}, {"position", task.position}};
  json dormant = json::object();
  for (const auto& [id, position] : record.dormant) dormant[id.ToString()] = position;
  json object = {{"version", kVersion},           {"instance", record.instance}, {"member_id", record.member_id},
                 {"generation", record.generation}, {"endpoint", record.endpoint}, {"rack", record.rack},
                 {"threads", record.threads},     {"fingerprint", record.fingerprint}, {"epoch", record.epoch},
                 {"held", held},                  {"dormant", dormant}};
  if (!record.topology.empty()) object["topology"] = record.topology;
  if (record.leaving) object["leaving"] = true;
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<MemberRecord> DecodeMember(std::string_view text) {
  return Decode<MemberRecord>(text, [](const json& object, MemberRecord& record) {
    object.at("instance").get_to(record.instance);
    object.at("member_id").get_to(record.member_id);
    object.at("generation").get_to(record.generation);
    object.at("endpoint").get_to(record.endpoint);
    object.at("rack").get_to(record.rack);
    object.at("threads").get_to(record.threads);
    object.at("fingerprint").get_to(record.fingerprint);
    object.at("epoch").get_to(record.epoch);
    if (object.contains("topology")) object.at("topology").get_to(record.topology);
    record.leaving = object.value("leaving", false);
    for (const auto& [name, task] : object.at("held").items()) {
      const auto id = ParseTaskId(name);
      const auto role = ParseRole(task.at("role").get<std::string>());
      const auto phase = ParsePhase(task.at("phase").get<std::string>());
      if (!id || !role || !phase) return false;
      record.held[*id] = {*role, *phase, task.at("position").get<int64_t>()};
    }
    for (const auto& [name, position] : object.at("dormant").items()) {
      const auto id = ParseTaskId(name);
      if (!id) return false;
      record.dormant[*id] = position.get<int64_t>();
    }
    return record.threads >= 1;
  });
}

std::string EncodeAssignment(const AssignmentRecord& record) {
  json members = json::object();
  for (const auto& [instance, member] : record.members)
    members[instance] = {{"member_id", member.member_id},       {"endpoint", member.endpoint},
                         {"threads", member.threads},           {"active", TaskIds(member.active)},
                         {"standby", TaskIds(member.standby)},  {"warmup", TaskIds(member.warmup)}};
  json earlier = json::object();
  for (const auto& [id, holders] : record.earlier_holders) {
    json list = json::array();
    for (const Holder& holder : holders)
      list.push_back({{"instance", holder.instance}, {"member_id", holder.member_id},
                      {"threads", holder.threads},   {"dead", holder.dead}});
    earlier[id.ToString()] = std::move(list);
  }
  return json({{"version", kVersion},
               {"epoch", record.epoch},
               {"generation", record.generation},
               {"fingerprint", record.fingerprint},
               {"members", std::move(members)},
               {"earlier_holders", std::move(earlier)}})
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<AssignmentRecord> DecodeAssignment(std::string_view text) {
  return Decode<AssignmentRecord>(text, [](const json& object, AssignmentRecord& record) {
    object.at("epoch").get_to(record.epoch);
    object.at("generation").get_to(record.generation);
    object.at("fingerprint").get_to(record.fingerprint);
    for (const auto& [instance, member] : object.at("members").items()) {
      AssignedMember& assigned = record.members[instance];
      member.at("member_id").get_to(assigned.member_id);
      member.at("endpoint").get_to(assigned.endpoint);
      member.at("threads").get_to(assigned.threads);
      if (!ReadTaskIds(member.at("active"), assigned.active) || !ReadTaskIds(member.at("standby"), assigned.standby) ||
          !ReadTaskIds(member.at("warmup"), assigned.warmup))
        return false;
    }
    for (const auto& [name, list] : object.at("earlier_holders").items()) {
      const auto id = ParseTaskId(name);
      if (!id) return false;
      for (const json& holder : list)
        record.earlier_holders[*id].push_back({holder.at("instance").get<std::string>(), holder.at("member_id").get<std::string>(),
                                               holder.at("threads").get<int>(), holder.at("dead").get<bool>()});
    }
    return record.epoch >= 1;
  });
}

}  // namespace tailrace::processor
