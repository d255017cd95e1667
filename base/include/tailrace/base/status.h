// Errors are values, and each says how to react to it.
//
// A function that can fail returns absl::Status or absl::StatusOr<T>. The status carries a Reaction: what the caller
// must do next. The classification is by reaction, not by cause, as Kafka Streams classifies its exceptions
// (TaskMigratedException, TaskCorruptedException, StreamsException).
//
//   if (absl::Status status = producer.CommitTransaction(); !status.ok()) {
//     switch (base::ReactionOf(status)) { case base::Reaction::kAbortTransaction: ... }
//   }
//
// The message says what failed, on what object, and what the operator does next.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tailrace::base {

enum class Reaction {
  kNone,              // the status is OK
  kRetry,             // transient: try the same call again, within the caller's bound
  kAbortTransaction,  // abort the open transaction, then start again from the committed offsets
  kRecreateProducer,  // the result is unknown or the producer is unusable: destroy it, never reuse the handle
  kTaskMigrated,      // this process no longer owns the task: stop it, drop what is uncommitted, rejoin
  kTaskCorrupted,     // local state cannot be trusted: wipe this task's state and rebuild it from the changelog
  kSkipRecord,        // this record cannot be processed: count it or send it to the dead-letter topic, go on
  kFatal,             // stop the process with the message
};

std::string_view ReactionName(Reaction reaction);

// Returns `status` with `reaction` attached. REQUIRES: !status.ok() and reaction != kNone.
absl::Status WithReaction(absl::Status status, Reaction reaction);

// The attached reaction; kNone for OK; kFatal for an error without one, so that an unclassified error is never ignored.
Reaction ReactionOf(const absl::Status& status);

// Makes an error in one step.
absl::Status Error(Reaction reaction, absl::StatusCode code, std::string_view message);

// A wrong configuration, pipeline or topology: kFatal and absl::StatusCode::kInvalidArgument.
absl::Status UsageError(std::string_view message);

// Prepends "context: " to the message and keeps code and reaction.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace tailrace::base

// Returns from the enclosing function when `expression` is not OK.
#define TAILRACE_RETURN_IF_ERROR(expression)                             \
  do {                                                                   \
    if (absl::Status tailrace_status_ = (expression); !tailrace_status_.ok()) [[unlikely]] \
      return tailrace_status_;                                           \
  } while (false)

#define TAILRACE_CONCAT_INNER_(a, b) a##b
#define TAILRACE_CONCAT_(a, b) TAILRACE_CONCAT_INNER_(a, b)
#define TAILRACE_ASSIGN_OR_RETURN(lhs, expression) \
  TAILRACE_ASSIGN_OR_RETURN_IMPL_(TAILRACE_CONCAT_(tailrace_statusor_, __LINE__), lhs, expression)
#define TAILRACE_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expression) \
  auto statusor = (expression);                                    \
  if (!statusor.ok()) [[unlikely]]                                 \
    return std::move(statusor).status();                           \
  lhs = *std::move(statusor)
