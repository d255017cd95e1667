// Who processes which task: a pure function of the tasks, the live members and the previous assignment.
//
// Properties (tests/unit/processor/runtime/assignment_test.cc): every task has exactly one owner while there is a member;
// a member's share differs from its fair share (by capacity) by less than one task; no task moves unless its owner is gone
// or has too many; the result depends on nothing but the input.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tailrace/base/types.h"

namespace tailrace::processor {

struct AssignableTask {
  base::TaskId id;
  int weight = 1;  // 1 + number of stores
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

// Places a member's tasks on its stream threads: a task stays where it is unless its thread carries more than a fair share.
// `previous` may name tasks that are gone. Returns the thread index by task.
std::map<base::TaskId, int> SpreadOverThreads(const std::vector<AssignableTask>& tasks,
                                              const std::map<base::TaskId, int>& previous, int thread_count);

}  // namespace tailrace::processor
