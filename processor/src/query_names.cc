// The names of roles and phases that queries, logs and metrics show.
#include "tailrace/processor/query.h"

namespace tailrace::processor {

std::string_view TaskRoleName(TaskRole role) {
  switch (role) {
    case TaskRole::kActive: return "active";
    case TaskRole::kStandby: return "standby";
    case TaskRole::kWarmup: return "warmup";
  }
  return "unknown";
}

std::string_view TaskPhaseName(TaskPhase phase) {
  switch (phase) {
    case TaskPhase::kCreated: return "created";
    case TaskPhase::kRestoring: return "restoring";
    case TaskPhase::kRunning: return "running";
    case TaskPhase::kSuspended: return "suspended";
    case TaskPhase::kClosed: return "closed";
  }
  return "unknown";
}

}  // namespace tailrace::processor
