#include "tailrace/state/task_state.h"

#include <rocksdb/env.h>

#include <filesystem>
#include <system_error>

#include "rocksdb_env.h"
#include "rocksdb_status.h"
#include "task_state_impl.h"

namespace tailrace::state {

absl::StatusOr<std::unique_ptr<TaskState>> TaskState::Open(TaskStateOptions options) {
  if (!options.directory.empty() && options.memory == nullptr) {
    return base::UsageError("a task on disk needs a memory budget (TaskStateOptions::memory)");
  }
  auto task = std::make_unique<TaskStateImpl>(std::move(options));
  TAILRACE_RETURN_IF_ERROR(task->Initialize());
  return task;
}

absl::Status TaskState::Wipe(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) return absl::OkStatus();
  // RocksDB's own lock tells whether anyone, this process included, still has it open.
  const std::string lock_path = directory + "/db/LOCK";
  if (std::filesystem::exists(lock_path, error)) {
    rocksdb::FileLock* lock = nullptr;
    const rocksdb::Status status = StateEnv()->LockFile(lock_path, &lock);
    if (!status.ok()) return FromRocksdb(status, "wipe", directory);
    StateEnv()->UnlockFile(lock).PermitUncheckedError();
  }
  std::filesystem::remove_all(directory, error);
  if (error) {
    return base::Error(base::Reaction::kRetry, absl::StatusCode::kUnavailable,
                       "wipe " + directory + ": " + error.message() + "; check its permissions");
  }
  return absl::OkStatus();
}

}  // namespace tailrace::state
