// Who processes which task, and who keeps copies of its stores: pure functions of the tasks, the live members and the previous
// assignment.
//
// Properties (tests/unit/processor/runtime/assignment_test.cc): every task has exactly one owner while there is a member;
// a member's share differs from its fair share (by capacity) by less than one task; no task moves unless its owner is gone
// or has too many; a task has as many copies as were asked for while there are members for them, none beside its owner; the
// result depends on nothing but the input.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tailrace/base/types.h"

namespace tailrace::processor {

struct AssignableTask {
  base::TaskId id;
  int weight = 1;  // 1 + number of stores
  bool logged = false;  // has a store with a changelog: a standby can follow it
};

struct AssignableMember {
  std::string instance;
  int capacity = 1;  // stream threads
  std::string rack;
  // Records of the task's changelogs that this member's disk already holds: it restores the least.
  std::map<base::TaskId, int64_t> positions;
};

// Owner's instance by task.
using Ownership = std::map<base::TaskId, std::string>;

Ownership AssignTasks(const std::vector<AssignableTask>& tasks, const std::vector<AssignableMember>& members,
                      const Ownership& previous);

// Instances that keep a standby, by task.
using Standbys = std::map<base::TaskId, std::set<std::string>>;

// Up to `replicas` standbys for each logged task (num.standby.replicas): a standby stays where it is unless its member carries
// too many; a new one goes to another rack than the owner's and its like, where there is one, then to the fullest disk.
Standbys AssignStandbys(const std::vector<AssignableTask>& tasks, const std::vector<AssignableMember>& members,
                        const Ownership& owners, const Standbys& previous, int replicas);

// Places a member's tasks on its stream threads: a task stays where it is unless its thread carries more than a fair share.
// `previous` may name tasks that are gone. Returns the thread index by task.
std::map<base::TaskId, int> SpreadOverThreads(const std::vector<AssignableTask>& tasks,
                                              const std::map<base::TaskId, int>& previous, int thread_count);

}  // namespace tailrace::processor
