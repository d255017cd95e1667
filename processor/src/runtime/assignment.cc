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

}  // namespace

Ownership AssignTasks(const std::vector<AssignableTask>& all_tasks, const std::vector<AssignableMember>& all_members,
                      const Ownership& previous) {
  Ownership result;
  if (all_members.empty()) return result;
  std::vector<AssignableTask> tasks = all_tasks;
  std::sort(tasks.begin(), tasks.end(), ByPartition);
  std::vector<AssignableMember> members = all_members;
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.instance < b.instance; });

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

  std::sort(homeless.begin(), homeless.end(), [](const auto* a, const auto* b) { return ByPartition(*a, *b); });
  for (const AssignableTask* task : homeless) {
    size_t best = members.size();
    auto better = [&](size_t a, size_t b) {
      const auto position = [&](size_t m) {
        const auto found = members[m].positions.find(task->id);
        return found == members[m].positions.end() ? int64_t{0} : found->second;
      };
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
