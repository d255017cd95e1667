// The memory budget that all applications of a process share.
#pragma once

#include <cstddef>
#include <memory>

#include "tailrace/state/memory_budget.h"

namespace tailrace::state {

// The budget of this process: made by the first who asks (`bytes` as in MemoryBudget::Create), shared by everyone who asks
// while somebody holds it, whatever size they name. Thread-safe.
std::shared_ptr<MemoryBudget> ProcessMemory(size_t bytes);

}  // namespace tailrace::state
