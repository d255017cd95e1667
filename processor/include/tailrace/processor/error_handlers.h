// What happens with a record that cannot be read, processed or written.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "tailrace/base/status.h"
#include "tailrace/base/types.h"
#include "tailrace/kafka/record.h"

namespace tailrace::processor {

enum class ErrorResponse {
  kContinue,  // goes to the dead-letter topic, when errors.dead.letter.queue.topic.name names one, is counted, and the next follows
  kSkip,      // is counted, and the next follows
  kFail,      // the application stops with the error; nothing of the record is committed
};

// The record that was being processed. Views are valid during the call.
struct ErrorContext {
  base::TaskId task_id;
  std::string_view operator_name;  // which failed: a source, processor or sink
  // The record that was read: empty topic and unknown offset in a punctuation or while a store is flushed, null bytes then.
  std::string_view topic;
  base::Partition partition;
  base::Offset offset = base::kOffsetUnknown;
  int64_t timestamp_ms = base::kNoTimestampMs;
  kafka::NullableBytes key;
  kafka::NullableBytes value;
  const kafka::Headers* headers = nullptr;  // never null in a call
};

// Called on the task's thread; a copy for each task, so what it shares must be thread-safe. It must not throw.
using ErrorHandler = std::function<ErrorResponse(const ErrorContext& context, const absl::Status& error)>;

// Handlers of the program, in the place of the configured ones (org.apache.kafka.streams.errors). An empty one leaves the
// configured one.
//
//   streams.SetErrorHandlers({.processing = [](const ErrorContext& context, const absl::Status& error) { ... }});
struct ErrorHandlers {
  ErrorHandler deserialization;  // a serde that cannot read a record, an invalid timestamp (deserialization.exception.handler)
  // User code that threw or reported an error. The record ends at the operator that failed; operators beside and above it go
  // on (processing.exception.handler).
  ErrorHandler processing;
  ErrorHandler production;  // a serde that throws, a record too large for its topic (production.exception.handler)
};

}  // namespace tailrace::processor
