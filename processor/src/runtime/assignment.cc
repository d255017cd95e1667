#include "runtime/assignment.h"

#include <algorithm>
#include <set>

#include "tailrace/base/check.h"

namespace tailrace::processor {
namespace {

// How many tasks each member gets: floors of the fair shares, then one more for the largest remainders; ties go to those
// that would lose a task otherwise, then to the fuller disk, then to the smaller name (the same answer on every leader).
std::vector<int> Quotas(size_t task_count, const std::vector<AssignableMember>& members, const std::vector<int>& owned) {
  int64_t capacity = 0;
  for (const AssignableMember& member : members) capacity += std::max(member.capacity, 1);
  std::vector<int> quotas(members.size());
  std::vector<int64_t> remainders(members.size());
  int64_t given = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    const int64_t share = static_cast<int64_t>(task_count) * std::max(members[i].capacity, 1);
    quotas[i] = static_cast<int>(share / capacity);
    remainders[i] = share % capacity;
    given += quotas[i];
  }
  std::vector<int64_t> stored(members.size());
  for (size_t i = 0; i < members.size(); ++i)
    for (const auto& [task, position] : members[i].positions) stored[i] += position;
  std::vector<size_t> order(members.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (remainders[a] != remainders[b]) return remainders[a] > remainders[b];
    const int excess_a = owned[a] - quotas[a];
    const int excess_b = owned[b] - quotas[b];
    if (excess_a != excess_b) return excess_a > excess_b;
    if (stored[a] != stored[b]) return stored[a] > stored[b];
    return members[a].instance < members[b].instance;
  });
  for (size_t i = 0; given < static_cast<int64_t>(task_count); ++i, ++given) ++quotas[order[i]];
  return quotas;
}

// Orders tasks so that a subtopology's tasks are dealt out before the next one's: each member gets some of each.
bool ByPartition(const AssignableTask& a, const AssignableTask& b) { return a.id < b.id; }

int64_t StoredPosition(const AssignableMember& member, const base::TaskId& task) {
  const auto found = member.positions.find(task);
  return found == member.positions.end() ? 0 : found->second;
}

bool ByInstance(const AssignableMember& a, const AssignableMember& b) { return a.instance < b.instance; }

}  // namespace

Ownership AssignTasks(const std::vector<AssignableTask>& all_tasks, const std::vector<AssignableMember>& all_members,
                      const Ownership& previous) {
  Ownership result;
  if (all_members.empty()) return result;
  std::vector<AssignableTask> tasks = all_tasks;
  std::sort(tasks.begin(), tasks.end(), ByPartition);
  std::vector<AssignableMember> members = all_members;
  std::sort(members.begin(), members.end(), ByInstance);

  std::map<std::string, size_t> index;
  for (size_t i = 0; i < members.size(); ++i)
    TAILRACE_CHECK(index.emplace(members[i].instance, i).second, "instances are unique: " + members[i].instance);
  std::vector<int> owned(members.size());
  for (const AssignableTask& task : tasks) {
    const auto owner = previous.find(task.id);
    if (owner == previous.end()) continue;
    if (const auto member = index.find(owner->second); member != index.end()) ++owned[member->second];
  }
  const std::vector<int> quotas = Quotas(tasks.size(), members, owned);

  // Per subtopology counts decide which tasks a crowded member gives up, so that no member keeps all of one subtopology.
  std::vector<int> count(members.size());
  std::vector<std::map<int32_t, int>> by_subtopology(members.size());
  std::vector<std::vector<const AssignableTask*>> kept(members.size());
  std::vector<const AssignableTask*> homeless;
  for (const AssignableTask& task : tasks) {
    const auto owner = previous.find(task.id);
    const auto member = owner == previous.end() ? index.end() : index.find(owner->second);
    if (member == index.end()) {
      homeless.push_back(&task);
      continue;
    }
    kept[member->second].push_back(&task);
    ++by_subtopology[member->second][task.id.subtopology];
  }
  for (size_t i = 0; i < members.size(); ++i) {
    while (kept[i].size() > static_cast<size_t>(quotas[i])) {
      // The last task of the subtopology that this member has most of.
      size_t victim = 0;
      for (size_t k = 0; k < kept[i].size(); ++k) {
        const int most = by_subtopology[i][kept[i][victim]->id.subtopology];
        if (by_subtopology[i][kept[i][k]->id.subtopology] >= most) victim = k;
      }
      --by_subtopology[i][kept[i][victim]->id.subtopology];
      homeless.push_back(kept[i][victim]);
      kept[i].erase(kept[i].begin() + static_cast<std::ptrdiff_t>(victim));
    }
    count[i] = static_cast<int>(kept[i].size());
    for (const AssignableTask* task : kept[i]) result[task->id] = members[i].instance;
  }

  // Tasks whose state somebody has choose first, while there is room where it is.
  const auto stored_somewhere = [&](const AssignableTask* task) {
    return std::any_of(members.begin(), members.end(), [&](const AssignableMember& m) { return StoredPosition(m, task->id) > 0; });
  };
  std::sort(homeless.begin(), homeless.end(), [&](const auto* a, const auto* b) {
    const bool a_stored = stored_somewhere(a), b_stored = stored_somewhere(b);
    return a_stored != b_stored ? a_stored : ByPartition(*a, *b);
  });
  for (const AssignableTask* task : homeless) {
    size_t best = members.size();
    auto better = [&](size_t a, size_t b) {
      const auto position = [&](size_t m) { return StoredPosition(members[m], task->id); };
      if (position(a) != position(b)) return position(a) > position(b);
      const int of_a = by_subtopology[a][task->id.subtopology];
      const int of_b = by_subtopology[b][task->id.subtopology];
      if (of_a != of_b) return of_a < of_b;
      return quotas[a] - count[a] > quotas[b] - count[b];
    };
    for (size_t i = 0; i < members.size(); ++i) {
      if (count[i] >= quotas[i]) continue;
      if (best == members.size() || better(i, best)) best = i;
    }
    TAILRACE_CHECK(best < members.size(), "the quotas add up to the number of tasks");
    ++count[best];
    ++by_subtopology[best][task->id.subtopology];
    result[task->id] = members[best].instance;
  }
  TAILRACE_CHECK(result.size() == tasks.size(), "every task has an owner");
  return result;
}

namespace {

// The standbys as they are placed, member by member.
class StandbyPlacement {
 public:
  StandbyPlacement(const std::vector<AssignableMember>& members, const Ownership& owners, Standbys& result)
      : members_(members), owners_(owners), result_(result), load_(members.size()) {}

  void Add(const base::TaskId& task, size_t member) {
    result_[task].insert(members_[member].instance);
    ++load_[member];
  }
  void Move(const base::TaskId& task, size_t from, size_t to) {
    result_[task].erase(members_[from].instance);
    --load_[from];
    Add(task, to);
  }
  bool MayTake(const base::TaskId& task, size_t member) const {
    return owners_.at(task) != members_[member].instance && !Has(task, member);
  }
  bool Has(const base::TaskId& task, size_t member) const {
    const auto found = result_.find(task);
    return found != result_.end() && found->second.contains(members_[member].instance);
  }
  // Whether `member` shares its rack with the owner or a standby other than the one on `leaving`.
  bool SharesRack(const base::TaskId& task, size_t member, size_t leaving) const {
    if (members_[member].rack.empty()) return false;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i == member || i == leaving || members_[i].rack != members_[member].rack) continue;
      if (owners_.at(task) == members_[i].instance || Has(task, i)) return true;
    }
    return false;
  }
  // Whether `member` would still carry less than `other` does, each by its capacity, if it had one more.
  bool IsLighterWithOneMore(size_t member, size_t other) const {
    return int64_t{load_[member] + 1} * Capacity(other) < int64_t{load_[other]} * Capacity(member);
  }
  bool IsLighter(size_t a, size_t b) const { return int64_t{load_[a]} * Capacity(b) < int64_t{load_[b]} * Capacity(a); }

 private:
  int Capacity(size_t member) const { return std::max(members_[member].capacity, 1); }

  const std::vector<AssignableMember>& members_;
  const Ownership& owners_;
  Standbys& result_;
  std::vector<int> load_;
};

}  // namespace

Standbys AssignStandbys(const std::vector<AssignableTask>& all_tasks, const std::vector<AssignableMember>& all_members,
                        const Ownership& owners, const Standbys& previous, int replicas) {
  Standbys result;
  if (replicas <= 0 || all_members.size() < 2) return result;
  std::vector<AssignableTask> tasks;
  for (const AssignableTask& task : all_tasks)
    if (task.logged && owners.contains(task.id)) tasks.push_back(task);
  std::sort(tasks.begin(), tasks.end(), ByPartition);
  std::vector<AssignableMember> members = all_members;
  std::sort(members.begin(), members.end(), ByInstance);
  const size_t wanted = std::min(static_cast<size_t>(replicas), members.size() - 1);
  const size_t nobody = members.size();

  StandbyPlacement placement(members, owners, result);
  for (const AssignableTask& task : tasks) {
    const auto before = previous.find(task.id);
    if (before == previous.end()) continue;
    for (size_t i = 0; i < members.size() && result[task.id].size() < wanted; ++i)
      if (before->second.contains(members[i].instance) && placement.MayTake(task.id, i)) placement.Add(task.id, i);
  }
  for (const AssignableTask& task : tasks) {
    while (result[task.id].size() < wanted) {
      size_t best = nobody;
      for (size_t i = 0; i < members.size(); ++i) {
        if (!placement.MayTake(task.id, i)) continue;
        const auto better = [&](size_t a, size_t b) {
          const bool a_shares = placement.SharesRack(task.id, a, nobody), b_shares = placement.SharesRack(task.id, b, nobody);
          if (a_shares != b_shares) return !a_shares;
          const int64_t of_a = StoredPosition(members[a], task.id), of_b = StoredPosition(members[b], task.id);
          return of_a != of_b ? of_a > of_b : placement.IsLighter(a, b);
        };
        if (best == nobody || better(i, best)) best = i;
      }
      TAILRACE_CHECK(best != nobody, "there is a member beside the owner for each standby");
      placement.Add(task.id, best);
    }
  }
  // Each move makes the loads more even, so this ends; and a result in which no move helps is kept as it is the next time.
  for (bool moved = true; moved;) {
    moved = false;
    for (const AssignableTask& task : tasks)
      for (size_t from = 0; from < members.size(); ++from)
        for (size_t to = 0; to < members.size() && placement.Has(task.id, from); ++to) {
          if (!placement.MayTake(task.id, to) || !placement.IsLighterWithOneMore(to, from)) continue;
          if (placement.SharesRack(task.id, to, from) && !placement.SharesRack(task.id, from, from)) continue;
          placement.Move(task.id, from, to);
          moved = true;
        }
  }
  return result;
}

std::map<base::TaskId, int> SpreadOverThreads(const std::vector<AssignableTask>& tasks,
                                              const std::map<base::TaskId, int>& previous, int thread_count) {
  TAILRACE_CHECK(thread_count >= 1, "there is at least one stream thread");
  std::map<base::TaskId, int> result;
  std::vector<int> load(static_cast<size_t>(thread_count));
  std::vector<int> count(static_cast<size_t>(thread_count));
  std::vector<AssignableTask> sorted = tasks;
  std::sort(sorted.begin(), sorted.end(), ByPartition);
  // Every thread gets the floor of a fair share, and `extra` of them one more. A thread keeps what it has within that;
  // heavy tasks are dealt out first.
  const auto threads = static_cast<size_t>(thread_count);
  const auto floor = static_cast<int>(sorted.size() / threads);
  auto extra = static_cast<int>(sorted.size() % threads);
  const auto take = [&](size_t thread) {
    if (count[thread] < floor) return ++count[thread], true;
    if (count[thread] > floor || extra == 0) return false;
    --extra;
    return ++count[thread], true;
  };
  std::vector<const AssignableTask*> rest;
  for (const AssignableTask& task : sorted) {
    const auto found = previous.find(task.id);
    if (found != previous.end() && found->second >= 0 && found->second < thread_count &&
        take(static_cast<size_t>(found->second))) {
      result[task.id] = found->second;
      load[static_cast<size_t>(found->second)] += task.weight;
    } else {
      rest.push_back(&task);
    }
  }
  std::stable_sort(rest.begin(), rest.end(), [](const auto* a, const auto* b) { return a->weight > b->weight; });
  for (const AssignableTask* task : rest) {
    size_t best = threads;
    for (size_t i = 0; i < threads; ++i) {
      if (count[i] > floor || (count[i] == floor && extra == 0)) continue;
      if (best == threads || load[i] < load[best]) best = i;
    }
    TAILRACE_CHECK(best < threads && take(best), "fair shares cover all tasks");
    result[task->id] = static_cast<int>(best);
    load[best] += task->weight;
  }
  return result;
}

}  // namespace tailrace::processor
