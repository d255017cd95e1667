// Goal: the assignment and the two decisions of the protocol hold their promises for every group that may arise.
// Method: random tasks, members and histories; the promises are checked after each step.
#include "runtime/assignment.h"

#include <set>

#include "gtest/gtest.h"
#include "runtime/decisions.h"
#include "tailrace/base/random.h"

namespace tailrace::processor {
namespace {

std::vector<AssignableTask> RandomTasks(base::Random& random) {
  std::vector<AssignableTask> tasks;
  const auto subtopologies = 1 + random.Below(4);
  for (uint64_t s = 0; s < subtopologies; ++s) {
    const auto partitions = 1 + random.Below(12);
    for (uint64_t p = 0; p < partitions; ++p)
      tasks.push_back({{static_cast<int32_t>(s), base::Partition(static_cast<int32_t>(p))}, 1 + static_cast<int>(random.Below(3))});
  }
  return tasks;
}

std::vector<AssignableMember> RandomMembers(base::Random& random) {
  std::vector<AssignableMember> members;
  for (int i = 0; i < 8; ++i)
    if (random.Chance(0.5)) members.push_back({.instance = "m" + std::to_string(i), .capacity = 1 + i % 3, .rack = {}, .positions = {}});
  return members;
}

TEST(Assignment, IsCompleteBalancedStickyAndRepeatable) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    const auto tasks = RandomTasks(random);
    Ownership previous;
    for (int round = 0; round < 5; ++round) {
      const auto members = RandomMembers(random);
      const Ownership next = AssignTasks(tasks, members, previous);
      EXPECT_EQ(next, AssignTasks(tasks, {members.rbegin(), members.rend()}, previous));
      if (members.empty()) {
        EXPECT_TRUE(next.empty());
        continue;
      }
      ASSERT_EQ(next.size(), tasks.size());
      int capacity = 0;
      for (const auto& member : members) capacity += member.capacity;
      std::map<std::string, int> before;
      std::map<std::string, int> after;
      std::map<std::string, int> given_up;
      for (const auto& [id, owner] : next) {
        ++after[owner];
        const auto had = previous.find(id);
        if (had == previous.end()) continue;
        ++before[had->second];
        if (had->second != owner) ++given_up[had->second];
      }
      for (const auto& member : members) {
        const double fair = static_cast<double>(tasks.size()) * member.capacity / capacity;
        EXPECT_LT(std::abs(after[member.instance] - fair), 1.0) << member.instance;
        // Nothing moves away from a member that has not too many.
        EXPECT_LE(given_up[member.instance], std::max(0, before[member.instance] - static_cast<int>(fair)));
      }
      EXPECT_EQ(AssignTasks(tasks, members, next), next);
      previous = next;
    }
  }
}

TEST(Assignment, PrefersTheDiskThatHoldsTheMost) {
  const AssignableTask task{{0, base::Partition(0)}, 1};
  const auto owner = AssignTasks({task}, {{"a", 1, "", {{task.id, 10}}}, {"b", 1, "", {{task.id, 90}}}}, {});
  EXPECT_EQ(owner.at(task.id), "b");
}

TEST(Assignment, GivesTasksToTheDisksThatHaveThem) {
  // Everything that "gone" had is stored on "b"; the tasks that nobody has must not take the room there.
  std::vector<AssignableTask> tasks;
  for (int p = 0; p < 8; ++p) tasks.push_back({{0, base::Partition(p)}, 2, true});
  AssignableMember a{"a", 1, "", {}};
  AssignableMember b{"b", 1, "", {}};
  for (int p = 4; p < 8; ++p) b.positions[tasks[static_cast<size_t>(p)].id] = 10;
  const Ownership next = AssignTasks(tasks, {a, b}, {});
  for (int p = 4; p < 8; ++p) EXPECT_EQ(next.at(tasks[static_cast<size_t>(p)].id), "b") << p;
}

TEST(Assignment, StandbysAreCompleteBalancedStickyAndRepeatable) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    auto tasks = RandomTasks(random);
    for (AssignableTask& task : tasks) task.logged = random.Chance(0.8);
    const int replicas = static_cast<int>(random.Below(4));
    Ownership owners;
    Standbys previous;
    for (int round = 0; round < 5; ++round) {
      auto members = RandomMembers(random);
      for (size_t i = 0; i < members.size(); ++i) members[i].rack = seed % 2 == 0 ? "" : "rack" + std::to_string(i % 3);
      owners = AssignTasks(tasks, members, owners);
      const Standbys next = AssignStandbys(tasks, members, owners, previous, replicas);
      EXPECT_EQ(next, AssignStandbys(tasks, {members.rbegin(), members.rend()}, owners, previous, replicas));
      EXPECT_EQ(next, AssignStandbys(tasks, members, owners, next, replicas)) << "a second look moves something";
      std::map<std::string, int> load;
      for (const AssignableTask& task : tasks) {
        const auto found = next.find(task.id);
        const size_t copies = found == next.end() ? 0 : found->second.size();
        const size_t possible = members.empty() ? 0 : members.size() - 1;
        EXPECT_EQ(copies, task.logged ? std::min(static_cast<size_t>(replicas), possible) : 0u) << task.id.ToString();
        if (copies == 0) continue;
        EXPECT_FALSE(found->second.contains(owners.at(task.id))) << "a copy beside its owner";
        for (const std::string& instance : found->second) {
          ++load[instance];
          EXPECT_TRUE(std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.instance == instance; }));
        }
      }
      // Without racks, no single move would make two members more even.
      if (seed % 2 == 0) {
        for (const auto& [id, instances] : next)
          for (const std::string& from : instances)
            for (const auto& to : members) {
              if (to.instance == owners.at(id) || instances.contains(to.instance)) continue;
              const auto& heavy = *std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.instance == from; });
              EXPECT_GE((load[to.instance] + 1) * heavy.capacity, load[from] * to.capacity) << id.ToString();
            }
      }
      previous = next;
    }
  }
}

TEST(Assignment, AStandbyGoesToAnotherRackAndToTheDiskThatHasTheState) {
  const AssignableTask task{{0, base::Partition(0)}, 2, true};
  const Ownership owners{{task.id, "a"}};
  const std::vector<AssignableMember> racks{{"a", 1, "r1", {}}, {"b", 1, "r1", {{task.id, 90}}}, {"c", 1, "r2", {}}};
  EXPECT_EQ(AssignStandbys({task}, racks, owners, {}, 1).at(task.id), std::set<std::string>{"c"});
  EXPECT_EQ(AssignStandbys({task}, racks, owners, {}, 2).at(task.id), (std::set<std::string>{"b", "c"}));
  const std::vector<AssignableMember> disks{{"a", 1, "", {}}, {"b", 1, "", {}}, {"c", 1, "", {{task.id, 90}}}};
  EXPECT_EQ(AssignStandbys({task}, disks, owners, {}, 1).at(task.id), std::set<std::string>{"c"});
}

TEST(Assignment, SpreadsOverThreadsAndStays) {
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    auto tasks = RandomTasks(random);
    std::map<base::TaskId, int> placed;
    const int threads = 1 + static_cast<int>(random.Below(5));
    for (int round = 0; round < 4; ++round) {
      const auto next = SpreadOverThreads(tasks, placed, threads);
      ASSERT_EQ(next.size(), tasks.size());
      std::vector<int> count(static_cast<size_t>(threads));
      for (const auto& [id, thread] : next) ++count.at(static_cast<size_t>(thread));
      EXPECT_LE(*std::max_element(count.begin(), count.end()) - *std::min_element(count.begin(), count.end()), 1);
      EXPECT_EQ(SpreadOverThreads(tasks, next, threads), next);
      placed = next;
      if (tasks.size() > 1) tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(random.Below(tasks.size())));
    }
  }
}

TEST(CoordinationRecords, SurviveTheirJson) {
  MemberRecord member{.instance = "one", .member_id = "one-1", .generation = 3, .endpoint = "h:1", .rack = "r", .threads = 2,
                      .fingerprint = "f", .topology = "t", .epoch = 7, .held = {}, .leaving = true, .dormant = {}};
  member.held[{0, base::Partition(3)}] = {TaskRole::kActive, TaskPhase::kRestoring, 12};
  member.dormant[{1, base::Partition(0)}] = 5;
  EXPECT_EQ(DecodeMember(EncodeMember(member)), member);
  AssignmentRecord assignment{.epoch = 8, .generation = 3, .fingerprint = "f", .members = {}, .earlier_holders = {}};
  assignment.members["one"] = {"one-1", "h:1", 2, {{0, base::Partition(3)}}, {{0, base::Partition(1)}}, {{0, base::Partition(2)}}};
  assignment.earlier_holders[{0, base::Partition(3)}] = {{"two", "two-1", 4, true}};
  EXPECT_EQ(DecodeAssignment(EncodeAssignment(assignment)), assignment);
  for (const char* const bad : {"", "{", "[]", "{}", R"({"version":2})", R"({"version":1,"epoch":"x"})"}) {
    EXPECT_EQ(DecodeMember(bad), std::nullopt) << bad;
    EXPECT_EQ(DecodeAssignment(bad), std::nullopt) << bad;
  }
}

TEST(CoordinationRecords, OlderEpochsAndGenerationsAreIgnored) {
  CoordinationPicture picture;
  AssignmentRecord record{.epoch = 5, .generation = 4, .fingerprint = "", .members = {}, .earlier_holders = {}};
  EXPECT_TRUE(picture.Apply("assignment", EncodeAssignment(record)));
  record.epoch = 4;
  EXPECT_FALSE(picture.Apply("assignment", EncodeAssignment(record)));
  record.epoch = 6;
  record.generation = 3;
  EXPECT_FALSE(picture.Apply("assignment", EncodeAssignment(record)));
  record.generation = 4;
  EXPECT_TRUE(picture.Apply("assignment", EncodeAssignment(record)));
  EXPECT_EQ(picture.assignment->epoch, 6);
}

TEST(Decisions, AnotherTopologyTakesNothingAwayWhileTheAssignedOneLives) {
  CoordinationPicture picture;
  const auto write = [&](const std::string& instance, const std::string& fingerprint) {
    MemberRecord record{.instance = instance, .member_id = instance + "-1", .generation = 1, .endpoint = {}, .rack = {}, .threads = 1,
                        .fingerprint = fingerprint, .topology = {}, .epoch = 0, .held = {}, .leaving = false, .dormant = {}};
    picture.Apply("member/" + instance, EncodeMember(record));
  };
  write("b", "old");
  LeaderInput input{.picture = &picture, .live = {{"b-1", "b"}}, .generation = 1, .fingerprint = "old", .tasks = {{{0, base::Partition(0)}, 1}}};
  const auto first = DecideAssignment(input, nullptr);
  ASSERT_TRUE(first.has_value());
  picture.Apply("assignment", EncodeAssignment(*first));

  // The newcomer leads.
  write("a", "new");
  input.live.push_back({"a-1", "a"});
  input.generation = 2;
  input.fingerprint = "new";
  input.tasks = {{{0, base::Partition(0)}, 1}, {{1, base::Partition(0)}, 1}};
  std::vector<std::string> odd;
  EXPECT_EQ(DecideAssignment(input, &odd), std::nullopt);
  EXPECT_EQ(odd, std::vector<std::string>{"a"});
  // Only when the last of the old ones is gone it takes over.
  input.live = {{"a-1", "a"}};
  const auto next = DecideAssignment(input, nullptr);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->fingerprint, "new");
  EXPECT_EQ(next->members.at("a").active.size(), 2u);
}

// A little model of the protocol: members that join, stop cleanly, die, restart and lose their membership at random, each
// acting when it likes on the records that exist. Promise: a task never has two holders of which both may still commit, and
// when things calm down every task has its holder.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {
    for (int p = 0; p < 6; ++p) tasks_.push_back({{0, base::Partition(p)}, 1});
  }

  void Step() {
    const std::string instance = "i" + std::to_string(random_.Below(4));
    switch (random_.Below(8)) {
      case 0: Join(instance); break;
      case 1: Die(instance); break;
      case 2: Lead(); break;
      default: Act(instance); break;
    }
    CheckOwners();
  }

  void Calm() {
    for (int i = 0; i < 4; ++i) Join("i" + std::to_string(i));
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 4; ++i) Act("i" + std::to_string(i));
      Lead();
      CheckOwners();
    }
    std::set<base::TaskId> open;
    for (const auto& [instance, process] : processes_) open.insert(process.open.begin(), process.open.end());
    EXPECT_EQ(open.size(), tasks_.size());
    EXPECT_EQ(Lead(), false) << "a calm group needs no new epoch";
  }

 private:
  struct Process {
    std::string member_id;
    std::set<base::TaskId> open;
    int64_t acted = 0;
  };

  // Starts, or restarts in place, or comes back after it lost its membership: in each case nothing is open, and the group
  // knows the instance by a new member id.
  void Join(const std::string& instance) {
    if (processes_.contains(instance) && random_.Chance(0.7)) return;
    processes_[instance] = {.member_id = instance + "-" + std::to_string(++ids_), .open = {}, .acted = 0};
    live_[instance] = processes_[instance].member_id;
    ++generation_;
  }

  // Killed: what it had open is not released, and its member id leaves the group at some later time.
  void Die(const std::string& instance) {
    if (!processes_.contains(instance)) return;
    processes_.erase(instance);
    live_.erase(instance);
    ++generation_;
  }

  void Publish(const std::string& instance) {
    const Process& process = processes_.at(instance);
    MemberRecord record{.instance = instance, .member_id = process.member_id, .generation = generation_, .endpoint = {}, .rack = {},
                        .threads = 1, .fingerprint = "f", .topology = {}, .epoch = process.acted, .held = {}, .leaving = false, .dormant = {}};
    for (const base::TaskId& id : process.open) record.held[id] = {};
    picture_.Apply("member/" + instance, EncodeMember(record));
  }

  void Act(const std::string& instance) {
    if (!processes_.contains(instance)) return;
    Process& process = processes_.at(instance);
    std::set<base::TaskId> wanted;
    if (picture_.assignment.has_value()) {
      const auto mine = picture_.assignment->members.find(instance);
      if (mine != picture_.assignment->members.end() && mine->second.member_id == process.member_id) wanted = mine->second.active;
      std::erase_if(process.open, [&](const base::TaskId& id) { return !wanted.contains(id); });
      process.acted = picture_.assignment->epoch;
    }
    for (const base::TaskId& id : wanted)
      if (!process.open.contains(id) && random_.Chance(0.8) && DecideOpen(picture_, id).may_open) process.open.insert(id);
    if (random_.Chance(0.8)) Publish(instance);
  }

  bool Lead() {
    LeaderInput input{.picture = &picture_, .live = {}, .generation = generation_, .fingerprint = "f", .tasks = tasks_};
    for (const auto& [instance, member_id] : live_) input.live.push_back({member_id, instance});
    const auto next = DecideAssignment(input, nullptr);
    if (next.has_value()) {
      EXPECT_TRUE(!picture_.assignment.has_value() || next->epoch > picture_.assignment->epoch);
      EXPECT_TRUE(picture_.Apply("assignment", EncodeAssignment(*next)));
    }
    return next.has_value();
  }

  void CheckOwners() {
    std::map<base::TaskId, std::string> owners;
    for (const auto& [instance, process] : processes_)
      for (const base::TaskId& id : process.open)
        EXPECT_TRUE(owners.emplace(id, instance).second) << id.ToString() << " is open in " << instance << " and " << owners[id];
  }

  base::Random random_;
  std::vector<AssignableTask> tasks_;
  CoordinationPicture picture_;
  std::map<std::string, Process> processes_;
  std::map<std::string, std::string> live_;
  int32_t generation_ = 1;
  int ids_ = 0;
};

TEST(Protocol, NeverHasTwoOwnersAndAlwaysSettles) {
  for (uint64_t seed = 1; seed <= 1'000; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int step = 0; step < 60; ++step) model.Step();
    model.Calm();
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace tailrace::processor
