// Where members and the leader meet: the coordination topic, or memory when no other process can reach the log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/decisions.h"
#include "runtime/options.h"
#include "tailrace/base/status.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::processor {

// Thread-safety: the coordinator's thread only. Errors: kRetry for transient trouble (call again later), kTaskMigrated when
// another leader has taken over, kFatal otherwise.
class CoordinationLog {
 public:
  virtual ~CoordinationLog() = default;

  // Reads what is there without waiting long; returns whether the picture changed.
  virtual absl::StatusOr<bool> Poll() = 0;
  // Reads up to the end that the log had when this was called.
  virtual absl::Status ReadToEnd(int timeout_ms) = 0;
  virtual const CoordinationPicture& picture() const = 0;

  virtual absl::Status WriteMember(const MemberRecord& record) = 0;
  // Fences earlier leaders; call it once after each election, before ReadToEnd and WriteAssignment.
  virtual absl::Status BecomeLeader() = 0;
  virtual absl::Status WriteAssignment(const AssignmentRecord& record) = 0;
  virtual void StopLeading() = 0;
};

std::unique_ptr<CoordinationLog> NewLocalCoordinationLog();
// Read to its end. `cluster` and `options` outlive the log. The topic exists.
absl::StatusOr<std::unique_ptr<CoordinationLog>> OpenCoordinationTopic(kafka::Cluster& cluster,
                                                                      const RuntimeOptions& options);

}  // namespace tailrace::processor
