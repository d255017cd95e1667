// Named places in the commit protocol where tests and chaos runs make something happen.
//
// Off, a failpoint costs one relaxed load, and there is one per commit step, none per record.
// TAILRACE_FAILPOINTS=name=action[@n][,...] sets them for a process: action "crash" ends it as kill -9 does, "error" fails
// the step; @n means the n-th time (default 1). Tests set a handler instead.
//
// Names: commit.prepare, commit.flushed, commit.offsets_sent, commit.committed, commit.stored, restore.batch, task.open,
// task.close.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "tailrace/base/status.h"

namespace tailrace::processor::failpoint {

namespace internal {
extern std::atomic<bool> enabled;
absl::Status HitSlow(std::string_view name);
}  // namespace internal

// OK unless the failpoint is set and says otherwise. Thread-safe.
inline absl::Status Hit(std::string_view name) {
  if (!internal::enabled.load(std::memory_order_relaxed)) [[likely]] return absl::OkStatus();
  return internal::HitSlow(name);
}

// Called at every failpoint from then on, on the thread that reached it; null removes it.
void SetHandler(std::function<absl::Status(std::string_view name)> handler);

// Reads TAILRACE_FAILPOINTS; an unreadable one is an error.
absl::Status LoadFromEnvironment();

}  // namespace tailrace::processor::failpoint
