#include "tailrace/state/process_memory.h"

#include "absl/synchronization/mutex.h"

namespace tailrace::state {

std::shared_ptr<MemoryBudget> ProcessMemory(size_t bytes) {
  static absl::Mutex mu(absl::kConstInit);
  static auto& shared = *new std::weak_ptr<MemoryBudget>;  // never destroyed: stores may outlive statics
  absl::MutexLock lock(&mu);
  std::shared_ptr<MemoryBudget> budget = shared.lock();
  if (budget == nullptr) {
    budget = MemoryBudget::Create(bytes);
    shared = budget;
  }
  return budget;
}

}  // namespace tailrace::state
